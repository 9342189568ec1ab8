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
//! told, and is asked besides. What is computed is asked of documents ([`super::compute`]), and so is what ties several
//! conditions to one element. What is bound is brought into its normal form ([`super::normalize`]).
//!
//! A range stays within its literal's family, so values of another kind are in none. What no key
//! can satisfy (`IN ()`, `BETWEEN 2 AND 1`, `BETWEEN 1 AND 'x'`) is bound to
//! [`FilterNode::Nothing`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use super::ast::{Ast, AstElements, AstOp, AstTest, Cmp, Node, Position, Quantifier, TextOp};
use super::compare::Comparer;
use super::constant::{Constant, Constants, Params, Placed};
use super::filter::{ElementsTest, Filter, FilterNode, HasAll, Place, Test};
use super::hint;
use super::kinds;
use super::normalize::normalized;
use super::operand::{Literal, Meta, Operand, Subject};
use super::text::{Pattern, TextTest, keys_from};
use super::wording::{Join, Wording};
use crate::function::Functions;
use crate::path::{Path, Step};
use crate::schema::Scalar;
use crate::schema::definition::{Definition, Field, Mode, Typing};
use crate::schema::text::whole_nanos;
use crate::value::{Key, KeyBuf, KeyRange, KeySet};
use crate::{Code, Error, Limits, Result};

/// What a filter is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// What the collection declares.
    pub definition: &'s Definition,
    /// The values of parameters.
    pub params: &'s Params,
    /// What `now()` is, in milliseconds since 1970.
    pub now_ms: i64,
    /// The limits in force.
    pub limits: &'s Limits,
    /// The functions that predicates may call; none where there are none.
    pub functions: Option<&'s Functions>,
}

/// Gives every predicate of `ast` its type and its keys. An error has code `Filter` and the byte of
/// the filter's text that it is about; a parameter that the filter does not use is an error too.
/// O(text + parameters), and in a STRICT collection times its fields.
pub fn bind(ast: &Ast, scope: &Scope<'_>) -> Result<Filter> {
    let mut used = Used::new();
    let filter = bind_part(ast, scope, &mut used)?;
    scope.params.expect_used(&used)?;
    Ok(filter)
}

/// The names of parameters that were asked for.
pub type Used = BTreeSet<Box<str>>;

/// The same for one of several texts that share their parameters: notes which of them it uses.
pub fn bind_part(ast: &Ast, scope: &Scope<'_>, used: &mut Used) -> Result<Filter> {
    let mut binder = Binder::new(scope);
    let nodes = binder.nodes(ast)?;
    used.extend(binder.constants.used.iter().map(|name| Box::from(*name)));
    let asks = nodes.iter().any(|node| matches!(node, FilterNode::Called(_)));
    let filter = normalized(nodes);
    Ok(if asks { filter.functions_last() } else { filter })
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
    let names: Vec<String> = definition.fields.iter().map(|it| it.path.to_string()).collect();
    let meant = hint::nearest(&path.to_string(), names.iter().map(String::as_str))
        .map_or(String::new(), |meant| format!(" (did you mean {meant}?)"));
    let what = format!("collection '{}' is STRICT and declares no {path}{meant}", definition.name);
    Err(Error::new(Code::Filter, what))
}

pub(super) struct Binder<'b> {
    pub(super) scope: &'b Scope<'b>,
    pub(super) constants: Constants<'b>,
    /// Expressions that were compiled.
    patterns: usize,
}

/// Where a predicate's paths begin: at the document, or at the elements that a path leads to.
pub(super) type Within<'w> = Option<&'w Path>;

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

impl<'b> Binder<'b> {
    pub(super) fn new(scope: &'b Scope<'b>) -> Self {
        let constants =
            Constants { params: scope.params, now_ms: scope.now_ms, used: BTreeSet::new() };
        Binder { scope, constants, patterns: 0 }
    }

