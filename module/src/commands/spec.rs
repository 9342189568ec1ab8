//! What the table says of a command: enough for `COMMAND DOCS`, ACLs, cluster routing and docs/commands.md.

use std::fmt::Write as _;

use super::{Answer, Args};
use crate::acl::Right;
use crate::ffi::Ctx;

/// One command.
pub(crate) struct Command {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, in one sentence.
    pub(crate) summary: &'static str,
    /// How its cost grows.
    pub(crate) complexity: &'static str,
    /// The version of Folio that brought it.
    pub(crate) since: &'static str,
    /// The words that `CreateCommand` takes.
    pub(crate) flags: &'static str,
    /// ACL categories, for servers that let modules name them.
    pub(crate) categories: &'static str,
    /// Hints for clients and proxies.
    pub(crate) tips: &'static str,
    /// The number of arguments, the name included; negative: at least.
    pub(crate) arity: i32,
    /// Where its keys are.
    pub(crate) keys: Option<Keys>,
    /// What its user has to be allowed on every key of the collection that it names.
    pub(crate) right: Option<Right>,
    /// What it takes.
    pub(crate) arguments: &'static [Argument],
    /// What it replies.
    pub(crate) reply: &'static str,
    /// The errors of its own, as `CODE when`.
    pub(crate) errors: &'static [&'static str],
    /// A call, and what it answers.
    pub(crate) example: (&'static str, &'static str),
    /// What runs it.
    pub(crate) run: fn(&Ctx<'_>, &mut Args<'_>) -> Answer,
}

/// Where the keys of a command are: from the first argument on.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    /// The last one, counted from the first; -1: the last argument.
    pub(crate) last: i32,
    /// What happens to them.
    pub(crate) access: Access,
    /// How many arguments a key and what belongs to it take.
    pub(crate) step: i32,
    /// Options that may follow the keys: the server then asks the command itself.
    pub(crate) before: &'static [&'static str],
}

/// What a command does to its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads them.
    Read,
    /// Writes them whole, whatever they held.
    Overwrite,
    /// Changes what they hold.
    Update,
    /// Removes them.
    Remove,
}

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key.
    Key,
    /// Text or bytes.
    String,
    /// An integer.
    Integer,
    /// Seconds or milliseconds since 1970.
    UnixTime,
    /// A pattern of names.
    Pattern,
    /// A word that stands for itself.
    Token,
    /// One of its parts.
    OneOf,
    /// All of its parts.
    Block,
}

/// An argument, or several that belong together.
#[derive(Clone, Copy)]
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// The word before it, or the word that it is.
    pub(crate) token: Option<&'static str>,
    /// It may be left out.
    pub(crate) is_optional: bool,
    /// It may come several times.
    pub(crate) is_multiple: bool,
    /// It may come several times, each time after its word.
    pub(crate) repeats_token: bool,
    /// What it consists of.
    pub(crate) parts: &'static [Argument],
}

impl Argument {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Argument {
            name,
            kind,
            token: None,
            is_optional: false,
            is_multiple: false,
            repeats_token: false,
            parts: &[],
        }
    }

    /// A word that stands for itself.
    pub(crate) const fn word(token: &'static str) -> Self {
        let mut argument = Argument::new(token, Kind::Token);
        argument.token = Some(token);
        argument
    }

    /// One of `parts`.
    pub(crate) const fn one_of(name: &'static str, parts: &'static [Argument]) -> Self {
        let mut argument = Argument::new(name, Kind::OneOf);
        argument.parts = parts;
        argument
    }

    /// All of `parts`, in order.
    pub(crate) const fn block(name: &'static str, parts: &'static [Argument]) -> Self {
        let mut argument = Argument::new(name, Kind::Block);
        argument.parts = parts;
        argument
    }

    pub(crate) const fn after(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    pub(crate) const fn multiple(mut self) -> Self {
        self.is_multiple = true;
        self
    }

    pub(crate) const fn repeated(mut self) -> Self {
        self.is_multiple = true;
        self.repeats_token = self.token.is_some();
        self
    }
}

impl Command {
    /// How many words its name has: two of a command that is one of a family, as `DOC.FUNCTION LOAD`.
    pub(crate) fn words(&self) -> usize {
        1 + usize::from(self.family().is_some())
    }

    /// The first word of a name of two.
    pub(crate) fn family(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(family, _)| family)
    }

    /// The last word of its name.
    pub(crate) fn own_name(&self) -> &'static str {
        self.name.split_once(' ').map_or(self.name, |(_, own)| own)
    }

    /// Whether it may change documents.
    pub(crate) fn writes(&self) -> bool {
        self.flags.starts_with("write")
    }

    /// What its user has to be allowed besides the command itself, as the reference tells it.
    pub(crate) fn permission(&self) -> Option<String> {
        if let Some(right) = self.right {
            return Some(format!(
                "{right} every key of the collection: a key pattern covers its prefix"
            ));
        }
        let keys = self.keys?;
        let right = match keys.access {
            Access::Read => Right::Read,
            Access::Update => Right::Both,
            Access::Overwrite | Access::Remove => Right::Write,
        };
        Some(format!("{right} {}", if keys.last == 0 { "the key" } else { "each key" }))
    }

    /// The command as one types it.
    pub(crate) fn syntax(&self) -> String {
        let mut line = self.name.to_owned();
        for argument in self.arguments {
            line.push(' ');
            write_argument(argument, &mut line);
        }
        line
    }
}

/// What is longer stands once; that it may come again is shown by dots alone.
const REPEATED_MAX: usize = 24;

fn write_argument(argument: &Argument, line: &mut String) {
    if argument.is_optional {
        line.push('[');
    }
    if let Some(token) = argument.token.filter(|_| argument.kind != Kind::Token) {
        let _ = write!(line, "{token} ");
    }
    let mut once = String::new();
    write_body(argument, &mut once);
    line.push_str(&once);
    if argument.is_multiple {
        let token = argument.token.filter(|_| argument.repeats_token);
        let again = if once.len() > REPEATED_MAX { "" } else { &once };
        let words = [token.unwrap_or_default(), again, "..."];
        let words = words.into_iter().filter(|word| !word.is_empty());
        let _ = write!(line, " [{}]", words.collect::<Vec<_>>().join(" "));
    }
    if argument.is_optional {
        line.push(']');
    }
}

fn write_body(argument: &Argument, line: &mut String) {
    match argument.kind {
        Kind::Token => line.push_str(argument.token.unwrap_or(argument.name)),
        Kind::OneOf | Kind::Block => {
            let between = if argument.kind == Kind::OneOf { "|" } else { " " };
            let bare = argument.is_optional && !argument.is_multiple && argument.token.is_none();
            let grouped = argument.kind == Kind::OneOf && !bare;
            if grouped {
                line.push('<');
            }
            for (at, part) in argument.parts.iter().enumerate() {
                if at > 0 {
                    line.push_str(between);
                }
                write_argument(part, line);
            }
            if grouped {
                line.push('>');
            }
        }
        _ => line.push_str(argument.name),
    }
}
