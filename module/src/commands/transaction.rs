//! The operations of a transaction, read from JSON or MessagePack.
//!
//! ```text
//!   [{"op":"check","key":"stock:7","if":"qty >= $n","params":{"n":2}},
//!    {"op":"update","key":"stock:7","ops":[["INCR","qty",-2]]},
//!    {"op":"call","key":"stock:7","function":"restock","args":[5]},
//!    {"op":"insert","key":"orders:9","value":{"item":7},"ex":3600}]
//! ```

use std::collections::BTreeMap;

use folio_engine::doc::{json_of_messagepack, parse_value};
use folio_engine::query::nearest;
use folio_engine::update::{Op, numbered};
use folio_engine::value::{Kind, Raw};
use folio_engine::{Error, Limits, Result};

use super::Args;
use super::args::{shown, syntax};
use super::condition::Condition;
use super::operations::Operations;
use super::query::Given;
use super::write::{AskedTtl, Target, Ttl};

/// Operations of one transaction.
const OPERATIONS_MAX: usize = 10_000;

/// How deep a document stands in the operations: in an array, in an object.
const WRAPPED: usize = 2;

const OPS: [&str; 6] = ["set", "insert", "update", "call", "del", "check"];
const CONDITIONS: [&str; 3] = ["ifVersion", "if", "params"];
const TTLS: [&str; 4] = ["ex", "px", "exat", "pxat"];

/// One operation.
pub(super) struct Operation<'t> {
    /// The document's key.
    pub(super) key: String,
    /// What has to hold of what stood there before the transaction.
    condition: Conditions<'t>,
    /// What it does.
    pub(super) action: Action<'t>,
}

#[derive(Default)]
struct Conditions<'t> {
    version: Option<u64>,
    filter: Option<String>,
    params: Vec<(String, &'t [u8])>,
}

/// What an operation does.
pub(super) enum Action<'t> {
    /// Puts a whole document.
    Set {
        /// Its text.
        text: &'t [u8],
        /// What becomes of the TTL.
        ttl: NewTtl,
    },
    /// Puts a whole document where none is.
    Insert {
        /// Its text.
        text: &'t [u8],
        /// What becomes of the TTL.
        ttl: NewTtl,
    },
    /// Changes a document.
    Update {
        /// The operations of DOC.UPDATE.
        operations: Operations,
        /// An absent document begins as an empty one.
        upsert: bool,
    },
    /// Calls a function on a document.
    Call(Op),
    /// Removes a document, if there is one.
    Del,
    /// Does nothing: its conditions have to hold.
    Check {
        /// Whether a document has to stand there, if that is asked.
        exists: Option<bool>,
    },
}

/// The TTL that a whole document comes with.
#[derive(Clone, Copy)]
pub(super) enum NewTtl {
    /// That of the collection, if it has one.
    Own,
    Keep,
    Asked(AskedTtl),
}

impl NewTtl {
    /// What becomes of the TTL of `target`.
    pub(super) fn of(self, target: &Target<'_>) -> Result<Ttl> {
        match self {
            NewTtl::Own => target.own_ttl(),
            NewTtl::Keep => Ok(Ttl::Keep),
            NewTtl::Asked(asked) => asked.at(target.now_ms),
        }
    }
}

impl Operation<'_> {
    /// The conditions, as DOC.UPDATE has them.
    pub(super) fn condition(&self) -> Condition<'_> {
        let Conditions { version, filter, params } = &self.condition;
        let params = params.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Condition::new(*version, filter.as_deref().map(Given::Text), params)
    }
}

/// The minified JSON of the operations, which may come as MessagePack: its first byte tells. Documents stand two levels deep
/// in it, and several have their place. Errors: `JSON`, `TOOBIG`.
pub(super) fn text_of(operations: &[u8], limits: &Limits) -> Result<Box<[u8]>> {
    let limits = &Limits {
        depth_max: limits.depth_max.saturating_add(WRAPPED),
        document_bytes_max: limits.document_bytes_max.max(limits.query_bytes_max),
        ..*limits
    };
    match operations.first() {
        Some(0x90..=0x9F | 0xDC | 0xDD) => {
            parse_value(&json_of_messagepack(operations, limits.depth_max)?, limits)
        }
        _ => parse_value(operations, limits),
    }
}

