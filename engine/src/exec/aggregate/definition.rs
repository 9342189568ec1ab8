//! What is asked of an aggregate: read, and bound to what the collection declares.

use std::sync::Arc;

use super::bucket::Width;
use super::call::{Call, syntax, within};
use super::reducer::Reducer;
use crate::exec::Direction;
use crate::limits::ORDER_PATHS_MAX;
use crate::path::{Path, Step};
use crate::query::{
    self, Ast, Filter, Scope, Source, Used, bind_part, bind_rows, excerpt, nearest,
};
use crate::schema::{Definition, Field, FieldType, Scalar};
use crate::{Code, Error, Result};

/// An aggregate as it is written.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// Which documents.
    pub filter: Option<Arc<Ast>>,
    /// What they are grouped by.
    pub keys: Vec<Named<'a>>,
    /// What is made of each group.
    pub reducers: Vec<Named<'a>>,
    /// Which rows.
    pub having: Option<&'a str>,
    /// In which order, by names of results.
    pub order: Vec<(&'a str, Direction)>,
    /// How many rows to pass over, and how many to give at most.
    pub limit: Option<(u64, u64)>,
    /// Whether to read any number of documents.
    pub scan: bool,
    /// Whether documents marked as deleted are among those asked for.
    pub with_deleted: bool,
}

/// A key or reducer, and the name of its result.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// As it is written.
    pub text: &'a str,
    /// The name; the text without one.
    pub name: Option<&'a str>,
}

/// An aggregate that is ready to run.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which documents.
    pub filter: Option<Filter>,
    /// What they are grouped by.
    pub keys: Vec<GroupKey>,
    /// What is made of each group.
    pub reducers: Vec<Reducer>,
    /// Which rows.
    pub having: Option<Filter>,
    /// In which order.
    pub order: Vec<RowOrder>,
    /// How many rows to pass over, and how many to give at most.
    pub limit: Option<(u64, u64)>,
    /// Whether to read any number of documents.
    pub scan: bool,
    /// Whether documents marked as deleted are among those asked for.
    pub with_deleted: bool,
}

/// One path into rows that orders them.
#[derive(Debug, Clone, PartialEq)]
pub struct RowOrder {
    /// The path.
    pub path: Path,
    /// The type under which values are compared.
    pub scalar: Scalar,
    /// Which way.
    pub direction: Direction,
}

/// What documents are grouped by.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupKey {
    /// Its name in rows.
    pub name: Box<str>,
    /// Where its values come from.
    pub source: Source,
    /// The buckets that they are put into.
    pub width: Option<Width>,
    /// The type of what stands in rows.
    pub scalar: Scalar,
}

impl Aggregate {
    /// Binds `request` to `scope`. Errors: `ERR`, `FILTER`, `PATH`, `TOOBIG`.
    pub fn bind(request: &Request<'_>, scope: &Scope<'_>) -> Result<Aggregate> {
        let mut used = Used::new();
        let filter = request.filter.as_deref();
        let filter = filter.map(|ast| bind_part(ast, scope, &mut used));
        let filter = filter.transpose()?;
        let keys: Vec<GroupKey> =
            request.keys.iter().map(|key| GroupKey::bind(*key, scope)).collect::<Result<_>>()?;
        expect_one_multi(request, &keys)?;
        let bind = |it: &Named<'_>| Reducer::bind(it.text, it.name(), scope, &mut used);
        let reducers: Vec<Reducer> = request.reducers.iter().map(bind).collect::<Result<_>>()?;
        if reducers.is_empty() {
            return Err(syntax("REDUCE is 0"));
        }
        let rows = row_definition(&keys, &reducers)?;
        let having = request.having.map(|text| {
            let bound = query::parse(text, scope.limits).and_then(|ast| {
                bind_rows(&ast, &Scope { definition: &rows, functions: None, ..*scope }, &mut used)
            });
            bound.map_err(|Error { code, message, .. }| {
                Error::new(code, format!("HAVING: {message}"))
            })
        });
        let having = having.transpose()?;
        if request.order.len() > ORDER_PATHS_MAX {
            let count = request.order.len();
            let what = format!("ORDER by {count} names exceeds the limit of {ORDER_PATHS_MAX}");
            return Err(Error::new(Code::Limited, what));
        }
        let order = request.order.iter();
        let order = order.map(|(name, way)| row_order(name, *way, &rows, scope));
        let order = order.collect::<Result<_>>()?;
        scope.params.expect_used(&used)?;
        let Request { limit, scan, with_deleted, .. } = *request;
        Ok(Aggregate { filter, keys, reducers, having, order, limit, scan, with_deleted })
    }
}

