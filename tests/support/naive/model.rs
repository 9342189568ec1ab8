//! A collection as a list of documents: what Folio's commands do to it, without any index.

use std::cmp::Ordering;

use bigdecimal::ToPrimitive;

use super::{
    filter::Filter,
    json::Json,
    order::{OrderBy, compare, compare_documents},
    path::{Path, Step},
    schema::{Kind, NaiveField, NaiveSchema},
    value::Number,
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
    /// INCR met, or was given, something that is not a number.
    NotANumber(String),
    /// INCR left the range of integers or of doubles.
    Overflow(String),
    /// There is no such document.
    Missing,
}

/// One operation of `DOC.UPDATE`.
#[derive(Clone, Debug)]
pub enum Change {
    /// `SET path json`: missing parents are created as objects.
    Set(Path, Json),
    /// `UNSET path`: nothing happens where the path leads to nothing.
    Unset(Path),
    /// `INCR path n`: a missing value counts as 0.
    Incr(Path, String),
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
    /// When it lapses, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
}

/// A collection of the model. Versions are comparable with each other, not with a server's.
#[derive(Clone, Debug, Default)]
pub struct NaiveCollection {
    /// What is declared.
    pub schema: NaiveSchema,
    /// The documents, lapsed ones included until a write meets them, in no particular order.
    pub documents: Vec<NaiveDocument>,
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
        if let Some(path) = self.schema.breach(&json) {
            return Err(Refusal::Schema(path));
        }
        self.judge_unique(key, &json, now_ms)?;
        self.remove_lapsed(now_ms);
        let version = self.store(key, json);
        self.expire(key, expires_ms, now_ms);
        Ok(version)
    }

    /// `DOC.UPDATE`: all operations in order, or none. The time to live stays. Replies the version.
    pub fn update(&mut self, key: &str, changes: &[Change], now_ms: i64) -> Result<u64, Refusal> {
        let mut json = self.get(key, now_ms).ok_or(Refusal::Missing)?.json.clone();
        for change in changes {
            apply(&mut json, change)?;
        }
        if let Some(path) = self.schema.breach(&json) {
            return Err(Refusal::Schema(path));
        }
        self.judge_unique(key, &json, now_ms)?;
        self.remove_lapsed(now_ms);
        Ok(self.store(key, json))
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
        rows.sort_by(|left, right| {
            let (left, right) = ((&left.json, left.birth), (&right.json, right.birth));
            compare_documents(left, right, order, &self.schema)
        });
        let (offset, count) = limit.unwrap_or((0, usize::MAX));
        rows.into_iter().skip(offset).take(count).map(|row| row.key.as_str()).collect()
    }

    /// `DOC.COUNT`.
    pub fn count(&self, filter: Option<&Filter>, now_ms: i64) -> usize {
        self.matches(filter, now_ms).len()
    }

    fn matches(&self, filter: Option<&Filter>, now_ms: i64) -> Vec<&NaiveDocument> {
        let live = self.documents.iter().filter(|document| document.is_live(now_ms));
        live.filter(|document| {
            filter.is_none_or(|filter| {
                filter.holds(&document.json, &self.schema, self.is_valid(document, now_ms))
            })
        })
        .collect()
    }

    /// Whether a document keeps to the declaration and shares no unique value with another.
    pub fn is_valid(&self, document: &NaiveDocument, now_ms: i64) -> bool {
        self.schema.breach(&document.json).is_none()
            && self.judge_unique(&document.key, &document.json, now_ms).is_ok()
    }

    fn judge_unique(&self, key: &str, json: &Json, now_ms: i64) -> Result<(), Refusal> {
        for field in self.schema.fields.iter().filter(|field| field.unique) {
            let mine = unique_values(field, json);
            let kind = Some(unique_kind(field));
            for other in self.documents.iter().filter(|other| other.key != key) {
                let theirs = unique_values(field, &other.json);
                let clashes = mine.iter().any(|value| {
                    theirs.iter().any(|held| compare(Some(value), Some(held), kind).is_eq())
                });
                if clashes && other.is_live(now_ms) {
                    return Err(Refusal::Unique(other.key.clone()));
                }
            }
        }
        Ok(())
    }

    fn remove_lapsed(&mut self, now_ms: i64) {
        self.documents.retain(|document| document.is_live(now_ms));
    }

    fn store(&mut self, key: &str, json: Json) -> u64 {
        let known = self.documents.iter_mut().find(|document| document.key == key);
        if let Some(document) = known {
            // The same text again is no change.
            if document.json != json {
                self.revision += 1;
                document.json = json;
                document.version = self.revision;
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
            expires_ms: None,
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

/// The values that UNIQUE binds: each element of a declared array, else what the path leads to.
pub fn unique_values<'a>(field: &NaiveField, json: &'a Json) -> Vec<&'a Json> {
    let is_array = matches!(field.kind, Kind::Array(_));
    let path = if is_array { field.path.every() } else { field.path.clone() };
    path.values(json).into_iter().filter(|value| **value != Json::Null).collect()
}

/// The type that values of a unique field are compared under.
pub fn unique_kind(field: &NaiveField) -> &Kind {
    match &field.kind {
        Kind::Array(element) => element,
        kind => kind,
    }
}

/// Carries one operation of an update out on a document.
pub fn apply(json: &mut Json, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::Set(path, value) => {
            *place(json, path)? = value.clone();
            Ok(())
        }
        Change::Unset(path) => unset(json, path),
        Change::Incr(path, by) => {
            let is_there = !path.values(json).is_empty();
            let value = place(json, path)?;
            let now = if is_there { value.clone() } else { Json::Number("0".to_owned()) };
            let Json::Number(now) = now else { return Err(Refusal::NotANumber(path.text())) };
            *value = Json::Number(add(&now, by).ok_or_else(|| Refusal::Overflow(path.text()))?);
            Ok(())
        }
    }
}

