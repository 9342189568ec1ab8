//! Computed fields, validators and predicates that functions decide, on a server: what they find, what they refuse, what restarts and
//! replicas keep.

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::{Client, Options, Server, over_both};

const SLUG: &str = "return text.slug(doc.title)";
const WORDS: &str = "if doc.title then return text.tokens(doc.title) end";
const TOTAL: &str = "local sum = 0\nfor _, item in doc.items or {} do sum = sum + item.price * item.qty end\nreturn sum";
const PRICED: &str = "for i, item in doc.items or {} do\n  if item.qty < 1 then return 'item ' .. i .. ' has no quantity' end\nend";
const SHORT: &str = "local title = ...\nreturn #title < 20";
const NEAR: &str = "local x, y = ...\nreturn math.abs(x - y) < 2";

fn prepare(c: &mut Client) {
    c.call(&["FLUSHALL"]);
    let sources = [
        ("slug", SLUG),
        ("words", WORDS),
        ("total", TOTAL),
        ("priced", PRICED),
        ("short", SHORT),
        ("near", NEAR),
    ];
    for (name, source) in sources {
        c.call(&["DOC.FUNCTION", "LOAD", name, source]);
    }
    let words = "DOC.CREATE o VALIDATE priced FIELD title string REQUIRED VALIDATE short \
        FIELD slug string COMPUTED slug UNIQUE FIELD words array<string> COMPUTED words INDEX SET \
        FIELD sums.total int COMPUTED total INDEX SORTED MAX 1000 INDEX big ON 2 sums.total DESC title WHERE";
    let words: Vec<&str> = words.split_whitespace().chain(["sums.total > 50"]).collect();
    c.call(&words);
}

