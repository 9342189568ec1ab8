//! The server's allocator, so that `used_memory`, `maxmemory` and `MEMORY USAGE` see what Folio holds.
//!
//! Where there is no server (unit tests, programs that link the rlib) the table of functions is empty and the
//! system's allocator serves. The two never mix: in a server the table is filled by `RedisModule_Init`, the first
//! thing that `RedisModule_OnLoad` does, before anything was allocated; elsewhere it stays empty.
//!
//! The server's allocator aligns to 16 bytes, and smaller blocks to their size. Sizes are therefore rounded up to
//! their alignment, and the rare larger alignment is cut out of a larger block, whose start stands just before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::ptr;

use redis_module::raw;

/// What the server's allocator aligns blocks of at least that size to.
const ALIGN_MAX: usize = 16;

struct ServerAlloc;

#[global_allocator]
static ALLOCATOR: ServerAlloc = ServerAlloc;

/// The bytes to ask for, so that a block of them is aligned as `layout` wants.
fn rounded(size: usize, layout: Layout) -> usize {
    size.next_multiple_of(layout.align())
}

/// A block for an alignment that the server's allocator does not give.
fn over_aligned(block: *mut c_void, layout: Layout) -> *mut u8 {
    if block.is_null() {
        return ptr::null_mut();
    }
    let start = block.cast::<u8>();
    // Past the block's start by one to `align` bytes, so there is room for a pointer before it.
    let offset = layout.align() - (start.addr() & (layout.align() - 1));
    let aligned = start.wrapping_add(offset);
    // SAFETY: it lies within the block: offset is at least 16, as both addresses are multiples of 16.
    unsafe { home_of(aligned).write(block) };
    aligned
}

/// Where the start of the block around an over-aligned address is kept.
#[expect(clippy::cast_ptr_alignment, reason = "the address is aligned to more than 16 bytes")]
fn home_of(aligned: *mut u8) -> *mut *mut c_void {
    aligned.cast::<*mut c_void>().wrapping_sub(1)
}

// SAFETY: both allocators behind it satisfy the contract; a block goes back to the one that it came from, because
// the table of functions is filled before the first allocation or never.
unsafe impl GlobalAlloc for ServerAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: written once, before the first allocation.
        let table = unsafe { raw::RedisModule_Alloc };
        let Some(alloc) = table else {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.alloc(layout) };
        };
        if layout.align() <= ALIGN_MAX {
            // SAFETY: any size is allowed.
            return unsafe { alloc(rounded(layout.size(), layout)) }.cast();
        }
        // SAFETY: any size is allowed.
        let block = unsafe { alloc(layout.size() + layout.align()) };
        over_aligned(block, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: written once, before the first allocation.
        let table = unsafe { raw::RedisModule_Calloc };
        let Some(calloc) = table else {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.alloc_zeroed(layout) };
        };
        if layout.align() <= ALIGN_MAX {
            // SAFETY: any size is allowed.
            return unsafe { calloc(1, rounded(layout.size(), layout)) }.cast();
        }
        // SAFETY: any size is allowed.
        let block = unsafe { calloc(1, layout.size() + layout.align()) };
        over_aligned(block, layout)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: written once, before the first allocation.
        let table = unsafe { raw::RedisModule_Free };
        let Some(free) = table else {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.dealloc(start, layout) };
        };
        let block = if layout.align() <= ALIGN_MAX {
            start.cast()
        } else {
            // SAFETY: `over_aligned` wrote the block's start there.
            unsafe { home_of(start).read() }
        };
        // SAFETY: the block is the server's, by the type's invariant.
        unsafe { free(block) };
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: written once, before the first allocation.
        let table = unsafe { raw::RedisModule_Realloc };
        let Some(realloc) = table else {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.realloc(start, layout, size) };
        };
        if layout.align() <= ALIGN_MAX {
            // SAFETY: the block is the server's, by the type's invariant.
            return unsafe { realloc(start.cast(), rounded(size, layout)) }.cast();
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        // SAFETY: the size is not zero, by the caller's promise.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both blocks hold that many bytes and are distinct.
            unsafe { ptr::copy_nonoverlapping(start, moved, layout.size().min(size)) };
            // SAFETY: the caller's promise, passed on.
            unsafe { self.dealloc(start, layout) };
        }
        moved
    }
}
