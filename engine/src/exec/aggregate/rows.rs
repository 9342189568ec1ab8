//! Rows: groups as JSON objects, those that HAVING holds of, in their order.

use std::cmp::Ordering;

use super::definition::{Aggregate, RowOrder};
use super::groups::{Group, Part};
use super::room::Room;
use crate::doc::print::write_string;
use crate::doc::{DocRef, Parsed};
use crate::error::{Code, Error, Result};
use crate::exec::{Budget, Direction};
use crate::limits::Limits;
use crate::query::Meter;
use crate::value::{Key, KeyBuf};

/// Arrays and objects that a row itself opens around values of documents: the object, and the list of a reducer.
const ROW_DEPTH: usize = 2;

/// The rows of `groups`, which come in the order of their keys. Errors: `LIMITED`, `OVERFLOW`, `TIMEOUT`.
pub fn rows(
    aggregate: &Aggregate,
    groups: Vec<Group<'_>>,
    limits: &Limits,
    (room, budget): (&mut Room, &Budget<'_>),
) -> Result<Vec<Box<[u8]>>> {
    let (offset, count) = aggregate.limit.unwrap_or((0, u64::MAX));
    let (offset, count) = (as_usize(offset), as_usize(count));
    let is_read = aggregate.having.is_some() || !aggregate.order.is_empty();
    // Rows are no documents: their size is limited by the room.
    let relaxed = Limits {
        document_bytes_max: usize::MAX,
        depth_max: limits.depth_max + ROW_DEPTH,
        ..limits.clone()
    };
    let (mut parsed, mut text, mut scratch) = (Parsed::default(), Vec::new(), KeyBuf::default());
    let mut rows: Vec<(Vec<Key>, Box<[u8]>)> = Vec::new();
    for group in groups {
        if !is_read && rows.len() >= offset.saturating_add(count) {
            break;
        }
        budget.step()?;
        text.clear();
        write_row(aggregate, group, &mut text, budget.meter())?;
        let mut keys = Vec::new();
        if is_read {
            parsed.parse(&text, &relaxed)?;
            let row = parsed.view();
            if let Some(having) = &aggregate.having
                && !having.decide(having.root(), &mut { row }, &mut scratch, budget.meter())
            {
                continue;
            }
            keys = aggregate.order.iter().map(|by| by.key(row)).collect();
        }
        room.take(text.len())?;
        rows.push((keys, text.as_slice().into()));
    }
    // A stable sort: ties stand in the order of the keys.
    rows.sort_by(|a, b| compare(&aggregate.order, &a.0, &b.0));
    let rows: Vec<Box<[u8]>> =
        rows.into_iter().skip(offset).take(count).map(|(_, row)| row).collect();
    if rows.len() > limits.rows_max {
        let most = limits.rows_max;
        let what =
            format!("the answer exceeds the limit of {most} rows (folio.rows-max): use LIMIT");
        return Err(Error::new(Code::Limited, what));
    }
    Ok(rows)
}

fn as_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn write_row(
    aggregate: &Aggregate,
    group: Group<'_>,
    out: &mut Vec<u8>,
    meter: &Meter<'_>,
) -> Result<()> {
    out.push(b'{');
    for (key, part) in aggregate.keys.iter().zip(&group.parts) {
        match part {
            Part::Missing => {}
            Part::Given(given) => {
                write_name(&key.name, out);
                key.source.write(given, out);
            }
            Part::Begin(begin) => {
                write_name(&key.name, out);
                begin.write(out);
            }
        }
    }
    for (reducer, state) in aggregate.reducers.iter().zip(group.states) {
        meter.step(1 + state.values())?;
        write_name(&reducer.name, out);
        reducer.write(state, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') || out.len() > 1 {
        out.push(b',');
    }
    write_string(name, out);
    out.push(b':');
}

impl RowOrder {
    /// What a row is compared by.
    fn key(&self, row: DocRef<'_>) -> Key {
        let mut buf = KeyBuf::default();
        let keys = self.path.values(row).map(|raw| {
            self.scalar.key(raw, &mut buf);
            buf.as_ref().to_key()
        });
        let best = match self.direction {
            Direction::Ascending => keys.min(),
            Direction::Descending => keys.max(),
        };
        best.unwrap_or(Key::MISSING)
    }
}

fn compare(order: &[RowOrder], a: &[Key], b: &[Key]) -> Ordering {
    for ((by, a), b) in order.iter().zip(a).zip(b) {
        let order = match by.direction {
            Direction::Ascending => a.cmp(b),
            Direction::Descending => b.cmp(a),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}
