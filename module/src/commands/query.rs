//! The arguments that queries share.

use folio_engine::collection::Collection;
use folio_engine::exec::{Direction, Find};
use folio_engine::path::Path;
use folio_engine::query::{self, Filter, Params};
use folio_engine::{Error, Limits, Result};

use super::Args;
use super::args::{shown, syntax};

/// What a query may be given.
pub(super) const FIND: &[&str] =
    &["WHERE", "PARAMS", "ORDER", "LIMIT", "SELECT", "WITHTOTAL", "WITHVERSION", "SCAN"];
/// What a count may be given.
pub(super) const COUNT: &[&str] = &["WHERE", "PARAMS", "SCAN"];

/// A query as it was read.
#[derive(Default)]
pub(super) struct Query<'a> {
    filter: Option<&'a str>,
    params: Vec<(&'a str, &'a [u8])>,
    order: Vec<(Path, Direction)>,
    limit: Option<(u64, u64)>,
    scan: bool,
    with_total: bool,
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
            match name {
                "WHERE" => query.filter = Some(read_filter(args)?),
                "PARAMS" => {
                    for _ in 0..args.count("PARAMS", 2)? {
                        query.params.push((args.text("parameter")?, args.bytes("value")?));
                    }
                }
                "ORDER" => {
                    for _ in 0..at_least_one(args.count("ORDER", 1)?)? {
                        let path = args.path(limits)?;
                        query.order.push((path, read_direction(args)));
                    }
                }
                "LIMIT" => {
                    query.limit = Some((args.unsigned("offset")?, args.unsigned("count")?));
                }
                "SELECT" => query.select = args.paths("SELECT", limits)?,
                "WITHTOTAL" => query.with_total = true,
                "WITHVERSION" => query.with_version = true,
                _ => query.scan = true,
            }
        }
        if query.filter.is_none() && !query.params.is_empty() {
            return Err(syntax("PARAMS without WHERE"));
        }
        Ok(query)
    }

    /// The query on `collection`: the filter read and its literals converted to the declared types.
    pub(super) fn bind(&self, collection: &Collection, limits: &Limits) -> Result<Find> {
        for (path, _) in &self.order {
            query::expect_declared(path, collection.definition())?;
        }
        Ok(Find {
            filter: self.bind_filter(collection, limits)?,
            order: self.order.clone(),
            limit: self.limit,
            with_total: self.with_total,
            scan: self.scan,
        })
    }

    fn bind_filter(&self, collection: &Collection, limits: &Limits) -> Result<Option<Filter>> {
        let Some(text) = self.filter else { return Ok(None) };
        let ast = query::parse(text, limits)?;
        let params = Params::new(self.params.iter().copied(), limits)?;
        query::bind(&ast, collection.definition(), &params, limits).map(Some)
    }
}

/// The next option; where an operator stands in its place, the filter fell apart into arguments.
fn next_option(args: &mut Args<'_>, names: &[&'static str]) -> Result<Option<&'static str>> {
    const WORDS: [&str; 13] = [
        "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "LIKE", "ILIKE", "CONTAINS", "STARTS",
        "ENDS", "MATCHES",
    ];
    let word = args.peek().unwrap_or_default();
    let is_operator = word.first().is_some_and(|byte| b"=<>!&|".contains(byte))
        || WORDS.iter().any(|operator| word.eq_ignore_ascii_case(operator.as_bytes()));
    args.option(names).map_err(|Error { code, message, .. }| {
        let hint = if is_operator { "; the filter is one argument: quote it" } else { "" };
        Error::new(code, format!("{message}{hint}"))
    })
}

fn read_filter<'a>(args: &mut Args<'a>) -> Result<&'a str> {
    let text = args.bytes("filter")?;
    str::from_utf8(text).map_err(|error| {
        Error::filter(error.valid_up_to(), format_args!("{} is not UTF-8", shown(text)))
    })
}

fn at_least_one(count: usize) -> Result<usize> {
    if count == 0 { Err(syntax("ORDER is 0")) } else { Ok(count) }
}

fn read_direction(args: &mut Args<'_>) -> Direction {
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
