//! A tree and its parameters to a filter: every literal a key, under the type that the collection
//! declares.
//!
//! A bound predicate is always one question: has some value that the path leads to, or the missing
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
//! ```
//!
//! A range stays within its literal's family, so values of another kind are in none. What no key
//! can satisfy (`IN ()`, `BETWEEN 2 AND 1`, `BETWEEN 1 AND 'x'`) is bound to
//! [`FilterNode::Nothing`].

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Ast, AstOp, AstTest, Cmp, Literal, Node, Operand, Position, Term};
use crate::doc::DocRef;
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

/// A filter that is ready to be planned and to be decided on documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Children before parents, the root last; never empty.
    pub nodes: Vec<FilterNode>,
}

/// One node; children are places in [`Filter::nodes`], each below the node's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterNode {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// All of them hold.
    And(Vec<u32>),
    /// One of them holds.
    Or(Vec<u32>),
    /// It does not hold.
    Not(u32),
    /// A predicate on one path.
    Test(Test),
}

/// Some value at `path` has a key among `keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What the predicate looks at.
    pub path: Path,
    /// The type under which values become keys.
    pub scalar: Scalar,
    /// The keys asked for; not empty.
    pub keys: KeySet,
    /// The predicate as text, parameters replaced by their values, long lists cut short. For
    /// EXPLAIN.
    pub text: Box<str>,
}

/// Buffers that deciding a filter uses again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    key: KeyBuf,
    /// Joins and NOTs that are being decided: the node, and which of its children comes next.
    open: Vec<(u32, u32)>,
}

