//! Every command by every kind of user, alone, in a transaction, in a script and in a function.

use std::fmt::Write as _;

use folio_engine::planted::Fault;
use folio_tests::{Client, Options, Server, planted, reply};
use redis::{RedisResult, Value};

use crate::commands::{
    Answer, COLLECTIONS, COMMANDS, Command, DECLARATIONS, DOCUMENTS, FUNCTION, listed,
};
use crate::users::{READ, USERS, User};

const WAYS: [&str; 4] = ["alone", "in MULTI", "in EVAL", "in FCALL"];
const SCRIPT: &str = "return redis.call(unpack(ARGV))";
const CARRY: &str = "#!lua name=carry\nredis.register_function('carry', \
                        function(keys, args) return redis.call(unpack(args)) end)";

#[test]
fn users_touch_what_their_rules_allow_and_learn_of_nothing_else() {
    let Matrix { judged, refused, faults, .. } = Matrix::run(&Server::start(), USERS);
    println!("{judged} commands judged, {refused} of them refused");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(refused > judged / 3 && refused < judged, "{refused} of {judged} refused");
}

/// A module that takes permission for one key as permission for the collection is found out.
#[test]
fn a_planted_fault_is_found() {
    let server = planted::with_fault(Options::new(), Fault::Acl).start();
    let some: Vec<User> = USERS.iter().filter(|user| user.name == "some").copied().collect();
    let faults = Matrix::run(&server, &some).faults;
    assert!(faults.iter().any(|fault| fault.contains("DOC.COUNT users, alone")), "{faults:?}");
}

struct Matrix {
    admin: Client,
    /// Servers before 7.2 let modules name no categories.
    knows_categories: bool,
    digest: String,
    judged: usize,
    refused: usize,
    faults: Vec<String>,
}

impl Matrix {
    fn run(server: &Server, users: &[User]) -> Self {
        let mut matrix = Self::new(server);
        for user in users {
            let mut client = server.resp2();
            client.call(&["AUTH", user.name, "pass"]);
            for command in COMMANDS {
                for way in WAYS {
                    matrix.judge(&mut client, user, command, way);
                }
            }
        }
        matrix
    }

