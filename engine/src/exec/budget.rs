//! What a query may spend: documents read without an index, time, and memory for what it sorts and gathers.

use crate::error::{Code, Error, Result};
use crate::function::Functions;
use crate::limits::Limits;
use crate::query::Meter;

/// What a query is given. The engine has no clock: the caller tells the time.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// The limits in force.
    pub limits: &'m Limits,
    /// Microseconds since the query began; without it, time is no limit.
    pub elapsed_us: Option<&'m dyn Fn() -> u64>,
    /// The functions that predicates may call; none where there are none.
    pub functions: Option<&'m Functions>,
}

impl<'m> From<&'m Limits> for Means<'m> {
    fn from(limits: &'m Limits) -> Self {
        Means { limits, elapsed_us: None, functions: None }
    }
}

/// Steps that a document, a key or a row counts for.
const STEPS_OF_ONE: usize = 8;

/// Counts what a query spends.
pub struct Budget<'m> {
    limited: bool,
    means: Means<'m>,
    meter: Meter<'m>,
    examined: usize,
    bytes: usize,
}

impl<'m> Budget<'m> {
    /// A budget that counts documents if `limited`.
    pub fn new(limited: bool, means: impl Into<Means<'m>>) -> Self {
        let means = means.into();
        let meter = Meter::new(means.limits.query_ms_max, means.elapsed_us);
        Budget { limited, means, meter, examined: 0, bytes: 0 }
    }

    /// What counts the work on each.
    pub fn meter(&self) -> &Meter<'m> {
        &self.meter
    }

    /// How many documents were read.
    pub fn examined(&self) -> usize {
        self.examined
    }

    /// Begins to count documents anew; how many were read until now.
    pub fn forget_examined(&mut self) -> usize {
        std::mem::take(&mut self.examined)
    }

    /// Microseconds since the query began; 0 where nobody tells.
    pub fn elapsed_us(&self) -> u64 {
        self.means.elapsed_us.map_or(0, |elapsed_us| elapsed_us())
    }

    /// One more document, key or row is looked at. Error: `TIMEOUT`.
    pub fn step(&self) -> Result<()> {
        self.meter.step(STEPS_OF_ONE)
    }

    /// Looks at the clock. Error: `TIMEOUT`.
    pub fn look(&self) -> Result<()> {
        self.meter.check()
    }

    /// One more document is read. Errors: `NOINDEX`, `TIMEOUT`.
    pub fn examine(&mut self) -> Result<()> {
        self.examined += 1;
        let most = self.means.limits.scan_max;
        if self.limited && self.examined > most {
            let what = format!(
                "the query examines more than {most} documents (folio.scan-max) and no index answers it: declare one, or add SCAN"
            );
            return Err(Error::new(Code::NoIndex, what));
        }
        self.step()
    }

    /// One more step is taken, which reads a document if `reads`. Errors: `NOINDEX`, `TIMEOUT`.
    pub fn examine_if(&mut self, reads: bool) -> Result<()> {
        if reads { self.examine() } else { self.step() }
    }

    /// So many more bytes are held. Error: `LIMITED`.
    pub fn hold(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        let most = self.means.limits.query_bytes_max;
        if self.bytes > most {
            let what = format!(
                "the query holds more than {most} bytes (folio.query-bytes-max): narrow it, or use LIMIT"
            );
            return Err(Error::new(Code::Limited, what));
        }
        Ok(())
    }

    /// So many bytes are held no more.
    pub fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
