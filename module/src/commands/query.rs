//! The arguments that queries share.

use folio_engine::collection::Collection;
use folio_engine::exec::{Cursor, Direction, Find, Means, fingerprint};
use folio_engine::path::Path;
use folio_engine::query::{self, Params, Scope, Subject};
use folio_engine::{Error, Limits, Result};

use super::Args;
use super::args::{shown, syntax};
use super::get::{WITH_DELETED, WITH_VERSION};
use super::shapes;

/// What a query may be given.
pub(super) const FIND: &[&str] = &[
    "WHERE",
    "PARAMS",
    "ORDER",
    "LIMIT",
    "AFTER",
    "SELECT",
    "WITHTOTAL",
    WITH_VERSION,
    "SCAN",
    "TIMEOUT",
    WITH_DELETED,
];
/// What a query for keys alone may be given.
pub(super) const KEYS: &[&str] =
    &["WHERE", "PARAMS", "ORDER", "LIMIT", "SCAN", "TIMEOUT", WITH_DELETED];
/// What a count may be given.
pub(super) const COUNT: &[&str] = &["WHERE", "PARAMS", "SCAN", "TIMEOUT", WITH_DELETED];

/// A filter as it was given.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    /// MessagePack.
    Tree(&'a [u8]),
}

impl<'a> Given<'a> {
    /// As it came.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Given::Text(text) => text.as_bytes(),
            Given::Tree(tree) => tree,
        }
    }
}

/// A query as it was read.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the options of a command, as they are told")]
pub(super) struct Query<'a> {
    filter: Option<Given<'a>>,
    params: Vec<(&'a str, &'a [u8])>,
    order: Vec<(Subject, Direction)>,
    limit: Option<(u64, u64)>,
    after: Option<&'a str>,
    scan: bool,
    /// The time that the query is given.
    pub(super) timeout_ms: Option<u64>,
    with_total: bool,
    with_deleted: bool,
    /// The paths of a row; all of the document when there are none.
    pub(super) select: Vec<Path>,
    /// A row holds its document's version.
    pub(super) with_version: bool,
}

impl<'a> Query<'a> {
    /// Reads the options `names`, to the end of the arguments.
    pub(super) fn read(
        args: &mut Args<'a>,
        names: &[&'static str],
        limits: &Limits,
    ) -> Result<Self> {
        let mut query = Query::default();
        while let Some(name) = next_option(args, names)? {
            query.take(name, args, limits)?;
        }
        query.expect_whole()?;
        Ok(query)
    }

    /// Reads what follows the option `name`.
    pub(super) fn take(&mut self, name: &str, args: &mut Args<'a>, limits: &Limits) -> Result<()> {
        match name {
            "WHERE" => self.filter = Some(read_filter(args)?),
            "PARAMS" => self.params = read_params(args)?,
            "ORDER" => {
                for _ in 0..at_least_one(args.count("ORDER", 1)?)? {
                    let subject = args.subject(limits)?;
                    self.order.push((subject, read_direction(args)));
                }
            }
            "LIMIT" => self.limit = Some(read_limit(args)?),
            "AFTER" => self.after = Some(args.text("cursor")?),
            "SELECT" => self.select = args.paths("SELECT", limits)?,
            "TIMEOUT" => self.timeout_ms = Some(args.unsigned("TIMEOUT")?),
            "WITHTOTAL" => self.with_total = true,
            WITH_VERSION => self.with_version = true,
            WITH_DELETED => self.with_deleted = true,
            _ => self.scan = true,
        }
        Ok(())
    }

    /// Asked when all options were read.
    fn expect_whole(&self) -> Result<()> {
        if self.filter.is_none() && !self.params.is_empty() {
            return Err(syntax("PARAMS without WHERE"));
        }
        Ok(())
    }

    /// The same of a query that has to say which documents it is about.
    pub(super) fn expect_filter(&self) -> Result<()> {
        self.expect_whole()?;
        if self.filter.is_none() {
            return Err(syntax("WHERE is missing; _seq > 0 holds of every document"));
        }
        Ok(())
    }

    /// The query on `collection`: the filter read and its literals converted to the declared types.
    pub(super) fn bind(&self, collection: &Collection, means: Means<'_>) -> Result<Find> {
        let limits = means.limits;
        for (subject, _) in &self.order {
            if let Subject::Path(path) = subject {
                query::expect_declared(path, collection.definition())?;
            }
        }
        let params = Params::new(self.params.iter().copied(), limits)?;
        let ast = self.filter.map(|filter| shapes::read(filter, limits)).transpose()?;
        let ast = ast.as_deref();
        let scope = Scope {
            definition: collection.definition(),
            params: &params,
            now_ms: collection.now_ms(),
            limits,
            functions: means.functions,
        };
        let filter = ast.map(|ast| query::bind(ast, &scope)).transpose()?;
        let hash = || fingerprint(collection.name(), ast, &params, &self.order, self.with_deleted);
        // Only pages have cursors.
        let query = if self.limit.is_some() || self.after.is_some() { hash() } else { 0 };
        let read = |token| Cursor::read(token, query, self.order.len());
        Ok(Find {
            filter,
            order: self.order.clone(),
            limit: self.limit,
            after: self.after.map(read).transpose()?,
            query,
            with_total: self.with_total,
            scan: self.scan,
            with_deleted: self.with_deleted,
        })
    }
}

/// The next option; where an operator stands in its place, the filter fell apart into arguments.
pub(super) fn next_option(
    args: &mut Args<'_>,
    names: &[&'static str],
) -> Result<Option<&'static str>> {
    let hint = in_pieces(args.peek().unwrap_or_default());
    args.option(names)
        .map_err(|Error { code, message, .. }| Error::new(code, format!("{message}{hint}")))
}

/// What to say of a word in an option's place that is an operator: its filter fell apart.
pub(super) fn in_pieces(word: &[u8]) -> &'static str {
    const WORDS: [&str; 13] = [
        "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "LIKE", "ILIKE", "CONTAINS", "STARTS",
        "ENDS", "MATCHES",
    ];
    let is_operator = word.first().is_some_and(|byte| b"=<>!&|".contains(byte))
        || WORDS.iter().any(|operator| word.eq_ignore_ascii_case(operator.as_bytes()));
    if is_operator { "; the filter is one argument: quote it" } else { "" }
}