fn fill(c: &mut Client) {
    prepare(c);
    for (key, document) in [
        ("o:1", r#"{"title":"Red Lamp","items":[{"price":20,"qty":2},{"price":5,"qty":1}]}"#),
        ("o:2", r#"{"title":"Blue Lamp","items":[{"price":100,"qty":1}]}"#),
        ("o:3", r#"{"title":"Chair"}"#),
    ] {
        c.call(&["DOC.SET", key, document]);
    }
}

fn keys(c: &mut Client, filter: &str) -> String {
    format!("{:?}", c.texts(&["DOC.KEYS", "o", "WHERE", filter]))
}

/// What is found by what is computed.
#[track_caller]
fn assert_found(c: &mut Client) {
    assert_eq!(keys(c, "slug = 'red-lamp'"), r#"["o:1"]"#);
    assert_eq!(keys(c, "words HAS 'lamp'"), r#"["o:1", "o:2"]"#);
    assert_eq!(keys(c, "sums.total BETWEEN 1 AND 50"), r#"["o:1"]"#);
    assert_eq!(keys(c, "sums.total > 50 AND title > 'A'"), r#"["o:2"]"#);
    assert_eq!(keys(c, "sums.total + 1 = 101"), r#"["o:2"]"#);
    let error = c.error(&["DOC.SET", "o:9", r#"{"title":"Red  lamp"}"#]);
    assert_eq!(error, "UNIQUE the value at slug is held by o:1");
    assert!(c.texts(&["DOC.VERIFY", "o"]).is_empty());
}

#[test]
fn what_is_computed_is_found_and_is_no_part_of_the_document() {
    over_both(|c| {
        fill(c);
        assert_found(c);
        let whole = r#"{"title":"Chair"}"#;
        assert_eq!(c.text(&["DOC.GET", "o:3"]).as_deref(), Some(whole));
        assert_eq!(c.text(&["DOC.GET", "o:3", "slug"]).as_deref(), Some(r#""chair""#));
        let several = r#"{"sums.total":45,"words[*]":["red","lamp"],"title":"Red Lamp"}"#;
        let words = ["DOC.GET", "o:1", "sums.total", "words[*]", "title"];
        assert_eq!(c.text(&words).as_deref(), Some(several));
        // A JSONPath goes through the text alone.
        assert_eq!(c.text(&["DOC.GET", "o:1", "$.slug"]).as_deref(), Some("[]"));
        let words = "DOC.FIND o ORDER 1 sums.total DESC SELECT 2 slug sums.total LIMIT 0 2";
        let found = format!("{:?}", c.call(&words.split(' ').collect::<Vec<_>>()));
        assert!(found.contains(r#"{\"slug\":\"blue-lamp\",\"sums.total\":100}"#), "{found}");
        let words =
            "DOC.AGGREGATE o GROUP 1 words[*] AS word REDUCE 1 sum(sums.total) AS sum ORDER 1 word";
        let found = format!("{:?}", c.call(&words.split(' ').collect::<Vec<_>>()));
        assert!(found.contains(r#"{\"word\":\"lamp\",\"sum\":145}"#), "{found}");
        let plan = c.texts(&["DOC.EXPLAIN", "o", "COUNT", "WHERE", "slug = 'chair'"]);
        assert!(plan.join("\n").contains("set index slug"), "{plan:?}");
    });
}

#[test]
fn what_functions_refuse_is_not_written() {
    over_both(|c| {
        fill(c);
        let cases: [(&[&str], &str); 7] = [
            (
                &["DOC.SET", "o:4", r#"{"title":"A","items":[{"price":1,"qty":0}]}"#],
                "SCHEMA the document is refused by function 'priced': item 1 has no quantity",
            ),
            (
                &["DOC.UPDATE", "o:1", "SET", "title", r#""A title of many words""#],
                "SCHEMA field title is refused by function 'short'",
            ),
            (
                &["DOC.UPDATE", "o:2", "SET", "items[0].qty", "11"],
                "SCHEMA field sums.total is 1100, above the maximum of 1000",
            ),
            (
                &["DOC.SET", "o:4", r#"{"title":"A","slug":"a"}"#],
                "SCHEMA field slug is COMPUTED, and no document holds it",
            ),
            (
                &["DOC.SET", "o:4", r#"{"title":"A","items":[{"qty":"x","price":1}]}"#],
                "FUNCTION function 'total', line 2: attempt to perform arithmetic (mul) on number and string",
            ),
            (&["DOC.SET", "o:4", r#"{"items":[]}"#], "SCHEMA field title is required, and missing"),
            (
                &["DOC.ALTER", "o", "ADD", "FIELD", "n", "int", "COMPUTED", "none"],
                "FUNCTION field n: no function 'none' is loaded",
            ),
        ];
        let before = c.call(&["DOC.VERIFY", "o", "DIGEST"]);
        for (words, told) in cases {
            assert_eq!(c.error(words), told);
        }
        assert_eq!(c.call(&["DOC.VERIFY", "o", "DIGEST"]), before);
        assert_found(c);
        let told = "FUNCTION function 'slug' is used by field slug of collection 'o'";
        assert_eq!(c.error(&["DOC.FUNCTION", "DELETE", "slug"]), told);
        assert_eq!(c.error(&["DOC.FUNCTION", "LOAD", "REPLACE", "slug", "return 1"]), told);
        let told =
            "SCHEMA a collection whose documents are asked of functions has no parts with a TTL";
        assert_eq!(c.error(&["DOC.UPDATE", "o:1", "SET", "otp", "1", "TTL", "otp", "9"]), told);
    });
}

#[test]
fn a_filter_asks_a_function() {
    over_both(|c| {
        fill(c);
        c.call(&["DOC.MSET", "p:1", r#"{"x":1,"y":2,"to":[3,4]}"#, "p:2", r#"{"x":1,"y":4}"#]);
        let mut count = |words: &[&str]| c.call(&[&["DOC.COUNT", "p", "WHERE"], words].concat());
        assert_eq!(count(&["near(x, y)"]), redis::Value::Int(1));
        assert_eq!(count(&["NOT near(x, y) OR near(x, 2)"]), redis::Value::Int(2));
        assert_eq!(count(&["near(x, $to)", "PARAMS", "1", "to", "2.5"]), redis::Value::Int(2));
        assert_eq!(count(&["ANY to WHERE (near(@, 5))"]), redis::Value::Int(1));
        // Who is asked last may count on the others.
        assert_eq!(count(&["near(to[0], y) AND to IS ARRAY"]), redis::Value::Int(1));
        let told = "FUNCTION function 'near', line 2: attempt to perform arithmetic (sub) on nil and number";
        assert_eq!(c.error(&["DOC.COUNT", "p", "WHERE", "near(to[0], y)"]), told);
        assert_eq!(c.error(&["DOC.FIND", "p", "WHERE", "near(to[0], y)"]), told);
        assert_eq!(c.error(&["DOC.UPDATE", "p:2", "IF", "near(to[0], y)", "SET", "z", "1"]), told);
        assert_eq!(c.error(&["DOC.DELETEMANY", "p", "WHERE", "near(to[0], y)"]), told);
        let told = "FILTER nearr is no function that is loaded, and none of now, time, duration at position 0, did you mean near?";
        assert_eq!(c.error(&["DOC.COUNT", "p", "WHERE", "nearr(x, y)"]), told);
        let plan = c.texts(&["DOC.EXPLAIN", "p", "COUNT", "WHERE", "near(x, y)"]);
        assert!(plan.join("\n").contains("a function is asked about each"), "{plan:?}");
    });
}

#[test]
fn a_field_is_computed_of_documents_that_are_there() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&["DOC.FUNCTION", "LOAD", "twice", "return doc.n * 2"]);
    c.call(&["DOC.CREATE", "d", "FIELD", "n", "int"]);
    for n in 0..3000 {
        c.call(&["DOC.SET", &format!("d:{n}"), &format!("{{\"n\":{n}}}")]);
    }
    let add = "DOC.ALTER d ADD FIELD twice int COMPUTED twice INDEX SORTED";
    c.call(&add.split(' ').collect::<Vec<_>>());
    let count = ["DOC.COUNT", "d", "WHERE", "twice BETWEEN 100 AND 198"];
    assert_eq!(c.call(&count), redis::Value::Int(50));
    assert!(c.texts(&["DOC.VERIFY", "d"]).is_empty());
    // One that fails on some document is not declared.
    c.call(&["DOC.FUNCTION", "LOAD", "odd", "if doc.n == 2000 then error('no') end\nreturn 1"]);
    let error = c.error(&["DOC.ALTER", "d", "ADD", "FIELD", "odd", "int", "COMPUTED", "odd"]);
    assert_eq!(error, "FUNCTION function 'odd', line 1: no (d:2000)");
    c.call(&["DOC.ALTER", "d", "DROP", "FIELD", "twice"]);
    c.call(&["DOC.FUNCTION", "DELETE", "twice"]);
    assert_eq!(c.call(&["DOC.COUNT", "d", "WHERE", "twice IS MISSING"]), redis::Value::Int(3000));
}

/// A value that the server itself brings is judged by nobody, and is found as what it is.
#[test]
fn what_the_server_brings_may_be_invalid() {
    over_both(|c| {
        fill(c);
        c.call(&[
            "DOC.SET",
            "free:1",
            r#"{"title":"x","items":[{"price":"y","qty":1}],"slug":"s"}"#,
        ]);
        c.call(&["RENAME", "free:1", "o:7"]);
        assert_eq!(keys(c, "_valid IS FALSE"), r#"["o:7"]"#);
        assert_eq!(keys(c, "slug = 'x'"), r#"["o:7"]"#);
        assert_eq!(keys(c, "slug = 's'"), "[]");
        assert_eq!(keys(c, "sums.total IS MISSING"), r#"["o:7"]"#);
        assert!(c.texts(&["DOC.VERIFY", "o"]).is_empty());
        c.call(&["DOC.SET", "o:7", r#"{"title":"x"}"#]);
        assert_eq!(keys(c, "_valid IS FALSE"), "[]");
    });
}

#[test]
fn restarts_and_replicas_compute_the_same() {
    for preamble in ["yes", "no"] {
        let mut server =
            Options::new().appendonly().config("aof-use-rdb-preamble", preamble).start();
        let mut c = server.resp2();
        fill(&mut c);
        assert_found(&mut c);
        c.call(&["DEBUG", "RELOAD"]);
        assert_found(&mut c);
        server.restart_without_saving();
        let mut c = server.resp2();
        assert_found(&mut c);
        c.call(&["BGREWRITEAOF"]);
        wait_until("the file is rewritten", || {
            c.info("persistence", "aof_rewrite_in_progress") == "0"
                && c.info("persistence", "aof_rewrite_scheduled") == "0"
        });
        server.restart_without_saving();
        assert_found(&mut server.resp2());
    }
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    prepare(&mut p);
    follow(&replica, &primary);
    fill(&mut p);
    p.call(&["DOC.UPDATE", "o:3", "SET", "title", r#""Green Lamp""#]);
    in_sync(&primary, &replica);
    assert_eq!(keys(&mut r, "words HAS 'green'"), r#"["o:3"]"#);
    assert_eq!(r.call(&["DOC.VERIFY", "o", "DIGEST"]), p.call(&["DOC.VERIFY", "o", "DIGEST"]));
    assert!(r.texts(&["DOC.VERIFY", "o"]).is_empty());
}
