//! How many documents a query may read: what no index and no column decides.

use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// Counts documents whose text was read.
#[derive(Debug)]
pub struct Budget {
    limited: bool,
    examined: usize,
    scan_max: usize,
}

impl Budget {
    /// A budget that counts if `limited`.
    pub fn new(limited: bool, limits: &Limits) -> Self {
        Budget { limited, examined: 0, scan_max: limits.scan_max }
    }

    /// One more document is read. Error: `NOINDEX`.
    pub fn examine(&mut self) -> Result<()> {
        self.examined += 1;
        if self.limited && self.examined > self.scan_max {
            let what = format!(
                "the query examines more than {} documents (folio.scan-max) and no index answers it: declare one, or add SCAN",
                self.scan_max
            );
            return Err(Error::new(Code::NoIndex, what));
        }
        Ok(())
    }

    /// One more document is read, if `reads`.
    pub fn examine_if(&mut self, reads: bool) -> Result<()> {
        if reads { self.examine() } else { Ok(()) }
    }
}
