//! Parts of a document that have a TTL of their own.
//!
//! ```text
//!   instant  length  path          one behind the other, by the bytes of their paths
//!   +-----+---+----------+-----+
//!   |  8  | 2 | otp      | ..  |   little-endian; milliseconds since 1970
//!   +-----+---+----------+-----+
//! ```
//!
//! A document keeps them behind its directory. A path is one of names: it is a member of an object, so nothing that happens to
//! others moves it. It is due when now is greater than its instant, as with the server's keys; what is due is to be seen by
//! nobody.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::edit::{self, Place, find};
use super::{Document, Parsed, Stamp};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::path::{Path, Step};

/// Parts of one document with a TTL: each update looks at all of them.
pub const TIMED_PATHS_MAX: usize = 64;
/// Bytes of all of them, whose number is kept in two bytes.
const TIMED_BYTES_MAX: usize = u16::MAX as usize;

/// A part of a document, and when it lapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedPath {
    /// Where it stands: names alone.
    pub path: Path,
    /// In milliseconds since 1970.
    pub at_ms: i64,
}

/// The parts as they are stored: instant and path.
pub fn each_timed(mut bytes: &[u8]) -> impl Iterator<Item = (i64, &str)> {
    std::iter::from_fn(move || {
        let (entry, rest) = split(bytes)?;
        bytes = rest;
        Some(entry)
    })
}

