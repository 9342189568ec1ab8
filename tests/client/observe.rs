//! What is told to whoever listens: commands, repetitions, connections, and no key of anybody.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use folio::Folio;
use folio_tests::Server;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};

use crate::proxy::{Fault, Proxy};
use crate::transport::client;

/// Counters by their names and labels.
#[derive(Default)]
struct Counters(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Counters {
    fn at(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        let mut all = self.0.lock().expect("nobody panics");
        Arc::clone(all.entry(name.trim_end().to_owned()).or_default())
    }

    fn get(&self, name: &str) -> u64 {
        let all = self.0.lock().expect("nobody panics");
        all.get(name).map_or(0, |count| count.load(Ordering::SeqCst))
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.at(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.at(key).fetch_add(1, Ordering::SeqCst);
        Histogram::noop()
    }
}

/// Everything that is traced, as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("folio")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        self.0.lock().expect("nobody panics").push(line.0);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line("event".to_owned());
        event.record(&mut line);
        self.0.lock().expect("nobody panics").push(line.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Two writes, one of which is refused, and a read that is sent again.
async fn work(url: &str) {
    let proxy = Proxy::before(url).await;
    let db: Folio = client(&proxy.url()).await;
    db.set("users:secret", &json!({"n": 1})).await.expect("it is a document");
    db.set("users:secret", &json!([])).await.expect_err("it is none");
    proxy.set(Fault::CutReplies(0));
    let read: Option<Value> = db.get("users:secret").await.expect("it is read again");
    assert!(read.is_some());
}

#[test]
fn listeners_are_told_of_commands_and_connections_and_of_no_key() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let (counters, lines) = (Counters::default(), Lines::default());
    // Where there is one listener alone, whoever first comes to a place decides for all whether it is listened to: that
    // may be the thread of another test.
    let _other = tracing::Dispatch::new(lines.clone());
    metrics::with_local_recorder(&counters, || {
        tracing::subscriber::with_default(lines.clone(), || runtime.block_on(work(server.url())));
    });
    assert_eq!(counters.get("folio_commands_total DOC.SET ok"), 1);
    assert_eq!(counters.get("folio_commands_total DOC.SET refused"), 1);
    assert_eq!(counters.get("folio_commands_total DOC.GET ok"), 1);
    assert_eq!(counters.get("folio_command_seconds DOC.SET"), 2);
    assert_eq!(counters.get("folio_repeats_total DOC.GET"), 1);
    assert_eq!(counters.get("folio_connections_opened_total"), 2);
    let lines = lines.0.lock().expect("nobody panics");
    let count = |wanted: &str| lines.iter().filter(|line| line.contains(wanted)).count();
    assert_eq!(count("folio command=\"DOC.SET\""), 2, "{lines:?}");
    assert_eq!(count("outcome=\"refused\""), 1, "{lines:?}");
    assert_eq!(count("the command is sent again"), 1, "{lines:?}");
    assert_eq!(count("a shared connection is open"), 2, "{lines:?}");
    assert_eq!(count("secret"), 0, "{lines:?}");
}
