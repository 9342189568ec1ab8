//! Where operations come from: drawn at random, mostly over keys that are there.

use folio_tests::generate::{Random, updates};

use crate::kinds::POLICIES;
use crate::many::{Many, Part, Verb, of_insert};
use crate::migrate::{self, MARK};
use crate::op::{Change, Form, Ids, Only, Op, Returned, SetTtl, Ttl, Update, When};
use crate::read;
use crate::world::{DATABASES, SOON_MS, World};

/// Operations between two comparisons of everything.
const CHECK_EVERY: usize = 1_000;
/// Operations between two reloads, or full syncs of the replica.
const RELOAD_EVERY: usize = 900;
/// Of so many reloads one finds documents that lapse right after it.
const LINGER_EVERY: usize = 4;
/// Operations between two times that memory gets scarce.
const EVICT_EVERY: usize = 400;
/// Bytes that are too many then: next to nothing, some documents, everything.
const EVICTED_BYTES: [u64; 4] = [1, 3_000, 20_000, 1 << 40];
/// Operations between two waits for what lapses soon, and for how many before a wait something is given so
/// short a time.
const PASS_EVERY: usize = 250;
const SOON_LAST: usize = 30;

/// How many milliseconds parts of documents are there.
const TIMES: [i64; 3] = [1_500_000, 2_500_000, 2_500_001];
const SOON_TIMES: [i64; 4] = [SOON_MS, SOON_MS, SOON_MS, 1_500_000];

const NAMES: [&str; 3] = ["users", "goods", "notes"];
const PATHS: [&str; 12] = [
    "none",
    "none[0]",
    "mark",
    "n",
    "s",
    "when",
    "price",
    "tags",
    "o.x",
    "o.y.z",
    "tags[1]",
    "o.items[0].qty",
];

/// What a server can do besides the commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abilities {
    /// It may be reloaded: no replica is attached.
    pub reloads: bool,
    /// It has an append-only file.
    pub has_log: bool,
}

/// Draws operations.
pub struct Source {
    random: Random,
    abilities: Abilities,
    drawn: usize,
    /// Some TTLs may be short now.
    soon: bool,
    /// The policy of maxmemory that was tried last.
    policy: usize,
    /// Reloads drawn.
    reloads: usize,
}

impl Source {
    pub fn new(seed: u64, abilities: Abilities) -> Self {
        let mut random = Random::new(seed);
        let policy = random.below(POLICIES.len());
        Self { random, abilities, drawn: 0, soon: false, policy, reloads: 0 }
    }

    /// The next operation.
    pub fn draw(&mut self, world: &World) -> Op {
        // Each database begins with its declarations.
        if self.drawn < 3 * DATABASES {
            let at = self.drawn;
            self.drawn += 1;
            return match at % 3 {
                0 => Op::Select(at / 3),
                part => Op::Create { name: NAMES[part - 1].into(), seed: self.random.bits() },
            };
        }
        self.drawn += 1;
        let in_period = self.drawn % PASS_EVERY;
        self.soon = in_period > PASS_EVERY - SOON_LAST;
        if self.drawn.is_multiple_of(CHECK_EVERY) {
            return Op::Check;
        }
        if in_period == 0 {
            return Op::Pass;
        }
        if self.drawn % EVICT_EVERY == EVICT_EVERY / 3 {
            self.policy = (self.policy + 1) % POLICIES.len();
            return Op::Evict { policy: self.policy, bytes: self.random.pick(&EVICTED_BYTES) };
        }
        let to_reload = (CHECK_EVERY / 3 + RELOAD_EVERY - self.drawn % RELOAD_EVERY) % RELOAD_EVERY;
        if self.abilities.reloads && to_reload == 1 && self.reloads % LINGER_EVERY == 1 {
            return Op::Linger;
        }
        if to_reload == 0 {
            return self.reload();
        }
        self.operation(world)
    }

    /// The ways in turn, so that a short run too has all of them.
    fn reload(&mut self) -> Op {
        let turn = self.reloads % 3;
        self.reloads += 1;
        match turn {
            _ if !self.abilities.reloads => Op::Resync,
            0 if self.abilities.has_log => Op::LoadAof,
            1 => Op::Restart,
            _ => Op::Reload,
        }
    }

