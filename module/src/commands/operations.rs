//! The operations of an update, read from arguments.

use folio_engine::doc::parse_value;
use folio_engine::update::{self, Json, Op};
use folio_engine::value::{Kind, Raw};
use folio_engine::{Code, Error, Limits, Result};

use super::Args;
use super::args::{shown, syntax};
use super::write::{AskedTtl, Ttl};

/// Operations of one command.
const OPERATIONS_MAX: usize = 1_000;

const VALUE: &str = "a path and a value";
const NUMBER: &str = "a path and a number";

/// The words of operations, how many arguments each takes at least, and which.
const VERBS: [(&str, usize, &str); 23] = [
    ("SET", 2, VALUE),
    ("UNSET", 1, "a path"),
    ("INCR", 2, NUMBER),
    ("MUL", 2, NUMBER),
    ("MIN", 2, VALUE),
    ("MAX", 2, VALUE),
    ("PUSH", 2, VALUE),
    ("POP", 1, "a path and perhaps an index"),
    ("ADD", 2, VALUE),
    ("PULL", 2, VALUE),
    ("RENAME", 2, "two paths"),
    ("TOGGLE", 1, "a path"),
    ("NOW", 1, "a path and perhaps a duration such as '30s' or '-1d'"),
    ("TTL", 2, "a path, and seconds or NONE"),
    ("PTTL", 2, "a path, and milliseconds or NONE"),
    ("MERGE", 1, "a JSON object (RFC 7396)"),
    ("PATCH", 1, "a JSON array of changes (RFC 6902)"),
    ("CALL", 2, "a function and a JSON array of arguments"),
    ("EX", 1, "seconds"),
    ("PX", 1, "milliseconds"),
    ("EXAT", 1, "seconds since 1970"),
    ("PXAT", 1, "milliseconds since 1970"),
    ("PERSIST", 0, "nothing"),
];

/// The words of operations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(name, ..)| *name)
}

/// Operations as they were read, in order.
#[derive(Default, Debug)]
pub(super) struct Operations {
    /// Those on the text.
    pub(super) ops: Vec<Op>,
    /// What becomes of the TTL, if one says so, and its number.
    ttl: Option<(NewTtl, usize)>,
}

/// What an operation makes of the TTL.
#[derive(Clone, Copy, Debug)]
enum NewTtl {
    None,
    Asked(AskedTtl),
}

impl NewTtl {
    fn name(self) -> &'static str {
        match self {
            NewTtl::None => "PERSIST",
            NewTtl::Asked(asked) => asked.name,
        }
    }
}

impl Operations {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ops.len() + usize::from(self.ttl.is_some())
    }

    /// The number, from 1, of the operation on the text at place `at`: one on the TTL may stand before it.
    pub(super) fn number_of(&self, at: usize) -> usize {
        let is_behind = self.ttl.is_some_and(|(_, number)| number <= at + 1);
        at + 1 + usize::from(is_behind)
    }

    /// What becomes of the TTL.
    pub(super) fn ttl(&self, now_ms: i64) -> Result<Ttl> {
        match self.ttl {
            None => Ok(Ttl::Keep),
            Some((NewTtl::None, _)) => Ok(Ttl::Drop),
            Some((NewTtl::Asked(asked), number)) => {
                asked.at(now_ms).map_err(|error| update::numbered(number, error))
            }
        }
    }

    /// Error: there are none, or too many.
    pub(super) fn expect_some(&self) -> Result<()> {
        match self.count() {
            0 => {
                let known = names().collect::<Vec<_>>().join(" ");
                Err(syntax(format!("an operation is missing: {known}")))
            }
            1..=OPERATIONS_MAX => Ok(()),
            count => {
                Err(syntax(format!("{count} operations exceed the limit of {OPERATIONS_MAX}")))
            }
        }
    }

    /// Reads the operation that comes next; false where none does.
    pub(super) fn read(&mut self, args: &mut Args<'_>, limits: &Limits) -> Result<bool> {
        let word = args.peek().unwrap_or_default();
        let is_it = |(name, ..): &&(&str, usize, &str)| word.eq_ignore_ascii_case(name.as_bytes());
        let Some((name, least, takes)) = VERBS.iter().find(is_it) else { return Ok(false) };
        args.bytes(name)?;
        let number = self.count() + 1;
        let takes = || syntax(format!("{name} takes {takes}"));
        let read = if args.rest().len() < *least {
            Err(takes())
        } else if let Some(ttl) = read_ttl(name, args).transpose() {
            ttl.and_then(|ttl| self.set_ttl(ttl, number))
        } else {
            read_op(name, args, limits, takes).map(|op| self.ops.push(op))
        };
        read.map(|()| true).map_err(|error| update::numbered(number, error))
    }

    fn set_ttl(&mut self, ttl: NewTtl, number: usize) -> Result<()> {
        let name = ttl.name();
        match self.ttl.replace((ttl, number)) {
            None => Ok(()),
            Some((other, _)) if other.name() == name => {
                Err(syntax(format!("{name} is given twice")))
            }
            Some((other, _)) => {
                Err(syntax(format!("{} and {name} exclude each other", other.name())))
            }
        }
    }
}

