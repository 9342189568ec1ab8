//! A load takes hardly more than what it leaves.
//!
//! The server looks at its own peak only between keys, not while indexes are built at the end; so the process's highest
//! resident size is what counts, against the memory in use afterwards. It holds the program too and what the allocator
//! loses between blocks: some 22 MB, and a few parts of a hundred.

use std::fs;

use folio_tests::{Options, Server, users};

use crate::{declare_users, send, set};

const DOCUMENTS: u64 = 50_000;
/// What the process takes besides: its program and libraries.
const PROGRAM_BYTES: f64 = 22e6;
/// The highest size as parts of what is in use after the load, as the server tells it.
const TOLD_MAX: f64 = 1.25;
/// The same of the whole process; 1.20 to 1.27 was seen.
const PEAK_MAX: f64 = 1.4;

/// The highest resident size of a server's process in bytes; none where the system does not tell.
fn peak_bytes(server: &Server) -> Option<f64> {
    let process = server.resp2().info_number("server", "process_id");
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
}

#[test]
fn a_load_takes_hardly_more_than_what_it_leaves() {
    let mut server = Options::new().start();
    declare_users(&mut server.resp2());
    send(&server, (0..DOCUMENTS).map(|n| set(users::key(n), users::json(n))));
    server.restart();
    let mut c = server.resp2();
    assert_eq!(c.int(&["DOC.COUNT", "users"]), DOCUMENTS as i64);
    let used = c.info_number("memory", "used_memory") as f64;
    let told = c.info_number("memory", "used_memory_peak") as f64 / used;
    assert!(told <= TOLD_MAX, "the server tells a peak of {told:.2}");
    let Some(peak) = peak_bytes(&server) else { return };
    let peak = (peak - PROGRAM_BYTES) / used;
    println!("peak of a load: {peak:.3}, told {told:.3} of what is in use after it, {used} bytes");
    assert!(peak <= PEAK_MAX, "{peak:.2} times what is in use after the load");
}
