//! Typed filters against the naive model, which is written from the documentation alone: what the client's answer holds is
//! what a linear scan of the documents finds.

use folio::{Document, Field, Filter, Folio};
use folio_tests::Server;
use folio_tests::naive::schema::{Kind, NaiveField, NaiveSchema};
use folio_tests::naive::text::TextTest;
use folio_tests::naive::{self, Comparison, Json, Literal, Path, Step, Value};

use crate::typed_filters::{Draw, Thing};

/// How many filters are drawn.
const FILTERS: usize = 1_500;
/// How many documents they are asked of.
const DOCUMENTS: u64 = 150;

/// A filter as a user of the client writes it, and as the model has it.
struct Pair(Filter<Thing>, naive::Filter);

/// A path of names that may need back-quotes.
fn path(names: &[&str]) -> Path {
    Path(names.iter().map(|name| Step::Name((*name).to_owned())).collect())
}

fn string(text: impl Into<String>) -> Literal {
    Literal::String(text.into())
}

#[expect(clippy::needless_pass_by_value, reason = "number(1) reads better")]
fn number(number: impl ToString) -> Literal {
    Literal::Number(number.to_string())
}

fn strings(words: &[String]) -> Vec<Literal> {
    words.iter().map(string).collect()
}

fn not(filter: naive::Filter) -> naive::Filter {
    naive::Filter::Not(Box::new(filter))
}

/// What a field of strings is asked.
fn of_text<T: folio::Text + folio::Ordered + folio::Comparable>(
    draw: &mut Draw,
    field: &Field<Thing, T>,
    path: Path,
) -> Pair
where
    String: folio::Operand<Thing, T> + folio::Value<T>,
{
    use naive::Filter::{Between, Compare, In, IsMissing, IsNull, Text};
    let (word, other) = (draw.word(), draw.word());
    let compare = |sign| Compare(path.clone(), sign, string(&*word));
    let text = |test| Text(path.clone(), test, string(&*word));
    match draw.below(12) {
        0 => Pair(field.eq(word.clone()), compare(Comparison::Equal)),
        1 => Pair(field.ne(word.clone()), compare(Comparison::NotEqual)),
        2 => Pair(field.lt(word.clone()), compare(Comparison::Less)),
        3 => Pair(field.gte(word.clone()), compare(Comparison::GreaterOrEqual)),
        4 => {
            let between = Between(path, string(&*word), string(&*other));
            Pair(field.between(word, other), between)
        }
        5 => Pair(field.starts_with(word.clone()), text(TextTest::StartsWith)),
        6 => Pair(field.ends_with(word.clone()), text(TextTest::EndsWith)),
        7 => Pair(field.ilike(word.clone()), text(TextTest::Ilike)),
        8 => Pair(field.like(word.clone()), text(TextTest::Like)),
        9 => {
            let words = draw.words();
            let among = In(path, strings(&words));
            Pair(field.is_not_in(words), not(among))
        }
        10 => Pair(field.is_null(), IsNull(path)),
        _ => Pair(field.is_present(), not(IsMissing(path))),
    }
}

fn of_numbers(draw: &mut Draw) -> Pair {
    use naive::Filter::{Between, Compare, CompareValues, In, IsNull};
    let (n, x) = (draw.number(), draw.ratio());
    let weight = || path(&["weight"]);
    let ratio = |sign| Compare(path(&["ratio"]), sign, number(format!("{x:?}")));
    let own = || Value::Path(weight());
    match draw.below(9) {
        0 => Pair(Thing::weight().gte(n), Compare(weight(), Comparison::GreaterOrEqual, number(n))),
        1 => Pair(Thing::weight().between(n, 1), Between(weight(), number(n), number(1))),
        2 => Pair(Thing::weight().is_not_null(), not(IsNull(weight()))),
        3 => Pair(Thing::weight().is_in([n, 2]), In(weight(), vec![number(n), number(2)])),
        4 => Pair(Thing::ratio().gt(x), ratio(Comparison::Greater)),
        5 => Pair(Thing::ratio().lte(x), ratio(Comparison::LessOrEqual)),
        6 => Pair(Thing::ratio().ne(x), ratio(Comparison::NotEqual)),
        7 => {
            let same = CompareValues(own(), Comparison::Equal, own());
            Pair(Thing::weight().eq(Thing::weight()), same)
        }
        _ => {
            let n = path(&["inner", "n"]);
            Pair(Thing::inner().n().lt(2), Compare(n, Comparison::Less, number(2)))
        }
    }
}

