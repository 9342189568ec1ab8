//! A collection as a list of documents: what Folio's commands do to it, without any index.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{
    constraint::Auto,
    filter::Filter,
    json::Json,
    meta::{Facts, Frame, Scope},
    order::{OrderBy, compare, compare_documents},
    path::Path,
    schema::{Kind, NaiveSchema},
    time,
    timed::{Timed, apply_all},
    unique::Unique,
    update::{Change, Ground},
};

/// Why a write was refused. The server's error begins with the same word in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A declared type, REQUIRED, NULLABLE or STRICT is broken at this path.
    Schema(String),
    /// A UNIQUE value is held by this key.
    Unique(String),
    /// An update's path leads nowhere, or through a value that has no members.
    Path(String),
    /// INCR or MUL met, or was given, something that is not a number.
    NotANumber(String),
    /// INCR or MUL left the range of integers or of doubles, or NOW the years of RFC 3339.
    Overflow(String),
    /// PATCH tests for another value than stands there.
    Test(String),
    /// There is no such document.
    Missing,
}

/// A document of the model.
#[derive(Clone, Debug)]
pub struct NaiveDocument {
    /// The whole key, prefix included.
    pub key: String,
    /// What is stored.
    pub json: Json,
    /// The order in which documents came to the collection.
    pub birth: u64,
    /// The collection's revision counter at the last change.
    pub version: u64,
    /// When it was born, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_ms: i64,
    /// When it lapses, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Its parts that lapse by themselves.
    pub timed: Timed,
    /// It is marked as deleted, and asked for nevertheless: it holds no unique value.
    pub is_deleted: bool,
}

/// A collection of the model. Versions are comparable with each other, not with a server's.
#[derive(Clone, Debug, Default)]
pub struct NaiveCollection {
    /// What is declared.
    pub schema: NaiveSchema,
    /// The documents, lapsed ones included until a write meets them, in no particular order.
    pub documents: Vec<NaiveDocument>,
    /// What stands before the id in the collection's keys.
    pub prefix: String,
    births: u64,
    revision: u64,
}

impl NaiveCollection {
    /// An empty collection.
    pub fn new(schema: NaiveSchema) -> Self {
        Self { schema, ..Self::default() }
    }

    /// The document under a key, unless it has lapsed.
    pub fn get(&self, key: &str, now_ms: i64) -> Option<&NaiveDocument> {
        self.documents.iter().find(|document| document.key == key && document.is_live(now_ms))
    }

    /// `DOC.SET`: writes the whole document and its time to live. Replies the version.
    pub fn set(
        &mut self,
        key: &str,
        json: Json,
        expires_ms: Option<i64>,
        now_ms: i64,
    ) -> Result<u64, Refusal> {
        let json = self.filled(key, json, &Timed::default(), (true, now_ms));
        self.judge(key, &json, now_ms)?;
        self.judge_unique(key, &json, now_ms)?;
        self.remove_lapsed(now_ms);
        let version = self.store(key, json, Timed::default(), now_ms);
        self.expire(key, expires_ms, now_ms);
        Ok(version)
    }

    /// `DOC.UPDATE`: all operations in order, or none. The time to live stays. Replies the version.
    pub fn update(&mut self, key: &str, changes: &[Change], now_ms: i64) -> Result<u64, Refusal> {
        let held = self.get(key, now_ms).ok_or(Refusal::Missing)?.clone();
        self.change(key, (held.json, held.timed), changes, now_ms)
    }

    /// The same with UPSERT: an absent document begins as `{}`.
    pub fn upsert(&mut self, key: &str, changes: &[Change], now_ms: i64) -> Result<u64, Refusal> {
        let held = self.get(key, now_ms).map(|it| (it.json.clone(), it.timed.clone()));
        let empty = || (Json::Object(Vec::new()), Timed::default());
        self.change(key, held.unwrap_or_else(empty), changes, now_ms)
    }

    fn change(
        &mut self,
        key: &str,
        (mut json, mut timed): (Json, Timed),
        changes: &[Change],
        now_ms: i64,
    ) -> Result<u64, Refusal> {
        let before = timed.clone();
        apply_all(&mut json, &mut timed, changes, Ground { schema: &self.schema, now_ms })?;
        let is_birth = self.get(key, now_ms).is_none();
        let json = self.filled(key, json, &timed, (is_birth, now_ms));
        self.judge(key, &json, now_ms)?;
        if let Some(path) = timed.breach(&self.schema).filter(|_| timed != before) {
            return Err(Refusal::Schema(path));
        }
        self.judge_unique(key, &json, now_ms)?;
        self.remove_lapsed(now_ms);
        Ok(self.store(key, json, timed, now_ms))
    }

