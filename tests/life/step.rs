//! An operation's commands, what the model expects of each, and what becomes of the model: Folio's
//! own writes.

use std::collections::BTreeSet;

use folio_tests::naive::model::{NaiveCollection, is_same as has_value_of};
use folio_tests::naive::{self, Json, NaiveSchema, Timed};

use crate::expect::Expect;
use crate::many::refused;
use crate::migrate::Migrations;
use crate::op::{Form, Op, SetTtl, Ttl, Update, When};
use crate::told::What;
use crate::update::{fill, moves};
use crate::wire::{Command, command};
use crate::world::{Doc, Entry, Held, Level, World, any_share, prefix_of, schema_of};

/// Commands in order, each with what is expected of its reply.
pub type Plan = Vec<(Command, Expect)>;

/// Takes a version from DOC.META; another one is to be refused, this one taken.
const SAME_VERSION: &str = "
    local meta = redis.call('DOC.META', KEYS[1])
    local version = 0
    if meta then
        for i = 1, #meta, 2 do if meta[i] == 'version' then version = meta[i + 1] end end
    end
    local refused = redis.pcall('DOC.SET', KEYS[1], ARGV[1], 'IFVERSION', version + 1)
    if not refused.err or string.sub(refused.err, 1, 8) ~= 'VERSION ' then return refused end
    return redis.call('DOC.SET', KEYS[1], ARGV[1], 'IFVERSION', version)";

/// Runs the commands that ARGV holds, each behind the count of its words.
const SCRIPT: &str = "
    local replies, i = {}, 1
    while i <= #ARGV do
        local count, words = tonumber(ARGV[i]), {}
        for j = 1, count do words[j] = ARGV[i + j] end
        replies[#replies + 1] = redis.call(unpack(words))
        i = i + count + 1
    end
    return replies";

/// The function that does the same, and the library that has it.
const FUNCTION: &str = "life_run";
pub const LIBRARY: &str = "#!lua name=life
    redis.register_function('life_run', function(keys, args)
        local replies, i = {}, 1
        while i <= #args do
            local count, words = tonumber(args[i]), {}
            for j = 1, count do words[j] = args[i + j] end
            replies[#replies + 1] = redis.call(unpack(words))
            i = i + count + 1
        end
        return replies
    end)";

/// A plan of one command.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is what a step ends with, and steps may have no plan"
)]
pub fn plan<W: AsRef<[u8]>>(words: &[W], expect: Expect) -> Option<Plan> {
    Some(vec![(command(words), expect)])
}

impl World {
    /// Runs an operation on the model. None where its outcome hangs on something that the model
    /// cannot know: it is not to be sent then.
    pub fn step(&mut self, op: &Op) -> Option<Plan> {
        match op {
            Op::Select(db) => {
                self.db = *db;
                plan(&["SELECT", &db.to_string()], Expect::Ok)
            }
            Op::Set { key, json, when, ttl, filter } => self.set(key, json, *when, *ttl, *filter),
            Op::Update(update) => self.update(update),
            Op::DocDel { keys } => self.doc_del(keys),
            Op::Soft { keys, ttl } => self.soft(keys, *ttl),
            Op::Undelete { keys, keep_ttl } => self.undelete(keys, *keep_ttl),
            Op::Purge { keys } => self.purge(keys),
            Op::Insert { name, json, ids, to } => self.insert(name, json, *ids, to),
            Op::Mset(pairs) => self.mset(pairs),
            Op::UpdateMany(many) => self.update_many(many),
            Op::DeleteMany { name, seed } => self.delete_many(name, *seed),
            Op::Claim(many) => self.claim(many),
            Op::Txn(parts) => self.txn(parts),
            Op::Create { name, seed } => self.create(name, *seed),
            Op::Drop { name, documents } => self.drop_collection(name, *documents),
            Op::Migrate { name, to, lazy } => self.migrate(name, *to, *lazy),
            Op::Multi(ops) => Some(self.multi(ops)),
            Op::Discard(ops) => Some(self.unsaid(ops, &["DISCARD"], Expect::Ok)),
            Op::Aborted(ops) => Some(self.unsaid(ops, &["EXEC"], Expect::Error("EXECABORT"))),
            Op::Eval(ops) => Some(self.eval(&["EVAL", SCRIPT, "0"], ops)),
            Op::Fcall(ops) => Some(self.eval(&["FCALL", FUNCTION, "0"], ops)),
            Op::Watch { key, first, then } => self.watch(key, first, then),
            Op::Redeclare { name } => self.redeclare(name),
            _ => match self.read(op) {
                Some(plan) => Some(plan),
                None => self.native(op),
            },
        }
    }

