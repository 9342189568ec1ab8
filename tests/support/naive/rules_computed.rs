//! The rules of arithmetic and of paths on both sides, held by the naive model.

use super::rules::{declared, json, not};
use super::rules_read::predicate;
use super::{Filter, Kind, NaiveField, NaiveSchema, Path, filter::JsonKind};
use crate::generate::{self, Random};

fn schema(fields: &[(&str, Kind)]) -> NaiveSchema {
    let fields = fields.iter().map(|(path, kind)| NaiveField::new(path, kind.clone())).collect();
    NaiveSchema { fields, strict: false, indexes: Vec::new() }
}

#[track_caller]
fn are(expected: bool, document: &str, texts: &[&str]) {
    are_under(&NaiveSchema::default(), expected, document, texts);
}

#[track_caller]
fn are_under(schema: &NaiveSchema, expected: bool, document: &str, texts: &[&str]) {
    for text in texts {
        let filter = predicate(text);
        assert_eq!(filter.check(schema), Ok(()), "{text}");
        assert_eq!(filter.holds(&json(document), schema, true), expected, "{text} of {document}");
        assert_eq!(not(filter).holds(&json(document), schema, true), !expected, "{text}");
    }
}

#[track_caller]
fn are_refused(schema: &NaiveSchema, texts: &[&str]) {
    for text in texts {
        assert!(predicate(text).check(schema).is_err(), "{text}");
    }
}

#[test]
fn values_are_computed_on_both_sides() {
    let order = r#"{"price":2.5,"qty":4,"total":9,"stock":7,"reserved":3,"a":5}"#;
    let hold = ["price * qty > total", "stock - reserved >= 4", "a % 2 = 1", "total < price * qty"];
    are(true, order, &hold);
    are(false, order, &["price * qty < total", "stock - reserved > 4", "a % 2 = 0"]);
    let between = ["a BETWEEN reserved + 1 AND stock - 1", "a + 1 BETWEEN 6 AND stock"];
    are(true, order, &between);
    are(false, order, &["a BETWEEN stock AND reserved", "a + 1 BETWEEN stock AND 9"]);
    are(true, order, &["a + 1 IN (1, 6.0)", "a - reserved IN (2)"]);
    are(false, order, &["a + 1 IN (5, 7)", "a + 1 IN ()"]);
    // `a BETWEEN x AND y` is `a >= x AND a <= y`.
    are(true, order, &["reserved BETWEEN reserved AND reserved"]);
}

#[test]
fn signs_bind_as_in_arithmetic() {
    let document = r#"{"a":2,"b":3,"c":4}"#;
    are(true, document, &["a + b * c = 14", "(a + b) * c = 20", "c - b - a = -1"]);
    are(true, document, &["c - (b - a) = 3", "c / a / a = 1", "-a + b = 1", "-(a + b) = -5"]);
    are(true, document, &["a * -b = -6", "c % b * a = 2", "a - -b = 5"]);
}