    fn new(server: &Server) -> Self {
        let mut admin = server.resp2();
        admin.call(&["FUNCTION", "LOAD", CARRY]);
        for user in USERS {
            let words = user.set_up();
            admin.call(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let knows_categories = admin
            .texts(&["ACL", "CAT", "dangerous"])
            .iter()
            .any(|name| name.eq_ignore_ascii_case("doc.drop"));
        let mut matrix = Self {
            admin,
            knows_categories,
            digest: String::new(),
            judged: 0,
            refused: 0,
            faults: Vec::new(),
        };
        matrix.make_world();
        matrix
    }

    fn make_world(&mut self) {
        self.admin.call(&["FLUSHALL"]);
        for name in self.admin.texts(&["DOC.LIST"]) {
            self.admin.call(&["DOC.DROP", &name]);
        }
        let (name, source) = FUNCTION;
        self.admin.call(&["DOC.FUNCTION", "LOAD", "REPLACE", name, source]);
        let _ = self.admin.try_call(&["DOC.FUNCTION", "DELETE", "other"]);
        for words in DECLARATIONS {
            self.admin.call(words);
        }
        for (key, json) in DOCUMENTS {
            self.admin.call(&["DOC.SET", key, json]);
        }
        self.digest = self.digest();
    }

    /// All that a command could change.
    fn digest(&mut self) -> String {
        let mut digest = self.admin.text(&["DEBUG", "DIGEST"]).expect("a digest is text");
        let functions = self.admin.text(&["DOC.FUNCTION", "DUMP"]);
        let _ = write!(digest, " {functions:?}");
        for name in self.admin.texts(&["DOC.LIST"]) {
            let schema = self.admin.text(&["DOC.SCHEMA", &name]);
            let version = self.admin.map(&["DOC.INFO", &name]).remove("version");
            let _ = write!(digest, " {name} {schema:?} {version:?}");
        }
        digest
    }

    fn judge(&mut self, client: &mut Client, user: &User, command: &Command, way: &str) {
        self.judged += 1;
        let answer = say(client, command.words, way);
        let is_allowed = command.is_allowed(user, self.knows_categories);
        self.refused += usize::from(!is_allowed);
        let mut faults = Vec::new();
        if let Some(fault) = fault_of(command, &answer, is_allowed) {
            faults.push(fault);
        }
        faults.extend(leaks(user, command, &answer));
        if command.words == ["DOC.LIST"] && way == "alone" && is_allowed {
            let shown = answer.as_ref().map(|names| reply::texts(names.clone()));
            if shown.as_ref().ok().is_none_or(|shown| *shown != listed(user)) {
                faults.push(format!("lists {shown:?}"));
            }
        }
        let may_change = is_allowed && command.answer == Answer::Write;
        if may_change {
            self.make_world();
        } else if self.digest() != self.digest {
            faults.push("something changed".into());
            self.make_world();
        }
        let words = command.words.join(" ");
        let context = format!("{}, {words}, {way}", user.name);
        self.faults.extend(faults.into_iter().map(|fault| format!("{context}: {fault}")));
    }
}

fn say(client: &mut Client, words: &[&str], way: &str) -> RedisResult<Value> {
    match way {
        "alone" => client.try_call(words),
        "in MULTI" => {
            client.call(&["MULTI"]);
            if let Err(error) = client.try_call(words) {
                client.try_call(&["DISCARD"])?;
                return Err(error);
            }
            client.try_call(&["EXEC"])
        }
        "in EVAL" => client.try_call(&[&["EVAL", SCRIPT, "0"], words].concat()),
        _ => client.try_call(&[&["FCALL", "carry", "0"], words].concat()),
    }
}

/// The texts by which servers refuse.
fn is_refusal(text: &str) -> bool {
    ["NOPERM", "The user executing the script", "ACL failure in script"]
        .iter()
        .any(|words| text.contains(words))
}

fn fault_of(command: &Command, answer: &RedisResult<Value>, is_allowed: bool) -> Option<String> {
    let text = match answer {
        Ok(_) if is_allowed && !matches!(command.answer, Answer::Code(_)) => return None,
        Ok(value) => return Some(format!("no error but {value:?}")),
        Err(error) => format!("{} {}", error.code().unwrap_or("?"), error.detail().unwrap_or("")),
    };
    let is_right = match (is_allowed, command.answer) {
        (false, _) => is_refusal(&text),
        (true, Answer::Code(code)) => text.contains(code),
        (true, _) => false,
    };
    (!is_right).then(|| format!("{text}; expected was {}", expected(command, is_allowed)))
}

fn expected(command: &Command, is_allowed: bool) -> String {
    if is_allowed { format!("{:?}", command.answer) } else { "NOPERM".into() }
}

/// What an answer tells that its user may not read: keys, and values of documents; that it hides a key that the user may
/// read; names of collections.
fn leaks(user: &User, command: &Command, answer: &RedisResult<Value>) -> Vec<String> {
    let text = match answer {
        Ok(value) => format!("{value:?}").replace("bulk-string", ""),
        Err(error) => format!("{} {}", error.code().unwrap_or("?"), error.detail().unwrap_or("")),
    };
    let said = command.words.join(" ");
    let mut leaks = Vec::new();
    let is_word = |at: usize, word: &str| {
        let end = at + word.len();
        !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let tells = |word: &str| text.match_indices(word).any(|(at, _)| is_word(at, word));
    for (key, json) in DOCUMENTS {
        let secret = json.split('"').nth(3).filter(|secret| secret.len() > 2);
        for word in [Some(key), secret].into_iter().flatten() {
            if !user.may_read(key) && !said.contains(word) && tells(word) {
                leaks.push(format!("{word} is told: {text}"));
            }
        }
    }
    if text.contains("UNIQUE") {
        let holder = if said.contains("eve@x") { "users:2" } else { "users:1" };
        if user.may_read(holder) != tells(holder) {
            leaks.push(format!("{holder} is hidden, or told: {text}"));
        }
    }
    for (name, prefix) in COLLECTIONS {
        let may = user.rules.iter().any(|rule| rule.allows_prefix(prefix, READ));
        if answer.is_err() && !may && !said.contains(name) && tells(name) {
            leaks.push(format!("{name} is told: {text}"));
        }
    }
    leaks
}
