include!("../../../doc/shop.rs");

fn main() {
    let _ = User::find_by(|user| user.age().gte(18) & user.address().city().eq("Paris"));
    let _ = Order::find(Order::items().any(|item| item.sku().eq("X")));
}