    fn nodes(&mut self, ast: &'b Ast) -> Result<Vec<FilterNode>> {
        let within = scopes(ast);
        let mut nodes = Vec::with_capacity(ast.nodes.len());
        // Where each node of the tree stands: a predicate may take several.
        let mut standing: Vec<u32> = Vec::with_capacity(ast.nodes.len());
        for (at, node) in ast.nodes.iter().enumerate() {
            let placed = |children: &[u32]| {
                children.iter().map(|child| standing[*child as usize]).collect::<Vec<u32>>()
            };
            let within = within[at].as_ref();
            match node {
                Node::And(children) => nodes.push(FilterNode::And(placed(children))),
                Node::Or(children) => nodes.push(FilterNode::Or(placed(children))),
                Node::Not(child) => nodes.push(FilterNode::Not(standing[*child as usize])),
                Node::Test(test) => push_all(self.predicate(test, within)?, &mut nodes),
                Node::Elements(elements, body) => {
                    self.elements(elements, standing[*body as usize], within, &mut nodes)?;
                }
            }
            standing.push(nodes.len() as u32 - 1);
        }
        Ok(nodes)
    }

    /// Pushes what asks about elements; the filter below has its root at `body`.
    fn elements(
        &self,
        elements: &AstElements,
        body: u32,
        within: Within<'_>,
        nodes: &mut Vec<FilterNode>,
    ) -> Result<()> {
        let AstElements { quantifier, path, position } = elements;
        let whole = whole(path, within);
        expect_element(path, within, *position)?;
        self.expect_declared(&whole, *position)?;
        if let Typing::Scalar(scalar) = self.scope.definition.typing(&whole)
            && scalar != Scalar::Json
        {
            let (word, name) = (quantifier.name(), scalar.name());
            let what =
                format!("{word} asks for elements, and field {whole} is declared {name}, no array");
            return Err(Error::filter(position.0, what));
        }
        nodes.push(FilterNode::Elements(ElementsTest {
            place: place(path, within),
            quantifier: *quantifier,
            body,
            text: path.to_string().into(),
        }));
        Ok(())
    }

    /// What must hold together; at least one.
    fn predicate(&mut self, test: &'b AstTest, within: Within<'_>) -> Result<Vec<FilterNode>> {
        for (subject, position) in test.operands().flat_map(Operand::subjects) {
            if let Subject::Path(path) = subject {
                expect_element(path, within, position)?;
                self.expect_declared(&whole(path, within), position)?;
            }
        }
        let Some(subject) = test.left.as_subject() else {
            return Comparer::new(self, test, within).nodes();
        };
        let asked = Asked { subject, position: test.left.position(), within };
        let (scalar, keys) = match &test.op {
            AstOp::Compare(..) | AstOp::Between(..) | AstOp::In(_) => {
                return Comparer::new(self, test, within).nodes();
            }
            AstOp::Has(operand) => {
                let value = self.constants.simple(operand)?;
                let shown = format!("{subject} HAS {}", value.0.literal());
                return Ok(vec![self.has_any(asked, &[value], shown)?]);
            }
            AstOp::HasList(quantifier, list) => {
                let values = self.constants.list(list, quantifier.name())?;
                let shown = list_text(&format!("{subject} HAS {}", quantifier.name()), &values);
                return match quantifier {
                    Quantifier::Any => Ok(vec![self.has_any(asked, &values, shown)?]),
                    Quantifier::All => self.has_all(asked, &values, shown),
                };
            }
            AstOp::Text(op, operand) => return self.text(asked, *op, operand),
            AstOp::Calls(name, position, _) => {
                return Ok(vec![self.called((name, *position), test, within)?]);
            }
            AstOp::IsKind(kind) => {
                let Subject::Path(path) = subject else {
                    let what = format!("{subject} is no part of the text; it has one type");
                    return Err(Error::filter(asked.position.0, what));
                };
                let (scalar, shown) = (self.lenient(asked), test.to_string());
                return Ok(kinds::nodes(place(path, within), *kind, scalar, shown));
            }
            AstOp::IsNull => (self.lenient(asked), KeySet::points([Key::NULL])),
            AstOp::IsMissing => (self.lenient(asked), KeySet::points([Key::MISSING])),
            AstOp::IsBool(value) => {
                // A boolean in a field declared an array satisfies nothing, as any value of another
                // type.
                if matches!(self.typing(subject, within), Typing::Array(_)) {
                    return Ok(vec![FilterNode::Nothing]);
                }
                (self.lenient(asked), KeySet::points([Key::of_bool(*value)]))
            }
        };
        Ok(vec![node(subject_place(subject, within), scalar, keys, test.to_string())])
    }

