//! Scripts run on a server, in batches whose replies are compared afterwards.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use folio_tests::naive::NaiveFunction;
use folio_tests::{Maker, Options, Server};
use redis::{ProtocolVersion, Value};

use crate::check::{is_lasting, questions};
use crate::expect::{Expect, Versions, fits, version};
use crate::op::Op;
use crate::settle::SLICE;
use crate::setup::Setup;
use crate::source::Abilities;
use crate::step::LIBRARY;
use crate::stream::Fold;
use crate::told::Stream;
use crate::wire::{Command, Wire, command, says_soon, shown, time_ms};
use crate::world::{DATABASES, SOON, SOON_MS, Slot, World};

/// Commands sent at once; few where something lapses soon after.
const BATCH: usize = 120;
const SOON_BATCH: usize = 60;
/// How long what lingers over a reload is there.
const LINGER_MS: i64 = 800;
/// How long a replica, a rewrite or a clock is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often two servers' digests are asked for until they agree.
pub const DIGESTS_MAX: usize = 5;

/// Why a run ended.
#[derive(Debug)]
pub enum Stop {
    /// The machine was too slow to say what had lapsed: nothing is known.
    Slow,
    /// A difference, by the operation at this position of the script.
    Fault(usize, String),
}

/// How a server keeps what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    Replica,
    Snapshot,
    Log,
    PlainLog,
}

/// A server, and a replica of it where there is one.
pub struct Rig {
    server: Server,
    replica: Option<(Server, Wire)>,
    pub wire: Wire,
    kept: Kept,
    protocol: ProtocolVersion,
}

fn options(kept: Kept) -> Options {
    // What is migrated by itself waits until it is asked for.
    let all = || Options::new().config(SLICE, "0");
    let log = || all().config("appendonly", "yes").config("appendfsync", "no");
    match kept {
        Kept::Replica => all().config("repl-diskless-sync-delay", "0"),
        Kept::Snapshot => all(),
        Kept::Log => log(),
        Kept::PlainLog => log().config("aof-use-rdb-preamble", "no"),
    }
}

impl Rig {
    /// Starts the servers.
    pub fn start(kept: Kept, setup: &Setup) -> Self {
        let protocol = setup.protocol;
        let server = setup.start(options(kept));
        let mut wire = Wire::connect(server.url(), protocol);
        let replica = (kept == Kept::Replica).then(|| {
            // Something to be synced in full, then the stream.
            wire.call(&["DOC.SET", "notes:0", "{}"]).expect("the server answers");
            let replica = setup.start(options(kept));
            let port = server.url().rsplit(':').next().expect("an address has a port").to_owned();
            let mut wire = Wire::connect(replica.url(), protocol);
            wire.call(&["REPLICAOF", "127.0.0.1", &port]).expect("the server answers");
            (replica, wire)
        });
        // Once: nothing that happens to keys may take it away.
        wire.call(&["FUNCTION", "LOAD", LIBRARY]).expect("the library is well formed");
        for function in NaiveFunction::ALL {
            let words = ["DOC.FUNCTION", "LOAD", function.name(), function.source()];
            let reply = wire.call(&words).expect("the server answers");
            assert_eq!(reply, Value::Okay, "{words:?}");
        }
        let mut rig = Self { server, replica, wire, kept, protocol };
        rig.wait_for_replica().expect("a replica follows");
        rig.reset().expect("an empty server can be emptied");
        rig
    }

    /// Whether the server still answers.
    pub fn is_alive(&mut self) -> bool {
        self.wire.call(&["PING"]).is_ok()
    }

    /// Whether a server says that it took a key for want of memory: Valkey does not.
    pub fn says_evicted(&self) -> bool {
        self.server.version().maker == Maker::Redis
    }

    /// What operations this rig can take.
    pub fn abilities(&self) -> Abilities {
        let has_log = matches!(self.kept, Kept::Log | Kept::PlainLog);
        Abilities { reloads: self.kept != Kept::Replica, has_log }
    }