    fn operation(&mut self, world: &World) -> Op {
        match self.random.below(1000) {
            0..450 => self.write(world),
            450..600 => self.native(world),
            600..690 => self.other_type(world),
            690..730 => self.scope(world),
            730..760 => self.rare(world),
            760..790 => Op::Select(self.random.below(DATABASES)),
            790..795 => Op::Settle,
            795..806 => self.migrate(world),
            _ => self.read(world),
        }
    }

    /// A key of any kind, or one that is there.
    fn key(&mut self, world: &World) -> String {
        if self.random.chance(50) {
            let all = world.space().docs().chain(world.space().deleted());
            let keys: Vec<&String> = all.map(|(key, ..)| key).collect();
            if !keys.is_empty() {
                return self.random.pick(&keys).clone();
            }
        }
        match self.random.below(100) {
            0..40 => format!("users:{}", self.random.below(9)),
            40..65 => format!("item-{}", self.random.below(7)),
            65..88 => format!("notes:{}", self.random.below(6)),
            88..92 => format!("plain{}", self.random.below(2)),
            92..95 => "goods:0".into(),
            95..96 => "users:".into(),
            _ => format!("text{}", self.random.below(3)),
        }
    }

    fn keys(&mut self, world: &World) -> Vec<String> {
        (0..=self.random.below(3)).map(|_| self.key(world)).collect()
    }

    /// A key to which a document may be written, mostly.
    fn home_key(&mut self, world: &World) -> String {
        loop {
            let key = self.key(world);
            if world.space().place(&key).is_some() || self.random.chance(10) {
                return key;
            }
        }
    }

    fn name(&mut self) -> String {
        self.random.pick(&NAMES).to_owned()
    }

    fn seed(&mut self) -> u64 {
        self.random.bits().max(1)
    }

    fn ttl(&mut self) -> Ttl {
        let form =
            self.random.pick(&[Form::Seconds, Form::Millis, Form::AtSeconds, Form::AtMillis]);
        let far = 1 + self.random.below(3) as i32;
        let step = match self.random.below(100) {
            0..12 => -1,
            12..70 if self.soon => 0,
            _ => far,
        };
        Ttl { form, step }
    }

    fn write(&mut self, world: &World) -> Op {
        match self.random.below(100) {
            0..52 => self.set(world),
            52..82 => self.update(world),
            82..90 => self.several(world),
            90..93 => self.insert(world),
            93..97 => self.soft(world),
            _ => Op::DocDel { keys: self.keys(world) },
        }
    }

    /// Mostly of a collection that knows the way.
    fn migrate(&mut self, world: &World) -> Op {
        let declared = world.space().declared.iter();
        let able = declared.filter(|(_, declared)| declared.migrations.len() > 0);
        let able: Vec<&String> = able.map(|(name, _)| name).collect();
        let is_able = !able.is_empty() && self.random.chance(90);
        let name = if is_able { self.random.pick(&able).clone() } else { self.name() };
        let to = if self.random.chance(5) { 3 } else { self.random.below(3) as u16 };
        Op::Migrate { name, to, lazy: self.random.chance(30) }
    }

    fn insert(&mut self, world: &World) -> Op {
        let name = self.name();
        let key = world
            .space()
            .declared
            .get(&name)
            .map_or_else(|| name.clone() + ":", |declared| declared.prefix.clone())
            + "0";
        let json = read::text(&mut self.random, world, &key);
        let ids =
            if self.random.chance(60) { Ids::Made } else { Ids::Given(self.random.below(9) as u8) };
        Op::Insert { name, json, ids, to: self.key(world) }
    }