/// What follows an operation on the TTL; none if `name` is another.
fn read_ttl(name: &'static str, args: &mut Args<'_>) -> Result<Option<NewTtl>> {
    Ok(Some(match name {
        "PERSIST" => NewTtl::None,
        "EX" | "PX" | "EXAT" | "PXAT" => {
            NewTtl::Asked(AskedTtl { name, number: args.integer(name)? })
        }
        _ => return Ok(None),
    }))
}

/// What follows an operation on the text.
fn read_op(
    name: &str,
    args: &mut Args<'_>,
    limits: &Limits,
    takes: impl Fn() -> Error,
) -> Result<Op> {
    if let "MERGE" | "PATCH" = name {
        let value = value(args, limits)?;
        return Ok(if name == "MERGE" { Op::Merge(value) } else { Op::Patch(value) });
    }
    if name == "CALL" {
        return read_call(args, limits, takes);
    }
    let path = args.path(limits)?;
    Ok(match name {
        "SET" => Op::Set(path, value(args, limits)?),
        "UNSET" => Op::Unset(path),
        "INCR" => Op::Incr(path, number(args, limits, takes)?),
        "MUL" => Op::Mul(path, number(args, limits, takes)?),
        "MIN" => Op::Min(path, value(args, limits)?),
        "MAX" => Op::Max(path, value(args, limits)?),
        "PUSH" => Op::Push(path, value(args, limits)?),
        "POP" => Op::Pop(path, read_index(args, takes)?),
        "ADD" => Op::Add(path, value(args, limits)?),
        "PULL" => Op::Pull(path, value(args, limits)?),
        "RENAME" => Op::Rename(path, args.path(limits)?),
        "TOGGLE" => Op::Toggle(path),
        "TTL" => Op::Ttl(path, read_path_ttl(args, 1_000, takes)?),
        "PTTL" => Op::Ttl(path, read_path_ttl(args, 1, takes)?),
        _ => Op::Now(path, read_duration(args, takes)?),
    })
}

/// A function, and its arguments as an array.
fn read_call(args: &mut Args<'_>, limits: &Limits, takes: impl Fn() -> Error) -> Result<Op> {
    let function = args.text("function")?;
    let word = args.peek().unwrap_or_default();
    let arguments = value(args, limits)?;
    if Raw::new(&arguments).kind() != Kind::Array {
        return Err(syntax(format!("{}, found {}", takes().message, shown(word))));
    }
    Ok(Op::Call(function.into(), arguments))
}

fn value(args: &mut Args<'_>, limits: &Limits) -> Result<Json> {
    parse_value(args.bytes("value")?, limits)
}

