//! The operations, as data that a failing script can be printed as and read back from.

use serde::{Deserialize, Serialize};

use crate::kinds::POLICIES;
use crate::many::{Many, Part};

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

impl Ttl {
    /// Whether EXPIRE says it as a time, not as a span; what lapses soon is always a span.
    pub fn is_absolute(self) -> bool {
        self.step != 0 && matches!(self.form, Form::AtSeconds | Form::AtMillis)
    }

    /// Whether EXPIRE says it in milliseconds.
    pub fn is_millis(self) -> bool {
        self.step == 0 || matches!(self.form, Form::Millis | Form::AtMillis)
    }

    /// The command that says it, as a kind.
    fn verb(self) -> &'static str {
        match (self.is_absolute(), self.is_millis()) {
            (false, false) => "EXPIRE in seconds",
            (false, true) => "PEXPIRE",
            (true, false) => "EXPIREAT",
            (true, true) => "PEXPIREAT",
        }
    }
}

/// What DOC.SET says of the TTL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum SetTtl {
    Drop,
    #[default]
    Keep,
    To(Ttl),
}

/// The condition of DOC.SET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum When {
    #[default]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Returned {
    #[default]
    Version,
    New,
    Old,
}

/// Where an id comes from that DOC.INSERT gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ids {
    /// The server makes it.
    Made,
    /// `ID`, this number.
    Given(u8),
}

/// One operation of DOC.UPDATE: verb, path, operand; the last two are empty where there is none.
pub type Change = (String, String, String);