#[test]
fn constants_are_computed_once() {
    are(true, r#"{"age":16}"#, &["age > 10 + 5", "10 + 5 < age", "age = 2 * 8", "1 < 2"]);
    are(false, r#"{"age":15}"#, &["age > 10 + 5", "2 < 1", "1 = 'x'", "TRUE = FALSE"]);
    are(true, "{}", &["'a' < 'b'", "TRUE = TRUE", "1 = 1.0"]);
    are(false, r#"{"age":1}"#, &["age > 1 / 0", "age <= 1 / 0"]);
}

#[test]
fn what_is_no_number_has_no_value() {
    let document = r#"{"n":1,"null":null,"s":"1","b":true,"l":[1],"o":{}}"#;
    for other in ["none", "null", "s", "b", "l", "o"] {
        let texts = ["+ n > 0", "+ n <= 0", "* 0 = 0", "- n IN (0)"];
        for text in texts {
            are(false, document, &[&format!("{other} {text}")]);
        }
        are(false, document, &[&format!("-{other} < 5"), &format!("1 BETWEEN {other} - 1 AND 5")]);
    }
    are(true, document, &["none + 1 != 1", "s + 1 != 2"]);
}

#[test]
fn constants_that_are_no_numbers_are_refused() {
    let open = NaiveSchema::default();
    are_refused(&open, &["a + 'x' > 1", "a * '2' > 1", "a + TRUE > 1", "-'x' = 1"]);
    are_refused(&open, &["a + 1 = 'x'", "a + 1 = TRUE", "a + 1 IN (1, 'x')", "'x' < a + 1"]);
    are_refused(&open, &["a + 1 BETWEEN 1 AND 'x'", "5 + 5 = 'x'"]);
    for kind in [Kind::String, Kind::Bool, Kind::Array(Box::new(Kind::Int))] {
        are_refused(&declared(kind.clone()), &["a + 1 > 2", "-a = 1", "b > a * 2"]);
        assert_eq!(predicate("b + 1 > 2").check(&declared(kind)), Ok(()));
    }
    are_refused(&declared(Kind::Array(Box::new(Kind::Int))), &["a = b", "b < a"]);
    // What is computed converts as a literal does.
    are_refused(&declared(Kind::String), &["a = 1 + 1"]);
    are_refused(&declared(Kind::Bool), &["a = 1 + 1"]);
    are(true, r#"{"a":3}"#, &["a[*] != 1"]);
    assert_eq!(
        predicate("a[*] + 1 = 2").check(&declared(Kind::Array(Box::new(Kind::Int)))),
        Ok(())
    );
}

#[test]
fn integers_are_exact_and_else_the_nearest_double() {
    are(
        true,
        r#"{"a":9007199254740993,"m":18446744073709551615,"l":-9223372036854775808}"#,
        &[
            "a + 1 = 9007199254740994",
            "a - 9007199254740992 = 1",
            "a * 3 = 27021597764222979",
            "m - 1 = 18446744073709551614",
            "l + 1 = -9223372036854775807",
            // Beyond the range of i64 and u64: the nearest double.
            "m + 1 = 18446744073709551616",
            "m + 2 = 18446744073709551616",
            "l - 1 = -9223372036854775808",
            "m * m = 3.4028236692093846e38",
            "-m = -18446744073709551616",
            "-l = 9223372036854775808",
            "m - l = 27670116110564327424",
        ],
    );
}

#[test]
fn quotients_are_integers_where_they_divide() {
    are(
        true,
        r#"{"a":6,"b":3,"c":4,"big":9007199254740993}"#,
        &[
            "a / b = 2",
            "a / c = 1.5",
            "-a / b = -2",
            "big / 1 = 9007199254740993",
            "big / 3 = 3002399751580331",
            // As doubles: 9007199254740992 / 2 is not what half of the integer is.
            "big / 2 = 4503599627370496",
            "1 / b = 0.3333333333333333",
        ],
    );
}

#[test]
fn remainders_have_the_sign_of_the_left() {
    are(
        true,
        r#"{"a":7,"n":-7,"d":7.5}"#,
        &[
            "a % 3 = 1",
            "n % 3 = -1",
            "a % -3 = 1",
            "n % -3 = -1",
            "d % 2 = 1.5",
            "-d % 2 = -1.5",
            "a % 2.5 = 2",
        ],
    );
}

#[test]
fn what_meets_a_double_is_a_double() {
    are(
        true,
        r#"{"a":0.1,"b":0.2,"big":9007199254740993,"x":2.5,"one":1.0}"#,
        &[
            "a + b = 0.30000000000000004",
            "a + b > 0.3",
            // The integer loses its last bit beside a double.
            "big + 0.5 = 9007199254740992",
            // A double whose value is an integer is that integer, and exact from there on.
            "x * 2 = 5",
            "x * 2 + 9007199254740993 = 9007199254740998",
            // 1.0 is an integer as it stands.
            "big * one = 9007199254740993",
        ],
    );
}

#[test]
fn division_by_zero_and_infinities_have_no_value() {
    let document = r#"{"a":1,"z":0,"d":0.5,"h":1e300,"t":-0.0}"#;
    for none in ["a / z", "a % z", "d / z", "d % z", "a / 0.0", "d / t", "h * h", "-h * h", "z / z"]
    {
        for sign in ["=", "<", ">", "<=", ">="] {
            are(false, document, &[&format!("{none} {sign} a"), &format!("{none} {sign} 0")]);
        }
        are(true, document, &[&format!("{none} != a")]);
        are(false, document, &[&format!("({none}) * 0 = 0"), &format!("{none} BETWEEN -1 AND 1")]);
    }
}

#[test]
fn decimals_are_exact_where_a_path_is_declared_so() {
    let money = schema(&[("price", Kind::Decimal), ("f", Kind::Float), ("i", Kind::Int)]);
    let document = r#"{"price":"0.1","f":0.2,"i":3,"x":0.2,"s":"0.2"}"#;
    are_under(
        &money,
        true,
        document,
        &[
            "price + f = 0.3",
            "price + x = 0.3",
            "price + 0.2 = 0.3",
            "price * i = 0.3",
            "f + x = price * 4",
            "price + 0.1 + 0.2 = 0.4",
            "price > 0.3 - 0.2 - 0.00000000000000000000001",
            "price = '0.10'",
            "price + '0.2' = 0.3",
            "price + 1 = '1.10'",
            "price / 3 = 0.03333333333333333333333333333333333",
            "price % 0.03 = 0.01",
            "-price % 0.03 = -0.01",
            "-price = '-0.1'",
            "price + 0.10000000000000000000000000000000000000001 \
         = 0.20000000000000000000000000000000000000001",
        ],
    );
    // Strings that are no constants are strings.
    are_under(&money, false, document, &["price + s > 0", "price < s", "price / 0 = 0"]);
    are_refused(&money, &["price + 'x' > 1", "price = 'x'", "price + 1 = TRUE", "price + f = 'x'"]);
    // Another predicate of the same filter is computed by itself.
    are_under(&money, true, document, &["f + 0.1 = 0.30000000000000004", "x + 0.1 > 0.3"]);
}

#[test]
fn decimals_that_are_too_large_have_no_value() {
    let money = declared(Kind::Decimal);
    let sum = |value: &str, text: &str| {
        predicate(text).holds(&json(&format!("{{\"a\":{value}}}")), &money, true)
    };
    assert!(sum("1e20000", "a * 2 > 0") && !sum("1e30001", "a + 1 > 0"));
    assert!(sum("1e-20000", "a * 2 > 0") && !sum("1e-30001", "a * 2 > 0"));
    assert!(!sum("1e20000", "a * a > 0") && sum("1e20000", "a * a != 0"));
    assert!(!sum("1e20000", "a + 0.1 > 0"), "20001 digits");
}

#[test]
fn two_paths_compare_as_their_types_say() {
    let document = r#"{"a":1,"b":1.0,"s":"x","t":"y","y":true,"n":false,"z":null,"l":[1]}"#;
    are(true, document, &["a = b", "s < t", "n < y", "s != t", "a <= b"]);
    are(false, document, &["a = s", "y = a", "a = z", "z = z", "l = l", "none = none", "s = y"]);
    are(true, document, &["a = a", "s BETWEEN s AND t"]);
    let dates = schema(&[("shipped", Kind::Datetime), ("due", Kind::Datetime)]);
    let shipment = r#"{"shipped":"2026-01-01T01:00:00+02:00","due":"2026-01-01T00:00:00Z"}"#;
    are_under(&dates, true, shipment, &["shipped < due", "due - shipped = 3600000"]);
    // As strings they would stand the other way round.
    are(false, shipment, &["shipped < due"]);
    let money = schema(&[("a", Kind::Decimal), ("b", Kind::Decimal)]);
    are_under(&money, true, r#"{"a":"9.0","b":"10"}"#, &["a < b", "a != b"]);
    are(false, r#"{"a":"9.0","b":"10"}"#, &["a < b"]);
    // A value that is not of its type satisfies no comparison.
    are_under(&schema(&[("a", Kind::Int)]), false, r#"{"a":"x","b":"x"}"#, &["a = b"]);
    are_under(&schema(&[("a", Kind::Int)]), false, r#"{"a":1.5,"b":1}"#, &["a > b", "a + 1 > b"]);
}

#[test]
fn a_predicate_holds_for_any_value_of_its_path() {
    let document = r#"{"a":[1,5],"m":3,"none":[],"i":[{"q":2},{"q":"x"},{}]}"#;
    are(true, document, &["a[*] + 1 = 6", "a[*] < m", "a[*] > m", "i[*].q * 2 = 4", "m < a[*]"]);
    are(true, document, &["a[*] * 2 BETWEEN 9 AND 11", "a[*] + 1 IN (7, 2)"]);
    // One element must satisfy both sides of BETWEEN.
    are(false, document, &["a[*] BETWEEN m - 1 AND m + 1", "a[*] + 1 = 4", "none[*] + 1 > 0"]);
    // `!=` is the complement: no element is so.
    are(false, document, &["a[*] + 1 != 6"]);
    are(true, document, &["a[*] + 1 != 7", "none[*] + 1 != 0"]);
    are_refused(&NaiveSchema::default(), &["a[*] = a[*]", "a[*] + i[*].q > 1", "a[*][*] < b[*]"]);
}

#[test]
fn a_path_alone_means_the_same_in_both_forms() {
    let mut random = Random::new(23);
    let mut held = 0;
    for round in 0..20_000 {
        let schema = generate::schema(&mut random, round % 5);
        let document = generate::document(&mut random, &schema);
        let filter = generate::filter(&mut random, &schema, 0);
        let path = |path: &Path| super::Value::Path(path.clone());
        let constant = |literal: &super::Literal| super::Value::Constant(literal.clone());
        let values = match &filter {
            Filter::Compare(at, sign, literal) => {
                Filter::CompareValues(path(at), *sign, constant(literal))
            }
            Filter::Between(at, least, greatest) => {
                Filter::BetweenValues(path(at), constant(least), constant(greatest))
            }
            Filter::In(at, literals) => Filter::InValues(path(at), literals.clone()),
            _ => continue,
        };
        assert_eq!(values.check(&schema), Ok(()), "{values:?}");
        let holds = filter.holds(&document, &schema, true);
        assert_eq!(values.holds(&document, &schema, true), holds, "{filter:?}");
        assert_eq!(values.to_text(), filter.to_text());
        held += u32::from(holds);
    }
    assert!(held > 500, "{held}");
}

#[test]
fn type_tests_ask_for_the_kind_of_json() {
    let cases = [
        (JsonKind::String, "\"x\"", "a IS STRING"),
        (JsonKind::Number, "1.5", "a IS NUMBER"),
        (JsonKind::Boolean, "false", "a IS BOOLEAN"),
        (JsonKind::Array, "[]", "a IS ARRAY"),
        (JsonKind::Object, "{}", "a IS OBJECT"),
    ];
    for (kind, _, text) in cases {
        let filter = Filter::IsKind(Path::plain("a"), kind);
        assert_eq!(filter.to_text(), text);
        assert_eq!(not(filter.clone()).to_text(), text.replace("IS", "IS NOT"));
        for (other, value, _) in cases {
            let document = json(&format!("{{\"a\":{value}}}"));
            assert_eq!(filter.holds(&document, &NaiveSchema::default(), true), kind == other);
            // Whatever is declared.
            assert_eq!(filter.holds(&document, &declared(Kind::Int), true), kind == other);
        }
        for document in ["{}", r#"{"a":null}"#] {
            assert!(!filter.holds(&json(document), &NaiveSchema::default(), true));
            assert!(not(filter.clone()).holds(&json(document), &NaiveSchema::default(), true));
        }
        let many = Filter::IsKind(Path::plain("a[*]"), kind);
        let document = json(r#"{"a":["x",1,true,[],{}]}"#);
        assert!(many.holds(&document, &NaiveSchema::default(), true));
    }
}
