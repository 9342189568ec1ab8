//! What becomes of the parts of a document that have a TTL of their own.
//!
//! A value that is put anew has none (SET, NOW), as a key has none after SET; one that is counted on or grown keeps it (INCR,
//! PUSH and the like). A value that moves takes it along (RENAME). MERGE, PATCH and CALL take it from the values that they change.

use super::{Draft, Op};
use crate::doc::DocRef;
use crate::doc::edit::{Place, path_error};
use crate::doc::timed::{TimedPath, expect_names, read_timed, write_timed};
use crate::error::{Code, Error, Result};
use crate::path::Path;

/// The parts with a TTL of a document on its way.
#[derive(Debug, Default)]
pub(super) struct Timed {
    parts: Vec<TimedPath>,
}

/// What is known of a document before an operation, as far as that decides.
#[derive(Default)]
pub(super) struct Before {
    /// The values of the parts with a TTL, before MERGE, PATCH and CALL.
    values: Values,
    /// Something stands where RENAME takes it from.
    moves: bool,
}

type Values = Vec<Option<Vec<u8>>>;

impl Timed {
    pub fn of(doc: DocRef<'_>) -> Self {
        Timed { parts: read_timed(doc.timed()).unwrap_or_default() }
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The stored form. It was found in order after each operation.
    pub fn write(&self) -> Vec<u8> {
        write_timed(&self.parts).unwrap_or_default()
    }

    /// Gives `path` this instant, or none.
    fn set(&mut self, path: &Path, at_ms: Option<i64>) {
        self.parts.retain(|part| part.path != *path);
        self.parts.extend(at_ms.map(|at_ms| TimedPath { path: path.clone(), at_ms }));
    }

    /// What stands at `path` is another value, or none, and so is all that was within.
    fn forget(&mut self, path: &Path) {
        self.parts.retain(|part| !part.path.steps().starts_with(path.steps()));
    }

    /// What stood at `from` stands at `to`, which holds no index. Error: `PATH`.
    fn follow(&mut self, from: &Path, to: &Path) -> Result<()> {
        let is_moved = |part: &mut TimedPath| part.path.steps().starts_with(from.steps());
        let moved: Vec<TimedPath> = self.parts.extract_if(.., is_moved).collect();
        self.forget(to);
        for TimedPath { path, at_ms } in moved {
            expect_names(to)?;
            self.parts
                .push(TimedPath { path: to.join(&path.steps()[from.steps().len()..]), at_ms });
        }
        Ok(())
    }
}

impl Draft<'_> {
    /// The instant `after_ms` from now for what stands at `path`, or none any more. Errors: `PATH` where nothing stands there,
    /// `OVERFLOW`.
    pub(super) fn set_ttl(
        &mut self,
        path: &Path,
        after_ms: Option<i64>,
        now_ms: i64,
    ) -> Result<()> {
        expect_names(path)?;
        let at_ms = after_ms.map(|after_ms| {
            now_ms.checked_add(after_ms).ok_or_else(|| {
                Error::new(Code::Overflow, format!("the TTL is out of range at path {path}"))
            })
        });
        let at_ms = at_ms.transpose()?;
        if at_ms.is_some() && !matches!(self.find(path), Place::Found(_)) {
            return Err(path_error(path, "nothing that a TTL could be of"));
        }
        self.timed.set(path, at_ms);
        Ok(())
    }

    /// What is to be known before `op`.
    pub(super) fn before(&mut self, op: &Op) -> Result<Before> {
        if self.timed.is_empty() {
            return Ok(Before::default());
        }
        match op {
            Op::Rename(from, to) => {
                self.spend(self.text.len())?;
                let moves = from != to && matches!(self.find(from), Place::Found(_));
                Ok(Before { moves, ..Before::default() })
            }
            Op::Merge(_) | Op::Patch(_) | Op::Call(..) => {
                Ok(Before { values: self.values()?, moves: false })
            }
            _ => Ok(Before::default()),
        }
    }

    fn values(&mut self) -> Result<Values> {
        self.spend(self.timed.parts.len() * self.text.len())?;
        let parts = self.timed.parts.iter();
        let value = |part: &TimedPath| Some(self.value(&self.find(&part.path))?.bytes().to_vec());
        Ok(parts.map(value).collect())
    }

    /// Carries them over `op`, which has been applied. Errors: `PATH`, `LIMITED`.
    pub(super) fn carry(&mut self, op: &Op, before: &Before) -> Result<()> {
        if self.timed.is_empty() {
            return Ok(());
        }
        match op {
            Op::Set(path, _) | Op::Now(path, _) | Op::Unset(path) => self.timed.forget(path),
            Op::Rename(from, to) if before.moves => self.timed.follow(from, to)?,
            Op::Merge(_) | Op::Patch(_) | Op::Call(..) => {
                let now = self.values()?;
                let mut same = now.iter().zip(&before.values).map(|(now, was)| now == was);
                self.timed.parts.retain(|_| same.next() == Some(true));
            }
            _ => {}
        }
        write_timed(&self.timed.parts).map(|_| ())
    }

    /// Nothing but what stands there has a TTL: an operation may have put another value around it.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.timed.is_empty() {
            return Ok(());
        }
        let mut there = self.values()?.into_iter().map(|value| value.is_some());
        self.timed.parts.retain(|_| there.next() == Some(true));
        Ok(())
    }
}