    fn expect_declared(&self, path: &Path, position: Position) -> Result<()> {
        expect_declared(path, self.scope.definition)
            .map_err(|Error { message, .. }| Error::filter(position.0, message))
    }

    pub(super) fn typing(&self, subject: &Subject, within: Within<'_>) -> Typing {
        match subject {
            Subject::Path(path) => self.scope.definition.typing(&whole(path, within)),
            Subject::Meta(meta) => Typing::Scalar(scalar_of(*meta)),
        }
    }

    /// The array that HAS asks about, and the type of its elements.
    fn array<'t>(&self, asked: Asked<'t>) -> Result<(&'t Path, Scalar)> {
        let Asked { subject, position, within } = asked;
        let path = match (subject, self.typing(subject, within)) {
            (
                Subject::Path(path),
                Typing::Array(_) | Typing::Undeclared | Typing::Scalar(Scalar::Json),
            ) => path,
            (_, Typing::Scalar(scalar) | Typing::Array(scalar)) => {
                let name = scalar.name();
                return Err(Error::filter(
                    position.0,
                    format_args!(
                        "HAS asks for an element, and field {subject} is declared {name}, no array"
                    ),
                ));
            }
            (Subject::Meta(_), Typing::Undeclared) => unreachable!("metadata have types"),
        };
        let scalar = match self.scope.definition.typing(&whole(&path.each(), within)) {
            Typing::Scalar(scalar) => scalar,
            Typing::Array(_) | Typing::Undeclared => Scalar::Json,
        };
        Ok((path, scalar))
    }

    /// The keys of elements.
    fn keys(path: &Path, scalar: Scalar, values: &[Placed]) -> Result<Vec<Key>> {
        let each = path.each();
        values.iter().map(|value| key_of(value, scalar, &each)).collect()
    }

    fn has_any(&self, asked: Asked<'_>, values: &[Placed], shown: String) -> Result<FilterNode> {
        let (path, scalar) = self.array(asked)?;
        let scalar = beside(values, scalar);
        let keys = KeySet::points(Self::keys(path, scalar, values)?);
        Ok(node(place(&path.each(), asked.within), scalar, keys, shown))
    }

    fn has_all(
        &self,
        asked: Asked<'_>,
        values: &[Placed],
        shown: String,
    ) -> Result<Vec<FilterNode>> {
        let (path, scalar) = self.array(asked)?;
        let scalar = beside(values, scalar);
        let keys = Self::keys(path, scalar, values)?;
        let within = asked.within;
        // Of one array each element can be asked for by itself, by an index perhaps. Of several, one must have them all.
        let of_each = keys.iter().zip(values).map(|(key, (constant, _))| {
            let shown = format!("{path} HAS {}", constant.literal());
            node(place(&path.each(), within), scalar, KeySet::points([key.clone()]), shown)
        });
        let mut together: Vec<FilterNode> = of_each.collect();
        if together.is_empty() || path.is_multi() {
            let (place, text) = (place(path, within), shown.into());
            let mut keys = keys;
            keys.sort_unstable();
            keys.dedup();
            together.push(FilterNode::HasAll(HasAll { place, scalar, keys, text }));
        }
        Ok(together)
    }

    /// Error: `LIMITED`, where the filter has compiled too many.
    fn count_pattern(&mut self, pattern: &Pattern) -> Result<()> {
        self.patterns += usize::from(pattern.is_compiled());
        let most = self.scope.limits.patterns_max;
        if self.patterns <= most {
            return Ok(());
        }
        let what = format!(
            "the filter has more LIKE patterns and regular expressions than the limit of {most} (folio.patterns-max)"
        );
        Err(Error::new(Code::Limited, what))
    }

    fn text(
        &mut self,
        asked: Asked<'_>,
        op: TextOp,
        operand: &'b Operand,
    ) -> Result<Vec<FilterNode>> {
        let Asked { subject, within, .. } = asked;
        let name = op.name();
        let (constant, position) = self.constants.simple(operand)?;
        let Constant::Literal(literal @ Literal::String(source)) = &constant else {
            let what = format!("{name} takes a string, found {}", constant.literal());
            return Err(Error::filter(position.0, what));
        };
        let scalar = self.text_scalar(asked, name)?;
        let pattern = Pattern::new(op, source, scalar, self.scope.limits).map_err(
            |Error { code, message, .. }| match code {
                Code::Filter => Error::filter(position.0, message),
                code => Error::new(code, message),
            },
        )?;
        self.count_pattern(&pattern)?;
        let shown = format!("{subject} {name} {literal}");
        let place = subject_place(subject, within);
        // Of a key that is no UTF-8 they see what stands for it, which no key of a value does.
        let is_seen = |text: &str| {
            op == TextOp::StartsWith
                || !matches!(place, Place::Meta(_))
                || !text.contains(char::REPLACEMENT_CHARACTER)
        };
        if let Some(keys) = pattern.keys(scalar).filter(|_| is_seen(source)) {
            return Ok(vec![node(place, scalar, keys, shown)]);
        }
        let mut together = Vec::new();
        let beginnings = pattern.beginnings(scalar);
        if !beginnings.is_empty() && beginnings.iter().all(|it| is_seen(it)) {
            let sets: Vec<KeySet> = beginnings.iter().map(|it| keys_from(it, scalar)).collect();
            let words = beginnings.iter().map(|beginning| {
                let beginning = Literal::String(beginning.as_str().into());
                Wording::one(format!("{subject} {} {beginning}", TextOp::StartsWith.name()))
            });
            let text = Wording::joined(Join::Or, words.collect::<Vec<_>>().iter());
            let (place, keys) = (place.clone(), KeySet::union_of(&sets));
            together.push(FilterNode::Test(Test { place, scalar, keys, text, is_told: true }));
        }
        together.push(FilterNode::Text(TextTest { place, pattern, text: shown.into() }));
        Ok(together)
    }

    /// The type of what is asked for its text.
    fn text_scalar(&self, asked: Asked<'_>, name: &str) -> Result<Scalar> {
        let Asked { subject, position, within } = asked;
        let declared = |what: &str| {
            let what = format!("{name} asks for a string, and {subject} is {what}");
            Err(Error::filter(position.0, what))
        };
        match self.typing(subject, within) {
            Typing::Undeclared => Ok(Scalar::Json),
            Typing::Scalar(scalar) if scalar.takes_text() => Ok(scalar),
            Typing::Scalar(scalar) => declared(&format!("declared {}", scalar.name())),
            Typing::Array(scalar) => {
                let hint = if scalar.takes_text() {
                    format!("; its elements are asked as {subject}[*]")
                } else {
                    String::new()
                };
                declared(&format!("declared array<{}>{hint}", scalar.name()))
            }
        }
    }

    /// The type for predicates that any field can be asked.
    fn lenient(&self, asked: Asked<'_>) -> Scalar {
        match self.typing(asked.subject, asked.within) {
            Typing::Scalar(scalar) => scalar,
            Typing::Array(_) | Typing::Undeclared => Scalar::Json,
        }
    }
}

