//! Commands on single documents, and what they take of memory.

use folio_tests::reply;
use folio_tests::users;
use redis::{ProtocolVersion, Value};

use super::Bench;
use super::table::{BYTES, Figures, Part, against, yardstick};
use super::target::{biography, words, write};

pub const SET: &str = "SET, new";
pub const SET_EX: &str = "SET .. EX, new";
pub const GET: &str = "GET";
pub const STRING: &str = "memory: a string";
pub const NEW_BARE: &str = "DOC.SET new, no index";
pub const DOCUMENT_BARE: &str = "memory: a document, no index";
pub const NEW: &str = "DOC.SET new, six indexes";
pub const DOCUMENT: &str = "memory: a document, six indexes";
pub const READ: &str = "DOC.GET";
pub const READ_PATH: &str = "DOC.GET of a path";
pub const OVER: &str = "DOC.SET over, six indexes, all changes";
pub const AGE: &str = "DOC.UPDATE age, six indexes";
pub const BIO: &str = "DOC.UPDATE bio, six indexes";
pub const NEW_TTL: &str = "DOC.SET .. EX new, six indexes";
const NEW_ONE: &str = "DOC.SET new, one index";
const NEW_COMPUTED: &str = "DOC.SET new, one computed index";
const COMPUTED: &str = "a computed index, beyond a plain one";
const SET_OVER: &str = "SET, over";
const BIO_BARE: &str = "DOC.UPDATE bio, no index";
const BIO_TEN: &str = "DOC.UPDATE bio, ten indexes";

/// What a document takes before there is an index, and what all of them add to it.
pub const LAYER_BASE: &str = "the document itself";
pub const LAYER_ALL: &str = "six indexes, as used_memory grows";
/// Bytes that six indexes are not to exceed.
const SIX_BYTES: f64 = 150.0;

/// The name of what an index takes.
pub fn layer(path: &str) -> String {
    format!("index of {path}")
}

/// Declares workload U with four indexes more, none of which has the biography.
const TEN: &str = "DOC.ALTER users ADD INDEX a ON 2 city age ADD INDEX b ON 2 age score DESC ADD INDEX c ON 1 name ADD INDEX d ON 2 city created_at";

/// All of them, from an empty server on.
pub fn measure(bench: &mut Bench, figures: &mut Figures) {
    strings(bench, figures);
    let bare = without_index(bench, figures);
    with_six(bench, figures, bare);
    with_ten(bench, figures);
    with_ttl(bench, figures);
    with_function(bench, figures);
}

fn strings(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[]);
    let (empty, users) = (bench.used_memory(), bench.users);
    figures.take(yardstick(SET), bench.target.pipelined(users.all(write("SET", 0))));
    figures.take(yardstick(STRING).unit(BYTES), bench.bytes_each(empty));
    figures.take(yardstick(SET_OVER), bench.target.pipelined(users.some(write("SET", 1))));
    let get = users.some(|n| words(["GET", &users::key(n)]));
    figures.take(yardstick(GET), bench.target.pipelined(get));
}

fn update_bio(n: u64) -> Vec<String> {
    let bio = format!("\"{}\"", biography(n));
    words(["DOC.UPDATE", &users::key(n), "SET", "bio", &bio])
}

/// Gives the bytes of a document.
fn without_index(bench: &mut Bench, figures: &mut Figures) -> f64 {
    bench.empty(&[]);
    let (empty, users) = (bench.used_memory(), bench.users);
    let new = bench.target.pipelined(users.all(write("DOC.SET", 0)));
    figures.take(against(NEW_BARE, SET).goal(1.5), new);
    let bytes = bench.bytes_each(empty);
    figures.take(against(DOCUMENT_BARE, STRING).goal(1.2).unit(BYTES), bytes);
    let updates = bench.target.pipelined(users.some(update_bio));
    figures.take(against(BIO_BARE, SET).goal(1.6).steady(), updates);
    bytes
}

