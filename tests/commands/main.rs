//! Each command over RESP2 and RESP3: the shape of its answers and its errors.

#![forbid(unsafe_code)]

mod aggregates;
mod batches;
mod buckets;
mod collections;
mod computed;
mod documents;
mod errors;
mod functions;
mod info;
mod insert;
mod limits;
mod migrations;
mod online;
mod options;
mod path_ttl;
mod queries;
mod schema;
mod soft_delete;
mod transactions;
mod update;
mod watch;
