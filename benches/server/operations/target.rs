//! A server that is measured, and those who ask it.

use folio_benches::driver::{Driver, Packed, pack};
use folio_benches::machine;
use folio_tests::{Client, users};

/// Connections for commands on single documents, and how many each sends at once.
const CONNECTIONS: usize = 50;
const PIPELINE: usize = 16;
/// Connections for queries, which wait for each answer.
const ASKERS: usize = 10;
/// Commands that are made ready at once: whole rounds of all connections, and little memory beside a million documents.
const READY: usize = CONNECTIONS * PIPELINE * 60;
/// Commands that a figure is made of at most, where it does not fill the server.
const SAMPLE: usize = 200_000;

/// A server's process, with connections to it.
pub struct Target {
    process: u64,
    many: Driver,
    few: Driver,
}

impl Target {
    /// Connects to the server at an address. It has a processor of its own from now on, where there are two.
    pub fn connect(url: &str, process: u64) -> Self {
        if !machine::pin(process) {
            println!(
                "the server shares its processor with this program: figures are for orientation"
            );
        }
        let many = Driver::connect(url, CONNECTIONS);
        Target { process, many, few: Driver::connect(url, ASKERS) }
    }

    /// Microseconds of the server's processor time for each of the commands, sent many at once.
    pub fn pipelined(&mut self, commands: impl IntoIterator<Item = Packed>) -> f64 {
        let many = &mut self.many;
        measured(self.process, commands, |ready| many.run(ready, PIPELINE))
    }

    /// The same of commands each of which waits for the answer to the one before.
    pub fn one_by_one(&mut self, commands: impl IntoIterator<Item = Packed>) -> f64 {
        let few = &mut self.few;
        measured(self.process, commands, |ready| few.run(ready, 1))
    }
}

/// Sends commands some at a time; the server's time counts only while it is sent some.
fn measured(
    process: u64,
    commands: impl IntoIterator<Item = Packed>,
    mut run: impl FnMut(&[Packed]),
) -> f64 {
    let mut commands = commands.into_iter();
    let (mut seconds, mut count) = (0.0, 0);
    loop {
        let ready: Vec<Packed> = commands.by_ref().take(READY).collect();
        if ready.is_empty() {
            return seconds * 1e6 / count as f64;
        }
        count += ready.len();
        let before = machine::cpu_seconds(process);
        run(&ready);
        seconds += machine::cpu_seconds(process) - before;
    }
}

/// So many documents of workload U.
#[derive(Clone, Copy)]
pub struct Users {
    /// How many.
    pub count: u64,
}

impl Users {
    /// A command for each, in an order that no table has.
    pub fn all(self, words: impl Fn(u64) -> Vec<String>) -> impl Iterator<Item = Packed> {
        let step = 48_271;
        (0..self.count).map(move |n| pack(&words(n * step % self.count)))
    }

    /// A command for some of them, enough for a steady figure.
    pub fn some(self, words: impl Fn(u64) -> Vec<String>) -> impl Iterator<Item = Packed> {
        self.all(words).take(SAMPLE)
    }
}

/// The words of a command.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// `SET` and its like: a verb, the key, the text after so many changes.
pub fn write(verb: &'static str, revision: u64) -> impl Fn(u64) -> Vec<String> {
    move |n| words([verb, &users::key(n), &users::revised(n, revision)])
}

/// Another biography of the same length, which does not stand there already.
pub fn biography(n: u64) -> String {
    format!("{n:0>233}")
}

/// Bytes that a server has in use, without what its clients take: their buffers would count as documents where there are few.
pub fn used_memory(client: &mut Client) -> f64 {
    // INFO has a sum of these, which is a second old.
    let clients = client.text(&["CLIENT", "LIST"]).unwrap_or_default();
    let of_clients = clients.split_whitespace().filter_map(|word| word.strip_prefix("tot-mem="));
    let of_clients: i64 = of_clients.filter_map(|bytes| bytes.parse::<i64>().ok()).sum();
    (client.info_number("memory", "used_memory") - of_clients) as f64
}