fn with_six(bench: &mut Bench, figures: &mut Figures, bare: f64) {
    bench.empty(&[users::CREATE]);
    let (empty, users) = (bench.used_memory(), bench.users);
    let new = bench.target.pipelined(users.all(write("DOC.SET", 0)));
    figures.take(against(NEW, SET).goal(3.0), new);
    let bytes = bench.bytes_each(empty);
    figures.take(against(DOCUMENT, STRING).unit(BYTES), bytes);
    layers(bench, figures, bare, bytes);
    let target = &mut bench.target;
    let get = target.pipelined(users.some(|n| words(["DOC.GET", &users::key(n)])));
    figures.take(against(READ, GET).goal(1.25).steady(), get);
    let path = target.pipelined(users.some(|n| words(["DOC.GET", &users::key(n), "city"])));
    figures.take(against(READ_PATH, GET).goal(1.25).steady(), path);
    let over = target.pipelined(users.some(write("DOC.SET", 1)));
    figures.take(against(OVER, SET).goal(4.0).steady(), over);
    let older = |n| words(["DOC.UPDATE", &users::key(n), "INCR", "age", "1"]);
    figures.take(against(AGE, SET).goal(2.0).steady(), target.pipelined(users.some(older)));
    let updates = target.pipelined(users.some(update_bio));
    figures.take(against(BIO, BIO_BARE).goal(1.05).steady(), updates);
}

/// What each index takes, as the server says, and all of them, as the allocator counts.
fn layers(bench: &Bench, figures: &mut Figures, bare: f64, with_six: f64) {
    let layer_of = |name: &str| yardstick(name).part(Part::Layers).unit(BYTES);
    figures.take(layer_of(LAYER_BASE), bare);
    let mut info = bench.client().map(&["DOC.INFO", "users"]);
    let indexes = reply::list(info.remove("indexes").expect("DOC.INFO tells of indexes"));
    for index in indexes {
        let index = reply::map(ProtocolVersion::RESP2, index);
        let Value::Int(bytes) = index["bytes"] else { panic!("{index:?}: bytes are a number") };
        let name = layer(&reply::text(&index["path"]));
        figures.take(layer_of(&name), bytes as f64 / bench.users.count as f64);
    }
    figures.take(layer_of(LAYER_ALL).goal(SIX_BYTES), with_six - bare);
}

fn with_ten(bench: &mut Bench, figures: &mut Figures) {
    bench.empty(&[users::CREATE, TEN]);
    let users = bench.users;
    bench.target.pipelined(users.all(write("DOC.SET", 0)));
    let updates = bench.target.pipelined(users.some(update_bio));
    figures.take(against(BIO_TEN, BIO_BARE).goal(1.05).steady(), updates);
}

/// An index over a field, and one over what a function of a line makes of it.
fn with_function(bench: &mut Bench, figures: &mut Figures) {
    const PLAIN: &str = "DOC.CREATE users FIELD email string INDEX SET";
    const LOWER: &str = "DOC.CREATE users FIELD lower string COMPUTED lower INDEX SET";
    let users = bench.users;
    bench.empty(&[PLAIN]);
    let plain = bench.target.pipelined(users.all(write("DOC.SET", 0)));
    figures.take(against(NEW_ONE, SET), plain);
    let source = "return string.lower(doc.email)";
    bench.client().call(&["DOC.FUNCTION", "LOAD", "lower", source]);
    bench.empty(&[LOWER]);
    let computed = bench.target.pipelined(users.all(write("DOC.SET", 0)));
    figures.take(against(NEW_COMPUTED, NEW_ONE), computed);
    figures.take(yardstick(COMPUTED).goal(2.0), computed - plain);
}

fn with_ttl(bench: &mut Bench, figures: &mut Figures) {
    let users = bench.users;
    let set = |verb| move |n| words([verb, &users::key(n), &users::json(n), "EX", "5000"]);
    bench.empty(&[]);
    figures.take(yardstick(SET_EX), bench.target.pipelined(users.all(set("SET"))));
    bench.empty(&[users::CREATE]);
    let new = bench.target.pipelined(users.all(set("DOC.SET")));
    figures.take(against(NEW_TTL, SET_EX).goal(3.0), new);
}
