//! IS STRING and its like as keys: which keys values of a JSON kind have under a type.
//!
//! Values of one type are of one kind, but for decimals, datetimes and durations, which numbers and strings hold alike; those that
//! are not of the type have their text for a key, whose first letter tells the kind.

use super::filter::{FilterNode, KindTest, Place, Test};
use super::wording::Wording;
use crate::schema::types::Scalar;
use crate::value::{Key, KeyRange, KeySet, Kind};

/// That some value at `place` is of a kind: what keys tell, and the question itself where they do not tell all.
pub(super) fn nodes(place: Place, kind: Kind, scalar: Scalar, shown: String) -> Vec<FilterNode> {
    let keys = keys(kind, scalar);
    if is_exact(kind, scalar) {
        let text = Wording::one(shown);
        return vec![FilterNode::Test(Test { place, scalar, keys, text, is_told: false })];
    }
    let text = Wording::one(format!("{shown} or of the other kind of a {}", scalar.name()));
    let told = Test { place: place.clone(), scalar, keys, text, is_told: true };
    let asked = KindTest { place, kind, text: shown.into() };
    vec![FilterNode::Test(told), FilterNode::Kind(asked)]
}

/// Whether values of the kind alone have these keys.
fn is_exact(kind: Kind, scalar: Scalar) -> bool {
    let has_both = matches!(scalar, Scalar::Decimal | Scalar::DateTime | Scalar::Duration);
    !(has_both && matches!(kind, Kind::String | Kind::Number))
}

/// The keys that values of the kind have under a type.
fn keys(kind: Kind, scalar: Scalar) -> KeySet {
    let natural = match (kind, scalar) {
        (Kind::Null, _) => return KeySet::points([Key::NULL]),
        (Kind::Bool, Scalar::Bool | Scalar::Json) => {
            return KeySet::points([Key::FALSE, Key::TRUE]);
        }
        (Kind::String, Scalar::String | Scalar::NoCase | Scalar::Json) => {
            return until(Key::STRING_MIN, Key::STRING_END);
        }
        // A string may well be none of a form.
        (Kind::String, Scalar::Email | Scalar::Url | Scalar::Uuid | Scalar::Ip) => {
            until(Key::STRING_MIN, Key::STRING_END)
        }
        (Kind::Array, Scalar::Json) => return until(Key::ARRAY_MIN, Key::OBJECT_MIN),
        (Kind::Object, Scalar::Json) => return until(Key::OBJECT_MIN, Key::OBJECT_END),
        // A number may well be none of the type: with a fraction, or beyond the range of a double.
        (Kind::String, Scalar::Date | Scalar::Time)
        | (Kind::Number, Scalar::Int | Scalar::Float | Scalar::Json)
        | (Kind::Number | Kind::String, Scalar::Decimal | Scalar::DateTime | Scalar::Duration) => {
            until(Key::NUMBER_MIN, Key::NUMBER_END)
        }
        _ => KeySet::default(),
    };
    let letters: &[(u8, u8)] = match kind {
        Kind::Null => &[],
        Kind::Bool => &[(b'f', b'f'), (b't', b't')],
        Kind::Number => &[(b'-', b'-'), (b'0', b'9')],
        Kind::String => &[(b'"', b'"')],
        Kind::Array => &[(b'[', b'[')],
        Kind::Object => &[(b'{', b'{')],
    };
    let of_text = |(first, last): &(u8, u8)| until(Key::invalid(*first), Key::invalid(last + 1));
    let of_texts: Vec<KeySet> = letters.iter().map(of_text).collect();
    KeySet::union_of(of_texts.iter().chain([&natural]))
}

fn until(low: Key, high: Key) -> KeySet {
    KeySet::range(KeyRange { low, low_included: true, high, high_included: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{KeyBuf, Raw};

    #[test]
    fn keys_tell_kinds_under_every_type() {
        let values = [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1.5",
            "1e400",
            "-1e400",
            "18446744073709551616",
            r#""""#,
            r#""a longer text""#,
            r#""12.50""#,
            r#""2026-01-31T12:00:00Z""#,
            r#""2026-01-31""#,
            r#""12:30:00""#,
            r#""1h""#,
            r#""67e55044-10b1-426f-9247-bb680e5fe0c8""#,
            r#""ada@example.org""#,
            r#""https://example.org""#,
            r#""::1""#,
            "[]",
            r#"["a"]"#,
            "{}",
            r#"{"a":1}"#,
        ];
        let scalars = [
            Scalar::String,
            Scalar::NoCase,
            Scalar::Int,
            Scalar::Float,
            Scalar::Bool,
            Scalar::Decimal,
            Scalar::DateTime,
            Scalar::Date,
            Scalar::Time,
            Scalar::Duration,
            Scalar::Uuid,
            Scalar::Email,
            Scalar::Url,
            Scalar::Ip,
            Scalar::Json,
        ];
        let mut buf = KeyBuf::default();
        for scalar in scalars {
            for kind in [Kind::String, Kind::Number, Kind::Bool, Kind::Array, Kind::Object] {
                let keys = keys(kind, scalar);
                assert!(!keys.contains(Key::MISSING.as_ref()));
                for value in values {
                    let raw = Raw::new(value.as_bytes());
                    scalar.key(raw, &mut buf);
                    let (told, is) = (keys.contains(buf.as_ref()), raw.kind() == kind);
                    assert!(told || !is, "{value} {kind:?} {scalar:?}");
                    assert!(told == is || !is_exact(kind, scalar), "{value} {kind:?} {scalar:?}");
                }
            }
        }
    }
}
