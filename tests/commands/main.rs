//! Each command over RESP2 and RESP3: the shape of its answers and its errors.

#![forbid(unsafe_code)]

mod collections;
mod documents;
mod errors;
mod limits;
mod queries;
