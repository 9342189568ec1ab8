//! Documents migrated by the server itself: it rests for the whole run but for these moments, so that the model knows at each other one
//! which version a document has.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use redis::Value;

use crate::expect::{Expect, fits, migration, number, pairs, text};
use crate::migrate::Settled;
use crate::run::{PATIENCE, Run, Stop};
use crate::wire::{Command, command, shown};

/// The setting of how long a server migrates at once, and what it is while it may.
pub const SLICE: &str = "folio.build-slice-us";
const SLICE_US: &str = "1000";

/// What is to become of the documents of a collection, by database and name.
type Coming = BTreeMap<(usize, String), Vec<(String, Settled)>>;

impl Run<'_> {
    /// DOC.MIGRATE of a client that waits for its end.
    pub fn migrate(&mut self, name: &str, to: u16) -> Result<(), Stop> {
        let mut next = self.world.clone();
        let Some((words, expect)) = next.migrate(name, to, false).and_then(|mut it| it.pop())
        else {
            return Ok(());
        };
        let before = std::mem::replace(&mut self.world, next);
        let db = self.world.db;
        // What has lapsed may be there still, and the server removes it then.
        let space = self.world.space();
        let has_leftovers =
            space.leftovers.iter().any(|key| space.place(key).as_deref() == Some(name));
        let is_none_ahead = space.ahead(name).is_empty() && !has_leftovers;
        if expect.is_error() || is_none_ahead {
            return self.expect_replies(&[words], &[expect]);
        }
        let Some(coming) = self.coming() else {
            // It would not be known what the client is told.
            self.world = before;
            return Ok(());
        };
        let all = coming.get(&(db, name.to_owned())).into_iter().flatten();
        let codes = all.filter_map(|(_, settled)| settled.as_ref().err().copied());
        let codes: Vec<Expect> = codes.map(Expect::Error).collect();
        let expect = if codes.is_empty() { Expect::Ok } else { Expect::Either(codes) };
        self.happened.extend((!expect.is_error()).then_some("DOC.MIGRATE brings documents"));
        self.settle_as(coming, Some((words, expect)))
    }

    /// Has the server migrate what is ahead.
    pub fn settle(&mut self) -> Result<(), Stop> {
        match self.coming() {
            Some(coming) => self.settle_as(coming, None),
            None => Ok(()),
        }
    }

    fn coming(&self) -> Option<Coming> {
        let settled = |(db, name): (usize, String)| {
            let settled = self.world.settled(db, &name)?;
            Some(((db, name), settled))
        };
        self.world.migrating().into_iter().map(settled).collect()
    }

    fn settle_as(
        &mut self,
        coming: Coming,
        waiting: Option<(Command, Expect)>,
    ) -> Result<(), Stop> {
        let is_stopped = coming.values().flatten().any(|(_, settled)| settled.is_err());
        self.happened.extend(is_stopped.then_some("a migration is stopped"));
        // In one go: nothing is to be migrated to the version that was in force before.
        let mut commands = vec![command(&["CONFIG", "SET", SLICE, SLICE_US])];
        let mut expects = vec![Expect::Ok];
        if let Some((words, expect)) = waiting {
            commands.push(words);
            expects.push(expect);
        }
        self.expect_replies(&commands, &expects)?;
        for ((db, name), all) in &coming {
            self.wait_for_migration(*db, name, all)?;
        }
        let ended = self.rig.wire.call(&["CONFIG", "SET", SLICE, "0"]);
        self.fault(ended)?;
        for ((db, name), all) in coming {
            self.take_migrated(db, &name, all)?;
        }
        let back = self.rig.wire.call(&["SELECT", &self.world.db.to_string()]);
        self.fault(back).map(|_| ())
    }

    fn expect_replies(&mut self, commands: &[Command], expects: &[Expect]) -> Result<(), Stop> {
        self.commands += commands.len();
        let replies = self.rig.wire.ask(commands);
        let replies = self.fault(replies)?;
        for ((words, expect), reply) in commands.iter().zip(expects).zip(&replies) {
            if !fits(expect, reply, &mut self.versions) {
                let text = format!("{}\n  gave     {reply:?}\n  expected {expect:?}", shown(words));
                return self.fault(Err(text));
            }
        }
        Ok(())
    }

    /// Waits until no document of a collection is migrated any more: all are done, or one is in the way.
    fn wait_for_migration(
        &mut self,
        db: usize,
        name: &str,
        all: &[(String, Settled)],
    ) -> Result<(), Stop> {
        let failing = all.iter().filter(|(_, settled)| settled.is_err());
        let failing: Vec<&String> = failing.map(|(key, _)| key).collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let commands = [command(&["SELECT", &db.to_string()]), command(&["DOC.INFO", name])];
            let replies = self.rig.wire.ask(&commands);
            let info = self.fault(replies)?.remove(1);
            let told = migration(&pairs(&info)).unwrap_or_default();
            let word = |name: &str| told.get(name).and_then(|value| text(value));
            let (state, at) = (word("state").unwrap_or_default(), word("stopped_at"));
            if state != "running" {
                let is_right = match at {
                    Some(at) => state == "stopped" && failing.contains(&&at),
                    None => state == "done" && failing.is_empty(),
                };
                let text = format!("{name} in {db} is migrated: {info:?}, where {all:?}");
                return self.fault(if is_right { Ok(()) } else { Err(text) });
            }
            if Instant::now() > deadline {
                return self.fault(Err(format!("{name} in {db} stays on the way: {info:?}")));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Teaches the model which documents have been migrated: all, or those before one that was in the way.
    fn take_migrated(
        &mut self,
        db: usize,
        name: &str,
        all: Vec<(String, Settled)>,
    ) -> Result<(), Stop> {
        let version = self.world.spaces[db].migrations(name).version;
        let is_stopped = all.iter().any(|(_, settled)| settled.is_err());
        let mut commands = vec![command(&["SELECT", &db.to_string()])];
        commands.extend(all.iter().map(|(key, _)| command(&["DOC.META", key])));
        let replies = self.rig.wire.ask(&commands);
        let replies = self.fault(replies)?;
        let mut done = Vec::new();
        for ((key, settled), meta) in all.into_iter().zip(&replies[1..]) {
            let is_there = schema_of(meta) == Some(version);
            match settled {
                Ok(doc) if is_there => done.push((key, doc)),
                Ok(_) | Err(_) if is_stopped && !is_there => {}
                settled => {
                    let text = format!("{key} in {db} is {meta:?}, and was to be {settled:?}");
                    return self.fault(Err(text));
                }
            }
        }
        self.happened.extend((!done.is_empty()).then_some("documents are migrated"));
        self.world.in_any_order(|world| {
            for (key, doc) in done {
                world.settle(db, &key, doc);
            }
        });
        Ok(())
    }
}

fn schema_of(meta: &Value) -> Option<u16> {
    pairs(meta).get("schema").and_then(|value| number(value))?.try_into().ok()
}
