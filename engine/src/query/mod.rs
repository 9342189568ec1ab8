//! The filter language: text to tokens, to a tree, to a filter that a collection's types govern.

pub mod ast;
pub mod bind;
mod hint;
mod lex;
pub mod parse;

pub use ast::{Ast, Meta};

pub use bind::{Filter, FilterNode, Params, Scratch, Test, bind, expect_declared};
pub use parse::parse;
