//! Replicas hold what their primary holds: documents, numbers, times, definitions, the order of births, answers.

#![forbid(unsafe_code)]

mod cycles;
mod failover;
mod lapsed;
mod loss;
mod online;
mod swapdb;
mod sync;
mod world;