impl<'a> Named<'a> {
    /// The name of the result.
    fn name(&self) -> &'a str {
        self.name.unwrap_or(self.text)
    }
}

impl GroupKey {
    fn bind(named: Named<'_>, scope: &Scope<'_>) -> Result<GroupKey> {
        let text = named.text;
        let (subject, width) = match Call::read(text) {
            Some(call) if call.word.eq_ignore_ascii_case("bucket") => {
                let [path, width] = call.arguments.as_slice() else {
                    let found = call.arguments.len();
                    let what = format!(
                        "bucket takes a path and a width, as bucket(when, '1h'), and has {found}"
                    );
                    return Err(syntax(what));
                };
                let subject = query::parse_subject(path.text, scope.limits);
                let width = Width::read(width, scope.limits);
                let inside = |error| within(text, error);
                (subject.map_err(inside)?, Some((width.map_err(inside)?, path.at)))
            }
            Some(call) => {
                let word = excerpt(call.word);
                let hint = nearest(&word, ["bucket"]).map_or("", |_| ", did you mean bucket?");
                return Err(syntax(format!(
                    "GROUP takes paths and bucket(path, width), not {word}(..){hint}"
                )));
            }
            None => (query::parse_subject(text, scope.limits)?, None),
        };
        if let query::Subject::Path(path) = &subject {
            query::expect_declared(path, scope.definition)?;
        }
        let source = Source::of(&subject, scope.definition);
        let (source, scalar, width) = match width {
            None => {
                let scalar = source.scalar();
                (source, scalar, None)
            }
            Some((width, at)) => {
                let (source, scalar) = width.of(source, at).map_err(|error| within(text, error))?;
                (source, scalar, Some(width))
            }
        };
        Ok(GroupKey { name: named.name().into(), source, width, scalar })
    }
}

fn expect_one_multi(request: &Request<'_>, keys: &[GroupKey]) -> Result<()> {
    let mut multi = keys.iter().zip(&request.keys).filter(|(key, _)| key.source.is_multi());
    let Some((_, second)) = multi.nth(1) else { return Ok(()) };
    let shown = excerpt(second.text);
    Err(Error::new(Code::Filter, format!("{shown} is a second key with [*]: one key may have it")))
}

/// The names and types of results as those of a collection, which rows are documents of.
fn row_definition(keys: &[GroupKey], reducers: &[Reducer]) -> Result<Definition> {
    let of_keys =
        keys.iter().map(|key| (&key.name, FieldType { scalar: key.scalar, array: false }));
    let of_reducers = reducers.iter().map(|reducer| (&reducer.name, reducer.ty()));
    let mut rows = Definition::new("rows");
    for (name, ty) in of_keys.chain(of_reducers) {
        let path = Path::new(vec![Step::Name(name.clone())]);
        if rows.fields.iter().any(|field| field.path == path) {
            return Err(syntax(format!(
                "two results are called '{}': AS renames one",
                excerpt(name)
            )));
        }
        rows.fields.push(Field::new(path, ty));
    }
    Ok(rows)
}

fn row_order(
    name: &str,
    direction: Direction,
    rows: &Definition,
    scope: &Scope<'_>,
) -> Result<RowOrder> {
    use crate::schema::definition::Typing;
    let whole = Path::new(vec![Step::Name(name.into())]);
    let is_result =
        |path: &Path| rows.fields.iter().any(|field| field.path.steps() == &path.steps()[..1]);
    let path = if is_result(&whole) {
        whole
    } else {
        Path::parse(name, scope.limits.path_steps_max).ok().filter(is_result).ok_or_else(|| {
            let names = rows.fields.iter().filter_map(|field| match field.path.steps() {
                [Step::Name(name)] => Some(&**name),
                _ => None,
            });
            let meant = nearest(name, names);
            let hint = meant.map_or(String::new(), |meant| format!(" (did you mean {meant}?)"));
            let shown = excerpt(name);
            Error::new(Code::Filter, format!("ORDER: no result is called {shown}{hint}"))
        })?
    };
    let scalar = match rows.typing(&path) {
        Typing::Scalar(scalar) => scalar,
        Typing::Array(_) | Typing::Undeclared => Scalar::Json,
    };
    Ok(RowOrder { path, scalar, direction })
}
