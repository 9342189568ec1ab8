//! The machine: whose processors run what, what a process has used of them, and how a report names it all.

use std::fs;
use std::process::{self, Command};
use std::thread;

use serde_json::{Value as Json, json};

/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// Seconds of processor time that all threads of a process have used, as its scheduler counts them, to the nanosecond.
///
/// # Panics
/// There is no such process.
pub fn cpu_seconds(process: u64) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let of_task = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0)
    };
    tasks.flatten().map(of_task).sum::<f64>() / NANOS
}

/// Gives a server the first processor and this process the others, where there are several. Whether it was done.
pub fn pin(server: u64) -> bool {
    let count = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let set = |process: u64, processors: &str| {
        let words = ["-acp", processors, &process.to_string()];
        Command::new("taskset").args(words).output().is_ok_and(|output| output.status.success())
    };
    let own = u64::from(process::id());
    count > 1 && set(server, "0") && set(own, &format!("1-{}", count - 1))
}

/// A report: what was measured, on what, when, and of which commit.
pub fn report(benchmark: &str, server: &str, results: &[Json]) -> Json {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> =
        cpus.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let model = models.first().map_or("", |model| model.trim_start_matches(['\t', ' ', ':']));
    json!({
        "benchmark": benchmark,
        "machine": format!("{} x {model}, {}", models.len(), output("uname", &["-srm"])),
        "load_average": fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        "date": output("date", &["--utc", "+%Y-%m-%dT%H:%M:%SZ"]),
        "commit": output("git", &["rev-parse", "HEAD"]),
        "server": server,
        "results": results,
    })
}
