//! `DOC.AGGREGATE`, `DOC.DISTINCT`.

use std::sync::Arc;

use folio_engine::Result;
use folio_engine::collection::Collection;
use folio_engine::exec::{self, Aggregate, Distinct, Means, Named, Request};
use folio_engine::query::{Ast, Params, Scope};

use super::args::syntax;
use super::get::WITH_DELETED;
use super::query::{next_option, read_direction, read_filter, read_limit, read_params};
use super::{Answer, Args, Refusal, shapes, slowlog};
use crate::config;
use crate::ffi::Ctx;

const AGGREGATE: &[&str] = &[
    "WHERE",
    "PARAMS",
    "GROUP",
    "REDUCE",
    "HAVING",
    "ORDER",
    "LIMIT",
    "SCAN",
    "TIMEOUT",
    WITH_DELETED,
];
const DISTINCT: &[&str] = &["WHERE", "PARAMS", "SCAN", "TIMEOUT", WITH_DELETED];

/// Name and JSON text of each parameter.
type Pairs<'a> = Vec<(&'a str, &'a [u8])>;

/// The arguments of DOC.AGGREGATE behind the collection.
#[derive(Default)]
pub(super) struct Groups<'a> {
    request: Request<'a>,
    params: Pairs<'a>,
    /// The time that it is given.
    pub(super) timeout_ms: Option<u64>,
}

/// The arguments of DOC.DISTINCT behind the collection.
#[derive(Default)]
pub(super) struct Distincts<'a> {
    path: &'a str,
    filter: Option<Arc<Ast>>,
    params: Pairs<'a>,
    scan: bool,
    with_deleted: bool,
    /// The time that it is given.
    pub(super) timeout_ms: Option<u64>,
}

/// Groups of documents, and what reducers make of each.
pub(super) fn aggregate(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let rows = Groups::read(args)?
        .run(ctx, name, |collection, bound, means| exec::aggregate(collection, bound, means))?;
    ctx.reply_map(1);
    ctx.reply_bytes(b"results");
    reply_texts(ctx, &rows);
    Ok(())
}

/// The distinct values of a path.
pub(super) fn distinct(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let values = Distincts::read(args)?
        .run(ctx, name, |collection, bound, means| exec::distinct(collection, bound, means))?;
    reply_texts(ctx, &values);
    Ok(())
}

