//! Binding of comparisons, BETWEEN and IN: a path against constants to a set of keys, which an index can answer; anything
//! else to a computation.

use std::fmt::{self, Write};

use bigdecimal::BigDecimal;

use super::ast::{AstOp, AstTest, List, Position};
use super::bind::{
    Binder, Within, beside, between, compared, key_of, list_text, node, subject_place,
};
use super::compute::{Computed, Domain, Expression, Question, Term, Value, text_value};
use super::constant::{Constant, Placed};
use super::filter::FilterNode;
use super::operand::{Arithmetic, Function, Literal, Operand, Subject, Term as Written};
use crate::schema::Scalar;
use crate::schema::definition::Typing;
use crate::schema::text::whole_nanos;
use crate::value::{Key, KeySet};
use crate::{Error, Result};

/// A comparison in words, most of which fit in one allocation: each filter that is bound makes some.
fn words(text: fmt::Arguments<'_>) -> String {
    const MOST_BYTES: usize = 64;
    let mut words = String::with_capacity(MOST_BYTES);
    words.write_fmt(text).expect("a string takes everything");
    words
}

/// Binds one comparison.
pub(super) struct Comparer<'x, 'b> {
    binder: &'x mut Binder<'b>,
    test: &'b AstTest,
    within: Within<'x>,
    domain: Domain,
}

impl<'x, 'b> Comparer<'x, 'b> {
    pub(super) fn new(binder: &'x mut Binder<'b>, test: &'b AstTest, within: Within<'x>) -> Self {
        let mut comparer = Comparer { binder, test, within, domain: Domain::Plain };
        comparer.domain = comparer.domain_of();
        comparer
    }

    /// What the predicate becomes; one node.
    pub(super) fn nodes(mut self) -> Result<Vec<FilterNode>> {
        let others_are_constant = self.test.operands().skip(1).all(Operand::is_constant);
        if let (Some(subject), true) = (self.test.left.as_subject(), others_are_constant)
            && let Some(node) = self.keyed(subject)?
        {
            return Ok(vec![node]);
        }
        self.computed().map(|node| vec![node])
    }

    fn domain_of(&self) -> Domain {
        let mut domain = Domain::Plain;
        let listed: &[Operand] = match &self.test.op {
            AstOp::In(List::Operands(listed)) => listed,
            _ => &[],
        };
        for (term, _) in self.test.operands().chain(listed).flat_map(|operand| &operand.terms) {
            match term {
                Written::Call(Function::Now | Function::Time) => return Domain::Time,
                Written::Subject(subject) => match self.binder.typing(subject, self.within) {
                    Typing::Scalar(Scalar::DateTime | Scalar::Date) => return Domain::Time,
                    Typing::Scalar(Scalar::Decimal | Scalar::Duration) => domain = Domain::Decimal,
                    _ => {}
                },
                _ => {}
            }
        }
        domain
    }

    /// The keys that a value of `subject` has to have; none where keys cannot tell.
    fn keyed(&mut self, subject: &'b Subject) -> Result<Option<FilterNode>> {
        let constants = if let AstOp::In(list) = &self.test.op {
            self.binder.constants.list(list, "IN")?
        } else {
            let operands = self.test.operands().skip(1);
            // All are looked at, also behind one without a value: what a later one uses is used.
            let (mut constants, mut have_values) = (Vec::with_capacity(2), true);
            for operand in operands {
                let constant = self.constant(operand)?;
                have_values &= constant.is_some();
                constants.extend(constant);
            }
            if !have_values {
                return Ok(Some(FilterNode::Nothing));
            }
            constants
        };
        let scalar = beside(&constants, self.comparable(subject)?);
        let is_instant = |(constant, _): &Placed| matches!(constant, Constant::Instant(_));
        if let Some((instant, position)) = constants.iter().find(|it| is_instant(it)) {
            if !scalar.takes_instants() {
                let name = scalar.name();
                let what = format!(
                    "{} is an instant, and field {subject} is declared {name}",
                    instant.literal()
                );
                return Err(Error::filter(position.0, what));
            }
        } else if self.domain == Domain::Time && scalar == Scalar::Json {
            return Ok(None);
        }
        let is_between_nanos = |(constant, _): &Placed| {
            constant.millis(scalar).is_some_and(|millis| whole_nanos(millis).is_none())
        };
        if constants.iter().any(is_between_nanos) {
            return Ok(None);
        }
        let (keys, text) = self.keys(subject, scalar, &constants)?;
        Ok(Some(node(subject_place(subject, self.within), scalar, keys, text)))
    }

    fn keys(
        &self,
        subject: &Subject,
        scalar: Scalar,
        constants: &[Placed],
    ) -> Result<(KeySet, String)> {
        let mut keys = constants.iter().map(|constant| key_of(constant, scalar, subject));
        let shown = |at: usize| constants[at].0.literal();
        let mut next = || keys.next().expect("a key for each constant");
        Ok(match &self.test.op {
            AstOp::Compare(cmp, _) => {
                (compared(*cmp, next()?), words(format_args!("{subject} {cmp} {}", shown(0))))
            }
            AstOp::Between(..) => {
                let keys = between(next()?, next()?);
                (keys, words(format_args!("{subject} BETWEEN {} AND {}", shown(0), shown(1))))
            }
            _ => {
                let keys = KeySet::points(keys.collect::<Result<Vec<Key>>>()?);
                (keys, list_text(&format!("{subject} IN"), constants))
            }
        })
    }

