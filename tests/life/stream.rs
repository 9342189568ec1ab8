//! The change streams of a server, compared with what they are to tell, and folded into the documents that they tell of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use folio_tests::naive::Json;
use folio_tests::naive::model::is_same;
use redis::Value;

use crate::expect::{Versions, items, json_fits, text, without_instants};
use crate::run::{DIGESTS_MAX, Run, Stop};
use crate::told::{MADE, Stream, Told, What, is_floating};
use crate::wire::{Command, command};
use crate::world::{Slot, Space};

/// What has been read of a stream.
#[derive(Debug, Default)]
pub struct Fold {
    /// The number of the last entry.
    last: u64,
    /// The documents of which it has told.
    held: BTreeMap<String, Json>,
}

/// An entry.
#[derive(Clone, Debug)]
struct Found {
    number: u64,
    op: String,
    /// As the model knows the key.
    key: String,
    own_key: String,
    cause: Option<String>,
    version: Option<u64>,
    before: Option<Json>,
    after: Option<String>,
}

impl Found {
    fn read(value: &Value, name: &str) -> Option<Self> {
        let [id, fields] = items(value)? else { return None };
        let number = text(id)?.strip_suffix("-0")?.parse().ok()?;
        let fields: Option<Vec<String>> = items(fields)?.iter().map(text).collect();
        let fields: BTreeMap<String, String> =
            fields?.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let op = fields.get("op")?.clone();
        let whole = || (op == "flush").then(|| format!("{name} as a whole"));
        let key = fields.get("key").cloned().or_else(whole)?;
        let before = match fields.get("before") {
            Some(before) => Some(without_instants(Json::parse(before).ok()?)),
            None => None,
        };
        fields.get("time")?.parse::<i64>().ok()?;
        // An update tells what it changed, and nothing else does.
        if fields.contains_key("paths") != (op == "update") {
            return None;
        }
        Some(Self {
            number,
            own_key: key.clone(),
            key,
            cause: fields.get("cause").cloned(),
            version: fields.get("version").and_then(|version| version.parse().ok()),
            before,
            after: fields.get("after").cloned(),
            op,
        })
    }

    fn is_floating(&self) -> bool {
        is_floating(&self.op, self.cause.as_deref())
    }

    /// Whether the entry tells a change; takes the key to be the one that the server alone knows, if it may be.
    fn take_for(&mut self, told: &Told) -> bool {
        let is_made =
            told.key.strip_suffix(MADE).is_some_and(|prefix| self.key.starts_with(prefix));
        if is_made {
            told.key.clone_into(&mut self.key);
        }
        self.tells(told)
    }

    /// Whether it may be what had lapsed: overwritten, or removed, before the server had removed it, that is told as a removal of the
    /// version that has lapsed.
    fn may_be_lapsed(&self, stream: &Stream, versions: &Versions) -> bool {
        let is_its = |told: &Rc<Told>| {
            let is_version = |stamp| versions.may_be(stamp, self.version);
            told.key == self.key && told.op == "expire" && told.stamp.is_none_or(is_version)
        };
        self.op == "delete" && (stream.maybe.contains(&self.key) || stream.told.iter().any(is_its))
    }

    fn tells(&self, told: &Told) -> bool {
        // What overwrote it may be gone itself before the server can tell why.
        let is_any = told.cause == Some("overwrite") && told.op == "delete";
        // What has lapsed may be what the server takes when memory gets scarce.
        let is_evicted = told.op == "expire" && self.op == "evict";
        (self.op == told.op || is_evicted)
            && self.key == told.key
            && (is_any || self.cause.as_deref() == told.cause)
    }

