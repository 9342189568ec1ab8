//! A filter over rows of results, whose names are its paths.

use super::ast::{Ast, Node, Position};
use super::bind::{Scope, Used, bind_part, scopes};
use super::filter::Filter;
use super::hint;
use super::operand::{Operand, Subject};
use crate::path::{Path, Step};
use crate::{Error, Result};

/// Binds a filter over rows; the fields of `scope.definition` are their names. Errors: `FILTER`, also for what no row has.
pub fn bind_rows(ast: &Ast, scope: &Scope<'_>, used: &mut Used) -> Result<Filter> {
    for (node, within) in ast.nodes.iter().zip(scopes(ast)) {
        match node {
            // Within ANY and ALL paths begin at an element, but metadata are nowhere a row's.
            Node::Test(test) => {
                for (subject, position) in test.operands().flat_map(Operand::subjects) {
                    match subject {
                        Subject::Meta(_) => {
                            return Err(no_result(&subject.to_string(), position, scope));
                        }
                        Subject::Path(path) if within.is_none() => {
                            expect_name(path, position, scope)?;
                        }
                        Subject::Path(_) => {}
                    }
                }
            }
            Node::Elements(elements, _) if within.is_none() => {
                expect_name(&elements.path, elements.position, scope)?;
            }
            _ => {}
        }
    }
    bind_part(ast, scope, used)
}

fn expect_name(path: &Path, position: Position, scope: &Scope<'_>) -> Result<()> {
    let is_known = scope.definition.fields.iter().any(|it| it.path.steps() == &path.steps()[..1]);
    if is_known { Ok(()) } else { Err(no_result(&path.to_string(), position, scope)) }
}

fn no_result(name: &str, position: Position, scope: &Scope<'_>) -> Error {
    let names = scope.definition.fields.iter().filter_map(|field| match field.path.steps() {
        [Step::Name(name)] => Some(&**name),
        _ => None,
    });
    let plain = name.replace('`', "");
    let hint = match hint::nearest(&plain, names) {
        Some(meant) if meant == plain => format!(" (it takes back-quotes: `{meant}`)"),
        Some(meant) => format!(" (did you mean {meant}?)"),
        None => String::new(),
    };
    Error::filter(position.0, format!("no result is called {name}{hint}"))
}
