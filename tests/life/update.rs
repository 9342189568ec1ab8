//! DOC.UPDATE, and the conditions that writes may have.

use std::collections::BTreeSet;

use folio_tests::generate::Random;
use folio_tests::naive::model::is_same as has_value_of;
use folio_tests::naive::{self, Ground, Json, Kind, NaiveSchema, Path, Refusal, Timed, timed};

use crate::expect::Expect;
use crate::kinds::OPERATIONS;
use crate::migrate::Migrations;
use crate::op::{Change, Returned, SetTtl, Update, When};
use crate::step::{Plan, naive_collection, plan};
use crate::world::{Doc, Entry, Held, Level, World};

/// A version that no document has.
const NEVER: &str = "4503599627370496";

/// Takes a version from DOC.META; another one is to be refused, this one taken.
const SAME_VERSION: &str = "
    local meta = redis.call('DOC.META', KEYS[1])
    local version = 0
    if meta then
        for i = 1, #meta, 2 do if meta[i] == 'version' then version = meta[i + 1] end end
    end
    local refused = redis.pcall('DOC.UPDATE', KEYS[1], 'IFVERSION', version + 1, unpack(ARGV))
    if not refused.err or string.sub(refused.err, 1, 8) ~= 'VERSION ' then return refused end
    return redis.call('DOC.UPDATE', KEYS[1], 'IFVERSION', version, unpack(ARGV))";

/// IF, as it is drawn for a key.
#[derive(Default)]
pub struct Condition {
    pub words: Vec<String>,
    /// Whether it holds of what stands there, where the model can know.
    pub holds: Option<bool>,
}

/// What operations make of a document.
pub struct Made {
    pub json: Json,
    /// The text is known digit for digit.
    pub exact: bool,
    /// Its parts that lapse by themselves.
    pub timed: Timed,
    /// Its schema version.
    pub schema: u16,
    /// It is what was; none where that is not known.
    pub is_same: Option<bool>,
}

impl Update {
    /// Under what it is counted besides.
    pub fn kinds(&self) -> Vec<&'static str> {
        let is_verb = |verb: &str| self.changes.iter().any(|(own, ..)| own == verb);
        let mut kinds: Vec<&str> =
            OPERATIONS.iter().filter(|(verb, _)| is_verb(verb)).map(|(_, kind)| *kind).collect();
        kinds.extend(self.upsert.then_some("DOC.UPDATE UPSERT"));
        kinds.extend((self.filter != 0).then_some("DOC.UPDATE IF"));
        kinds.extend(match self.when {
            When::Absent | When::Never => Some("DOC.UPDATE IFVERSION unmet"),
            When::SameVersion => Some("DOC.UPDATE IFVERSION met"),
            _ => None,
        });
        kinds.extend(match self.ttl {
            SetTtl::Keep => None,
            SetTtl::Drop => Some("DOC.UPDATE PERSIST"),
            SetTtl::To(_) => Some("DOC.UPDATE EX"),
        });
        kinds
    }
}

/// The words of operations.
pub fn change_words(changes: &[Change]) -> Vec<String> {
    let words = |(verb, path, operand): &Change| {
        let has_operand = !matches!(verb.as_str(), "UNSET" | "TOGGLE");
        let operand = Some(operand).filter(|operand| has_operand && !operand.is_empty());
        let path = Some(path).filter(|path| !path.is_empty());
        let words = [Some(verb), path, operand].into_iter().flatten().cloned();
        words.collect::<Vec<_>>()
    };
    changes.iter().flat_map(words).collect()
}

/// An operation of an update as DOC.TXN has it: its operand is JSON, where it is no path and no duration.
pub fn change_json(change: &Change) -> Json {
    let words = change_words(std::slice::from_ref(change));
    let has_path = !change.1.is_empty();
    let is_text = matches!(change.0.as_str(), "RENAME" | "NOW" | "TTL" | "PTTL");
    let word = |(at, word): (usize, &String)| {
        let is_json = at == 1 + usize::from(has_path) && !is_text;
        let json = Json::parse(word).ok().filter(|_| is_json);
        json.unwrap_or_else(|| Json::String(word.clone()))
    };
    Json::Array(words.iter().enumerate().map(word).collect())
}