/// DOC.UPDATE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    pub key: String,
    pub changes: Vec<Change>,
    #[serde(default)]
    pub returned: Returned,
    #[serde(default)]
    pub upsert: bool,
    /// Of these it knows no NX and XX.
    #[serde(default)]
    pub when: When,
    /// What its IF is drawn from; 0 for none.
    #[serde(default)]
    pub filter: u64,
    /// EX and its like, or PERSIST to drop.
    #[serde(default)]
    pub ttl: SetTtl,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    Select(usize),
    Set {
        key: String,
        json: String,
        when: When,
        ttl: SetTtl,
        /// What its IF is drawn from; 0 for none.
        #[serde(default)]
        filter: u64,
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
    Update(Update),
    DocDel {
        keys: Vec<String>,
    },
    /// DOC.DEL SOFT, for a while or not.
    Soft {
        keys: Vec<String>,
        ttl: Option<Ttl>,
    },
    Undelete {
        keys: Vec<String>,
        keep_ttl: bool,
    },
    /// DOC.DEL WITHDELETED
    Purge {
        keys: Vec<String>,
    },
    /// DOC.INSERT, whose document a script renames, since the server alone knows its id.
    Insert {
        name: String,
        json: String,
        ids: Ids,
        to: String,
    },
    /// DOC.GET WITHDELETED
    GetDeleted {
        key: String,
    },
    /// DOC.META WITHDELETED
    MetaDeleted {
        key: String,
    },
    /// DOC.KEYS WITHDELETED
    KeysDeleted {
        name: String,
        seed: u64,
    },
    /// Keys and documents.
    Mset(Vec<(String, String)>),
    UpdateMany(Many),
    DeleteMany {
        name: String,
        seed: u64,
    },
    Claim(Many),
    Txn(Vec<Part>),
    Create {
        name: String,
        seed: u64,
    },
    Drop {
        name: String,
        documents: bool,
    },
    Migrate {
        name: String,
        to: u16,
        lazy: bool,
    },
    /// The server migrates what is ahead.
    Settle,
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
    Keys {
        name: String,
        seed: u64,
    },
    /// DOC.FIND with AFTER, from the first page to the last.
    Pages {
        name: String,
        seed: u64,
    },
    Distinct {
        name: String,
        seed: u64,
    },
    Aggregate {
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
    /// DOC.VERIFY DIGEST
    Digest {
        name: String,
    },
    /// A declaration dropped and made again, with digests before and after.
    Redeclare {
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
    /// A document so large that UNLINK frees it in the background, written and removed.
    UnlinkLarge {
        key: String,
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
    /// SET with KEEPTTL, which keeps the time of what stood there.
    SetKeep {
        key: String,
    },
    SetAdd {
        key: String,
    },
    UnionStore {
        to: String,
        from: String,
    },
    /// BITOP
    Bits {
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
    /// The same by a function of a library.
    Fcall(Vec<Op>),
    /// A transaction whose key is watched; `first` may change it before.
    Watch {
        key: String,
        first: Box<Op>,
        then: Vec<Op>,
    },
    FlushDb {
        background: bool,
    },
    FlushAll {
        background: bool,
    },
    ActiveExpire(bool),
    /// The clients' writes, or all they say, wait for so many milliseconds.
    Pause {
        ms: u64,
        all: bool,
    },
    /// What the server's own commands tell of a key.
    Inspect {
        key: String,
    },
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
    /// Under a policy of `POLICIES`, the server may use so many bytes less than it does.
    Evict {
        policy: usize,
        bytes: u64,
    },
}

/// Whether a key never belongs to a collection.
fn is_of_none(key: &str) -> bool {
    key.starts_with("plain") || key.starts_with("text")
}

impl Op {
    /// Whether the server, not a client, does it: nothing else may be in flight.
    pub fn is_heavy(&self) -> bool {
        let is_other =
            matches!(self, Op::Pass | Op::Linger | Op::Check | Op::Resync | Op::Evict { .. });
        let migrates = matches!(self, Op::Settle | Op::Migrate { lazy: false, .. });
        self.is_reload() || is_other || migrates
    }

    /// Whether streams come, go or lose entries by it.
    pub fn ends_streams(&self) -> bool {
        let is_declaring =
            matches!(self, Op::Create { .. } | Op::Drop { .. } | Op::Redeclare { .. });
        is_declaring || matches!(self, Op::FlushDb { .. } | Op::FlushAll { .. } | Op::Evict { .. })
    }

    /// Whether the server reads back what it has kept.
    pub fn is_reload(&self) -> bool {
        matches!(self, Op::Reload | Op::LoadAof | Op::Restart)
    }

    /// Whether no script may call it: it is one itself, or several commands of which the first may end the script.
    pub fn is_script(&self) -> bool {
        let is_own =
            matches!(self, Op::Restore { .. } | Op::Insert { .. } | Op::Eval(_) | Op::Fcall(_));
        is_own
            || matches!(self, Op::UnlinkLarge { .. })
            || matches!(self, Op::Set { when: When::SameVersion, .. })
            || matches!(self, Op::Update(Update { when: When::SameVersion, .. }))
    }

    /// The keys that it names, if it is one that may precede a watched transaction.
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Op::Set { key, .. }
            | Op::Update(Update { key, .. })
            | Op::Expire { key, .. }
            | Op::Persist { key } => vec![key],
            Op::DocDel { keys } | Op::Del { keys } | Op::Soft { keys, .. } => {
                keys.iter().map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Under what it is counted: every kind is to happen in every run.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec![self.name()];
        match self {
            Op::Set { when, ttl, filter, .. } => {
                kinds.extend((*filter != 0).then_some("DOC.SET IF"));
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
            Op::Update(update) => kinds.extend(update.kinds()),
            Op::Txn(parts) => kinds.extend(parts.iter().map(Part::kind)),
            Op::Expire { ttl, only, .. } => {
                kinds.push(match only {
                    Only::Always => "EXPIRE without condition",
                    Only::New => "EXPIRE NX",
                    Only::Old => "EXPIRE XX",
                    Only::Greater => "EXPIRE GT",
                    Only::Less => "EXPIRE LT",
                });
                kinds.push(ttl.verb());
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
            Op::Restore { ttl, replace, .. } => {
                kinds.extend(replace.then_some("RESTORE REPLACE"));
                kinds.extend(ttl.map(|ttl| {
                    if ttl.step < 0 { "RESTORE in the past" } else { "RESTORE with TTL" }
                }));
            }
            Op::Rename { from, to } => match (is_of_none(from), is_of_none(to)) {
                (false, true) => kinds.push("RENAME out of all collections"),
                (true, false) => kinds.push("RENAME into a collection"),
                _ => {}
            },
            Op::Watch { first, then, .. } => {
                kinds.extend(first.kinds());
                kinds.extend(then.iter().flat_map(Op::kinds));
            }
            Op::FlushDb { background: true } | Op::FlushAll { background: true } => {
                kinds.push("flush ASYNC");
            }
            Op::Multi(ops)
            | Op::Discard(ops)
            | Op::Aborted(ops)
            | Op::Eval(ops)
            | Op::Fcall(ops) => {
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
            Op::Update(_) => "DOC.UPDATE",
            Op::DocDel { .. } => "DOC.DEL",
            Op::Soft { ttl: None, .. } => "DOC.DEL SOFT",
            Op::Soft { .. } => "DOC.DEL SOFT EX",
            Op::Undelete { .. } => "DOC.UNDELETE",
            Op::Purge { .. } => "DOC.DEL WITHDELETED",
            Op::Insert { ids: Ids::Made, .. } => "DOC.INSERT",
            Op::Insert { .. } => "DOC.INSERT ID",
            Op::GetDeleted { .. } => "DOC.GET WITHDELETED",
            Op::MetaDeleted { .. } => "DOC.META WITHDELETED",
            Op::KeysDeleted { .. } => "DOC.KEYS WITHDELETED",
            Op::Mset(_) => "DOC.MSET",
            Op::UpdateMany(_) => "DOC.UPDATEMANY",
            Op::DeleteMany { .. } => "DOC.DELETEMANY",
            Op::Claim(_) => "DOC.CLAIM",
            Op::Txn(_) => "DOC.TXN",
            Op::Create { .. } => "DOC.CREATE",
            Op::Drop { .. } => "DOC.DROP",
            Op::Migrate { lazy: false, .. } => "DOC.MIGRATE",
            Op::Migrate { .. } => "DOC.MIGRATE LAZY",
            Op::Settle => "migrations go on",
            Op::List { .. } => "DOC.LIST",
            Op::Schema { .. } => "DOC.SCHEMA",
            Op::Find { .. } => "DOC.FIND",
            Op::Count { .. } => "DOC.COUNT",
            Op::Exists { .. } => "DOC.EXISTS",
            Op::Keys { .. } => "DOC.KEYS",
            Op::Pages { .. } => "DOC.FIND AFTER",
            Op::Distinct { .. } => "DOC.DISTINCT",
            Op::Aggregate { .. } => "DOC.AGGREGATE",
            Op::Explain { .. } => "DOC.EXPLAIN",
            Op::Verify { .. } => "DOC.VERIFY",
            Op::Digest { .. } => "DOC.VERIFY DIGEST",
            Op::Redeclare { .. } => "a declaration made again",
            Op::Info { .. } => "DOC.INFO",
            Op::Expire { .. } => "EXPIRE",
            Op::Persist { .. } => "PERSIST",
            Op::Del { .. } => "DEL",
            Op::Unlink { .. } => "UNLINK",
            Op::UnlinkLarge { .. } => "UNLINK of a large document",
            Op::Rename { .. } => "RENAME",
            Op::RenameNx { .. } => "RENAMENX",
            Op::Copy { .. } => "COPY",
            Op::Move { .. } => "MOVE",
            Op::SwapDb(..) => "SWAPDB",
            Op::Restore { .. } => "RESTORE",
            Op::SetString { .. } => "SET",
            Op::SetKeep { .. } => "SET KEEPTTL",
            Op::SetAdd { .. } => "SADD",
            Op::UnionStore { .. } => "SUNIONSTORE",
            Op::Bits { .. } => "BITOP",
            Op::SortStore { .. } => "SORT STORE",
            Op::GetEx { .. } => "GETEX",
            Op::GetDel { .. } => "GETDEL",
            Op::Multi(_) => "EXEC",
            Op::Discard(_) => "DISCARD",
            Op::Aborted(_) => "EXECABORT",
            Op::Eval(_) => "EVAL",
            Op::Fcall(_) => "FCALL",
            Op::Watch { .. } => "WATCH",
            Op::FlushDb { .. } => "FLUSHDB",
            Op::FlushAll { .. } => "FLUSHALL",
            Op::ActiveExpire(_) => "DEBUG SET-ACTIVE-EXPIRE",
            Op::Pause { all: false, .. } => "CLIENT PAUSE WRITE",
            Op::Pause { all: true, .. } => "CLIENT PAUSE ALL",
            Op::Inspect { .. } => "OBJECT",
            Op::Scan => "SCAN",
            Op::Rewrite => "BGREWRITEAOF",
            Op::Pass => "the clock goes on",
            Op::Linger => "lapsing after a reload",
            Op::Check => "check",
            Op::Reload => "DEBUG RELOAD",
            Op::LoadAof => "DEBUG LOADAOF",
            Op::Restart => "restart",
            Op::Resync => "full sync",
            Op::Evict { policy, .. } => POLICIES[*policy].0,
        }
    }
}
