//! The filter language: text to tokens, to a tree, to a filter that a collection's types govern.

pub mod ast;
pub mod bind;
mod filter;
mod hint;
mod lex;
pub mod parse;
mod text;

pub use ast::{Ast, Meta};

pub use bind::{Params, bind, expect_declared};
pub use filter::{Filter, FilterNode, HasAll, Scratch, Test};
pub use parse::parse;
pub use text::{Pattern, TextTest};
