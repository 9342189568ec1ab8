//! How long a server takes to load documents, and how much it saves: `cargo run --release -p folio-benches --bin load`.
//!
//! Workload U with its six indexes in one server, the same JSON as plain strings in another without the module. Both save,
//! and start again on their file several times, in turns; a median of each is set against the other's. Seconds are those
//! that the server logs as "DB loaded from disk", the indexes built; CPU is the process's from its start until it answers.
//! The module must be built before: `cargo build --release -p folio-module`.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use comfy_table::Table;
use folio_benches::machine;
use folio_tests::{Client, Options, Server, users};
use redis::ConnectionLike;
use serde_json::json;

/// Commands that are sent without waiting for answers.
const PIPELINE: u64 = 1_000;

#[derive(Parser)]
struct Arguments {
    /// Numbers of documents
    #[arg(long, value_delimiter = ',', default_value = "100000,1000000")]
    documents: Vec<u64>,
    /// Starts of each server, of which the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// A line of both servers' configuration, such as `rdbcompression=no`
    #[arg(long)]
    config: Vec<String>,
    /// Also writes the figures, the machine, the date and the commit to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What one server costs.
struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    file_bytes: u64,
    memory_bytes: u64,
    /// The highest resident size of the process, as parts of the memory in use at the end.
    peak: f64,
}

fn main() {
    let arguments = Arguments::parse();
    let mut table = Table::new();
    table.set_header(["documents", "", "strings", "documents, six indexes", "ratio"]);
    let mut results = Vec::new();
    for documents in &arguments.documents {
        let (strings, indexed) = measure(*documents, &arguments);
        for (name, figure) in LINES {
            let (a, b) = (figure(&strings), figure(&indexed));
            table.add_row([
                documents.to_string(),
                name.to_owned(),
                format!("{a:.3}"),
                format!("{b:.3}"),
                format!("{:.2}", b / a),
            ]);
            results.push(json!({"documents": documents, "figure": name, "strings": a, "indexed": b, "ratio": b / a}));
        }
    }
    println!("{table}");
    if let Some(path) = arguments.json {
        let version = Server::start().resp2().info("server", "redis_version");
        let text = format!("{:#}\n", machine::report("load", &version, &results));
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

type Line = (&'static str, fn(&Figures) -> f64);

const LINES: [Line; 5] = [
    ("load, seconds", |figures| figures.seconds),
    ("load, seconds of CPU", |figures| figures.cpu_seconds),
    ("file, MB", |figures| figures.file_bytes as f64 / 1e6),
    ("used_memory, MB", |figures| figures.memory_bytes as f64 / 1e6),
    ("highest resident size / used_memory", |figures| figures.peak),
];

/// Fills two servers and starts them again and again, in turns.
fn measure(documents: u64, arguments: &Arguments) -> (Figures, Figures) {
    let mut options = Options::new();
    for line in &arguments.config {
        let (name, value) = line.split_once('=').expect("a setting is given as name=value");
        options = options.config(name, value);
    }
    let mut strings = options.clone().without_module().start();
    fill(&strings, "SET", documents);
    let mut indexed = options.start();
    let create: Vec<&str> = users::CREATE.split_whitespace().collect();
    indexed.resp2().call(&create);
    fill(&indexed, "DOC.SET", documents);
    for server in [&strings, &indexed] {
        server.resp2().call(&["SAVE"]);
    }
    let (mut of_strings, mut of_indexed) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        of_strings.push(start(&mut strings));
        of_indexed.push(start(&mut indexed));
    }
    assert_eq!(indexed.resp2().int(&["DOC.COUNT", "users"]), documents as i64);
    (median(&of_strings), median(&of_indexed))
}

fn fill(server: &Server, command: &str, documents: u64) {
    let client = redis::Client::open(server.url()).expect("the address is well formed");
    let mut connection = client.get_connection().expect("the server answers");
    for from in (0..documents).step_by(PIPELINE as usize) {
        let mut packed = Vec::new();
        for n in from..documents.min(from + PIPELINE) {
            packed.extend(
                redis::cmd(command).arg(users::key(n)).arg(users::json(n)).get_packed_command(),
            );
        }
        let count = documents.min(from + PIPELINE) - from;
        let answers = connection.req_packed_commands(&packed, 0, count as usize);
        answers.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

/// Starts a server again on its file.
fn start(server: &mut Server) -> Figures {
    server.restart_without_saving();
    let mut client = server.resp2();
    let seconds = loaded_seconds(&server.log());
    let used = number(&mut client, "memory", "used_memory");
    let process = number(&mut client, "server", "process_id") as u64;
    Figures {
        seconds,
        cpu_seconds: machine::cpu_seconds(process),
        file_bytes: fs::metadata(server.folder().join("dump.rdb")).map_or(0, |file| file.len()),
        memory_bytes: used as u64,
        peak: peak_bytes(process) / used,
    }
}

/// The seconds of the log's last "DB loaded from disk: 1.234 seconds".
fn loaded_seconds(log: &str) -> f64 {
    let (_, after) =
        log.rsplit_once("DB loaded from disk: ").expect("the server has loaded a file");
    let word = after.split(' ').next().unwrap_or_default();
    word.parse().expect("seconds are a number")
}

fn number(client: &mut Client, section: &str, field: &str) -> f64 {
    let info = client.text(&["INFO", section]).unwrap_or_default();
    let of_field = |line: &str| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok();
    info.lines().find_map(of_field).unwrap_or_else(|| panic!("INFO {section} has no {field}"))
}

/// The highest resident size. The server looks at its own peak only between keys, not while indexes are built.
fn peak_bytes(process: u64) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kilobytes: f64 = line.trim_end_matches(" kB").trim().parse().unwrap_or(0.0);
    kilobytes * 1024.0
}

/// Each figure's median.
fn median(all: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| folio_benches::median(all.iter().map(figure));
    Figures {
        seconds: of(|figures| figures.seconds),
        cpu_seconds: of(|figures| figures.cpu_seconds),
        file_bytes: of(|figures| figures.file_bytes as f64) as u64,
        memory_bytes: of(|figures| figures.memory_bytes as f64) as u64,
        peak: of(|figures| figures.peak),
    }
}
