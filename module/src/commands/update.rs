//! `DOC.UPDATE`: operations in order on one document, all or none.

use folio_engine::doc::edit::{self, Op};
use folio_engine::doc::{Document, parse::parse_value};
use folio_engine::path::Path;
use folio_engine::schema::Scalar;
use folio_engine::schema::definition::Typing;
use folio_engine::value::Raw;
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::write::{Purpose, Target, Ttl, Written};
use super::{Answer, Args};
use crate::ffi::Ctx;
use crate::{config, datatype, info, state};

/// Operations of one command.
const OPERATIONS_MAX: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Set,
    Unset,
    Incr,
}

/// An operation as it was read.
struct Operation {
    verb: Verb,
    path: Path,
    /// What is set or added, as minified JSON.
    value: Box<[u8]>,
}

/// Which document is the reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    Version,
    New,
    Old,
}

struct Request {
    if_version: Option<u64>,
    operations: Vec<Operation>,
    reply: Return,
}

impl Request {
    fn read(args: &mut Args<'_>, limits: &Limits) -> Result<Self> {
        const NAMES: [&str; 5] = ["SET", "UNSET", "INCR", "RETURN", "IFVERSION"];
        let mut request =
            Request { if_version: None, operations: Vec::new(), reply: Return::Version };
        while let Some(word) = args.peek() {
            let Some(name) = args.keyword(&NAMES) else {
                let word = shown(word);
                return Err(syntax(format!("unknown operation {word}: SET, UNSET or INCR")));
            };
            match name {
                "SET" => request.operations.push(read_operation(Verb::Set, args, limits)?),
                "UNSET" => request.operations.push(read_operation(Verb::Unset, args, limits)?),
                "INCR" => request.operations.push(read_operation(Verb::Incr, args, limits)?),
                "RETURN" if request.reply == Return::Version => {
                    request.reply = read_return(args)?;
                }
                "IFVERSION" if request.if_version.is_none() => {
                    request.if_version = Some(args.unsigned("IFVERSION")?);
                }
                _ => return Err(syntax(format!("option '{name}' is given twice"))),
            }
        }
        match request.operations.len() {
            0 => Err(syntax("an operation is missing: SET, UNSET or INCR")),
            1..=OPERATIONS_MAX => Ok(request),
            count => {
                Err(syntax(format!("{count} operations exceed the limit of {OPERATIONS_MAX}")))
            }
        }
    }
}

fn read_return(args: &mut Args<'_>) -> Result<Return> {
    let word = args.peek().unwrap_or_default();
    match args.keyword(&["NEW", "OLD"]) {
        Some("NEW") => Ok(Return::New),
        Some(_) => Ok(Return::Old),
        None if word.is_empty() => Err(syntax("RETURN takes NEW or OLD")),
        None => Err(syntax(format!("RETURN takes NEW or OLD, not {}", shown(word)))),
    }
}

fn read_operation(verb: Verb, args: &mut Args<'_>, limits: &Limits) -> Result<Operation> {
    let (words, takes) = match verb {
        Verb::Set => (2, "SET takes a path and a value"),
        Verb::Unset => (1, "UNSET takes a path"),
        Verb::Incr => (2, "INCR takes a path and a number"),
    };
    if args.rest().len() < words {
        return Err(syntax(takes));
    }
    let path = args.path(limits)?;
    let value = match verb {
        Verb::Unset => Box::default(),
        Verb::Set | Verb::Incr => parse_value(args.bytes("value")?, limits)?,
    };
    Ok(Operation { verb, path, value })
}

/// Whether the document's collection declares `path` as decimal.
fn is_decimal(document: &Document, path: &Path) -> Result<bool> {
    state::with(|state| {
        state
            .store
            .home_of(document)
            .is_some_and(|home| home.definition().typing(path) == Typing::Scalar(Scalar::Decimal))
    })
}

/// The text that the operations make of `old`.
fn edited(old: &Document, operations: &[Operation], limits: &Limits) -> Result<Vec<u8>> {
    let mut ops = Vec::with_capacity(operations.len());
    for Operation { verb, path, value } in operations {
        ops.push(match verb {
            Verb::Set => Op::Set { path, value: Raw::new(value) },
            Verb::Unset => Op::Unset { path },
            Verb::Incr => {
                Op::Incr { path, by: Raw::new(value), as_decimal: is_decimal(old, path)? }
            }
        });
    }
    edit::apply(old.view(), &ops, limits)
}

/// Changes one document.
pub(super) fn update(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let limits = config::limits();
    let request = Request::read(args, &limits)?;
    let target = Target::open(ctx, 1)?;
    target.expect_version(request.if_version)?;
    let Some(old) = target.old.as_ref() else {
        let what = format!("no document under {}", shown(ctx.argument(1).bytes()));
        return Err(Error::new(Code::NotFound, what).into());
    };
    let refused = |_: &_| info::count_refused_write();
    let text = edited(old, &request.operations, &limits).inspect_err(refused)?;
    let written = datatype::with_parsed(&text, &limits, |parsed| {
        target.write(parsed, Ttl::Keep, Purpose::Update)
    })
    .inspect_err(refused)??;
    match (request.reply, &written) {
        (Return::Version, written) => ctx.reply_count(written.version()),
        (Return::New, Written::Changed(document, _)) => ctx.reply_bytes(document.text()),
        (Return::New | Return::Old, _) => ctx.reply_bytes(old.text()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_an_operation_takes() {
        let error = |words: &[&[u8]]| {
            let request = Request::read(&mut Args::new(words), &Limits::default());
            request.err().expect("no request").to_string()
        };
        let unknown = "ERR unknown operation 'MUL': SET, UNSET or INCR";
        assert_eq!(error(&[b"MUL", b"a", b"2"]), unknown);
        assert_eq!(error(&[b"set", b"a"]), "ERR SET takes a path and a value");
        assert_eq!(error(&[b"INCR", b"a"]), "ERR INCR takes a path and a number");
        assert_eq!(error(&[b"UNSET"]), "ERR UNSET takes a path");
        assert_eq!(error(&[b"UNSET", b"a", b"RETURN"]), "ERR RETURN takes NEW or OLD");
        assert_eq!(
            error(&[b"RETURN", b"NEW", b"RETURN", b"OLD"]),
            "ERR option 'RETURN' is given twice"
        );
    }
}
