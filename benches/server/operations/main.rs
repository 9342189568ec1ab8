//! What commands cost a server: `cargo xtask bench`, or `cargo run --release -p folio-benches --bin operations`.
//!
//! Workload U. Each figure is the processor time of the whole server process over the commands sent, set against that of a plain
//! SET or GET of the same bytes on the same server in the same run. Every round does everything once, from an empty server on;
//! the median of the rounds counts. The server has one processor and this program another, where there are two.
//! The module must be built before: `cargo build --release -p folio-module`.

#![forbid(unsafe_code)]

mod queries;
mod table;
mod writes;

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use folio_benches::driver::{Driver, Packed};
use folio_benches::machine;
use folio_tests::{Options, Server};

use table::{Figure, Figures};

/// Connections for commands on single documents, and how many each sends at once.
const CONNECTIONS: usize = 50;
const PIPELINE: usize = 16;
/// Connections for queries, which wait for each answer.
const ASKERS: usize = 10;

#[derive(Parser)]
struct Arguments {
    /// Numbers of documents
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    documents: Vec<u64>,
    /// How often everything is done; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also writes the figures, the machine, the date and the commit to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A server, and those who ask it.
struct Bench {
    server: Server,
    process: u64,
    many: Driver,
    few: Driver,
    documents: u64,
}

impl Bench {
    fn start(documents: u64) -> Self {
        let server = Options::new().config("save", "").start();
        let process = server.resp2().info_number("server", "process_id") as u64;
        if !machine::pin(process) {
            println!(
                "the server shares its processor with this program: figures are for orientation"
            );
        }
        let many = Driver::connect(server.url(), CONNECTIONS);
        let few = Driver::connect(server.url(), ASKERS);
        Bench { server, process, many, few, documents }
    }

    /// An empty server, with these declarations.
    fn empty(&self, declarations: &[&str]) {
        let mut client = self.server.resp2();
        client.call(&["FLUSHALL", "SYNC"]);
        for name in client.texts(&["DOC.LIST"]) {
            client.call(&["DOC.DROP", &name]);
        }
        for declaration in declarations {
            client.call(&declaration.split_whitespace().collect::<Vec<_>>());
        }
    }

    /// Microseconds of the server's processor time for each of the commands, sent many at once.
    fn pipelined(&mut self, commands: &[Packed]) -> f64 {
        let before = machine::cpu_seconds(self.process);
        self.many.run(commands, PIPELINE);
        (machine::cpu_seconds(self.process) - before) * 1e6 / commands.len() as f64
    }

    /// The same of commands each of which waits for the answer to the one before.
    fn one_by_one(&mut self, commands: &[Packed]) -> f64 {
        let before = machine::cpu_seconds(self.process);
        self.few.run(commands, 1);
        (machine::cpu_seconds(self.process) - before) * 1e6 / commands.len() as f64
    }

    fn used_memory(&self) -> f64 {
        self.server.resp2().info_number("memory", "used_memory") as f64
    }

    /// The numbers of all documents, in an order that no table has.
    fn scattered(&self) -> impl Iterator<Item = u64> {
        let (count, step) = (self.documents, 48_271);
        (0..count).map(move |n| n * step % count)
    }
}

fn main() {
    let arguments = Arguments::parse();
    let mut results = Vec::new();
    for documents in &arguments.documents {
        let mut bench = Bench::start(*documents);
        let mut figures = Figures::default();
        for _ in 0..arguments.rounds {
            writes::measure(&mut bench, &mut figures);
            queries::measure(&mut bench, &mut figures);
        }
        let rows: Vec<Figure> = figures.rows();
        println!("{documents} documents\n{}", table::printed(&rows));
        results.extend(rows.iter().map(|row| row.json(*documents)));
    }
    if let Some(path) = arguments.json {
        let version = Server::start().resp2().info("server", "redis_version");
        let text = format!("{:#}\n", machine::report("operations", &version, &results));
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