/// A number, or a string that is one.
fn number(args: &mut Args<'_>, limits: &Limits, takes: impl Fn() -> Error) -> Result<Json> {
    let word = args.peek().unwrap_or_default();
    value(args, limits).map_err(|error| match error.code {
        Code::Json => syntax(format!("{}, found {}", takes().message, shown(word))),
        _ => error,
    })
}

/// Whether a word is meant as a number, or as a duration in numbers with units: no operation begins so.
fn is_numeric(word: &[u8]) -> bool {
    matches!(word, [b'0'..=b'9' | b'-' | b'+' | b'.', ..])
}

/// An index, if one comes next.
fn read_index(args: &mut Args<'_>, takes: impl Fn() -> Error) -> Result<Option<i64>> {
    let word = args.peek().unwrap_or_default();
    if !is_numeric(word) {
        return Ok(None);
    }
    let refuse = |_| syntax(format!("{}, found {}", takes().message, shown(word)));
    args.integer("index").map(Some).map_err(refuse)
}

/// A TTL in milliseconds, of which a number counts so many; none for NONE.
fn read_path_ttl(
    args: &mut Args<'_>,
    unit_ms: i64,
    takes: impl Fn() -> Error,
) -> Result<Option<i64>> {
    if args.keyword(&["NONE"]).is_some() {
        return Ok(None);
    }
    let word = args.bytes("TTL")?;
    let number = str::from_utf8(word).ok().and_then(|text| text.parse::<i64>().ok());
    let refuse = || syntax(format!("{}, found {}", takes().message, shown(word)));
    let after_ms = number.filter(|number| *number > 0).ok_or_else(refuse)?.checked_mul(unit_ms);
    after_ms.map(Some).ok_or_else(refuse)
}

