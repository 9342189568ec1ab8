//! Which field of INFO is which metric.

use super::families::Families;
use crate::figures::{Figures, Histogram, Pairs};

/// What a metric is, and what a field is divided by.
#[derive(Clone, Copy)]
enum Kind {
    Counter(f64),
    Gauge(f64),
}

use Kind::{Counter, Gauge};

/// Fields that are one number: the field, the metric, what it is, what it means.
const NUMBERS: &[(&str, &str, Kind, &str)] = &[
    ("folio_collections", "folio_collections", Gauge(1.0), "Collections."),
    ("folio_documents", "folio_documents", Gauge(1.0), "Documents, those marked as deleted apart."),
    (
        "folio_deleted_documents",
        "folio_deleted_documents",
        Gauge(1.0),
        "Documents marked as deleted.",
    ),
    ("folio_document_bytes", "folio_document_bytes", Gauge(1.0), "Bytes of all documents."),
    ("folio_indexes", "folio_indexes", Gauge(1.0), "Indexes of all collections."),
    ("folio_index_bytes", "folio_index_bytes", Gauge(1.0), "Bytes of all indexes, about."),
    ("folio_builds", "folio_builds", Gauge(1.0), "Declarations that are being built."),
    (
        "folio_migrations_pending",
        "folio_migration_documents_pending",
        Gauge(1.0),
        "Documents that are to be migrated.",
    ),
    (
        "folio_migrations_stopped",
        "folio_migrations_stopped",
        Gauge(1.0),
        "Migrations that a document has stopped.",
    ),
    (
        "folio_path_ttl_pending",
        "folio_path_ttl_pending_documents",
        Gauge(1.0),
        "Documents of which a part has lapsed and is still to be removed.",
    ),
    (
        "folio_changes_pending",
        "folio_changes_pending",
        Gauge(1.0),
        "Changes that wait to be written to their streams.",
    ),
    (
        "folio_changes_written",
        "folio_changes_written_total",
        Counter(1.0),
        "Changes written to their streams.",
    ),
    (
        "folio_changes_dropped",
        "folio_changes_dropped_total",
        Counter(1.0),
        "Changes that no stream took.",
    ),
    (
        "folio_slow_queries",
        "folio_slow_queries_total",
        Counter(1.0),
        "Queries that took longer than folio.slowlog-slower-than.",
    ),
    (
        "folio_slow_query_usec",
        "folio_slow_query_seconds_total",
        Counter(1e6),
        "Seconds that slow queries took.",
    ),
    (
        "folio_slowlog_slower_than_usec",
        "folio_slow_query_threshold_seconds",
        Gauge(1e6),
        "Seconds from which on a query is slow; below 0: none is kept.",
    ),
    (
        "folio_caught_panics",
        "folio_panics_total",
        Counter(1.0),
        "Defects of Folio that were caught.",
    ),
    (
        "folio_last_panic_ms",
        "folio_last_panic_timestamp_seconds",
        Gauge(1e3),
        "When the last defect was caught.",
    ),
    (
        "folio_rebuilds",
        "folio_rebuilds_total",
        Counter(1.0),
        "Times that all indexes were made anew after a defect.",
    ),
    ("folio_functions", "folio_functions", Gauge(1.0), "Functions that are loaded."),
    ("folio_function_calls", "folio_function_calls_total", Counter(1.0), "Calls of functions."),
    (
        "folio_function_failures",
        "folio_function_failures_total",
        Counter(1.0),
        "Calls of functions that failed.",
    ),
    (
        "uptime_in_seconds",
        "folio_server_uptime_seconds",
        Gauge(1.0),
        "Seconds since the server started.",
    ),
    ("loading", "folio_server_loading", Gauge(1.0), "Whether the server reads its data."),
    ("connected_clients", "folio_server_clients", Gauge(1.0), "Clients that are connected."),
    (
        "used_memory",
        "folio_server_memory_used_bytes",
        Gauge(1.0),
        "Bytes that the server has allocated.",
    ),
    (
        "used_memory_rss",
        "folio_server_memory_rss_bytes",
        Gauge(1.0),
        "Bytes that the system has given the server.",
    ),
    ("maxmemory", "folio_server_memory_max_bytes", Gauge(1.0), "The setting maxmemory; 0: none."),
    (
        "total_commands_processed",
        "folio_server_commands_total",
        Counter(1.0),
        "Commands of every kind that the server ran.",
    ),
    ("evicted_keys", "folio_server_evicted_keys_total", Counter(1.0), "Keys that were evicted."),
    ("expired_keys", "folio_server_expired_keys_total", Counter(1.0), "Keys that lapsed."),
    ("connected_slaves", "folio_server_replicas", Gauge(1.0), "Replicas that follow the server."),
    (
        "master_repl_offset",
        "folio_server_replication_offset_bytes",
        Gauge(1.0),
        "Bytes of the replication stream.",
    ),
    (
        "rdb_changes_since_last_save",
        "folio_server_unsaved_changes",
        Gauge(1.0),
        "Changes since the last snapshot.",
    ),
    (
        "rdb_last_save_time",
        "folio_server_last_save_timestamp_seconds",
        Gauge(1.0),
        "When the last snapshot ended.",
    ),
    (
        "aof_enabled",
        "folio_server_aof_enabled",
        Gauge(1.0),
        "Whether the server writes an append-only file.",
    ),
];