/// The first entry and what follows it; none where there is none, or not a whole one.
fn split(bytes: &[u8]) -> Option<((i64, &str), &[u8])> {
    let (at, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (path, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some(((i64::from_le_bytes(*at), str::from_utf8(path).ok()?), rest))
}

/// Reads what [`write_timed`] wrote; none of anything else.
pub fn read_timed(bytes: &[u8]) -> Option<Vec<TimedPath>> {
    let (mut timed, mut rest, mut before) = (Vec::<TimedPath>::new(), bytes, "");
    if bytes.len() > TIMED_BYTES_MAX {
        return None;
    }
    while !rest.is_empty() {
        let ((at_ms, text), behind) = split(rest)?;
        let path = Path::parse(text, usize::MAX).ok()?;
        let is_there = timed.iter().any(|part| part.path == path);
        let is_fit = text > before && !is_there && expect_names(&path).is_ok();
        if !is_fit || timed.len() == TIMED_PATHS_MAX {
            return None;
        }
        timed.push(TimedPath { path, at_ms });
        (rest, before) = (behind, text);
    }
    Some(timed)
}

/// The stored form of these parts, in whatever order they come. Errors: `PATH` where one is not of names, `LIMITED` where they
/// are too many.
pub fn write_timed(timed: &[TimedPath]) -> Result<Vec<u8>> {
    let too_many = || {
        let what = format!(
            "a document may have {TIMED_PATHS_MAX} paths with a TTL, of {TIMED_BYTES_MAX} bytes together"
        );
        Error::new(Code::Limited, what)
    };
    let mut texts: Vec<(String, i64)> = Vec::with_capacity(timed.len());
    for TimedPath { path, at_ms } in timed {
        expect_names(path)?;
        texts.push((path.to_string(), *at_ms));
    }
    texts.sort_unstable();
    texts.dedup_by(|later, earlier| later.0 == earlier.0);
    let mut bytes = Vec::new();
    for (text, at_ms) in &texts {
        let length = u16::try_from(text.len()).map_err(|_| too_many())?;
        append(&mut bytes, *at_ms, length, text);
    }
    if texts.len() > TIMED_PATHS_MAX || bytes.len() > TIMED_BYTES_MAX {
        return Err(too_many());
    }
    Ok(bytes)
}

fn append(bytes: &mut Vec<u8>, at_ms: i64, length: u16, text: &str) {
    bytes.extend_from_slice(&at_ms.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The parts as JSON: an object of paths and instants.
pub fn timed_to_json(timed: &[u8]) -> String {
    let parts: BTreeMap<&str, i64> = each_timed(timed).map(|(at_ms, path)| (path, at_ms)).collect();
    serde_json::to_string(&parts).expect("texts and numbers have a JSON form")
}

/// The stored form of what [`timed_to_json`] has written. Errors: `JSON`, and those of [`write_timed`].
pub fn timed_from_json(json: &[u8]) -> Result<Vec<u8>> {
    let parts: BTreeMap<String, i64> = serde_json::from_slice(json)
        .map_err(|error| Error::new(Code::Json, format!("the parts with a TTL: {error}")))?;
    let part = |(path, at_ms): (String, i64)| {
        Ok(TimedPath { path: Path::parse(&path, usize::MAX)?, at_ms })
    };
    write_timed(&parts.into_iter().map(part).collect::<Result<Vec<_>>>()?)
}

/// Refuses a path with an index: what stands behind one moves. Error: `PATH`.
pub fn expect_names(path: &Path) -> Result<()> {
    if path.steps().iter().all(|step| matches!(step, Step::Name(_))) {
        return Ok(());
    }
    Err(edit::path_error(path, "a TTL is of a path of names, without an index"))
}

impl Document {
    /// Its parts with a TTL, as they are stored.
    pub fn timed(&self) -> &[u8] {
        self.view().timed()
    }

    /// Whether a part of it is due at `now_ms`, and still there.
    pub fn has_due_paths(&self, now_ms: i64) -> bool {
        each_timed(self.timed()).any(|(at_ms, _)| at_ms < now_ms)
    }

    /// When the next of its parts lapses that is not due at `now_ms`.
    pub fn next_lapse_ms(&self, now_ms: i64) -> Option<i64> {
        each_timed(self.timed()).map(|(at_ms, _)| at_ms).filter(|at_ms| *at_ms >= now_ms).min()
    }

    /// The same document, numbers and times included, without the parts that are due at `now_ms`; none where none is.
    /// O(bytes) for each of them.
    pub fn without_due_paths(&self, now_ms: i64) -> Option<Document> {
        if !self.has_due_paths(now_ms) {
            return None;
        }
        let mut text = self.text().to_vec();
        let parts = read_timed(self.timed()).unwrap_or_default();
        for part in parts.iter().filter(|part| part.at_ms < now_ms) {
            if let Place::Found(found) = find(&text, &part.path) {
                edit::unset(&mut text, &found);
            }
        }
        let mut left = Vec::new();
        for (part, (at_ms, path)) in parts.iter().zip(each_timed(self.timed())) {
            // What was within another part is gone with it.
            if at_ms >= now_ms && matches!(find(&text, &part.path), Place::Found(_)) {
                append(&mut left, at_ms, path.len() as u16, path);
            }
        }
        let mut parsed = Parsed::default();
        parsed.parse(&text, &Limits::none()).expect("a document without one of its parts is one");
        parsed.set_timed(&left);
        let stamp = Stamp {
            home: self.home(),
            id: self.id(),
            seq: self.seq(),
            version: self.version(),
            created_ms: self.created_ms(),
            updated_ms: self.updated_ms(),
            is_deleted: self.is_deleted(),
            schema: self.schema(),
        };
        Some(Document::new(&parsed, stamp))
    }

    /// What a reader sees of it at `now_ms`.
    pub fn seen_at(&self, now_ms: i64) -> Cow<'_, Document> {
        self.without_due_paths(now_ms).map_or(Cow::Borrowed(self), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::parsed;
    use super::*;

    fn part(path: &str, at_ms: i64) -> TimedPath {
        TimedPath { path: Path::parse(path, 9).unwrap(), at_ms }
    }

    #[test]
    fn parts_read_back_and_nothing_else_does() {
        let timed = [part("b.c", -1), part("a", i64::MAX), part("`a-b`.`x.y`", 7)];
        let bytes = write_timed(&timed).unwrap();
        let read = read_timed(&bytes).unwrap();
        assert_eq!(read.len(), 3);
        assert!(timed.iter().all(|part| read.contains(part)));
        assert_eq!(write_timed(&read).unwrap(), bytes);
        assert_eq!(read_timed(&[]), Some(vec![]));
        let json = timed_to_json(&bytes);
        assert_eq!(json, r#"{"`a-b`.`x.y`":7,"a":9223372036854775807,"b.c":-1}"#);
        assert_eq!(timed_from_json(json.as_bytes()).unwrap(), bytes);
        let error = |json: &str| timed_from_json(json.as_bytes()).unwrap_err().code;
        assert_eq!([error("["), error(r#"{"a":"1"}"#)], [Code::Json; 2]);
        assert_eq!([error(r#"{"a b":1}"#), error(r#"{"a[0]":1}"#)], [Code::Path; 2]);
        let whole: Vec<usize> =
            (1..bytes.len()).filter(|end| read_timed(&bytes[..*end]).is_some()).collect();
        assert_eq!(whole, [21, 32], "after the first and after the second");
        let twice = [bytes.clone(), bytes].concat();
        assert_eq!(read_timed(&twice), None);
        let raw = |paths: &[&str]| {
            let mut bytes = Vec::new();
            for path in paths {
                append(&mut bytes, 7, path.len() as u16, path);
            }
            bytes
        };
        assert_eq!(read_timed(&raw(&["`a`", "a"])), None, "the same path, written twice");
        assert!(read_timed(&raw(&["_a", "a"])).is_some());
        let long = "a".repeat(60_000);
        assert_eq!(read_timed(&raw(&["a", &long])).map(|timed| timed.len()), Some(2));
        assert_eq!(read_timed(&raw(&["a", &long, &(long.clone() + "b")])), None);
    }

    #[test]
    fn paths_are_of_names_and_not_too_many() {
        let error = |timed: &[TimedPath]| write_timed(timed).unwrap_err().code;
        assert_eq!(error(&[part("a[0]", 1)]), Code::Path);
        assert_eq!(error(&[part("a[*].b", 1)]), Code::Path);
        let many: Vec<_> = (0..=TIMED_PATHS_MAX).map(|at| part(&format!("a{at}"), 1)).collect();
        assert!(write_timed(&many[1..]).is_ok());
        assert_eq!(error(&many), Code::Limited);
        assert_eq!(error(&[part(&"a".repeat(65_526), 1)]), Code::Limited);
        assert!(write_timed(&[part(&"a".repeat(65_525), 1)]).is_ok());
    }

    #[test]
    fn what_is_within_a_part_goes_with_it() {
        let mut text = parsed(r#"{"a":{"b":1},"c":2}"#);
        text.set_timed(&write_timed(&[part("a", 100), part("a.b", 900), part("c", 900)]).unwrap());
        let left = Document::new(&text, Stamp::default()).without_due_paths(101).unwrap();
        assert_eq!(each_timed(left.timed()).collect::<Vec<_>>(), [(900, "c")]);
    }

    #[test]
    fn what_is_due_is_gone_and_what_is_not_stays() {
        let mut text = parsed(r#"{"otp":"1","n":{"a":1,"b":2},"x":[1]}"#);
        text.set_timed(&write_timed(&[part("otp", 100), part("n.a", 200)]).unwrap());
        let stamp = Stamp { seq: 3, version: 4, created_ms: 5, updated_ms: 6, ..Stamp::default() };
        let document = Document::new(&text, stamp);
        assert_eq!((document.has_due_paths(100), document.next_lapse_ms(100)), (false, Some(100)));
        assert!(document.without_due_paths(100).is_none());
        let first = document.without_due_paths(101).unwrap();
        assert_eq!(first.text(), br#"{"n":{"a":1,"b":2},"x":[1]}"#);
        assert_eq!((first.seq(), first.version(), first.updated_ms()), (3, 4, 6));
        assert_eq!((first.has_due_paths(101), first.next_lapse_ms(101)), (false, Some(200)));
        assert_eq!(first.view().member("x").unwrap().bytes(), b"[1]");
        for document in [&first, &document] {
            let last = document.seen_at(201);
            assert_eq!(last.text(), br#"{"n":{"b":2},"x":[1]}"#);
            assert_eq!((last.timed(), last.next_lapse_ms(201)), (&[][..], None));
        }
        assert_eq!(document.copy().timed(), document.timed());
        // Parts of other forms than these are written in, and more than would be written, lapse as well.
        let mut odd = parsed(r#"{"_a":1,"b":2}"#);
        let mut bytes = Vec::new();
        append(&mut bytes, 200, 2, "_a");
        append(&mut bytes, 100, 1, "b");
        odd.set_timed(&bytes);
        let left = Document::new(&odd, stamp).without_due_paths(150).unwrap();
        assert_eq!((left.text(), left.timed().len()), (&br#"{"_a":1}"#[..], 12));
        assert_eq!(document.seen_at(0).text(), document.text());
    }
}
