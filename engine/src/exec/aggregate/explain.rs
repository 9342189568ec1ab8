//! The plan of an aggregate or of DISTINCT as text: how groups are formed and where values come from, then as for FIND.

use super::definition::Aggregate;
use super::distinct::Distinct;
use super::way;
use crate::collection::Collection;
use crate::exec::{Direction, Profile};
use crate::limits::Limits;
use crate::plan::{self, Access, Shown};

/// The plan of an aggregate in words; with what each step came to, where it was run.
pub fn explain_aggregate(
    collection: &Collection,
    aggregate: &Aggregate,
    limits: &Limits,
    profile: Option<&Profile>,
) -> Vec<String> {
    let access = plan::access_of(collection, aggregate.filter.as_ref(), aggregate.with_deleted);
    let mut lines = vec![format!("aggregate {}", collection.name())];
    let keys: Vec<&str> = aggregate.keys.iter().map(|key| &*key.name).collect();
    let groups = match keys.as_slice() {
        [] => "one group".to_owned(),
        keys => format!("group by {}", keys.join(", ")),
    };
    match way::of_aggregate(collection, aggregate, &access, limits) {
        Ok(past) => {
            lines.push(match past.index {
                Some(index) => {
                    let of = if past.keys.is_some() {
                        "each one's, from the column"
                    } else {
                        "the values"
                    };
                    let (kind, title) = (index.kind_name(), index.title());
                    format!("  {groups}: {of} of {kind} index {title}")
                }
                None => format!("  {groups}"),
            });
            for (reducer, values) in aggregate.reducers.iter().zip(past.values) {
                let from = match values.and_then(|(source, _)| source.path()) {
                    Some(path) => format!("the column of {path}"),
                    None => "how many each group has".to_owned(),
                };
                lines.push(format!("  {}: {from}", reducer.name));
            }
        }
        Err(why) => {
            lines.push(format!("  {groups}, by document: {why}"));
            let reads = !aggregate.keys.is_empty()
                || aggregate.reducers.iter().any(|reducer| reducer.source.is_some());
            if reads {
                lines.extend(reading(collection, &access, aggregate.scan, limits));
            }
        }
    }
    lines
        .extend(aggregate.having.as_ref().map(|having| format!("  having {}", plan::text(having))));
    lines.extend(rows(aggregate));
    let shown = Shown { access: &access, scan: aggregate.scan, limits, profile };
    plan::access_lines(collection, &shown, &mut lines);
    lines
}

/// The order of rows, and how many there are.
fn rows(aggregate: &Aggregate) -> Option<String> {
    let order = aggregate.order.iter().map(|by| match by.direction {
        Direction::Ascending => format!("{} ascending", by.path),
        Direction::Descending => format!("{} descending", by.path),
    });
    let order: Vec<String> = order.collect();
    let limit = aggregate.limit.map(|limit| match limit {
        (0, count) => format!("{count} rows"),
        (offset, count) => format!("{count} rows after {offset}"),
    });
    let order = (!order.is_empty()).then(|| format!("sort rows by {}", order.join(", ")));
    let parts: Vec<String> = order.into_iter().chain(limit).collect();
    (!parts.is_empty()).then(|| format!("  {}", parts.join(", ")))
}

/// The plan of DISTINCT in words; with what each step came to, where it was run.
pub fn explain_distinct(
    collection: &Collection,
    distinct: &Distinct,
    limits: &Limits,
    profile: Option<&Profile>,
) -> Vec<String> {
    let access = plan::access_of(collection, distinct.filter.as_ref(), distinct.with_deleted);
    let mut lines = vec![format!("distinct {} of {}", distinct.name, collection.name())];
    match way::of_distinct(collection, distinct, &access, limits) {
        Ok(index) => {
            lines.push(format!("  the values of {} index {}", index.kind_name(), index.title()));
        }
        Err(why) => {
            lines.push(format!("  by document: {why}"));
            lines.extend(reading(collection, &access, distinct.scan, limits));
        }
    }
    let shown = Shown { access: &access, scan: distinct.scan, limits, profile };
    plan::access_lines(collection, &shown, &mut lines);
    lines
}

/// That documents are read which an index chose, where that may be refused; of others the line of the scan says it.
fn reading(
    collection: &Collection,
    access: &Access<'_>,
    is_asked: bool,
    limits: &Limits,
) -> Option<String> {
    let (count, most) = (access.expected(collection.live().len()), limits.scan_max);
    (access.root.is_some() && !is_asked && count > most as u64).then(|| {
        format!("  reads {count} documents: refused without SCAN beyond {most} (folio.scan-max)")
    })
}