/// Fields that are a word: the field, the metric, the word that stands for 1, what it means.
const WORDS: &[(&str, &str, &str, &str)] = &[
    ("role", "folio_server_is_replica", "slave", "Whether the server follows a primary."),
    (
        "master_link_status",
        "folio_server_primary_link_up",
        "up",
        "Whether a replica is connected to its primary.",
    ),
    (
        "rdb_last_bgsave_status",
        "folio_server_last_save_ok",
        "ok",
        "Whether the last snapshot succeeded.",
    ),
    (
        "aof_last_write_status",
        "folio_server_aof_last_write_ok",
        "ok",
        "Whether the last write to the append-only file succeeded.",
    ),
];

/// Codes with which the server itself refuses a command, before the module sees it.
const SERVER_CODES: [&str; 9] = [
    "OOM",
    "NOPERM",
    "NOAUTH",
    "MISCONF",
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "BUSY",
    "NOREPLICAS",
];

/// Numbers of a collection: in its line, the metric, what it is, what it means.
const OF_COLLECTIONS: &[(&str, &str, Kind, &str)] = &[
    (
        "documents",
        "folio_collection_documents",
        Gauge(1.0),
        "Documents of the collection, those marked as deleted apart.",
    ),
    (
        "deleted",
        "folio_collection_deleted_documents",
        Gauge(1.0),
        "Documents of the collection marked as deleted.",
    ),
    (
        "document_bytes",
        "folio_collection_document_bytes",
        Gauge(1.0),
        "Bytes of the collection's documents.",
    ),
    ("indexes", "folio_collection_indexes", Gauge(1.0), "Indexes of the collection."),
    (
        "index_bytes",
        "folio_collection_index_bytes",
        Gauge(1.0),
        "Bytes of the collection's indexes, about.",
    ),
    (
        "changes",
        "folio_collection_changes_total",
        Counter(1.0),
        "The number of the last entry of the collection's change stream.",
    ),
];

const OF_BUILDS: &[(&str, &str, Kind, &str)] = &[
    ("done", "folio_build_documents_done", Gauge(1.0), "Documents that a build has taken in."),
    ("documents", "folio_build_documents", Gauge(1.0), "Documents that a build has to take in."),
];

const OF_MIGRATIONS: &[(&str, &str, Kind, &str)] = &[
    (
        "pending",
        "folio_migration_pending",
        Gauge(1.0),
        "Documents of the collection that are to be migrated.",
    ),
    (
        "migrated",
        "folio_migration_done",
        Gauge(1.0),
        "Documents of the collection that were migrated by themselves.",
    ),
    ("lazy", "folio_migration_lazy", Gauge(1.0), "Whether the migration waits for writes."),
    (
        "stopped",
        "folio_migration_stopped",
        Gauge(1.0),
        "Whether a document has stopped the migration.",
    ),
];

