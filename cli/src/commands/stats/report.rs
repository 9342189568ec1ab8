//! What has happened between two looks at the server.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::figures::{Figures, Histogram, Pairs};
use crate::outcome::Failure;

/// One report; as JSON the line that programs read.
#[derive(Debug, Serialize)]
pub struct Report {
    pub time: String,
    /// Since the look before.
    pub seconds: f64,
    pub calls_per_second: f64,
    /// Those that were called, the most frequent first.
    pub commands: Vec<OfCommand>,
    pub collections: u64,
    pub documents: u64,
    pub document_bytes: u64,
    pub index_bytes: u64,
    pub memory: Memory,
    pub slow_queries: u64,
    /// Errors of this interval, by code.
    pub errors: BTreeMap<String, u64>,
    /// Writes that were refused in it, by code.
    pub refused_writes: BTreeMap<String, u64>,
    pub builds: Vec<Progress>,
    pub migrations: Vec<Progress>,
    pub changes: Changes,
    pub replication: Replication,
    /// Defects that were caught since the server started.
    pub panics: u64,
}

#[derive(Debug, Serialize)]
pub struct OfCommand {
    pub command: String,
    pub calls: u64,
    pub per_second: f64,
    pub failures: u64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

#[derive(Debug, Serialize)]
pub struct Memory {
    pub used_bytes: u64,
    /// 0: as much as there is.
    pub max_bytes: u64,
}

/// A build, or a migration.
#[derive(Debug, Serialize)]
pub struct Progress {
    pub db: u64,
    pub collection: String,
    pub done: u64,
    pub documents: u64,
    pub stopped: bool,
}

#[derive(Debug, Serialize)]
pub struct Changes {
    pub pending: u64,
    /// In this interval.
    pub written: u64,
    /// In this interval.
    pub dropped: u64,
}

#[derive(Debug, Serialize)]
pub struct Replication {
    pub role: &'static str,
    /// Of a replica: whether it is connected to its primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_link_up: Option<bool>,
    /// Of a primary: by how many bytes each replica is behind.
    pub replica_lag_bytes: BTreeMap<String, u64>,
}

/// Two looks. What a server counted in another life is no part of the later one.
struct Looks<'a> {
    earlier: Option<&'a Figures>,
    later: &'a Figures,
}

impl Looks<'_> {
    fn since(&self, name: &str) -> u64 {
        let before = self.earlier.map_or(0, |earlier| earlier.count(name));
        self.later.count(name).saturating_sub(before)
    }

    fn since_by_code(&self, name: &str) -> BTreeMap<String, u64> {
        let earlier = self.earlier.map(|earlier| earlier.pairs(name));
        let since = |(code, count): (&str, &str)| {
            let before = earlier.map_or(0, |earlier| earlier.count(code));
            (code.to_owned(), count.parse().unwrap_or(0_u64).saturating_sub(before))
        };
        self.later.pairs(name).each().map(since).filter(|(_, count)| *count > 0).collect()
    }

    fn command(&self, name: &str, now: Pairs<'_>, seconds: f64) -> OfCommand {
        let field = format!("folio_cmdstat_{name}");
        let before = self.earlier.map(|earlier| earlier.pairs(&field));
        let since =
            |of: &str| now.count(of).saturating_sub(before.map_or(0, |before| before.count(of)));
        let field = format!("folio_latency_{name}");
        let histogram = |figures: &Figures| Histogram::new(figures.pairs(&field));
        let earlier = self.earlier.map(histogram).unwrap_or_default();
        let times = histogram(self.later).since(&earlier);
        let calls = since("calls");
        OfCommand {
            command: name.to_owned(),
            calls,
            per_second: rounded(rate(calls, seconds)),
            failures: since("failures"),
            mean_us: rounded(rate(since("usec"), calls as f64)),
            p50_us: rounded(times.quantile(0.5).unwrap_or(0.0)),
            p99_us: rounded(times.quantile(0.99).unwrap_or(0.0)),
        }
    }

    fn commands(&self, seconds: f64) -> Vec<OfCommand> {
        let all = self.later.each("folio_cmdstat_");
        let all = all.map(|(name, now)| self.command(name, now, seconds));
        let mut called: Vec<OfCommand> = all.filter(|command| command.calls > 0).collect();
        called.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.command.cmp(&b.command)));
        called
    }
}

