//! Filters as trees against the same filters as text, drawn at random, and pages against the whole.

use folio::{Document, Embed, Field, Filter, Folio, Id};
use folio_tests::Server;
use serde::{Deserialize, Serialize};

/// How many filters are drawn.
const FILTERS: usize = 1_500;
/// How many documents they are asked of.
const DOCUMENTS: u64 = 150;

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[folio(collection = "things", timestamps, index(weight desc, any))]
pub struct Thing {
    #[folio(id)]
    pub id: Id<Thing>,
    #[folio(index)]
    weight: Option<i64>,
    #[folio(index)]
    ratio: f64,
    #[folio(index(set))]
    first_name: String,
    any: Option<bool>,
    #[folio(index)]
    tags: Vec<String>,
    inner: Option<Inner>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
pub struct Inner {
    #[folio(index)]
    #[serde(rename = "_like")]
    like: String,
    n: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
pub struct Part {
    #[folio(index)]
    sku: String,
    qty: u32,
}

/// The generator of `SplitMix64` (Steele, Lea and Flood, 2014).
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    pub fn word(&mut self) -> String {
        ["a", "it's", "`b`", "\"$x\"", "ä%_", ""][self.below(6) as usize].into()
    }

    pub fn number(&mut self) -> i64 {
        [-1, 0, 1, 2, i64::MAX, i64::MIN][self.below(6) as usize]
    }

    pub fn ratio(&mut self) -> f64 {
        [0.1, 0.5, 1.0, -2.25, 1e300][self.below(5) as usize]
    }

    pub fn words(&mut self) -> Vec<String> {
        (0..self.below(3)).map(|_| self.word()).collect()
    }