/// Reads the operations from the text that [`text_of`] gave. An error names the operation by its number, from 1.
pub(super) fn read<'t>(text: &'t [u8], limits: &Limits) -> Result<Vec<Operation<'t>>> {
    let root = Raw::new(text);
    if root.kind() != Kind::Array {
        return Err(syntax("the operations are an array, each an object with op and key"));
    }
    let mut operations = Vec::new();
    for (at, raw) in root.elements().enumerate() {
        if at == OPERATIONS_MAX {
            return Err(syntax(format!("more than {OPERATIONS_MAX} operations, the limit")));
        }
        operations.push(operation(raw, limits).map_err(|error| numbered(at + 1, error))?);
    }
    if operations.is_empty() {
        return Err(syntax("no operation is given"));
    }
    Ok(operations)
}

/// The members of an operation, each of which is to be taken.
struct Members<'t> {
    by_name: BTreeMap<String, Raw<'t>>,
}

impl<'t> Members<'t> {
    fn of(raw: Raw<'t>) -> Result<Self> {
        if raw.kind() != Kind::Object {
            return Err(syntax("an operation is an object with op and key"));
        }
        let name = |name: Raw<'t>| name.string().unwrap_or_default().into_owned();
        let by_name = raw.members().map(|(at, value)| (name(at), value)).collect();
        Ok(Members { by_name })
    }

    fn take(&mut self, name: &str) -> Option<Raw<'t>> {
        self.by_name.remove(name)
    }

    fn string(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name).map(|raw| text(raw, name)).transpose()
    }

    fn required(&mut self, name: &str) -> Result<Raw<'t>> {
        self.take(name).ok_or_else(|| syntax(format!("'{name}' is missing")))
    }

    fn bool(&mut self, name: &str) -> Result<Option<bool>> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        match raw.kind() {
            Kind::Bool => Ok(Some(raw.bytes() == b"true")),
            _ => Err(syntax(format!("'{name}' is true or false, not {}", shown(raw.bytes())))),
        }
    }

    fn integer<N: std::str::FromStr>(&mut self, name: &str) -> Result<Option<N>> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let number = str::from_utf8(raw.bytes()).ok().and_then(|text| text.parse().ok());
        let wrong =
            || syntax(format!("'{name}' {} is not an integer that fits", shown(raw.bytes())));
        number.map(Some).ok_or_else(wrong)
    }

    /// Nothing may be left.
    fn end(self, op: &str, known: &[&'static str]) -> Result<()> {
        let Some(name) = self.by_name.keys().next() else { return Ok(()) };
        let hint = nearest(name, known.iter().copied());
        let hint = hint.map_or_else(String::new, |meant| format!(", did you mean '{meant}'?"));
        Err(syntax(format!("{op} has no '{name}'{hint}")))
    }
}

fn text(raw: Raw<'_>, name: &str) -> Result<String> {
    let wrong = || syntax(format!("'{name}' is a string, not {}", shown(raw.bytes())));
    raw.string().map(std::borrow::Cow::into_owned).ok_or_else(wrong)
}

fn operation<'t>(raw: Raw<'t>, limits: &Limits) -> Result<Operation<'t>> {
    let mut members = Members::of(raw)?;
    let op = text(members.required("op")?, "op")?;
    let Some(op) = OPS.into_iter().find(|known| *known == op) else {
        let hint = nearest(&op, OPS)
            .map_or_else(String::new, |meant| format!(", did you mean '{meant}'?"));
        return Err(syntax(format!("unknown op '{op}'{hint}")));
    };
    let key = text(members.required("key")?, "key")?;
    let condition = Conditions::read(&mut members)?;
    let action = match op {
        "set" | "insert" => {
            let text = members.required("value")?.bytes();
            let ttl = read_ttl(&mut members, op == "set")?;
            if op == "set" { Action::Set { text, ttl } } else { Action::Insert { text, ttl } }
        }
        "update" => Action::Update {
            operations: read_ops(members.required("ops")?, limits)?,
            upsert: members.bool("upsert")?.unwrap_or(false),
        },
        "call" => Action::Call(read_call(&mut members)?),
        "del" => Action::Del,
        _ => Action::Check { exists: members.bool("exists")? },
    };
    let own: &[&str] = match op {
        "set" => &["value", "keepttl"],
        "insert" => &["value"],
        "update" => &["ops", "upsert"],
        "call" => &["function", "args"],
        "del" => &[],
        _ => &["exists"],
    };
    let ttls = if matches!(op, "set" | "insert") { &TTLS[..] } else { &[] };
    members.end(op, &[own, &CONDITIONS, ttls, &["op", "key"]].concat())?;
    Ok(Operation { key, condition, action })
}