/// What operations make of a document under a schema, once it is in the version in force: the code of the error where one is refused.
pub fn made(
    stored: &Doc,
    changes: &[Change],
    schema: &NaiveSchema,
    migrations: &Migrations,
) -> Result<Made, &'static str> {
    // A string is a number where a decimal is declared.
    let is_number = |(verb, path, operand): &Change| {
        let is_text = matches!(verb.as_str(), "INCR" | "MUL") && operand.starts_with('"');
        !is_text || schema.kind_of(&Path::plain(path)) == Some(&Kind::Decimal)
    };
    if !changes.iter().all(is_number) {
        return Err("ERR");
    }
    let old = &migrations.bring(stored, schema)?;
    let (mut json, mut timed) = (old.json.clone(), old.timed.clone());
    let drawn = |(verb, path, operand): &Change| {
        naive::Change::of_parts(verb, path, operand).expect("a drawn change is one")
    };
    let changes: Vec<naive::Change> = changes.iter().map(drawn).collect();
    let exact = old.exact && !changes.iter().any(naive::Change::is_arithmetic);
    let ground = Ground { schema, now_ms: 0 };
    timed::apply_all(&mut json, &mut timed, &changes, ground).map_err(|refusal| match refusal {
        Refusal::Overflow(_) => "OVERFLOW",
        Refusal::Test(_) => "TEST",
        Refusal::Schema(_) => "SCHEMA",
        _ => "PATH",
    })?;
    // Whether a time that is given anew is another one hangs on the clock.
    let is_anew = |change: &naive::Change| match change {
        naive::Change::Ttl(path, Some(after_ms)) => old.timed.0.get(&path.text()) == Some(after_ms),
        _ => false,
    };
    let is_anew = changes.iter().any(is_anew);
    let is_same = sameness(old, &json, &timed, exact).filter(|is_same| !(*is_same && is_anew));
    let is_same = if old.schema == stored.schema { is_same } else { Some(false) };
    Ok(Made { json, exact, timed, schema: old.schema, is_same })
}

/// Whether the outcome hangs on the text of a number that was computed, which the model does not know: what is not of its declared
/// type is compared by its text.
pub fn hangs_on_text(
    old: &Doc,
    changes: &[Change],
    schema: &NaiveSchema,
    migrations: &Migrations,
) -> bool {
    if migrations.is_ahead(old.schema) && !old.exact && !old.timed.is_empty() {
        return true;
    }
    let mut exact = old.exact;
    let gives = |(verb, ..): &Change| matches!(verb.as_str(), "TTL" | "PTTL");
    let has_timed = !old.timed.is_empty() || changes.iter().any(gives);
    changes.iter().any(|(verb, path, operand)| {
        exact = exact && !matches!(verb.as_str(), "INCR" | "MUL");
        let compares = matches!(verb.as_str(), "ADD" | "PULL" | "MIN" | "MAX");
        let is_declared = |path: &Path| schema.kind_of(path).is_some();
        let has_type = |path: Path| is_declared(&path) || is_declared(&path.every());
        let is_whole = has_timed && matches!(verb.as_str(), "MERGE" | "PATCH");
        let from_within = |to: &Path| Path::plain(path).0.starts_with(&to.0);
        let rises = verb == "RENAME" && has_timed && from_within(&Path::plain(operand));
        rises || !exact && (is_whole || compares && has_type(Path::plain(path)))
    })
}

/// What stands in the model where the server puts an instant.
pub const INSTANT: &str = "instant";

/// Puts in what the server does; none where no page says what it makes of a write that would change nothing but for that.
pub fn fill(schema: &NaiveSchema, old: Option<&Json>, json: &mut Json, whole: bool) -> Option<()> {
    let sent = json.clone();
    schema.fill(json, whole, |_, _| Json::String(INSTANT.to_owned()));
    (old != Some(&sent) || *json == sent).then_some(())
}

/// Whether what is IMMUTABLE would be another one; none where that hangs on the text of a number that was computed.
pub fn moves(schema: &NaiveSchema, old: Option<&Doc>, json: &Json, exact: bool) -> Option<bool> {
    let is_moved = old.is_some_and(|old| schema.moved(&old.json, json).is_some());
    let is_exact = old.is_none_or(|old| old.exact) && exact;
    (is_exact || !is_moved).then_some(is_moved)
}

