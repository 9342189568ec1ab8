//! Writes of several documents, all or none: DOC.MSET, DOC.UPDATEMANY, DOC.DELETEMANY, DOC.CLAIM and DOC.TXN.

use std::collections::BTreeSet;

use folio_tests::generate::Random;
use folio_tests::naive::{Json, OrderBy, Timed};
use serde::{Deserialize, Serialize};

use crate::ask::{Asked, order_words};
use crate::expect::{Expect, Row, Rows};
use crate::op::{Change, Form, Returned, SetTtl, Ttl};
use crate::step::{Plan, naive_collection, plan};
use crate::update::{
    Made, breaks, change_json, change_words, fill, hangs_on_text, made, moves, sameness,
};
use crate::world::{Doc, Entry, Held, Level, Slot, World};

/// Documents that one command takes by LIMIT.
const LIMIT_MAX: usize = 4;

/// UPDATEMANY and CLAIM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Many {
    pub name: String,
    /// What filter, order and limit are drawn from.
    pub seed: u64,
    pub changes: Vec<Change>,
    pub returned: Returned,
    pub ttl: SetTtl,
}

/// An operation of DOC.TXN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub verb: Verb,
    pub key: String,
    /// What IF is drawn from; 0 for none.
    pub filter: u64,
    /// `ifVersion` 0.
    pub absent: bool,
    pub ttl: SetTtl,
}

/// What an operation of DOC.TXN does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verb {
    Set(String),
    Insert(String),
    Update { changes: Vec<Change>, upsert: bool },
    Del,
    Check(Option<bool>),
}

/// A document on its way to what it will be.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "what has happened to a key, each by itself")]
struct Draft {
    key: String,
    old: Option<Doc>,
    json: Option<Json>,
    /// The text is known digit for digit.
    exact: bool,
    /// The parts that lapse by themselves.
    timed: Timed,
    /// Whether one of them has another time than it had hangs on the clock.
    is_unsure: bool,
    /// It is judged whole.
    whole: bool,
    level: Option<Level>,
    is_removed: bool,
    is_written: bool,
    /// The schema version.
    schema: u16,
}

impl Draft {
    /// Whether the document stays as it was, where that is known.
    fn is_same(&self) -> Option<bool> {
        match (&self.old, &self.json) {
            (Some(old), Some(_)) if old.schema != self.schema => Some(false),
            (Some(old), Some(json)) => {
                let is_same = sameness(old, json, &self.timed, self.exact);
                is_same.filter(|is_same| !(*is_same && self.is_unsure))
            }
            (old, json) => Some(old.is_none() && json.is_none()),
        }
    }

    /// What an operation finds.
    fn held(&self) -> Doc {
        let json = self.json.clone().unwrap_or(Json::Object(Vec::new()));
        Doc { timed: self.timed.clone(), schema: self.schema, ..Doc::of(json, self.exact) }
    }

    /// Is what operations have made of it.
    fn take_over(&mut self, made: Made) {
        self.is_unsure |= made.is_same.is_none() && made.timed == self.timed;
        self.schema = made.schema;
        (self.json, self.exact, self.timed) = (Some(made.json), made.exact, made.timed);
    }
}

