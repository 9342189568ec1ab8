//! Entries of a change stream, read back.

use std::collections::BTreeMap;
use std::fmt;

use folio_tests::Client;
use folio_tests::replica::wait_until;
use folio_tests::reply::{list, text, texts};
use redis::Value;

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub number: u64,
    pub fields: BTreeMap<String, String>,
}

impl Entry {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A field that is a number.
    pub fn count(&self, name: &str) -> u64 {
        self.field(name)
            .and_then(|it| it.parse().ok())
            .unwrap_or_else(|| panic!("{self:?}: {name}"))
    }
}

/// `3 update users:1 #7 (rename) ["a"] {..} -> {..}`: all but the time.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |name| self.field(name);
        write!(f, "{} {}", self.number, field("op").unwrap_or("?"))?;
        if let Some(key) = field("key") {
            write!(f, " {key}")?;
        }
        write!(f, " #{}", field("version").unwrap_or("?"))?;
        if let Some(cause) = field("cause") {
            write!(f, " ({cause})")?;
        }
        if let Some(paths) = field("paths") {
            write!(f, " {paths}")?;
        }
        match (field("before"), field("after")) {
            (None, None) => Ok(()),
            (before, after) => {
                write!(f, " {} -> {}", before.unwrap_or("."), after.unwrap_or("."))
            }
        }
    }
}

/// The entries of an answer of XRANGE, or of one stream of XREAD.
pub fn read(entries: Value) -> Vec<Entry> {
    let one = |entry| {
        let [id, fields] = <[Value; 2]>::try_from(list(entry)).expect("an id and fields");
        let id = text(&id);
        let (number, zero) = id.split_once('-').expect("an id has two parts");
        assert_eq!(zero, "0", "{id}");
        let fields = texts(fields);
        let pairs = fields.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Entry { number: number.parse().expect("a number"), fields: pairs.collect() }
    };
    list(entries).into_iter().map(one).collect()
}

/// All entries of a collection's stream.
pub fn all(c: &mut Client, collection: &str) -> Vec<Entry> {
    read(c.call(&["XRANGE", &format!("changes:{collection}"), "-", "+"]))
}

/// The same as lines.
pub fn lines(c: &mut Client, collection: &str) -> Vec<String> {
    all(c, collection).iter().map(Entry::to_string).collect()
}

/// Waits until nothing is to be written any more: on 7.0 what the server does by itself is told a moment later.
#[track_caller]
pub fn settled(c: &mut Client) {
    wait_until("all changes are told", || c.info_number("folio", "folio_changes_pending") == 0);
}

/// The lines once nothing is to be written any more.
#[track_caller]
pub fn settled_lines(c: &mut Client, collection: &str) -> Vec<String> {
    settled(c);
    lines(c, collection)
}

/// Numbers that follow each other from `first`.
#[track_caller]
pub fn are_gapless(entries: &[Entry], first: u64) {
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    let expected: Vec<u64> = (first..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}