/// Whether a document is what it was; none where that is not known, or where a member may have its text or another
/// one of the same value: a sum that is the number that was may be written as that was, or otherwise.
pub fn sameness(old: &Doc, json: &Json, timed: &Timed, exact: bool) -> Option<bool> {
    if old.timed != *timed {
        return Some(false);
    }
    if old.exact && exact {
        return Some(old.json == *json);
    }
    let is_unknown = |(name, before): &(String, Json)| {
        json.member(name).is_some_and(|after| before != after && has_value_of(before, after))
    };
    let Json::Object(members) = &old.json else { return None };
    let is_unknown = members.iter().any(is_unknown) || has_value_of(&old.json, json);
    (!is_unknown).then_some(false)
}

/// The code with which an update is refused for what it changes, or nothing where it is not: top-level members that stay are not
/// looked at, unless by functions. None where that is not known, since a number in a member was computed, and may have another text
/// than it had.
pub fn breaks(
    schema: &NaiveSchema,
    old: &Json,
    new: &Json,
    exact: bool,
) -> Option<BTreeSet<&'static str>> {
    // A write of nothing but another schema version changes nothing of which anybody is asked.
    if old == new {
        return Some(BTreeSet::new());
    }
    let mut left = Vec::new();
    for field in schema.fields.iter().filter(|field| !field.asks()) {
        let top = Path(field.path.0[..1].to_vec());
        let alone = NaiveSchema { fields: vec![field.clone()], ..NaiveSchema::default() };
        if alone.breach(new).is_none() {
            continue;
        }
        let (before, after) = (top.values(old), top.values(new));
        let has_values_of = before.len() == after.len()
            && before.iter().zip(&after).all(|(before, after)| has_value_of(before, after));
        if has_values_of && !exact {
            return None;
        }
        left.extend((before == after).then(|| field.path.clone()));
    }
    Some(schema.refusal(new, |field| left.contains(&field.path)).into_iter().collect())
}

impl World {
    /// The condition that a seed stands for; none for 0.
    pub fn condition(&self, key: &str, seed: u64) -> Condition {
        let always = Condition { holds: Some(true), ..Condition::default() };
        if seed == 0 {
            return always;
        }
        let name = self.space().place(key);
        let asked = self.asked(name.as_deref().unwrap_or_default(), &mut Random::new(seed));
        let mut words = asked.words;
        let Some(first) = words.first_mut() else { return always };
        "IF".clone_into(first);
        let holds = name.map(|name| {
            let collection = naive_collection(self, &name);
            collection.find(asked.filter.as_ref(), &[], None, 0).contains(&key)
        });
        Condition { words, holds }
    }

    /// The words of an update's EX and its like, and what the document's TTL is afterwards.
    pub fn update_ttl(&self, ttl: SetTtl, old: Option<Level>) -> (Vec<String>, Option<Level>) {
        match ttl {
            SetTtl::Keep => (Vec::new(), old),
            SetTtl::Drop => (vec!["PERSIST".into()], None),
            SetTtl::To(_) => self.set_ttl(ttl, old),
        }
    }

    pub fn update(&mut self, update: &Update) -> Option<Plan> {
        let Update { key, when, .. } = update;
        let old = self.space().kept_ttl(key);
        let (ttl_words, level) = self.update_ttl(update.ttl, old);
        let condition = self.condition(key, update.filter);
        let is_same_version = *when == When::SameVersion && self.space().doc(key).is_some();
        let mut words: Vec<String> = if is_same_version {
            vec!["EVAL".into(), SAME_VERSION.into(), "1".into(), key.clone()]
        } else {
            vec!["DOC.UPDATE".into(), key.clone()]
        };
        words.extend(update.upsert.then(|| "UPSERT".to_owned()));
        match when {
            When::Absent => words.extend(["IFVERSION".into(), "0".into()]),
            When::Never => words.extend(["IFVERSION".into(), NEVER.into()]),
            _ => {}
        }
        let has_filter = !condition.words.is_empty();
        words.extend(condition.words);
        words.extend(change_words(&update.changes));
        words.extend(ttl_words);
        match update.returned {
            Returned::Version => {}
            Returned::New => words.extend(["RETURN".into(), "NEW".into()]),
            Returned::Old => words.extend(["RETURN".into(), "OLD".into()]),
        }
        // Of a document outside of all collections only what has always been asked is known.
        let is_outside = self.space().slot(key).is_none();
        if is_outside && (has_filter || update.upsert || *when != When::Always) {
            return None;
        }
        let unmet = has_filter && condition.holds != Some(true);
        let expect = self.update_expect(update, unmet, level)?;
        plan(&words, expect)
    }