    /// The words of DOC.SET's TTL option, and what the document's TTL is afterwards.
    pub fn set_ttl(&self, ttl: SetTtl, old: Option<Level>) -> (Vec<String>, Option<Level>) {
        let Ttl { form, step } = match ttl {
            SetTtl::Drop => return (Vec::new(), None),
            SetTtl::Keep => return (vec!["KEEPTTL".into()], old),
            SetTtl::To(ttl) => ttl,
        };
        // A relative time cannot be past, and soon is less than a second away.
        let form = match step {
            i32::MIN..0 => Form::AtMillis,
            0 => Form::Millis,
            _ => form,
        };
        let (number, level) = self.ttl_ms(step, matches!(form, Form::AtSeconds | Form::AtMillis));
        let (word, number) = match form {
            Form::Seconds => ("EX", number / 1000),
            Form::Millis => ("PX", number),
            Form::AtSeconds => ("EXAT", number / 1000),
            Form::AtMillis => ("PXAT", number),
        };
        (vec![word.into(), number.to_string()], Some(level))
    }

    pub fn set(
        &mut self,
        key: &str,
        json: &str,
        when: When,
        ttl: SetTtl,
        filter: u64,
    ) -> Option<Plan> {
        let (ttl_words, level) = self.set_ttl(ttl, self.space().kept_ttl(key));
        if when == When::SameVersion {
            if self.space().is_other(key) {
                // The script asks for the version first.
                let expect = Expect::Error("WRONGTYPE");
                return plan(&["EVAL", SAME_VERSION, "1", key, json], expect);
            }
            let mut expect = self.set_expect(key, json, When::Always, None)?;
            if matches!(expect, Expect::Error("KEY")) {
                // A copy under a key that names no collection has no version.
                expect = Expect::Either(vec![expect, Expect::Error("VERSION")]);
            }
            return plan(&["EVAL", SAME_VERSION, "1", key, json], expect);
        }
        let mut words: Vec<String> = vec!["DOC.SET".into(), key.into(), json.into()];
        match when {
            When::New => words.push("NX".into()),
            When::Old => words.push("XX".into()),
            When::Absent => words.extend(["IFVERSION".into(), "0".into()]),
            When::Never => words.extend(["IFVERSION".into(), "4503599627370496".into()]),
            When::Always | When::SameVersion => {}
        }
        words.extend(ttl_words);
        let condition = self.condition(key, filter);
        words.extend(condition.words);
        if condition.holds == Some(true) {
            let expect = self.set_expect(key, json, when, level)?;
            return plan(&words, expect);
        }
        condition.holds?;
        // The filter does not hold: nothing is changed, whatever else would have been said.
        let other = self.clone().set_expect(key, json, when, level);
        let expect = match other {
            Some(Expect::Error(code @ ("JSON" | "WRONGTYPE"))) => Expect::Error(code),
            // The documentation does not say which is told.
            Some(Expect::Error("VERSION")) => return None,
            _ => Expect::Nil,
        };
        plan(&words, expect)
    }