/// What a predicate asks about.
#[derive(Clone, Copy)]
struct Asked<'t> {
    subject: &'t Subject,
    position: Position,
    within: Within<'t>,
}

/// For each node, the path to the elements that its paths begin at.
pub(super) fn scopes(ast: &Ast) -> Vec<Option<Path>> {
    let mut scopes: Vec<Option<Path>> = vec![None; ast.nodes.len()];
    for (at, node) in ast.nodes.iter().enumerate().rev() {
        let own = scopes[at].clone();
        let (children, scope) = match node {
            Node::And(children) | Node::Or(children) => (children.as_slice(), own),
            Node::Not(child) => (std::slice::from_ref(child), own),
            Node::Elements(elements, body) => {
                let path = whole(&elements.path, own.as_ref()).each();
                (std::slice::from_ref(body), Some(path))
            }
            Node::Test(_) => (&[][..], None),
        };
        for child in children {
            scopes[*child as usize].clone_from(&scope);
        }
    }
    scopes
}

/// Where there is no element, `@` stands for nothing.
fn expect_element(path: &Path, within: Within<'_>, position: Position) -> Result<()> {
    if within.is_some() || matches!(path.steps().first(), Some(Step::Name(_))) {
        return Ok(());
    }
    let what =
        format!("{path} begins at an element, and stands in no ANY .. WHERE or ALL .. WHERE");
    Err(Error::filter(position.0, what))
}

