//! What a writer's documents have to be: after the commands that were answered exactly, and after each of those that were
//! open when the link broke.

use std::collections::BTreeMap;

use redis::Value;

use crate::op::{Change, DATABASES, Members, Op, Source, Ttl, Unit, When, text};

/// What is known of a version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Version {
    Is(u64),
    /// It was given and not told, and is higher than this.
    Above(u64),
}

/// When a document lapses: between these instants, in milliseconds since 1970. The driver knows a TTL that counts from the
/// command no better than when it was sent and answered.
pub type Expiry = Option<(i64, i64)>;

/// A document, as the driver knows it.
#[derive(Clone, Debug)]
pub struct Doc {
    pub members: Members,
    pub version: Version,
    pub expiry: Expiry,
}

/// A document, as the server shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub text: String,
    pub version: u64,
    pub seq: u64,
    pub expires_ms: Option<i64>,
}

/// A database and a key.
pub type Place = (usize, String);

/// When a command was carried out: not before the first, not after the second.
pub type Window = (i64, i64);

/// What is to be answered.
#[derive(Debug, PartialEq)]
enum Expected {
    /// The version that the document at this place now has.
    Version(Place),
    Nil,
    Int(i64),
    Fine,
    /// An error that begins so.
    Error(&'static str),
}

/// The documents and declarations of one writer.
#[derive(Clone, Debug)]
pub struct World {
    writer: usize,
    /// The selected database.
    pub db: usize,
    pub docs: BTreeMap<Place, Doc>,
    /// How the writer's own collection is declared in each database.
    pub declared: [Option<usize>; DATABASES],
    /// The highest version known of each collection.
    highest: BTreeMap<Place, u64>,
}

impl World {
    /// A writer that has written nothing.
    pub fn new(writer: usize) -> Self {
        let (docs, highest) = (BTreeMap::new(), BTreeMap::new());
        Self { writer, db: 0, docs, declared: [None; DATABASES], highest }
    }

    /// Takes the answer to a unit: what it did is sure now. The error says what is wrong with the answer.
    pub fn answered(&mut self, unit: &Unit, reply: &Value, window: Window) -> Result<(), String> {
        let wrong = |what: String| format!("{unit:?} gave {reply:?}: {what}");
        match unit {
            Unit::Select(db) => self.db = *db,
            Unit::Meta(at) => self.told(at, reply).map_err(wrong)?,
            Unit::One(op) => self.settle(op, reply, window).map_err(wrong)?,
            Unit::Multi(ops) | Unit::Script(ops) => {
                let Value::Array(replies) = reply else { return Err(wrong("no array".into())) };
                if replies.len() != ops.len() {
                    return Err(wrong("another count".into()));
                }
                for (op, reply) in ops.iter().zip(replies) {
                    self.settle(op, reply, window).map_err(&wrong)?;
                }
            }
        }
        Ok(())
    }

    /// All that the writer's documents may be after a unit whose answer never came.
    pub fn outcomes(&self, unit: &Unit, window: Window) -> Vec<World> {
        let ops = match unit {
            Unit::Select(db) => return vec![World { db: *db, ..self.clone() }],
            Unit::Meta(_) => return vec![self.clone()],
            Unit::One(op) => std::slice::from_ref(op),
            Unit::Multi(ops) | Unit::Script(ops) => ops,
        };
        let mut worlds = vec![self.clone()];
        for op in ops {
            let mut next = Vec::new();
            for world in worlds {
                if world.may_be_refused(op) {
                    next.push(world.clone());
                }
                let mut done = world;
                done.apply(op, window);
                next.push(done);
            }
            worlds = next;
        }
        worlds
    }

    /// Whether another writer may hold the value that the document is to have.
    fn may_be_refused(&self, op: &Op) -> bool {
        let (at, has_mail) = match op {
            Op::Set { at, members, .. } => (at, members.iter().any(|(name, _)| *name == "mail")),
            Op::Update { at, changes } => {
                (at, changes.iter().any(|change| matches!(change, Change::Put("mail", _))))
            }
            _ => return false,
        };
        self.db == 0 && at.starts_with("people:") && has_mail
    }