fn of_arrays(draw: &mut Draw) -> Pair {
    use naive::Filter::{AllWhere, And, AnyWhere, Compare, Has, HasAll, HasAny, Or};
    let (word, words, n) = (draw.word(), draw.words(), draw.below(4) as u32);
    let (tags, parts) = (|| path(&["tags"]), || path(&["parts"]));
    let sku = |sign| Compare(path(&["sku"]), sign, string(&*word));
    let qty = |sign| Compare(path(&["qty"]), sign, number(n));
    match draw.below(7) {
        0 => Pair(Thing::tags().contains(&word), Has(tags(), string(&*word))),
        1 => Pair(Thing::tags().contains_any(&words), HasAny(tags(), strings(&words))),
        2 => Pair(Thing::tags().contains_all(&words), HasAll(tags(), strings(&words))),
        3 => {
            let both = And(vec![sku(Comparison::Equal), qty(Comparison::Greater)]);
            let any = Thing::parts().any(|part| part.sku().eq(&word) & part.qty().gt(n));
            Pair(any, AnyWhere(parts(), Box::new(both)))
        }
        4 => {
            let one = Or(vec![sku(Comparison::NotEqual), qty(Comparison::LessOrEqual)]);
            let all = Thing::parts().all(|part| part.sku().ne(&word) | part.qty().lte(n));
            Pair(all, AllWhere(parts(), Box::new(one)))
        }
        5 => {
            let first =
                Path(vec![Step::Name("parts".into()), Step::Index(0), Step::Name("qty".into())]);
            let qty = Compare(first, Comparison::Equal, number(n));
            Pair(Thing::parts().nth(0).qty().eq(n), qty)
        }
        _ => {
            let each =
                Path(vec![Step::Name("parts".into()), Step::Every, Step::Name("sku".into())]);
            let less = Compare(each, Comparison::Less, string(&*word));
            Pair(Thing::parts().each().sku().lt(&word), less)
        }
    }
}

fn leaf(draw: &mut Draw) -> Pair {
    use naive::Filter::IsBool;
    match draw.below(5) {
        0 => of_text(draw, &Thing::first_name(), path(&["first-name"])),
        1 => of_text(draw, &Thing::inner().like(), path(&["inner", "_like"])),
        2 => of_numbers(draw),
        3 => of_arrays(draw),
        _ => {
            let (is, truth) = (draw.below(2) == 0, draw.below(2) == 0);
            let field: Field<Thing, Option<bool>> = Thing::any();
            let (typed, plain) = (field.eq(truth), IsBool(path(&["any"]), truth));
            if is { Pair(typed, plain) } else { Pair(!typed, not(plain)) }
        }
    }
}

fn filter(draw: &mut Draw, depth: u32) -> Pair {
    if depth == 0 || draw.below(3) == 0 {
        return leaf(draw);
    }
    let Pair(left, plain_left) = filter(draw, depth - 1);
    if draw.below(4) == 0 {
        return Pair(!left, not(plain_left));
    }
    let Pair(right, plain_right) = filter(draw, depth - 1);
    let both = vec![plain_left, plain_right];
    if draw.below(2) == 0 {
        Pair(left & right, naive::Filter::And(both))
    } else {
        Pair(left | right, naive::Filter::Or(both))
    }
}

/// What `Thing` declares, told by hand: the model takes nothing from the client.
fn schema() -> NaiveSchema {
    let kinds = [
        (path(&["weight"]), Kind::Int),
        (path(&["ratio"]), Kind::Float),
        (path(&["first-name"]), Kind::String),
        (path(&["any"]), Kind::Bool),
        (path(&["tags"]), Kind::Array(Box::new(Kind::String))),
        (path(&["inner", "_like"]), Kind::String),
        (path(&["inner", "n"]), Kind::Int),
        (Path::plain("parts[*].sku"), Kind::String),
        (Path::plain("parts[*].qty"), Kind::Int),
    ];
    let field = |(path, kind)| NaiveField { path, ..NaiveField::new("x", kind) };
    NaiveSchema { fields: kinds.map(field).into(), ..NaiveSchema::default() }
}

async fn run(db: &Folio, seed: u64) -> folio::Result<()> {
    let (mut draw, schema) = (Draw(seed), schema());
    db.sync::<Thing>().await?;
    let things: Vec<Thing> = (0..DOCUMENTS).map(|_| draw.thing()).collect();
    let report = Thing::insert_many(things.clone()).run(db).await?;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let mut documents = Vec::new();
    for thing in &things {
        let key = format!("things:{}", thing.id);
        let text: serde_json::Value = db.get(&key).await?.expect("it was inserted");
        documents.push((key, Json::parse(&text.to_string()).expect("it is JSON")));
    }
    let mut found = 0;
    for _ in 0..FILTERS {
        let Pair(typed, plain) = filter(&mut draw, 4);
        let rows = Thing::find(typed.clone()).fields((Thing::id(),)).all(db).await;
        let rows = rows.unwrap_or_else(|error| panic!("{typed:?}: {error}"));
        let told: Vec<String> = rows.into_iter().map(|(id,)| format!("things:{id}")).collect();
        let fits = documents.iter().filter(|(_, document)| plain.holds(document, &schema, true));
        let expected: Vec<&String> = fits.map(|(key, _)| key).collect();
        assert_eq!(told.iter().collect::<Vec<_>>(), expected, "{typed:?} and {plain:?}");
        assert_eq!(Thing::find(typed).count(db).await?, expected.len() as u64);
        found += told.len();
    }
    assert!(found > FILTERS, "the filters hold of hardly anything: {found}");
    Ok(())
}

#[test]
fn a_typed_filter_finds_what_the_naive_model_finds() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_130);
    println!("SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let server = Server::start();
    let outcome = runtime.block_on(async {
        let db = Folio::connect(server.url()).await?;
        run(&db, seed).await
    });
    outcome.expect("no command fails");
}