/// The place to which a path leads. Where it leads to nothing yet, objects are made, and arrays for the index 0;
/// the index that is an array's length appends.
fn place<'a>(json: &'a mut Json, path: &Path) -> Result<&'a mut Json, Refusal> {
    let mut value = json;
    for (at, step) in path.0.iter().enumerate() {
        let empty = match path.0.get(at + 1) {
            Some(Step::Index(_)) => Json::Array(Vec::new()),
            _ => Json::Object(Vec::new()),
        };
        value = match (step, value) {
            (Step::Name(name), Json::Object(members)) => {
                let at = members.iter().position(|(member, _)| member == name);
                let at = at.unwrap_or_else(|| {
                    members.push((name.clone(), empty));
                    members.len() - 1
                });
                &mut members[at].1
            }
            (Step::Index(index), Json::Array(elements)) => {
                if *index == elements.len() {
                    elements.push(empty);
                }
                elements.get_mut(*index).ok_or_else(|| Refusal::Path(path.text()))?
            }
            _ => return Err(Refusal::Path(path.text())),
        };
    }
    Ok(value)
}

fn unset(json: &mut Json, path: &Path) -> Result<(), Refusal> {
    if path.is_multiple() {
        return Err(Refusal::Path(path.text()));
    }
    if path.values(json).is_empty() {
        return Ok(());
    }
    let (last, before) = path.0.split_last().expect("a path has a step");
    match (last, place(json, &Path(before.to_vec()))?) {
        (Step::Name(name), Json::Object(members)) => members.retain(|(member, _)| member != name),
        (Step::Index(index), Json::Array(elements)) => {
            elements.remove(*index);
        }
        _ => unreachable!("the path led to a value"),
    }
    Ok(())
}

/// The sum, exact where both are integers, else the double; none beyond either's range.
fn add(left: &str, right: &str) -> Option<String> {
    let (left, right) = (Number::read(left), Number::read(right));
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let sum = left + right;
        let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
        return range.contains(&sum).then(|| sum.to_string());
    }
    let double = |number| match number {
        Number::Int(int) => int.to_f64().expect("an i128 is near a double"),
        Number::Double(double) => double,
    };
    let sum: f64 = double(left) + double(right);
    // All digits of an integral double: the shortest ones that read back may be another integer.
    let text = if sum.fract() == 0.0 { format!("{sum:.0}") } else { sum.to_string() };
    sum.is_finite().then_some(text)
}

/// Whether two JSON values are equal as ORDER sees them: numbers by value, members in any order.
pub fn is_same(left: &Json, right: &Json) -> bool {
    compare(Some(left), Some(right), None) == Ordering::Equal
}
