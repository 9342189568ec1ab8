//! Deliberate faults, for the tests to find: `FOLIO_FAULT` names the one that this server has.
//!
//! ```text
//! ttl      the expiry order does not hear of EXPIRE and PERSIST
//! rename   a document that comes under another key is not adopted there
//! load     a document that a file brings never lapses for the index
//! ```

use std::env;
use std::sync::LazyLock;

static FAULT: LazyLock<Option<String>> = LazyLock::new(|| env::var("FOLIO_FAULT").ok());

/// Whether this server has the fault of this name.
pub(crate) fn is(name: &str) -> bool {
    FAULT.as_deref() == Some(name)
}
