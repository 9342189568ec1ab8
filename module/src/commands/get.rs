//! Reading documents by their keys: `DOC.GET`, `DOC.MGET`, `DOC.META`.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::ops::Deref;

use folio_engine::doc::timed::each_timed;
use folio_engine::doc::{Document, print};
use folio_engine::jsonpath::{Evaluation, JsonPath};
use folio_engine::path::Path;
use folio_engine::{Error, Limits, Result};

use super::args::syntax;
use super::{Answer, Args, Refusal};
use crate::ffi::{Access, Ctx, Key, Loan, Value};
use crate::{clock, config, state};

/// A part of a document that is asked for.
enum Part<'a> {
    Path(Path),
    /// With its text, by which the answer calls it.
    JsonPath(&'a str, JsonPath),
}

impl<'a> Part<'a> {
    /// The next argument.
    fn read(args: &mut Args<'a>, limits: &Limits) -> Result<Self> {
        if !args.peek().is_some_and(JsonPath::is_meant) {
            return args.path(limits).map(Part::Path);
        }
        let text = args.path_text()?;
        Ok(Part::JsonPath(text, JsonPath::parse(text, limits)?))
    }

    fn name(&self) -> String {
        match self {
            Part::Path(path) => path.to_string(),
            Part::JsonPath(text, _) => (*text).to_owned(),
        }
    }

    /// Appends it as JSON; false, and nothing appended, where a path leads to nothing.
    fn print(
        &self,
        document: &Document,
        evaluation: &mut Evaluation,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        match self {
            Part::Path(path) => Ok(print::one(document.view(), path, out)),
            Part::JsonPath(_, path) => {
                path.print(document.view().root(), evaluation, out).map(|()| true)
            }
        }
    }
}

/// A document as it is answered: whole, one part of it, or an object of several.
fn answer<'d>(
    document: &'d Document,
    parts: &[Part<'_>],
    evaluation: &mut Evaluation,
) -> Result<Option<Cow<'d, [u8]>>> {
    let mut text = Vec::new();
    let is_there = match parts {
        [] => return Ok(Some(document.text().into())),
        [part] => part.print(document, evaluation, &mut text)?,
        _ => {
            let members = parts.iter().map(|part| (part.name(), part));
            print::object(members, &mut text, |part, out| part.print(document, evaluation, out))?;
            true
        }
    };
    Ok(is_there.then_some(text.into()))
}

/// The word that asks for documents marked as deleted too.
pub(super) const WITH_DELETED: &str = "WITHDELETED";

/// A document as a reader sees it: as it stands, or what is left of it where parts have lapsed.
enum Seen<'k> {
    Whole(Loan<'k>),
    Left(Document),
}

impl Deref for Seen<'_> {
    type Target = Document;

    fn deref(&self) -> &Document {
        match self {
            Seen::Whole(loan) => loan,
            Seen::Left(document) => document,
        }
    }
}

/// What stands under a key to a reader that may ask for deleted documents.
fn seen<'k>(
    key: &'k Key<'_>,
    with_deleted: bool,
    now_ms: &LazyCell<i64>,
) -> Result<Option<Seen<'k>>, Refusal> {
    match key.value() {
        Value::Document(document) if document.is_deleted() && !with_deleted => Ok(None),
        // Most have no such parts, and need no look at the clock.
        Value::Document(document) if document.timed().is_empty() => Ok(Some(Seen::Whole(document))),
        Value::Document(document) => {
            let left = document.without_due_paths(**now_ms);
            Ok(Some(left.map_or(Seen::Whole(document), Seen::Left)))
        }
        Value::Empty => Ok(None),
        Value::Other => Err(Refusal::WrongType),
    }
}

fn reply(ctx: &Ctx<'_>, text: Option<Cow<'_, [u8]>>) {
    match text {
        Some(text) => ctx.reply_bytes(&text),
        None => ctx.reply_null(),
    }
}

/// The document of one key.
pub(super) fn get(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let limits = config::limits();
    let (mut parts, mut with_deleted) = (Vec::new(), false);
    while args.peek().is_some() {
        // A path may have that name, but not the last one.
        with_deleted = args.rest().len() == 1 && args.keyword(&[WITH_DELETED]).is_some();
        if !with_deleted {
            parts.push(Part::read(args, &limits)?);
        }
    }
    let key = ctx.open(ctx.argument(1), Access::Read);
    match seen(&key, with_deleted, &LazyCell::new(clock::now_ms))? {
        None => ctx.reply_null(),
        Some(document) => reply(ctx, answer(&document, &parts, &mut Evaluation::new(&limits))?),
    }
    Ok(())
}

