//! What blocks of memory cost: an allocator hands out sizes of its own, larger than what is asked for. Who runs the
//! engine knows the allocator and says how it rounds; all sizes that the engine tells are of whole blocks.

use roaring::RoaringBitmap;

/// Bytes that a block takes of which so many are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Blocks {
    round: fn(usize) -> usize,
}

impl Default for Blocks {
    /// Blocks take what is asked for.
    fn default() -> Self {
        Blocks::new(|bytes| bytes)
    }
}

/// A bitmap's container: its key and where its contents are.
const CONTAINER_BYTES: usize = 32;
/// The contents of a container that is a bit for each of 65,536 ids.
const BITS_BYTES: usize = 8192;

impl Blocks {
    /// With `round` as the allocator's way to round.
    pub const fn new(round: fn(usize) -> usize) -> Self {
        Blocks { round }
    }

    /// A block of so many bytes; none is none.
    pub fn bytes(self, asked: usize) -> usize {
        if asked == 0 { 0 } else { (self.round)(asked) }
    }

    /// The block behind a vector.
    pub fn vec<T>(self, items: &Vec<T>) -> usize {
        self.bytes(items.capacity() * size_of::<T>())
    }

    /// The blocks behind a bitmap, about: its containers' capacities are known in sum only. The library's own sums are
    /// taken apart: it counts four bytes for each id in a list, where there are two, and a byte for each bit.
    pub fn bitmap(self, ids: &RoaringBitmap) -> usize {
        let stats = ids.statistics();
        let share = |bytes: usize, count: u32| bytes.checked_div(count as usize).unwrap_or(0);
        let array = share(stats.n_bytes_array_containers as usize / 2, stats.n_array_containers);
        let run = share(stats.n_bytes_run_containers as usize, stats.n_run_containers);
        let containers = match stats.n_containers as usize {
            0 => 0,
            // They grow by doubling, from four.
            count => count.next_power_of_two().max(4) * CONTAINER_BYTES,
        };
        self.bytes(containers)
            + self.bytes(array) * stats.n_array_containers as usize
            + self.bytes(run) * stats.n_run_containers as usize
            + self.bytes(BITS_BYTES) * stats.n_bitset_containers as usize
    }
}

/// Gives memory back of which three quarters are not needed any more. Half of what is kept is room, so that what goes
/// and comes again does not move everything each time.
pub fn release_room<T>(items: &mut Vec<T>) {
    if items.len() <= items.capacity() / 4 {
        items.shrink_to(items.len() * 2);
    }
}
