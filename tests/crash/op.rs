//! What writers do, as commands.

use folio_tests::generate::Random;
use folio_tests::pipeline::{Words, words};
use redis::Value;

/// The databases that are written to.
pub const DATABASES: usize = 2;
/// The declarations that a writer's own collection may have, as arguments after its name.
const DECLARATIONS: [&str; 2] = [
    "FIELD n int INDEX SORTED FIELD s string INDEX SET",
    "FIELD n int INDEX SET FIELD s string INDEX SORTED FIELD mail string INDEX SET",
];
/// The declaration of the collection that all writers share. `mail` is what they contend for.
pub const PEOPLE: &str =
    "DOC.CREATE people FIELD n int INDEX SORTED FIELD s string INDEX SET FIELD mail string UNIQUE";

const NUMBERS: [i64; 8] = [0, 1, 2, -1, 7, 100, 9_007_199_254_740_993, -5];
const STRINGS: [&str; 7] =
    [r#""""#, r#""a""#, r#""ab""#, r#""it's""#, r#""é𝄞""#, r#""\"q\\""#, r#""1""#];
/// Values that writers contend for.
const MAILS: usize = 40;

/// Members of a document, in order: a name and the text of its value.
pub type Members = Vec<(&'static str, String)>;

/// The text that the server keeps of them.
pub fn text(members: &Members) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// What becomes of a TTL.
#[derive(Clone, Copy, Debug)]
pub enum Ttl {
    Drop,
    Keep,
    /// At this instant, in milliseconds since 1970.
    At(i64),
    /// So many milliseconds after the command.
    In(i64),
}

/// A change of one member.
#[derive(Clone, Debug)]
pub enum Change {
    Put(&'static str, String),
    Unset(&'static str),
    Increment(i64),
}

/// When a DOC.SET is carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    Always,
    Absent,
    Present,
}

/// One write, in the selected database.
#[derive(Clone, Debug)]
pub enum Op {
    Set { at: String, members: Members, ttl: Ttl, when: When },
    Update { at: String, changes: Vec<Change> },
    Remove { at: String, by: &'static str },
    Rename { from: String, to: String },
    Copy { from: String, to: String, db: usize, replace: bool },
    Move { at: String, db: usize },
    Retime { at: String, ttl: Ttl },
    Create { name: String, form: usize },
    Drop { name: String, documents: bool },
}

/// What is answered, and survives, as one.
#[derive(Clone, Debug)]
pub enum Unit {
    Select(usize),
    One(Op),
    /// Tells the version that a birth by Redis's own commands was given.
    Meta(String),
    Multi(Vec<Op>),
    Script(Vec<Op>),
}

/// Runs the commands that it is given as JSON, and gives their replies.
const SCRIPT: &str = "local replies = {} for at, command in ipairs(cjson.decode(ARGV[1])) do \
     replies[at] = redis.pcall(unpack(command)) end return replies";

impl Op {
    /// The command.
    pub fn words(&self) -> Words {
        let mut command: Vec<String> = Vec::new();
        let mut add = |more: &[&str]| command.extend(more.iter().map(ToString::to_string));
        match self {
            Op::Set { at, members, ttl, when } => {
                add(&["DOC.SET", at, &text(members)]);
                match when {
                    When::Always => {}
                    When::Absent => add(&["NX"]),
                    When::Present => add(&["XX"]),
                }
                match ttl {
                    Ttl::Drop => {}
                    Ttl::Keep => add(&["KEEPTTL"]),
                    Ttl::At(at) => add(&["PXAT", &at.to_string()]),
                    Ttl::In(ms) => add(&["PX", &ms.to_string()]),
                }
            }
            Op::Update { at, changes } => {
                add(&["DOC.UPDATE", at]);
                for change in changes {
                    match change {
                        Change::Put(name, value) => add(&["SET", name, value]),
                        Change::Unset(name) => add(&["UNSET", name]),
                        Change::Increment(by) => add(&["INCR", "n", &by.to_string()]),
                    }
                }
            }
            Op::Remove { at, by } => add(&[by, at]),
            Op::Rename { from, to } => add(&["RENAME", from, to]),
            Op::Copy { from, to, db, replace } => {
                add(&["COPY", from, to, "DB", &db.to_string()]);
                add(if *replace { &["REPLACE"] } else { &[] });
            }
            Op::Move { at, db } => add(&["MOVE", at, &db.to_string()]),
            Op::Retime { at, ttl } => match ttl {
                Ttl::At(ms) => add(&["PEXPIREAT", at, &ms.to_string()]),
                Ttl::In(ms) => add(&["PEXPIRE", at, &ms.to_string()]),
                Ttl::Drop | Ttl::Keep => add(&["PERSIST", at]),
            },
            Op::Create { name, form } => {
                add(&["DOC.CREATE", name]);
                add(&DECLARATIONS[*form].split(' ').collect::<Vec<_>>());
            }
            Op::Drop { name, documents } => {
                add(&["DOC.DROP", name]);
                add(if *documents { &["DOCUMENTS"] } else { &[] });
            }
        }
        words(&command)
    }
}

impl Unit {
    /// The commands, each of which has a reply; the last one's tells of all.
    pub fn commands(&self) -> Vec<Words> {
        match self {
            Unit::Select(db) => vec![words(&["SELECT", &db.to_string()])],
            Unit::One(op) => vec![op.words()],
            Unit::Meta(at) => vec![words(&["DOC.META", at])],
            Unit::Multi(ops) => {
                let mut commands = vec![words(&["MULTI"])];
                commands.extend(ops.iter().map(Op::words));
                commands.push(words(&["EXEC"]));
                commands
            }
            Unit::Script(ops) => {
                let command = |op: &Op| -> Vec<String> {
                    let text = |word: Vec<u8>| String::from_utf8(word).expect("words are text");
                    op.words().into_iter().map(text).collect()
                };
                let all: Vec<Vec<String>> = ops.iter().map(command).collect();
                let json = serde_json::to_string(&all).expect("texts have a JSON form");
                vec![words(&["EVAL", SCRIPT, "0", &json])]
            }
        }
    }
}

impl Unit {
    /// How many writes the answer acknowledges.
    pub fn writes(&self, reply: &Value) -> u64 {
        let is_done = |reply: &Value| u64::from(!matches!(reply, Value::ServerError(_)));
        match (self, reply) {
            (Unit::One(_), reply) => is_done(reply),
            (Unit::Multi(_) | Unit::Script(_), Value::Array(replies)) => {
                replies.iter().map(is_done).sum()
            }
            _ => 0,
        }
    }
}

/// Draws a writer's units.
pub struct Source {
    random: Random,
    writer: usize,
    /// The database that was selected last.
    db: usize,
    /// The next of the documents that lapse soon.
    briefs: u64,
}

impl Source {
    /// A writer's source; its documents are its own.
    pub fn new(seed: u64, writer: usize, db: usize) -> Self {
        let mut random = Random::new(seed);
        let briefs = random.bits();
        Self { random, writer, db, briefs }
    }

    /// The writer's own collection.
    pub fn own(writer: usize) -> String {
        format!("own{writer}")
    }

    fn key(&mut self, collection: &str) -> String {
        let writer = self.writer;
        match collection {
            "people" => format!("people:w{writer}-{}", self.random.below(12)),
            "notes" => format!("notes:w{writer}-{}", self.random.below(8)),
            _ => format!("{}:{}", Self::own(writer), self.random.below(8)),
        }
    }

    fn any_key(&mut self) -> String {
        let collection = self.random.pick(&["people", "people", "notes", "own"]);
        self.key(collection)
    }

    /// A key of a collection in which any mail may stand twice: nothing is refused there.
    fn free_key(&mut self) -> String {
        let collection = self.random.pick(&["notes", "own"]);
        self.key(collection)
    }

    fn mail(&mut self) -> String {
        format!("\"{}@example.org\"", self.random.below(MAILS))
    }

    fn members(&mut self) -> Members {
        let random = &mut self.random;
        let mut members =
            vec![("n", random.pick(&NUMBERS).to_string()), ("s", random.pick(&STRINGS).to_owned())];
        if self.random.chance(60) {
            members.push(("mail", self.mail()));
        }
        let random = &mut self.random;
        if random.chance(30) {
            // Longer than one write of the append-only file now and then.
            let length = if random.chance(3) { 9_000 } else { random.below(300) };
            members.push(("pad", format!("\"{}\"", "x".repeat(length))));
        }
        if random.chance(20) {
            members.reverse();
        }
        members
    }

    fn changes(&mut self) -> Vec<Change> {
        let count = 1 + self.random.below(2);
        let change = |source: &mut Self| match source.random.below(10) {
            0..4 => Change::Increment(source.random.below(9) as i64 - 4),
            4..6 => Change::Put("s", source.random.pick(&STRINGS).to_owned()),
            6..8 => Change::Put("mail", source.mail()),
            8 => Change::Put("pad", format!("\"{}\"", "y".repeat(source.random.below(50)))),
            _ => Change::Unset(source.random.pick(&["pad", "mail"])),
        };
        (0..count).map(|_| change(self)).collect()
    }

    /// Far enough that nothing but what is brief lapses in a run.
    fn ttl(&mut self, now_ms: i64) -> Ttl {
        let ms = 100_000_000 + self.random.below(1_000_000_000) as i64;
        match self.random.below(10) {
            0 | 1 => Ttl::At(now_ms + ms),
            2 => Ttl::In(ms),
            3 | 4 => Ttl::Keep,
            _ => Ttl::Drop,
        }
    }

    fn op(&mut self, now_ms: i64) -> Op {
        let other = DATABASES - 1 - self.db;
        match self.random.below(100) {
            0..34 => {
                let when = self.random.pick(&[When::Always, When::Always, When::Always]);
                let when = match self.random.below(10) {
                    0 => When::Absent,
                    1 => When::Present,
                    _ => when,
                };
                let (at, members, ttl) = (self.any_key(), self.members(), self.ttl(now_ms));
                Op::Set { at, members, ttl, when }
            }
            34..54 => Op::Update { at: self.any_key(), changes: self.changes() },
            54..63 => {
                let by = self.random.pick(&["DOC.DEL", "DEL", "UNLINK"]);
                Op::Remove { at: self.any_key(), by }
            }
            63..70 => loop {
                // Into the shared collection only from within.
                let (from, to) = if self.random.chance(40) {
                    (self.key("people"), self.key("people"))
                } else {
                    (self.any_key(), self.free_key())
                };
                if from != to {
                    break Op::Rename { from, to };
                }
            },
            70..77 => {
                let (from, to, replace) = (self.any_key(), self.free_key(), self.random.chance(50));
                let db = if from == to || self.random.chance(40) { other } else { self.db };
                Op::Copy { from, to, db, replace }
            }
            77..81 => Op::Move { at: self.free_key(), db: other },
            81..91 => Op::Retime { at: self.any_key(), ttl: self.ttl(now_ms) },
            91..93 => self.brief(),
            93..97 => {
                let form = self.random.below(DECLARATIONS.len());
                Op::Create { name: Self::own(self.writer), form }
            }
            _ => Op::Drop { name: Self::own(self.writer), documents: self.random.chance(50) },
        }
    }

    /// A document that lapses within a moment, and that nothing else touches.
    fn brief(&mut self) -> Op {
        self.briefs = self.briefs.wrapping_add(1);
        let at = format!("brief:w{}-{}", self.writer, self.briefs);
        let ttl = Ttl::In(20 + self.random.below(600) as i64);
        Op::Set { at, members: self.members(), ttl, when: When::Always }
    }

    /// The next unit, sometimes with one that has to follow it.
    pub fn draw(&mut self, now_ms: i64) -> Vec<Unit> {
        let several = |source: &mut Self| {
            let count = 2 + source.random.below(4);
            (0..count).map(|_| source.op(now_ms)).collect::<Vec<_>>()
        };
        match self.random.below(100) {
            0..6 => vec![Unit::Multi(several(self))],
            6..11 => vec![Unit::Script(several(self))],
            11..13 => {
                self.db = self.random.below(DATABASES);
                vec![Unit::Select(self.db)]
            }
            _ => {
                let op = self.op(now_ms);
                let born = match &op {
                    Op::Rename { to, .. } => Some(to.clone()),
                    Op::Copy { to, db, .. } if *db == self.db => Some(to.clone()),
                    _ => None,
                };
                let born = born.filter(|_| self.random.chance(50));
                let meta = born.map(Unit::Meta);
                [Unit::One(op)].into_iter().chain(meta).collect()
            }
        }
    }
}