    fn settle(&mut self, op: &Op, reply: &Value, window: Window) -> Result<(), String> {
        let error = match reply {
            Value::ServerError(error) => Some(error.code().to_owned()),
            _ => None,
        };
        if error.as_deref() == Some("UNIQUE") && self.may_be_refused(op) {
            return Ok(());
        }
        let expected = self.apply(op, window);
        match (&expected, reply) {
            (Expected::Version(place), Value::Int(version)) => {
                self.version_is(&place.clone(), u64::try_from(*version).unwrap_or(0))
            }
            (Expected::Int(wanted), Value::Int(given)) if wanted == given => Ok(()),
            (Expected::Nil, Value::Nil) | (Expected::Fine, Value::Okay) => Ok(()),
            // Within a script.
            (Expected::Fine, Value::SimpleString(text)) if text == "OK" => Ok(()),
            (Expected::Error(code), _) if error.as_deref() == Some(*code) => Ok(()),
            _ => Err(format!("{op:?} in database {} was to give {expected:?}", self.db)),
        }
    }

    /// The version of the document at this place was told.
    fn version_is(&mut self, place: &Place, version: u64) -> Result<(), String> {
        let highest = self.highest.entry((place.0, collection(&place.1))).or_default();
        *highest = version.max(*highest);
        // A document that lapsed at once has none any more.
        let Some(doc) = self.docs.get_mut(place) else { return Ok(()) };
        let fits = match doc.version {
            Version::Is(known) => known == version,
            Version::Above(floor) => version > floor,
        };
        let known = std::mem::replace(&mut doc.version, Version::Is(version));
        if fits { Ok(()) } else { Err(format!("{place:?} is to have version {known:?}")) }
    }

    fn told(&mut self, at: &str, reply: &Value) -> Result<(), String> {
        let place = (self.db, at.to_owned());
        let version = match reply {
            Value::Array(pairs) => match pairs.get(3) {
                Some(Value::Int(version)) => u64::try_from(*version).ok(),
                _ => None,
            },
            _ => None,
        };
        match (version, self.docs.contains_key(&place)) {
            (Some(version), true) => self.version_is(&place, version),
            (None, false) if *reply == Value::Nil => Ok(()),
            (_, is_there) => Err(format!("the document is there: {is_there}")),
        }
    }

    /// A version that is given now and not told.
    fn next_version(&mut self, db: usize, at: &str) -> Version {
        Version::Above(self.highest.get(&(db, collection(at))).copied().unwrap_or(0))
    }

    /// Does what the command does if nothing of others is in its way, and gives its answer.
    fn apply(&mut self, op: &Op, window: Window) -> Expected {
        let db = self.db;
        let here = |at: &String| (db, at.clone());
        match op {
            Op::Set { at, members, ttl, when } => self.set(here(at), members, *ttl, *when, window),
            Op::Update { at, changes } => self.update(here(at), changes),
            Op::Remove { at, .. } => Expected::Int(self.docs.remove(&here(at)).is_some().into()),
            Op::Rename { from, to } => {
                let Some(mut doc) = self.docs.remove(&here(from)) else {
                    return Expected::Error("ERR");
                };
                doc.version = self.next_version(db, to);
                self.docs.insert(here(to), doc);
                Expected::Fine
            }
            Op::Copy { from, to, db: target, replace } => {
                let is_free = *replace || !self.docs.contains_key(&(*target, to.clone()));
                let doc = self.docs.get(&here(from)).filter(|_| is_free).cloned();
                let Some(mut doc) = doc else { return Expected::Int(0) };
                doc.version = self.next_version(*target, to);
                self.docs.insert((*target, to.clone()), doc);
                Expected::Int(1)
            }
            Op::Move { at, db: target } => {
                let place = (*target, at.clone());
                if self.docs.contains_key(&place) {
                    return Expected::Int(0);
                }
                let Some(mut doc) = self.docs.remove(&here(at)) else { return Expected::Int(0) };
                doc.version = self.next_version(*target, at);
                self.docs.insert(place, doc);
                Expected::Int(1)
            }
            Op::Retime { at, ttl } => {
                let Some(doc) = self.docs.get_mut(&here(at)) else { return Expected::Int(0) };
                let had = doc.expiry.is_some();
                doc.expiry = expiry(*ttl, None, window);
                Expected::Int((doc.expiry.is_some() || had).into())
            }
            Op::Create { form, .. } => match self.declared[db] {
                Some(there) if there != *form => Expected::Error("COLLECTIONEXISTS"),
                _ => {
                    self.declared[db] = Some(*form);
                    Expected::Fine
                }
            },
            Op::Drop { name, documents } => self.drop_collection(name, *documents),
        }
    }