    /// Whether it holds what a stream of this kind does.
    fn holds(&self, told: &Told, what: What) -> bool {
        let has_after = what != What::Keys && told.after.is_some();
        let had = matches!(self.op.as_str(), "update" | "delete" | "expire" | "evict");
        let is_right = |(json, exact): &(Json, bool)| {
            let after = self.after.clone().map(|text| Value::BulkString(text.into_bytes()));
            after.is_some_and(|after| json_fits(&after, json, *exact))
        };
        self.after.is_some() == (has_after || (told.is_optional && self.after.is_some()))
            && (!has_after || told.after.as_ref().is_none_or(is_right))
            && self.before.is_some() == (what == What::Both && had)
    }
}

/// Takes removals of which no command could be the reason for those of what had lapsed.
fn take_lapsed(stream: &Stream, found: &mut [Found], versions: &Versions) {
    let deleted: BTreeSet<String> =
        found.iter().filter(|it| it.op == "delete").map(|it| it.key.clone()).collect();
    for key in deleted {
        let places: Vec<usize> = (0..found.len()).filter(|at| found[*at].key == key).collect();
        let told: Vec<&Rc<Told>> =
            stream.told.iter().filter(|told| told.key == key && !told.is_floating()).collect();
        let removals = places.iter().filter(|at| found[**at].op == "delete").count();
        let more = removals.saturating_sub(told.iter().filter(|told| told.op == "delete").count());
        let may_be: Vec<usize> = places
            .iter()
            .copied()
            .filter(|at| found[*at].may_be_lapsed(stream, versions))
            .collect();
        let more = more.min(may_be.len());
        // Those without which the others are what was to be told, in that order.
        let is_right = |lapsed: &Vec<usize>| {
            let others = places.iter().filter(|at| !lapsed.contains(at)).map(|at| &found[*at]);
            others
                .filter(|it| !it.is_floating())
                .map(|it| it.op.as_str())
                .eq(told.iter().map(|told| told.op))
        };
        let first = may_be[..more].to_vec();
        let lapsed = choices(&may_be, more).into_iter().find(is_right).unwrap_or(first);
        for at in lapsed {
            (found[at].op, found[at].cause) = ("expire".to_owned(), None);
        }
    }
}

/// All ways to choose so many places, the first ones first.
fn choices(places: &[usize], count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let Some((first, rest)) = places.split_first() else { return Vec::new() };
    let mut all = choices(rest, count - 1);
    for choice in &mut all {
        choice.insert(0, *first);
    }
    all.extend(choices(rest, count));
    all
}

/// Compares entries with what was to be told, and gives what may still come.
fn compare(
    stream: &Stream,
    space: &Space,
    slot: &Slot,
    found: &mut [Found],
    versions: &mut Versions,
) -> Result<Vec<Rc<Told>>, String> {
    take_lapsed(stream, found, versions);
    let mut all: Vec<&Rc<Told>> = stream.told.iter().collect();
    let mut in_order: Vec<&mut Found> = found.iter_mut().filter(|it| !it.is_floating()).collect();
    all.retain(|told| !told.is_floating());
    for (at, told) in all.iter().enumerate() {
        // Of one command the order may be any.
        let group = all[at..].iter().take_while(|it| it.group.is_some() && it.group == told.group);
        let end = (at + group.count().max(1)).min(in_order.len());
        match (at..end).find(|place| in_order[*place].take_for(told)) {
            Some(place) => in_order.swap(at, place),
            None => {
                return Err(format!("where {told:?} was to be told stands {:?}", in_order.get(at)));
            }
        }
    }
    if let Some(more) = in_order.get(all.len()) {
        return Err(format!("nothing was to be told, and there is {more:?}"));
    }
    let told: BTreeSet<&String> = stream.told.iter().map(|told| &told.key).collect();
    let keys: BTreeSet<&String> = found.iter().map(|it| &it.key).collect();
    let mut left = Vec::new();
    for key in told.union(&keys) {
        let is_allowed = |found: &&Found| {
            matches!(found.op.as_str(), "expire" | "evict") && stream.maybe.contains(*key)
        };
        let mut of_key = found.iter().filter(|it| it.key == **key).peekable();
        let mut all = stream.told.iter().filter(|told| told.key == **key);
        while let Some(told) = all.next() {
            // What may have lapsed has done so before the next change.
            while of_key.next_if(|found| !found.tells(told) && is_allowed(found)).is_some() {}
            if told.is_optional && is_for_next(told, all.clone(), of_key.clone(), stream.what) {
                continue;
            }
            if let Some(found) = of_key.next_if(|found| found.tells(told)) {
                let is_known = |stamp| {
                    found.version.is_some_and(|version| versions.seen(slot, stamp, version))
                };
                if !told.stamp.is_none_or(is_known) || !found.holds(told, stream.what) {
                    return Err(format!("{told:?} is told as {found:?}"));
                }
            } else if told.op == "expire" && space.leftovers.contains(*key) {
                left.push(told.clone());
            } else if !(told.is_optional || told.op == "expire" && stream.maybe.contains(*key)) {
                return Err(format!("{told:?} is not told, but {:?}", of_key.peek()));
            }
        }
        if let Some(found) = of_key.find(|found| !is_allowed(found)) {
            return Err(format!("of {key} nothing was to be told, and there is {found:?}"));
        }
    }
    Ok(left)
}

