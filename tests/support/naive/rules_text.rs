//! The rules of what is asked of strings, of HAS ANY and of HAS ALL, held by the naive model.

use super::TextTest::{self, *};
use super::rules::{declared, holds, holds_declared, json, literal, not};
use super::{Filter, Json, Kind, Literal, NaiveSchema, Path};
use crate::generate::Random;

fn text(path: &str, test: TextTest, value: &str) -> Filter {
    Filter::Text(Path::plain(path), test, Literal::String(value.to_owned()))
}

/// The literals of a list, as a JSON array writes them.
fn literals(list: &str) -> Vec<Literal> {
    let Json::Array(elements) = json(list) else { panic!("no list") };
    elements.iter().map(|element| literal(&element.print())).collect()
}

fn has_any(path: &str, list: &str) -> Filter {
    Filter::HasAny(Path::plain(path), literals(list))
}

fn has_all(path: &str, list: &str) -> Filter {
    Filter::HasAll(Path::plain(path), literals(list))
}

/// Each test with a text that `"ab"` satisfies.
const OF_AB: [(TextTest, &str); 12] = [
    (StartsWith, "a"),
    (StartsWith, ""),
    (EndsWith, "b"),
    (EndsWith, ""),
    (Contains, "ab"),
    (Contains, ""),
    (Like, "a%"),
    (Like, "%"),
    (Ilike, "_B"),
    (Ilike, "%"),
    (Matches, "^a"),
    (Matches, ""),
];

#[test]
fn parts_of_strings_and_lists_have_their_texts() {
    for (test, words) in [
        (StartsWith, "STARTS WITH"),
        (EndsWith, "ENDS WITH"),
        (Contains, "CONTAINS"),
        (Like, "LIKE"),
        (Ilike, "ILIKE"),
        (Matches, "MATCHES"),
    ] {
        let plain = text("a", test, "it's\\_");
        assert_eq!(plain.to_text(), format!("a {words} 'it''s\\_'"));
        let negated = not(plain);
        assert_eq!(negated.to_text(), format!("a NOT {words} 'it''s\\_'"));
        assert_eq!(not(negated).to_text(), format!("NOT a NOT {words} 'it''s\\_'"));
    }
    assert_eq!(has_any("a", "[1,\"x\",true]").to_text(), "a HAS ANY (1, 'x', TRUE)");
    assert_eq!(not(has_any("a.b", "[]")).to_text(), "a.b NOT HAS ANY ()");
    assert_eq!(has_all("a[*]", "[]").to_text(), "a[*] HAS ALL ()");
    assert_eq!(not(has_all("like.a", "[1]")).to_text(), "`like`.a NOT HAS ALL (1)");
}

#[test]
fn lists_and_texts_may_be_parameters() {
    let both = Filter::And(vec![has_all("a", "[1,\"x\"]"), text("b", Like, "x\\%")]);
    let mut random = Random::new(9);
    let written: Vec<_> = (0..200).map(|_| both.to_text_with_params(&mut random)).collect();
    for value in [r#"[1,"x"]"#, r#""x""#, "1", r#""x\\%""#] {
        let mut params = written.iter().flat_map(|text| &text.params);
        assert!(params.any(|(_, param)| param == value), "{value}");
    }
    let mut texts = written.iter().map(|text| &text.text);
    assert!(texts.any(|text| text.contains("'x\\%'") && text.contains("'x'")));
}

