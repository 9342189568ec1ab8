//! The filter language: text to tokens, to a tree, to a filter that a collection's types govern. A tree comes as MessagePack too.

pub mod ast;
pub mod bind;
mod called;
mod compare;
mod compute;
mod constant;
mod filter;
mod hint;
mod kinds;
mod lex;
mod meter;
mod normalize;
pub mod operand;
pub mod parse;
mod rows;
mod source;
#[cfg(test)]
mod strategies;
mod text;
mod tree;
mod wording;
mod words;

pub use ast::{Ast, Quantifier};
pub use bind::{Scope, Used, bind, bind_part, expect_declared, scalar_of};
pub use called::{Argument, Called, constant};
pub use compute::{Computed, Expression, PlainNumber, Value};
pub(crate) use compute::{decimal, quotient};
pub use constant::Params;
pub(crate) use constant::duration;
pub use filter::{
    Candidate, ElementsTest, Fact, Filter, FilterNode, HasAll, KindTest, Place, Test,
};
pub use hint::nearest;
pub(crate) use lex::excerpt;
pub use meter::Meter;
pub(crate) use operand::{Literal, Term};
pub use operand::{Meta, Operand, Subject};
pub use parse::{parse, parse_operand, parse_subject};
pub use rows::bind_rows;
pub use source::{Given, Source};
pub(crate) use source::{decimal_text, exponent_text, set_decimal, write_value};
pub use text::{Pattern, TextTest};
pub use tree::{read_tree, write_tree};
pub use wording::{Join, Wording};