/// Whether the next entry of a key is not of `told`, which may have happened, but of the next change that has: where that is
/// alike, its text tells, or, where there are no texts, whether there are more entries in a row than such changes.
fn is_for_next<'t, 'f>(
    told: &Told,
    rest: impl Iterator<Item = &'t Rc<Told>>,
    mut found: impl Iterator<Item = &'f Found>,
    what: What,
) -> bool {
    let mut rest = rest.filter(|told| !told.is_optional);
    let Some(next) = rest.next().filter(|next| (next.op, next.cause) == (told.op, told.cause))
    else {
        return false;
    };
    if what == What::Keys {
        let alike = rest.take_while(|next| (next.op, next.cause) == (told.op, told.cause));
        return found.take_while(|found| found.tells(told)).count() <= 1 + alike.count();
    }
    found.next().is_some_and(|found| found.tells(next) && found.holds(next, what))
}

impl Fold {
    /// Takes entries in by their numbers alone.
    fn count(&mut self, stream: &Stream, found: &[Found]) -> Result<(), String> {
        let mut is_anew = stream.is_anew;
        for entry in found {
            if entry.number != self.last + 1 && !std::mem::take(&mut is_anew) {
                return Err(format!("behind number {} stands {entry:?}", self.last));
            }
            self.last = entry.number;
        }
        Ok(())
    }

    /// Takes entries in, and compares what comes of them with the documents that are there.
    fn take(
        &mut self,
        stream: &Stream,
        space: &Space,
        name: &str,
        found: &[Found],
    ) -> Result<(), String> {
        if let Some(base) = &stream.base {
            self.held = (**base).clone();
        }
        let mut is_anew = stream.is_anew;
        for entry in found {
            if entry.number != self.last + 1 && !std::mem::take(&mut is_anew) {
                return Err(format!("behind number {} stands {entry:?}", self.last));
            }
            self.last = entry.number;
            let held = self.held.get(&entry.own_key);
            let is_known = match (&entry.before, held) {
                (Some(before), Some(held)) => {
                    // What lapses with the whole is not told by itself.
                    is_same(before, held) || stream.may_lose_parts(&entry.own_key)
                }
                // A document that had lapsed when the collection was declared.
                (Some(_), None) => stream.maybe.contains(&entry.own_key),
                (None, _) => true,
            };
            if !is_known {
                return Err(format!("{entry:?} is not what was there: {held:?}"));
            }
            match entry.op.as_str() {
                "flush" => self.held.clear(),
                "insert" | "update" => {
                    let after = entry.after.as_deref().map(Json::parse);
                    let after = after.and_then(Result::ok).map(without_instants);
                    let after = after.unwrap_or(Json::Null);
                    self.held.insert(entry.own_key.clone(), after);
                }
                _ => _ = self.held.remove(&entry.own_key),
            }
        }
        if !stream.is_declared {
            return Ok(());
        }
        let members = space.members(name);
        for (key, doc) in &members {
            let held = self.held.get(*key);
            let is_it = |held: &Json| stream.what == What::Keys || is_same(held, &doc.json);
            if !held.is_some_and(is_it) {
                return Err(format!(
                    "the stream makes {held:?} of {key}, and it is {}",
                    doc.json.print()
                ));
            }
        }
        let is_gone = |key: &&String| {
            let is_there = members.iter().any(|(own, _)| own == key);
            !is_there && !space.leftovers.contains(*key) && !stream.maybe.contains(*key)
        };
        match self.held.keys().find(is_gone) {
            Some(key) => Err(format!("the stream has {key}, which is gone")),
            None => Ok(()),
        }
    }
}