    pub fn thing(&mut self) -> Thing {
        let parts =
            (0..self.below(3)).map(|_| Part { sku: self.word(), qty: self.below(4) as u32 });
        let parts = parts.collect();
        let n = self.often().then(|| self.below(3) as u8);
        Thing {
            id: Id::new(),
            weight: self.often().then(|| self.number()),
            ratio: self.ratio(),
            first_name: self.word(),
            any: self.often().then(|| self.below(2) == 0),
            tags: self.words(),
            inner: self.often().then(|| Inner { like: self.word(), n }),
            parts,
        }
    }
}

/// A filter in both forms.
struct Both(Filter<Thing>, String);

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn list(words: &[String]) -> String {
    format!("({})", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// What a string field is asked.
fn of_text<T: folio::Text + folio::Ordered + folio::Comparable>(
    draw: &mut Draw,
    field: &Field<Thing, T>,
) -> Both
where
    String: folio::Operand<Thing, T> + folio::Value<T>,
{
    let (path, word) = (field.path().to_string(), draw.word());
    let text = quoted(&word);
    match draw.below(8) {
        0 => Both(field.eq(word), format!("{path} = {text}")),
        1 => Both(field.ne(word), format!("{path} != {text}")),
        2 => Both(field.lt(word), format!("{path} < {text}")),
        3 => Both(field.starts_with(word), format!("{path} STARTS WITH {text}")),
        4 => Both(field.ends_with(word), format!("{path} ENDS WITH {text}")),
        5 => Both(field.ilike(word), format!("{path} ILIKE {text}")),
        6 => {
            let words = draw.words();
            let text = format!("{path} IN {}", list(&words));
            Both(field.is_in(words), text)
        }
        _ => Both(field.is_missing(), format!("{path} IS MISSING")),
    }
}

fn of_numbers(draw: &mut Draw) -> Both {
    let (n, x) = (draw.number(), draw.ratio());
    match draw.below(8) {
        0 => Both(Thing::weight().gte(n), format!("weight >= {n}")),
        1 => Both(Thing::weight().between(n, 1), format!("weight BETWEEN {n} AND 1")),
        2 => Both(Thing::weight().is_null(), "weight IS NULL".into()),
        3 => Both(Thing::weight().is_not_in([n, 2]), format!("weight NOT IN ({n}, 2)")),
        4 => Both(Thing::ratio().gt(x), format!("ratio > {x}")),
        5 => Both(Thing::ratio().eq(x), format!("ratio = {x}")),
        6 => Both(Thing::weight().eq(Thing::weight()), "weight = weight".into()),
        _ => Both(Thing::inner().n().lte(1), "inner.n <= 1".into()),
    }
}

fn of_arrays(draw: &mut Draw) -> Both {
    let (word, words, n) = (draw.word(), draw.words(), draw.below(4) as u32);
    let text = quoted(&word);
    match draw.below(8) {
        0 => Both(Thing::tags().contains(&word), format!("tags HAS {text}")),
        1 => {
            let text = format!("tags HAS ANY {}", list(&words));
            Both(Thing::tags().contains_any(words), text)
        }
        2 => {
            let text = format!("tags HAS ALL {}", list(&words));
            Both(Thing::tags().contains_all(words), text)
        }
        3 => Both(
            Thing::parts().any(|part| part.sku().eq(&word) & part.qty().gt(n)),
            format!("ANY parts WHERE (sku = {text} AND qty > {n})"),
        ),
        4 => Both(
            Thing::parts().all(|part| part.sku().ne(&word) | part.qty().lte(n)),
            format!("ALL parts WHERE (sku != {text} OR qty <= {n})"),
        ),
        5 => Both(
            Thing::tags().any(|tag| tag.gt(word.as_str())),
            format!("ANY tags WHERE (@ > {text})"),
        ),
        6 => Both(Thing::tags().is_empty(), "tags IS ARRAY AND tags[*] IS MISSING".into()),
        _ => Both(Thing::parts().nth(0).qty().eq(n), format!("parts[0].qty = {n}")),
    }
}

fn leaf(draw: &mut Draw) -> Both {
    match draw.below(6) {
        0 => of_text(draw, &Thing::first_name()),
        1 => of_text(draw, &Thing::inner().like()),
        2 => of_numbers(draw),
        3 => of_arrays(draw),
        4 => {
            let flag = Field::<Thing, Option<bool>>::clone(&Thing::any());
            Both(flag.eq(true), "`any` = TRUE".into())
        }
        _ => {
            let recent = folio::now().minus(std::time::Duration::from_millis(3_600_500));
            Both(Thing::created_at().gt(recent), "_created > now() - duration('1h 500ms')".into())
        }
    }
}

fn filter(draw: &mut Draw, depth: u32) -> Both {
    if depth == 0 || draw.below(3) == 0 {
        return leaf(draw);
    }
    let Both(left, left_text) = filter(draw, depth - 1);
    if draw.below(4) == 0 {
        return Both(!left, format!("NOT ({left_text})"));
    }
    let Both(right, right_text) = filter(draw, depth - 1);
    if draw.below(2) == 0 {
        Both(left & right, format!("(({left_text}) AND ({right_text}))"))
    } else {
        Both(left | right, format!("(({left_text}) OR ({right_text}))"))
    }
}

async fn run(db: &Folio, seed: u64) -> folio::Result<()> {
    let mut draw = Draw(seed);
    db.sync::<Thing>().await?;
    let things: Vec<Thing> = (0..DOCUMENTS).map(|_| draw.thing()).collect();
    let report = Thing::insert_many(things.clone()).run(db).await?;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(Thing::find(()).all(db).await?, things);
    let mut found = 0;
    for _ in 0..FILTERS {
        let Both(tree, text) = filter(&mut draw, 4);
        let rows = Thing::find(tree.clone()).fields((Thing::id(),)).all(db).await;
        let rows = rows.unwrap_or_else(|error| panic!("{tree:?}: {error}"));
        let by_tree: Vec<String> = rows.into_iter().map(|(id,)| format!("things:{id}")).collect();
        let page = db.find::<serde_json::Value>("things", &text).load().await;
        let page = page.unwrap_or_else(|error| panic!("{text}: {error}"));
        let by_text: Vec<String> = page.items.into_iter().map(|(key, _)| key).collect();
        assert_eq!(by_tree, by_text, "{tree:?} and {text}");
        found += by_tree.len();
        pages(db, &mut draw, tree, &by_tree).await?;
    }
    assert!(found > FILTERS, "the filters hold of hardly anything: {found}");
    Ok(())
}

/// Pages of a drawn length, in a drawn order, are the whole.
async fn pages(
    db: &Folio,
    draw: &mut Draw,
    filter: Filter<Thing>,
    all: &[String],
) -> folio::Result<()> {
    let length = 20 + draw.below(60);
    let descends = draw.below(2) == 0;
    let order = if descends { Thing::weight().desc() } else { Thing::weight().asc() };
    let whole = Thing::find(filter.clone()).order_by(order.clone()).all(db).await?;
    let (mut tiled, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = Thing::find(filter.clone()).order_by(order.clone()).page(length);
        let query = if let Some(cursor) = &cursor { query.after(cursor) } else { query };
        let page = query.load(db).await?;
        tiled.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(tiled, whole, "{filter:?}");
    assert_eq!(whole.len(), all.len());
    Ok(())
}

#[test]
fn a_filter_as_a_tree_finds_what_it_finds_as_text_and_pages_tile_it() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129);
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
