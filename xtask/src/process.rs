//! Which process keeps its data in a folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell;

/// Where the server in this folder notes its process.
pub fn pid_file(folder: &Path) -> PathBuf {
    folder.join("server.pid")
}

/// The server that works in this folder: the one of its pid file, or, where the system tells, one started by hand.
pub fn server_in(folder: &Path) -> Option<u32> {
    let noted = fs::read_to_string(pid_file(folder)).ok();
    let noted: Option<u32> = noted.and_then(|text| text.trim().parse().ok());
    let is_there = |pid: &u32| works_in(*pid, folder) != Some(false) && is_server(*pid);
    noted.filter(is_there).or_else(|| {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.find(|pid| works_in(*pid, folder) == Some(true) && is_server(*pid))
    })
}

/// A server makes its data's folder the one it works in; none where the system does not tell. A process that has
/// ended works nowhere, even if nobody has asked for its status yet.
fn works_in(pid: u32, folder: &Path) -> Option<bool> {
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(there) => Some(there == fs::canonicalize(folder).ok()?),
        Err(error) if error.kind() == ErrorKind::NotFound && Path::new("/proc/self").exists() => {
            Some(false)
        }
        Err(_) => None,
    }
}

/// Whether the process lives and is a server.
fn is_server(pid: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).or_else(|_| {
        shell::output(Command::new("ps").args(["-o", "comm=", "-p", &pid.to_string()]))
    });
    name.is_ok_and(|name| name.contains("redis") || name.contains("valkey"))
}
