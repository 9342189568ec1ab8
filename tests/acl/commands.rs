//! Every command, what it takes, and what it answers those who may.

use crate::users::{BOTH, READ, Right, Rule, User, WRITE};

/// What a command touches.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// These keys.
    Keys(&'static [&'static str], Right),
    /// All keys with each of these prefixes.
    Prefixes(&'static [&'static str], Right),
    /// Nothing: the answer is about what the user may read.
    Own,
    /// An administrator, and these keys.
    AdminKeys(&'static [&'static str], Right),
    /// An administrator, and every key.
    Admin,
}

/// What those who may are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No error; nothing is changed.
    Read,
    /// No error; something may be.
    Write,
    /// An error of this code.
    Code(&'static str),
}

/// A command with its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    pub words: &'static [&'static str],
    pub need: Need,
    pub answer: Answer,
}

/// The world: every key, and the text that only its document holds.
pub const DOCUMENTS: [(&str, &str); 5] = [
    ("users:1", r#"{"email":"ada@x","age":36}"#),
    ("users:12", r#"{"email":"bob@x","age":40}"#),
    ("users:2", r#"{"email":"eve@x","age":51}"#),
    ("notes:7", r#"{"text":"hush"}"#),
    ("o:9", r#"{"sum":120}"#),
];
/// The collections with their prefixes.
pub const COLLECTIONS: [(&str, &str); 3] =
    [("notes", "notes:"), ("orders", "o:"), ("users", "users:")];
/// What makes the world, on a server without collections.
pub const DECLARATIONS: [&[&str]; 2] = [
    USERS_DECLARED,
    &["DOC.CREATE", "orders", "PREFIX", "o:", "FIELD", "sum", "int", "INDEX", "SORTED"],
];
/// The one function.
pub const FUNCTION: (&str, &str) = ("older", "return {age = doc.age + 1}");
const USERS_DECLARED: &[&str] = &[
    "DOC.CREATE",
    "users",
    "FIELD",
    "email",
    "string",
    "UNIQUE",
    "FIELD",
    "age",
    "int",
    "INDEX",
    "SORTED",
];

const fn keys(
    words: &'static [&'static str],
    keys: &'static [&'static str],
    right: Right,
    answer: Answer,
) -> Command {
    Command { words, need: Need::Keys(keys, right), answer }
}

const fn all_of(
    words: &'static [&'static str],
    prefixes: &'static [&'static str],
    right: Right,
    answer: Answer,
) -> Command {
    Command { words, need: Need::Prefixes(prefixes, right), answer }
}

use Answer::{Code, Read, Write};

#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    keys(&["DOC.SET", "users:1", r#"{"age":1}"#], &["users:1"], BOTH, Write),
    keys(&["DOC.SET", "users:2", r#"{"age":1}"#], &["users:2"], BOTH, Write),
    keys(&["DOC.SET", "users:3", r#"{"age":1}"#], &["users:3"], BOTH, Write),
    keys(&["DOC.SET", "users:1", r#"{"email":"eve@x"}"#], &["users:1"], BOTH, Code("UNIQUE")),
    keys(&["DOC.SET", "users:3", r#"{"email":"ada@x"}"#], &["users:3"], BOTH, Code("UNIQUE")),
    keys(&["DOC.SET", "orders:1", "{}"], &["orders:1"], BOTH, Code("KEY")),
    keys(&["DOC.GET", "users:1"], &["users:1"], READ, Read),
    keys(&["DOC.GET", "users:2", "age"], &["users:2"], READ, Read),
    keys(&["DOC.GET", "o:9"], &["o:9"], READ, Read),
    keys(&["DOC.MGET", "users:1", "users:12"], &["users:1", "users:12"], READ, Read),
    keys(&["DOC.MGET", "users:1", "users:2"], &["users:1", "users:2"], READ, Read),
    keys(&["DOC.MGET", "users:1", "PATHS", "1", "age"], &["users:1"], READ, Read),
    keys(&["DOC.MSET", "users:1", r#"{"age":1}"#, "users:2", r#"{"age":1}"#], &["users:1", "users:2"], BOTH, Write),
    keys(&["DOC.MSET", "users:1", r#"{"email":"eve@x"}"#, "users:3", "{}"], &["users:1", "users:3"], BOTH, Code("UNIQUE")),
    keys(&["DOC.MSETNX", "users:8", r#"{"age":1}"#, "users:9", "{}"], &["users:8", "users:9"], BOTH, Write),
    keys(&["DOC.MSETNX", "users:8", "{}", "users:1", "{}"], &["users:8", "users:1"], BOTH, Code("EXISTS")),
    keys(&["DOC.GET", "users:1", "age", "WITHVERSION"], &["users:1"], READ, Read),
    keys(&["DOC.MGET", "users:1", "users:2", "WITHVERSION"], &["users:1", "users:2"], READ, Read),
    keys(&["DOC.UPDATE", "users:1", "INCR", "age", "1"], &["users:1"], BOTH, Write),
    keys(&["DOC.UPDATE", "users:2", "INCR", "age", "1"], &["users:2"], BOTH, Write),
    keys(&["DOC.UPDATE", "users:1", "SET", "email", r#""eve@x""#], &["users:1"], BOTH, Code("UNIQUE")),
    keys(&["DOC.DEL", "users:1"], &["users:1"], WRITE, Write),
    keys(&["DOC.DEL", "users:1", "users:2"], &["users:1", "users:2"], WRITE, Write),
    keys(&["DOC.DEL", "users:1", "IFVERSION", "1000000"], &["users:1"], WRITE, Code("VERSION")),
    keys(&["DOC.DEL", "users:1", "users:2", "SOFT", "EX", "100"], &["users:1", "users:2"], WRITE, Write),
    keys(&["DOC.DEL", "users:2", "WITHDELETED"], &["users:2"], WRITE, Write),
    keys(&["DOC.UNDELETE", "users:1", "users:2", "KEEPTTL"], &["users:1", "users:2"], BOTH, Read),
    keys(&["DOC.GET", "users:1", "WITHDELETED"], &["users:1"], READ, Read),
    keys(&["DOC.MGET", "users:1", "users:2", "WITHDELETED"], &["users:1", "users:2"], READ, Read),
    keys(&["DOC.META", "users:1", "WITHDELETED"], &["users:1"], READ, Read),
    all_of(&["DOC.FIND", "users", "WITHDELETED"], &["users:"], READ, Read),
    all_of(&["DOC.COUNT", "orders", "WITHDELETED"], &["o:"], READ, Read),
    keys(&["DOC.UPDATE", "users:3", "UPSERT", "SET", "age", "1"], &["users:3"], BOTH, Write),
    keys(&["DOC.TXN", "users:1", "users:2", r#"[{"op":"update","key":"users:1","ops":[["INCR","age",1]]},{"op":"del","key":"users:2"}]"#], &["users:1", "users:2"], BOTH, Write),
    keys(&["DOC.TXN", "users:1", r#"[{"op":"update","key":"users:1","ops":[["SET","email","eve@x"]]}]"#], &["users:1"], BOTH, Code("UNIQUE")),
    all_of(&["DOC.INSERT", "users", r#"{"age":1}"#], &["users:"], BOTH, Write),
    all_of(&["DOC.INSERT", "users", r#"{"age":1}"#, "ID", "3"], &["users:"], BOTH, Write),
    all_of(&["DOC.INSERT", "users", r#"{"age":1}"#, "ID", "1"], &["users:"], BOTH, Code("EXISTS")),
    all_of(&["DOC.INSERT", "users", r#"{"email":"eve@x"}"#], &["users:"], BOTH, Code("UNIQUE")),
    all_of(&["DOC.INSERT", "orders", "{}"], &["o:"], BOTH, Write),
    all_of(&["DOC.INSERT", "nothing", "{}"], &["nothing:"], BOTH, Write),
    all_of(&["DOC.UPDATEMANY", "users", "WHERE", "age > 37", "INCR", "age", "1"], &["users:"], BOTH, Write),
    all_of(&["DOC.DELETEMANY", "users", "WHERE", "age > 37"], &["users:"], BOTH, Write),
    all_of(&["DOC.CLAIM", "users", "WHERE", "age > 37", "INCR", "age", "1"], &["users:"], BOTH, Write),
    keys(&["DOC.META", "users:1"], &["users:1"], READ, Read),
    keys(&["DOC.META", "notes:7"], &["notes:7"], READ, Read),
    all_of(&["DOC.FIND", "users"], &["users:"], READ, Read),
    all_of(&["DOC.FIND", "users", "WHERE", "age > 37", "ORDER", "1", "age", "WITHTOTAL"], &["users:"], READ, Read),
    all_of(&["DOC.FIND", "users", "WHERE", "age >"], &["users:"], READ, Code("FILTER")),
    all_of(&["DOC.FIND", "users", "WHERE", "age = 'x'"], &["users:"], READ, Code("FILTER")),
    all_of(&["DOC.FIND", "orders"], &["o:"], READ, Read),
    all_of(&["DOC.FIND", "notes"], &["notes:"], READ, Read),
    all_of(&["DOC.FIND", "nothing"], &["nothing:"], READ, Code("NOCOLLECTION")),
    all_of(&["DOC.COUNT", "users"], &["users:"], READ, Read),
    all_of(&["DOC.COUNT", "orders", "WHERE", "sum > 1"], &["o:"], READ, Read),
    all_of(&["DOC.COUNT", "nothing"], &["nothing:"], READ, Code("NOCOLLECTION")),
    all_of(&["DOC.EXISTS", "users", "WHERE", "email = 'ada@x'"], &["users:"], READ, Read),
    all_of(&["DOC.EXISTS", "notes"], &["notes:"], READ, Read),
    all_of(&["DOC.AGGREGATE", "users", "REDUCE", "2", "count()", "avg(age)"], &["users:"], READ, Read),
    all_of(&["DOC.AGGREGATE", "orders", "GROUP", "1", "sum", "REDUCE", "1", "smu(a)"], &["o:"], READ, Code("ERR")),
    all_of(&["DOC.AGGREGATE", "nothing", "REDUCE", "1", "count()"], &["nothing:"], READ, Code("NOCOLLECTION")),
    all_of(&["DOC.DISTINCT", "users", "email"], &["users:"], READ, Read),
    all_of(&["DOC.DISTINCT", "notes", "_key"], &["notes:"], READ, Read),
    all_of(&["DOC.EXPLAIN", "users", "FIND", "WHERE", "age > 37"], &["users:"], READ, Read),
    all_of(&["DOC.EXPLAIN", "orders", "COUNT"], &["o:"], READ, Read),
    all_of(&["DOC.SCHEMA", "users"], &["users:"], READ, Read),
    all_of(&["DOC.SCHEMA", "orders"], &["o:"], READ, Read),
    all_of(&["DOC.INFO", "users"], &["users:"], READ, Read),
    all_of(&["DOC.INFO", "notes"], &["notes:"], READ, Read),
    all_of(&["DOC.VERIFY", "users"], &["users:"], READ, Read),
    all_of(&["DOC.VERIFY", "nothing"], &["nothing:"], READ, Code("NOCOLLECTION")),
    keys(&["DOC.CALL", "users:1", "older"], &["users:1"], BOTH, Write),
    keys(&["DOC.CALL", "users:2", "IF", "age > 50", "older"], &["users:2"], BOTH, Write),
    keys(&["DOC.CALL", "users:1", "none"], &["users:1"], BOTH, Code("FUNCTION")),
    all_of(&["DOC.FUNCTION", "LOAD", "other", "return nil"], &[""], BOTH, Write),
    all_of(&["DOC.FUNCTION", "LOAD", "older", "return nil"], &[""], BOTH, Code("FUNCTION")),
    all_of(&["DOC.FUNCTION", "DELETE", "older"], &[""], BOTH, Write),
    all_of(&["DOC.FUNCTION", "DELETE", "none"], &[""], BOTH, Code("FUNCTION")),
    all_of(&["DOC.FUNCTION", "RESTORE", "[]"], &[""], BOTH, Read),
    all_of(&["DOC.FUNCTION", "LIST"], &[""], READ, Read),
    all_of(&["DOC.FUNCTION", "DUMP"], &[""], READ, Read),
    Command { words: &["DOC.LIST"], need: Need::Own, answer: Read },
    Command { words: &["DOC.LIST", "*s"], need: Need::Own, answer: Read },
    all_of(USERS_DECLARED, &["users:"], BOTH, Write),
    all_of(&["DOC.CREATE", "users", "FIELD", "age", "string"], &["users:"], BOTH, Code("COLLECTIONEXISTS")),
    all_of(&["DOC.CREATE", "users2"], &["users2:"], BOTH, Write),
    all_of(&["DOC.CREATE", "notes", "FIELD", "text", "string"], &["notes:"], BOTH, Write),
    all_of(&["DOC.CREATE", "notes", "FIELD", "text", "int"], &["notes:"], BOTH, Code("SCHEMA")),
    // It stands in the way of a declared prefix.
    all_of(&["DOC.CREATE", "x", "PREFIX", "users:1"], &["x:", "users:1", "users:"], BOTH, Code("SCHEMA")),
    all_of(&["DOC.CREATE", "orders", "PREFIX", "orders:1"], &["orders:", "orders:1", "o:"], BOTH, Code("COLLECTIONEXISTS")),
    // Keys that begin with the name would have no place any more.
    all_of(&["DOC.CREATE", "notes2", "PREFIX", "users:1:"], &["notes2:", "users:1:", "users:"], BOTH, Code("SCHEMA")),
    all_of(&["DOC.CREATE", "notes", "PREFIX", "n"], &["notes:", "n"], BOTH, Code("COLLECTIONEXISTS")),
    all_of(&["DOC.CREATE", "o", "PREFIX", "p"], &["o:", "p"], BOTH, Write),
    all_of(&["DOC.ALTER", "users", "ADD", "FIELD", "city", "string"], &["users:"], BOTH, Write),
    all_of(&["DOC.ALTER", "users", "ADD", "FIELD", "age", "int"], &["users:"], BOTH, Code("SCHEMA")),
    all_of(&["DOC.ALTER", "orders", "ADD", "INDEX", "one", "ON", "1", "sum"], &["o:"], BOTH, Write),
    all_of(&["DOC.ALTER", "users", "SET", "TTL", "9", "SET", "IDS", "ULID"], &["users:"], BOTH, Write),
    all_of(&["DOC.ALTER", "notes", "SET", "MODE", "STRICT"], &["notes:"], BOTH, Code("NOCOLLECTION")),
    all_of(&["DOC.ALTER", "nothing", "SET", "MODE", "STRICT"], &["nothing:"], BOTH, Code("NOCOLLECTION")),
    all_of(&["DOC.MIGRATE", "users", "TO", "0", "LAZY"], &["users:"], BOTH, Write),
    all_of(&["DOC.MIGRATE", "users", "TO", "1"], &["users:"], BOTH, Code("SCHEMA")),
    all_of(&["DOC.MIGRATE", "notes", "TO", "0"], &["notes:"], BOTH, Code("NOCOLLECTION")),
    all_of(&["DOC.REINDEX", "users"], &["users:"], READ, Read),
    all_of(&["DOC.REINDEX", "nothing"], &["nothing:"], READ, Code("NOCOLLECTION")),
    all_of(&["DOC.DROP", "users"], &["users:"], WRITE, Write),
    all_of(&["DOC.DROP", "users", "DOCUMENTS"], &["users:"], WRITE, Write),
    all_of(&["DOC.DROP", "orders", "DOCUMENTS"], &["o:"], WRITE, Write),
    all_of(&["DOC.DROP", "notes"], &["notes:"], WRITE, Code("NOCOLLECTION")),
    all_of(&["DOC.DROP", "notes", "DOCUMENTS"], &["notes:"], WRITE, Write),
    all_of(&["DOC.DROP", "nothing"], &["nothing:"], WRITE, Code("NOCOLLECTION")),
    all_of(&["DOC.DROP", "shop.*"], &["shop."], WRITE, Code("NOCOLLECTION")),
    all_of(&["DOC.INFO", "shop.*"], &["shop."], READ, Code("NOCOLLECTION")),
    Command {
        words: &["DOC._APPLY", "users:1", "70", "70", "1", "1", "-1", "{}"],
        need: Need::AdminKeys(&["users:1"], WRITE),
        answer: Write,
    },
    Command {
        words: &["DOC._STATE", r#"{"floor":{"version":0,"seq":0},"collections":[]}"#],
        need: Need::Admin,
        answer: Write,
    },
];

impl Command {
    /// Its name as rules of users have it.
    fn name(&self) -> String {
        let words = if self.words[0] == "DOC.FUNCTION" { 2 } else { 1 };
        self.words[..words].join("|")
    }

    /// Whether the user may run it.
    pub fn is_allowed(&self, user: &User, knows_categories: bool) -> bool {
        user.rules_for(&self.name(), knows_categories).any(|rule| self.suits(rule, user))
    }

    fn suits(&self, rule: &Rule, user: &User) -> bool {
        match self.need {
            Need::Keys(keys, right) => keys.iter().all(|key| rule.allows_key(key, right)),
            Need::Prefixes(all, right) => all.iter().all(|one| rule.allows_prefix(one, right)),
            Need::Own => true,
            Need::AdminKeys(keys, right) => {
                user.is_admin() && keys.iter().all(|key| rule.allows_key(key, right))
            }
            Need::Admin => user.is_admin() && rule.allows_prefix("", BOTH),
        }
    }
}

/// The collections that the user is shown by DOC.LIST.
pub fn listed(user: &User) -> Vec<&'static str> {
    let rules: Vec<&Rule> = user.rules_for("doc.list", true).collect();
    let is_shown = |prefix: &str| rules.iter().any(|rule| rule.allows_prefix(prefix, READ));
    COLLECTIONS.iter().filter(|(_, prefix)| is_shown(prefix)).map(|(name, _)| *name).collect()
}
