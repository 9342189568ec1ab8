//! Indexes that are begun while documents still arrive: one thread reads a file, the others judge what it has brought and
//! take out the keys.
//!
//! ```text
//!   reader    d0 d1 d2 .. d511 | d512 ..             all are there: ids in the order of birth
//!   thread    share 0:           d0 d1 .. d511 | ..                                              laid down
//!   thread    share 1:           d0 d1 .. d511 | ..                                              laid down
//! ```
//! Documents come in the order of the server's hash table, and their ids are given in the order of their birth; so they go
//! by the number of their arrival until all are there.

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::Collection;
use super::build::{Share, in_groups, threads};
use crate::doc::Document;

/// Documents that are handed on together.
const BATCH: usize = 512;

type Batch = Arc<Vec<Document>>;

/// Threads that look at documents, each with a share of the fields. Once it is dropped they end with what they were shown.
#[derive(Debug)]
pub(crate) struct Crew {
    threads: Vec<(Sender<Batch>, JoinHandle<Share>)>,
    batch: Vec<Document>,
    shown: usize,
}

impl Crew {
    /// A crew for an empty collection; none where it would have nothing to do, or one processor would do everything.
    pub fn start(collection: &Collection) -> Option<Self> {
        let is_empty = collection.is_vacant() && collection.next_id == 0;
        // A function is asked when a document has its place.
        let asks = collection.definition.asks_functions();
        let is_useful = !collection.indexes.is_empty() && !asks && threads() > 1;
        (is_empty && is_useful).then(|| Crew::new(collection, threads())).flatten()
    }

    /// A crew of at most so many threads; none where they cannot be had.
    pub(super) fn new(collection: &Collection, most: usize) -> Option<Self> {
        let start = |share| {
            let (sender, receiver) = channel();
            let thread = thread::Builder::new().name("folio-build".into());
            Some((sender, thread.spawn(move || work(share, &receiver)).ok()?))
        };
        let threads: Option<Vec<_>> = collection.shares(most, 0).into_iter().map(start).collect();
        Some(Crew { threads: threads?, batch: Vec::new(), shown: 0 })
    }

    /// Hands a document on, under the next number from 0.
    pub fn show(&mut self, document: &Document) {
        self.batch.push(document.clone());
        self.shown += 1;
        if self.batch.len() == BATCH {
            self.send();
        }
    }

    /// How many were shown.
    pub fn shown(&self) -> usize {
        self.shown
    }

    fn send(&mut self) {
        let batch = Arc::new(std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH)));
        for (sender, _) in &self.threads {
            // A thread that is gone has panicked, which `shares` passes on.
            let _ = sender.send(batch.clone());
        }
    }

    /// Waits until every thread has looked at all documents.
    pub(super) fn shares(mut self) -> Vec<Share> {
        self.send();
        let threads = self.threads.into_iter().map(|(sender, thread)| {
            drop(sender);
            thread
        });
        // All are told that this was the end before one is waited for.
        let threads: Vec<_> = threads.collect();
        let join = |thread: JoinHandle<Share>| thread.join();
        let shares = threads.into_iter().map(join);
        shares.map(|share| share.unwrap_or_else(|panic| panic::resume_unwind(panic))).collect()
    }
}

fn work(mut share: Share, batches: &Receiver<Batch>) -> Share {
    let mut number = 0;
    for batch in batches {
        in_groups(
            batch.iter(),
            |document| document.fetch(),
            |document| {
                share.show(number, (document, document.view()), false);
                number += 1;
            },
        );
    }
    share
}
