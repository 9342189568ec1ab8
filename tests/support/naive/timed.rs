//! Parts of a document that have a time to live of their own: TTL and PTTL of DOC.UPDATE, and what becomes of them.
//!
//! A part is a path of names. It is due when now is greater than its instant; what is due is not there.

use std::collections::BTreeMap;

use super::{
    json::Json,
    model::Refusal,
    path::{Path, Step},
    schema::{NaiveField, NaiveSchema},
    update::{Change, Ground, apply, take},
};

/// The parts of one document, by the text of their paths, and when each lapses, in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timed(pub BTreeMap<String, i64>);

impl Timed {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what stands at a path, and within.
    fn forget(&mut self, path: &Path) {
        self.0.retain(|part, _| !is_within(&Path::plain(part), path));
    }

    /// Takes what stood at `from`, and within, to `to`.
    fn follow(&mut self, from: &Path, to: &Path) -> Result<(), Refusal> {
        let mut moving = self.clone();
        moving.0.retain(|part, _| is_within(&Path::plain(part), from));
        self.forget(from);
        self.forget(to);
        if !moving.is_empty() && !is_of_names(to) {
            return Err(Refusal::Path(to.text()));
        }
        for (part, at_ms) in moving.0 {
            let within = &Path::plain(&part).0[from.0.len()..];
            self.0.insert(text(&Path([&to.0, within].concat())), at_ms);
        }
        Ok(())
    }

    /// Drops those of which nothing is there.
    fn settle(&mut self, json: &Json) {
        self.0.retain(|part, _| !Path::plain(part).values(json).is_empty());
    }

    /// Takes what is due out of a document. Gives whether anything was.
    pub fn lapse(&mut self, json: &mut Json, now_ms: i64) -> bool {
        let due: Vec<String> = self
            .0
            .iter()
            .filter(|(_, at_ms)| now_ms > **at_ms)
            .map(|(part, _)| part.clone())
            .collect();
        for part in &due {
            self.0.remove(part);
            // One that stood within another has gone with it.
            take(json, &Path::plain(part)).expect("a part is a path of names");
        }
        self.settle(json);
        !due.is_empty()
    }

    /// The path of a part that may not lapse: documents are asked of functions, a field is REQUIRED or IMMUTABLE there, something unique counts what is missing,
    /// or it is a part of a value that is unique, or one of an ENUM.
    pub fn breach(&self, schema: &NaiveSchema) -> Option<String> {
        let is_refused = |part: &Path| {
            let by_field = |field: &NaiveField| {
                let is_around = is_within(&field.path, part);
                let is_inside = !is_around && is_within(part, &field.path);
                (field.required && is_around)
                    || (field.rules.immutable && (is_around || is_inside))
                    || ((field.unique || !field.rules.one_of.is_empty()) && is_inside)
            };
            let is_in_unique = schema.indexes.iter().filter(|index| index.unique).any(|index| {
                let holds = |on: &Path| part.0.len() > on.0.len() && is_within(part, on);
                index.on.iter().any(|on| holds(&on.path))
            });
            schema.fields.iter().any(by_field)
                || is_in_unique
                || schema.counts_missing(part) == Some(true)
        };
        let asks = schema.asks_functions();
        self.0.keys().find(|part| asks || is_refused(&Path::plain(part))).cloned()
    }

    /// Whether it hangs on what no page says whether a part may lapse, or what becomes of one that stands within another.
    pub fn is_unsure(&self, schema: &NaiveSchema) -> bool {
        let parts: Vec<Path> = self.0.keys().map(|part| Path::plain(part)).collect();
        let is_nested = |part: &Path| parts.iter().any(|it| it != part && is_within(part, it));
        parts.iter().any(|part| is_nested(part) || schema.counts_missing(part).is_none())
    }
}

/// The text by which a part is known: names that need no back-quotes in this suite's documents.
fn text(path: &Path) -> String {
    let name = |step: &Step| match step {
        Step::Name(name) => name.clone(),
        step => unreachable!("{step:?} is no name"),
    };
    path.0.iter().map(name).collect::<Vec<_>>().join(".")
}

/// Whether a path leads to what stands at `around`, or within.
pub fn is_within(path: &Path, around: &Path) -> bool {
    path.0.starts_with(&around.0)
}

/// Whether a value is put in place of what it stands within: what becomes of its time to live no page says.
pub fn rises(change: &Change) -> bool {
    matches!(change, Change::Rename(from, to) if from != to && is_within(from, to))
}

fn is_of_names(path: &Path) -> bool {
    path.0.iter().all(|step| matches!(step, Step::Name(_)))
}

/// Carries one operation of an update out on a document and on its parts with a time to live.
pub fn apply_timed(
    json: &mut Json,
    timed: &mut Timed,
    change: &Change,
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    if let Change::Ttl(path, after_ms) = change {
        let is_there = !path.values(json).is_empty();
        if !is_of_names(path) || (after_ms.is_some() && !is_there) {
            return Err(Refusal::Path(path.text()));
        }
        timed.0.remove(&text(path));
        timed.0.extend(after_ms.map(|after_ms| (text(path), ground.now_ms + after_ms)));
        return Ok(());
    }
    let before = json.clone();
    apply(json, change, ground)?;
    match change {
        Change::Set(path, _) | Change::Now(path, _) | Change::Unset(path) => timed.forget(path),
        Change::Rename(from, to) if from != to && !from.values(&before).is_empty() => {
            timed.follow(from, to)?;
        }
        Change::Merge(_) | Change::Patch(_) => timed.0.retain(|part, _| {
            let part = Path::plain(part);
            part.values(&before) == part.values(json)
        }),
        _ => {}
    }
    Ok(())
}

/// Carries operations out in order, as one command does.
pub fn apply_all(
    json: &mut Json,
    timed: &mut Timed,
    changes: &[Change],
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    for change in changes {
        apply_timed(json, timed, change, ground)?;
    }
    timed.settle(json);
    Ok(())
}