impl Run<'_> {
    /// Compares every stream with what it was to tell since this was asked last, on the replica too.
    pub fn check_streams(&mut self) -> Result<(), Stop> {
        let streams = self.streams();
        if streams.is_empty() {
            return Ok(());
        }
        self.wait_for_server("changes_pending")?;
        // Where the server removes what has lapsed by itself, it may tell so between the two.
        let mut own = self.read_streams(&streams)?;
        for _ in 1..DIGESTS_MAX {
            if own.its_own().is_ok() {
                break;
            }
            own = self.read_streams(&streams)?;
        }
        self.fault(own.its_own())?;
        for ((db, name), reply) in streams.iter().zip(&own.replies) {
            self.check_stream(*db, name, reply)?;
        }
        self.trim(&streams)
    }

    /// The databases and names of collections that have or had streams.
    pub fn streams(&self) -> Vec<(usize, String)> {
        let spaces = self.world.spaces.iter().enumerate();
        let names =
            spaces.flat_map(|(db, space)| space.streams.keys().map(move |it| (db, it.clone())));
        names.collect()
    }

    fn check_stream(&mut self, db: usize, name: &str, reply: &Value) -> Result<(), Stop> {
        let found: Option<Vec<Found>> =
            items(reply).and_then(|all| all.iter().map(|it| Found::read(it, name)).collect());
        let Some(mut found) = found else {
            return self.fault(Err(format!("the stream of {name} holds {reply:?}")));
        };
        let space = &self.world.spaces[db];
        let (slot, stream) = ((space.id, name.to_owned()), &space.streams[name]);
        let fold = self.folds.entry(slot.clone()).or_default();
        // Valkey tells of some removals otherwise, a TTL in the past as a lapse: there entries are counted alone.
        let outcome = if self.rig.says_evicted() {
            let left = compare(stream, space, &slot, &mut found, &mut self.versions);
            left.and_then(|left| fold.take(stream, space, name, &found).map(|()| left))
        } else {
            fold.count(stream, &found).map(|()| Vec::new())
        };
        let outcome = outcome.map_err(|text| format!("stream of {name} in {db}: {text}"));
        let left = self.fault(outcome)?;
        let stream = self.world.spaces[db].streams.get_mut(name).expect("it was just read");
        (stream.told, stream.base) = (left, None);
        if !found.is_empty() {
            stream.is_anew = false;
            self.happened.push("changes are told");
        }
        if found.iter().any(|found| found.cause.as_deref() == Some("ttl")) {
            self.happened.push("a part that lapses is told");
        }
        Ok(())
    }

    fn read_streams(&mut self, streams: &[(usize, String)]) -> Result<Read, Stop> {
        let mut commands: Vec<Command> = Vec::new();
        for (db, name) in streams {
            let slot = (self.world.spaces[*db].id, name.clone());
            let is_anew = self.world.spaces[*db].streams[name].is_anew;
            let last = self.folds.get(&slot).filter(|_| !is_anew).map_or(0, |fold| fold.last);
            commands.push(command(&["SELECT", &db.to_string()]));
            let from = (last + 1).to_string();
            commands.push(command(&["XRANGE", &format!("changes:{name}"), &from, "+"]));
        }
        commands.push(command(&["SELECT", &self.world.db.to_string()]));
        let every_second = |replies: Vec<Value>| replies.into_iter().skip(1).step_by(2).collect();
        let own = self.rig.wire.ask(&commands);
        let replies: Vec<Value> = every_second(self.fault(own)?);
        let its = self.rig.ask_replica(&commands);
        let its = self.fault(its)?.map(every_second);
        Ok(Read { replies, its })
    }

    /// Takes out of the streams what has been compared, but for the last entry.
    fn trim(&mut self, streams: &[(usize, String)]) -> Result<(), Stop> {
        let mut commands = Vec::new();
        for (db, name) in streams {
            let slot = (self.world.spaces[*db].id, name.clone());
            let last = self.folds.get(&slot).map_or(0, |fold| fold.last).to_string();
            commands.push(command(&["SELECT", &db.to_string()]));
            commands.push(command(&["XTRIM", &format!("changes:{name}"), "MINID", &last]));
        }
        commands.push(command(&["SELECT", &self.world.db.to_string()]));
        let replies = self.rig.wire.ask(&commands);
        self.fault(replies).map(|_| ())
    }

    /// Where memory was scarce the server may have taken a stream as any key: what it told is lost.
    pub fn forget_evicted_streams(&mut self) -> Result<(), Stop> {
        if self.streams().is_empty() {
            return Ok(());
        }
        self.wait_for_server("changes_pending")?;
        let says_evicted = self.rig.says_evicted();
        for (db, name) in self.streams() {
            let slot = (self.world.spaces[db].id, name.clone());
            let last = self.folds.get(&slot).map_or(0, |fold| fold.last);
            let key = format!("changes:{name}");
            let (first, end) = (["XRANGE", &key, "-", "+"], ["XREVRANGE", &key, "+", "-"]);
            let one = |words: [&str; 4]| command(&[&words[..], &["COUNT", "1"]].concat());
            let commands = [command(&["SELECT", &db.to_string()]), one(first), one(end)];
            let replies = self.rig.wire.ask(&commands);
            let replies = self.fault(replies)?;
            let number = |reply: &Value| Some(Found::read(items(reply)?.first()?, &name)?.number);
            let (first, end) = (number(&replies[1]), number(&replies[2]));
            // The last entry that was compared is left where the stream is.
            let is_whole = first.is_some_and(|first| first == last || last == 0);
            let space = &mut self.world.spaces[db];
            let stream = space.streams.get_mut(&name).expect("it was just listed");
            let is_none = last == 0 && first.is_none() && stream.told.is_empty();
            if is_whole && says_evicted || is_none {
                continue;
            }
            stream.may_lapse();
            stream.told.clear();
            stream.is_anew = end.is_none();
            let base = space.members(&name).into_iter();
            let held = base.map(|(key, doc)| (key.clone(), doc.json.clone())).collect();
            self.folds.insert(slot, Fold { last: end.unwrap_or(0), held });
        }
        let back = self.rig.wire.call(&["SELECT", &self.world.db.to_string()]);
        self.fault(back).map(|_| ())
    }
}

/// Entries as a server and its replica have them.
struct Read {
    replies: Vec<Value>,
    its: Option<Vec<Value>>,
}

impl Read {
    /// Whether the replica has what the primary has.
    fn its_own(&self) -> Result<(), String> {
        match &self.its {
            Some(its) if *its != self.replies => {
                Err(format!("streams\n  gave       {:?}\n  on replica {its:?}", self.replies))
            }
            _ => Ok(()),
        }
    }
}