/// A duration, if one comes next, in nanoseconds; else 0.
fn read_duration(args: &mut Args<'_>, takes: impl Fn() -> Error) -> Result<i128> {
    let word = args.peek().unwrap_or_default();
    let duration = str::from_utf8(word).ok().and_then(update::duration_ns);
    match duration {
        Some(nanos) => args.bytes("duration").map(|_| nanos),
        None if is_numeric(word) => {
            Err(syntax(format!("{}, found {}", takes().message, shown(word))))
        }
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&[u8]]) -> Result<Operations> {
        let (mut args, mut operations) = (Args::new(words), Operations::default());
        while operations.read(&mut args, &Limits::default())? {}
        args.end()?;
        Ok(operations)
    }

    fn error(words: &[&[u8]]) -> String {
        read(words).expect_err("an error").to_string()
    }

    #[test]
    fn errors_say_which_operation_takes_what() {
        assert_eq!(error(&[b"set", b"a"]), "ERR operation 1: SET takes a path and a value");
        let second: [&[u8]; 5] = [b"UNSET", b"a", b"MUL", b"b", b"x"];
        let takes = "ERR operation 2: MUL takes a path and a number";
        assert_eq!(error(&second[..4]), takes);
        assert_eq!(error(&second), format!("{takes}, found 'x'"));
        assert_eq!(error(&[b"RENAME", b"a"]), "ERR operation 1: RENAME takes two paths");
        for (name, least, takes) in VERBS.iter().filter(|(_, least, _)| *least > 0) {
            let words = vec![name.as_bytes(); *least];
            assert_eq!(error(&words), format!("ERR operation 1: {name} takes {takes}"));
        }
        let json = "JSON operation 1: expected a value, found 'x' at byte 0";
        assert_eq!(error(&[b"SET", b"a", b"x"]), json);
        assert_eq!(error(&[b"EX", b"x"]), "ERR operation 1: EX 'x' is not an integer");
    }

    #[test]
    fn an_index_and_a_duration_may_follow() {
        let index = |words: &[&[u8]]| match read(words).map(|it| it.ops[0].clone()) {
            Ok(Op::Pop(_, index)) => index,
            other => panic!("{other:?}"),
        };
        assert_eq!(index(&[b"POP", b"a"]), None);
        assert_eq!(index(&[b"POP", b"a", b"-2", b"POP", b"b"]), Some(-2));
        assert_eq!(index(&[b"POP", b"a", b"UNSET", b"b"]), None);
        let takes = "ERR operation 1: POP takes a path and perhaps an index, found";
        for word in ["1.5", "99999999999999999999", "-", "1s"] {
            assert_eq!(error(&[b"POP", b"a", word.as_bytes()]), format!("{takes} '{word}'"));
        }
        let after = |words: &[&[u8]]| match read(words).map(|it| it.ops[0].clone()) {
            Ok(Op::Now(_, nanos)) => nanos,
            other => panic!("{other:?}"),
        };
        assert_eq!(after(&[b"NOW", b"a"]), 0);
        assert_eq!(after(&[b"NOW", b"a", b"30s", b"UNSET", b"b"]), 30_000_000_000);
        assert_eq!(after(&[b"NOW", b"a", b"-1d", b"POP", b"b"]), -86_400_000_000_000);
        assert_eq!(after(&[b"NOW", b"a", b"1d 0.5ms"]), 86_400_000_500_000);
        assert_eq!(after(&[b"NOW", b"a", b"PT90M", b"PUSH", b"b", b"1"]), 5_400_000_000_000);
        assert_eq!(after(&[b"NOW", b"a", b"POP", b"b"]), 0);
        let takes = "ERR operation 1: NOW takes a path and perhaps a duration such as '30s' or '-1d', found";
        for word in ["30", "30x", "-", "1d 3", ".s"] {
            assert_eq!(error(&[b"NOW", b"a", word.as_bytes()]), format!("{takes} '{word}'"));
        }
    }

    #[test]
    fn a_path_has_a_ttl_of_a_whole_number_or_none() {
        let ttl = |words: &[&[u8]]| match read(words).map(|it| it.ops[0].clone()) {
            Ok(Op::Ttl(_, after_ms)) => after_ms,
            other => panic!("{other:?}"),
        };
        assert_eq!(ttl(&[b"TTL", b"a.b", b"900", b"UNSET", b"c"]), Some(900_000));
        assert_eq!(ttl(&[b"pttl", b"a", b"15"]), Some(15));
        assert_eq!(ttl(&[b"TTL", b"a", b"none"]), None);
        let takes = "ERR operation 1: TTL takes a path, and seconds or NONE";
        assert_eq!(error(&[b"TTL", b"a"]), takes);
        for word in ["0", "-1", "1.5", "x", "9223372036854775807", "900s"] {
            let found = error(&[b"TTL", b"a", word.as_bytes()]);
            assert_eq!(found, format!("{takes}, found '{word}'"));
        }
    }

    #[test]
    fn one_operation_sets_the_ttl() {
        let ttl = |words: &[&[u8]]| read(words).unwrap().ttl(1_000);
        assert_eq!(ttl(&[b"UNSET", b"a"]), Ok(Ttl::Keep));
        assert_eq!(ttl(&[b"persist"]), Ok(Ttl::Drop));
        assert_eq!(ttl(&[b"UNSET", b"a", b"ex", b"2"]), Ok(Ttl::At(3_000)));
        let no_time = ttl(&[b"UNSET", b"a", b"PX", b"0"]).unwrap_err().to_string();
        assert_eq!(no_time, "ERR operation 2: PX 0 is no time to expire at");
        let both = "ERR operation 2: EX and PERSIST exclude each other";
        assert_eq!(error(&[&b"EX"[..], b"1", b"PERSIST"]), both);
        assert_eq!(error(&[&b"EX"[..], b"1", b"EX", b"2"]), "ERR operation 2: EX is given twice");
    }

    #[test]
    fn operations_have_a_limit() {
        let many = |count: usize| {
            let words = [&b"TOGGLE"[..], b"a"].repeat(count);
            read(&words).unwrap().expect_some()
        };
        assert_eq!(many(OPERATIONS_MAX), Ok(()));
        let error = many(OPERATIONS_MAX + 1).unwrap_err().to_string();
        assert_eq!(error, "ERR 1001 operations exceed the limit of 1000");
    }
}
