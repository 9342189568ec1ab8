//! Kills under load: what was acknowledged is there, and what was open is there wholly or not at all.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use folio_engine::planted::Fault;
use folio_tests::generate::Random;
use folio_tests::replica::wait_until;
use folio_tests::{Options, Pipeline, Server, planted};

use crate::observe::{Observed, observe};
use crate::op::{PEOPLE, Source};
use crate::world::{Place, Seen, World};
use crate::writer::{Broken, now_ms, write};

/// Kills of a run without `KILLS`.
const KILLS: usize = 100;
/// Writers at once.
const WRITERS: usize = 4;
/// Kills within which a planted fault is found.
const FAULT_WITHIN: usize = 40;
/// Saves that are killed, of all kills one in so many.
const SAVES_SHARE: usize = 5;
/// Worlds that may come of what was open: more would be a fault of this test.
const OUTCOMES_MAX: usize = 100_000;

/// What the server is doing when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum During {
    Writes,
    Rewrite,
    Save,
    Load,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Tally {
    kills: BTreeMap<During, usize>,
    /// Kills of servers that had not read their data.
    while_loading: usize,
    /// Kills of servers whose child was writing a file.
    with_child: usize,
    acknowledged: u64,
    open: usize,
    open_done: usize,
    checked: usize,
}

fn kills() -> usize {
    let given = env::var("KILLS").ok().and_then(|count| count.parse().ok());
    given.unwrap_or(KILLS)
}

/// One server that is killed over and over, and what its writers know.
struct Lane {
    server: Server,
    worlds: Vec<World>,
    random: Random,
    tally: Tally,
}

impl Lane {
    fn start(options: Options, seed: u64) -> Self {
        let options = options
            .appendonly()
            // So that a child is met at work, and its end is noticed soon.
            .config("rdb-key-save-delay", "100")
            .config("hz", "100")
            .config("dynamic-hz", "no");
        let server = options.start();
        server.resp2().call(&PEOPLE.split(' ').collect::<Vec<_>>());
        let worlds = (0..WRITERS).map(World::new).collect();
        Self { server, worlds, random: Random::new(seed), tally: Tally::default() }
    }

    fn pause(&mut self, ms_max: usize) {
        thread::sleep(Duration::from_micros(self.random.below(ms_max * 1000) as u64));
    }

    /// Writes, kills, starts again, compares. The error says what differs.
    fn round(&mut self, during: During) -> Result<(), String> {
        let url = self.server.url().to_owned();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (url, seed) = (url.clone(), self.random.bits());
                let world = self.worlds[writer].clone();
                thread::spawn(move || write(&url, seed, world, writer))
            })
            .collect();
        self.pause(100);
        if let Some(command) = match during {
            During::Rewrite => Some("BGREWRITEAOF"),
            During::Save => Some("BGSAVE"),
            During::Writes | During::Load => None,
        } {
            // One that is still at work from before is met as well.
            let _ = self.server.resp2().try_call(&[command]);
        }
        self.pause(150);
        self.server.kill();
        self.tally.with_child += usize::from(end_child(&self.server));
        let broken: Vec<Result<Broken, String>> =
            writers.into_iter().map(|writer| writer.join().expect("no panic")).collect();
        let broken = broken.into_iter().collect::<Result<Vec<Broken>, String>>()?;
        self.load(during);
        let observed = observe(&self.server, &mut self.random);
        self.tally.checked += observed.docs.len();
        for (writer, broken) in broken.into_iter().enumerate() {
            self.tally.acknowledged += broken.acknowledged;
            self.compare(writer, &broken, &observed)?;
        }
        Ok(())
    }

    fn load(&mut self, during: During) {
        *self.tally.kills.entry(during).or_default() += 1;
        if during == During::Load {
            for _ in 0..=self.random.below(3) {
                self.server.begin_to_start();
                self.pause(60);
                self.server.kill();
                *self.tally.kills.entry(during).or_default() += 1;
                let log = self.server.log();
                let has_data = log.contains("Ready to accept connections");
                self.tally.while_loading += usize::from(!has_data);
            }
        }
        self.server.start_again();
    }

    /// One of the outcomes of what was open has to be what is there, for the writer's documents all at once.
    fn compare(
        &mut self,
        writer: usize,
        broken: &Broken,
        observed: &Observed,
    ) -> Result<(), String> {
        let own = Source::own(writer);
        let is_own = |(_, key): &Place| {
            key.starts_with(&format!("{own}:")) || key.contains(&format!(":w{writer}-"))
        };
        let seen: BTreeMap<Place, Seen> = observed
            .docs
            .iter()
            .filter(|(place, _)| is_own(place))
            .map(|(place, seen)| (place.clone(), seen.clone()))
            .collect();
        let declared = [0, 1].map(|db| {
            // The forms have two fields and three.
            observed.declared.get(&(db, own.clone())).map(|fields| fields - 2)
        });
        let differs = |world: &World| world.difference(&seen, declared, observed.now);
        self.tally.open += broken.open.len();
        let acknowledged = differs(&broken.world);
        let mut worlds = vec![broken.world.clone()];
        // What came later shows more of what was open.
        let mut fitting = acknowledged.is_none().then(|| (0, broken.world.clone()));
        for (at, (unit, window)) in broken.open.iter().enumerate() {
            worlds = worlds.iter().flat_map(|world| world.outcomes(unit, *window)).collect();
            if worlds.len() > OUTCOMES_MAX {
                return Err(format!("writer {writer}: {} outcomes", worlds.len()));
            }
            let fits = worlds.iter().find(|world| differs(world).is_none());
            fitting = fits.map(|world| (at + 1, world.clone())).or(fitting);
        }
        let Some((done, mut world)) = fitting else {
            let open: Vec<String> =
                broken.open.iter().map(|(unit, _)| format!("{unit:?}")).collect();
            let nearest = worlds.iter().find_map(differs);
            return Err(format!(
                "writer {writer}: {}\nor, with all that was open: {}\nopen were:\n{}",
                acknowledged.unwrap_or_default(),
                nearest.unwrap_or_default(),
                open.join("\n")
            ));
        };
        self.tally.open_done += done;
        world.take(&seen);
        self.worlds[writer] = world;
        Ok(())
    }
}