    /// A soft delete, or what can be done about one.
    fn soft(&mut self, world: &World) -> Op {
        let gone: Vec<String> = world.space().deleted().map(|(key, ..)| key.clone()).collect();
        let mut keys = self.keys(world);
        if !gone.is_empty() && self.random.chance(70) {
            keys.push(self.random.pick(&gone));
        }
        match self.random.below(10) {
            0..5 => {
                let ttl = self.random.chance(40).then(|| {
                    let ttl = self.ttl();
                    Ttl { step: ttl.step.max(0), ..ttl }
                });
                let ttl = ttl.filter(|ttl| ttl.step > 0 || self.soon);
                Op::Soft { keys, ttl }
            }
            5..9 => Op::Undelete { keys, keep_ttl: self.random.chance(40) },
            _ => Op::Purge { keys },
        }
    }

    fn set(&mut self, world: &World) -> Op {
        let key = self.home_key(world);
        let json = read::text(&mut self.random, world, &key);
        let when = match self.random.below(100) {
            0..70 => When::Always,
            70..78 => When::New,
            78..86 => When::Old,
            86..90 => When::Absent,
            90..93 => When::Never,
            _ => When::SameVersion,
        };
        let ttl = match self.random.below(100) {
            0..60 => SetTtl::Drop,
            60..75 => SetTtl::Keep,
            _ => SetTtl::To(self.ttl()),
        };
        let filter = if self.random.chance(10) { self.seed() } else { 0 };
        Op::Set { key, json, when, ttl, filter }
    }

    fn update(&mut self, world: &World) -> Op {
        let key = self.key(world);
        let count = 1 + self.random.below(3);
        let changes = (0..count).flat_map(|_| self.changes(world, &key)).collect();
        let when = match self.random.below(100) {
            0..88 => When::Always,
            88..91 => When::Absent,
            91..93 => When::Never,
            _ => When::SameVersion,
        };
        let ttl = self.kept_ttl();
        Op::Update(Update {
            key,
            changes,
            returned: self.random.pick(&[Returned::Version, Returned::New, Returned::Old]),
            upsert: self.random.chance(20),
            when,
            filter: if self.random.chance(15) { self.seed() } else { 0 },
            ttl,
        })
    }

    /// An operation of DOC.UPDATE. What NOW puts only the server knows: another value is put in its place.
    pub fn changes(&mut self, world: &World, key: &str) -> Vec<Change> {
        let name = world.space().place(key).unwrap_or_default();
        let schema = world.space().schema(&name);
        let held = world.space().doc(key).map(|doc| &doc.json);
        let [verb, path, operand] = updates::change(&mut self.random, &schema, held).parts();
        let mut changes = vec![(verb, path.clone(), operand)];
        if self.random.chance(5) {
            let mark = migrate::value(&mut self.random).print();
            changes.push(("SET".to_owned(), MARK.to_owned(), mark));
        }
        if changes[0].0 == "NOW" {
            changes.push(("SET".to_owned(), path, "null".to_owned()));
        }
        if self.random.chance(if self.soon { 50 } else { 12 }) {
            let times: &[i64] = if self.soon { &SOON_TIMES } else { &TIMES };
            let [verb, path, operand] = updates::ttl(&mut self.random, held, times).parts();
            changes.push((verb, path, operand));
        }
        changes
    }

    /// A write of several documents.
    fn several(&mut self, world: &World) -> Op {
        match self.random.below(10) {
            0..3 => {
                let keys = (0..=self.random.below(3)).map(|_| self.home_key(world));
                let keys: Vec<String> = keys.collect();
                let pair = |key: String| {
                    let json = read::text(&mut self.random, world, &key);
                    (key, json)
                };
                Op::Mset(keys.into_iter().map(pair).collect())
            }
            3..5 => Op::UpdateMany(self.many(world)),
            5 => Op::DeleteMany { name: self.name(), seed: self.seed() },
            6 => Op::Claim(self.many(world)),
            _ => Op::Txn((0..=self.random.below(4)).map(|_| self.part(world)).collect()),
        }
    }

    fn many(&mut self, world: &World) -> Many {
        let name = self.name();
        let members = world.space().members(&name);
        let key = members.first().map(|(key, _)| (*key).clone()).unwrap_or_default();
        let count = 1 + self.random.below(2);
        Many {
            name,
            seed: self.seed(),
            changes: (0..count).flat_map(|_| self.changes(world, &key)).collect(),
            returned: self.random.pick(&[Returned::Version, Returned::New, Returned::Old]),
            ttl: self.kept_ttl(),
        }
    }

