//! What the change streams of collections are to tell, as the model knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use folio_tests::generate::Random;
use folio_tests::naive::Json;

use crate::world::{Doc, Entry, Held, SOON, World};

/// Keeps what is drawn here apart from the schema that the same seed stands for.
const SALT: u64 = 0x7e11_7e11;
/// How a key is known whose id the server has made.
pub const MADE: &str = "made";

/// What entries hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Keys,
    After,
    Both,
}

impl What {
    /// What a collection declares that is made from a seed.
    pub fn of(seed: u64) -> Option<Self> {
        match Random::new(seed ^ SALT).below(10) {
            0..4 => Some(Self::Both),
            4 => Some(Self::After),
            5 => Some(Self::Keys),
            _ => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Keys => "KEYS",
            Self::After => "AFTER",
            Self::Both => "BOTH",
        }
    }
}

/// A change that is told.
#[derive(Clone, Debug)]
pub struct Told {
    pub op: &'static str,
    pub key: String,
    pub cause: Option<&'static str>,
    /// The name of the version, where it is known which one that is.
    pub stamp: Option<u64>,
    /// The document as it is then, and whether its text is known digit for digit.
    pub after: Option<(Json, bool)>,
    /// The server may have come before it, so that it did not happen.
    pub is_optional: bool,
    /// The command that did it, if nobody says in which order it does what it does.
    pub group: Option<u64>,
}

impl Told {
    /// Whether the server does it at a time of its own.
    pub fn is_floating(&self) -> bool {
        is_floating(self.op, self.cause)
    }
}

/// Whether the server makes such an entry at a time of its own.
pub fn is_floating(op: &str, cause: Option<&str>) -> bool {
    matches!(op, "expire" | "evict") || cause == Some("ttl")
}

/// The stream of a collection, declared or not any more.
#[derive(Clone, Debug)]
pub struct Stream {
    pub what: What,
    pub is_declared: bool,
    /// What was to be told since the last comparison.
    pub told: Vec<Rc<Told>>,
    /// The documents of which a new declaration does not tell.
    pub base: Option<Rc<BTreeMap<String, Json>>>,
    /// The stream began anew: with which number, only the server knows.
    pub is_anew: bool,
    /// Keys of which it may tell that they lapsed.
    pub maybe: BTreeSet<String>,
}

impl World {
    /// The stream that tells of a key.
    fn stream(&mut self, db: usize, key: &str) -> Option<&mut Stream> {
        let name = self.spaces[db].place(key)?;
        let stream = self.spaces[db].streams.get_mut(&name);
        stream.filter(|stream| stream.is_declared)
    }

    fn tell(&mut self, db: usize, told: Told) {
        let told = Told { group: self.group, ..told };
        if let Some(stream) = self.stream(db, &told.key) {
            stream.told.push(Rc::new(told));
        }
    }

    /// What is told in between comes in an order that nobody says.
    pub fn in_any_order<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.group = Some(self.number());
        let done = work(self);
        self.group = None;
        done
    }

    /// A document has come, or another text.
    pub fn tell_of(
        &mut self,
        db: usize,
        op: &'static str,
        key: &str,
        doc: &Doc,
        cause: Option<&'static str>,
    ) {
        let after = Some((doc.json.clone(), doc.exact));
        let (key, stamp) = (key.to_owned(), Some(doc.stamp));
        self.tell(db, Told { op, key, cause, stamp, after, is_optional: false, group: None });
    }

    /// A document is gone.
    pub fn tell_removal(
        &mut self,
        db: usize,
        op: &'static str,
        key: &str,
        doc: &Doc,
        cause: Option<&'static str>,
    ) {
        let (key, stamp) = (key.to_owned(), Some(doc.stamp));
        self.tell(db, Told { op, key, cause, stamp, after: None, is_optional: false, group: None });
    }

    /// Tells of what lapses: documents that are not marked as deleted.
    pub fn tell_lapse(&mut self, db: usize, key: &str) {
        let Some(Entry { held: Held::Doc(doc), .. }) = self.spaces[db].entries.get(key) else {
            return;
        };
        // The server may have removed parts before the whole.
        let (stamp, lapsing) = ((!doc.has_soon()).then_some(doc.stamp), doc.soon_len());
        self.tell_lapsing(db, key, lapsing);
        let key = key.to_owned();
        let cause = None;
        self.tell(
            db,
            Told { op: "expire", key, cause, stamp, after: None, is_optional: false, group: None },
        );
    }

    /// Tells that so many parts of a document may have been removed before that of which is told next.
    pub fn tell_lapsing(&mut self, db: usize, key: &str, parts: usize) {
        for _ in 0..parts {
            let part = Told {
                op: "update",
                key: key.to_owned(),
                cause: Some("ttl"),
                stamp: None,
                after: None,
                is_optional: true,
                group: None,
            };
            self.tell(db, part);
        }
    }

    /// A collection is declared, with a stream or without.
    pub fn begin_stream(&mut self, name: &str, what: Option<What>) {
        let Some(what) = what else { return };
        let space = self.space();
        let docs = space.members(name).into_iter();
        let base = docs.map(|(key, doc)| (key.clone(), doc.json.clone())).collect();
        let gone = space.leftovers.iter().filter(|key| space.place(key).as_deref() == Some(name));
        let mut maybe: BTreeSet<String> = gone.cloned().collect();
        let before = self.space().streams.get(name);
        maybe.extend(before.into_iter().flat_map(|before| before.maybe.clone()));
        let (told, is_anew) = before.map(|it| (it.told.clone(), it.is_anew)).unwrap_or_default();
        let base = Some(Rc::new(base));
        let stream = Stream { what, is_declared: true, told, base, is_anew, maybe };
        self.space_mut().streams.insert(name.to_owned(), stream);
    }

    /// A declaration is gone; where the documents go with it, that is told.
    pub fn end_stream(&mut self, name: &str, documents: bool) {
        let Some(stream) = self.space_mut().streams.get_mut(name) else { return };
        if !std::mem::take(&mut stream.is_declared) {
            return;
        }
        stream.may_lapse();
        if documents {
            stream.told.push(Rc::new(flush(name, Some("drop"))));
        }
    }

    /// A database is flushed, its streams with it.
    pub fn flush_streams(&mut self, db: usize) {
        for (name, stream) in &mut self.spaces[db].streams {
            stream.told.clear();
            stream.maybe.clear();
            stream.is_anew = true;
            if stream.is_declared {
                stream.told.push(Rc::new(flush(name, None)));
            }
        }
    }
}

impl Stream {
    /// Whether parts of a document may have lapsed before it did.
    pub fn may_lose_parts(&self, key: &str) -> bool {
        let is_told = |is: fn(&Told) -> bool| self.told.iter().any(|it| it.key == key && is(it));
        is_told(|told| told.is_optional)
            && (is_told(|told| told.op == "expire") || self.maybe.contains(key))
    }

    /// Whether what has lapsed is told hangs on what the server does first.
    pub fn may_lapse(&mut self) {
        let lapses = self.told.iter().filter(|told| told.op == "expire");
        self.maybe.extend(lapses.map(|told| told.key.clone()));
        self.told.retain(|told| told.op != "expire");
    }
}

/// All documents of a collection are gone.
fn flush(name: &str, cause: Option<&'static str>) -> Told {
    let key = format!("{name} as a whole");
    Told { op: "flush", key, cause, stamp: None, after: None, is_optional: false, group: None }
}

/// Whether a document that is given so much time is gone when the clock goes on.
pub fn is_soon(entry: &Entry) -> bool {
    entry.ttl == Some(SOON)
}