    /// The code with which what was made of a document is refused, if it is; none where that is not known.
    #[expect(clippy::option_option, reason = "whether that is known, and whether it is refused")]
    pub fn refusal(
        &self,
        key: &str,
        name: &str,
        old: Option<&Doc>,
        made: &Made,
    ) -> Option<Option<&'static str>> {
        let Made { json, exact, timed, .. } = made;
        let schema = self.space().schema(name);
        if timed.is_unsure(&schema) {
            return None;
        }
        let before = old.map(|old| &old.json);
        let codes = match before {
            Some(before) => breaks(&schema, before, json, *exact)?,
            None => schema.refusal(json, |_| false).into_iter().collect(),
        };
        if let Some(code) = codes.first() {
            return Some(Some(code));
        }
        let is_given = old.map_or(!timed.is_empty(), |old| old.timed != *timed);
        if moves(&schema, old, json, *exact)? || (is_given && timed.breach(&schema).is_some()) {
            return Some(Some("SCHEMA"));
        }
        if schema.has_huge_number(json) {
            return Some(Some("JSON"));
        }
        Some(self.space().clash(name, key, before, json).then_some("UNIQUE"))
    }

    fn update_expect(
        &mut self,
        update: &Update,
        unmet: bool,
        level: Option<Level>,
    ) -> Option<Expect> {
        let Update { key, changes, returned, .. } = update;
        let old = match self.space().entries.get(key) {
            Some(Entry { held: Held::Doc(doc), .. }) => Some(doc.clone()),
            None | Some(Entry { held: Held::Deleted(_), .. }) => None,
            Some(_) => return Some(Expect::Error("WRONGTYPE")),
        };
        let has_version = match update.when {
            When::Absent => old.is_none(),
            When::Never => false,
            _ => true,
        };
        let mut refusals = Vec::new();
        refusals.extend((!has_version).then_some(Expect::Error("VERSION")));
        refusals.extend(unmet.then_some(Expect::Nil));
        let is_missing = old.is_none() && !update.upsert && !unmet;
        refusals.extend(is_missing.then_some(Expect::Error("NOTFOUND")));
        // The documentation does not say which of several is told.
        match refusals.len() {
            0 => {}
            1 => return refusals.pop(),
            _ if unmet => return None,
            _ => return Some(Expect::Either(refusals)),
        }
        let Some(slot) = self.space().slot(key) else { return Some(Expect::Error("KEY")) };
        let schema = self.space().schema(&slot.1);
        let migrations = self.space().migrations(&slot.1);
        let born = || {
            let empty = Doc::of(Json::Object(Vec::new()), true);
            Doc { schema: migrations.version, ..empty }
        };
        let held = old.clone().unwrap_or_else(born);
        if hangs_on_text(&held, changes, &schema, &migrations) {
            return None;
        }
        let mut made = match made(&held, changes, &schema, &migrations) {
            Ok(made) => made,
            Err(code) => return Some(Expect::Error(code)),
        };
        let before = old.as_ref().map(|old| &old.json);
        let sent = made.json.clone();
        fill(&schema, before, &mut made.json, before.is_none())?;
        if made.json != sent && made.schema == held.schema {
            made.is_same = sameness(&held, &made.json, &made.timed, made.exact);
        }
        let is_same = before.is_some() && made.is_same?;
        if !is_same && let Some(code) = self.refusal(key, &slot.1, old.as_ref(), &made)? {
            return Some(Expect::Error(code));
        }
        let doc = self.changed(old.clone(), made.json, made.exact, made.timed, made.schema);
        let db = self.db;
        self.put(db, key, Entry { held: Held::Doc(doc.clone()), ttl: level });
        if level.is_some_and(|level| level < 0) {
            self.take(db, key);
        }
        Some(match (returned, old) {
            (Returned::Version, _) => Expect::Version { slot, stamp: doc.stamp, is_new: !is_same },
            (Returned::New, _) => Expect::Json(doc.json, doc.exact),
            (Returned::Old, Some(old)) => Expect::Json(old.json, old.exact),
            (Returned::Old, None) => Expect::Nil,
        })
    }
}
