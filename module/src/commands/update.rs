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

/// An operation as it was read.
struct Operation {
    name: &'static str,
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
        while let Some(name) = args.repeatable_option(&NAMES)? {
            match name {
                "RETURN" if request.reply == Return::Version => {
                    request.reply = read_return(args)?;
                }
                "IFVERSION" if request.if_version.is_none() => {
                    request.if_version = Some(args.unsigned("IFVERSION")?);
                }
                "RETURN" | "IFVERSION" => {
                    return Err(syntax(format!("option '{name}' is given twice")));
                }
                _ => request.operations.push(read_operation(name, args, limits)?),
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
        None => Err(syntax(format!("RETURN takes NEW or OLD, not {}", shown(word)))),
    }
}

fn read_operation(name: &'static str, args: &mut Args<'_>, limits: &Limits) -> Result<Operation> {
    let path = args.path(limits)?;
    let value = match name {
        "UNSET" => Box::default(),
        _ => parse_value(args.bytes(if name == "SET" { "json" } else { "number" })?, limits)?,
    };
    Ok(Operation { name, path, value })
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
    for Operation { name, path, value } in operations {
        ops.push(match *name {
            "SET" => Op::Set { path, value: Raw::new(value) },
            "UNSET" => Op::Unset { path },
            _ => Op::Incr { path, by: Raw::new(value), as_decimal: is_decimal(old, path)? },
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
        (Return::New, Written::Changed(document)) => ctx.reply_bytes(document.text()),
        (Return::New | Return::Old, _) => ctx.reply_bytes(old.text()),
    }
    Ok(())
}
