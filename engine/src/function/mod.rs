//! Functions that are loaded into the server and run beside the documents.
//!
//! ```text
//!   Runtime::compile(name, source, bounds)  ->  Function      once, when it is loaded
//!   Function::call(document, arguments)     ->  Outcome       a value, and a reply
//! ```
//! A function is pure: what it gives is decided by the document and the arguments alone, so that a primary, a replica and a
//! server that loads a file come to the same. So its bounds are counted in steps and bytes, not in time, and are a part of
//! the function from the moment it is loaded.

pub mod lua;
mod registry;

use std::fmt::Debug;
use std::sync::Arc;

pub use registry::{Functions, Loaded, Loading};

use crate::doc::DocRef;
use crate::error::Result;
use crate::value::Raw;

/// What functions are written for. The engine knows no language: whoever makes the store registers one
/// ([`Store::run_by`](crate::store::Store::run_by)).
pub trait Runtime: Debug + Send + Sync {
    /// Makes a function of its source. Error: `FUNCTION`, with the line.
    fn compile(&self, name: &str, source: &str, bounds: Bounds) -> Result<Arc<dyn Function>>;
}

/// A function that is ready to be called.
pub trait Function: Debug + Send + Sync {
    /// Calls it. Nothing outlives the call but what it gives. Error: `FUNCTION`, with the function's name and the line.
    fn call(&self, call: &Call<'_>) -> Result<Outcome>;
}

/// What one call of a function may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Calls and turns of loops; more where it holds much memory.
    pub steps: u64,
    /// Bytes that it allocates, those it has let go of included.
    pub bytes: u64,
}

impl Bounds {
    /// Twice as much: for what is no question any more, since a primary's write has gone through.
    #[must_use]
    pub fn doubled(self) -> Self {
        Bounds { steps: self.steps.saturating_mul(2), bytes: self.bytes.saturating_mul(2) }
    }
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// The first argument; read as the function asks for parts of it.
    pub doc: DocRef<'c>,
    /// The others, as JSON.
    pub args: &'c [Raw<'c>],
    /// Whether a primary judges a write by it: it has the function's bounds then, and twice those where the document stands
    /// already, or a primary has decided.
    pub is_judging: bool,
}

/// What a call gives: its first two results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// JSON, validated and minified; none where the function gives nothing.
    pub value: Option<Vec<u8>>,
    /// The same of the second result.
    pub reply: Option<Vec<u8>>,
}
