//! What redis-benchmark sees: requests a second and the median time of each, by the clock. For orientation: the tool takes as
//! much time as the server, and the machine's other work counts.
//!
//! It puts random numbers into commands, and draws each by itself: a document's address is not its key's. So email has an
//! index here that is not unique, and what a write changes is the address alone.

use std::process::Command;

use folio_tests::users;

use super::Bench;
use super::table::{Figures, Part, against, yardstick};
use super::target::words;

/// What the tool replaces by twelve digits.
const RANDOM: &str = "__rand_int__";
/// Documents, and requests of each kind, at most.
const DOCUMENTS: u64 = 100_000;
const REQUESTS: u64 = 200_000;
const QUERIES: u64 = 20_000;
/// The units.
pub const RATE: &str = "requests/s";
pub const MILLIS: &str = "ms";

const SET: &str = "SET, over";
const GET: &str = "GET";
const GET_ONE: &str = "GET, unpipelined";

/// A run of the tool: its name, the one that it is set against, and how many requests wait for answers at once on each
/// connection.
struct Test {
    name: &'static str,
    yard: Option<&'static str>,
    pipeline: u64,
    words: Vec<String>,
}

/// The name of a test's requests a second, and of their median time.
fn names(test: &str) -> [String; 2] {
    [format!("redis-benchmark: {test}"), format!("redis-benchmark: {test}, median")]
}

/// All tests, or a line that says that there is no such tool.
pub fn measure(bench: &mut Bench, figures: &mut Figures) {
    if Command::new("redis-benchmark").arg("--version").output().is_err() {
        println!("redis-benchmark: not measured: there is no such program");
        return;
    }
    let key = format!("users:{RANDOM}");
    let text = users::json(7).replace("user.0000007@", &format!("user.{RANDOM}@"));
    let indexed = users::CREATE.replace("UNIQUE", "INDEX SET");
    let set = |verb| words([verb, &key, &text]);
    let get = |verb| words([verb, &key]);
    let many = |name, yard, words| Test { name, yard, pipeline: 16, words };
    let one = |name, yard, words| Test { name, yard, pipeline: 1, words };
    fill(bench, "SET", &[]);
    run(bench, figures, &one(GET_ONE, None, get("GET")));
    run(bench, figures, &many(GET, None, get("GET")));
    run(bench, figures, &many(SET, None, set("SET")));
    fill(bench, "DOC.SET", &[]);
    run(bench, figures, &many("DOC.SET over, no index", Some(SET), set("DOC.SET")));
    fill(bench, "DOC.SET", &[&indexed]);
    run(bench, figures, &many("DOC.GET", Some(GET), get("DOC.GET")));
    let count = words(["DOC.COUNT", "users", "WHERE", "age BETWEEN 30 AND 40"]);
    run(bench, figures, &one("DOC.COUNT of an age range", Some(GET_ONE), count));
    let find = ["DOC.FIND", "users", "WHERE", "city = 'City 07'", "LIMIT", "0", "10"];
    run(bench, figures, &one("DOC.FIND of a city, ten", Some(GET_ONE), words(find)));
    run(bench, figures, &many("DOC.SET over, six indexes", Some(SET), set("DOC.SET")));
}

/// Documents under the keys that the tool will ask for.
fn fill(bench: &mut Bench, verb: &'static str, declarations: &[&str]) {
    bench.empty(declarations);
    let users = super::Users { count: documents(bench) };
    let set = move |n: u64| words([verb, &format!("users:{n:012}"), &users::json(n)]);
    bench.target.pipelined(users.all(set));
}

fn documents(bench: &Bench) -> u64 {
    bench.users.count.min(DOCUMENTS)
}

fn run(bench: &Bench, figures: &mut Figures, test: &Test) {
    let (_, port) = bench.server.url().rsplit_once(':').expect("an address ends with a port");
    let requests = if test.pipeline == 1 { QUERIES } else { REQUESTS };
    let numbers = [requests, documents(bench), test.pipeline].map(|number| number.to_string());
    let output = Command::new("redis-benchmark")
        .args(["-p", port, "-c", "50", "-n", &numbers[0], "-r", &numbers[1], "-P", &numbers[2]])
        .arg("--csv")
        .args(&test.words)
        .output()
        .expect("the program was there a moment ago");
    let shown = String::from_utf8_lossy(&output.stdout);
    let Some((rate, median)) = figures_of(&shown) else {
        let error = String::from_utf8_lossy(&output.stderr);
        println!("redis-benchmark: {}: not measured: {shown}{error}", test.name);
        return;
    };
    let yards = test.yard.map(names);
    for (n, (unit, value)) in [(RATE, rate), (MILLIS, median)].into_iter().enumerate() {
        let name = &names(test.name)[n];
        let what = match &yards {
            Some(yards) => against(name, &yards[n]),
            None => yardstick(name),
        };
        figures.take(what.part(Part::Tool).unit(unit), value);
    }
}

/// Requests a second and the median in milliseconds. The command comes first in its line and may hold anything, so the
/// figures are counted from the line's end.
fn figures_of(csv: &str) -> Option<(f64, f64)> {
    let mut lines = csv.lines().filter(|line| !line.trim().is_empty());
    let column = |line: &str, name: &str| {
        line.rsplit(',').position(|column| column.trim_matches('"') == name)
    };
    let header = lines.next()?;
    let (rate, median) = (column(header, "rps")?, column(header, "p50_latency_ms")?);
    let line = lines.next_back()?;
    let number = |from_end| line.rsplit(',').nth(from_end)?.trim_matches('"').parse().ok();
    Some((number(rate)?, number(median)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_behind_a_command_with_commas() {
        let header = r#""test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms""#;
        let line =
            r#""SET k {"a":"x,y"}","201600.00","1.987","0.488","1.775","3.159","3.191","3.215""#;
        assert_eq!(figures_of(&format!("{header}\n{line}\n")), Some((201_600.0, 1.775)));
        assert_eq!(figures_of(&format!("{header}\n")), None);
        assert_eq!(figures_of(""), None);
    }
}
