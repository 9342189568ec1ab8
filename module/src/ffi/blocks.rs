//! How the server's allocator rounds, so that what Folio says of its memory is what `used_memory` counts.
//!
//! ```text
//!   up to 1,024 bytes    asked of the allocator when the module is loaded, eight bytes apart
//!   beyond               jemalloc: four sizes between a power of two and the next;
//!                        else as the C library does: whole 16 bytes, of which eight are its own
//! ```

use std::sync::OnceLock;

use folio_engine::Blocks;
use folio_engine::doc::Document;

/// Sizes up to here are learned.
const LEARNED_MAX: usize = 1024;
/// No allocator has sizes closer to each other.
const STEP: usize = 8;
/// The header of a value and the one of a module's value, which the server does not count where it counts the value.
const SERVER_BOXES: [usize; 2] = [16, 16];

/// What a block of each multiple of eight takes.
static LEARNED: OnceLock<Vec<usize>> = OnceLock::new();

/// Asks the allocator for its sizes. Called once, when the module is loaded.
pub(super) fn learn() {
    LEARNED.get_or_init(|| (STEP..=LEARNED_MAX).step_by(STEP).map(measured).collect());
}

/// The allocator's sizes, for those who count.
pub(crate) fn blocks() -> Blocks {
    Blocks::new(rounded)
}

/// What a document costs besides its key and the key's place: its block, and the server's two boxes around it.
pub(super) fn value_bytes(document: &Document) -> usize {
    SERVER_BOXES.map(rounded).iter().sum::<usize>() + rounded(document.bytes())
}

fn measured(bytes: usize) -> usize {
    let alloc = api!(RedisModule_Alloc);
    // SAFETY: table: any size is allowed; the server ends where there is no memory.
    let block = unsafe { alloc(bytes) };
    let size_of = api!(RedisModule_MallocSize);
    // SAFETY: owned: a live block.
    let size = unsafe { size_of(block) };
    let free = api!(RedisModule_Free);
    // SAFETY: owned: made above, freed once.
    unsafe { free(block) };
    size
}

fn rounded(bytes: usize) -> usize {
    let Some(learned) = LEARNED.get() else { return bytes };
    if let Some(size) = learned.get(bytes.saturating_sub(1) / STEP) {
        return *size;
    }
    if learned.last() == Some(&LEARNED_MAX) {
        spaced(bytes)
    } else {
        (bytes + 8).next_multiple_of(16) - 8
    }
}

/// jemalloc's sizes (its manual, "Size classes"): between two powers of two, three more, evenly apart.
fn spaced(bytes: usize) -> usize {
    let below = (bytes - 1).ilog2();
    bytes.next_multiple_of(1 << (below - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_manual() {
        for (asked, size) in [
            (1025, 1280),
            (1280, 1280),
            (1281, 1536),
            (1793, 2048),
            (2048, 2048),
            (2049, 2560),
            (16_384, 16_384),
            (16_385, 20_480),
            (7_340_033, 8 << 20),
        ] {
            assert_eq!(spaced(asked), size, "{asked}");
        }
    }
}