/// A path as it leads from the document.
fn whole<'p>(path: &'p Path, within: Within<'_>) -> Cow<'p, Path> {
    within.map_or(Cow::Borrowed(path), |elements| Cow::Owned(elements.join(path.steps())))
}

pub(super) fn place(path: &Path, within: Within<'_>) -> Place {
    match within {
        None => Place::Path(path.clone()),
        Some(_) => Place::Element(path.clone()),
    }
}

pub(super) fn subject_place(subject: &Subject, within: Within<'_>) -> Place {
    match subject {
        Subject::Path(path) => place(path, within),
        Subject::Meta(meta) => Place::Meta(*meta),
    }
}

/// The type of metadata.
pub fn scalar_of(meta: Meta) -> Scalar {
    match meta {
        Meta::Key | Meta::Id => Scalar::String,
        Meta::Seq | Meta::Version => Scalar::Int,
        Meta::Created | Meta::Updated | Meta::Expires | Meta::Deleted => Scalar::DateTime,
        Meta::Valid => Scalar::Bool,
    }
}

/// The type of what is compared with these: beside an instant, undeclared values are instants.
pub(super) fn beside(values: &[Placed], scalar: Scalar) -> Scalar {
    let has_instant = values.iter().any(|(value, _)| matches!(value, Constant::Instant(_)));
    if has_instant && scalar == Scalar::Json { Scalar::DateTime } else { scalar }
}

/// The key of a constant under `scalar`.
pub(super) fn key_of(
    (constant, position): &Placed,
    scalar: Scalar,
    field: &dyn fmt::Display,
) -> Result<Key> {
    let mut buf = KeyBuf::default();
    if let Some((millis, nanos)) = constant.millis(scalar).and_then(whole_nanos) {
        buf.set_instant(millis, nanos);
        return Ok(buf.as_ref().to_key());
    }
    let literal = constant.literal();
    let fits = match &*literal {
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
pub(super) fn compared(cmp: Cmp, key: Key) -> KeySet {
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
pub(super) fn between(low: Key, high: Key) -> KeySet {
    if family(&low) != family(&high) {
        return KeySet::default();
    }
    KeySet::range(KeyRange { low, low_included: true, high, high_included: true })
}

pub(super) fn node(place: Place, scalar: Scalar, keys: KeySet, text: String) -> FilterNode {
    if keys.ranges().is_empty() {
        return FilterNode::Nothing;
    }
    let text = Wording::one(text);
    FilterNode::Test(Test { place, scalar, keys, text, is_told: false })
}

/// `head (..)` with the first few values.
pub(super) fn list_text(head: &str, values: &[Placed]) -> String {
    const SHOWN_MAX: usize = 8;
    let shown: Vec<String> =
        values.iter().take(SHOWN_MAX).map(|(constant, _)| constant.literal().to_string()).collect();
    let list = shown.join(", ");
    match values.len().checked_sub(SHOWN_MAX) {
        None | Some(0) => format!("{head} ({list})"),
        Some(more) => format!("{head} ({list}, .. {more} more)"),
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
