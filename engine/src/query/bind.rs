//! A tree and its parameters to a filter: every literal a key, under the type that the collection
//! declares.
//!
//! A bound predicate is one question wherever keys can tell: has some value that the path leads to, or the missing
//! value if it leads to nothing, a key in a set of keys? So a predicate is decided on a document
//! and in an index alike:
//!
//! ```text
//!   a = x, a HAS x (on a[*])     the key of x
//!   a < x                        from the least key of x's family to x; families are booleans,
//!                                numbers (with decimals and datetimes), strings
//!   a BETWEEN x AND y            from x to y
//!   a IN (x, y)                  the keys of x and of y
//!   a IS NULL, IS TRUE           the key of null, of true
//!   a IS MISSING                 the key of missing
//!   a STARTS WITH x              the strings from x to the first that does not begin with it
//!   a HAS ANY (x, y)             on a[*], the keys of x and of y
//!   a HAS ALL (x, y)             one such question for each; [`HasAll`] where one array must hold them all
//! ```
//!
//! What else is asked of strings no key can tell ([`TextTest`]); of LIKE the part before the first wildcard can be
//! told, and is asked besides.
//!
//! A range stays within its literal's family, so values of another kind are in none. What no key
//! can satisfy (`IN ()`, `BETWEEN 2 AND 1`, `BETWEEN 1 AND 'x'`) is bound to
//! [`FilterNode::Nothing`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ast::{
    Ast, AstOp, AstTest, Cmp, List, Literal, Meta, Node, Operand, Position, Quantifier, Subject,
    Term, TextOp,
};
use super::filter::{Filter, FilterNode, HasAll, Test};
use super::text::{Pattern, TextTest, keys_from};
use crate::doc::parse::parse_value;
use crate::path::{Path, Step};
use crate::schema::definition::{Definition, Field, Mode, Typing};
use crate::schema::types::Scalar;
use crate::value::{Key, KeyBuf, KeyRange, KeySet, Kind, Raw};
use crate::{Code, Error, Limits, Result};

/// The values of a filter's parameters. `Params::default()` has none.
#[derive(Debug, Clone, Default)]
pub struct Params {
    /// By name: minified JSON text.
    values: BTreeMap<Box<str>, Box<[u8]>>,
}

impl Params {
    /// The parameters of `pairs`, each a name without the dollar sign and its value as JSON text. A
    /// name that comes twice is an error, and so is a value that is not JSON: that one has the code
    /// of its cause.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        limits: &Limits,
    ) -> Result<Params> {
        let mut values = BTreeMap::new();
        for (name, json) in pairs {
            let value = parse_value(json, limits).map_err(|cause| {
                let hint = match cause.code {
                    Code::Json => "; a value is JSON, a string in double quotes",
                    _ => "",
                };
                Error::new(cause.code, format!("parameter ${name}: {}{hint}", cause.message))
            })?;
            if values.insert(name.into(), value).is_some() {
                let what = format!("parameter ${name} is given twice");
                return Err(Error::new(Code::Filter, what));
            }
        }
        Ok(Params { values })
    }

    fn get(&self, name: &str, position: Position) -> Result<Raw<'_>> {
        if let Some(json) = self.values.get(name) {
            return Ok(Raw::new(json));
        }
        let hint = dollar_hint(self.values.contains_key(format!("${name}").as_str()));
        let at = position.0;
        let what = format!("parameter ${name} has no value among PARAMS at position {at}{hint}");
        Err(Error::new(Code::Filter, what))
    }
}

fn dollar_hint(has_dollar: bool) -> &'static str {
    if has_dollar { "; names after PARAMS come without $" } else { "" }
}

/// Gives every predicate of `ast` its type and its keys. An error has code `Filter` and the byte of
/// the filter's text that it is about; a parameter that the filter does not use is an error too.
/// O(text + parameters), and in a STRICT collection times its fields.
pub fn bind(
    ast: &Ast,
    definition: &Definition,
    params: &Params,
    limits: &Limits,
) -> Result<Filter> {
    for node in &ast.nodes {
        if let Node::Test(AstTest { subject: Subject::Path(path), position, .. }) = node {
            expect_declared(path, definition)
                .map_err(|Error { message, .. }| Error::filter(position.0, message))?;
        }
    }
    bind_typed(ast, &|path| definition.typing(path), params, limits)
}