impl<'t> Conditions<'t> {
    fn read(members: &mut Members<'t>) -> Result<Self> {
        let version = members.integer("ifVersion")?;
        let filter = members.string("if")?;
        let mut params = Vec::new();
        if let Some(raw) = members.take("params") {
            if raw.kind() != Kind::Object {
                return Err(syntax("'params' is an object of names and values"));
            }
            if filter.is_none() {
                return Err(syntax("'params' without 'if'"));
            }
            for (name, value) in raw.members() {
                params.push((name.string().unwrap_or_default().into_owned(), value.bytes()));
            }
        }
        Ok(Conditions { version, filter, params })
    }
}

fn read_ttl(members: &mut Members<'_>, may_keep: bool) -> Result<NewTtl> {
    let mut ttl = NewTtl::Own;
    if may_keep && members.bool("keepttl")?.unwrap_or(false) {
        ttl = NewTtl::Keep;
    }
    for (member, name) in TTLS.into_iter().zip(["EX", "PX", "EXAT", "PXAT"]) {
        let Some(number) = members.integer(member)? else { continue };
        if !matches!(ttl, NewTtl::Own) {
            return Err(syntax("an operation has one of ex, px, exat, pxat and keepttl"));
        }
        ttl = NewTtl::Asked(AskedTtl { name, number });
    }
    Ok(ttl)
}

/// The function, and its arguments, none where they are left out.
fn read_call(members: &mut Members<'_>) -> Result<Op> {
    let function = text(members.required("function")?, "function")?;
    let args = members.take("args").unwrap_or(Raw::new(b"[]"));
    if args.kind() != Kind::Array {
        return Err(syntax(format!("'args' is an array, not {}", shown(args.bytes()))));
    }
    Ok(Op::Call(function.into(), args.bytes().into()))
}

/// The operations of an update: arrays of what DOC.UPDATE takes as arguments, where a value is the value itself.
fn read_ops(raw: Raw<'_>, limits: &Limits) -> Result<Operations> {
    let shape = || syntax("'ops' is an array of arrays, such as [[\"INCR\",\"age\",1]]");
    if raw.kind() != Kind::Array {
        return Err(shape());
    }
    let mut operations = Operations::default();
    for (at, op) in raw.elements().enumerate() {
        if op.kind() != Kind::Array {
            return Err(numbered(at + 1, shape()));
        }
        let words = words(op);
        let slices: Vec<&[u8]> = words.iter().map(AsRef::as_ref).collect();
        let mut args = Args::new(&slices);
        if !operations.read(&mut args, limits)? {
            let word = slices.first().copied().unwrap_or_default();
            let unknown = syntax(format!("unknown operation {}", shown(word)));
            return Err(numbered(at + 1, unknown));
        }
        args.end().map_err(|error: Error| numbered(at + 1, error))?;
    }
    operations.expect_some()?;
    Ok(operations)
}

/// An operation as arguments. A string is a word where DOC.UPDATE takes one, and a JSON value where it takes that.
fn words(op: Raw<'_>) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for raw in op.elements() {
        let verb = words.first().map(Vec::as_slice).unwrap_or_default();
        let is =
            |names: &[&str]| names.iter().any(|name| verb.eq_ignore_ascii_case(name.as_bytes()));
        let is_value = match words.len() {
            0 => false,
            1 => is(&["MERGE", "PATCH"]),
            _ => !is(&["RENAME", "NOW", "POP", "TTL", "PTTL"]),
        };
        words.push(match raw.string() {
            Some(text) if !is_value => text.into_owned().into_bytes(),
            _ => raw.bytes().to_vec(),
        });
    }
    words
}
