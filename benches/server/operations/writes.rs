//! Commands on single documents, and what they take of memory.

use folio_benches::driver::{Packed, pack};
use folio_tests::users;

use super::Bench;
use super::table::{Figures, What, Yard, against, yardstick};

const SET: &str = "SET, new";
const SET_OVER: &str = "SET, over";
const SET_EX: &str = "SET .. EX, new";
const GET: &str = "GET";
const STRINGS: &str = "memory: a string";
const NO_INDEX: &str = "DOC.UPDATE bio, no index";

/// Declares workload U with four indexes more, none of which has the biography.
const TEN: &str = "DOC.ALTER users ADD INDEX a ON 2 city age ADD INDEX b ON 2 age score DESC ADD INDEX c ON 1 name ADD INDEX d ON 2 city created_at";

/// All of them, from an empty server on.
pub fn measure(bench: &mut Bench, figures: &mut Figures) {
    strings(bench, figures);
    without_index(bench, figures);
    with_six(bench, figures);
    with_ten(bench, figures);
    with_ttl(bench, figures);
}

fn of_each(bench: &Bench, words: impl Fn(u64) -> Vec<String>) -> Vec<Packed> {
    bench.scattered().map(|n| pack(&words(n))).collect()
}

fn strings(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[]);
    let empty = bench.used_memory();
    let set = |revision| move |n| vec!["SET".into(), users::key(n), users::revised(n, revision)];
    let (new, over) = (of_each(bench, set(0)), of_each(bench, set(1)));
    figures.take(yardstick(SET), bench.pipelined(&new));
    figures.take(yardstick(STRINGS), (bench.used_memory() - empty) / bench.documents as f64);
    figures.take(yardstick(SET_OVER), bench.pipelined(&over));
    let get = of_each(bench, |n| vec!["GET".into(), users::key(n)]);
    figures.take(yardstick(GET), bench.pipelined(&get));
}

/// New biographies of the same length, none of which stands there already.
fn biographies(bench: &Bench) -> Vec<Packed> {
    of_each(bench, |n| {
        let bio = format!("\"{n:0>233}\"");
        ["DOC.UPDATE", &users::key(n), "SET", "bio", &bio].map(str::to_owned).to_vec()
    })
}

fn set(revision: u64) -> impl Fn(u64) -> Vec<String> {
    move |n| vec!["DOC.SET".into(), users::key(n), users::revised(n, revision)]
}

fn without_index(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[]);
    let empty = bench.used_memory();
    let new = of_each(bench, set(0));
    figures.take(against("DOC.SET new, no index", SET, 1.5), bench.pipelined(&new));
    let bytes = (bench.used_memory() - empty) / bench.documents as f64;
    figures.take(against("memory: a document, no index", STRINGS, 1.2), bytes);
    let updates = biographies(bench);
    figures.take(against(NO_INDEX, SET, 1.6), bench.pipelined(&updates));
}

fn with_six(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[users::CREATE]);
    let empty = bench.used_memory();
    let (new, over) = (of_each(bench, set(0)), of_each(bench, set(1)));
    figures.take(against("DOC.SET new, six indexes", SET, 3.0), bench.pipelined(&new));
    let bytes = (bench.used_memory() - empty) / bench.documents as f64;
    let indexed =
        What { name: "memory: a document, six indexes", yard: Yard::Of(STRINGS), goal: None };
    figures.take(indexed, bytes);
    let get = of_each(bench, |n| vec!["DOC.GET".into(), users::key(n)]);
    figures.take(against("DOC.GET", GET, 1.25), bench.pipelined(&get));
    let path = of_each(bench, |n| vec!["DOC.GET".into(), users::key(n), "city".into()]);
    figures.take(against("DOC.GET of a path", GET, 1.25), bench.pipelined(&path));
    figures
        .take(against("DOC.SET over, six indexes, all changes", SET, 4.0), bench.pipelined(&over));
    let older = of_each(bench, |n| {
        ["DOC.UPDATE", &users::key(n), "INCR", "age", "1"].map(str::to_owned).to_vec()
    });
    figures.take(against("DOC.UPDATE age, six indexes", SET, 2.0), bench.pipelined(&older));
    let updates = biographies(bench);
    let name = "DOC.UPDATE bio, six indexes";
    figures.take(against(name, NO_INDEX, 1.05), bench.pipelined(&updates));
}

fn with_ten(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[users::CREATE, TEN]);
    let new = of_each(bench, set(0));
    bench.pipelined(&new);
    let updates = biographies(bench);
    let name = "DOC.UPDATE bio, ten indexes";
    figures.take(against(name, NO_INDEX, 1.05), bench.pipelined(&updates));
}

fn with_ttl(bench: &mut Bench, figures: &mut Figures) {
    let set = |verb: &'static str| {
        move |n| {
            let mut words = vec![verb.to_owned(), users::key(n), users::json(n)];
            words.extend(["EX", "5000"].map(str::to_owned));
            words
        }
    };
    bench.empty(&[]);
    let new = of_each(bench, set("SET"));
    figures.take(yardstick(SET_EX), bench.pipelined(&new));
    bench.empty(&[users::CREATE]);
    let new = of_each(bench, set("DOC.SET"));
    figures.take(against("DOC.SET .. EX new, six indexes", SET_EX, 3.0), bench.pipelined(&new));
}
