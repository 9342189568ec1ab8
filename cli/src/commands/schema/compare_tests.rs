//! Differences between pairs of definitions.

use super::*;

fn definition(rest: &str) -> Definition {
    Definition::read(&format!(r#"{{"collection":"a"{rest}}}"#)).unwrap()
}

/// The differences in short: a sign, what it is, what it costs and what is lost.
fn told(held: &str, wanted: &str) -> Vec<String> {
    let changes = compare(&definition(held), &definition(wanted));
    let told = changes.iter().map(|change| {
        let sign = match change.kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
        };
        let effect = match &change.effect {
            Effect::Plain => "",
            Effect::Destructive(_) => " lost",
            Effect::Blocked(_) => " blocked",
            Effect::Elsewhere(_) => " elsewhere",
        };
        let cost = match (change.builds, change.judges) {
            (true, true) => " builds judges",
            (true, false) => " builds",
            (false, true) => " judges",
            (false, false) => "",
        };
        format!("{sign} {}{cost}{effect}", change.subject)
    });
    told.collect()
}

fn field(words: &str) -> String {
    format!(r#","fields":[{{"path":"x"{words}}}]"#)
}

#[test]
fn the_same_has_no_differences() {
    let held = r#","fields":[{"path":"x","type":"int"},{"path":"y","type":"int"}]"#;
    let other = r#","fields":[{"path":"y","type":"int"},{"type":"int","path":"x"}],"ttl":0"#;
    assert_eq!(told(held, other), Vec::<String>::new());
}

#[test]
fn fields_that_come_and_go() {
    let plain = field(r#","type":"int""#);
    assert_eq!(told("", &plain), ["+ field x judges"]);
    assert_eq!(told(&plain, ""), ["- field x lost"]);
    let indexed = field(r#","type":"int","index":"set""#);
    assert_eq!(told("", &indexed), ["+ field x builds judges"]);
    assert_eq!(told(&plain, &indexed), ["~ field x builds"]);
    assert_eq!(told(&indexed, &plain), ["~ field x lost"]);
}

#[test]
fn what_a_field_loses_is_told() {
    let of = |before: &str, after: &str| told(&field(before), &field(after)).remove(0);
    let int = r#","type":"int""#;
    assert_eq!(of(int, r#","type":"float""#), "~ field x judges lost");
    assert_eq!(of(int, r#","type":"int","required":true"#), "~ field x judges");
    assert_eq!(of(r#","type":"int","required":true"#, int), "~ field x");
    assert_eq!(of(r#","type":"int","nullable":true"#, int), "~ field x judges");
    assert_eq!(of(int, r#","type":"int","nullable":true"#), "~ field x");
    assert_eq!(of(int, r#","type":"int","default":0"#), "~ field x");
    assert_eq!(of(int, r#","type":"int","unique":true"#), "~ field x builds judges");
    assert_eq!(of(r#","type":"int","unique":true"#, int), "~ field x lost");
    let (set, sorted) = (r#","type":"int","index":"set""#, r#","type":"int","index":"sorted""#);
    assert_eq!(of(set, sorted), "~ field x builds");
    assert_eq!(of(sorted, set), "~ field x builds lost");
    let (one, other) = (r#","type":"int","computed":"f""#, r#","type":"int","computed":"g""#);
    assert_eq!(of(one, other), "~ field x builds judges blocked");
    assert_eq!(of(one, int), "~ field x lost");
}

#[test]
fn indexes_migrations_and_the_collection() {
    let index = r#","indexes":[{"name":"i","on":[{"path":"x"}]}]"#;
    let other = r#","indexes":[{"name":"i","on":[{"path":"y"}]}]"#;
    assert_eq!(told("", index), ["+ index i builds"]);
    assert_eq!(told(index, other), ["~ index i builds lost"]);
    assert_eq!(told(index, ""), ["- index i lost"]);
    let migrations = r#","schema":1,"migrations":[{"to":1,"up":"f"}]"#;
    assert_eq!(told(migrations, ""), Vec::<String>::new(), "nothing is said of them");
    let more = r#","schema":1,"migrations":[{"to":1,"up":"f"},{"to":2,"up":"g"}]"#;
    assert_eq!(told(migrations, more), ["+ migration 2"]);
    assert_eq!(told(more, migrations), ["- migration 2 lost"]);
    let ahead = r#","schema":2,"migrations":[{"to":1,"up":"f"},{"to":2,"up":"g"}]"#;
    assert_eq!(told(more, ahead), ["~ schema elsewhere"]);
    assert_eq!(told("", r#","mode":"strict""#), ["~ mode judges"]);
    assert_eq!(told(r#","mode":"strict""#, ""), ["~ mode"]);
    assert_eq!(told("", r#","prefix":"b:""#), ["~ prefix blocked"]);
    assert_eq!(told("", r#","ttl":5,"validate":"f""#), ["+ ttl", "+ validate judges"]);
    assert_eq!(told(r#","changes":{"what":"keys"}"#, ""), ["- changes lost"]);
}
