//! Filters that were read before: the tree of a text, so that a query that is asked again with other parameters is not
//! read again. What depends on parameters, types or cardinalities is never kept.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use folio_engine::query::{self, Ast};
use folio_engine::{Limits, Result};
use lru::LruCache;

use super::query::Given;

/// Filters that are kept, the least recently used ones going first.
const KEPT_MAX: NonZero<usize> = NonZero::new(1024).expect("not zero");
/// Bytes of a filter that is kept: a longer one holds its values, and does not come again.
const BYTES_MAX: usize = 1024;

/// Trees by what was read.
type Kept = LruCache<Box<[u8]>, Arc<Ast>>;

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

/// The tree of a filter. Errors as of [`query::parse`] and [`query::read_tree`].
pub(super) fn read(filter: Given<'_>, limits: &Limits) -> Result<Arc<Ast>> {
    let bytes = filter.bytes();
    if bytes.len() > BYTES_MAX {
        return parse(filter, limits).map(Arc::new);
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_with(|| LruCache::new(KEPT_MAX));
    if let Some(ast) = kept.get(bytes) {
        return Ok(Arc::clone(ast));
    }
    let ast = Arc::new(parse(filter, limits)?);
    kept.put(bytes.into(), Arc::clone(&ast));
    Ok(ast)
}

/// Forgets all: what was read under other limits may exceed those in force.
pub(crate) fn forget() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn parse(filter: Given<'_>, limits: &Limits) -> Result<Ast> {
    match filter {
        Given::Text(text) => query::parse(text, limits),
        Given::Tree(tree) => query::read_tree(tree, limits),
    }
}