/// One of several errors; the documentation does not say which of them is told.
pub fn refused(codes: BTreeSet<&'static str>) -> Expect {
    let mut all: Vec<Expect> = codes.into_iter().map(Expect::Error).collect();
    if all.len() == 1 { all.remove(0) } else { Expect::Either(all) }
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

impl World {
    fn draft(&self, key: &str) -> Draft {
        let old = self.space().doc(key).cloned();
        let level = self.space().kept_ttl(key);
        let (json, exact) = (old.as_ref().map(|old| old.json.clone()), true);
        let exact = old.as_ref().map_or(exact, |old| old.exact);
        let timed = old.as_ref().map(|old| old.timed.clone()).unwrap_or_default();
        let schema = old.as_ref().map_or_else(|| self.version_at(key), |old| old.schema);
        Draft {
            key: key.to_owned(),
            old,
            json,
            exact,
            timed,
            is_unsure: false,
            whole: false,
            level,
            is_removed: false,
            is_written: false,
            schema,
        }
    }

    /// The schema version of what is written whole to a key.
    fn version_at(&self, key: &str) -> u16 {
        let name = self.space().place(key);
        name.map_or(0, |name| self.space().migrations(&name).version)
    }

    /// Puts in what the server does.
    fn fill(&self, draft: &mut Draft) -> Option<()> {
        let Some(name) = self.space().place(&draft.key) else { return Some(()) };
        let (schema, old) = (self.space().schema(&name), draft.old.as_ref().map(|old| &old.json));
        draft.json.as_mut().map_or(Some(()), |json| fill(&schema, old, json, draft.whole))
    }

    /// Why the drafts are refused, if they are; none where that is not known.
    fn judge(&self, drafts: &[Draft]) -> Option<BTreeSet<&'static str>> {
        let mut then = self.space().clone();
        for draft in drafts.iter().filter(|draft| draft.is_written) {
            let doc = |json: &Json| Doc::of(json.clone(), true);
            match &draft.json {
                Some(json) => {
                    let entry = Entry { held: Held::Doc(doc(json)), ttl: None };
                    then.entries.insert(draft.key.clone(), entry);
                }
                None if draft.old.is_none() => {}
                None => _ = then.entries.remove(&draft.key),
            }
        }
        let mut codes = BTreeSet::new();
        for draft in drafts.iter().filter(|draft| draft.is_written) {
            let Some(json) = &draft.json else { continue };
            if draft.is_same()? {
                continue;
            }
            let Some(name) = then.place(&draft.key) else {
                codes.insert("KEY");
                continue;
            };
            let schema = then.schema(&name);
            if draft.timed.is_unsure(&schema) {
                return None;
            }
            let before = draft.old.as_ref().filter(|_| !draft.whole).map(|old| &old.json);
            codes.extend(match before {
                Some(before) => breaks(&schema, before, json, draft.exact)?,
                None => schema.refusal(json, |_| false).into_iter().collect(),
            });
            let is_other = draft.old.as_ref().is_none_or(|old| old.timed != draft.timed);
            let is_broken = is_other && draft.timed.breach(&schema).is_some();
            let is_broken = is_broken || moves(&schema, draft.old.as_ref(), json, draft.exact)?;
            codes.extend(is_broken.then_some("SCHEMA"));
            codes.extend(schema.has_huge_number(json).then_some("JSON"));
            codes.extend(then.clash(&name, &draft.key, before, json).then_some("UNIQUE"));
        }
        Some(codes)
    }

    /// Makes the drafts so. Gives each document as it is then, and whether it is another one.
    fn make(&mut self, drafts: Vec<Draft>) -> Vec<(Slot, Doc, bool)> {
        self.in_any_order(|world| world.make_each(drafts))
    }

    fn make_each(&mut self, drafts: Vec<Draft>) -> Vec<(Slot, Doc, bool)> {
        let db = self.db;
        let mut docs = Vec::new();
        for draft in drafts.into_iter().filter(|draft| draft.is_written) {
            let Some(json) = draft.json else {
                // What was marked as deleted already stays so.
                if draft.is_removed && draft.old.is_some() {
                    self.take(db, &draft.key);
                }
                continue;
            };
            let before = draft.old.as_ref().map(|old| old.stamp);
            let doc = self.changed(draft.old, json, draft.exact, draft.timed, draft.schema);
            let slot = self.space().slot(&draft.key).expect("it was judged");
            self.put(db, &draft.key, Entry { held: Held::Doc(doc.clone()), ttl: draft.level });
            if draft.level.is_some_and(|level| level < 0) {
                self.take(db, &draft.key);
            }
            let is_new = before != Some(doc.stamp);
            docs.push((slot, doc, is_new));
        }
        docs
    }

    pub fn mset(&mut self, pairs: &[(String, String)]) -> Option<Plan> {
        let mut words = vec!["DOC.MSET".to_owned()];
        words.extend(pairs.iter().flat_map(|(key, json)| [key.clone(), json.clone()]));
        let mut codes = BTreeSet::new();
        let mut drafts: Vec<Draft> = Vec::new();
        for (key, json) in pairs {
            let mut draft = self.draft(key);
            codes.extend(self.space().is_other(key).then_some("WRONGTYPE"));
            codes.extend(self.space().place(key).is_none().then_some("KEY"));
            let Ok(json) = Json::parse(json) else {
                codes.insert("JSON");
                continue;
            };
            draft.exact = true;
            draft.timed = Timed::default();
            (draft.json, draft.schema) = (Some(json), self.version_at(key));
            (draft.whole, draft.level, draft.is_written) = (true, None, true);
            self.fill(&mut draft)?;
            match drafts.iter_mut().find(|other| other.key == *key) {
                Some(other) => {
                    // Whether the one that is never written is judged, nobody says.
                    if !self.judge(std::slice::from_ref(other))?.is_empty() {
                        return None;
                    }
                    *other = draft;
                }
                None => drafts.push(draft),
            }
        }
        codes.extend(self.judge(&drafts)?);
        if !codes.is_empty() {
            return plan(&words, refused(codes));
        }
        let keys: Vec<String> = drafts.iter().map(|draft| draft.key.clone()).collect();
        let docs = self.make(drafts);
        let mut told = BTreeSet::new();
        let replies = pairs.iter().filter_map(|(key, _)| {
            let (slot, doc, is_new) = &docs[keys.iter().position(|own| own == key)?];
            let is_new = *is_new && told.insert(key);
            Some(Expect::Version { slot: slot.clone(), stamp: doc.stamp, is_new })
        });
        plan(&words, Expect::Array(replies.collect()))
    }

    /// The words of a search for what is to be written, and the keys of what it finds.
    fn search(&self, name: &str, seed: u64, is_claim: bool) -> (Vec<String>, Vec<String>) {
        let random = &mut Random::new(seed);
        let (asked, order): (Asked, Vec<OrderBy>) = loop {
            let (asked, order) = self.ordered(name, random);
            if asked.filter.is_some() {
                break (asked, order);
            }
        };
        let limit = random.chance(70).then(|| 1 + random.below(LIMIT_MAX));
        let mut words = asked.words;
        words.extend(order_words(&order));
        words.extend(limit.into_iter().flat_map(|n| ["LIMIT".to_owned(), n.to_string()]));
        let most = limit.unwrap_or(if is_claim { 1 } else { usize::MAX });
        let collection = naive_collection(self, name);
        let found = collection.find(asked.filter.as_ref(), &order, Some((0, most)), 0);
        (words, found.into_iter().map(str::to_owned).collect())
    }

    pub fn delete_many(&mut self, name: &str, seed: u64) -> Option<Plan> {
        let mut words = vec!["DOC.DELETEMANY".to_owned(), name.to_owned()];
        let (search, keys) = self.search(name, seed, false);
        words.extend(search);
        let plan = self.about(name, &words, |_| counts(keys.len(), keys.len()));
        let db = self.db;
        self.in_any_order(|world| keys.iter().for_each(|key| _ = world.take(db, key)));
        plan
    }

    pub fn update_many(&mut self, many: &Many) -> Option<Plan> {
        let (words, drafts) = self.many_drafts("DOC.UPDATEMANY", many, false)?;
        let Ok(drafts) = drafts else {
            return self.about(&many.name, &words, |_| drafts.err().unwrap_or(Expect::Any));
        };
        let matched = drafts.len();
        let mut changed = 0;
        for draft in &drafts {
            changed += usize::from(!draft.is_same()?);
        }
        let plan = self.about(&many.name, &words, |_| counts(matched, changed));
        self.make(drafts);
        plan
    }

    pub fn claim(&mut self, many: &Many) -> Option<Plan> {
        let (mut words, drafts) = self.many_drafts("DOC.CLAIM", many, true)?;
        match many.returned {
            Returned::Version => words.push("WITHVERSION".into()),
            Returned::New => words.extend(["RETURN".into(), "NEW".into()]),
            Returned::Old => words.extend(["RETURN".into(), "OLD".into()]),
        }
        let Ok(drafts) = drafts else {
            return self.about(&many.name, &words, |_| drafts.err().unwrap_or(Expect::Any));
        };
        for draft in &drafts {
            draft.is_same()?;
        }
        let before: Vec<(String, Option<Doc>)> =
            drafts.iter().map(|draft| (draft.key.clone(), draft.old.clone())).collect();
        let docs = self.clone().make(drafts.clone());
        let rows = before.into_iter().zip(docs).map(|((key, old), (_, doc, _))| {
            let shown = old.filter(|_| many.returned == Returned::Old);
            let Doc { json, exact, .. } = shown.unwrap_or_else(|| doc.clone());
            Row { key, json, exact, stamp: doc.stamp }
        });
        let all = rows.collect();
        let slot = (self.space().id, many.name.clone());
        let with_version = many.returned == Returned::Version;
        let rows = Rows { slot, all, total: None, with_version, projected: false };
        let plan = self.about(&many.name, &words, |_| Expect::Rows(rows));
        self.make(drafts);
        plan
    }

    /// The words up to the operations, and what these make of what is found, or what is expected where they are refused.
    #[expect(clippy::type_complexity, reason = "two things of which the second may be refused")]
    fn many_drafts(
        &self,
        verb: &str,
        many: &Many,
        is_claim: bool,
    ) -> Option<(Vec<String>, Result<Vec<Draft>, Expect>)> {
        let mut words = vec![verb.to_owned(), many.name.clone()];
        let (search, keys) = self.search(&many.name, many.seed, is_claim);
        words.extend(search);
        words.extend(change_words(&many.changes));
        words.extend(self.update_ttl(many.ttl, None).0);
        let schema = self.space().schema(&many.name);
        let migrations = self.space().migrations(&many.name);
        let (mut drafts, mut codes) = (Vec::new(), BTreeSet::new());
        for key in keys {
            let mut draft = self.draft(&key);
            draft.level = self.update_ttl(many.ttl, draft.level).1;
            if hangs_on_text(draft.old.as_ref()?, &many.changes, &schema, &migrations) {
                return None;
            }
            match made(draft.old.as_ref()?, &many.changes, &schema, &migrations) {
                Ok(made) => {
                    draft.take_over(made);
                    draft.is_written = true;
                    self.fill(&mut draft)?;
                    drafts.push(draft);
                }
                Err(code) => _ = codes.insert(code),
            }
        }
        codes.extend(self.judge(&drafts)?);
        let drafts = if codes.is_empty() { Ok(drafts) } else { Err(refused(codes)) };
        Some((words, drafts))
    }

    pub fn txn(&mut self, parts: &[Part]) -> Option<Plan> {
        let mut keys: Vec<&String> = Vec::new();
        for part in parts {
            if !keys.contains(&&part.key) {
                keys.push(&part.key);
            }
        }
        if keys.iter().any(|key| self.space().place(key).is_none()) {
            return None;
        }
        let mut words = vec!["DOC.TXN".to_owned()];
        words.extend(keys.iter().map(|key| (*key).clone()));
        let ops = parts.iter().map(|part| self.part_json(part));
        words.push(Json::Array(ops.collect()).print());
        if keys.iter().any(|key| self.space().is_other(key)) {
            return plan(&words, Expect::Error("WRONGTYPE"));
        }
        let is_json = |part: &Part| match &part.verb {
            Verb::Set(json) | Verb::Insert(json) => Json::parse(json).is_ok(),
            _ => true,
        };
        if !parts.iter().all(is_json) {
            return None;
        }
        let mut codes: BTreeSet<_> = parts.iter().filter_map(|part| self.unmet(part)).collect();
        let mut drafts: Vec<Draft> = Vec::new();
        let mut counts = Vec::new();
        for part in parts {
            let at = drafts.iter().position(|draft| draft.key == part.key);
            let at = at.unwrap_or_else(|| {
                drafts.push(self.draft(&part.key));
                drafts.len() - 1
            });
            let before = drafts[at].clone();
            // What becomes of a document that is removed and written by one transaction, nobody says.
            let is_write = !matches!(part.verb, Verb::Check(_));
            if before.is_removed && is_write {
                return None;
            }
            if let Verb::Update { changes, .. } = &part.verb {
                let name = self.space().place(&part.key).unwrap_or_default();
                let migrations = self.space().migrations(&name);
                if hangs_on_text(&before.held(), changes, &self.space().schema(&name), &migrations)
                {
                    return None;
                }
            }
            counts.push(i64::from(before.json.is_some()));
            match self.part(before, part) {
                Ok(after) => {
                    drafts[at] = after;
                    drafts[at].is_written |= is_write;
                }
                Err(code) => {
                    codes.insert(code);
                    break;
                }
            }
        }
        for draft in drafts.iter_mut().filter(|draft| draft.is_written) {
            let is_same =
                |part: &&Part| part.key == draft.key && !matches!(part.verb, Verb::Check(_));
            let schema = self.space().schema(&self.space().place(&draft.key)?);
            // Whether an operation sees what the server puts in, nobody says.
            if schema.fills() && parts.iter().filter(is_same).count() > 1 {
                return None;
            }
            self.fill(draft)?;
        }
        if counts.len() == parts.len() {
            codes.extend(self.judge(&drafts)?);
        }
        if !codes.is_empty() {
            return plan(&words, refused(codes));
        }
        for draft in drafts.iter().filter(|draft| draft.is_written) {
            draft.is_same()?;
        }
        let written = drafts.iter().filter(|draft| draft.is_written && draft.json.is_some());
        let written: Vec<String> = written.map(|draft| draft.key.clone()).collect();
        let docs = self.make(drafts);
        let replies = parts.iter().zip(counts).map(|(part, count)| match part.verb {
            Verb::Del => Expect::Int(count),
            Verb::Check(_) => Expect::Ok,
            _ => {
                let at = written.iter().position(|key| *key == part.key);
                // Which of several is written first, nobody says.
                at.map_or(Expect::Any, |at| Expect::Version {
                    slot: docs[at].0.clone(),
                    stamp: docs[at].1.stamp,
                    is_new: false,
                })
            }
        });
        plan(&words, Expect::Array(replies.collect()))
    }

    /// The code with which a condition refuses a transaction, if it does.
    fn unmet(&self, part: &Part) -> Option<&'static str> {
        let is_there = self.space().doc(&part.key).is_some();
        let is_met = match part.verb {
            Verb::Check(Some(exists)) => exists == is_there,
            _ => true,
        };
        if part.absent && is_there {
            return Some("VERSION");
        }
        let holds = self.condition(&part.key, part.filter).holds != Some(false);
        (!is_met || !holds).then_some("CHECK")
    }

    fn part(&self, mut draft: Draft, part: &Part) -> Result<Draft, &'static str> {
        match &part.verb {
            Verb::Set(json) | Verb::Insert(json) => {
                if draft.json.is_some() && matches!(part.verb, Verb::Insert(_)) {
                    return Err("EXISTS");
                }
                draft.json = Some(Json::parse(json).map_err(|_| "ERR")?);
                (draft.whole, draft.exact, draft.timed) = (true, true, Timed::default());
                draft.schema = self.version_at(&part.key);
                draft.level = self.set_ttl(part.ttl, draft.level).1;
            }
            Verb::Update { changes, upsert } => {
                let is_born = draft.json.is_none();
                if is_born && !upsert {
                    return Err("NOTFOUND");
                }
                draft.whole |= is_born;
                let name = self.space().place(&part.key).unwrap_or_default();
                let (schema, migrations) =
                    (self.space().schema(&name), self.space().migrations(&name));
                draft.take_over(made(&draft.held(), changes, &schema, &migrations)?);
                draft.level = self.update_ttl(part.ttl, draft.level).1;
            }
            Verb::Del => (draft.json, draft.is_removed) = (None, true),
            Verb::Check(_) => {}
        }
        Ok(draft)
    }

    /// The operation as DOC.TXN reads it.
    fn part_json(&self, part: &Part) -> Json {
        let mut members = Vec::new();
        let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
        add("key", text(&part.key));
        let ttl_words = match &part.verb {
            Verb::Set(json) | Verb::Insert(json) => {
                let is_set = matches!(part.verb, Verb::Set(_));
                add("op", text(if is_set { "set" } else { "insert" }));
                add("value", Json::parse(json).unwrap_or(Json::Null));
                self.set_ttl(part.ttl, None).0
            }
            Verb::Update { changes, upsert } => {
                add("op", text("update"));
                let mut ops: Vec<Json> = changes.iter().map(change_json).collect();
                let words = self.update_ttl(part.ttl, None).0;
                let number = |word: &String| word.parse::<i64>().is_ok();
                let word = |word: &String| {
                    if number(word) { Json::Number(word.clone()) } else { text(word) }
                };
                ops.extend(
                    (!words.is_empty()).then(|| Json::Array(words.iter().map(word).collect())),
                );
                add("ops", Json::Array(ops));
                if *upsert {
                    add("upsert", Json::Bool(true));
                }
                Vec::new()
            }
            Verb::Del => {
                add("op", text("del"));
                Vec::new()
            }
            Verb::Check(exists) => {
                add("op", text("check"));
                if let Some(exists) = exists {
                    add("exists", Json::Bool(*exists));
                }
                Vec::new()
            }
        };
        match ttl_words.as_slice() {
            [word] => add(&word.to_lowercase(), Json::Bool(true)),
            [word, number] => add(&word.to_lowercase(), Json::Number(number.clone())),
            _ => {}
        }
        if part.absent {
            add("ifVersion", Json::Number("0".to_owned()));
        }
        let condition = self.condition(&part.key, part.filter).words;
        if let Some(filter) = condition.get(1) {
            add("if", text(filter));
        }
        let params = condition.get(4..).unwrap_or_default().chunks_exact(2).map(|pair| {
            (pair[0].clone(), Json::parse(&pair[1]).expect("drawn parameters are JSON"))
        });
        let params: Vec<_> = params.collect();
        if !params.is_empty() {
            add("params", Json::Object(params));
        }
        Json::Object(members)
    }
}

/// The reply of UPDATEMANY and DELETEMANY.
fn counts(matched: usize, changed: usize) -> Expect {
    let count = |count: usize| Expect::Int(count as i64);
    let names = [Expect::Text("matched"), Expect::Text("changed")];
    let [matched_name, changed_name] = names;
    Expect::Array(vec![matched_name, count(matched), changed_name, count(changed)])
}

impl Part {
    /// Under what it is counted.
    pub fn kind(&self) -> &'static str {
        match self.verb {
            Verb::Set(_) => "DOC.TXN set",
            Verb::Insert(_) => "DOC.TXN insert",
            Verb::Update { .. } => "DOC.TXN update",
            Verb::Del => "DOC.TXN del",
            Verb::Check(_) => "DOC.TXN check",
        }
    }
}

/// A time to live that DOC.TXN's `insert` takes: it has no KEEPTTL.
pub fn of_insert(ttl: SetTtl) -> SetTtl {
    match ttl {
        SetTtl::Keep => SetTtl::To(Ttl { form: Form::Seconds, step: 1 }),
        ttl => ttl,
    }
}