    fn part(&mut self, world: &World) -> Part {
        let key = self.home_key(world);
        let mut ttl = self.kept_ttl();
        let verb = match self.random.below(10) {
            0..3 => Verb::Set(read::text(&mut self.random, world, &key)),
            3 => {
                ttl = of_insert(ttl);
                Verb::Insert(read::text(&mut self.random, world, &key))
            }
            4..8 => {
                let changes = self.changes(world, &key);
                Verb::Update { changes, upsert: self.random.chance(40) }
            }
            8 => Verb::Del,
            _ => {
                let exists = world.space().doc(&key).is_some();
                Verb::Check(self.random.chance(60).then_some(exists ^ self.random.chance(20)))
            }
        };
        let filter = if self.random.chance(10) { self.seed() } else { 0 };
        Part { verb, key, filter, absent: self.random.chance(3), ttl }
    }

    /// Mostly the time to live that is there.
    fn kept_ttl(&mut self) -> SetTtl {
        match self.random.below(100) {
            0..84 => SetTtl::Keep,
            84..90 => SetTtl::Drop,
            _ => SetTtl::To(self.ttl()),
        }
    }

    fn native(&mut self, world: &World) -> Op {
        let (key, other) = (self.key(world), self.key(world));
        let replace = self.random.chance(50);
        let db = self.random.below(DATABASES);
        match self.random.below(100) {
            0..22 => {
                let only = self.random.pick(&[
                    Only::Always,
                    Only::Always,
                    Only::New,
                    Only::Old,
                    Only::Greater,
                    Only::Less,
                ]);
                Op::Expire { key, ttl: self.ttl(), only }
            }
            22..30 => Op::Persist { key },
            30..36 => Op::Del { keys: self.keys(world) },
            36..41 => Op::Unlink { keys: self.keys(world) },
            41..42 => Op::UnlinkLarge { key },
            42..58 => Op::Rename { from: key, to: other },
            58..64 => Op::RenameNx { from: key, to: other },
            64..76 => {
                Op::Copy { from: key, to: other, db: self.random.chance(40).then_some(db), replace }
            }
            76..86 => Op::Move { key, db },
            _ => {
                let ttl = self.random.chance(50).then(|| self.ttl());
                Op::Restore { from: key, to: other, ttl, replace }
            }
        }
    }

    fn other_type(&mut self, world: &World) -> Op {
        let any = self.key(world);
        let text = format!("text{}", self.random.below(3));
        let key = if self.random.chance(40) { any } else { text.clone() };
        match self.random.below(10) {
            0 | 1 => {
                let ttl = self.random.chance(30).then(|| self.ttl());
                Op::SetString { key, ttl }
            }
            2 => Op::SetAdd { key },
            3 => Op::UnionStore { to: key, from: text },
            4 => Op::SortStore { to: key, from: text },
            5 => Op::GetEx { key, ttl: self.random.chance(50).then(|| self.ttl()) },
            6 => Op::GetDel { key },
            7 => Op::SetKeep { key },
            8 => Op::Bits { to: key, from: text },
            _ => Op::Rename { from: key, to: text },
        }
    }

    /// Several operations as one.
    fn scope(&mut self, world: &World) -> Op {
        let count = 2 + self.random.below(4);
        let mut ops = Vec::new();
        for _ in 0..count {
            ops.push(match self.random.below(24) {
                0 => self.migrate(world),
                1..9 => self.native(world),
                _ => self.write(world),
            });
        }
        match self.random.below(10) {
            8 => {
                let key = self.key(world);
                let first = Box::new(self.touching(world, &key));
                Op::Watch { key, first, then: ops }
            }
            9 => Op::Fcall(ops),
            0..3 => {
                ops.push(self.read(world));
                Op::Multi(ops)
            }
            3 => Op::Discard(ops),
            4 => Op::Aborted(ops),
            _ => Op::Eval(ops),
        }
    }