/// The documents of several keys. Another type under any of them refuses the whole: an answer is whole.
pub(super) fn mget(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let count = keys_before(&MGET_OPTIONS, args.rest());
    if count == 0 {
        return Err(no_key(args).into());
    }
    for _ in 0..count {
        args.bytes("key")?;
    }
    let limits = config::limits();
    let (mut parts, mut with_deleted) = (Vec::new(), false);
    while let Some(name) = args.option(&MGET_OPTIONS)? {
        match name {
            "PATHS" => parts = args.some("PATHS", |args| Part::read(args, &limits))?,
            _ => with_deleted = true,
        }
    }
    let keys: Vec<Key<'_>> =
        (1..=count).map(|index| ctx.open(ctx.argument(index), Access::Read)).collect();
    let now_ms: LazyCell<i64> = LazyCell::new(clock::now_ms);
    let documents = keys.iter().map(|key| seen(key, with_deleted, &now_ms));
    let documents: Vec<Option<Seen<'_>>> = documents.collect::<Result<_, _>>()?;
    // An answer can still be refused, so all are made before the first is sent.
    let mut evaluation = Evaluation::new(&limits);
    let answers = documents.iter().map(|document| match document {
        Some(document) => answer(document, &parts, &mut evaluation),
        None => Ok(None),
    });
    let answers: Vec<_> = answers.collect::<Result<_>>()?;
    ctx.reply_array(count);
    for text in answers {
        reply(ctx, text);
    }
    Ok(())
}

/// The options of DOC.MGET, which are no keys of documents: keys end at the first.
pub(super) const MGET_OPTIONS: [&str; 2] = ["PATHS", WITH_DELETED];

/// The error that options stand where a key has to.
pub(super) fn no_key(args: &Args<'_>) -> Error {
    let option = String::from_utf8_lossy(args.peek().unwrap_or_default()).to_uppercase();
    syntax(format!("wrong number of arguments: a key is missing before {option}"))
}

/// How many of `words` are keys: those before the first of some options.
pub(super) fn keys_before(options: &[&str], words: &[&[u8]]) -> usize {
    let is_option =
        |word: &&[u8]| options.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
    words.iter().position(is_option).unwrap_or(words.len())
}

/// What is known of a document besides its text.
pub(super) fn meta(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let with_deleted = args.option(&[WITH_DELETED])?.is_some();
    args.end()?;
    let key = ctx.open(ctx.argument(1), Access::Peek);
    let Some(document) = seen(&key, with_deleted, &LazyCell::new(clock::now_ms))? else {
        ctx.reply_null();
        return Ok(());
    };
    let collection =
        state::with(|state| state.store.home_of(&document).map(|home| home.name().to_owned()))?;
    ctx.reply_map(8 + usize::from(with_deleted));
    ctx.reply_bytes(b"collection");
    match collection {
        Some(name) => ctx.reply_bytes(name.as_bytes()),
        None => ctx.reply_null(),
    }
    ctx.reply_bytes(b"version");
    ctx.reply_count(document.version());
    ctx.reply_bytes(b"seq");
    ctx.reply_count(document.seq());
    ctx.reply_bytes(b"created");
    ctx.reply_integer(document.created_ms());
    ctx.reply_bytes(b"updated");
    ctx.reply_integer(document.updated_ms());
    ctx.reply_bytes(b"expires");
    match key.expires_ms() {
        Some(at) => ctx.reply_integer(at),
        None => ctx.reply_null(),
    }
    let timed: Vec<(i64, &str)> = each_timed(document.timed()).collect();
    ctx.reply_bytes(b"path_expires");
    ctx.reply_map(timed.len());
    for (at_ms, path) in timed {
        ctx.reply_bytes(path.as_bytes());
        ctx.reply_integer(at_ms);
    }
    if with_deleted {
        ctx.reply_bytes(b"deleted");
        match document.deleted_ms() {
            Some(at) => ctx.reply_integer(at),
            None => ctx.reply_null(),
        }
    }
    ctx.reply_bytes(b"bytes");
    ctx.reply_count(document.bytes() as u64);
    Ok(())
}