#[test]
fn parts_are_asked_of_strings_only() {
    for (test, value) in OF_AB {
        let filter = text("a", test, value);
        assert!(holds(&filter, r#"{"a":"ab"}"#), "{filter:?}");
        assert!(!holds(&not(filter.clone()), r#"{"a":"ab"}"#), "{filter:?}");
        for other in ["{}", r#"{"a":null}"#, r#"{"a":1}"#, r#"{"a":true}"#, r#"{"a":{"a":"ab"}}"#] {
            assert!(!holds(&filter, other) && holds(&not(filter.clone()), other), "{filter:?}");
        }
        for array in [r#"{"a":["ab"]}"#, r#"{"a":[]}"#] {
            assert!(!holds(&filter, array) && holds(&not(filter.clone()), array), "{filter:?}");
        }
    }
    for (test, value, expected) in [
        (StartsWith, "", true),
        (EndsWith, "", true),
        (Contains, "", true),
        (Like, "", true),
        (Like, "_", false),
        (Ilike, "%", true),
        (Matches, "^$", true),
        (Matches, ".", false),
    ] {
        assert_eq!(holds(&text("a", test, value), r#"{"a":""}"#), expected, "{test:?} {value}");
    }
    assert!(holds(&text("a", Ilike, "strasse"), r#"{"a":"STRASSE"}"#));
    assert!(!holds(&text("a", Ilike, "straße"), r#"{"a":"STRASSE"}"#));
    assert!(holds(&text("a", Ilike, "k"), r#"{"a":"\u212a"}"#));
}

#[test]
fn one_string_of_an_array_suffices() {
    for (test, value) in OF_AB {
        let filter = text("a[*]", test, value);
        let of_member = text("a[*].b", test, value);
        assert!(holds(&filter, r#"{"a":[null,1,"ab"]}"#), "{filter:?}");
        assert!(holds(&of_member, r#"{"a":[{"b":1},"x",{"b":"ab"}]}"#), "{filter:?}");
        for nothing in ["{}", r#"{"a":[]}"#, r#"{"a":"ab"}"#, r#"{"a":[null,1,["ab"],{"b":2}]}"#] {
            assert!(!holds(&filter, nothing) && holds(&not(filter.clone()), nothing));
            assert!(!holds(&of_member, nothing) && holds(&not(of_member.clone()), nothing));
        }
        assert!(holds(&text("a[1]", test, value), r#"{"a":[1,"ab"]}"#));
        assert!(!holds(&text("a[0]", test, value), r#"{"a":[1,"ab"]}"#));
    }
    // Each element is asked by itself.
    let pair = Filter::And(vec![text("a[*]", StartsWith, "a"), text("a[*]", EndsWith, "b")]);
    assert!(holds(&pair, r#"{"a":["ac","cb"]}"#));
    assert!(!holds(&text("a[*]", Like, "a%b"), r#"{"a":["ac","cb"]}"#));
}

#[test]
fn has_any_is_has_of_one_of_the_list() {
    let either = has_any("a", "[1,\"é\",true]");
    for good in ["[2,1.0]", "[\"é\"]", "[null,true]", "[[1],{},1e0]"] {
        assert!(holds(&either, &format!("{{\"a\":{good}}}")), "{good}");
    }
    for bad in ["1", "\"é\"", "true", "null", "[]", "[null,2,\"1\",\"e\",false]", "[[1]]"] {
        let document = format!("{{\"a\":{bad}}}");
        assert!(!holds(&either, &document) && holds(&not(either.clone()), &document), "{bad}");
    }
    assert!(!holds(&either, "{}"));
    for document in ["{}", r#"{"a":[]}"#, r#"{"a":[1]}"#] {
        assert!(!holds(&has_any("a", "[]"), document));
    }
    assert!(holds(&has_any("a[*]", "[1]"), r#"{"a":[[2],[1]]}"#));
    assert!(!holds(&has_any("a[*]", "[1]"), r#"{"a":[1]}"#));
}

#[test]
fn has_all_asks_one_array_for_each_of_the_list() {
    let both = has_all("a", "[1,\"é\"]");
    assert!(holds(&both, r#"{"a":["é",null,1.0]}"#));
    for bad in ["[1]", "[\"é\"]", "[]", "[1,\"e\"]", "[[1,\"é\"]]", "1", "\"é\"", "null"] {
        let document = format!("{{\"a\":{bad}}}");
        assert!(!holds(&both, &document) && holds(&not(both.clone()), &document), "{bad}");
    }
    assert!(!holds(&both, "{}"));
    assert!(holds(&has_all("a", "[1,1.0,1e0]"), r#"{"a":[1]}"#));
    let none = has_all("a", "[]");
    for array in ["[]", "[null]", "[1,{}]"] {
        assert!(holds(&none, &format!("{{\"a\":{array}}}")), "{array}");
    }
    for other in ["{}", r#"{"a":null}"#, r#"{"a":{}}"#, r#"{"a":""}"#, r#"{"a":0}"#] {
        assert!(!holds(&none, other) && holds(&not(none.clone()), other), "{other}");
    }
    // A path that leads to several arrays.
    assert!(holds(&has_all("a[*]", "[1,2]"), r#"{"a":[[1],[2,1]]}"#));
    assert!(!holds(&has_all("a[*]", "[1,2]"), r#"{"a":[[1],[2]]}"#));
    assert!(holds(&has_all("a[*].b", "[]"), r#"{"a":[{"b":1},{"b":[]}]}"#));
    assert!(!holds(&has_all("a[*]", "[]"), r#"{"a":[1]}"#));
}

#[test]
fn declared_types_govern_parts_and_lists() {
    for kind in [Kind::String, Kind::Json] {
        assert!(holds_declared(kind.clone(), &text("a", Like, "a%"), "\"ab\""));
        assert!(!holds_declared(kind, &text("a", Like, "%"), "12"));
    }
    let array = |kind| Kind::Array(Box::new(kind));
    let ends = text("a[*]", EndsWith, "b");
    assert!(holds_declared(array(Kind::String), &ends, "[\"c\",\"ab\"]"));
    assert!(!holds_declared(array(Kind::String), &ends, "\"ab\""));
    let days = "[\"1970-01-01T00:00:00Z\",1]";
    assert!(holds_declared(array(Kind::Datetime), &has_all("a", "[0,1]"), days));
    assert!(!holds_declared(array(Kind::Datetime), &has_all("a", "[0,2]"), days));
    assert!(holds_declared(array(Kind::Datetime), &has_any("a", "[2,0]"), days));
    assert!(holds_declared(array(Kind::Decimal), &has_all("a", "[1.5]"), "[\"1.50\"]"));
    assert!(holds_declared(array(Kind::Int), &has_all("a", "[]"), "[]"));
    for no_array in ["1", "null", "\"[]\"", "{}"] {
        assert!(!holds_declared(array(Kind::Int), &has_all("a", "[]"), no_array));
        assert!(!holds_declared(array(Kind::Int), &has_any("a", "[1]"), no_array));
    }
}

#[test]
fn texts_and_lists_that_do_not_fit_are_refused() {
    let array = Kind::Array(Box::new(Kind::String));
    let refused = [
        (array.clone(), has_any("a", "[\"x\",1]")),
        (array.clone(), has_all("a", "[true]")),
        (array.clone(), text("a", Contains, "x")),
        (Kind::String, text("a", Like, "x\\")),
        (Kind::String, text("a", Ilike, "%\\\\\\")),
        (Kind::Json, text("a", Matches, "(")),
        (Kind::String, Filter::Text(Path::plain("a"), StartsWith, literal("1"))),
        (Kind::Json, Filter::Text(Path::plain("a"), Like, literal("true"))),
    ];
    for (kind, filter) in refused {
        let path = if matches!(filter, Filter::Text(..)) { "a" } else { "a[*]" };
        assert_eq!(filter.check(&declared(kind)), Err(path.to_owned()), "{filter:?}");
        // What is wrong with a text is wrong of any field.
        let is_text = matches!(&filter, Filter::Text(_, test, _) if *test != Contains);
        assert_eq!(not(filter).check(&NaiveSchema::default()).is_err(), is_text);
    }
    for kind in [Kind::Int, Kind::Float, Kind::Bool, Kind::Decimal, Kind::Datetime] {
        for (test, value) in OF_AB {
            assert_eq!(text("a", test, value).check(&declared(kind.clone())), Err("a".to_owned()));
            let array = Kind::Array(Box::new(kind.clone()));
            assert!(text("a[*]", test, value).check(&declared(array)).is_err());
        }
    }
    let fine = [
        (array.clone(), has_any("a", "[]")),
        (array.clone(), has_all("a", "[\"x\",\"y\"]")),
        (array.clone(), text("a[*]", Matches, "x")),
        (array, text("a[2]", Like, "\\\\")),
        (Kind::String, text("a", Ilike, "x\\%")),
        (Kind::Json, text("a", Contains, "x\\")),
    ];
    for (kind, filter) in fine {
        assert_eq!(filter.check(&declared(kind)), Ok(()), "{filter:?}");
    }
}
