//! `folio metrics`: what Prometheus reads, held against its format, and the dashboard and alerts held against what it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use folio_tests::Server;
use folio_tests::builds::{Build, CREATE, fill};
use folio_tests::replica::{follow, in_sync};
use serde_json::Value as Json;

use crate::tool::{folio, run};

type Labels = BTreeMap<String, String>;

/// One metric with its samples: the suffix, the labels, the value.
struct Family {
    kind: String,
    samples: Vec<(String, Labels, f64)>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Reads `name="value",..` and what stands behind the brace that ends it.
fn labels(text: &str) -> (Labels, &str) {
    let (mut labels, mut rest) = (Labels::new(), text);
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        let (name, after) = rest.split_once("=\"").expect("a label has a value in quotes");
        assert!(is_name(name), "{name:?} is no label");
        let (mut value, mut letters) = (String::new(), after.char_indices());
        let end = loop {
            match letters.next().expect("a value ends") {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match letters.next().expect("an escape").1 {
                    'n' => '\n',
                    letter @ ('\\' | '"') => letter,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} comes twice: {text}");
        rest = &after[end..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// Reads an exposition of version 0.0.4, and takes offence at whatever is not as it should be.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut helped, mut current) = (None, String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            assert!(is_name(name) && !help.is_empty(), "{line}");
            helped = Some(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a type");
            assert_eq!(helped.take().as_deref(), Some(name), "help comes before: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
            name.clone_into(&mut current);
        } else {
            let end = line.find(['{', ' ']).expect("a name ends");
            let (name, rest) = line.split_at(end);
            assert!(is_name(name), "{line}");
            let (labels, rest) = rest.strip_prefix('{').map_or((Labels::new(), rest), labels);
            let value: f64 = rest.trim_start().parse().unwrap_or_else(|_| panic!("{line}"));
            let family = families.get_mut(&current).expect("a type comes before");
            let suffix = name.strip_prefix(&*current).expect("samples stand under their type");
            let suffixes = ["_bucket", "_sum", "_count"];
            assert_eq!(suffixes.contains(&suffix), family.kind == "histogram", "{line}");
            assert!(family.kind == "histogram" || suffix.is_empty(), "{line}");
            assert!(family.kind == "gauge" || value >= 0.0, "{line}");
            let is_same = |it: &&(String, Labels, f64)| it.0 == suffix && it.1 == labels;
            assert!(!family.samples.iter().any(|it| is_same(&it)), "{line} comes twice");
            family.samples.push((suffix.to_owned(), labels, value));
        }
    }
    families.values().filter(|it| it.kind == "histogram").for_each(judge_histogram);
    families
}

/// Each row of buckets ascends in both, and ends with all calls.
fn judge_histogram(family: &Family) {
    let mut rows: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    let (mut counts, mut sums) = (BTreeMap::new(), BTreeMap::new());
    for (suffix, labels, value) in &family.samples {
        let mut labels = labels.clone();
        match suffix.as_str() {
            "_bucket" => {
                let end = labels.remove("le").expect("a bucket has an end");
                let end =
                    if end == "+Inf" { f64::INFINITY } else { end.parse().expect("a number") };
                rows.entry(labels).or_default().push((end, *value));
            }
            "_sum" => drop(sums.insert(labels, *value)),
            _ => drop(counts.insert(labels, *value)),
        }
    }
    assert!(!rows.is_empty());
    assert!(rows.keys().eq(counts.keys()) && rows.keys().eq(sums.keys()));
    for (labels, row) in rows {
        assert_eq!(row.len(), 26, "{labels:?}");
        assert!(row.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{labels:?}: {row:?}");
        assert_eq!(row.last(), Some(&(f64::INFINITY, counts[&labels])));
        // No call took longer than the end of its bucket.
        let calls = |pair: &[(f64, f64)]| (pair[1].0, pair[1].1 - pair[0].1);
        let ends = row.windows(2).map(calls).chain([row[0]]).filter(|(_, calls)| *calls > 0.0);
        let most: f64 = ends.map(|(end, calls)| end * calls).sum();
        assert!(sums[&labels] <= most, "{labels:?}: {} of {most}", sums[&labels]);
    }
}

fn value(families: &BTreeMap<String, Family>, name: &str, wanted: &[(&str, &str)]) -> Option<f64> {
    let fits = |labels: &Labels| {
        wanted.iter().all(|(name, value)| labels.get(*name).is_some_and(|it| it == value))
    };
    let samples = &families.get(name)?.samples;
    samples.iter().find(|(_, labels, _)| fits(labels)).map(|(_, _, value)| *value)
}

/// `folio metrics` as it serves, ended when this goes.
struct Serving {
    tool: Child,
    address: String,
}

impl Serving {
    fn start(url: &str) -> Self {
        let mut command = folio(url, &["metrics", "--listen", "127.0.0.1:0"]);
        let mut tool = command.stderr(Stdio::piped()).spawn().expect("the tool starts");
        let mut lines = BufReader::new(tool.stderr.take().expect("it is piped")).lines();
        let line = lines.next().expect("a line").expect("a text");
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.strip_prefix("folio: http://").expect("where it listens");
        let address = address.strip_suffix("/metrics").expect("the path").to_owned();
        Self { tool, address }
    }

    /// A client that has sent the half of a request.
    fn slow_client(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost").expect("it reads");
        stream
    }

    /// Head and body of an answer.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: folio\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.tool.kill());
        drop(self.tool.wait());
    }
}

const ODD: &str = "a \"b\" \\ c,d=e\nf";

/// A primary on which everything that is told has happened, or happens. The build lasts.
fn busy() -> (Server, Server, Build) {
    let (server, replica) = (Server::start(), Server::start());
    follow(&replica, &server);
    let mut c = server.resp3();
    c.call(&[
        "DOC.CREATE",
        ODD,
        "PREFIX",
        "odd:",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
        "CHANGES",
    ]);
    for n in 0..100 {
        c.call(&["DOC.SET", &format!("odd:{n}"), &format!(r#"{{"n":{n}}}"#)]);
        c.call(&["DOC.GET", &format!("odd:{n}")]);
    }
    c.error(&["DOC.SET", "odd:1", r#"{"n":"text"}"#]);
    c.error(&["DOC.COUNT", "nowhere"]);
    c.call(&["DOC.CREATE", "m", "FIELD", "n", "int"]);
    c.call(&["DOC.MSET", "m:1", "{}", "m:2", "{}"]);
    c.call(&["DOC.FUNCTION", "LOAD", "up", "return {v = 2}"]);
    c.call(&["DOC.ALTER", "m", "ADD", "MIGRATION", "1", "UP", "up"]);
    c.call(&["DOC.MIGRATE", "m", "TO", "1", "LAZY"]);
    fill(&server);
    let build = Build::halfway(&server, CREATE);
    c.call(&["CONFIG", "SET", "maxmemory", "1"]);
    c.error(&["DOC.SET", "odd:1", "{}"]);
    c.call(&["CONFIG", "SET", "maxmemory", "0"]);
    in_sync(&server, &replica);
    (server, replica, build)
}

#[test]
fn what_is_told_is_what_prometheus_reads() {
    let (server, replica, _build) = busy();
    let serving = Serving::start(server.url());
    let (head, text) = serving.get("/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let told = parse(&text);
    let of_odd = [("collection", ODD), ("db", "0")];
    assert_eq!(value(&told, "folio_up", &[]), Some(1.0));
    assert_eq!(value(&told, "folio_collection_documents", &of_odd), Some(100.0));
    assert_eq!(value(&told, "folio_collection_changes_total", &of_odd), Some(100.0));
    assert!(value(&told, "folio_collection_index_bytes", &of_odd).is_some_and(|it| it > 0.0));
    assert_eq!(value(&told, "folio_documents", &[]), Some(3_102.0));
    let of_get = [("command", "doc.get")];
    assert_eq!(value(&told, "folio_command_calls_total", &of_get), Some(100.0));
    let of_set = [("command", "doc.set")];
    assert_eq!(value(&told, "folio_command_failures_total", &of_set), Some(1.0), "OOM is no call");
    assert_eq!(value(&told, "folio_errors_total", &[("code", "NOCOLLECTION")]), Some(1.0));
    assert_eq!(value(&told, "folio_refused_writes_total", &[("code", "SCHEMA")]), Some(1.0));
    assert_eq!(value(&told, "folio_server_errors_total", &[("code", "OOM")]), Some(1.0));
    assert_eq!(value(&told, "folio_migration_pending", &[("collection", "m")]), Some(2.0));
    let of_build = [("collection", "t"), ("db", "0")];
    assert_eq!(value(&told, "folio_build_documents", &of_build), Some(3_000.0));
    assert_eq!(value(&told, "folio_server_replicas", &[]), Some(1.0));
    assert!(value(&told, "folio_server_replica_lag_bytes", &[]).is_some());
    assert_eq!(value(&told, "folio_slow_query_threshold_seconds", &[]), Some(0.01));
    let (head, body) = serving.get("/health");
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("\"ok\""), "{head}\n{body}");
    let (head, body) = serving.get("/");
    assert!(head.contains("text/html") && body.contains("href=\"/metrics\""), "{head}\n{body}");
    assert!(serving.get("/nothing").0.starts_with("HTTP/1.1 404"));
    let once = run(replica.url(), &["metrics", "--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    let told = parse(&once.out);
    assert_eq!(value(&told, "folio_server_primary_link_up", &[]), Some(1.0));
    assert_eq!(value(&told, "folio_server_is_replica", &[]), Some(1.0));
}

#[test]
fn a_server_that_is_away_is_told_and_found_again() {
    let mut server = Server::start();
    let serving = Serving::start(server.url());
    assert_eq!(value(&parse(&serving.get("/metrics").1), "folio_up", &[]), Some(1.0));
    server.kill();
    let (head, text) = serving.get("/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let told = parse(&text);
    assert_eq!(value(&told, "folio_up", &[]), Some(0.0));
    assert!(!told.contains_key("folio_documents"), "{text}");
    let (head, body) = serving.get("/health");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    let body: Json = serde_json::from_str(&body).expect("JSON");
    assert!(body["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{body}");
    let once = run(server.url(), &["metrics", "--once"]);
    assert_eq!((once.code, once.out.contains("\nfolio_up 0\n")), (3, true), "{once:?}");
    assert!(once.err.starts_with("folio: ") && once.err.contains(server.url()), "{once:?}");
    let once = run(server.url(), &["--json", "metrics", "--once"]);
    assert_eq!((once.code, once.out.contains("\nfolio_up 0\n")), (3, true), "{once:?}");
    let told: Json = serde_json::from_str(&once.err).expect("JSON");
    assert_eq!(told["error"]["code"], "CONNECTION", "{told}");
    server.start_again();
    folio_tests::replica::wait_until("it is found again", || {
        value(&parse(&serving.get("/metrics").1), "folio_up", &[]) == Some(1.0)
    });
    assert!(serving.get("/health").0.starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn it_ends_by_a_signal_with_success() {
    let server = Server::start();
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::start(server.url());
        serving.get("/metrics");
        kill(signal, serving.tool.id().into());
        assert_eq!(serving.tool.wait().expect("it ends").code(), Some(0), "{signal}");
    }
}

#[cfg(unix)]
fn kill(signal: &str, process: i64) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "{signal}");
}

#[cfg(unix)]
#[test]
fn a_slow_client_does_not_keep_it() {
    let server = Server::start();
    let mut serving = Serving::start(server.url());
    let _client = serving.slow_client();
    serving.get("/metrics");
    let began = Instant::now();
    kill("-TERM", serving.tool.id().into());
    assert_eq!(serving.tool.wait().expect("it ends").code(), Some(0));
    // Sooner than the connection would have ended by itself.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());

    let mut serving = Serving::start(server.url());
    let _client = serving.slow_client();
    serving.get("/metrics");
    let began = Instant::now();
    kill("-TERM", serving.tool.id().into());
    std::thread::sleep(Duration::from_millis(300));
    kill("-TERM", serving.tool.id().into());
    assert_eq!(serving.tool.wait().expect("it ends").code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn half_a_request_is_not_waited_for() {
    let server = Server::start();
    let serving = Serving::start(server.url());
    let mut client = serving.slow_client();
    client.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    // It is closed, with an answer or without one.
    let ended = client.read_to_end(&mut Vec::new());
    assert!(ended.is_ok(), "{ended:?}");
    assert!(serving.get("/metrics").0.starts_with("HTTP/1.1 200"));
}

/// A server's process that stands still until this goes.
#[cfg(unix)]
struct Stopped(i64);

#[cfg(unix)]
impl Stopped {
    fn new(server: &Server) -> Self {
        let process = server.resp2().info_number("server", "process_id");
        kill("-STOP", process);
        Self(process)
    }
}

#[cfg(unix)]
impl Drop for Stopped {
    fn drop(&mut self) {
        drop(Command::new("kill").args(["-CONT", &self.0.to_string()]).status());
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_hangs_is_told_in_time() {
    let server = Server::start();
    if server.is_in_container() {
        return;
    }
    let serving = Serving::start(server.url());
    assert_eq!(value(&parse(&serving.get("/metrics").1), "folio_up", &[]), Some(1.0));
    let stopped = Stopped::new(&server);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let told = parse(&serving.get("/metrics").1);
                assert_eq!(value(&told, "folio_up", &[]), Some(0.0));
            });
        }
        let (head, body) = serving.get("/health");
        assert!(head.starts_with("HTTP/1.1 503") && body.contains("no answer in time"), "{body}");
    });
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let once = run(server.url(), &["--timeout", "1", "metrics", "--once"]);
    assert_eq!((once.code, once.out.contains("\nfolio_up 0\n")), (3, true), "{once:?}");
    drop(stopped);
    folio_tests::replica::wait_until("it answers again", || {
        value(&parse(&serving.get("/metrics").1), "folio_up", &[]) == Some(1.0)
    });
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = Server::start();
    let serving = Serving::start(server.url());
    let ran = run(server.url(), &["metrics", "--listen", &serving.address]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&serving.address), "{ran:?}");
}

/// Words of `PromQL` in the dashboard and the alerts that are no names of metrics.
const WORDS: [&str; 11] = [
    "sum",
    "min",
    "rate",
    "increase",
    "delta",
    "histogram_quantile",
    "and",
    "or",
    "job",
    "instance",
    "command",
];

/// What an expression asks for: metrics with the labels that select them, and labels that group.
#[derive(Debug, Default)]
struct Asked {
    metrics: Vec<(String, Vec<String>)>,
    groups: Vec<String>,
}

/// Reads as much of `PromQL` as the dashboard speaks.
fn asked(expression: &str) -> Asked {
    let mut asked = Asked::default();
    let mut rest = expression;
    while let Some(letter) = rest.chars().next() {
        if letter == '[' {
            rest = &rest[rest.find(']').expect("a range ends") + 1..];
        } else if let Some(inner) = rest.strip_prefix('{') {
            let mut inner = inner;
            let labels = &mut asked.metrics.last_mut().expect("a metric comes before").1;
            while !inner.starts_with('}') {
                let end = inner.find(['=', '!']).expect("a matcher");
                labels.push(inner[..end].trim().to_owned());
                let quote = inner.find('"').expect("a value") + 1;
                inner = &inner[quote + inner[quote..].find('"').expect("it ends") + 1..];
                inner = inner.trim_start_matches([',', ' ']);
            }
            rest = &inner[1..];
        } else if letter.is_ascii_alphabetic() {
            let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after;
            if word == "by" {
                let (list, after) =
                    rest[1 + rest.find('(').expect("a list")..].split_once(')').expect("it ends");
                asked.groups.extend(list.split(',').map(|it| it.trim().to_owned()));
                rest = after;
            } else if !WORDS.contains(&word) {
                asked.metrics.push((word.to_owned(), Vec::new()));
            }
        } else {
            rest = &rest[letter.len_utf8()..];
        }
    }
    asked
}

#[test]
fn expressions_are_read_as_they_are_written() {
    let asked = asked(r#"sum by (le, code) (rate(a_b{job=~"x,}", code!="y"}[5m])) / 2 > c"#);
    let metrics: Vec<_> = asked.metrics.iter().map(|it| it.0.as_str()).collect();
    assert_eq!((metrics, asked.groups), (vec!["a_b", "c"], vec!["le".into(), "code".into()]));
    assert_eq!(asked.metrics[0].1, ["job", "code"]);
}

/// Every value under a name, at any depth.
fn each<'a>(json: &'a Json, name: &str, found: &mut Vec<&'a str>) {
    match json {
        Json::Object(members) => {
            for (member, value) in members {
                found.extend(value.as_str().filter(|_| member == name));
                each(value, name, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| each(item, name, found)),
        _ => {}
    }
}

fn grafana(file: &str) -> String {
    let path = format!("{}/../docs/grafana/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn dashboard_and_alerts_ask_for_what_is_told() {
    let (server, replica, _build) = busy();
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for url in [server.url(), replica.url()] {
        for (name, family) in parse(&run(url, &["metrics", "--once"]).out) {
            for (suffix, of, _) in family.samples {
                let known = labels.entry(format!("{name}{suffix}")).or_default();
                known.extend(of.into_keys().chain(["job".to_owned(), "instance".to_owned()]));
            }
        }
    }
    let dashboard: Json = serde_json::from_str(&grafana("folio.json")).expect("JSON");
    let alerts = grafana("alerts.yml");
    let (mut expressions, mut variables) = (Vec::new(), Vec::new());
    each(&dashboard["panels"], "expr", &mut expressions);
    assert!(expressions.len() > 30, "{}", expressions.len());
    let of_alerts: Vec<&str> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert_eq!(of_alerts.len(), alerts.matches("- alert:").count());
    expressions.extend(of_alerts);
    each(&dashboard["templating"], "definition", &mut variables);
    for variable in &variables {
        let inner = variable.strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
        let (metric, label) = inner.and_then(|it| it.rsplit_once(", ")).expect("label_values");
        let asked = asked(metric);
        assert!(labels[&asked.metrics[0].0].contains(label), "{variable}");
        expressions.push(metric);
    }
    for expression in expressions {
        let asked = asked(expression);
        assert!(!asked.metrics.is_empty(), "{expression}");
        for (metric, of) in &asked.metrics {
            let known = labels.get(metric);
            let known = known.unwrap_or_else(|| panic!("nobody tells {metric}: {expression}"));
            for label in of.iter().chain(&asked.groups) {
                assert!(known.contains(label), "{metric} has no {label}: {expression}");
            }
        }
    }
    assert_eq!(variables.len(), 4);
}
