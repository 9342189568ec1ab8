//! The table of a collection: from document id to the document and the rest of its key after the prefix.
//!
//! Chunks of 64 ids, as in [`crate::index::idmap`]. The rests of the keys of a chunk stand one after the other in one
//! buffer, so that a key costs its bytes and four for where it ends.

use crate::doc::Document;
use crate::index::DocId;
use crate::index::idmap::{Chunk, Chunks, bit, place};
use crate::memory::{Blocks, release_room};

#[derive(Debug, Default)]
struct DocumentChunk {
    present: u64,
    documents: Vec<Document>,
    rest_ends: Vec<u32>,
    rests: Vec<u8>,
}

impl Chunk for DocumentChunk {
    fn present(&self) -> u64 {
        self.present
    }
}

impl DocumentChunk {
    fn find(&self, id: DocId) -> Option<usize> {
        (self.present & bit(id) != 0).then(|| place(self.present, id))
    }

    fn rest_start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.rest_ends[before] as usize)
    }

    fn rest(&self, at: usize) -> &[u8] {
        &self.rests[self.rest_start(at)..self.rest_ends[at] as usize]
    }

    fn remove(&mut self, id: DocId, at: usize) -> Document {
        let (start, end) = (self.rest_start(at), self.rest_ends[at]);
        self.rests.drain(start..end as usize);
        self.rest_ends.remove(at);
        let gone = end - start as u32;
        for later in &mut self.rest_ends[at..] {
            *later -= gone;
        }
        self.present &= !bit(id);
        let document = self.documents.remove(at);
        release_room(&mut self.rests);
        release_room(&mut self.rest_ends);
        release_room(&mut self.documents);
        document
    }
}

/// Documents by id.
#[derive(Debug, Default)]
pub struct Documents {
    chunks: Chunks<DocumentChunk>,
    document_bytes: u64,
    blocks: Blocks,
}

impl Documents {
    /// An empty table, which counts memory as `blocks` says.
    pub fn new(blocks: Blocks) -> Self {
        Documents { blocks, ..Documents::default() }
    }

    /// Bytes of the document's block.
    pub fn bytes_of(&self, document: &Document) -> u64 {
        self.blocks.bytes(document.bytes()) as u64
    }

    /// The document of `id`. O(1).
    pub fn get(&self, id: DocId) -> Option<&Document> {
        let chunk = self.chunks.get(id)?;
        chunk.find(id).map(|at| &chunk.documents[at])
    }

    /// The key of `id` without the prefix. O(1).
    pub fn rest(&self, id: DocId) -> Option<&[u8]> {
        let chunk = self.chunks.get(id)?;
        chunk.find(id).map(|at| chunk.rest(at))
    }

    /// Adds a document under an id above all before.
    pub fn push(&mut self, id: DocId, rest: &[u8], document: Document) {
        self.document_bytes += self.bytes_of(&document);
        let before = id.checked_sub(1).and_then(|before| self.chunks.get(before));
        let rests = before.filter(|chunk| chunk.present == u64::MAX).map(|chunk| chunk.rests.len());
        let chunk = self.chunks.get_or_make(id);
        debug_assert!(chunk.present >> (id % 64) == 0, "ids ascend");
        if chunk.present == 0
            && let Some(rests) = rests
        {
            // After a full chunk comes another one.
            chunk.documents.reserve_exact(64);
            chunk.rest_ends.reserve_exact(64);
            chunk.rests.reserve_exact(rests);
        }
        chunk.present |= bit(id);
        chunk.documents.push(document);
        chunk.rests.extend_from_slice(rest);
        chunk.rest_ends.push(chunk.rests.len() as u32);
        if id % 64 == 63 {
            chunk.rests.shrink_to_fit();
        }
    }

    /// Puts another document in the place of the one of `id`, which must be there.
    pub fn replace(&mut self, id: DocId, document: Document) {
        let bytes = self.bytes_of(&document);
        let held = self.chunks.get_mut(id).and_then(|chunk| {
            let at = chunk.find(id)?;
            chunk.documents.get_mut(at)
        });
        let Some(held) = held else { return };
        let before = std::mem::replace(held, document);
        self.document_bytes += bytes;
        self.document_bytes -= self.bytes_of(&before);
    }

    /// Takes the document of `id` out.
    pub fn remove(&mut self, id: DocId) -> Option<Document> {
        let chunk = self.chunks.get_mut(id)?;
        let at = chunk.find(id)?;
        let document = chunk.remove(id, at);
        if chunk.present == 0 {
            self.chunks.release(id);
        }
        self.document_bytes -= self.bytes_of(&document);
        Some(document)
    }

    /// Bytes of the documents themselves, which the keyspace shares.
    pub fn document_bytes(&self) -> u64 {
        self.document_bytes
    }

    /// Bytes of the table. O(chunks).
    pub fn heap_bytes(&self) -> usize {
        let blocks = self.blocks;
        let chunks = self.chunks.iter().map(|chunk| {
            blocks.vec(&chunk.documents) + blocks.vec(&chunk.rest_ends) + blocks.vec(&chunk.rests)
        });
        chunks.sum::<usize>() + self.chunks.frame_bytes(blocks)
    }
}