/// That `path` can lead somewhere: in a STRICT collection to a declared field, around it or into it.
/// Error: `FILTER`.
pub fn expect_declared(path: &Path, definition: &Definition) -> Result<()> {
    let steps = path.steps();
    let covers = |field: &Field| {
        let declared = field.path.steps();
        let is_same = |(declared, step): (&Step, &Step)| match (declared, step) {
            (Step::Each, Step::Index(_)) => true,
            _ => declared == step,
        };
        if !declared.iter().zip(steps).all(is_same) {
            return false;
        }
        match steps.get(declared.len()..).unwrap_or_default() {
            [] => true,
            [Step::Index(_) | Step::Each] if field.ty.array => true,
            [Step::Name(_), ..] if field.ty.array => false,
            _ => field.ty.scalar == Scalar::Json,
        }
    };
    if definition.mode == Mode::Open || definition.fields.iter().any(covers) {
        return Ok(());
    }
    let what = format!("collection '{}' is STRICT and declares no {path}", definition.name);
    Err(Error::new(Code::Filter, what))
}

fn bind_typed(
    ast: &Ast,
    typing: &dyn Fn(&Path) -> Typing,
    params: &Params,
    limits: &Limits,
) -> Result<Filter> {
    let mut binder = Binder { typing, params, limits, used: BTreeSet::new() };
    let mut nodes = Vec::with_capacity(ast.nodes.len());
    // Where each node of the tree stands: a predicate may take several.
    let mut standing: Vec<u32> = Vec::with_capacity(ast.nodes.len());
    for node in &ast.nodes {
        let placed = |children: &[u32]| {
            children.iter().map(|child| standing[*child as usize]).collect::<Vec<u32>>()
        };
        match node {
            Node::And(children) => nodes.push(FilterNode::And(placed(children))),
            Node::Or(children) => nodes.push(FilterNode::Or(placed(children))),
            Node::Not(child) => nodes.push(FilterNode::Not(standing[*child as usize])),
            Node::Test(test) => push_all(binder.predicate(test)?, &mut nodes),
        }
        standing.push(nodes.len() as u32 - 1);
    }
    let unused = params.values.keys().find(|name| !binder.used.contains(&***name));
    match unused {
        Some(name) => {
            let hint = dollar_hint(name.starts_with('$'));
            let what = format!("parameter ${name} is not used by the filter{hint}");
            Err(Error::new(Code::Filter, what))
        }
        None => Ok(Filter { nodes }),
    }
}

struct Binder<'b> {
    typing: &'b dyn Fn(&Path) -> Typing,
    params: &'b Params,
    limits: &'b Limits,
    used: BTreeSet<&'b str>,
}

/// Pushes what must hold together, as one node.
fn push_all(mut together: Vec<FilterNode>, nodes: &mut Vec<FilterNode>) {
    if together.len() == 1 {
        nodes.append(&mut together);
        return;
    }
    let from = nodes.len() as u32;
    nodes.append(&mut together);
    nodes.push(FilterNode::And((from..nodes.len() as u32).collect()));
}

/// A literal with the place of the text that it comes from.
type Value = (Literal, Position);

impl<'b> Binder<'b> {
    /// What must hold together; at least one.
    fn predicate(&mut self, test: &'b AstTest) -> Result<Vec<FilterNode>> {
        let subject = &test.subject;
        let (scalar, keys, shown) = match &test.op {
            AstOp::Compare(cmp, operand) => {
                let value = self.value(operand)?;
                let scalar = self.comparable(test)?;
                let keys = compared(*cmp, key_of(&value, scalar, subject)?);
                (scalar, keys, format!("{subject} {cmp} {}", value.0))
            }
            AstOp::Between(low, high) => {
                let (low, high) = (self.value(low)?, self.value(high)?);
                let scalar = self.comparable(test)?;
                let keys = between(key_of(&low, scalar, subject)?, key_of(&high, scalar, subject)?);
                (scalar, keys, format!("{subject} BETWEEN {} AND {}", low.0, high.0))
            }
            AstOp::In(list) => {
                let values = self.values(list, "IN")?;
                self.among(test, &values)?
            }
            AstOp::Has(operand) => {
                let value = self.value(operand)?;
                let shown = format!("{subject} HAS {}", value.0);
                return Ok(vec![self.has_any(test, &[value], shown)?]);
            }
            AstOp::HasList(quantifier, list) => {
                let values = self.values(list, quantifier.name())?;
                let shown = list_text(&format!("{subject} HAS {}", quantifier.name()), &values);
                return match quantifier {
                    Quantifier::Any => Ok(vec![self.has_any(test, &values, shown)?]),
                    Quantifier::All => self.has_all(test, &values, shown),
                };
            }
            AstOp::Text(op, operand) => return self.text(test, *op, operand),
            AstOp::IsNull => (self.lenient(subject), KeySet::points([Key::NULL]), test.to_string()),
            AstOp::IsMissing => {
                (self.lenient(subject), KeySet::points([Key::MISSING]), test.to_string())
            }
            AstOp::IsBool(value) => {
                // A boolean in a field declared an array satisfies nothing, as any value of another
                // type.
                if matches!(self.typing(subject), Typing::Array(_)) {
                    return Ok(vec![FilterNode::Nothing]);
                }
                (self.lenient(subject), KeySet::points([Key::of_bool(*value)]), test.to_string())
            }
        };
        Ok(vec![match subject {
            Subject::Path(path) => node(path.clone(), scalar, keys, shown),
            Subject::Meta(Meta::Valid) => valid(&keys),
        }])
    }