fn rate(count: u64, of: f64) -> f64 {
    if of > 0.0 { count as f64 / of } else { 0.0 }
}

/// To two decimals: more would be noise.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn build(pairs: &Pairs<'_>) -> Progress {
    Progress {
        db: pairs.count("db"),
        collection: pairs.collection(),
        done: pairs.count("done"),
        documents: pairs.count("documents"),
        stopped: false,
    }
}

fn migration(pairs: &Pairs<'_>) -> Progress {
    let (done, pending) = (pairs.count("migrated"), pairs.count("pending"));
    Progress {
        documents: done + pending,
        done,
        stopped: pairs.count("stopped") == 1,
        ..build(pairs)
    }
}

impl Report {
    pub fn new(earlier: &Figures, later: &Figures, seconds: f64) -> Self {
        let is_same_life = !later.is_other_life(earlier);
        let looks = Looks { earlier: is_same_life.then_some(earlier), later };
        let commands = looks.commands(seconds);
        Self {
            time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: rounded(seconds),
            calls_per_second: rounded(rate(looks.since("folio_commands"), seconds)),
            commands,
            collections: later.count("folio_collections"),
            documents: later.count("folio_documents"),
            document_bytes: later.count("folio_document_bytes"),
            index_bytes: later.count("folio_index_bytes"),
            memory: Memory {
                used_bytes: later.count("used_memory"),
                max_bytes: later.count("maxmemory"),
            },
            slow_queries: looks.since("folio_slow_queries"),
            errors: looks.since_by_code("folio_errors"),
            refused_writes: looks.since_by_code("folio_refused_writes_by_code"),
            builds: later.numbered("folio_build_").iter().map(build).collect(),
            migrations: later.numbered("folio_migration_").iter().map(migration).collect(),
            changes: Changes {
                pending: later.count("folio_changes_pending"),
                written: looks.since("folio_changes_written"),
                dropped: looks.since("folio_changes_dropped"),
            },
            replication: Replication {
                role: if later.is_replica() { "replica" } else { "primary" },
                primary_link_up: later.text("master_link_status").map(|status| status == "up"),
                replica_lag_bytes: later.replica_lags().into_iter().collect(),
            },
            panics: later.count("folio_caught_panics"),
        }
    }

    pub fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::Data(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(life: &str, calls: u64, buckets: &str) -> Figures {
        let text = format!(
            "run_id:{life}\r\nfolio_commands:{calls}\r\n\
             folio_cmdstat_doc.get:calls={calls},failures=1,usec={}\r\n\
             folio_latency_doc.get:{buckets}\r\nfolio_errors:KEY=1,UNIQUE={calls}\r\n",
            calls * 4
        );
        Figures::parse(&text)
    }

    #[test]
    fn what_is_told_is_of_the_interval() {
        let report = Report::new(&look("a", 10, "8=10"), &look("a", 30, "8=20,64=30"), 2.0);
        assert_eq!((report.calls_per_second, report.commands.len()), (10.0, 1));
        let get = &report.commands[0];
        assert_eq!((get.calls, get.failures, get.mean_us), (20, 0, 4.0));
        assert_eq!((get.p50_us, get.p99_us), (8.0, 63.36));
        assert_eq!(report.errors, BTreeMap::from([("UNIQUE".to_owned(), 20)]));
    }

    #[test]
    fn a_server_that_was_started_anew_has_counted_from_nothing() {
        let report = Report::new(&look("a", 50, "8=50"), &look("b", 30, "8=30"), 1.0);
        assert_eq!(report.commands[0].calls, 30);
        let report = Report::new(&look("a", 50, "8=50"), &look("a", 50, "8=50"), 1.0);
        assert!(report.commands.is_empty() && report.errors.is_empty());
    }
}
