//! Reading documents by their keys: `DOC.GET`, `DOC.MGET`, `DOC.META`.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::ops::Deref;

use folio_engine::doc::timed::each_timed;
use folio_engine::doc::{DocRef, Document, print};
use folio_engine::jsonpath::{Evaluation, JsonPath};
use folio_engine::path::Path;
use folio_engine::store::Store;
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
        doc: DocRef<'_>,
        evaluation: &mut Evaluation,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        match self {
            Part::Path(path) => Ok(print::one(doc, path, out)),
            Part::JsonPath(_, path) => path.print(doc.root(), evaluation, out).map(|()| true),
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
    let mut print = |doc: DocRef<'_>| {
        if let [part] = parts {
            return part.print(doc, evaluation, &mut text);
        }
        let members = parts.iter().map(|part| (part.name(), part));
        print::object(members, &mut text, |part, out| part.print(doc, evaluation, out))?;
        Ok(true)
    };
    let is_there = match parts {
        [] => return Ok(Some(document.text().into())),
        _ if parts.iter().all(|part| matches!(part, Part::JsonPath(..))) => print(document.view())?,
        _ => state::with(|state| print_computed(&state.store, document, &mut print))??,
    };
    Ok(is_there.then_some(text.into()))
}

/// Prints a document with what its collection computes of it.
fn print_computed(
    store: &Store,
    document: &Document,
    print: &mut dyn FnMut(DocRef<'_>) -> Result<bool>,
) -> Result<bool> {
    let doc = document.view();
    let Some(home) = store.home_of(document).filter(|home| home.has_computed()) else {
        return print(doc);
    };
    if home.held(document.id()).is_some_and(|held| held.ptr_eq(document)) {
        return print(home.view(document));
    }
    // What is left where parts have lapsed has values of its own.
    print(home.view_with(doc, &home.compute(doc, false)))
}

/// The word that asks for documents marked as deleted too.
pub(super) const WITH_DELETED: &str = "WITHDELETED";

/// The word that asks for each document's version besides.
pub(super) const WITH_VERSION: &str = "WITHVERSION";

const WITH_OPTIONS: [&str; 2] = [WITH_DELETED, WITH_VERSION];

/// What the last words of a command ask for.
#[derive(Clone, Copy, Default)]
struct With {
    deleted: bool,
    version: bool,
}

impl With {
    fn add(&mut self, word: &str) {
        match word {
            WITH_DELETED => self.deleted = true,
            _ => self.version = true,
        }
    }
}

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

/// The text of `document`, with its version if that is asked for.
fn reply(ctx: &Ctx<'_>, document: &Document, text: Option<Cow<'_, [u8]>>, with: With) {
    if with.version {
        ctx.reply_array(2);
    }
    match text {
        Some(text) => ctx.reply_bytes(&text),
        None => ctx.reply_null(),
    }
    if with.version {
        ctx.reply_count(document.version());
    }
}

/// How many of `words` stand before the last ones, which are [`WITH_DELETED`], [`WITH_VERSION`] or both. A path may have such
/// a name, but not where it stands last.
fn paths_before(words: &[&[u8]]) -> usize {
    let place = |word: &[u8]| {
        WITH_OPTIONS.iter().position(|name| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    match words {
        [.., one, other]
            if place(one).is_some() && place(other).is_some() && place(one) != place(other) =>
        {
            words.len() - 2
        }
        [.., last] if place(last).is_some() => words.len() - 1,
        _ => words.len(),
    }
}

/// The document of one key.
pub(super) fn get(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let limits = config::limits();
    let mut with = With::default();
    let count = paths_before(args.rest());
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        parts.push(Part::read(args, &limits)?);
    }
    while let Some(word) = args.option(&WITH_OPTIONS)? {
        with.add(word);
    }
    let key = ctx.open(ctx.argument(1), Access::Read);
    match seen(&key, with.deleted, &LazyCell::new(clock::now_ms))? {
        None => ctx.reply_null(),
        Some(document) => {
            let text = answer(&document, &parts, &mut Evaluation::new(&limits))?;
            reply(ctx, &document, text, with);
        }
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
    let (mut parts, mut with) = (Vec::new(), With::default());
    while let Some(name) = args.option(&MGET_OPTIONS)? {
        match name {
            "PATHS" => parts = args.some("PATHS", |args| Part::read(args, &limits))?,
            word => with.add(word),
        }
    }
    let keys: Vec<Key<'_>> =
        (1..=count).map(|index| ctx.open(ctx.argument(index), Access::Read)).collect();
    let now_ms: LazyCell<i64> = LazyCell::new(clock::now_ms);
    let documents = keys.iter().map(|key| seen(key, with.deleted, &now_ms));
    let documents: Vec<Option<Seen<'_>>> = documents.collect::<Result<_, _>>()?;
    // An answer can still be refused, so all are made before the first is sent.
    let mut evaluation = Evaluation::new(&limits);
    let answers = documents.iter().map(|document| match document {
        Some(document) => answer(document, &parts, &mut evaluation),
        None => Ok(None),
    });
    let answers: Vec<_> = answers.collect::<Result<_>>()?;
    ctx.reply_array(count);
    for (document, text) in documents.iter().zip(answers) {
        match document {
            Some(document) => reply(ctx, document, text, with),
            None => ctx.reply_null(),
        }
    }
    Ok(())
}

/// The options of DOC.MGET, which are no keys of documents: keys end at the first.
pub(super) const MGET_OPTIONS: [&str; 3] = ["PATHS", WITH_DELETED, WITH_VERSION];

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
    ctx.reply_map(9 + usize::from(with_deleted));
    ctx.reply_bytes(b"collection");
    match collection {
        Some(name) => ctx.reply_bytes(name.as_bytes()),
        None => ctx.reply_null(),
    }
    ctx.reply_bytes(b"version");
    ctx.reply_count(document.version());
    ctx.reply_bytes(b"seq");
    ctx.reply_count(document.seq());
    ctx.reply_bytes(b"schema");
    ctx.reply_count(document.schema().into());
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
