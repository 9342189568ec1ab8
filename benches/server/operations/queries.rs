//! Queries, over workload U with its six indexes.

use folio_benches::driver::{Packed, pack};
use folio_tests::users;

use super::Bench;
use super::table::{Figures, against, yardstick};

const GET: &str = "GET, unpipelined";
/// How often a query is asked that takes some microseconds, and one that takes longer.
const TIMES: u64 = 20_000;
const TIMES_LONG: u64 = 50;

/// A query: its name, its goal, how often it is asked, and its words for the nth time.
type Query = (&'static str, f64, u64, fn(&Bench, u64) -> Vec<String>);

const QUERIES: [Query; 8] = [
    ("email equality, the document", 1.3, TIMES, |bench, n| {
        let email = format!("user.{:07}@example.com", n * 7_919 % bench.documents);
        find(&format!("email = '{email}'"), &[])
    }),
    ("city equality, ten", 2.2, TIMES, |_, n| {
        find(&format!("city = 'City {:02}'", n % 100), &["LIMIT", "0", "10"])
    }),
    ("city and ages, ten by score", 4.0, TIMES / 4, |_, n| {
        let filter = format!("city = 'City {:02}' AND age BETWEEN 30 AND 40", n % 100);
        find(&filter, &["ORDER", "1", "score", "DESC", "LIMIT", "0", "10"])
    }),
    ("count of an age range", 1.3, TIMES, |_, n| {
        let from = 20 + n % 50;
        let filter = format!("age BETWEEN {from} AND {}", from + 10);
        ["DOC.COUNT", "users", "WHERE", &filter].map(str::to_owned).to_vec()
    }),
    ("newest percent, ten in order", 2.2, TIMES, |_, n| {
        let filter = format!("created_at > {}", 1_699_000_000 + n % 1_000);
        find(&filter, &["ORDER", "1", "created_at", "DESC", "LIMIT", "0", "10"])
    }),
    ("two tags, ten", 3.5, TIMES / 4, |_, n| {
        let filter = format!("tags HAS 'tag-{:02}' AND tags HAS 'tag-{:02}'", n % 50, (n + 3) % 50);
        find(&filter, &["LIMIT", "0", "10"])
    }),
    ("average score by city, all", 150.0, TIMES_LONG, |_, _| {
        let words = "DOC.AGGREGATE users GROUP 1 city REDUCE 1 avg(score)";
        words.split(' ').map(str::to_owned).collect()
    }),
    ("average score by age, a city", 8.0, TIMES_LONG * 10, |_, n| {
        let filter = format!("city = 'City {:02}'", n % 100);
        let words = ["DOC.AGGREGATE", "users", "WHERE", &filter];
        let groups = ["GROUP", "1", "age", "REDUCE", "1", "avg(score)"];
        words.into_iter().chain(groups).map(str::to_owned).collect()
    }),
];

fn find(filter: &str, more: &[&str]) -> Vec<String> {
    let words = ["DOC.FIND", "users", "WHERE", filter];
    words.into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
}

/// All of them.
pub fn measure(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[]);
    let fill =
        |verb: &'static str| move |n: u64| pack(&[verb.to_owned(), users::key(n), users::json(n)]);
    let strings: Vec<Packed> = bench.scattered().map(fill("SET")).collect();
    bench.pipelined(&strings);
    let get = |n: u64| pack(&["GET".to_owned(), users::key(n * 7_919 % bench.documents)]);
    let gets: Vec<Packed> = (0..TIMES).map(get).collect();
    figures.take(yardstick(GET), bench.one_by_one(&gets));
    bench.empty(&[users::CREATE]);
    let documents: Vec<Packed> = bench.scattered().map(fill("DOC.SET")).collect();
    bench.pipelined(&documents);
    for (name, goal, times, words) in QUERIES {
        let commands: Vec<Packed> = (0..times).map(|n| pack(&words(bench, n))).collect();
        figures.take(against(name, GET, goal), bench.one_by_one(&commands));
    }
}