    /// The type under which values of the subject are compared.
    fn comparable(&self, subject: &Subject) -> Result<Scalar> {
        match self.binder.typing(subject, self.within) {
            Typing::Scalar(scalar) => Ok(scalar),
            Typing::Undeclared => Ok(Scalar::Json),
            Typing::Array(scalar) => {
                let name = scalar.name();
                let what = format!(
                    "field {subject} is declared array<{name}>, whose elements are compared \
                     with {subject} HAS or {subject}[*]"
                );
                Err(Error::filter(self.test.left.position().0, what))
            }
        }
    }

    /// The value of an operand that asks no document; none where it has no value.
    fn constant(&mut self, operand: &'b Operand) -> Result<Option<Placed>> {
        let is_simple = |term: &Written| matches!(term, Written::Arithmetic(_) | Written::Negate);
        if !operand.terms.iter().any(|(term, _)| is_simple(term)) {
            return self.binder.constants.simple(operand).map(Some);
        }
        let position = operand.position();
        // Whether each result so far is an instant, besides its value.
        let mut stack: Vec<(Option<Value<'static>>, bool)> = Vec::new();
        let mut terms = operand.terms.iter().peekable();
        while let Some((term, at)) = terms.next() {
            let pop = |stack: &mut Vec<_>| stack.pop().expect("operands stand before");
            let next = match term {
                Written::Negate => {
                    let (value, _) = pop(&mut stack);
                    let zero = Constant::Number(BigDecimal::from(0)).value(self.domain);
                    let negative =
                        zero.zip(value).and_then(|(a, b)| a.computed(Arithmetic::Sub, b));
                    (negative, false)
                }
                Written::Arithmetic(operator) => {
                    let (right, right_is_instant) = pop(&mut stack);
                    let (left, left_is_instant) = pop(&mut stack);
                    let value = left.zip(right).and_then(|(a, b)| a.computed(*operator, b));
                    let is_instant = match operator {
                        Arithmetic::Add => left_is_instant != right_is_instant,
                        Arithmetic::Sub => left_is_instant && !right_is_instant,
                        _ => false,
                    };
                    (value, is_instant)
                }
                _ => {
                    let is_argument = |it: &(Written, Position)| {
                        matches!(it.0, Written::Call(Function::Time | Function::Duration))
                    };
                    let function = terms.next_if(|next| is_argument(next)).map(|it| &it.0);
                    let constant = self.term(term, function, *at)?;
                    let is_instant = matches!(constant, Constant::Instant(_))
                        || matches!(
                            (&constant, self.domain),
                            (Constant::Literal(Literal::String(_)), Domain::Time)
                        );
                    (Some(self.number(&constant, *at)?), is_instant)
                }
            };
            stack.push(next);
        }
        Ok(match stack.pop() {
            Some((Some(Value::Decimal(number)), true)) => {
                Some((Constant::Instant(number), position))
            }
            Some((Some(Value::Decimal(number)), false)) => {
                Some((Constant::Number(number), position))
            }
            Some((Some(Value::Number(number)), _)) => {
                let text = number.0.to_string();
                Some((Constant::Literal(Literal::Number(text.into())), position))
            }
            _ => None,
        })
    }

    /// A literal or parameter, or what a function makes of it.
    fn term(
        &mut self,
        term: &'b Written,
        function: Option<&Written>,
        position: Position,
    ) -> Result<Constant> {
        if let Written::Call(Function::Now) = term {
            return Ok(self.binder.constants.now());
        }
        let literal = self.binder.constants.literal(term, position)?;
        match function {
            Some(Written::Call(function)) => super::constant::called(*function, &literal, position),
            _ => Ok(Constant::Literal(literal)),
        }
    }

    /// A constant that is computed with.
    fn number(&self, constant: &Constant, position: Position) -> Result<Value<'static>> {
        match self.value(constant, position)? {
            value @ (Value::Number(_) | Value::Decimal(_)) => Ok(value),
            Value::Text(_) | Value::Bool(_) | Value::Key(..) => {
                let what = format!("arithmetic takes numbers, found {}", constant.literal());
                Err(Error::filter(position.0, what))
            }
        }
    }

