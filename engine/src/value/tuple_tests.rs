//! Tests of tuples: their keys order as they do, and ranges hold what they should.

use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::schema::Scalar;
use crate::value::{KeyBuf, Raw};

/// A key of any family, of few values, so that equal ones and equal beginnings are common.
fn any_key() -> impl Strategy<Value = Key> {
    let json = |text: String, scalar: Scalar| {
        let mut buf = KeyBuf::default();
        scalar.key(Raw::new(text.as_bytes()), &mut buf);
        buf.as_ref().to_key()
    };
    let plain = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "9007199254740993",
        "9007199254740994",
        "1e308",
        "-9223372036854775808",
        "[]",
        "[0]",
        "[1,[2]]",
        "{}",
        r#"{"a":1}"#,
        "\"\"",
    ]);
    let string = vec(prop::sample::select(vec![0u8, 1, 97, 255]), 0..9).prop_map(|bytes| {
        let mut buf = KeyBuf::default();
        buf.set_string(&bytes);
        buf.as_ref().to_key()
    });
    prop_oneof![
        2 => Just(Key::MISSING),
        6 => plain.prop_map(move |text| json(text.to_owned(), Scalar::Json)),
        6 => string,
        2 => (-9i64..9, 0u32..3).prop_map(|(millis, nanos)| {
            let mut buf = KeyBuf::default();
            buf.set_instant(millis, nanos);
            buf.as_ref().to_key()
        }),
        2 => (any::<bool>(), 0u8..3).prop_map(move |(sign, n)| {
            let sign = if sign { "-" } else { "" };
            json(format!("{sign}1.50000000000{}1", "0".repeat(n.into())), Scalar::Decimal)
        }),
        // A value that is not of its field's type.
        2 => (0u8..3).prop_map(move |n| json(format!("[{n}]"), Scalar::Int)),
    ]
}

fn any_tuples(count: usize) -> impl Strategy<Value = (Vec<bool>, Vec<Vec<Key>>)> {
    (1usize..5).prop_flat_map(move |len| (vec(any::<bool>(), len), vec(vec(any_key(), len), count)))
}

fn bytes_of(tuple: &[Key], descending: &[bool]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, is_descending) in tuple.iter().zip(descending) {
        push(&mut bytes, key.as_ref(), *is_descending);
    }
    bytes
}

fn compared(a: &[Key], b: &[Key], descending: &[bool]) -> Ordering {
    let orders = a
        .iter()
        .zip(b)
        .zip(descending)
        .map(|((a, b), is_descending)| if *is_descending { b.cmp(a) } else { a.cmp(b) });
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn keys_order_as_their_tuples((descending, tuples) in any_tuples(8)) {
        let bytes: Vec<Vec<u8>> = tuples.iter().map(|it| bytes_of(it, &descending)).collect();
        for (a, a_bytes) in tuples.iter().zip(&bytes) {
            prop_assert!(key(a_bytes) < Key::END.as_ref() && key(a_bytes) > Key::MISSING.as_ref());
            let is_absent = a.iter().any(Key::is_absent);
            prop_assert_eq!(has_absent(key(a_bytes), descending.iter().copied()), is_absent);
            for (b, b_bytes) in tuples.iter().zip(&bytes) {
                let expected = compared(a, b, &descending);
                prop_assert_eq!(key(a_bytes).cmp(&key(b_bytes)), expected, "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn ranges_hold_the_tuples_that_begin_so(
        (descending, tuples) in any_tuples(12),
        fixed in 0usize..5,
        ends in any::<(bool, bool)>(),
    ) {
        // The first gives the prefix and one end, the second the other end.
        let fixed = fixed.min(descending.len());
        let prefix = bytes_of(&tuples[0][..fixed], &descending);
        let begins = |it: &[Key]| it[..fixed] == tuples[0][..fixed];
        let all = starting(&prefix);
        for it in &tuples {
            let bytes = bytes_of(it, &descending);
            prop_assert_eq!(all.contains(key(&bytes)), begins(it), "{:?}", it);
        }
        if fixed == descending.len() {
            return Ok(());
        }
        let (low, high) = (&tuples[0][fixed], &tuples[1][fixed]);
        let next = KeyRange {
            low: low.min(high).clone(),
            low_included: ends.0,
            high: low.max(high).clone(),
            high_included: ends.1,
        };
        for next in [next, KeyRange::all(), KeyRange::point(low.clone())] {
            let range = starting_within(&prefix, &next, descending[fixed]);
            for it in &tuples {
                let bytes = bytes_of(it, &descending);
                let expected = begins(it) && next.contains(it[fixed].as_ref());
                prop_assert_eq!(range.contains(key(&bytes)), expected, "{:?} {:?}", next, it);
            }
        }
    }
}

#[test]
fn bytes_that_nothing_comes_after_end_at_the_end() {
    assert_eq!(after(vec![1, 255, 255]), Key::new(2 << 56, None));
    assert_eq!(after(vec![255, 255]), Key::END);
    assert_eq!(starting(&[]), KeyRange::all());
}