/// Gives every predicate of `ast` its type and its keys. An error has code `Filter` and the byte of
/// the filter's text that it is about; a parameter that the filter does not use is an error too.
/// O(text + parameters), and in a STRICT collection times its fields.
pub fn bind(ast: &Ast, definition: &Definition, params: &Params) -> Result<Filter> {
    for node in &ast.nodes {
        if let Node::Test(test) = node {
            expect_declared(&test.path, definition)
                .map_err(|Error { message, .. }| Error::filter(test.position.0, message))?;
        }
    }
    bind_typed(ast, &|path| definition.typing(path), params)
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

fn bind_typed(ast: &Ast, typing: &dyn Fn(&Path) -> Typing, params: &Params) -> Result<Filter> {
    let mut binder = Binder { typing, params, used: BTreeSet::new() };
    let mut nodes = Vec::with_capacity(ast.nodes.len());
    for node in &ast.nodes {
        nodes.push(match node {
            Node::And(children) => FilterNode::And(children.clone()),
            Node::Or(children) => FilterNode::Or(children.clone()),
            Node::Not(child) => FilterNode::Not(*child),
            Node::Test(test) => binder.predicate(test)?,
        });
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
    used: BTreeSet<&'b str>,
}

/// A literal with the place of the text that it comes from.
type Value = (Literal, Position);

impl<'b> Binder<'b> {
    fn predicate(&mut self, test: &'b AstTest) -> Result<FilterNode> {
        let path = &test.path;
        let (scalar, keys, shown) = match &test.op {
            AstOp::Compare(cmp, operand) => {
                let value = self.value(operand)?;
                let scalar = self.comparable(test)?;
                let keys = compared(*cmp, key_of(&value, scalar, path)?);
                (scalar, keys, format!("{path} {cmp} {}", value.0))
            }
            AstOp::Between(low, high) => {
                let (low, high) = (self.value(low)?, self.value(high)?);
                let scalar = self.comparable(test)?;
                let keys = between(key_of(&low, scalar, path)?, key_of(&high, scalar, path)?);
                (scalar, keys, format!("{path} BETWEEN {} AND {}", low.0, high.0))
            }
            AstOp::In(list) => {
                let values =
                    list.iter().map(|operand| self.value(operand)).collect::<Result<Vec<_>>>()?;
                self.among(test, &values)?
            }
            AstOp::InParam(name, position) => {
                let values = self.list(name, *position)?;
                self.among(test, &values)?
            }
            AstOp::Has(operand) => return self.has(test, operand),
            AstOp::IsNull => (self.lenient(path), KeySet::points([Key::NULL]), test.to_string()),
            AstOp::IsMissing => {
                (self.lenient(path), KeySet::points([Key::MISSING]), test.to_string())
            }
            AstOp::IsBool(value) => {
                // A boolean in a field declared an array satisfies nothing, as any value of another
                // type.
                if matches!((self.typing)(path), Typing::Array(_)) {
                    return Ok(FilterNode::Nothing);
                }
                (self.lenient(path), KeySet::points([Key::of_bool(*value)]), test.to_string())
            }
        };
        Ok(node(path.clone(), scalar, keys, shown))
    }

    fn has(&mut self, test: &'b AstTest, operand: &'b Operand) -> Result<FilterNode> {
        let path = &test.path;
        let value = self.value(operand)?;
        if let Typing::Scalar(scalar) = (self.typing)(path)
            && scalar != Scalar::Json
        {
            let name = scalar.name();
            return Err(Error::filter(
                test.position.0,
                format_args!(
                    "HAS asks for an element, and field {path} is declared {name}, no array"
                ),
            ));
        }
        let each = path.each();
        let scalar = match (self.typing)(&each) {
            Typing::Scalar(scalar) => scalar,
            Typing::Array(_) | Typing::Undeclared => Scalar::Json,
        };
        let keys = compared(Cmp::Eq, key_of(&value, scalar, &each)?);
        Ok(node(each, scalar, keys, format!("{path} HAS {}", value.0)))
    }

    fn among(&self, test: &AstTest, values: &[Value]) -> Result<(Scalar, KeySet, String)> {
        let scalar = self.comparable(test)?;
        let keys = values.iter().map(|value| key_of(value, scalar, &test.path));
        let keys = KeySet::points(keys.collect::<Result<Vec<Key>>>()?);
        Ok((scalar, keys, list_text(&test.path, values)))
    }

    /// The type under which values at the test's path are compared.
    fn comparable(&self, test: &AstTest) -> Result<Scalar> {
        match (self.typing)(&test.path) {
            Typing::Scalar(scalar) => Ok(scalar),
            Typing::Undeclared => Ok(Scalar::Json),
            Typing::Array(scalar) => {
                let (path, name) = (&test.path, scalar.name());
                let what = format!(
                    "field {path} is declared array<{name}>, whose elements are compared \
                     with {path} HAS or {path}[*]"
                );
                Err(Error::filter(test.position.0, what))
            }
        }
    }

    /// The type for predicates that any field can be asked.
    fn lenient(&self, path: &Path) -> Scalar {
        match (self.typing)(path) {
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

    /// The elements of the parameter after IN.
    fn list(&mut self, name: &'b str, position: Position) -> Result<Vec<Value>> {
        self.used.insert(name);
        let raw = self.params.get(name, position)?;
        if raw.kind() != Kind::Array {
            let found = kind_name(raw.kind());
            return Err(Error::filter(
                position.0,
                format_args!("parameter ${name} after IN is {found}, expected an array"),
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
fn key_of((literal, position): &Value, scalar: Scalar, path: &Path) -> Result<Key> {
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
        format!("{shown} is no {}, as field {path} is declared", scalar.name())
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

fn node(path: Path, scalar: Scalar, keys: KeySet, text: String) -> FilterNode {
    if keys.ranges().is_empty() {
        return FilterNode::Nothing;
    }
    FilterNode::Test(Test { path, scalar, keys, text: text.into() })
}

/// `path IN (..)` with the first few values.
fn list_text(path: &Path, values: &[Value]) -> String {
    const SHOWN_MAX: usize = 8;
    let shown: Vec<String> =
        values.iter().take(SHOWN_MAX).map(|(literal, _)| literal.to_string()).collect();
    let list = shown.join(", ");
    match values.len().checked_sub(SHOWN_MAX) {
        None | Some(0) => format!("{path} IN ({list})"),
        Some(more) => format!("{path} IN ({list}, .. {more} more)"),
    }
}

impl Filter {
    /// The filter that every document satisfies.
    pub fn all() -> Filter {
        Filter { nodes: vec![FilterNode::All] }
    }

    /// Whether `doc` satisfies the filter. Decides no more children of a join than it must.
    pub fn matches(&self, doc: DocRef<'_>, scratch: &mut Scratch) -> bool {
        let Scratch { key, open } = scratch;
        self.decide(self.root(), open, &mut |_, test| test.matches(doc, key))
    }

    /// The place of the root.
    pub fn root(&self) -> u32 {
        self.nodes.len().saturating_sub(1) as u32
    }

    /// Whether the node at `root` holds when its predicates are as `holds` says, given each one's place. `open` is
    /// scratch space. Asks for no more predicates than it must.
    pub fn decide(
        &self,
        root: u32,
        open: &mut Vec<(u32, u32)>,
        holds: &mut dyn FnMut(u32, &Test) -> bool,
    ) -> bool {
        open.clear();
        let mut at = root;
        loop {
            let mut value = match &self.nodes[at as usize] {
                FilterNode::All => true,
                FilterNode::Nothing => false,
                FilterNode::Test(test) => holds(at, test),
                FilterNode::Not(child) => {
                    open.push((at, 1));
                    at = *child;
                    continue;
                }
                node @ (FilterNode::And(children) | FilterNode::Or(children)) => {
                    if let Some(first) = children.first() {
                        open.push((at, 1));
                        at = *first;
                        continue;
                    }
                    matches!(node, FilterNode::And(_))
                }
            };
            // Upwards, until a join needs its next child or the root is decided.
            loop {
                let Some((parent, next)) = open.pop() else { return value };
                let more = match &self.nodes[parent as usize] {
                    FilterNode::And(children) if value => children.get(next as usize),
                    FilterNode::Or(children) if !value => children.get(next as usize),
                    FilterNode::Not(_) => {
                        value = !value;
                        None
                    }
                    _ => None,
                };
                if let Some(child) = more {
                    open.push((parent, next + 1));
                    at = *child;
                    break;
                }
            }
        }
    }
}

impl Test {
    /// Whether some value that the path leads to in `doc`, or the missing value if there is none,
    /// has one of the keys.
    pub fn matches(&self, doc: DocRef<'_>, buf: &mut KeyBuf) -> bool {
        let mut holds = |value: Raw<'_>| {
            self.scalar.key(value, buf);
            self.keys.contains(buf.as_ref())
        };
        if !self.path.is_multi() {
            return match self.path.first(doc) {
                Some(value) => holds(value),
                None => self.keys.contains(Key::MISSING.as_ref()),
            };
        }
        let mut values = self.path.values(doc).peekable();
        if values.peek().is_none() {
            return self.keys.contains(Key::MISSING.as_ref());
        }
        values.any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    /// What the collection of these tests declares.
    fn typing(path: &Path) -> Typing {
        match path.to_string().as_str() {
            "age" => Typing::Scalar(Scalar::Int),
            "score" => Typing::Scalar(Scalar::Float),
            "active" => Typing::Scalar(Scalar::Bool),
            "price" => Typing::Scalar(Scalar::Decimal),
            "created" => Typing::Scalar(Scalar::DateTime),
            "extra" => Typing::Scalar(Scalar::Json),
            "tags" => Typing::Array(Scalar::String),
            "name" | "tags[*]" => Typing::Scalar(Scalar::String),
            _ => Typing::Undeclared,
        }
    }

    fn bound(text: &str, pairs: &[(&str, &str)]) -> Result<Filter> {
        let limits = Limits::default();
        let params =
            Params::new(pairs.iter().map(|(name, json)| (*name, json.as_bytes())), &limits)?;
        bind_typed(&parse(text, &limits)?, &typing, &params)
    }

    fn error(text: &str, pairs: &[(&str, &str)]) -> String {
        bound(text, pairs).expect_err(text).to_string()
    }

    #[test]
    fn says_how_parameters_are_given() {
        let found = error("a = $x", &[("$x", "1")]);
        let expected = "FILTER parameter $x has no value among PARAMS at position 4; \
                        names after PARAMS come without $";
        assert_eq!(found, expected);
        let found = error("a = $x", &[("x", "ada")]);
        assert!(found.ends_with("; a value is JSON, a string in double quotes"), "{found}");
    }

    #[test]
    fn a_strict_collection_is_asked_what_it_declares() {
        let json = br#"{"collection":"c","mode":"strict","fields":[
            {"path":"a.b","type":"int"},{"path":"tags","type":"array<string>"},
            {"path":"any","type":"json"},{"path":"items[*].sku","type":"string"}]}"#;
        let limits = Limits::default();
        let mut definition = Definition::from_json(json, &limits).unwrap();
        let bound = |text: &str, definition: &Definition| {
            bind(&parse(text, &limits).unwrap(), definition, &Params::default())
        };
        for path in ["a", "a.b", "tags[*]", "tags[2]", "any.x[1]", "items", "items[3].sku"] {
            assert!(bound(&format!("{path} IS MISSING"), &definition).is_ok(), "{path}");
        }
        assert!(bound("tags HAS 'x'", &definition).is_ok());
        for path in ["b", "a.c", "a.b.c", "tags.x", "tags[1].x", "a.b[1]", "items.sku"] {
            let found = bound(&format!("a.b = 1 AND {path}"), &definition).unwrap_err();
            let expected =
                format!("FILTER collection 'c' is STRICT and declares no {path} at position 12");
            assert_eq!(found.to_string(), expected);
        }
        definition.mode = Mode::Open;
        assert!(bound("b", &definition).is_ok());
    }

    /// The one predicate of a filter.
    fn only(text: &str) -> Test {
        match bound(text, &[]).unwrap().nodes.pop() {
            Some(FilterNode::Test(only)) => only,
            node => panic!("{text}: {node:?}"),
        }
    }

    fn matches(text: &str, json: &str) -> bool {
        let filter = bound(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut scratch = Scratch::default();
        with_doc(json, |doc| filter.matches(doc, &mut scratch))
    }

    fn with_doc<T>(json: &str, look: impl FnOnce(DocRef<'_>) -> T) -> T {
        look(crate::doc::testing::parsed(json).view())
    }

    fn assert_matches(json: &str, cases: &[(&str, bool)]) {
        for (text, expected) in cases {
            assert_eq!(matches(text, json), *expected, "{text} on {json}");
        }
    }

    #[test]
    fn compares_within_a_kind_only() {
        assert_matches(
            r#"{"n":5,"s":"m","t":true,"z":null,"a":[1],"o":{"n":1}}"#,
            &[
                ("n = 5", true),
                ("n = 5.0", true),
                ("n != 5", false),
                ("n < 5", false),
                ("n <= 5", true),
                ("n > 4.5", true),
                ("4 < n", true),
                ("n >= 6", false),
                ("n < 'x'", false),
                ("n >= FALSE", false),
                ("s > 'a'", true),
                ("s < 'z'", true),
                ("s > 0", false),
                ("s BETWEEN 'm' AND 'm'", true),
                ("t", true),
                ("n", false),
                ("NOT n", true),
                ("t > FALSE", true),
                ("t < 5", false),
                ("z < 5", false),
                ("z >= FALSE", false),
                ("gone >= FALSE", false),
                ("gone != 5", true),
                ("a = 1", false),
                ("o.n = 1", true),
                ("n.o = 1", false),
                ("n BETWEEN 1 AND 'z'", false),
                ("n BETWEEN 6 AND 1", false),
                ("n NOT BETWEEN 6 AND 9", true),
                ("n IN ()", false),
                ("n NOT IN ()", true),
                ("n IN ('5', 5)", true),
            ],
        );
    }

    #[test]
    fn the_greatest_double_is_a_number() {
        let json =
            format!(r#"{{"n":{},"m":{}}}"#, "1.7976931348623157e308", "-1.7976931348623157e308");
        assert_matches(&json, &[("n > 0", true), ("m < 0", true), ("n < 'x'", false)]);
    }

    #[test]
    fn is_tells_null_missing_and_booleans_apart() {
        assert_matches(
            r#"{"z":null,"t":true,"e":[],"a":[null,1]}"#,
            &[
                ("z IS NULL", true),
                ("gone IS NULL", false),
                ("z IS MISSING", false),
                ("gone IS MISSING", true),
                ("t IS TRUE", true),
                ("t IS NOT FALSE", true),
                ("z IS FALSE", false),
                ("e IS MISSING", false),
                ("e[*] IS MISSING", true),
                ("gone[*] IS MISSING", true),
                ("a[*] IS MISSING", false),
                ("a[*] IS NULL", true),
                ("a[1] IS NULL", false),
                ("a[2] IS MISSING", true),
            ],
        );
        assert_eq!(only("a IS MISSING").keys, KeySet::points([Key::MISSING]));
        assert_eq!(only("a[*] IS MISSING").keys, KeySet::points([Key::MISSING]));
    }

    #[test]
    fn any_element_satisfies() {
        assert_matches(
            r#"{"a":[1,9],"i":[{"k":"x","b":[2]},{"b":[3,4]},7]}"#,
            &[
                ("a[*] = 9", true),
                ("NOT a[*] = 9", false),
                ("NOT a[*] = 5", true),
                ("a[*] BETWEEN 2 AND 8", false),
                ("a[*] IN (5, 9)", true),
                ("a HAS 1", true),
                ("a NOT HAS 1", false),
                ("i[*].k = 'x'", true),
                ("i[*].b[*] = 4", true),
                ("i[*].b HAS 3", true),
                ("i[*].b[0] = 4", false),
                ("i[*].gone IS MISSING", true),
                ("i HAS 7", true),
                ("a.b IS MISSING", true),
                ("gone HAS 1", false),
            ],
        );
    }

    #[test]
    fn joins_decide_as_their_parts() {
        let values = [false, true];
        for (a, b, c) in values.into_iter().flat_map(|a| {
            values.into_iter().flat_map(move |b| values.into_iter().map(move |c| (a, b, c)))
        }) {
            let json = format!(r#"{{"a":{a},"b":{b},"c":{c}}}"#);
            assert_matches(
                &json,
                &[
                    ("a AND b AND c", a && b && c),
                    ("a OR b OR c", a || b || c),
                    ("a AND b OR c", a && b || c),
                    ("a AND (b OR c)", a && (b || c)),
                    ("NOT (a AND NOT b) AND c", (!a || b) && c),
                    ("NOT (NOT (a OR b)) OR NOT c", a || b || !c),
                    ("a IN () OR b AND NOT c", b && !c),
                ],
            );
        }
        let mut scratch = Scratch::default();
        assert!(with_doc("{}", |doc| Filter::all().matches(doc, &mut scratch)));
    }

    #[test]
    fn declared_types_govern() {
        assert_matches(
            r#"{"age":5,"price":"12.50","created":"2024-01-01T01:00:00+01:00","tags":["x"]}"#,
            &[
                ("age > 4.5", true),
                ("age = 4.5", false),
                ("age < 1e30", true),
                ("price = 12.5", true),
                ("price = '12.500'", true),
                ("price > 12.5", false),
                ("created = '2024-01-01T00:00:00Z'", true),
                ("created = 1704067200000", true),
                ("tags HAS 'x'", true),
                ("tags[*] = 'x'", true),
                ("tags IS NULL", false),
                ("tags IS MISSING", false),
                ("tags IS TRUE", false),
            ],
        );
        // What is not of its field's type satisfies nothing.
        assert_matches(
            r#"{"age":"5","name":7,"active":"yes","tags":true}"#,
            &[
                ("age >= 0", false),
                ("age != 0", true),
                ("age IS NULL", false),
                ("age IS MISSING", false),
                ("name >= ''", false),
                ("active", false),
                ("age IS TRUE", false),
                ("tags IS TRUE", false),
            ],
        );
        assert_eq!(only("tags HAS 'x'").scalar, Scalar::String);
        assert_eq!(only("extra HAS 'x'").scalar, Scalar::Json);
        assert_eq!(only("other HAS 'x'").path.to_string(), "other[*]");
    }

    #[test]
    fn a_literal_that_is_not_of_the_type_is_an_error() {
        let declared = |what: &str, name: &str, field: &str, at: usize| {
            format!("FILTER {what} is no {name}, as field {field} is declared at position {at}")
        };
        let cases = [
            ("created > 'abc'", declared("'abc'", "datetime", "created", 10)),
            ("created > 1.5", declared("1.5", "datetime", "created", 10)),
            ("age = 'x'", declared("'x'", "int", "age", 6)),
            ("age", declared("TRUE", "int", "age", 0)),
            ("score IN (1, TRUE)", declared("TRUE", "float", "score", 13)),
            ("name = 1", declared("1", "string", "name", 7)),
            ("active = 1", declared("1", "bool", "active", 9)),
            ("price BETWEEN 1 AND 'x'", declared("'x'", "decimal", "price", 20)),
            ("tags HAS 1", declared("1", "string", "tags[*]", 9)),
            ("a = 1e999", "FILTER 1e999 is beyond the range of numbers at position 4".into()),
            (
                "b AND tags = 'x'",
                "FILTER field tags is declared array<string>, whose elements are compared with \
                 tags HAS or tags[*] at position 6"
                    .into(),
            ),
            (
                "age HAS 1",
                "FILTER HAS asks for an element, and field age is declared int, no array \
                 at position 0"
                    .into(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text, &[]), expected);
        }
    }

    #[test]
    fn parameters_stand_for_literals() {
        let pairs = [("min", " 5 "), ("list", r#"["a", "b"]"#), ("x", r#""it's""#)];
        let filter = bound("n >= $min AND s IN $list AND t = $x", &pairs).unwrap();
        let texts: Vec<&str> = filter
            .nodes
            .iter()
            .filter_map(|node| match node {
                FilterNode::Test(test) => Some(&*test.text),
                _ => None,
            })
            .collect();
        assert_eq!(texts, ["n >= 5", "s IN ('a', 'b')", "t = 'it''s'"]);
        let literals = bound("n >= 5 AND s IN ('a', 'b') AND t = 'it''s'", &[]).unwrap();
        assert_eq!(filter, literals);
        let many = bound("n IN $l", &[("l", "[1,2,3,4,5,6,7,8,9,10]")]).unwrap();
        let Some(FilterNode::Test(test)) = many.nodes.last() else { panic!("{many:?}") };
        assert_eq!(&*test.text, "n IN (1, 2, 3, 4, 5, 6, 7, 8, .. 2 more)");
        let empty = bound("n IN $l", &[("l", "[]")]).unwrap();
        assert_eq!(empty.nodes, [FilterNode::Nothing]);
    }

    #[test]
    fn parameters_that_do_not_fit_are_errors() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(&str, Pairs, &str); 9] = [
            ("a = $x", &[], "parameter $x has no value among PARAMS at position 4"),
            ("a = 1", &[("x", "1")], "parameter $x is not used by the filter"),
            ("a = $x", &[("x", "1"), ("x", "2")], "parameter $x is given twice"),
            (
                "a = $x",
                &[("x", "null")],
                "parameter $x is null, use IS NULL instead of a comparison at position 4",
            ),
            (
                "a IN $x",
                &[("x", "[1,null]")],
                "element 1 of parameter $x is null, use IS NULL instead of a comparison \
                 at position 5",
            ),
            (
                "a IN $x",
                &[("x", "[[1]]")],
                "element 0 of parameter $x is an array, expected a string, number or boolean \
                 at position 5",
            ),
            (
                "a HAS $x",
                &[("x", "{}")],
                "parameter $x is an object, expected a string, number or boolean at position 6",
            ),
            (
                "a IN (1, $x)",
                &[("x", "[1]")],
                "parameter $x is an array, expected a string, number or boolean at position 9",
            ),
            (
                "a IN $x",
                &[("x", "1")],
                "parameter $x after IN is a number, expected an array at position 5",
            ),
        ];
        for (text, pairs, expected) in cases {
            assert_eq!(error(text, pairs), format!("FILTER {expected}"));
        }
        let broken = bound("a = $x", &[("x", "{")]).unwrap_err();
        assert_eq!(broken.code, Code::Json);
        assert!(broken.message.starts_with("parameter $x: "), "{broken}");
    }
}
