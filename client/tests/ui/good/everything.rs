include!("../../../doc/shop.rs");

fn main() {
    let _ = User::find_by(|user| user.age().gte(18) & user.address().city().eq("Paris"));
    let _ = Article::find(Article::slug().starts_with("on-")).order_by(Article::slug().desc());
    let _ = Article::aggregate(()).group_by(Article::slug());
    let _ = Article::get(folio::Id::from("a")).call("stock.take", (2, "Lyon"));
    let _ = Order::find(Order::items().any(|item| item.sku().eq("X")));
}
