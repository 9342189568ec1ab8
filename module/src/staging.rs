//! A full sync that a replica loads beside the data that it serves (`repl-diskless-load swapdb`).
//!
//! What the file brings is only kept aside, in no table: a document's home and number say where it stands among
//! what is *served*, until the server has exchanged the databases. Then all of it enters tables at once, as at the end of any
//! load. The numbers of collections go on from those that were served, so that the values of both can never be
//! taken for each other.

use std::sync::Arc;

use folio_engine::Result;
use folio_engine::function::Runtime;
use folio_engine::store::Store;

use crate::datatype;
use crate::state::Pending;

/// All that was loaded so far.
pub(crate) struct Staging {
    /// Reads definitions first of all, so that a file with broken ones is refused while it is read.
    judge: Store,
    /// Definitions and counters of each database.
    pub(crate) states: Vec<(u32, Vec<u8>)>,
    /// The documents.
    pub(crate) documents: Vec<Pending>,
}

impl Staging {
    /// Nothing yet. Functions are compiled by `runtime`, which is that of the store that is served.
    pub(crate) fn new(runtime: Option<&Arc<dyn Runtime>>) -> Self {
        let mut judge = Store::new(0);
        if let Some(runtime) = runtime {
            judge.run_by(Arc::clone(runtime));
        }
        judge.limits = datatype::stored_limits();
        Staging { judge, states: Vec::new(), documents: Vec::new() }
    }

    /// Keeps the definitions and counters of a database. Error: `SCHEMA`.
    pub(crate) fn add_state(&mut self, db: u32, json: &[u8]) -> Result<()> {
        self.judge.load_state(db, json)?;
        self.states.push((db, json.to_vec()));
        Ok(())
    }
}
