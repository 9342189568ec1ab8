//! The kinds of users, and what their rules allow: told by the rules that they were made of, not by what the server says of
//! them.

use crate::glob;

/// What is done with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    pub reads: bool,
    pub writes: bool,
}

pub const READ: Right = Right { reads: true, writes: false };
pub const WRITE: Right = Right { reads: false, writes: true };
pub const BOTH: Right = Right { reads: true, writes: true };

/// Commands that a rule allows, besides those which only carry others.
#[derive(Debug, Clone, Copy)]
pub enum Commands {
    None,
    All,
    /// All but those of a category in which servers before 7.2 know no command of a module.
    NotDangerous,
    Only(&'static [&'static str]),
}

/// Rules that belong together: the root of a user, or a selector.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub commands: Commands,
    pub keys: &'static [(Right, &'static str)],
}

/// A kind of user.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub name: &'static str,
    pub rules: &'static [Rule],
}

/// What carries a command: every user may use these.
const CARRIERS: &str = "+multi +exec +discard +eval +fcall +ping +auth";
/// Texts that may follow a prefix: enough to tell the patterns of the users below.
const PROBES: [&str; 9] = ["", "1", "2", "12", "x", "*", ":", "a:b", "\u{e9}"];

const fn root(name: &'static str, keys: &'static [Rule]) -> User {
    User { name, rules: keys }
}

macro_rules! everything_on {
    ($($keys:expr),*) => { &[Rule { commands: Commands::All, keys: &[$($keys),*] }] };
}

pub const USERS: &[User] = &[
    root("all", everything_on!((BOTH, "*"))),
    root("no-command", &[Rule { commands: Commands::None, keys: &[(BOTH, "*")] }]),
    root("no-keys", everything_on!()),
    root("prefix", everything_on!((BOTH, "users:*"))),
    root("reader", everything_on!((READ, "users:*"))),
    root("writer", everything_on!((WRITE, "users:*"))),
    root("some", everything_on!((BOTH, "users:1*"))),
    root("several", everything_on!((BOTH, "users:*"), (BOTH, "notes:*"), (READ, "o:*"))),
    root("split", everything_on!((READ, "users:*"), (WRITE, "u*"))),
    root("any-byte", everything_on!((BOTH, "user?:*"))),
    root("class", everything_on!((BOTH, "[a-z]sers:*"))),
    root("not-class", everything_on!((BOTH, "[^u]sers:*"))),
    root("escaped", everything_on!((BOTH, "us\\ers:*"))),
    root("literal-star", everything_on!((BOTH, "users:\\*"))),
    root("late-star", everything_on!((BOTH, "*s:*"))),
    root("at-least-one", everything_on!((BOTH, "users:?*x"))),
    root("halves", everything_on!((BOTH, "users:[0-9]*"), (BOTH, "users:[^0-9]*"))),
    root("read-all", everything_on!((READ, "*"))),
    root("by-name", everything_on!((BOTH, "orders:*"))),
    root("by-prefix", everything_on!((BOTH, "o:*"))),
    root("both-names", everything_on!((BOTH, "o:*"), (BOTH, "orders:*"))),
    root("ordinary", &[Rule { commands: Commands::NotDangerous, keys: &[(BOTH, "*")] }]),
    root(
        "listed",
        &[Rule {
            commands: Commands::Only(&["doc.get", "doc.find", "doc.set", "doc.list"]),
            keys: &[(BOTH, "users:*")],
        }],
    ),
    root(
        "selectors",
        &[
            Rule { commands: Commands::Only(&["doc.get", "doc.mget"]), keys: &[(BOTH, "users:*")] },
            Rule {
                commands: Commands::Only(&["doc.find", "doc.count", "doc.list"]),
                keys: &[(BOTH, "notes:*")],
            },
            Rule { commands: Commands::All, keys: &[(READ, "o:*")] },
        ],
    ),
    root(
        "crossed",
        &[
            Rule { commands: Commands::All, keys: &[] },
            Rule { commands: Commands::Only(&["doc.get"]), keys: &[(BOTH, "*")] },
        ],
    ),
    root(
        "late-selector",
        &[
            Rule { commands: Commands::None, keys: &[(BOTH, "*")] },
            Rule { commands: Commands::Only(&["doc.find"]), keys: &[(READ, "users:1*")] },
            Rule { commands: Commands::Only(&["doc.find", "doc.drop"]), keys: &[(BOTH, "u*")] },
        ],
    ),
];

impl User {
    /// The arguments of `ACL SETUSER`.
    pub fn set_up(&self) -> Vec<String> {
        let mut words: Vec<String> =
            ["ACL", "SETUSER", self.name, "reset", "on", ">pass"].map(String::from).into();
        for (at, rule) in self.rules.iter().enumerate() {
            let mut own = Vec::new();
            for (right, pattern) in rule.keys {
                own.push(match (right.reads, right.writes) {
                    (true, true) => format!("~{pattern}"),
                    (true, false) => format!("%R~{pattern}"),
                    _ => format!("%W~{pattern}"),
                });
            }
            match rule.commands {
                Commands::None => {}
                Commands::All => own.push("+@all".into()),
                Commands::NotDangerous => own.extend(["+@all", "-@dangerous"].map(String::from)),
                Commands::Only(names) => own.extend(names.iter().map(|name| format!("+{name}"))),
            }
            if at == 0 {
                own.extend(CARRIERS.split(' ').map(String::from));
                words.extend(own);
            } else {
                words.push(format!("({})", own.join(" ")));
            }
        }
        words
    }

    /// The rules that allow a command.
    pub fn rules_for(&self, command: &str, knows_categories: bool) -> impl Iterator<Item = &Rule> {
        let command = command.to_ascii_lowercase();
        let dangerous = ["doc.drop", "doc._apply", "doc._state"].contains(&&*command)
            || (command.starts_with("doc.function|")
                && !command.ends_with("|list")
                && !command.ends_with("|dump"));
        self.rules.iter().filter(move |rule| match rule.commands {
            Commands::None => false,
            Commands::All => true,
            Commands::NotDangerous => !(dangerous && knows_categories),
            Commands::Only(names) => names.contains(&&*command),
        })
    }

    /// Whether the user may stop the server.
    pub fn is_admin(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.commands, Commands::All))
    }

    /// Whether any rule allows to read the key.
    pub fn may_read(&self, key: &str) -> bool {
        self.rules.iter().any(|rule| rule.allows_key(key, READ))
    }
}

impl Rule {
    fn patterns(&self, right: Right) -> impl Iterator<Item = &'static str> {
        let has =
            move |held: &Right| (held.reads || !right.reads) && (held.writes || !right.writes);
        self.keys.iter().filter(move |(held, _)| has(held)).map(|(_, pattern)| *pattern)
    }

    /// Whether one pattern allows `right` on a key.
    pub fn allows_key(&self, key: &str, right: Right) -> bool {
        self.patterns(right).any(|pattern| glob::fits(pattern.as_bytes(), key.as_bytes()))
    }

    /// Whether one pattern allows `right` on every key that begins with `prefix`.
    pub fn allows_prefix(&self, prefix: &str, right: Right) -> bool {
        self.patterns(right).any(|pattern| {
            PROBES
                .iter()
                .all(|probe| glob::fits(pattern.as_bytes(), format!("{prefix}{probe}").as_bytes()))
        })
    }
}