/// A filter as text or, which no text begins like, as a tree in an array of at most 15 elements.
pub(super) fn read_filter<'a>(args: &mut Args<'a>) -> Result<Given<'a>> {
    let filter = args.bytes("filter")?;
    if let [0x90..=0x9F, ..] = filter {
        return Ok(Given::Tree(filter));
    }
    str::from_utf8(filter).map(Given::Text).map_err(|error| {
        Error::filter(error.valid_up_to(), format_args!("{} is not UTF-8", shown(filter)))
    })
}

/// `n name value ..` after PARAMS.
pub(super) fn read_params<'a>(args: &mut Args<'a>) -> Result<Vec<(&'a str, &'a [u8])>> {
    let count = args.count("PARAMS", 2)?;
    (0..count).map(|_| Ok((args.text("parameter")?, args.bytes("value")?))).collect()
}

/// `offset count` after LIMIT.
pub(super) fn read_limit(args: &mut Args<'_>) -> Result<(u64, u64)> {
    Ok((args.unsigned("offset")?, args.unsigned("count")?))
}

fn at_least_one(count: usize) -> Result<usize> {
    if count == 0 { Err(syntax("ORDER is 0")) } else { Ok(count) }
}

pub(super) fn read_direction(args: &mut Args<'_>) -> Direction {
    match args.keyword(&["ASC", "DESC"]) {
        Some("DESC") => Direction::Descending,
        _ => Direction::Ascending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_in_pieces_is_to_be_quoted() {
        let error = |words: &[&[u8]]| {
            let error = Query::read(&mut Args::new(words), COUNT, &Limits::default());
            error.err().expect("an operator is no option").to_string()
        };
        let hint = "the filter is one argument: quote it";
        let found = error(&[b"WHERE", b"age", b">", b"30"]);
        assert_eq!(found, format!("ERR unknown option '>'; {hint}"));
        let found = error(&[b"WHERE", b"age = 1", b"and", b"b"]);
        assert_eq!(found, format!("ERR unknown option 'and'; {hint}"));
        assert_eq!(error(&[b"WHERE", b"age", b"BY"]), "ERR unknown option 'BY'");
        assert_eq!(error(&[b"LIMIT"]), "ERR unknown option 'LIMIT'");
    }
}