    fn value(&self, constant: &Constant, position: Position) -> Result<Value<'static>> {
        constant.value(self.domain).ok_or_else(|| {
            let shown = super::lex::excerpt(&constant.literal().to_string());
            let what = match constant {
                Constant::Literal(Literal::String(_)) => format!("{shown} is no time (RFC 3339)"),
                _ => format!("{shown} is beyond the range of numbers"),
            };
            Error::filter(position.0, what)
        })
    }

    /// A constant that is compared with what documents hold: under the type of a path whose strings are of a form.
    fn compared(&self, constant: &Constant, position: Position) -> Result<Value<'static>> {
        let formed = self.test.operands().filter_map(Operand::as_subject).find_map(|subject| {
            match self.binder.typing(subject, self.within) {
                Typing::Scalar(scalar) if scalar.is_formed() => Some((subject, scalar)),
                _ => None,
            }
        });
        let (Some((subject, scalar)), Constant::Literal(Literal::String(text))) =
            (formed, constant)
        else {
            return self.value(constant, position);
        };
        // The error, if it is of no such form.
        key_of(&(constant.clone(), position), scalar, subject)?;
        let value = text_value(text.to_string().into(), scalar, self.domain);
        value.ok_or_else(|| Error::filter(position.0, "a text of no value"))
    }

    /// A predicate that documents are asked.
    fn computed(&mut self) -> Result<FilterNode> {
        let mut operands = smallvec::SmallVec::new();
        for operand in self.test.operands() {
            operands.push(self.expression(operand)?);
        }
        let question = match &self.test.op {
            AstOp::Compare(cmp, right) => {
                self.expect_comparable(&self.test.left, right)?;
                self.expect_comparable(right, &self.test.left)?;
                Question::Compare(*cmp)
            }
            AstOp::Between(low, high) => {
                self.expect_comparable(&self.test.left, low)?;
                self.expect_comparable(&self.test.left, high)?;
                Question::Between
            }
            AstOp::In(list) => {
                let constants = self.binder.constants.list(list, "IN")?;
                let values = constants.iter().map(|(constant, at)| self.compared(constant, *at));
                let mut values = values.collect::<Result<Vec<_>>>()?;
                let folds_case = operands.first().is_some_and(Expression::folds_case);
                values.sort_by(|a, b| a.cmp_listed(b, folds_case));
                Question::In(values)
            }
            _ => unreachable!("only comparisons come here"),
        };
        self.expect_one_multi()?;
        let text = self.test.to_string().into();
        let computed = Computed { question, operands, text };
        Ok(match computed.constant() {
            Some(true) => FilterNode::All,
            Some(false) => FilterNode::Nothing,
            None => FilterNode::Computed(computed),
        })
    }

    /// At most one path may lead to several values: which of them belong together, only ANY can say.
    pub(super) fn expect_one_multi(&self) -> Result<()> {
        let subjects = self.test.operands().flat_map(Operand::subjects);
        let mut multi = subjects.filter(|(subject, _)| match subject {
            Subject::Path(path) => path.is_multi(),
            Subject::Meta(_) => false,
        });
        let Some((second, position)) = multi.nth(1) else { return Ok(()) };
        let what = format!(
            "{second} is a second path with [*] in one comparison: ANY array WHERE (..) compares \
             within one element"
        );
        Err(Error::filter(position.0, what))
    }

    /// A computed number and a constant that is none are never equal: nobody means that.
    fn expect_comparable(&self, computed: &Operand, other: &'b Operand) -> Result<()> {
        let [(term, position)] = other.terms.as_slice() else { return Ok(()) };
        if computed.terms.len() == 1 || self.domain != Domain::Plain {
            return Ok(());
        }
        if let Written::Literal(literal @ (Literal::String(_) | Literal::Bool(_))) = term {
            let is_names = computed.terms.iter().all(|(term, _)| {
                matches!(term, Written::Subject(_) | Written::Arithmetic(Arithmetic::Sub))
            });
            let hint = if is_names { " (a name with '-' takes back-quotes)" } else { "" };
            let what = format!("{computed} is a number, and compared with {literal}{hint}");
            return Err(Error::filter(position.0, what));
        }
        Ok(())
    }

    /// An operand as it is computed on a document.
    pub(super) fn expression(&mut self, operand: &'b Operand) -> Result<Expression> {
        let is_alone = operand.as_subject().is_some();
        let is_simple = |term: &Written| matches!(term, Written::Arithmetic(_) | Written::Negate);
        let is_computed = operand.terms.iter().any(|(term, _)| is_simple(term));
        let mut terms = Vec::with_capacity(operand.terms.len());
        let mut written = operand.terms.iter().peekable();
        while let Some((term, at)) = written.next() {
            terms.push(match term {
                Written::Negate => Term::Negate,
                Written::Arithmetic(operator) => Term::Arithmetic(*operator),
                Written::Subject(subject) => {
                    let scalar = self.comparable(subject)?;
                    if !is_alone && !scalar.is_computed_with() {
                        let name = scalar.name();
                        let what =
                            format!("arithmetic takes numbers, and {subject} is declared {name}");
                        return Err(Error::filter(at.0, what));
                    }
                    Term::Read(subject_place(subject, self.within), scalar)
                }
                _ => {
                    let is_call = |it: &Written| {
                        matches!(it, Written::Call(Function::Time | Function::Duration))
                    };
                    let function = written.next_if(|next| is_call(&next.0)).map(|it| &it.0);
                    let constant = self.term(term, function, *at)?;
                    Term::Constant(if is_computed {
                        self.number(&constant, *at)?
                    } else {
                        self.compared(&constant, *at)?
                    })
                }
            });
        }
        Ok(Expression { domain: self.domain, terms })
    }
}