    fn set_expect(
        &mut self,
        key: &str,
        json: &str,
        when: When,
        level: Option<Level>,
    ) -> Option<Expect> {
        let Ok(mut json) = Json::parse(json) else { return Some(Expect::Error("JSON")) };
        let old = match self.space().entries.get(key) {
            Some(Entry { held: Held::Doc(doc), .. }) => Some(doc.clone()),
            None | Some(Entry { held: Held::Deleted(_), .. }) => None,
            Some(_) => return Some(Expect::Error("WRONGTYPE")),
        };
        match when {
            When::New if old.is_some() => return Some(Expect::Nil),
            When::Old if old.is_none() => return Some(Expect::Nil),
            When::Absent if old.is_some() => return Some(Expect::Error("VERSION")),
            When::Never => return Some(Expect::Error("VERSION")),
            _ => {}
        }
        let Some(slot) = self.space().slot(key) else { return Some(Expect::Error("KEY")) };
        let schema = self.space().schema(&slot.1);
        let version = self.space().migrations(&slot.1).version;
        fill(&schema, old.as_ref().map(|old| &old.json), &mut json, true)?;
        let is_same = old
            .as_ref()
            .is_some_and(|old| old.json == json && old.timed.is_empty() && old.schema == version);
        if old.as_ref().is_some_and(|old| !old.exact && has_value_of(&old.json, &json)) {
            return None;
        }
        if !is_same {
            let is_moved = moves(&schema, old.as_ref(), &json, true)?;
            let code = schema.refusal(&json, |_| false);
            if let Some(code) = code.or(is_moved.then_some("SCHEMA")) {
                return Some(Expect::Error(code));
            }
            if self.space().clash(&slot.1, key, None, &json) {
                return Some(Expect::Error("UNIQUE"));
            }
        }
        let doc = self.changed(old, json, true, Timed::default(), version);
        let expect = Expect::Version { slot, stamp: doc.stamp, is_new: !is_same };
        let db = self.db;
        self.put(db, key, Entry { held: Held::Doc(doc), ttl: level });
        if level.is_some_and(|level| level < 0) {
            self.take(db, key);
        }
        Some(expect)
    }

    /// A document with its new text; the version stays when all does, the birth always.
    pub fn changed(
        &mut self,
        old: Option<Doc>,
        json: Json,
        exact: bool,
        timed: Timed,
        schema: u16,
    ) -> Doc {
        if let Some(old) = &old
            && old.json == json
            && old.timed == timed
            && old.schema == schema
        {
            return old.clone();
        }
        let stamp = self.number();
        let birth = old.map_or(stamp, |old| old.birth);
        Doc { json, exact, birth, stamp, timed, hides: false, schema }
    }

    fn doc_del(&mut self, keys: &[String]) -> Option<Plan> {
        let mut words = vec!["DOC.DEL".to_owned()];
        words.extend_from_slice(keys);
        if keys.iter().any(|key| self.space().is_other(key)) {
            return plan(&words, Expect::Error("WRONGTYPE"));
        }
        let db = self.db;
        let mut count = 0;
        for key in keys {
            if self.space().doc(key).is_some() {
                self.take(db, key);
                count += 1;
            }
        }
        plan(&words, Expect::Int(count))
    }

    fn create(&mut self, name: &str, seed: u64) -> Option<Plan> {
        self.has_no_hiding_strays()?;
        let (schema, prefix) = (schema_of(seed), prefix_of(name));
        let mut words = vec!["DOC.CREATE".to_owned()];
        words.extend(schema.create_arguments(name));
        words.extend(["PREFIX".to_owned(), prefix.clone()]);
        let what = What::of(seed);
        let migrations = Migrations::of(seed);
        words.extend(migrations.words());
        words.extend(what.into_iter().flat_map(|what| ["CHANGES", what.word()]).map(str::to_owned));
        if self.space().docs().any(|(_, doc, _)| doc.timed.is_unsure(&schema)) {
            return None;
        }
        let expect = self.create_expect(name, seed, prefix, schema);
        plan(&words, expect)
    }

