//! `DOC.UPDATE`: operations in order on one document, all or none.

use std::time::Instant;

use folio_engine::collection::Collection;
use folio_engine::doc::{DocRef, Document};
use folio_engine::query::nearest;
use folio_engine::schema::Definition;
use folio_engine::update::{self, Edited, Op, Scope, Spent};
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::condition::Condition;
use super::get::WITH_VERSION;
use super::operations::{self, Operations};
use super::query::in_pieces;
use super::write::{Purpose, Target, Written};
use super::{Answer, Args};
use crate::ffi::Ctx;
use crate::{config, datatype, state};

/// Which document is the reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    Version,
    New,
    Old,
}

struct Request<'a> {
    /// An absent document begins as an empty one.
    upsert: bool,
    condition: Condition<'a>,
    operations: Operations,
    reply: Return,
    with_version: bool,
}

impl<'a> Request<'a> {
    fn read(args: &mut Args<'a>, limits: &Limits) -> Result<Self> {
        const NAMES: [&str; 6] = ["IFVERSION", "IF", "PARAMS", "UPSERT", "RETURN", WITH_VERSION];
        let mut request = Request {
            upsert: false,
            condition: Condition::default(),
            operations: Operations::default(),
            reply: Return::Version,
            with_version: false,
        };
        while let Some(word) = args.peek() {
            if request.operations.read(args, limits)? {
                continue;
            }
            if !NAMES.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())) {
                return Err(request.unknown(word, &NAMES));
            }
            match args.option(&NAMES)? {
                Some("UPSERT") => request.upsert = true,
                Some("RETURN") => request.reply = read_return(args)?,
                Some(WITH_VERSION) => request.with_version = true,
                name => request.condition.read(name.unwrap_or_default(), args)?,
            }
        }
        request.condition.expect_whole()?;
        request.operations.expect_some()?;
        if request.with_version && request.reply == Return::Version {
            return Err(syntax("WITHVERSION without RETURN"));
        }
        Ok(request)
    }

    /// The error that `word` is neither an operation nor an option.
    fn unknown(&self, word: &[u8], options: &[&'static str]) -> Error {
        let known = operations::names().chain(options.iter().copied());
        let meant = nearest(&String::from_utf8_lossy(word), known);
        let hint = match meant {
            Some(meant) => format!(", did you mean {meant}?"),
            None => in_pieces(word).to_owned(),
        };
        let number = self.operations.count() + 1;
        update::numbered(number, syntax(format!("unknown operation {}{hint}", shown(word))))
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

/// What the updates of one command may take together.
pub(super) struct Budget {
    /// The bytes that they go through.
    pub(super) spent: Spent,
    began: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { spent: Spent::default(), began: Instant::now() }
    }
}

/// Asked before a function is called: many calls together are as long as a query. Error: `TIMEOUT`.
pub(super) fn expect_time(began: Instant, limits: &Limits) -> Result<()> {
    let most = limits.query_ms_max;
    if most == 0 || began.elapsed().as_millis() <= most as u128 {
        return Ok(());
    }
    let what = format!("the functions take longer than {most} ms together (folio.query-ms-max)");
    Err(Error::new(Code::Timeout, what))
}

/// What the operations make of what is there.
pub(super) fn edited(
    target: &Target<'_>,
    operations: &Operations,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Edited> {
    edited_from(target, None, operations, limits, budget)
}

/// The same of what operations before have left there, if any have.
pub(super) fn edited_from(
    target: &Target<'_>,
    draft: Option<DocRef<'_>>,
    operations: &Operations,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Edited> {
    made(target, draft, &operations.ops, limits, budget).map_err(|(at, error)| match at {
        Some(at) => update::numbered(operations.number_of(at), error),
        None => error,
    })
}

/// What operations make of a document under the key: of `draft`, which operations before have left there, or of the stored one,
/// which is first brought to the schema version in force. An error comes with the place of its operation, if it is one's.
pub(super) fn made(
    target: &Target<'_>,
    draft: Option<DocRef<'_>>,
    ops: &[Op],
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Edited, (Option<usize>, Error)> {
    let began = budget.began;
    let stored = target.old.as_ref().filter(|_| draft.is_none());
    let doc = draft.or(stored.map(Document::view)).unwrap_or(DocRef::EMPTY);
    let made = state::with(|state| {
        let found = state.store.collection_of(target.db, target.name.bytes());
        let collection = found.map_err(|error| (None, error))?;
        let open = Definition::new("open");
        let definition = collection.map_or(&open, Collection::definition);
        let functions = Some(state.store.functions());
        let pace: &dyn Fn() -> Result<()> = &|| expect_time(began, limits);
        let now_ms = target.now_ms;
        let scope = Scope { definition, now_ms, limits, functions, pace: Some(pace) };
        let way = match (collection, stored) {
            (Some(collection), Some(stored)) => collection.way(stored.schema()),
            _ => Ok(Vec::new()),
        };
        let mut way = way.map_err(|error| (None, error))?;
        if way.is_empty() {
            return update::apply_counted(doc, ops, &scope, &mut budget.spent)
                .map_err(|(at, error)| (Some(at), error));
        }
        let steps = way.len();
        way.extend_from_slice(ops);
        let edited = update::apply_counted(doc, &way, &scope, &mut budget.spent);
        edited.map_err(|(at, error)| match at.checked_sub(steps) {
            Some(at) => (Some(at), error),
            None => (None, on_the_way(definition.migrations.version, error)),
        })
    });
    made.unwrap_or_else(|error| Err((None, error)))
}

/// The error of a migration to a schema version.
fn on_the_way(version: u16, error: Error) -> Error {
    let message = format!("on the way to schema version {version}: {}", error.message).into();
    Error { message, ..error }
}

/// Changes one document.
pub(super) fn update(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let limits = config::limits();
    let request = Request::read(args, &limits)?;
    let target = Target::open(ctx, 1)?;
    if !request.condition.is_met(&target, &limits)? {
        ctx.reply_null();
        return Ok(());
    }
    if target.old.is_none() && !request.upsert {
        let what = format!("no document under {}", shown(ctx.argument(1).bytes()));
        return Err(Error::new(Code::NotFound, what).into());
    }
    let ttl = target.birth_ttl(request.operations.ttl(target.now_ms)?)?;
    let refused = |error: &Error| target.refused(error);
    let edited = edited(&target, &request.operations, &limits, &mut Budget::default())
        .inspect_err(refused)?;
    let written = datatype::with_timed(&edited.text, &edited.timed, &limits, |parsed| {
        target.write(parsed, ttl, Purpose::Update)
    });
    let written = written.inspect_err(refused)??;
    reply(ctx, &request, &written, target.old.as_ref());
    Ok(())
}

fn reply(ctx: &Ctx<'_>, request: &Request<'_>, written: &Written, old: Option<&Document>) {
    let (document, version) = match (request.reply, written) {
        (Return::Version, written) => return ctx.reply_count(written.version()),
        (Return::New, Written::Changed(document, version)) => (document, *version),
        (Return::New | Return::Old, _) => match old {
            Some(old) => (old, old.version()),
            None => return ctx.reply_null(),
        },
    };
    if request.with_version {
        ctx.reply_array(2);
    }
    ctx.reply_bytes(document.text());
    if request.with_version {
        ctx.reply_count(version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(words: &[&[u8]]) -> String {
        let request = Request::read(&mut Args::new(words), &Limits::default());
        request.err().expect("no request").to_string()
    }

    #[test]
    fn an_unknown_word_names_the_nearest() {
        let asked = "ERR operation 1: unknown operation";
        assert_eq!(error(&[b"mull", b"a", b"2"]), format!("{asked} 'mull', did you mean MUL?"));
        assert_eq!(error(&[b"UPSRET"]), format!("{asked} 'UPSRET', did you mean UPSERT?"));
        assert_eq!(error(&[b"FROBNICATE"]), format!("{asked} 'FROBNICATE'"));
        let quote = "the filter is one argument: quote it";
        assert_eq!(error(&[b"IF", b"a", b">", b"1"]), format!("{asked} '>'; {quote}"));
        let second = "ERR operation 2: unknown operation 'STE', did you mean SET?";
        assert_eq!(error(&[b"SET", b"a", b"1", b"STE", b"b"]), second);
    }

    #[test]
    fn options_come_once_and_whole() {
        assert_eq!(error(&[b"UNSET", b"a", b"RETURN"]), "ERR RETURN takes NEW or OLD");
        let twice = "ERR option 'RETURN' is given twice";
        assert_eq!(error(&[b"RETURN", b"NEW", b"RETURN", b"OLD"]), twice);
        assert_eq!(error(&[b"upsert", b"UPSERT"]), "ERR option 'UPSERT' is given twice");
        assert_eq!(error(&[b"UNSET", b"a", b"IF"]), "ERR filter is missing");
        let params: [&[u8]; 6] = [b"UNSET", b"a", b"PARAMS", b"1", b"n", b"1"];
        assert_eq!(error(&params), "ERR PARAMS without IF");
        assert_eq!(error(&[b"UPSERT"]), format!("ERR an operation is missing: {KNOWN}"));
    }

    const KNOWN: &str = "SET UNSET INCR MUL MIN MAX PUSH POP ADD PULL RENAME TOGGLE NOW TTL PTTL MERGE PATCH CALL EX PX EXAT PXAT PERSIST";
}
