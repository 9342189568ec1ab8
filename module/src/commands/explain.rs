//! `DOC.EXPLAIN`, `DOC.PROFILE`: how a query would be run, and how it was.

use folio_engine::exec::{self, Find};
use folio_engine::plan;
use folio_engine::{Error, Result};

use super::aggregate::{Distincts, Groups};
use super::args::{shown, syntax};
use super::query::{COUNT, FIND, KEYS, Query};
use super::{Answer, Args, slowlog};
use crate::config;
use crate::ffi::Ctx;

/// What is explained, besides the collection.
enum Explained<'a> {
    /// Documents are asked for, or how many there are.
    Query(Documents<'a>),
    /// DOC.AGGREGATE.
    Groups(Groups<'a>),
    /// DOC.DISTINCT.
    Distincts(Distincts<'a>),
}

/// A query for documents.
struct Documents<'a> {
    query: Query<'a>,
    /// Only how many there are is asked.
    is_count: bool,
    /// Only whether there is one is asked.
    is_exists: bool,
}

fn read<'a>(args: &mut Args<'a>) -> Result<Explained<'a>> {
    let names = ["FIND", "KEYS", "COUNT", "EXISTS", "AGGREGATE", "DISTINCT"];
    let word = args.peek().unwrap_or_default();
    let Some(name) = args.keyword(&names) else {
        return Err(unknown(word, &names));
    };
    let options = match name {
        "AGGREGATE" => return Groups::read(args).map(Explained::Groups),
        "DISTINCT" => return Distincts::read(args).map(Explained::Distincts),
        "FIND" => FIND,
        "KEYS" => KEYS,
        _ => COUNT,
    };
    let query = Query::read(args, options, &config::limits())?;
    let (is_count, is_exists) = (name == "COUNT", name == "EXISTS");
    Ok(Explained::Query(Documents { query, is_count, is_exists }))
}

fn unknown(word: &[u8], names: &[&str]) -> Error {
    let known = names.join(", ");
    if word.is_empty() {
        return syntax(format!("one of {known} is missing after the collection"));
    }
    syntax(format!("expected one of {known}, not {}", shown(word)))
}

fn reply_lines(ctx: &Ctx<'_>, lines: &[String]) {
    ctx.reply_array(lines.len());
    for line in lines {
        ctx.reply_bytes(line.as_bytes());
    }
}

impl Documents<'_> {
    /// The query as it is run.
    fn run(&self, find: &Find) -> Find {
        let limit = match (self.is_count, self.is_exists) {
            (true, _) => Some((0, 0)),
            (_, true) => Some((0, 1)),
            _ => find.limit,
        };
        Find { limit, with_total: find.with_total || self.is_count, ..find.clone() }
    }
}

/// How a query would be run.
pub(super) fn explain(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let lines = match read(args)? {
        Explained::Query(documents) => {
            slowlog::untimed(ctx, name, &documents.query, |collection, find, means| {
                let find = documents.run(find);
                Ok(plan::explain(collection, &find, documents.is_count, means.limits, None))
            })?
        }
        Explained::Groups(groups) => {
            slowlog::clocked(ctx, name, groups.timeout_ms, |collection, means| {
                let bound = groups.bind(collection, means)?;
                Ok(exec::explain_aggregate(collection, &bound, means.limits, None))
            })?
        }
        Explained::Distincts(distincts) => {
            slowlog::clocked(ctx, name, distincts.timeout_ms, |collection, means| {
                let bound = distincts.bind(collection, means)?;
                Ok(exec::explain_distinct(collection, &bound, means.limits, None))
            })?
        }
    };
    reply_lines(ctx, &lines);
    Ok(())
}

/// How a query was run: the plan with rows and microseconds.
pub(super) fn profile(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let lines = match read(args)? {
        Explained::Query(documents) => {
            slowlog::timed(ctx, name, &documents.query, |collection, find, means| {
                let find = documents.run(find);
                let (_, profile) = exec::profile(collection, &find, means)?;
                let is_count = documents.is_count;
                Ok(plan::explain(collection, &find, is_count, means.limits, Some(&profile)))
            })?
        }
        Explained::Groups(groups) => groups.run(ctx, name, |collection, bound, means| {
            let (_, profile) = exec::profile_aggregate(collection, bound, means)?;
            Ok(exec::explain_aggregate(collection, bound, means.limits, Some(&profile)))
        })?,
        Explained::Distincts(distincts) => {
            distincts.run(ctx, name, |collection, bound, means| {
                let (_, profile) = exec::profile_distinct(collection, bound, means)?;
                Ok(exec::explain_distinct(collection, bound, means.limits, Some(&profile)))
            })?
        }
    };
    reply_lines(ctx, &lines);
    Ok(())
}
