//! Rows one by one.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, try_unfold};

use super::find::Query;
use super::shape::Shape;
use crate::{Document, Executor, Result};

/// How many rows a page has where nothing is said.
const PAGE: u64 = 500;

/// Where a stream is: rows that were fetched, and whether more are to come.
struct State<T, S: Shape<T>> {
    query: Query<T>,
    shape: S,
    rows: VecDeque<S::Row>,
    is_last: bool,
}

pub(super) fn rows<'a, T, S>(
    mut query: Query<T>,
    shape: S,
    db: &'a impl Executor,
) -> BoxStream<'a, Result<S::Row>>
where
    T: Document,
    S: Shape<T> + 'a,
{
    query.page.get_or_insert(PAGE);
    let state = State { query, shape, rows: VecDeque::new(), is_last: false };
    try_unfold(state, move |mut state| async move {
        while state.rows.is_empty() && !state.is_last {
            let page = state.query.page(&state.shape, db).await?;
            state.rows = page.items.into();
            let left = state.query.limit.map(|limit| limit.saturating_sub(state.rows.len() as u64));
            state.query.limit = left;
            state.is_last = page.cursor.is_none() || left == Some(0);
            state.query.after = page.cursor;
            // The offset counts from the cursor.
            state.query.offset = 0;
        }
        Ok(state.rows.pop_front().map(|row| (row, state)))
    })
    .boxed()
}
