//! How cost goes with the size of a document: SET and GET against DOC.SET and DOC.GET, without an index.

use std::fmt::Write;

use folio_benches::driver::{Packed, pack};
use folio_tests::users;

use super::Bench;
use super::table::{Figures, Part, What, against, yardstick};

/// Sizes in bytes, with their names.
pub const SIZES: [(usize, &str); 6] = [
    (100, "100 B"),
    (400, "400 B"),
    (1_024, "1 KB"),
    (4_096, "4 KB"),
    (16_384, "16 KB"),
    (65_536, "64 KB"),
];
/// Bytes of all documents of a size, and their number at most.
const BYTES_MAX: usize = 64 << 20;
const COUNT_MAX: usize = 50_000;

/// The verbs, each with the one that it is set against.
pub const VERBS: [(&str, Option<&str>); 4] =
    [("SET", None), ("GET", None), ("DOC.SET", Some("SET")), ("DOC.GET", Some("GET"))];

/// The name of a figure.
pub fn name(verb: &str, size: &str) -> String {
    format!("{verb} of {size}")
}

/// All sizes.
pub fn measure(bench: &mut Bench, figures: &mut Figures) {
    for (bytes, size) in SIZES {
        let count = (BYTES_MAX / bytes).min(COUNT_MAX) as u64;
        for (write, read) in [("SET", "GET"), ("DOC.SET", "DOC.GET")] {
            bench.empty(&[]);
            let written: Vec<Packed> = (0..count)
                .map(|n| pack(&[write.to_owned(), users::key(n), document(n, bytes)]))
                .collect();
            figures.take(what(write, size), bench.target.pipelined(written));
            let read_of = |n| pack(&[read.to_owned(), users::key(n)]);
            figures.take(what(read, size), bench.target.pipelined((0..count).map(read_of)));
        }
    }
    bench.empty(&[]);
}

fn what(verb: &str, size: &str) -> What {
    let yard = VERBS.iter().find_map(|(of, yard)| (*of == verb).then_some(*yard)).flatten();
    let name = name(verb, size);
    let what = match yard {
        None => yardstick(&name),
        Some(yard) => against(&name, &self::name(yard, size)),
    };
    what.part(Part::Sizes)
}

/// A document of exactly so many bytes: an order with as many lines as fit.
fn document(n: u64, bytes: usize) -> String {
    let mut json = format!(r#"{{"id":"{n:07}","lines":["#);
    let end = r#"],"note":""}"#.len();
    for line in 0.. {
        let before = json.len();
        let comma = if line == 0 { "" } else { "," };
        let price = (n + line * 37) % 10_000;
        write!(
            json,
            r#"{comma}{{"sku":"item-{line:04}","count":{},"price":{}.{:02}}}"#,
            1 + (n + line) % 9,
            price / 100,
            price % 100
        )
        .expect("a string takes everything");
        if json.len() + end > bytes {
            json.truncate(before);
            break;
        }
    }
    json += r#"],"note":""#;
    json.extend(std::iter::repeat_n('x', bytes.saturating_sub(json.len() + r#""}"#.len())));
    json += "\"}";
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_the_size_that_they_are_named_for() {
        for (bytes, _) in SIZES {
            let json = document(1_234, bytes);
            assert_eq!(json.len(), bytes);
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        }
    }
}