/// Whether a killed server's child was still writing a file. The child lives on: without its file it has no effect any more.
fn end_child(server: &Server) -> bool {
    let files = fs::read_dir(server.folder()).expect("the server has a folder");
    let is_begun = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("temp-"))
    };
    let begun = files.flatten().map(|file| file.path()).filter(is_begun);
    // The child may have ended since.
    begun.map(fs::remove_file).count() > 0
}

/// Kills a server so often; the error says after which kill what was wrong.
fn run(options: Options, seed: u64, kills: usize) -> Result<Tally, (String, Tally)> {
    let mut lane = Lane::start(options, seed);
    while lane.tally.kills.values().sum::<usize>() < kills {
        let during = match lane.random.below(20) {
            0..8 => During::Writes,
            8..14 => During::Rewrite,
            14..17 => During::Save,
            _ => During::Load,
        };
        if let Err(what) = lane.round(during) {
            let count: usize = lane.tally.kills.values().sum();
            return Err((format!("kill {count}, during {during:?}: {what}"), lane.tally));
        }
    }
    Ok(lane.tally)
}

fn run_with(preamble: &str, salt: u64) {
    let mut random = Random::from_environment();
    let seed = random.bits() ^ salt;
    let began = Instant::now();
    let options = Options::new().config("aof-use-rdb-preamble", preamble);
    let outcome = run(options, seed, kills().div_ceil(2));
    let seconds = began.elapsed().as_secs_f64();
    match outcome {
        Ok(tally) => {
            println!("preamble {preamble}, {seconds:.0} s: {tally:?}, 0 lost");
            assert!(tally.open_done < tally.open, "{tally:?}: every kill came too late");
            assert!(tally.acknowledged > 0 && tally.open_done > 0, "{tally:?}");
        }
        Err((what, tally)) => panic!("preamble {preamble}, {tally:?}\n{what}"),
    }
}

#[test]
fn kills_with_a_file_that_begins_with_a_snapshot() {
    run_with("yes", 0);
}

#[test]
fn kills_with_a_file_of_commands() {
    run_with("no", 1);
}

/// Without an append-only file a crash takes everything back to the last save that was finished, whole.
#[test]
fn a_kill_during_a_save_leaves_the_last_or_the_new_one() {
    let mut random = Random::from_environment();
    let options = Options::new().config("rdb-key-save-delay", "300").config("hz", "100");
    let mut server = options.start();
    server.resp2().call(&PEOPLE.split(' ').collect::<Vec<_>>());
    server.resp2().call(&["SAVE"]);
    let mut last = lasting(&server, &mut random);
    let (mut taken, mut given_up) = (0, 0);
    for round in 0..kills().div_ceil(SAVES_SHARE).max(2) {
        change(&server, &mut random);
        let saved = lasting(&server, &mut random);
        let mut c = server.resp2();
        // The first save is surely finished and the second surely not, whatever else the machine does.
        if round == 1 {
            c.call(&["CONFIG", "SET", "rdb-key-save-delay", "100000"]);
        }
        c.call(&["BGSAVE"]);
        change(&server, &mut random);
        match round {
            0 => wait_until("the save is finished", || {
                c.info_number("persistence", "rdb_bgsave_in_progress") == 0
            }),
            1 => {}
            _ => thread::sleep(Duration::from_micros(random.below(60_000) as u64)),
        }
        server.kill();
        end_child(&server);
        server.start_again();
        let loaded = lasting(&server, &mut random);
        if loaded == saved {
            taken += 1;
            last = saved;
        } else {
            given_up += 1;
            assert!(loaded == last, "neither the last save nor the new one:\n{loaded:#?}");
        }
    }
    println!("{taken} new saves and {given_up} older ones were loaded");
    assert!(taken > 0 && given_up > 0);
}

type Lasting = (BTreeMap<Place, Seen>, BTreeMap<Place, usize>);

/// All documents but those that lapse soon, and the declarations.
fn lasting(server: &Server, random: &mut Random) -> Lasting {
    let mut observed = observe(server, random);
    observed.docs.retain(|(_, key), _| !key.starts_with("brief:"));
    (observed.docs, observed.declared)
}

/// A hundred units or so, all of which are answered.
fn change(server: &Server, random: &mut Random) {
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    let mut source = Source::new(random.bits(), random.below(WRITERS), 0);
    let units = (0..100).flat_map(|_| source.draw(now_ms()));
    let commands: Vec<_> = units.flat_map(|unit| unit.commands()).collect();
    pipeline.ask(&commands);
}

#[test]
fn a_planted_fault_is_found() {
    for preamble in ["yes", "no"] {
        let options = Options::new().config("aof-use-rdb-preamble", preamble);
        let options = planted::with_fault(options, Fault::Log);
        match catch_unwind(AssertUnwindSafe(|| run(options, 7, FAULT_WITHIN))) {
            Ok(Ok(tally)) => panic!("a lost write passed {tally:?}"),
            Ok(Err((what, _))) => println!("found: {}", what.lines().next().unwrap_or_default()),
            Err(_) => println!("found by what is asked after a restart"),
        }
    }
}
