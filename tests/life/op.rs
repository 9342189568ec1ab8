//! The operations, as data that a failing script can be printed as and read back from.

use serde::{Deserialize, Serialize};

/// How a time to live is said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Form {
    Seconds,
    Millis,
    AtSeconds,
    AtMillis,
}

/// When something lapses: past, soon (the end of a batch), or one of three times far away.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ttl {
    pub form: Form,
    /// -1 past, 0 soon, 1 to 3 far.
    pub step: i32,
}

/// What DOC.SET says of the TTL.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SetTtl {
    Drop,
    Keep,
    To(Ttl),
}

/// The condition of DOC.SET.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum When {
    Always,
    New,
    Old,
    /// IFVERSION 0
    Absent,
    /// IFVERSION of a version that no document has.
    Never,
    /// IFVERSION of the version that the document has, by a script.
    SameVersion,
}

/// The condition of EXPIRE.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Only {
    Always,
    New,
    Old,
    Greater,
    Less,
}

/// What DOC.UPDATE replies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Returned {
    Version,
    New,
    Old,
}

/// One operation of DOC.UPDATE: verb, path, JSON.
pub type Change = (String, String, String);

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    Select(usize),
    Set {
        key: String,
        json: String,
        when: When,
        ttl: SetTtl,
    },
    Get {
        key: String,
        path: Option<String>,
    },
    Mget {
        keys: Vec<String>,
        path: Option<String>,
    },
    Meta {
        key: String,
    },
    Update {
        key: String,
        changes: Vec<Change>,
        returned: Returned,
    },
    DocDel {
        keys: Vec<String>,
    },
    Create {
        name: String,
        seed: u64,
    },
    Drop {
        name: String,
        documents: bool,
    },
    List {
        pattern: Option<String>,
    },
    Schema {
        name: String,
    },
    Find {
        name: String,
        seed: u64,
    },
    Count {
        name: String,
        seed: u64,
    },
    Exists {
        name: String,
        seed: u64,
    },
    Explain {
        name: String,
        seed: u64,
    },
    Verify {
        name: String,
    },
    Info {
        name: String,
    },
    Expire {
        key: String,
        ttl: Ttl,
        only: Only,
    },
    Persist {
        key: String,
    },
    Del {
        keys: Vec<String>,
    },
    Unlink {
        keys: Vec<String>,
    },
    Rename {
        from: String,
        to: String,
    },
    RenameNx {
        from: String,
        to: String,
    },
    Copy {
        from: String,
        to: String,
        db: Option<usize>,
        replace: bool,
    },
    Move {
        key: String,
        db: usize,
    },
    SwapDb(usize, usize),
    /// DUMP of one key and RESTORE as another, in a script.
    Restore {
        from: String,
        to: String,
        ttl: Option<Ttl>,
        replace: bool,
    },
    SetString {
        key: String,
        ttl: Option<Ttl>,
    },
    SetAdd {
        key: String,
    },
    UnionStore {
        to: String,
        from: String,
    },
    SortStore {
        to: String,
        from: String,
    },
    GetEx {
        key: String,
        ttl: Option<Ttl>,
    },
    GetDel {
        key: String,
    },
    Multi(Vec<Op>),
    Discard(Vec<Op>),
    /// A transaction that a bad command keeps from running.
    Aborted(Vec<Op>),
    Eval(Vec<Op>),
    FlushDb {
        background: bool,
    },
    FlushAll {
        background: bool,
    },
    ActiveExpire(bool),
    /// All documents of the selected database, by SCAN.
    Scan,
    /// A rewrite of the append-only file begins.
    Rewrite,
    /// What is to lapse soon has lapsed.
    Pass,
    /// Some documents are given so much time that a reload that follows finds them there.
    Linger,
    /// Everything is compared.
    Check,
    Reload,
    LoadAof,
    Restart,
    /// The replica leaves, and is synced in full again.
    Resync,
}

impl Op {
    /// Whether the server, not a client, does it: nothing else may be in flight.
    pub fn is_heavy(&self) -> bool {
        self.is_reload() || matches!(self, Op::Pass | Op::Linger | Op::Check | Op::Resync)
    }

    /// Whether the server reads back what it has kept.
    pub fn is_reload(&self) -> bool {
        matches!(self, Op::Reload | Op::LoadAof | Op::Restart)
    }

    /// Whether it is a script itself, which no script may call.
    pub fn is_script(&self) -> bool {
        matches!(self, Op::Restore { .. } | Op::Set { when: When::SameVersion, .. } | Op::Eval(_))
    }

