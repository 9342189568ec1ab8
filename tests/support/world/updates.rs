//! DOC.UPDATE on the store and on the model.

use std::collections::BTreeMap;

use folio_engine::Code;
use folio_engine::doc::{Document, Parsed};
use folio_engine::path::Path;
use folio_engine::update::{self, Edited, Op, Scope, duration_ns};

use super::{Kind, World, definition, text_of, timed_of};
use crate::generate::updates;
use crate::naive::model::is_same;
use crate::naive::order::compare;
use crate::naive::timed::{apply_all, rises};
use crate::naive::{self, Change, Ground, Json, NaiveField, Timed};

/// How long parts of documents are there.
const AFTER_MS: [i64; 6] = [1, 20, 60, 200, 1000, 100_000];

impl World {
    /// Some operations on a document, or on none with UPSERT.
    pub(super) fn update(&mut self) -> Kind {
        let key = self.key();
        let old = self.open(&key);
        let held = old.as_ref().map(text_of);
        let count = 1 + self.random.below(3);
        let mut changes: Vec<Change> = (0..count)
            .map(|_| updates::change(&mut self.random, &self.schema, held.as_ref()))
            .collect();
        if self.random.chance(25) {
            let at = self.random.below(changes.len() + 1);
            changes.insert(at, updates::ttl(&mut self.random, held.as_ref(), &AFTER_MS));
        }
        for change in &changes {
            let [verb, ..] = change.parts();
            *self.operations.entry(verb).or_insert(0) += 1;
        }
        if self.is_unsure(&key, &changes) {
            return Kind::Update;
        }
        if !self.is_met(&key, old.as_ref()) {
            return Kind::Unmet;
        }
        let is_upsert = old.is_none() && self.random.chance(30);
        if old.is_none() && !is_upsert {
            let expected = self.model.update(&key, &changes, self.now_ms);
            assert_eq!(expected, Err(naive::Refusal::Missing));
            return Kind::Update;
        }
        let expected = self.model.upsert(&key, &changes, self.now_ms);
        let expires_ms = self.space.get(&key).and_then(|entry| entry.expires_ms);
        let edited = self.edit(old.as_ref(), &changes);
        let done = edited.and_then(|edited| self.write(&key, &edited, expires_ms, old.is_none()));
        if done.is_ok() && changes.iter().any(Change::is_arithmetic) {
            self.take_text(&key, &changes);
            self.take_version(&key);
        }
        let before = held.map(|held| held.print());
        let kind = self.compare(
            done,
            expected.map(|_| ()),
            Kind::Update,
            &format!("{changes:?} of {before:?}"),
        );
        if kind == Kind::Update {
            let held = self.model.get(&key, self.now_ms).expect("it was written just now");
            let made = text_of(&self.space[&key].document);
            assert_eq!(made.print(), held.json.print(), "{changes:?} of {before:?}");
            let timed = timed_of(&self.space[&key].document);
            assert_eq!(timed, held.timed, "{changes:?} of {before:?}");
        }
        kind
    }

    /// Whether no page says what becomes of these changes.
    fn is_unsure(&self, key: &str, changes: &[Change]) -> bool {
        let held = self.model.get(key, self.now_ms);
        let empty = || (Json::Object(Vec::new()), Timed::default());
        let (mut json, mut timed) =
            held.map_or_else(empty, |held| (held.json.clone(), held.timed.clone()));
        let ground = Ground { schema: &self.schema, now_ms: self.now_ms };
        let made = apply_all(&mut json, &mut timed, changes, ground);
        // The text of a number that is computed decides whether anything has changed, or what may not.
        let hangs = |field: &NaiveField| field.rules.auto.is_some() || field.rules.immutable;
        let is_auto = self.schema.fields.iter().any(hangs);
        let is_computed = is_auto && changes.iter().any(Change::is_arithmetic);
        let has_timed = held.is_some_and(|held| !held.timed.is_empty());
        let gives = |change: &Change| matches!(change, Change::Ttl(..));
        let has_timed = has_timed || changes.iter().any(gives);
        let is_whole = |change: &Change| matches!(change, Change::Merge(_) | Change::Patch(_));
        let is_other = changes.iter().any(is_whole) && changes.iter().any(Change::is_arithmetic);
        let rises = has_timed && (is_other || changes.iter().any(rises));
        made.is_ok() && (rises || is_computed || timed.is_unsure(&self.schema))
    }

    /// The language fixes the value of a number that is computed and not its text, so the model takes that from the store.
    fn take_text(&mut self, key: &str, changes: &[Change]) {
        let json = text_of(&self.space[key].document);
        let schema = &self.schema;
        let Some(held) = self.model.documents.iter_mut().find(|held| held.key == key) else {
            return;
        };
        // A decimal is known digit for digit.
        let is_equal = |path: &naive::Path| {
            let (left, right) = (path.values(&held.json), path.values(&json));
            let kind = schema.kind_of(path);
            compare(left.first().copied(), right.first().copied(), kind).is_eq()
        };
        let mut paths = changes.iter().filter_map(Change::path);
        if is_same(&held.json, &json) && paths.all(is_equal) {
            held.json = json;
        }
    }

    /// What the engine makes of a document.
    fn edit(&self, old: Option<&Document>, changes: &[Change]) -> Result<Edited, Code> {
        let ops: Vec<Op> = changes.iter().map(op).collect();
        let definition = definition(&self.schema);
        let scope = Scope {
            definition: &definition,
            now_ms: self.now_ms,
            limits: &self.limits,
            functions: None,
            pace: None,
        };
        let mut empty = Parsed::default();
        empty.parse(b"{}", &self.limits).expect("an empty object is JSON");
        let view = old.map_or(empty.view(), Document::view);
        update::apply(view, &ops, &scope).map_err(|error| error.code)
    }

    /// How often each operation of DOC.UPDATE was drawn.
    pub fn operations(&self) -> &BTreeMap<String, usize> {
        &self.operations
    }
}

fn path(path: &naive::Path) -> Path {
    Path::parse(&path.text(), 32).expect("the model's paths are paths")
}

fn text(json: &Json) -> Box<[u8]> {
    json.print().into_bytes().into()
}

/// The operation as the engine has it.
fn op(change: &Change) -> Op {
    match change {
        Change::Set(at, json) => Op::Set(path(at), text(json)),
        Change::Unset(at) => Op::Unset(path(at)),
        Change::Incr(at, json) => Op::Incr(path(at), text(json)),
        Change::Mul(at, json) => Op::Mul(path(at), text(json)),
        Change::Min(at, json) => Op::Min(path(at), text(json)),
        Change::Max(at, json) => Op::Max(path(at), text(json)),
        Change::Push(at, json) => Op::Push(path(at), text(json)),
        Change::Pop(at, index) => Op::Pop(path(at), *index),
        Change::Add(at, json) => Op::Add(path(at), text(json)),
        Change::Pull(at, json) => Op::Pull(path(at), text(json)),
        Change::Rename(from, to) => Op::Rename(path(from), path(to)),
        Change::Toggle(at) => Op::Toggle(path(at)),
        Change::Now(at, later) => {
            let later = if later.is_empty() { Some(0) } else { duration_ns(later) };
            Op::Now(path(at), later.expect("drawn durations are durations"))
        }
        Change::Merge(json) => Op::Merge(text(json)),
        Change::Patch(json) => Op::Patch(text(json)),
        Change::Ttl(at, after_ms) => Op::Ttl(path(at), *after_ms),
    }
}