    /// `DOC.DEL` of one key: whether there was a document.
    pub fn delete(&mut self, key: &str, now_ms: i64) -> bool {
        let was_there = self.get(key, now_ms).is_some();
        self.documents.retain(|document| document.key != key);
        was_there
    }

    /// Sets or, with none, takes away the time to live: whether there was a document.
    pub fn expire(&mut self, key: &str, expires_ms: Option<i64>, now_ms: i64) -> bool {
        let is_match =
            |document: &&mut NaiveDocument| document.key == key && document.is_live(now_ms);
        let Some(document) = self.documents.iter_mut().find(is_match) else { return false };
        document.expires_ms = expires_ms;
        if expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms) {
            self.documents.retain(|document| document.key != key);
        }
        true
    }

    /// Time goes on: what is due of documents leaves them.
    pub fn lapse_parts(&mut self, now_ms: i64) {
        for document in &mut self.documents {
            if document.timed.lapse(&mut document.json, now_ms) {
                self.revision += 1;
                document.version = self.revision;
                document.updated_ms = now_ms;
            }
        }
    }

    /// `RENAME` onto a key that is free: a birth under the new key, which nothing judges.
    pub fn rename(&mut self, source: &str, target: &str) {
        self.copy(source, target);
        self.documents.retain(|document| document.key != source);
    }

    /// `COPY` onto a key that is free: a birth under the new key, which nothing judges.
    pub fn copy(&mut self, source: &str, target: &str) {
        let held = self.documents.iter().find(|document| document.key == source);
        let Some(mut document) = held.cloned() else { return };
        self.births += 1;
        self.revision += 1;
        target.clone_into(&mut document.key);
        document.birth = self.births;
        document.version = self.revision;
        self.documents.push(document);
    }

    /// `DOC.FIND`: the keys that match, in order, from `limit.0` on and at most `limit.1`.
    pub fn find(
        &self,
        filter: Option<&Filter>,
        order: &[OrderBy],
        limit: Option<(usize, usize)>,
        now_ms: i64,
    ) -> Vec<&str> {
        let mut rows = self.matches(filter, now_ms);
        rows.sort_by(|(left, of_left), (right, of_right)| {
            let left = self.scope(left, of_left, now_ms);
            compare_documents(&left, &self.scope(right, of_right, now_ms), order)
        });
        let (offset, count) = limit.unwrap_or((0, usize::MAX));
        rows.into_iter().skip(offset).take(count).map(|(row, _)| row.key.as_str()).collect()
    }

    /// `DOC.DISTINCT`: the values that the path leads to, each once, ascending; of equal ones that
    /// of the earliest born document.
    pub fn distinct(&self, path: &Path, filter: Option<&Filter>, now_ms: i64) -> Vec<Json> {
        let mut values = Vec::new();
        for (document, facts) in self.by_birth(filter, now_ms) {
            values.extend(self.scope(document, &facts, now_ms).shown_values(path));
        }
        distinct_values(values, self.kind_of(path).as_ref())
    }

    /// The type that governs a path of the documents.
    pub fn kind_of(&self, path: &Path) -> Option<Kind> {
        Frame::document(&self.schema).kind_of(path)
    }

    /// The documents that match, with their metadata, by birth.
    pub fn by_birth(&self, filter: Option<&Filter>, now_ms: i64) -> Vec<(&NaiveDocument, Facts)> {
        let mut rows = self.matches(filter, now_ms);
        rows.sort_by_key(|(document, _)| document.birth);
        rows
    }

    /// `DOC.COUNT`.
    pub fn count(&self, filter: Option<&Filter>, now_ms: i64) -> usize {
        self.matches(filter, now_ms).len()
    }

    fn matches(&self, filter: Option<&Filter>, now_ms: i64) -> Vec<(&NaiveDocument, Facts)> {
        let sharing = self.sharing(now_ms);
        let facts = |document: &NaiveDocument| {
            let is_valid = !sharing.contains(document.key.as_str())
                && self.schema.breach(&document.json).is_none()
                && !self.schema.has_huge_number(&document.json);
            Facts { is_valid, ..self.facts(document) }
        };
        let live = self.documents.iter().filter(|document| document.is_live(now_ms));
        live.map(|document| (document, facts(document)))
            .filter(|(document, facts)| {
                let scope = self.scope(document, facts, now_ms);
                filter.is_none_or(|filter| filter.holds_in(&scope))
            })
            .collect()
    }

    /// The metadata of a document, as if it were valid.
    fn facts(&self, document: &NaiveDocument) -> Facts {
        let key = document.key.clone();
        Facts {
            id: key.strip_prefix(&self.prefix).unwrap_or(&key).to_owned(),
            key,
            sequence: document.birth,
            version: document.version,
            created_ms: document.created_ms,
            updated_ms: document.updated_ms,
            expires_ms: document.expires_ms,
            is_valid: true,
        }
    }

    /// A document as filters, orders and reducers see it.
    pub fn scope<'a>(
        &'a self,
        document: &'a NaiveDocument,
        facts: &'a Facts,
        now_ms: i64,
    ) -> Scope<'a> {
        Scope::document(&document.json, &self.schema, facts, now_ms)
    }

    /// What the server makes of a text before it judges it: `whole` of one that is written as a whole.
    fn filled(
        &self,
        key: &str,
        mut json: Json,
        timed: &Timed,
        (whole, now_ms): (bool, i64),
    ) -> Json {
        if !self.schema.fills() {
            return json;
        }
        let old = self.get(key, now_ms);
        let text = |at_ms: i64| {
            Json::String(time::text(&at_ms.into()).expect("the clock of the tests is in our era"))
        };
        let born = text(old.map_or(now_ms, |old| old.created_ms));
        let changed =
            |path: &Path| old.and_then(|old| path.values(&old.json).first().copied().cloned());
        self.schema.fill(&mut json, whole, |auto, path| match auto {
            Auto::Now => born.clone(),
            Auto::Updated => changed(path).unwrap_or_else(|| text(now_ms)),
        });
        // A write that changes nothing else changes nothing.
        if !old.is_some_and(|old| old.json == json && old.timed == *timed) {
            self.schema.fill(&mut json, whole, |auto, _| match auto {
                Auto::Now => born.clone(),
                Auto::Updated => text(now_ms),
            });
        }
        json
    }

    fn judge(&self, key: &str, json: &Json, now_ms: i64) -> Result<(), Refusal> {
        let old = self.get(key, now_ms);
        let broken = self.schema.breach(json);
        match broken.or_else(|| self.schema.moved(&old?.json, json)) {
            Some(path) => Err(Refusal::Schema(path)),
            None => Ok(()),
        }
    }

    fn judge_unique(&self, key: &str, json: &Json, now_ms: i64) -> Result<(), Refusal> {
        for rule in Unique::all(&self.schema) {
            let mine = rule.held(json);
            if mine.is_empty() {
                continue;
            }
            let others = self.documents.iter().filter(|other| other.key != key);
            for other in others.filter(|other| other.is_live(now_ms)) {
                if rule.share(&mine, &rule.held(&other.json)) {
                    return Err(Refusal::Unique(other.key.clone()));
                }
            }
        }
        Ok(())
    }

    /// The documents that share a unique value with another.
    fn sharing(&self, now_ms: i64) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for rule in Unique::all(&self.schema) {
            let live = self.documents.iter().filter(|document| document.is_live(now_ms));
            let live = live.filter(|document| !document.is_deleted);
            let held: Vec<_> = live.map(|it| (it.key.as_str(), rule.held(&it.json))).collect();
            for (at, (key, mine)) in held.iter().enumerate() {
                for (other, theirs) in &held[..at] {
                    if rule.share(mine, theirs) {
                        found.extend([*key, *other]);
                    }
                }
            }
        }
        found
    }

    fn remove_lapsed(&mut self, now_ms: i64) {
        self.documents.retain(|document| document.is_live(now_ms));
    }

    fn store(&mut self, key: &str, json: Json, timed: Timed, now_ms: i64) -> u64 {
        let known = self.documents.iter_mut().find(|document| document.key == key);
        if let Some(document) = known {
            // The same text again is no change.
            if document.json != json || document.timed != timed {
                self.revision += 1;
                (document.json, document.timed) = (json, timed);
                document.version = self.revision;
                document.updated_ms = now_ms;
            }
            return document.version;
        }
        self.births += 1;
        self.revision += 1;
        self.documents.push(NaiveDocument {
            key: key.to_owned(),
            json,
            birth: self.births,
            version: self.revision,
            created_ms: now_ms,
            updated_ms: now_ms,
            expires_ms: None,
            timed,
            is_deleted: false,
        });
        self.revision
    }
}

impl NaiveDocument {
    /// Whether the document has not lapsed: it does when now is greater than its time.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.expires_ms.is_none_or(|expires_ms| now_ms <= expires_ms)
    }
}

/// Each of these values once, ascending; of equal ones the first.
pub fn distinct_values(mut values: Vec<Json>, kind: Option<&Kind>) -> Vec<Json> {
    let order = |left: &Json, right: &Json| compare(Some(left), Some(right), kind);
    // A stable sort: the first of equals stays before the others.
    values.sort_by(order);
    values.dedup_by(|later, earlier| order(earlier, later).is_eq());
    values
}

/// Whether two JSON values are equal as ORDER sees them: numbers by value, members in any order.
pub fn is_same(left: &Json, right: &Json) -> bool {
    compare(Some(left), Some(right), None) == Ordering::Equal
}