    /// Under what it is counted: every kind is to happen in every run.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec![self.name()];
        match self {
            Op::Set { when, ttl, .. } => {
                kinds.push(match when {
                    When::Always => "DOC.SET without condition",
                    When::New => "DOC.SET NX",
                    When::Old => "DOC.SET XX",
                    When::Absent | When::Never => "DOC.SET IFVERSION unmet",
                    When::SameVersion => "DOC.SET IFVERSION met",
                });
                kinds.push(match ttl {
                    SetTtl::Drop => "DOC.SET without TTL",
                    SetTtl::Keep => "DOC.SET KEEPTTL",
                    SetTtl::To(ttl) if ttl.step < 0 => "DOC.SET in the past",
                    SetTtl::To(ttl) if ttl.step == 0 => "DOC.SET soon",
                    SetTtl::To(_) => "DOC.SET with TTL",
                });
            }
            Op::Expire { ttl, only, .. } => {
                kinds.push(match only {
                    Only::Always => "EXPIRE without condition",
                    Only::New => "EXPIRE NX",
                    Only::Old => "EXPIRE XX",
                    Only::Greater => "EXPIRE GT",
                    Only::Less => "EXPIRE LT",
                });
                kinds.push(match ttl.step {
                    i32::MIN..0 => "EXPIRE in the past",
                    0 => "EXPIRE soon",
                    _ => "EXPIRE far",
                });
            }
            Op::Copy { replace, db, .. } => {
                kinds.extend(replace.then_some("COPY REPLACE"));
                kinds.extend(db.map(|_| "COPY DB"));
            }
            Op::Restore { ttl: Some(Ttl { step, .. }), .. } => {
                kinds.push(if *step < 0 { "RESTORE in the past" } else { "RESTORE with TTL" });
            }
            Op::FlushDb { background: true } | Op::FlushAll { background: true } => {
                kinds.push("flush ASYNC");
            }
            Op::Multi(ops) | Op::Discard(ops) | Op::Aborted(ops) | Op::Eval(ops) => {
                kinds.extend(ops.iter().flat_map(Op::kinds));
            }
            _ => {}
        }
        kinds
    }

    fn name(&self) -> &'static str {
        match self {
            Op::Select(_) => "SELECT",
            Op::Set { .. } => "DOC.SET",
            Op::Get { .. } => "DOC.GET",
            Op::Mget { .. } => "DOC.MGET",
            Op::Meta { .. } => "DOC.META",
            Op::Update { .. } => "DOC.UPDATE",
            Op::DocDel { .. } => "DOC.DEL",
            Op::Create { .. } => "DOC.CREATE",
            Op::Drop { .. } => "DOC.DROP",
            Op::List { .. } => "DOC.LIST",
            Op::Schema { .. } => "DOC.SCHEMA",
            Op::Find { .. } => "DOC.FIND",
            Op::Count { .. } => "DOC.COUNT",
            Op::Exists { .. } => "DOC.EXISTS",
            Op::Explain { .. } => "DOC.EXPLAIN",
            Op::Verify { .. } => "DOC.VERIFY",
            Op::Info { .. } => "DOC.INFO",
            Op::Expire { .. } => "EXPIRE",
            Op::Persist { .. } => "PERSIST",
            Op::Del { .. } => "DEL",
            Op::Unlink { .. } => "UNLINK",
            Op::Rename { .. } => "RENAME",
            Op::RenameNx { .. } => "RENAMENX",
            Op::Copy { .. } => "COPY",
            Op::Move { .. } => "MOVE",
            Op::SwapDb(..) => "SWAPDB",
            Op::Restore { .. } => "RESTORE",
            Op::SetString { .. } => "SET",
            Op::SetAdd { .. } => "SADD",
            Op::UnionStore { .. } => "SUNIONSTORE",
            Op::SortStore { .. } => "SORT STORE",
            Op::GetEx { .. } => "GETEX",
            Op::GetDel { .. } => "GETDEL",
            Op::Multi(_) => "EXEC",
            Op::Discard(_) => "DISCARD",
            Op::Aborted(_) => "EXECABORT",
            Op::Eval(_) => "EVAL",
            Op::FlushDb { .. } => "FLUSHDB",
            Op::FlushAll { .. } => "FLUSHALL",
            Op::ActiveExpire(_) => "DEBUG SET-ACTIVE-EXPIRE",
            Op::Scan => "SCAN",
            Op::Rewrite => "BGREWRITEAOF",
            Op::Pass => "the clock goes on",
            Op::Linger => "lapsing after a reload",
            Op::Check => "check",
            Op::Reload => "DEBUG RELOAD",
            Op::LoadAof => "DEBUG LOADAOF",
            Op::Restart => "restart",
            Op::Resync => "full sync",
        }
    }
}

/// What has to happen in every run.
pub const KINDS: &[&str] = &[
    "SELECT",
    "DOC.SET",
    "DOC.SET without condition",
    "DOC.SET NX",
    "DOC.SET XX",
    "DOC.SET IFVERSION unmet",
    "DOC.SET IFVERSION met",
    "DOC.SET without TTL",
    "DOC.SET KEEPTTL",
    "DOC.SET in the past",
    "DOC.SET soon",
    "DOC.SET with TTL",
    "DOC.GET",
    "DOC.MGET",
    "DOC.META",
    "DOC.UPDATE",
    "DOC.DEL",
    "DOC.CREATE",
    "DOC.DROP",
    "DOC.LIST",
    "DOC.SCHEMA",
    "DOC.FIND",
    "DOC.COUNT",
    "DOC.EXISTS",
    "DOC.EXPLAIN",
    "DOC.VERIFY",
    "DOC.INFO",
    "EXPIRE without condition",
    "EXPIRE NX",
    "EXPIRE XX",
    "EXPIRE GT",
    "EXPIRE LT",
    "EXPIRE in the past",
    "EXPIRE soon",
    "EXPIRE far",
    "PERSIST",
    "DEL",
    "UNLINK",
    "RENAME",
    "RENAMENX",
    "COPY",
    "COPY REPLACE",
    "COPY DB",
    "MOVE",
    "SWAPDB",
    "RESTORE",
    "RESTORE in the past",
    "RESTORE with TTL",
    "SET",
    "SADD",
    "SUNIONSTORE",
    "SORT STORE",
    "GETEX",
    "GETDEL",
    "EXEC",
    "DISCARD",
    "EXECABORT",
    "EVAL",
    "FLUSHDB",
    "FLUSHALL",
    "flush ASYNC",
    "DEBUG SET-ACTIVE-EXPIRE",
    "SCAN",
    "the clock goes on",
    "check",
];

/// What has to happen besides in a run without a replica.
pub const RELOADS: &[&str] =
    &["BGREWRITEAOF", "DEBUG RELOAD", "DEBUG LOADAOF", "restart", "lapsing after a reload"];

/// What has to happen besides in a run with a replica.
pub const SYNCS: &[&str] = &["full sync"];
