//! The derives of the client crate `folio`; use them through it.
//!
//! Each reads a type once (`input`, with serde's attributes and folio's own), and writes as little as it can: the
//! fields type with its accessors, constants, and checks with the place of the field. All else is written by hand in
//! the crate `folio`.

#![forbid(unsafe_code)]

mod attributes;
mod check;
mod computed;
mod definition;
mod document;
mod embed;
mod fields;
mod hint;
mod input;
mod projection;
mod refer;
mod renaming;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a document of a collection. See the crate `folio`.
#[proc_macro_derive(Document, attributes(folio, serde))]
pub fn document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    document::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a struct, or an enum, a part of documents. See the crate `folio`.
#[proc_macro_derive(Embed, attributes(folio, serde))]
pub fn embed(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    embed::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a struct a view of a document's fields. See the crate `folio`.
#[proc_macro_derive(Projection, attributes(folio, serde))]
pub fn projection(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    projection::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
