//! What the server's own commands do to keys, which judge nothing.

use crate::expect::Expect;
use crate::op::{Form, Only, Op, SetTtl, Ttl, When};
use crate::step::{Plan, plan};
use crate::world::{Entry, Held, SOON, World};

/// Copies a key through its serialized form.
const RESTORE: &str = "
    local dump = redis.call('DUMP', KEYS[1])
    if not dump then return -1 end
    return redis.call('RESTORE', KEYS[2], ARGV[1], dump, unpack(ARGV, 2))";

/// Bytes of a document that is no light work to free: the server frees in the background what is of more
/// than 64 pages.
const LARGE_BYTES: usize = 300_000;

const WRONGTYPE: Expect = Expect::Error("WRONGTYPE");

impl World {
    /// The plan of one of the server's own commands.
    pub fn native(&mut self, op: &Op) -> Option<Plan> {
        let db = self.db;
        match op {
            Op::Expire { key, ttl, only } => self.expire(key, *ttl, *only),
            Op::Persist { key } => {
                let entry = self.space_mut().entries.get_mut(key);
                let had = entry.and_then(|entry| entry.ttl.take()).is_some();
                plan(&["PERSIST", key], Expect::Int(had.into()))
            }
            Op::Del { keys } => self.remove("DEL", keys),
            Op::Unlink { keys } => self.remove("UNLINK", keys),
            Op::UnlinkLarge { key } => {
                let json = format!("{{\"large\":\"{}\"}}", "x".repeat(LARGE_BYTES));
                let mut plan = self.set(key, &json, When::Always, SetTtl::Drop, 0)?;
                plan.extend(self.remove("UNLINK", std::slice::from_ref(key))?);
                Some(plan)
            }
            // A document that comes out of the open, and hides something, loses that some time later.
            Op::Rename { from, .. }
            | Op::RenameNx { from, .. }
            | Op::Copy { from, .. }
            | Op::Restore { from, .. }
            | Op::Move { key: from, .. }
                if self.space().hides(from) =>
            {
                None
            }
            Op::Rename { from, to } => {
                let expect = match self.rename(from, to, false) {
                    None => Expect::Error("ERR"),
                    Some(_) => Expect::Ok,
                };
                plan(&["RENAME", from, to], expect)
            }
            Op::RenameNx { from, to } => {
                let expect = match self.rename(from, to, true) {
                    None => Expect::Error("ERR"),
                    Some(is_done) => Expect::Int(is_done.into()),
                };
                plan(&["RENAMENX", from, to], expect)
            }
            Op::Copy { from, to, db, replace } => self.copy(from, to, *db, *replace),
            Op::Move { key, db: to } => {
                let words = ["MOVE", key, &to.to_string()];
                if *to == db {
                    return plan(&words, Expect::Error("ERR"));
                }
                let is_free = !self.spaces[*to].entries.contains_key(key);
                let is_done = is_free && self.space().entries.contains_key(key);
                if is_done {
                    self.carry((db, key), (*to, key), "move");
                }
                plan(&words, Expect::Int(is_done.into()))
            }
            Op::SwapDb(a, b) => {
                self.spaces.swap(*a, *b);
                plan(&["SWAPDB", &a.to_string(), &b.to_string()], Expect::Ok)
            }
            Op::Restore { from, to, ttl, replace } => self.restore(from, to, *ttl, *replace),
            Op::FlushDb { background } => {
                self.flush(db);
                plan(&["FLUSHDB", if *background { "ASYNC" } else { "SYNC" }], Expect::Ok)
            }
            Op::FlushAll { background } => {
                for db in 0..self.spaces.len() {
                    self.flush(db);
                }
                plan(&["FLUSHALL", if *background { "ASYNC" } else { "SYNC" }], Expect::Ok)
            }
            Op::ActiveExpire(on) => {
                plan(&["DEBUG", "SET-ACTIVE-EXPIRE", if *on { "1" } else { "0" }], Expect::Ok)
            }
            Op::Pause { ms, all } => {
                let what = if *all { "ALL" } else { "WRITE" };
                plan(&["CLIENT", "PAUSE", &ms.to_string(), what], Expect::Ok)
            }
            // One may be under way already.
            Op::Rewrite if self.has_documents() => plan(&["BGREWRITEAOF"], Expect::Any),
            _ => self.other_type(op),
        }
    }