/// Adds everything that is told.
pub fn add(families: &mut Families, figures: &Figures) {
    add_build(families, figures);
    for (field, name, kind, help) in NUMBERS {
        if let Some(number) = figures.number(field) {
            add_number(families, (name, *kind, help), &[], number);
        }
    }
    for (field, name, one, help) in WORDS {
        if let Some(word) = figures.text(field) {
            families.gauge(name, help, f64::from(word == *one));
        }
    }
    add_commands(families, figures);
    add_codes(families, figures);
    add_rows(families, &figures.numbered("folio_collection_"), OF_COLLECTIONS);
    add_rows(families, &figures.numbered("folio_build_"), OF_BUILDS);
    add_rows(families, &figures.numbered("folio_migration_"), OF_MIGRATIONS);
    let databases = figures.each("db").filter(|(db, _)| db.parse::<u32>().is_ok());
    for (db, pairs) in databases {
        let labels = [("db", db)];
        let help = "Keys of every type in a database.";
        families.labelled_gauge("folio_server_keys", help, &labels, pairs.count("keys") as f64);
    }
    for (replica, lag) in figures.replica_lags() {
        let labels = [("replica", replica.as_str())];
        let help = "Bytes by which a replica is behind.";
        families.labelled_gauge("folio_server_replica_lag_bytes", help, &labels, lag as f64);
    }
}

fn add_build(families: &mut Families, figures: &Figures) {
    let (name, version) = match figures.text("valkey_version") {
        Some(version) => ("valkey", version),
        None => ("redis", figures.text("redis_version").unwrap_or_default()),
    };
    let labels = [
        ("version", figures.text("folio_version").unwrap_or_default()),
        ("build", figures.text("folio_build").unwrap_or_default()),
        ("server", name),
        ("server_version", version),
    ];
    families.labelled_gauge("folio_build_info", "Versions, as labels.", &labels, 1.0);
}

fn add_number(
    families: &mut Families,
    (name, kind, help): (&str, Kind, &str),
    labels: &[(&'static str, &str)],
    number: f64,
) {
    match kind {
        Counter(of) => families.labelled_counter(name, help, labels, number / of),
        Gauge(of) => families.labelled_gauge(name, help, labels, number / of),
    }
}

fn add_commands(families: &mut Families, figures: &Figures) {
    for (command, pairs) in figures.each("folio_cmdstat_") {
        let labels = [("command", command)];
        families.labelled_counter(
            "folio_command_calls_total",
            "Calls of a command.",
            &labels,
            pairs.count("calls") as f64,
        );
        families.labelled_counter(
            "folio_command_failures_total",
            "Calls of a command that were answered with an error.",
            &labels,
            pairs.count("failures") as f64,
        );
        let latency = figures.pairs(&format!("folio_latency_{command}"));
        families.histogram(
            "folio_command_duration_seconds",
            "How long calls of a command took the server.",
            &labels,
            (&Histogram::new(latency), pairs.count("usec")),
        );
    }
}

fn add_codes(families: &mut Families, figures: &Figures) {
    for (code, count) in figures.pairs("folio_errors").each() {
        let help = "Errors that commands were answered with.";
        add_code(families, "folio_errors_total", help, code, count);
    }
    for (code, count) in figures.pairs("folio_refused_writes_by_code").each() {
        let help = "Writes that were refused, by the code of the error.";
        add_code(families, "folio_refused_writes_total", help, code, count);
    }
    for (code, pairs) in figures.each("errorstat_") {
        if SERVER_CODES.contains(&code) {
            let help = "Commands of every kind that the server refused.";
            let count = pairs.text("count").unwrap_or_default();
            add_code(families, "folio_server_errors_total", help, code, count);
        }
    }
}

fn add_code(families: &mut Families, name: &str, help: &str, code: &str, count: &str) {
    if let Ok(count) = count.parse() {
        families.labelled_counter(name, help, &[("code", code)], count);
    }
}

fn add_rows(families: &mut Families, rows: &[Pairs<'_>], metrics: &[(&str, &str, Kind, &str)]) {
    for row in rows {
        let (db, collection) = (row.text("db").unwrap_or_default(), row.collection());
        let labels = [("db", db), ("collection", collection.as_str())];
        for (field, name, kind, help) in metrics {
            if let Some(number) = row.text(field).and_then(|text| text.parse().ok()) {
                add_number(families, (name, *kind, help), &labels, number);
            }
        }
    }
}