    fn typing(&self, subject: &Subject) -> Typing {
        match subject {
            Subject::Path(path) => (self.typing)(path),
            Subject::Meta(Meta::Valid) => Typing::Scalar(Scalar::Bool),
        }
    }

    /// The array that HAS asks about, and the type of its elements.
    fn array<'t>(&self, test: &'t AstTest) -> Result<(&'t Path, Scalar)> {
        let subject = &test.subject;
        let path = match (subject, self.typing(subject)) {
            (
                Subject::Path(path),
                Typing::Array(_) | Typing::Undeclared | Typing::Scalar(Scalar::Json),
            ) => path,
            (_, Typing::Scalar(scalar) | Typing::Array(scalar)) => {
                let name = scalar.name();
                return Err(Error::filter(
                    test.position.0,
                    format_args!(
                        "HAS asks for an element, and field {subject} is declared {name}, no array"
                    ),
                ));
            }
            (Subject::Meta(_), Typing::Undeclared) => unreachable!("metadata have types"),
        };
        let scalar = match (self.typing)(&path.each()) {
            Typing::Scalar(scalar) => scalar,
            Typing::Array(_) | Typing::Undeclared => Scalar::Json,
        };
        Ok((path, scalar))
    }

    /// The keys of elements.
    fn elements(path: &Path, scalar: Scalar, values: &[Value]) -> Result<Vec<Key>> {
        let each = path.each();
        values.iter().map(|value| key_of(value, scalar, &each)).collect()
    }

    fn has_any(&self, test: &AstTest, values: &[Value], shown: String) -> Result<FilterNode> {
        let (path, scalar) = self.array(test)?;
        let keys = KeySet::points(Self::elements(path, scalar, values)?);
        Ok(node(path.each(), scalar, keys, shown))
    }

    fn has_all(&self, test: &AstTest, values: &[Value], shown: String) -> Result<Vec<FilterNode>> {
        let (path, scalar) = self.array(test)?;
        let keys = Self::elements(path, scalar, values)?;
        // Of one array each element can be asked for by itself, by an index perhaps. Of several, one must have them all.
        let of_each = keys.iter().zip(values).map(|(key, (literal, _))| {
            let shown = format!("{path} HAS {literal}");
            node(path.each(), scalar, KeySet::points([key.clone()]), shown)
        });
        let mut together: Vec<FilterNode> = of_each.collect();
        if together.is_empty() || path.is_multi() {
            let path = path.clone();
            together.push(FilterNode::HasAll(HasAll { path, scalar, keys, text: shown.into() }));
        }
        Ok(together)
    }

    fn text(
        &mut self,
        test: &'b AstTest,
        op: TextOp,
        operand: &'b Operand,
    ) -> Result<Vec<FilterNode>> {
        let (subject, name) = (&test.subject, op.name());
        let (literal, position) = self.value(operand)?;
        let Literal::String(source) = &literal else {
            let what = format!("{name} takes a string, found {literal}");
            return Err(Error::filter(position.0, what));
        };
        let declared = |what: &str| {
            let what = format!("{name} asks for a string, and {subject} is {what}");
            Err(Error::filter(test.position.0, what))
        };
        let (path, scalar) = match (subject, self.typing(subject)) {
            (Subject::Path(path), Typing::Undeclared) => (path, Scalar::Json),
            (Subject::Path(path), Typing::Scalar(scalar @ (Scalar::String | Scalar::Json))) => {
                (path, scalar)
            }
            (_, Typing::Scalar(scalar)) => return declared(&format!("declared {}", scalar.name())),
            (_, Typing::Array(scalar)) => {
                let hint = match scalar {
                    Scalar::String | Scalar::Json => {
                        format!("; its elements are asked as {subject}[*]")
                    }
                    _ => String::new(),
                };
                return declared(&format!("declared array<{}>{hint}", scalar.name()));
            }
            (Subject::Meta(_), Typing::Undeclared) => unreachable!("metadata have types"),
        };
        let pattern = Pattern::new(op, source, self.limits).map_err(
            |Error { code, message, .. }| match code {
                Code::Filter => Error::filter(position.0, message),
                code => Error::new(code, message),
            },
        )?;
        let shown = format!("{subject} {name} {literal}");
        let prefix = pattern.prefix();
        let mut together = Vec::new();
        if pattern.is_prefix() || !prefix.is_empty() {
            let keys = keys_from(&prefix);
            let prefix = Literal::String(prefix.into());
            let shown = format!("{subject} {} {prefix}", TextOp::StartsWith.name());
            together.push(node(path.clone(), scalar, keys, shown));
        }
        if !pattern.is_prefix() {
            let path = path.clone();
            together.push(FilterNode::Text(TextTest { path, pattern, text: shown.into() }));
        }
        Ok(together)
    }

    fn among(&self, test: &AstTest, values: &[Value]) -> Result<(Scalar, KeySet, String)> {
        let scalar = self.comparable(test)?;
        let keys = values.iter().map(|value| key_of(value, scalar, &test.subject));
        let keys = KeySet::points(keys.collect::<Result<Vec<Key>>>()?);
        Ok((scalar, keys, list_text(&format!("{} IN", test.subject), values)))
    }

    /// The type under which values of the test's subject are compared.
    fn comparable(&self, test: &AstTest) -> Result<Scalar> {
        match self.typing(&test.subject) {
            Typing::Scalar(scalar) => Ok(scalar),
            Typing::Undeclared => Ok(Scalar::Json),
            Typing::Array(scalar) => {
                let (path, name) = (&test.subject, scalar.name());
                let what = format!(
                    "field {path} is declared array<{name}>, whose elements are compared \
                     with {path} HAS or {path}[*]"
                );
                Err(Error::filter(test.position.0, what))
            }
        }
    }

    /// The type for predicates that any field can be asked.
    fn lenient(&self, subject: &Subject) -> Scalar {
        match self.typing(subject) {
            Typing::Scalar(scalar) => scalar,
            Typing::Array(_) | Typing::Undeclared => Scalar::Json,
        }
    }

    fn value(&mut self, operand: &'b Operand) -> Result<Value> {
        let position = operand.position;
        match &operand.term {
            Term::Literal(literal) => Ok((literal.clone(), position)),
            Term::Param(name) => {
                self.used.insert(name);
                let raw = self.params.get(name, position)?;
                Ok((literal_of(raw, position, || format!("parameter ${name}"))?, position))
            }
        }
    }

    /// The values of a list that stands after `word`.
    fn values(&mut self, list: &'b List, word: &str) -> Result<Vec<Value>> {
        match list {
            List::Operands(operands) => {
                operands.iter().map(|operand| self.value(operand)).collect()
            }
            List::Param(name, position) => self.elements_of(name, *position, word),
        }
    }

    /// The elements of a parameter that stands after `word`.
    fn elements_of(&mut self, name: &'b str, position: Position, word: &str) -> Result<Vec<Value>> {
        self.used.insert(name);
        let raw = self.params.get(name, position)?;
        if raw.kind() != Kind::Array {
            let found = kind_name(raw.kind());
            return Err(Error::filter(
                position.0,
                format_args!("parameter ${name} after {word} is {found}, expected an array"),
            ));
        }
        let literals = raw.elements().enumerate().map(|(at, element)| {
            literal_of(element, position, || format!("element {at} of parameter ${name}"))
        });
        literals.map(|literal| Ok((literal?, position))).collect()
    }
}