    /// Empties the server, declarations included, and gives the model of that.
    pub fn reset(&mut self) -> Result<World, String> {
        self.wire.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
        if let Some((_, wire)) = &mut self.replica {
            wire.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
        }
        // A run may have ended while documents were migrated.
        self.wire.call(&["CONFIG", "SET", SLICE, "0"])?;
        self.wire.call(&["FLUSHALL", "SYNC"])?;
        for db in 0..DATABASES {
            self.wire.call(&["SELECT", &db.to_string()])?;
            if let Value::Array(names) = self.wire.call(&["DOC.LIST"])? {
                for name in &names {
                    self.wire.call(&["DOC.DROP", &folio_tests::reply::text(name)])?;
                }
            }
        }
        // The streams that told of the first.
        self.wire.call(&["FLUSHALL", "SYNC"])?;
        self.wire.call(&["SELECT", "0"])?;
        let mut world = World::new(self.wire.now_ms()?);
        world.copies_stray = self.server.version().copies_stray();
        Ok(world)
    }

    fn wait_for_replica(&mut self) -> Result<(), String> {
        if self.replica.is_none() {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let offset = |wire: &mut Wire, name: &str| -> Result<(String, bool), String> {
                let info = folio_tests::reply::text(&wire.call(&["INFO", "replication"])?);
                let line = info.lines().find_map(|line| line.strip_prefix(name));
                let is_up = !info.contains("role:slave") || info.contains("master_link_status:up");
                Ok((line.unwrap_or_default().to_owned(), is_up))
            };
            let own = offset(&mut self.wire, "master_repl_offset:")?.0;
            let (_, wire) = self.replica.as_mut().expect("asked above");
            let (its, is_up) = offset(wire, "slave_repl_offset:")?;
            if is_up && own == its {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("the replica stays at {its} of {own}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks the replica, if there is one, once it has what its primary has.
    pub fn ask_replica(&mut self, commands: &[Command]) -> Result<Option<Vec<Value>>, String> {
        self.wait_for_replica()?;
        self.replica.as_mut().map(|(_, wire)| wire.ask(commands)).transpose()
    }

    /// The replica goes its own way for a moment, so that it has to be synced in full.
    fn resync(&mut self) -> Result<(), String> {
        let port = self.server.url().rsplit(':').next().unwrap_or_default().to_owned();
        if let Some((_, wire)) = &mut self.replica {
            wire.call(&["REPLICAOF", "NO", "ONE"])?;
            wire.call(&["SET", "own", "way"])?;
            wire.call(&["REPLICAOF", "127.0.0.1", &port])?;
        }
        self.wait_for_replica()
    }

    /// The server's own digest of all keys, here and on the replica. Where the server removes what has lapsed by itself, it
    /// may do so between the two: then they are asked for again.
    fn digests(&mut self) -> Result<(Value, Value), String> {
        let mut tries = 0;
        loop {
            let own = self.wire.call(&["DEBUG", "DIGEST"])?;
            let (_, wire) = self.replica.as_mut().ok_or("no replica is attached")?;
            let its = wire.call(&["DEBUG", "DIGEST"])?;
            tries += 1;
            if own == its || tries == DIGESTS_MAX {
                return Ok((own, its));
            }
            thread::sleep(Duration::from_millis(SOON_MS as u64));
            self.wait_for_replica()?;
        }
    }

    fn wait_for_rewrite(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = folio_tests::reply::text(&self.wire.call(&["INFO", "persistence"])?);
            let is_busy = [
                "aof_rewrite_in_progress:1",
                "aof_rewrite_scheduled:1",
                "rdb_bgsave_in_progress:1",
            ];
            if !is_busy.iter().any(|line| info.contains(line)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err("the rewrite does not end".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Carries a reload out.
    fn reload(&mut self, op: &Op, db: usize) -> Result<(), String> {
        self.wait_for_rewrite()?;
        match op {
            Op::Restart => {
                if self.kept == Kept::Snapshot {
                    self.server.restart();
                } else {
                    self.server.restart_without_saving();
                }
                self.wire = Wire::connect(self.server.url(), self.protocol);
                self.wire.call(&["SELECT", &db.to_string()])?;
                self.wire.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
                return Ok(());
            }
            Op::LoadAof if self.abilities().has_log => self.wire.call(&["DEBUG", "LOADAOF"])?,
            Op::Reload | Op::LoadAof => self.wire.call(&["DEBUG", "RELOAD"])?,
            _ => return Ok(()),
        };
        // Valkey 8.1 leaves the client in the last database that was read.
        self.wire.call(&["SELECT", &db.to_string()])?;
        Ok(())
    }
}

/// One run of a script, step by step.
pub struct Run<'r> {
    pub rig: &'r mut Rig,
    pub world: World,
    pub versions: Versions,
    /// What has been read of change streams.
    pub folds: HashMap<Slot, Fold>,
    batch: Vec<(Command, Expect, usize)>,
    /// Something in the batch lapses soon.
    soon: bool,
    /// When what lingers lapses.
    deadline_ms: Option<i64>,
    /// The clock has gone on since this was last set back.
    pub passed: bool,
    /// What happened that no operation can promise, as kinds.
    pub happened: Vec<&'static str>,
    /// Commands run so far.
    pub commands: usize,
    /// The position of the operation that is run.
    at: usize,
}

impl<'r> Run<'r> {
    /// Begins on an emptied server.
    pub fn begin(rig: &'r mut Rig) -> Result<Self, Stop> {
        let world = rig.reset().map_err(|text| Stop::Fault(0, text))?;
        Ok(Self {
            rig,
            world,
            versions: Versions::default(),
            folds: HashMap::new(),
            batch: Vec::new(),
            soon: false,
            deadline_ms: None,
            passed: false,
            happened: Vec::new(),
            commands: 0,
            at: 0,
        })
    }

    pub fn fault<T>(&self, result: Result<T, String>) -> Result<T, Stop> {
        result.map_err(|text| Stop::Fault(self.at, text))
    }

    /// Runs an operation, or puts it into the batch.
    pub fn step(&mut self, at: usize, op: &Op) -> Result<(), Stop> {
        match self.take_step(at, op) {
            // A machine that has slept for minutes finds gone what was to last.
            Err(Stop::Fault(..)) if self.is_outlasted() => Err(Stop::Slow),
            outcome => outcome,
        }
    }

    /// Whether more time has passed since the run began than the model tells apart.
    fn is_outlasted(&mut self) -> bool {
        self.rig.wire.now_ms().is_ok_and(|now_ms| now_ms > self.world.end_ms())
    }

    fn take_step(&mut self, at: usize, op: &Op) -> Result<(), Stop> {
        self.at = at;
        if !op.is_reload() {
            self.end_lingering()?;
        }
        if op.ends_streams() {
            self.flush()?;
            self.check_streams()?;
        }
        if op.is_heavy() {
            self.flush()?;
            return match op {
                Op::Pass => Ok(()),
                Op::Linger => self.linger(),
                Op::Resync => {
                    let synced = self.rig.resync();
                    self.fault(synced)?;
                    self.check().map(|_| ())
                }
                Op::Check => self.check().map(|_| ()),
                Op::Settle => self.settle(),
                Op::Migrate { name, to, .. } => self.migrate(name, *to),
                Op::Evict { policy, bytes } => {
                    self.evict(*policy, *bytes)?;
                    self.check().map(|_| ())
                }
                _ => self.reload(op),
            };
        }
        let Some(plan) = self.world.step(op) else { return Ok(()) };
        if let (Op::Watch { .. }, Some((_, end))) = (op, plan.last()) {
            let is_abort = matches!(end, Expect::Nil);
            self.happened.push(if is_abort { "WATCH aborts" } else { "WATCH aborts nothing" });
        }
        // Of what one operation says to lapse soon, it may leave nothing itself.
        let says_soon = plan.iter().any(|(command, _)| says_soon(command));
        self.batch.extend(plan.into_iter().map(|(command, expect)| (command, expect, at)));
        self.soon = self.soon || says_soon || self.world.has_soon();
        if self.batch.len() >= if self.soon { SOON_BATCH } else { BATCH } {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends the batch, compares the replies, and waits until what lapses soon has lapsed.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.commands += batch.len();
        let time = || command(&["TIME"]);
        let mut commands = vec![time()];
        commands.extend(batch.iter().map(|(command, ..)| command.clone()));
        let lapsing = if self.soon { self.world.lapsing() } else { Vec::new() };
        commands.extend(self.versions_of(&lapsing));
        commands.push(time());
        let replies = self.rig.wire.ask(&commands).map_err(|text| Stop::Fault(batch[0].2, text))?;
        let times = (time_ms(&replies[0]), time_ms(&replies[replies.len() - 1]));
        let (began, ended) = (self.fault(times.0)?, self.fault(times.1)?);
        if self.soon && ended >= began + SOON_MS {
            return Err(Stop::Slow);
        }
        for ((command, expect, at), reply) in batch.iter().zip(&replies[1..]) {
            if !fits(expect, reply, &mut self.versions) {
                let pace = format!(
                    "{} commands from {began} to {ended}, soon: {}",
                    batch.len(),
                    self.soon
                );
                let text = format!(
                    "{}\n  gave     {reply:?}\n  expected {expect:?}\n  within   {pace}",
                    shown(command)
                );
                return Err(Stop::Fault(*at, text));
            }
        }
        if std::mem::take(&mut self.soon) {
            self.wait_until(ended + SOON_MS + 1)?;
            self.happened.extend((!lapsing.is_empty()).then_some("a part lapses"));
            self.world.pass();
            self.passed = true;
            self.wait_for_server("path_ttl_pending")?;
            let before = &replies[1 + batch.len()..replies.len() - 1];
            self.expect_removals(&lapsing, before)?;
        }
        Ok(())
    }

    /// Asks for the versions of documents; the selected database is as before afterwards.
    fn versions_of(&self, keys: &[(usize, String)]) -> Vec<Command> {
        let select = |db: usize| command(&["SELECT", &db.to_string()]);
        let meta =
            |(db, key): &(usize, String)| [select(*db), command(&["DOC.META", key, "WITHDELETED"])];
        let mut commands: Vec<Command> = keys.iter().flat_map(meta).collect();
        commands.extend((!keys.is_empty()).then(|| select(self.world.db)));
        commands
    }

    /// Parts of these documents have lapsed and were removed: each has another version than `before`.
    fn expect_removals(
        &mut self,
        lapsing: &[(usize, String)],
        before: &[Value],
    ) -> Result<(), Stop> {
        let replies = self.rig.wire.ask(&self.versions_of(lapsing));
        let replies = self.fault(replies)?;
        let metas = before.iter().zip(&replies).skip(1).step_by(2);
        let mut kept =
            metas.zip(lapsing).filter(|((before, after), _)| version(before) == version(after));
        let kept = kept.next().map(|(_, (_, key))| format!("{key:?} keeps what has lapsed"));
        self.fault(kept.map_or(Ok(()), Err))
    }

    /// Waits until none is left of what the server does by itself and counts as this in `INFO folio`.
    pub fn wait_for_server(&mut self, what: &str) -> Result<(), Stop> {
        let none = format!("folio_{what}:0");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = self.rig.wire.call(&["INFO", "folio"]);
            let info = folio_tests::reply::text(&self.fault(info)?);
            if info.lines().any(|line| line.trim() == none) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return self.fault(Err(format!("{what} stays: {info}")));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn wait_until(&mut self, then_ms: i64) -> Result<(), Stop> {
        loop {
            let now = self.rig.wire.now_ms();
            let left = then_ms - self.fault(now)?;
            if left < 0 {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(left as u64 + 1));
        }
    }

    /// Asks everything, of the replica too. Gives the answers that last.
    fn check(&mut self) -> Result<Vec<(Command, Value)>, Stop> {
        self.check_streams()?;
        let ops = questions(&self.world, self.at as u64 + 1);
        let (mut commands, mut expects, mut lasting) = (Vec::new(), Vec::new(), Vec::new());
        for op in &ops {
            // A SELECT has taken place when the next question is looked at.
            let plan = self.world.step(op).unwrap_or_default();
            for (command, expect) in plan {
                commands.push(command);
                expects.push(expect);
                lasting.push(is_lasting(op, &self.world));
            }
        }
        self.commands += commands.len();
        let own = self.rig.wire.ask(&commands);
        let own = self.fault(own)?;
        self.compare(&commands, &expects, &own, "")?;
        if self.rig.replica.is_some() {
            let caught_up = self.rig.wait_for_replica();
            self.fault(caught_up)?;
            let (_, wire) = self.rig.replica.as_mut().expect("asked above");
            let its = wire.ask(&commands);
            let its = self.fault(its)?;
            self.compare(&commands, &expects, &its, "on the replica: ")?;
            let answers = commands.iter().zip(&own).zip(&its).zip(&lasting);
            for (((command, own), its), lasting) in answers {
                if *lasting && own != its {
                    let text =
                        format!("{}\n  gave       {own:?}\n  on replica {its:?}", shown(command));
                    return Err(Stop::Fault(self.at, text));
                }
            }
            let digests = self.rig.digests();
            let (own, its) = self.fault(digests)?;
            if own != its {
                let text = format!("DEBUG DIGEST gave {own:?}, on the replica {its:?}");
                return Err(Stop::Fault(self.at, text));
            }
        }
        let answers = commands.into_iter().zip(own).zip(lasting);
        Ok(answers.filter(|(_, lasting)| *lasting).map(|(answer, _)| answer).collect())
    }

    fn compare(
        &mut self,
        commands: &[Command],
        expects: &[Expect],
        replies: &[Value],
        place: &str,
    ) -> Result<(), Stop> {
        for ((command, expect), reply) in commands.iter().zip(expects).zip(replies) {
            if !fits(expect, reply, &mut self.versions) {
                let text = format!(
                    "check: {place}{}\n  gave     {reply:?}\n  expected {expect:?}",
                    shown(command)
                );
                return Err(Stop::Fault(self.at, text));
            }
        }
        Ok(())
    }

    /// Gives each third document a time to live that is over soon after a reload.
    fn linger(&mut self) -> Result<(), Stop> {
        let now = self.rig.wire.now_ms();
        let deadline_ms = self.fault(now)? + LINGER_MS;
        let mut commands = Vec::new();
        for (db, space) in self.world.spaces.iter_mut().enumerate() {
            commands.push(command(&["SELECT", &db.to_string()]));
            let docs: Vec<String> = space.docs().map(|(key, ..)| key.clone()).collect();
            for key in docs.into_iter().step_by(3) {
                commands.push(command(&["PEXPIREAT", &key, &deadline_ms.to_string()]));
                let entry = space.entries.get_mut(&key).expect("the key was just listed");
                entry.ttl = Some(SOON);
            }
        }
        commands.push(command(&["SELECT", &self.world.db.to_string()]));
        let replies = self.rig.wire.ask(&commands);
        self.fault(replies)?;
        self.deadline_ms = Some(deadline_ms);
        Ok(())
    }

    /// Asks everything while what lingers is there; of a machine that took longer nothing is known.
    fn check_in_time(&mut self) -> Result<Vec<(Command, Value)>, Stop> {
        let answers = self.check();
        let now = self.rig.wire.now_ms();
        let now_ms = self.fault(now)?;
        if self.deadline_ms.is_some_and(|deadline_ms| now_ms >= deadline_ms) {
            return Err(Stop::Slow);
        }
        answers
    }

    /// Waits until what lingers has lapsed; it has to be gone everywhere then.
    fn end_lingering(&mut self) -> Result<(), Stop> {
        let Some(deadline_ms) = self.deadline_ms.take() else { return Ok(()) };
        let now = self.rig.wire.now_ms();
        if self.fault(now)? >= deadline_ms {
            return Err(Stop::Slow);
        }
        self.wait_until(deadline_ms + 1)?;
        self.world.pass();
        self.check().map(|_| ())
    }

    /// A reload changes no answer.
    fn reload(&mut self, op: &Op) -> Result<(), Stop> {
        let before = self.check_in_time()?;
        let done = self.rig.reload(op, self.world.db);
        self.fault(done)?;
        // What has lapsed is not read back, and not told.
        let streams = self.world.spaces.iter_mut().flat_map(|space| space.streams.values_mut());
        streams.for_each(Stream::may_lapse);
        let after = self.check_in_time()?;
        for ((command, before), (_, after)) in before.iter().zip(&after) {
            if before != after {
                let text = format!(
                    "{}\n  gave        {before:?}\n  after {op:?} {after:?}",
                    shown(command)
                );
                return Err(Stop::Fault(self.at, text));
            }
        }
        self.end_lingering()
    }
}

/// Runs a whole script.
pub fn replay(rig: &mut Rig, script: &[Op]) -> Result<(), Stop> {
    let mut run = Run::begin(rig)?;
    for (at, op) in script.iter().enumerate() {
        run.step(at, op)?;
    }
    run.step(script.len(), &Op::Check)
}
