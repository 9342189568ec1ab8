//! What commands cost a server: `cargo xtask bench`, or `cargo run --release -p folio-benches --bin operations`.
//!
//! ```text
//! writes, queries    Folio, against plain strings                 target    the server and who asks it
//! by_hand            the same with scripts and sets               table     figures, yardsticks, goals
//! peer               the same by other modules, if one has them   report    tables, printed and Markdown
//! sizes              documents of 100 bytes to 64 KB              plots     drawings
//! tool               what redis-benchmark sees
//! ```
//! Workload U. Each figure is the processor time of the whole server process over the commands sent, set against that of a plain
//! SET or GET of the same bytes on the same server in the same run. Every round does everything once, from an empty server on;
//! the median of the rounds counts. The server has one processor and this program another, where there are two.
//! The module must be built before: `cargo build --release -p folio-module`.

#![forbid(unsafe_code)]

mod by_hand;
mod peer;
mod plots;
mod queries;
mod report;
mod sizes;
mod table;
mod target;
mod tool;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use folio_benches::machine;
use folio_tests::{Client, Options, Server};

use table::{Figure, Figures};
use target::{Target, Users};

#[derive(Parser)]
struct Arguments {
    /// Numbers of documents
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    documents: Vec<u64>,
    /// How often everything is done; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also writes the figures, the machine, the date and the commit to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also draws the figures, as SVG files in this folder
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Also writes the tables to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// A server with the module.
struct Bench {
    server: Server,
    target: Target,
    users: Users,
}

/// All figures over one number of documents.
struct Run {
    documents: u64,
    rows: Vec<Figure>,
}

impl Bench {
    fn start(documents: u64) -> Self {
        let server = Options::new().config("save", "").start();
        let process = server.resp2().info_number("server", "process_id") as u64;
        let target = Target::connect(server.url(), process);
        Bench { server, target, users: Users { count: documents } }
    }

    /// An empty server, with these declarations.
    fn empty(&self, declarations: &[&str]) {
        let mut client = self.client();
        client.call(&["FLUSHALL", "SYNC"]);
        for name in client.texts(&["DOC.LIST"]) {
            client.call(&["DOC.DROP", &name]);
        }
        for declaration in declarations {
            client.call(&declaration.split_whitespace().collect::<Vec<_>>());
        }
    }

    fn client(&self) -> Client {
        self.server.resp2()
    }

    fn used_memory(&self) -> f64 {
        target::used_memory(&mut self.client())
    }

    /// The bytes that each document takes more than the server had in use before.
    fn bytes_each(&self, before: f64) -> f64 {
        (self.used_memory() - before) / self.users.count as f64
    }
}

fn main() {
    let arguments = Arguments::parse();
    let mut runs = Vec::new();
    for (n, documents) in arguments.documents.iter().enumerate() {
        let is_last = n + 1 == arguments.documents.len();
        let run = measure(*documents, arguments.rounds, is_last);
        println!("{documents} documents\n");
        for grid in report::grids(&run) {
            println!("{}", grid.printed());
        }
        runs.push(run);
    }
    if let Some(growth) = report::growth(&runs) {
        println!("{}", growth.printed());
    }
    if let Some(path) = &arguments.markdown {
        write(path, &report::markdown(&runs));
    }
    if let Some(path) = &arguments.json {
        let version = Server::start().resp2().info("server", "redis_version");
        let results: Vec<_> = runs
            .iter()
            .flat_map(|run| run.rows.iter().map(|row| row.json(run.documents)))
            .collect();
        let report = machine::report("operations", &version, &results);
        write(path, &format!("{report:#}\n"));
    }
    if let Some(folder) = &arguments.plots {
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        plots::draw(folder, &runs).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    }
}

/// Everything over so many documents. What does not depend on their number is measured with the last one.
fn measure(documents: u64, rounds: usize, is_last: bool) -> Run {
    let mut bench = Bench::start(documents);
    let mut figures = Figures::default();
    for _ in 0..rounds {
        writes::measure(&mut bench, &mut figures);
        let found = queries::measure(&mut bench, &mut figures);
        by_hand::measure(&mut bench, &mut figures, &found);
        if is_last {
            sizes::measure(&mut bench, &mut figures);
            tool::measure(&mut bench, &mut figures);
        }
        peer::measure(bench.users, &mut figures, &found);
    }
    Run { documents, rows: figures.rows() }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