fn with_scope<R>(
    collection: &Collection,
    params: &Pairs<'_>,
    means: Means<'_>,
    body: impl FnOnce(&Scope<'_>) -> Result<R>,
) -> Result<R> {
    let (limits, functions) = (means.limits, means.functions);
    let params = Params::new(params.iter().copied(), limits)?;
    body(&Scope {
        definition: collection.definition(),
        params: &params,
        now_ms: collection.now_ms(),
        limits,
        functions,
    })
}

fn reply_texts(ctx: &Ctx<'_>, texts: &[Box<[u8]>]) {
    ctx.reply_array(texts.len());
    for text in texts {
        ctx.reply_bytes(text);
    }
}

impl<'a> Groups<'a> {
    /// Reads them, to the end of the arguments.
    pub(super) fn read(args: &mut Args<'a>) -> Result<Self> {
        let (mut groups, mut reduces) = (Groups::default(), false);
        let request = &mut groups.request;
        while let Some(option) = next_option(args, AGGREGATE)? {
            match option {
                "WHERE" => {
                    request.filter = Some(shapes::read(read_filter(args)?, &config::limits())?);
                }
                "PARAMS" => groups.params = read_params(args)?,
                "GROUP" => request.keys = read_named(args, option, "key")?,
                "REDUCE" => {
                    request.reducers = read_named(args, option, "reducer")?;
                    reduces = true;
                }
                "HAVING" => request.having = Some(args.text("filter")?),
                "TIMEOUT" => groups.timeout_ms = Some(args.unsigned("TIMEOUT")?),
                "ORDER" => {
                    for _ in 0..at_least_one(args, option)? {
                        let name = args.text("name")?;
                        request.order.push((name, read_direction(args)));
                    }
                }
                "LIMIT" => request.limit = Some(read_limit(args)?),
                WITH_DELETED => request.with_deleted = true,
                _ => request.scan = true,
            }
        }
        if !reduces {
            return Err(syntax("REDUCE is missing, such as REDUCE 1 count()"));
        }
        Ok(groups)
    }

    /// The aggregate over `collection`.
    pub(super) fn bind(&self, collection: &Collection, means: Means<'_>) -> Result<Aggregate> {
        with_scope(collection, &self.params, means, |scope| Aggregate::bind(&self.request, scope))
    }

    /// Runs it under a clock, and keeps it with its plan if it took long.
    pub(super) fn run<R>(
        &self,
        ctx: &Ctx<'_>,
        name: &str,
        body: impl FnOnce(&Collection, &Aggregate, Means<'_>) -> Result<R>,
    ) -> Result<R, Refusal> {
        slowlog::clocked(ctx, name, self.timeout_ms, |collection, means| {
            let bound = self.bind(collection, means)?;
            let result = body(collection, &bound, means);
            let plan = || exec::explain_aggregate(collection, &bound, means.limits, None);
            slowlog::note(ctx, means, plan);
            result
        })
    }
}

impl<'a> Distincts<'a> {
    /// Reads them, to the end of the arguments.
    pub(super) fn read(args: &mut Args<'a>) -> Result<Self> {
        let mut distincts = Distincts { path: args.text("path")?, ..Distincts::default() };
        while let Some(option) = next_option(args, DISTINCT)? {
            match option {
                "WHERE" => {
                    distincts.filter = Some(shapes::read(read_filter(args)?, &config::limits())?);
                }
                "PARAMS" => distincts.params = read_params(args)?,
                "TIMEOUT" => distincts.timeout_ms = Some(args.unsigned("TIMEOUT")?),
                WITH_DELETED => distincts.with_deleted = true,
                _ => distincts.scan = true,
            }
        }
        if distincts.filter.is_none() && !distincts.params.is_empty() {
            return Err(syntax("PARAMS without WHERE"));
        }
        Ok(distincts)
    }

    /// The question to `collection`.
    pub(super) fn bind(&self, collection: &Collection, means: Means<'_>) -> Result<Distinct> {
        let bound = with_scope(collection, &self.params, means, |scope| {
            Distinct::bind(self.path, self.filter.as_deref(), self.scan, scope)
        })?;
        Ok(Distinct { with_deleted: self.with_deleted, ..bound })
    }

    /// Runs it under a clock, and keeps it with its plan if it took long.
    pub(super) fn run<R>(
        &self,
        ctx: &Ctx<'_>,
        name: &str,
        body: impl FnOnce(&Collection, &Distinct, Means<'_>) -> Result<R>,
    ) -> Result<R, Refusal> {
        slowlog::clocked(ctx, name, self.timeout_ms, |collection, means| {
            let bound = self.bind(collection, means)?;
            let result = body(collection, &bound, means);
            let plan = || exec::explain_distinct(collection, &bound, means.limits, None);
            slowlog::note(ctx, means, plan);
            result
        })
    }
}

/// `n text [AS name] ..` after `option`.
fn read_named<'a>(args: &mut Args<'a>, option: &str, what: &str) -> Result<Vec<Named<'a>>> {
    let count = at_least_one(args, option)?;
    let named = (0..count).map(|_| {
        let text = args.text(what)?;
        let name = args.keyword(&["AS"]).map(|_| args.text("name")).transpose()?;
        Ok(Named { text, name })
    });
    named.collect()
}

fn at_least_one(args: &mut Args<'_>, option: &str) -> Result<usize> {
    match args.count(option, 1)? {
        0 => Err(syntax(format!("{option} is 0"))),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&[u8]> {
        text.split('|').map(str::as_bytes).collect()
    }

    fn error(text: &str) -> String {
        let error = Groups::read(&mut Args::new(&words(text))).err();
        error.expect("the arguments do not fit").to_string()
    }

    #[test]
    fn keys_reducers_and_their_names() {
        let text = "group|2|city|as|AS|bucket(d, '1h')|REDUCE|2|count()|sum(a)|AS|s|ORDER|2|s|desc|city|LIMIT|0|5|SCAN";
        let words = words(text);
        let Groups { request, .. } = Groups::read(&mut Args::new(&words)).unwrap();
        let named = |all: &[Named<'_>]| {
            all.iter().map(|it| format!("{}={:?}", it.text, it.name)).collect::<Vec<_>>()
        };
        assert_eq!(named(&request.keys), ["city=Some(\"AS\")", "bucket(d, '1h')=None"]);
        assert_eq!(named(&request.reducers), ["count()=None", "sum(a)=Some(\"s\")"]);
        let order: Vec<&str> = request.order.iter().map(|it| it.0).collect();
        assert_eq!(order, ["s", "city"]);
        assert_eq!((request.limit, request.scan), (Some((0, 5)), true));
    }

    #[test]
    fn counts_and_names_are_there() {
        assert_eq!(error("GROUP|1|a"), "ERR REDUCE is missing, such as REDUCE 1 count()");
        assert_eq!(error("REDUCE|0"), "ERR REDUCE is 0");
        assert_eq!(error("REDUCE|2|count()"), "ERR REDUCE is 2, and 1 follow");
        assert_eq!(error("REDUCE|1|count()|AS"), "ERR name is missing");
        assert_eq!(
            error("REDUCE|count()"),
            "ERR REDUCE 'count()' is not an integer; REDUCE takes a count first: REDUCE 1 count()"
        );
        assert_eq!(error("REDUCE|1|count()|sum(a)"), "ERR unknown option 'sum(a)'");
    }
}
