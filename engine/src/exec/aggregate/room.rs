//! How much memory one query may hold.

use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// Counts bytes.
#[derive(Debug)]
pub struct Room {
    held: usize,
    bytes_max: usize,
}

impl Room {
    /// Room for as much as the limits allow.
    pub fn new(limits: &Limits) -> Self {
        Room { held: 0, bytes_max: limits.query_bytes_max }
    }

    /// So many more bytes are held. Error: `LIMITED`.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        self.held = self.held.saturating_add(bytes);
        if self.held > self.bytes_max {
            let most = self.bytes_max;
            let what = format!("the query holds more than {most} bytes (folio.query-bytes-max)");
            return Err(Error::new(Code::Limited, what));
        }
        Ok(())
    }

    /// So many bytes are held no longer.
    pub fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }
}