    fn create_expect(
        &mut self,
        name: &str,
        seed: u64,
        prefix: String,
        schema: NaiveSchema,
    ) -> Expect {
        let space = self.space();
        if let Some(declared) = space.declared.get(name) {
            let arguments = |schema: &NaiveSchema| schema.create_arguments(name);
            let is_same = arguments(&declared.schema) == arguments(&schema)
                && declared.migrations.is_declared_as(&Migrations::of(seed))
                && What::of(declared.seed) == What::of(seed);
            return if is_same { Expect::Ok } else { Expect::Error("COLLECTIONEXISTS") };
        }
        let is_elsewhere = prefix != format!("{name}:");
        let has_any = !space.members(name).is_empty() || !space.deleted_members(name).is_empty();
        if is_elsewhere && has_any {
            return Expect::Error("COLLECTIONEXISTS");
        }
        let moving = space.docs().filter(|(key, ..)| {
            key.starts_with(&prefix)
                && space.place(key).is_some_and(|open| prefix_of(&open) == prefix)
        });
        let moving: Vec<&Doc> = moving.map(|(_, doc, _)| doc).collect();
        let migrations = Migrations::of(seed);
        let code = |Doc { json, timed, schema: version, .. }: &&Doc| {
            let is_broken = schema.has_huge_number(json)
                || timed.breach(&schema).is_some()
                || !migrations.reaches(*version);
            schema.refusal(json, |_| false).or(is_broken.then_some("SCHEMA"))
        };
        let codes: BTreeSet<&str> = moving.iter().filter_map(code).collect();
        if !codes.is_empty() {
            return refused(codes);
        }
        let moving: Vec<&Json> = moving.iter().map(|doc| &doc.json).collect();
        if any_share(&schema, &moving) {
            return Expect::Error("UNIQUE");
        }
        let strays = space.strays();
        let declared = crate::world::Declared { prefix, schema, migrations, seed };
        self.space_mut().declared.insert(name.to_owned(), declared);
        self.bring_home(strays);
        self.begin_stream(name, What::of(seed));
        Expect::Ok
    }

    /// Whether no declaration that comes or goes brings a document home of which parts are to be removed then; none otherwise.
    fn has_no_hiding_strays(&self) -> Option<()> {
        let space = self.space();
        (!space.strays().iter().any(|key| space.hides(key))).then_some(())
    }

    fn drop_collection(&mut self, name: &str, documents: bool) -> Option<Plan> {
        self.has_no_hiding_strays()?;
        let mut words = vec!["DOC.DROP", name];
        words.extend(documents.then_some("DOCUMENTS"));
        let space = self.space();
        let is_declared = space.declared.contains_key(name);
        let all = space.members(name).into_iter().chain(space.deleted_members(name));
        let members: Vec<String> = all.map(|(key, _)| key.clone()).collect();
        if !is_declared && (members.is_empty() || !documents) {
            let has_leftovers = documents && space.names().1.contains(name);
            let error = Expect::Error("NOCOLLECTION");
            return plan(
                &words,
                if has_leftovers { Expect::Either(vec![error, Expect::Ok]) } else { error },
            );
        }
        let strays = space.strays();
        self.space_mut().declared.remove(name);
        self.end_stream(name, documents);
        self.bring_home(strays);
        let db = self.db;
        for key in members.iter().filter(|_| documents) {
            self.take(db, key);
        }
        plan(&words, Expect::Ok)
    }

    fn multi(&mut self, ops: &[Op]) -> Plan {
        let mut steps = Vec::new();
        for op in ops {
            steps.extend(self.step(op).unwrap_or_default());
        }
        let mut plan = vec![(command(&["MULTI"]), Expect::Ok)];
        plan.extend(steps.iter().map(|(command, _)| (command.clone(), Expect::Queued)));
        let replies = steps.into_iter().map(|(_, expect)| expect).collect();
        plan.push((command(&["EXEC"]), Expect::Array(replies)));
        plan
    }

    /// A transaction that does nothing.
    fn unsaid(&self, ops: &[Op], end: &[&str], expect: Expect) -> Plan {
        let is_abort = end == ["EXEC"];
        let mut plan = self.clone().multi(ops);
        plan.pop();
        if is_abort {
            plan.push((command(&["DOC.SET", "users:1"]), Expect::Error("ERR")));
        }
        plan.push((command(end), expect));
        plan
    }

    /// A transaction that does nothing if its key was changed since it was watched.
    fn watch(&mut self, key: &str, first: &Op, then: &[Op]) -> Option<Plan> {
        // Whether a lapsed key counts as changed hangs on whether the server had removed it.
        if self.space().leftovers.contains(key) {
            return None;
        }
        let mut next = self.clone();
        let changing = next.step(first)?;
        let (before, after) = (self.space().entries.get(key), next.space().entries.get(key));
        let is_its_own = first.keys().contains(&key);
        let is_changed = is_its_own && is_changed(before, after, first, &changing)?;
        *self = next;
        let mut plan = vec![(command(&["WATCH", key]), Expect::Ok)];
        plan.extend(changing);
        if is_changed {
            plan.extend(self.clone().multi(then));
            plan.last_mut()?.1 = Expect::Nil;
        } else {
            plan.extend(self.multi(then));
        }
        Some(plan)
    }

