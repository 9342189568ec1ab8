//! Tests of declared indexes: what is refused, and what is printed.

use super::*;

const FIELDS: &str = r#""fields":[{"path":"status","type":"string"},{"path":"n","type":"int"},
    {"path":"tags","type":"array<string>"},{"path":"items[*].sku","type":"string"}]"#;

fn read(indexes: &str, limits: &Limits) -> Result<Definition> {
    read_mode("open", indexes, limits)
}

fn read_mode(mode: &str, indexes: &str, limits: &Limits) -> Result<Definition> {
    let json = format!(
        r#"{{"collection":"c","prefix":"c:","mode":"{mode}",{FIELDS},"indexes":[{indexes}]}}"#
    );
    Definition::from_json(json.as_bytes(), limits)
}

#[track_caller]
fn refused(index: &str, what: &str) {
    let error = read(index, &Limits::default()).unwrap_err().to_string();
    assert_eq!(error, format!("SCHEMA {what}"));
}

#[test]
fn what_is_printed_reads_the_same_and_holds_no_defaults() {
    let plain = r#"{"name":"a","on":[{"path":"status"},{"path":"n"}]}"#;
    let full = concat!(
        r#"{"name":"by-all.2_","on":[{"path":"status"},{"path":"n","order":"desc"}],"unique":true,"#,
        r#""nulls":"not distinct","where":"status = 'open' AND NOT n IS NULL"}"#
    );
    let set = r#"{"name":"s","on":[{"path":"x.y"}],"using":"set"}"#;
    let all = format!("{plain},{full},{set}");
    let definition = read(&all, &Limits::default()).unwrap();
    let printed = definition.to_json();
    assert!(printed.ends_with(&format!(r#""indexes":[{all}]}}"#)), "{printed}");
    assert_eq!(Definition::read(printed.as_bytes(), &Limits::default()), Ok(definition));
    let defaults = concat!(
        r#"{"name":"a","on":[{"path":"status","order":"asc"},{"path":"n"}],"using":"sorted","#,
        r#""unique":false,"nulls":"distinct","where":null}"#
    );
    let [plain, defaults] = [plain, defaults].map(|it| read(it, &Limits::default()).unwrap());
    assert_eq!(plain, defaults);
    let none = read("", &Limits::default()).unwrap().to_json();
    assert!(!none.contains("indexes"), "{none}");
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let named = |name: &str| format!(r#"{{"name":"{name}","on":[{{"path":"n"}}]}}"#);
    refused(&named(""), "'' is no index name: letters, digits, '_', '-' and '.'");
    refused(&named("a b"), "'a b' is no index name: letters, digits, '_', '-' and '.'");
    refused(&format!("{0},{0}", named("a")), "index a is declared twice");
    let on = |paths: &str, rest: &str| {
        let paths: Vec<String> =
            paths.split_whitespace().map(|path| format!(r#"{{"path":"{path}"}}"#)).collect();
        format!(r#"{{"name":"a","on":[{}]{rest}}}"#, paths.join(","))
    };
    refused(&on("", ""), "index a has 0 paths, not 1 to 16");
    let many: Vec<String> = (0..17).map(|n| format!("p{n}")).collect();
    refused(&on(&many.join(" "), ""), "index a has 17 paths, not 1 to 16");
    refused(&on("n status n", ""), "index a is over n twice");
    refused(&on("tags tags[*]", ""), "index a is over tags[*] twice");
    refused(
        &on("tags n items[*].sku", ""),
        "index a is over tags[*] and items[*].sku: one path with [*] at most",
    );
    refused(
        &on("a[*].b[*]", r#","using":"set","nulls":"not distinct""#),
        "index a has NULLS without UNIQUE",
    );
    refused(&on("x[3]", ""), "index a names one element of an array, x[3]: index [*]");
    refused(&on("n status", r#","using":"set""#), "index a is USING SET and takes one path");
    refused(
        &on("n status", r#","using":"substring""#),
        "index a is USING SUBSTRING and takes one path",
    );
    refused(
        &on("status", r#","using":"substring","unique":true"#),
        "index a is USING SUBSTRING and cannot be UNIQUE",
    );
    refused(
        &on("n", r#","using":"substring""#),
        "index a is USING SUBSTRING, and n is declared int",
    );
    refused(
        r#"{"name":"a","on":[{"path":"n","order":"desc"}],"using":"set"}"#,
        "index a is USING SET and has no order: DESC",
    );
    for fine in [
        on("tags status", ""),
        on("tags", r#","using":"substring""#),
        on("x", r#","using":"substring""#),
    ] {
        read(&fine, &Limits::default()).unwrap();
    }
    let error = read_mode("strict", &on("x", ""), &Limits::default()).unwrap_err();
    assert_eq!(*error.message, *"index a is over x: collection 'c' is STRICT and declares no x");
}

#[test]
fn a_field_of_parts_holds_strings_that_may_repeat() {
    let field = |field: &str| {
        let json = format!(r#"{{"collection":"c","fields":[{field}]}}"#);
        Definition::from_json(json.as_bytes(), &Limits::default())
            .map_err(|error| error.to_string())
    };
    let of_type = |ty: &str| format!(r#"{{"path":"a","type":"{ty}","index":"substring"}}"#);
    for ty in ["string", "array<string>", "json"] {
        let definition = field(&of_type(ty)).unwrap();
        assert!(definition.to_json().contains(r#""index":"substring""#));
    }
    let said = "SCHEMA field a is INDEX SUBSTRING and declared array<int>, which holds no strings";
    assert_eq!(field(&of_type("array<int>")).unwrap_err(), said);
    let unique = r#"{"path":"a","type":"string","index":"substring","unique":true}"#;
    assert_eq!(
        field(unique).unwrap_err(),
        "SCHEMA field a is INDEX SUBSTRING and cannot be UNIQUE"
    );
}

#[test]
fn a_filter_asks_for_nothing_but_the_document() {
    let filtered = |text: &str| format!(r#"{{"name":"a","on":[{{"path":"n"}}],"where":"{text}"}}"#);
    refused(
        &filtered("n = 'x'"),
        "index a WHERE: 'x' is no int, as field n is declared at position 4",
    );
    refused(
        &filtered("n = $x"),
        "index a WHERE: parameter $x has no value among PARAMS at position 4",
    );
    refused(
        &filtered("n = 1 AND _valid"),
        "index a WHERE: _valid is no part of a document, which alone decides, at position 10",
    );
    assert!(read(&filtered("n > 1 OR tags HAS 'x' AND y LIKE 'b%'"), &Limits::default()).is_ok());
}

#[test]
fn all_indexes_count_together() {
    let limits = Limits { indexes_max: 2, ..Limits::default() };
    let two = r#"{"name":"a","on":[{"path":"n"}]},{"name":"b","on":[{"path":"n"}]}"#;
    assert!(read(two, &limits).is_ok());
    let error =
        read(&format!(r#"{two},{{"name":"c","on":[{{"path":"n"}}]}}"#), &limits).unwrap_err();
    assert_eq!(error.to_string(), "LIMITED 3 indexes exceed the limit of 2 (folio.indexes-max)");
    let json = r#"{"collection":"c","fields":[{"path":"a","type":"int","unique":true}],
        "indexes":[{"name":"a","on":[{"path":"n"}]},{"name":"b","on":[{"path":"n"}]}]}"#;
    assert!(Definition::from_json(json.as_bytes(), &limits).is_err());
}

#[test]
fn a_filter_has_as_many_conditions_as_queries_are_compared_with() {
    let filtered = |count: usize| {
        let conditions: Vec<String> = (0..count).map(|at| format!("w{at} = 1")).collect();
        let filter = conditions.join(" AND ");
        format!(r#"{{"name":"a","on":[{{"path":"n"}}],"where":"{filter}"}}"#)
    };
    assert!(read(&filtered(INDEX_CONDITIONS_MAX), &Limits::default()).is_ok());
    refused(
        &filtered(INDEX_CONDITIONS_MAX + 1),
        "index a WHERE: 65 conditions joined by AND exceed the limit of 64",
    );
}
