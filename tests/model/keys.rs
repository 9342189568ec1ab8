//! The key of a value against the model's order: every pair of some hundred awkward values, under every type.

use folio_engine::schema::Scalar;
use folio_engine::value::{Key, KeyBuf, Raw};
use folio_tests::generate::Random;
use folio_tests::naive::order::compare;
use folio_tests::naive::{Json, Kind};

const NUMBERS: [&str; 30] = [
    "0",
    "-0",
    "0.0",
    "-0.0e9",
    "1",
    "1.0",
    "-1",
    "0.1",
    "-0.1",
    "1e-320",
    "-1e-320",
    "5e-324",
    "1.7976931348623157e308",
    "-1.7976931348623157e308",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551614",
    "18446744073709551616",
    "1e19",
    "1E2",
    "100",
    "99.99999999999999",
];
const STRINGS: [&str; 16] = [
    "",
    "\0",
    "\0\0",
    "a",
    "a\0",
    "a\0\0\0\0",
    "a\0\0\0\0\0",
    "a\0\0\0\0b",
    "abcde",
    "abcdef",
    "abcdf",
    "abcd\u{ffff}",
    "\u{10ffff}",
    "é",
    "z",
    "zzzzzzzzzzzz",
];
const DECIMALS: [&str; 22] = [
    "0",
    "-0.00",
    "12.5",
    "12.50",
    "-12.5",
    "0.1",
    "0.10000000000000000001",
    "-0.1",
    "-0.10000000000000000001",
    "123456789012",
    "1234567890123",
    "123456789012.5",
    "-123456789012",
    "-1234567890120",
    "-1234567890120.05",
    "-1234567890120.0500000000001",
    "1e400",
    "-1e400",
    "1e-400",
    "99",
    "100",
    "-99",
];
const INSTANTS: [&str; 10] = [
    "0",
    "-1",
    "1",
    "\"1970-01-01T00:00:00Z\"",
    "\"1969-12-31T23:59:59.999999999Z\"",
    "\"1970-01-01T00:00:00.000000001Z\"",
    "\"1970-01-01T01:00:00+01:00\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-30T21:59:59Z\"",
    "9007199254740992",
];

fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).print()
}

/// A random value of any kind, nested a little.
fn any(random: &mut Random, depth: usize) -> String {
    let parts = |random: &mut Random, part: &dyn Fn(&mut Random) -> String| {
        let count = random.below(4);
        (0..count).map(|_| part(random)).collect::<Vec<_>>().join(",")
    };
    match random.below(if depth == 0 { 5 } else { 8 }) {
        0 => "null".to_owned(),
        1 => random.pick(&["false", "true"]).to_owned(),
        2 | 3 => random.pick(&NUMBERS).to_owned(),
        4 => quoted(random.pick(&STRINGS)),
        5 | 6 => format!("[{}]", parts(random, &|random| any(random, depth - 1))),
        _ => {
            let mut names = vec!["a", "b", "a\0", ""];
            let members = (0..random.below(4)).map(|_| {
                let name = names.swap_remove(random.below(names.len()));
                format!("{}:{}", quoted(name), any(random, depth - 1))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

fn key(scalar: Scalar, text: &str) -> Key {
    let mut buf = KeyBuf::default();
    assert!(scalar.key(Raw::new(text.as_bytes()), &mut buf), "{text} is a {}", scalar.name());
    buf.as_ref().to_key()
}

#[track_caller]
fn agree(scalar: Scalar, kind: Option<&Kind>, texts: &[String]) {
    let values: Vec<(Json, Key)> = texts
        .iter()
        .map(|text| (Json::parse(text).expect("the tables hold JSON"), key(scalar, text)))
        .collect();
    for (a, key_a) in &values {
        for (b, key_b) in &values {
            let expected = compare(Some(a), Some(b), kind);
            assert_eq!(key_a.cmp(key_b), expected, "{} and {}", a.print(), b.print());
        }
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn keys_are_ordered_as_the_model_orders_values() {
    let strings: Vec<String> = STRINGS.iter().map(|text| quoted(text)).collect();
    let decimals: Vec<String> =
        DECIMALS.iter().flat_map(|text| [(*text).to_owned(), quoted(text)]).collect();
    agree(Scalar::Json, None, &texts(&NUMBERS));
    agree(Scalar::Float, Some(&Kind::Float), &texts(&NUMBERS));
    agree(Scalar::String, Some(&Kind::String), &strings);
    agree(Scalar::Decimal, Some(&Kind::Decimal), &decimals);
    agree(Scalar::DateTime, Some(&Kind::Datetime), &texts(&INSTANTS));
}

#[test]
fn keys_of_arrays_and_objects_are_ordered_as_the_model_orders_them() {
    let mut random = Random::from_environment();
    let mut values: Vec<String> = (0..400).map(|_| any(&mut random, 3)).collect();
    values.sort();
    values.dedup();
    agree(Scalar::Json, None, &values);
}