    /// The declaration comes back, unless the documents break it by now; each index holds then what it held.
    fn redeclare(&mut self, name: &str) -> Option<Plan> {
        let seed = self.space().declared.get(name)?.seed;
        let digest = Op::Digest { name: name.to_owned() };
        let mut plan = self.read(&digest)?;
        plan.extend(self.drop_collection(name, false)?);
        plan.extend(self.create(name, seed)?);
        plan.extend(self.read(&digest)?);
        Some(plan)
    }

    /// A script stops at its first error; what was done before stays.
    fn eval(&mut self, begin: &[&str], ops: &[Op]) -> Plan {
        let mut words: Vec<Vec<u8>> = command(begin);
        let (mut replies, mut error) = (Vec::new(), None);
        for op in ops.iter().filter(|op| !op.is_script()) {
            let is_running = error.is_none();
            let steps = if is_running { self.step(op) } else { self.clone().step(op) };
            for (command, expect) in steps.unwrap_or_default() {
                // Whether the script goes on is to be known: what asks about a collection that may be gone changes nothing.
                if expect.may_be_error() && !expect.is_error() {
                    continue;
                }
                words.push(command.len().to_string().into_bytes());
                words.extend(command);
                if is_running && expect.is_error() {
                    error = Some(expect);
                } else {
                    replies.push(expect);
                }
            }
        }
        vec![(words, error.unwrap_or(Expect::Array(replies)))]
    }
}

/// Whether a watched key was changed by an operation, as far as that can be known.
fn is_changed(
    before: Option<&Entry>,
    after: Option<&Entry>,
    op: &Op,
    plan: &[(Command, Expect)],
) -> Option<bool> {
    let stamp = |entry: &Entry| match &entry.held {
        Held::Doc(doc) | Held::Deleted(doc) => Some(doc.stamp),
        _ => None,
    };
    let is_other = match (before, after) {
        (None, None) => false,
        (Some(before), Some(after)) => {
            stamp(before) != stamp(after) || before.ttl != after.ttl || stamp(after).is_none()
        }
        _ => true,
    };
    let expect = &plan.last()?.1;
    let is_refused = expect.is_error() || matches!(expect, Expect::Nil | Expect::Int(0));
    match op {
        Op::Set { .. } | Op::Update(_) | Op::DocDel { .. } | Op::Soft { .. } | Op::Del { .. }
            if is_refused || is_other =>
        {
            Some(!is_refused)
        }
        // The same text again is no change; a time that was given again may be another one.
        Op::Set { ttl: SetTtl::Drop | SetTtl::Keep, .. }
        | Op::Update(Update { ttl: SetTtl::Drop | SetTtl::Keep, .. }) => {
            after.is_some().then_some(false)
        }
        Op::DocDel { .. } | Op::Soft { .. } | Op::Del { .. } => Some(false),
        Op::Expire { .. } | Op::Persist { .. } => Some(!is_refused),
        _ => None,
    }
}

/// The documents as a collection of the naive model, which answers queries.
pub fn naive_collection(world: &World, name: &str) -> NaiveCollection {
    naive_collection_of(world, name, world.space().members(name))
}

/// Some documents as a collection.
pub fn naive_collection_of(
    world: &World,
    name: &str,
    members: Vec<(&String, &Doc)>,
) -> NaiveCollection {
    let mut collection = NaiveCollection::new(world.space().schema(name));
    let declared = world.space().declared.get(name);
    collection.prefix =
        declared.map_or_else(|| format!("{name}:"), |declared| declared.prefix.clone());
    let is_deleted = |held: &Held| matches!(held, Held::Deleted(_));
    for (key, doc) in members {
        let entry = world.space().entries.get(key);
        collection.documents.push(naive::model::NaiveDocument {
            key: key.clone(),
            json: doc.json.clone(),
            birth: doc.birth,
            version: 0,
            created_ms: 0,
            updated_ms: 0,
            expires_ms: None,
            timed: Timed::default(),
            is_deleted: entry.is_some_and(|entry| is_deleted(&entry.held)),
        });
    }
    collection
}