    fn set(
        &mut self,
        place: Place,
        members: &Members,
        ttl: Ttl,
        when: When,
        window: Window,
    ) -> Expected {
        let old = self.docs.get(&place);
        if (when == When::Absent && old.is_some()) || (when == When::Present && old.is_none()) {
            return Expected::Nil;
        }
        let is_same = old.is_some_and(|old| text(&old.members) == text(members));
        let expiry = expiry(ttl, old.and_then(|old| old.expiry), window);
        let version = match old {
            Some(old) if is_same => old.version,
            _ => self.next_version(place.0, &place.1),
        };
        self.docs.insert(place.clone(), Doc { members: members.clone(), version, expiry });
        Expected::Version(place)
    }

    fn update(&mut self, place: Place, changes: &[Change]) -> Expected {
        let next = self.next_version(place.0, &place.1);
        let Some(doc) = self.docs.get_mut(&place) else { return Expected::Error("NOTFOUND") };
        let before = text(&doc.members);
        for change in changes {
            match change {
                Change::Put(name, value) => {
                    match doc.members.iter_mut().find(|(there, _)| there == name) {
                        Some((_, there)) => there.clone_from(value),
                        None => doc.members.push((name, value.clone())),
                    }
                }
                Change::Unset(name) => doc.members.retain(|(there, _)| there != name),
                Change::Increment(by) => {
                    let n = doc.members.iter_mut().find(|(name, _)| *name == "n");
                    let (_, n) = n.expect("every document has a number");
                    let sum = n.parse::<i64>().expect("it is an integer") + by;
                    *n = sum.to_string();
                }
            }
        }
        if text(&doc.members) != before {
            doc.version = next;
        }
        Expected::Version(place)
    }

    fn drop_collection(&mut self, name: &str, documents: bool) -> Expected {
        let db = self.db;
        let is_of = |place: &Place| place.0 == db && collection(&place.1) == name;
        let is_empty = !self.docs.keys().any(is_of);
        if self.declared[db].is_none() && (is_empty || !documents) {
            return Expected::Error("NOCOLLECTION");
        }
        self.declared[db] = None;
        if documents {
            self.docs.retain(|place, _| !is_of(place));
        }
        Expected::Fine
    }

    /// How the server's documents of this writer differ from these; `now` are the instants between which they were read.
    pub fn difference(
        &self,
        seen: &BTreeMap<Place, Seen>,
        declared: [Option<usize>; DATABASES],
        now: Window,
    ) -> Option<String> {
        if self.declared != declared {
            let name = Source::own(self.writer);
            return Some(format!("{name} is declared {declared:?}, not {:?}", self.declared));
        }
        for (place, doc) in &self.docs {
            let Some(there) = seen.get(place) else {
                // It may have lapsed before it was looked for.
                if doc.expiry.is_some_and(|(earliest, _)| earliest <= now.1) {
                    continue;
                }
                return Some(format!("{place:?} is lost: {doc:?}"));
            };
            let is_version = match doc.version {
                Version::Is(known) => known == there.version,
                Version::Above(floor) => there.version > floor,
            };
            let is_expiry = match (doc.expiry, there.expires_ms) {
                (None, None) => true,
                (Some((earliest, latest)), Some(at)) => {
                    (earliest..=latest).contains(&at) && at >= now.0
                }
                _ => false,
            };
            if !is_version || !is_expiry || there.text != text(&doc.members) {
                return Some(format!("{place:?} is {there:?}, not {doc:?}"));
            }
        }
        let extra = seen.keys().find(|place| !self.docs.contains_key(place));
        extra.map(|place| format!("{place:?} is there: {:?}", seen[place]))
    }

    /// Takes over what is there, which is one of the outcomes: nothing is unknown any more.
    pub fn take(&mut self, seen: &BTreeMap<Place, Seen>) {
        self.docs.retain(|place, _| seen.contains_key(place));
        for (place, doc) in &mut self.docs {
            let there = &seen[place];
            doc.version = Version::Is(there.version);
            doc.expiry = there.expires_ms.map(|at| (at, at));
            let highest = self.highest.entry((place.0, collection(&place.1))).or_default();
            *highest = there.version.max(*highest);
        }
    }
}

/// The collection of a key.
pub fn collection(key: &str) -> String {
    key.split(':').next().unwrap_or_default().to_owned()
}

fn expiry(ttl: Ttl, old: Expiry, (sent, answered): Window) -> Expiry {
    match ttl {
        Ttl::Drop => None,
        Ttl::Keep => old,
        Ttl::At(at) => Some((at, at)),
        Ttl::In(ms) => Some((sent + ms, answered + ms)),
    }
}
