//! Buckets: DOC.LIST, DOC.INFO and DOC.DROP of `shop.*`.

use folio_tests::reply::int;
use folio_tests::{Client, Server, over_both};
use redis::Value;

/// A command of words between spaces.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// Two declared collections of the bucket `shop`, an open one, and neighbours.
fn fill(c: &mut Client) {
    c.call(&words("DOC.CREATE shop.orders PREFIX o: FIELD n int INDEX SORTED"));
    c.call(&words("DOC.CREATE shop.users FIELD n int"));
    c.call(&words("DOC.CREATE shop"));
    c.call(&words("DOC.CREATE shopping.lists"));
    let keys = ["o:1", "o:2", "shop.users:1", "shop.notes:1", "shop:1", "shopping.lists:1"];
    for key in keys {
        c.call(&["DOC.SET", key, r#"{"n":1}"#]);
    }
    c.call(&words("EXPIRE o:2 1000"));
}

#[test]
fn a_bucket_is_listed_and_told() {
    over_both(|c| {
        fill(c);
        let names = c.texts(&words("DOC.LIST shop.*"));
        assert_eq!(names, ["shop.notes", "shop.orders", "shop.users"]);
        let told = c.map(&words("DOC.INFO shop.*"));
        assert_eq!(told["bucket"], Value::BulkString("shop".into()));
        assert_eq!(told.len(), 8);
        assert_eq!(
            ["collections", "documents", "due", "with_ttl"].map(|it| int(&told[it])),
            [3, 4, 0, 1]
        );
        // Bytes are the sums of what the collections tell.
        let each: Vec<_> = names.iter().map(|name| c.map(&["DOC.INFO", name])).collect();
        for bytes in ["document_bytes", "table_bytes"] {
            let sum: i64 = each.iter().map(|one| int(&one[bytes])).sum();
            assert!(sum > 0);
            assert_eq!(int(&told[bytes]), sum, "{bytes}");
        }
        assert!(int(&told["index_bytes"]) > 0);
        let none = c.error(&words("DOC.INFO nothing.*"));
        assert_eq!(
            none,
            "NOCOLLECTION no collection 'nothing.*' in database 0; DOC.LIST names them"
        );
        // Only that form is a bucket.
        for other in ["*", "sh*", "shop.o*", ".*", "shop.a.*"] {
            assert!(c.error(&["DOC.INFO", other]).starts_with("NOCOLLECTION "), "{other}");
        }
    });
}

#[test]
fn a_bucket_is_dropped_whole() {
    over_both(|c| {
        fill(c);
        assert_eq!(c.text(&words("DOC.DROP shop.*")).as_deref(), Some("OK"));
        assert_eq!(
            c.texts(&["DOC.LIST"]),
            ["o", "shop", "shop.notes", "shop.users", "shopping.lists"]
        );
        assert_eq!(c.int(&["DBSIZE"]), 6);
        assert!(c.error(&words("DOC.DROP shop.*")).starts_with("NOCOLLECTION "));
        assert_eq!(c.text(&words("DOC.DROP shop.* DOCUMENTS")).as_deref(), Some("OK"));
        assert_eq!(c.texts(&["DOC.LIST"]), ["o", "shop", "shopping.lists"]);
        assert_eq!(c.int(&["DBSIZE"]), 4);
        c.call(&["FLUSHALL"]);
        fill(c);
        assert_eq!(c.text(&words("DOC.DROP shop.* DOCUMENTS")).as_deref(), Some("OK"));
        assert_eq!(c.texts(&["DOC.LIST"]), ["shop", "shopping.lists"]);
        assert_eq!(c.int(&["DBSIZE"]), 2);
        let name = "SCHEMA 'shop.*' is no collection name: it stands for the bucket 'shop'";
        assert_eq!(c.error(&words("DOC.CREATE shop.*")), name);
    });
}

#[test]
fn a_bucket_takes_the_right_to_all_of_it() {
    let server = Server::start();
    let mut c = server.resp3();
    fill(&mut c);
    let user = |c: &mut Client, name: &str, patterns: &[&str]| {
        let rules = ["ACL", "SETUSER", name, "on", "nopass", "+doc.info", "+doc.drop"];
        c.call(&[&rules[..], patterns].concat());
    };
    user(&mut c, "own", &["~shop.*", "~o:*"]);
    user(&mut c, "without-orders", &["~shop.*"]);
    user(&mut c, "collections", &["~shop.users:*", "~shop.notes:*", "~o:*"]);
    user(&mut c, "reader", &["%R~shop.*", "%R~o:*"]);
    for name in ["without-orders", "collections"] {
        c.call(&["AUTH", name, ""]);
        let refused = "NOPERM this user may not read every key of collection 'shop.*'";
        assert_eq!(c.error(&words("DOC.INFO shop.*")), refused, "{name}");
        assert!(c.error(&words("DOC.DROP shop.*")).starts_with("NOPERM "), "{name}");
    }
    c.call(&["AUTH", "reader", ""]);
    assert_eq!(int(&c.map(&words("DOC.INFO shop.*"))["collections"]), 3);
    assert!(c.error(&words("DOC.DROP shop.* DOCUMENTS")).starts_with("NOPERM "));
    // Nothing was dropped so far.
    c.call(&["AUTH", "own", ""]);
    assert_eq!(int(&c.map(&words("DOC.INFO shop.*"))["documents"]), 4);
    assert_eq!(c.text(&words("DOC.DROP shop.* DOCUMENTS")).as_deref(), Some("OK"));
    assert!(c.error(&words("DOC.INFO shop.*")).starts_with("NOCOLLECTION "));
}