    /// Something that mostly changes this key.
    fn touching(&mut self, world: &World, key: &str) -> Op {
        let key = if self.random.chance(80) { key.to_owned() } else { self.key(world) };
        match self.random.below(7) {
            6 => Op::Soft { keys: vec![key], ttl: None },
            0 | 1 => {
                let json = read::text(&mut self.random, world, &key);
                Op::Set { key, json, when: When::Always, ttl: SetTtl::Drop, filter: 0 }
            }
            2 => {
                let changes = vec![("SET".into(), "n".into(), "1".into())];
                Op::Update(Update {
                    key,
                    changes,
                    returned: Returned::Version,
                    upsert: false,
                    when: When::Always,
                    filter: 0,
                    ttl: SetTtl::Keep,
                })
            }
            3 => Op::Expire { key, ttl: self.ttl(), only: Only::Always },
            4 => Op::Persist { key },
            _ => Op::DocDel { keys: vec![key] },
        }
    }

    fn rare(&mut self, world: &World) -> Op {
        let name = self.name();
        let is_declared = world.space().declared.contains_key(&name);
        match self.random.below(100) {
            0..5 => Op::FlushDb { background: self.random.chance(50) },
            5..9 => Op::FlushAll { background: self.random.chance(50) },
            9..24 => Op::SwapDb(self.random.below(DATABASES), self.random.below(DATABASES)),
            24..29 if is_declared => Op::Redeclare { name },
            29..33 if !self.soon => {
                Op::Pause { ms: 1 + self.random.below(4) as u64, all: self.random.chance(50) }
            }
            24..37 => Op::Drop { name, documents: self.random.chance(40) },
            37..54 if !is_declared && name == "notes" => Op::Drop { name, documents: true },
            37..54 if !is_declared => Op::Create { name, seed: self.seed() },
            37..46 => {
                let seed = world.space().declared[&name].seed;
                Op::Create { name, seed: if self.random.chance(50) { seed } else { self.seed() } }
            }
            54..80 => self.missing_declaration(world),
            80..90 => Op::ActiveExpire(self.random.chance(30)),
            90..100 if self.abilities.has_log => Op::Rewrite,
            _ => Op::Scan,
        }
    }

    /// Declares again what was dropped; documents that are in the way go.
    fn missing_declaration(&mut self, world: &World) -> Op {
        for name in ["users", "goods"] {
            if world.space().declared.contains_key(name) {
                continue;
            }
            let name = name.to_owned();
            if self.random.chance(40) && !world.space().members(&name).is_empty() {
                return Op::Drop { name, documents: true };
            }
            return Op::Create { name, seed: self.seed() };
        }
        Op::SwapDb(0, 1 + self.random.below(DATABASES - 1))
    }

    fn read(&mut self, world: &World) -> Op {
        let (key, name, seed) = (self.key(world), self.name(), self.seed());
        let path = self.random.chance(30).then(|| self.random.pick(&PATHS).to_owned());
        match self.random.below(100) {
            0..10 => Op::Get { key, path },
            10..11 => Op::GetDeleted { key },
            11..12 => Op::MetaDeleted { key },
            12..20 => Op::Mget { keys: self.keys(world), path },
            20..28 => Op::Meta { key },
            28..48 => Op::Find { name, seed },
            48..54 => Op::Count { name, seed },
            54..57 => Op::Exists { name, seed },
            57..60 => Op::Keys { name, seed },
            60..62 => Op::KeysDeleted { name, seed },
            62..66 => Op::Pages { name, seed },
            66..70 => Op::Distinct { name, seed },
            70..79 => Op::Aggregate { name, seed },
            79..84 => Op::Explain { name, seed },
            84..87 => Op::Verify { name },
            87..88 => Op::Digest { name },
            88..91 => Op::Info { name },
            91..94 => Op::Schema { name },
            94..95 => Op::Inspect { key },
            95..97 => Op::List { pattern: self.random.chance(30).then(|| "g*".into()) },
            _ => Op::Scan,
        }
    }
}