/// The literal of a parameter's value; `whose` begins the error where the value cannot be compared
/// with.
fn literal_of(raw: Raw<'_>, position: Position, whose: impl Fn() -> String) -> Result<Literal> {
    match raw.kind() {
        Kind::Bool => Ok(Literal::Bool(raw.bytes() == b"true")),
        Kind::Number => {
            let text = std::str::from_utf8(raw.bytes()).expect("validated JSON is UTF-8");
            Ok(Literal::Number(text.into()))
        }
        Kind::String => {
            let text = raw.string().expect("a string by its kind");
            Ok(Literal::String(text.into()))
        }
        Kind::Null => Err(Error::filter(
            position.0,
            format_args!("{} is null, use IS NULL instead of a comparison", whose()),
        )),
        kind @ (Kind::Array | Kind::Object) => Err(Error::filter(
            position.0,
            format_args!(
                "{} is {}, expected a string, number or boolean",
                whose(),
                kind_name(kind)
            ),
        )),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

/// The key of a literal under `scalar`.
fn key_of((literal, position): &Value, scalar: Scalar, field: &dyn fmt::Display) -> Result<Key> {
    let mut buf = KeyBuf::default();
    let fits = match literal {
        Literal::Bool(value) => scalar.key_of_bool(*value, &mut buf),
        Literal::String(text) => scalar.key_of_string(text, &mut buf),
        Literal::Number(text) => {
            let text = text.as_bytes();
            // An integer may well be compared with 1.5 or 1e30, though it can equal neither.
            scalar.key_of_number(text, &mut buf)
                || (scalar == Scalar::Int && Scalar::Float.key_of_number(text, &mut buf))
        }
    };
    if fits {
        return Ok(buf.as_ref().to_key());
    }
    let shown = super::lex::excerpt(&literal.to_string());
    let what = if scalar == Scalar::Json {
        format!("{shown} is beyond the range of numbers")
    } else {
        format!("{shown} is no {}, as field {field} is declared", scalar.name())
    };
    Err(Error::filter(position.0, what))
}

/// Booleans, numbers (with decimals and datetimes) or strings: the least and the greatest range
/// ends of one.
fn family(key: &Key) -> KeyRange {
    let (low, high, high_included) = if *key < Key::NUMBER_MIN {
        (Key::FALSE, Key::TRUE, true)
    } else if *key < Key::STRING_MIN {
        (Key::NUMBER_MIN, Key::NUMBER_END, false)
    } else {
        (Key::STRING_MIN, Key::STRING_END, false)
    };
    KeyRange { low, low_included: true, high, high_included }
}

/// The keys that stand in the relation `cmp` to `key`, within its family.
fn compared(cmp: Cmp, key: Key) -> KeySet {
    let family = family(&key);
    KeySet::range(match cmp {
        Cmp::Eq => KeyRange::point(key),
        Cmp::Lt => KeyRange { high: key, high_included: false, ..family },
        Cmp::Le => KeyRange { high: key, high_included: true, ..family },
        Cmp::Gt => KeyRange { low: key, low_included: false, ..family },
        Cmp::Ge => KeyRange { low: key, low_included: true, ..family },
    })
}

/// The keys from `low` to `high`; none where the two are of different families.
fn between(low: Key, high: Key) -> KeySet {
    if family(&low) != family(&high) {
        return KeySet::default();
    }
    KeySet::range(KeyRange { low, low_included: true, high, high_included: true })
}

/// What `_valid` is asked, as it may only be true or false.
fn valid(keys: &KeySet) -> FilterNode {
    let [is_true, is_false] =
        [true, false].map(|value| keys.contains(Key::of_bool(value).as_ref()));
    match (is_true, is_false) {
        (true, true) => FilterNode::All,
        (false, false) => FilterNode::Nothing,
        (wanted, _) => FilterNode::Valid(wanted),
    }
}

fn node(path: Path, scalar: Scalar, keys: KeySet, text: String) -> FilterNode {
    if keys.ranges().is_empty() {
        return FilterNode::Nothing;
    }
    FilterNode::Test(Test { path, scalar, keys, text: text.into() })
}

/// `head (..)` with the first few values.
fn list_text(head: &str, values: &[Value]) -> String {
    const SHOWN_MAX: usize = 8;
    let shown: Vec<String> =
        values.iter().take(SHOWN_MAX).map(|(literal, _)| literal.to_string()).collect();
    let list = shown.join(", ");
    match values.len().checked_sub(SHOWN_MAX) {
        None | Some(0) => format!("{head} ({list})"),
        Some(more) => format!("{head} ({list}, .. {more} more)"),
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