    /// Commands about other types, some of which overwrite a key whatever stands there.
    fn other_type(&mut self, op: &Op) -> Option<Plan> {
        let db = self.db;
        match op {
            Op::SetString { key, ttl } => {
                let mut words = vec!["SET".to_owned(), key.clone(), "v".to_owned()];
                let mut level = None;
                if let Some(Ttl { step, .. }) = ttl {
                    let (number, to) = self.ttl_ms(step.abs(), false);
                    words.extend(["PX".to_owned(), number.to_string()]);
                    level = Some(to);
                }
                self.put(db, key, Entry { held: Held::Text, ttl: level });
                plan(&words, Expect::Ok)
            }
            Op::SetKeep { key } => {
                let ttl = self.space().entries.get(key).and_then(|entry| entry.ttl);
                self.put(db, key, Entry { held: Held::Text, ttl });
                plan(&["SET", key, "v", "KEEPTTL"], Expect::Ok)
            }
            Op::SetAdd { key } => {
                let expect = match self.space().entries.get(key).map(|entry| &entry.held) {
                    None => {
                        self.put(db, key, Entry { held: Held::Set, ttl: None });
                        Expect::Int(1)
                    }
                    Some(Held::Set) => Expect::Int(0),
                    Some(_) => WRONGTYPE,
                };
                plan(&["SADD", key, "m"], expect)
            }
            Op::UnionStore { to, from } => {
                let expect = self.store(to, from, false, Held::Set);
                plan(&["SUNIONSTORE", to, from], expect)
            }
            Op::Bits { to, from } => {
                let expect = match self.text(from) {
                    Expect::Text(_) => {
                        self.put(db, to, Entry { held: Held::Text, ttl: None });
                        Expect::Int(1)
                    }
                    Expect::Nil => {
                        self.take(db, to);
                        Expect::Int(0)
                    }
                    error => error,
                };
                plan(&["BITOP", "OR", to, from], expect)
            }
            Op::SortStore { to, from } => {
                let expect = self.store(to, from, true, Held::List);
                plan(&["SORT", from, "ALPHA", "STORE", to], expect)
            }
            Op::GetEx { key, ttl } => self.get_ex(key, *ttl),
            Op::GetDel { key } => {
                let expect = self.text(key);
                if matches!(expect, Expect::Text(_)) {
                    self.take(db, key);
                }
                plan(&["GETDEL", key], expect)
            }
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Expect {
        match self.space().entries.get(key) {
            None => Expect::Nil,
            Some(Entry { held: Held::Text, .. }) => Expect::Text("v"),
            Some(_) => WRONGTYPE,
        }
    }

    fn flush(&mut self, db: usize) {
        self.spaces[db].entries.clear();
        self.spaces[db].leftovers.clear();
        self.flush_streams(db);
    }

    fn expire(&mut self, key: &str, ttl: Ttl, only: Only) -> Option<Plan> {
        let (number, level) = self.ttl_ms(ttl.step, ttl.is_absolute());
        let (verb, number) = match (ttl.is_absolute(), ttl.is_millis()) {
            (false, false) => ("EXPIRE", number / 1000),
            (false, true) => ("PEXPIRE", number),
            (true, false) => ("EXPIREAT", (number / 1000).max(1)),
            (true, true) => ("PEXPIREAT", number),
        };
        let mut words = vec![verb.to_owned(), key.to_owned(), number.to_string()];
        let word = match only {
            Only::Always => None,
            Only::New => Some("NX"),
            Only::Old => Some("XX"),
            Only::Greater => Some("GT"),
            Only::Less => Some("LT"),
        };
        words.extend(word.map(Into::into));
        let db = self.db;
        let Some(entry) = self.spaces[db].entries.get_mut(key) else {
            return plan(&words, Expect::Int(0));
        };
        // Which of two times of one level is the greater one hangs on the clock, unless both are absolute.
        let is_ambiguous = entry.ttl == Some(level) && (level % 2 != 0 || level == SOON);
        if is_ambiguous && level >= 0 && matches!(only, Only::Greater | Only::Less) {
            return None;
        }
        let is_met = match (only, entry.ttl) {
            (Only::Always, _) | (Only::New | Only::Less, None) | (Only::Old, Some(_)) => true,
            (Only::New, Some(_)) | (Only::Old | Only::Greater, None) => false,
            (Only::Greater, Some(old)) => level > old,
            (Only::Less, Some(old)) => level < old,
        };
        if is_met && level < 0 {
            self.take(db, key);
        } else if is_met {
            entry.ttl = Some(level);
        }
        plan(&words, Expect::Int(is_met.into()))
    }

    fn remove(&mut self, verb: &str, keys: &[String]) -> Option<Plan> {
        let mut words = vec![verb.to_owned()];
        words.extend_from_slice(keys);
        let db = self.db;
        let count = keys.iter().filter(|key| self.take(db, key).is_some()).count();
        plan(&words, Expect::Int(count as i64))
    }

    /// Whether a RENAME was done; none where there is no source.
    fn rename(&mut self, from: &str, to: &str, only_new: bool) -> Option<bool> {
        let db = self.db;
        let entries = &self.space().entries;
        entries.get(from)?;
        if from == to {
            return Some(!only_new);
        }
        if only_new && entries.contains_key(to) {
            return Some(false);
        }
        self.carry((db, from), (db, to), "rename");
        Some(true)
    }

    fn copy(&mut self, from: &str, to: &str, db: Option<usize>, replace: bool) -> Option<Plan> {
        // Where that leads astray, it stays in its database.
        let is_doc = |entry: &Entry| matches!(entry.held, Held::Doc(_) | Held::Deleted(_));
        let may_leave = !self.copies_stray || self.space().entries.get(from).is_none_or(is_doc);
        let db = db.filter(|_| may_leave);
        let mut words = vec!["COPY".to_owned(), from.to_owned(), to.to_owned()];
        words.extend(db.map(|db| ["DB".to_owned(), db.to_string()]).into_iter().flatten());
        words.extend(replace.then(|| "REPLACE".to_owned()));
        let db = db.unwrap_or(self.db);
        if db == self.db && from == to {
            return plan(&words, Expect::Error("ERR"));
        }
        let source = self.space().entries.get(from).cloned();
        let is_free = replace || !self.spaces[db].entries.contains_key(to);
        let entry = source.filter(|_| is_free);
        let is_done = entry.map(|entry| self.bring(db, to, entry, "copy")).is_some();
        plan(&words, Expect::Int(is_done.into()))
    }

    fn restore(&mut self, from: &str, to: &str, ttl: Option<Ttl>, replace: bool) -> Option<Plan> {
        let mut level = None;
        let mut number = 0;
        let mut options: Vec<&str> = Vec::new();
        if let Some(Ttl { form, step }) = ttl {
            let is_absolute =
                step < 0 || (step > 0 && matches!(form, Form::AtSeconds | Form::AtMillis));
            let (ms, to) = self.ttl_ms(step, is_absolute);
            (number, level) = (ms, Some(to));
            options.extend(is_absolute.then_some("ABSTTL"));
        }
        options.extend(replace.then_some("REPLACE"));
        let number = number.to_string();
        let mut words = vec!["EVAL", RESTORE, "2", from, to, &number];
        words.extend(options);
        let entries = &self.space().entries;
        let Some(entry) = entries.get(from) else { return plan(&words, Expect::Int(-1)) };
        if !replace && entries.contains_key(to) {
            return plan(&words, Expect::Error("BUSYKEY"));
        }
        let entry = Entry { held: entry.held.clone(), ttl: level };
        let db = self.db;
        if level.is_some_and(|level| level < 0) {
            self.take(db, to);
        } else {
            self.bring(db, to, entry, "restore");
        }
        plan(&words, Expect::Ok)
    }

    /// Stores what a set or a list holds, one member or none, under a key.
    fn store(&mut self, to: &str, from: &str, also_lists: bool, held: Held) -> Expect {
        let source = self.space().entries.get(from).map(|entry| entry.held.clone());
        let db = self.db;
        match source {
            None => {
                self.take(db, to);
                Expect::Int(0)
            }
            Some(Held::List) if !also_lists => WRONGTYPE,
            Some(Held::Set | Held::List) => {
                self.put(db, to, Entry { held, ttl: None });
                Expect::Int(1)
            }
            Some(_) => WRONGTYPE,
        }
    }

    fn get_ex(&mut self, key: &str, ttl: Option<Ttl>) -> Option<Plan> {
        let expect = self.text(key);
        let mut words = vec!["GETEX".to_owned(), key.to_owned()];
        let mut level = None;
        match ttl {
            None => words.push("PERSIST".into()),
            Some(Ttl { step, .. }) => {
                let (number, to) = self.ttl_ms(step, step != 0);
                let word = if step == 0 { "PX" } else { "PXAT" };
                words.extend([word.to_owned(), number.to_string()]);
                level = Some(to);
            }
        }
        let db = self.db;
        if matches!(expect, Expect::Text(_)) {
            if level.is_some_and(|level| level < 0) {
                self.take(db, key);
            } else if let Some(entry) = self.spaces[db].entries.get_mut(key) {
                entry.ttl = level;
            }
        }
        plan(&words, expect)
    }
}
