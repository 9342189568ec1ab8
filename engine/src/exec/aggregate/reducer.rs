//! Reducers: what each makes of the values of a group.

use std::collections::{BTreeMap, BTreeSet};

use bigdecimal::{BigDecimal, One, Signed};

use super::call::{Call, syntax, within};
use super::folded::{self, Folded};
use super::room::Room;
use super::sum::{Overflow, Spread, Sum, quantile};
use crate::doc::DocRef;
use crate::function::{Functions, Outcome};
use crate::query::{
    Given, Literal, Meter, Scope, Source, Term, Used, Value, decimal, excerpt, nearest, write_value,
};
use crate::schema::{FieldType, Scalar};
use crate::value::{Key, KeyBuf, Number};
use crate::{Code, Error, Result};

/// What is made of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// `count()`, `count(x)`
    Count,
    /// `sum(x)`
    Sum,
    /// `avg(x)`
    Avg,
    /// `min(x)`
    Min,
    /// `max(x)`
    Max,
    /// `stddev(x)`
    Stddev,
    /// `first(x)`
    First,
    /// `last(x)`
    Last,
    /// `collect(x)`
    Collect,
    /// `distinct(x)`
    Distinct,
    /// `countDistinct(x)`
    CountDistinct,
    /// `quantile(x, q)`
    Quantile(BigDecimal),
    /// A loaded function: `product(x)`, `product(x, 2)`
    Folded(Folded),
}

const NAMES: [(&str, Function); 11] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("stddev", Function::Stddev),
    ("first", Function::First),
    ("last", Function::Last),
    ("collect", Function::Collect),
    ("distinct", Function::Distinct),
    ("countDistinct", Function::CountDistinct),
];
const QUANTILE: &str = "quantile";

/// One result of each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Reducer {
    /// The name of the result.
    pub name: Box<str>,
    /// What is made.
    pub function: Function,
    /// Of which values; none of `count()`.
    pub source: Option<Source>,
}

impl Reducer {
    /// Reads `text`, such as `sum(price * qty)`. Errors: `ERR`, and those of a value in it.
    pub fn bind(text: &str, name: &str, scope: &Scope<'_>, used: &mut Used) -> Result<Self> {
        let Some(call) = Call::read(text) else {
            let shown = excerpt(text);
            return Err(syntax(format!("'{shown}' is no reducer, such as count() or sum(price)")));
        };
        let function = Self::function(&call, text, scope, used)?;
        let takes = match function {
            Function::Count => 0..=1,
            Function::Quantile(_) => 2..=2,
            Function::Folded(_) => 1..=usize::MAX,
            _ => 1..=1,
        };
        if !takes.contains(&call.arguments.len()) {
            let takes = match function {
                Function::Count => "one value or none",
                Function::Quantile(_) => "a value and a place from 0 to 1, as quantile(price, 0.5)",
                Function::Folded(_) => "a value, and constants behind it",
                _ => "one value",
            };
            let found = call.arguments.len();
            let (word, shown) = (call.word, excerpt(text));
            return Err(syntax(format!("{word} takes {takes}, and '{shown}' has {found}")));
        }
        let source = call.arguments.first().map(|value| {
            let operand = value.operand(scope.limits)?;
            Source::bind(&operand, scope, used)
        });
        let source = source.transpose().map_err(|error| within(text, error))?;
        Ok(Reducer { name: name.into(), function, source })
    }

    fn function(
        call: &Call<'_>,
        text: &str,
        scope: &Scope<'_>,
        used: &mut Used,
    ) -> Result<Function> {
        let word = call.word;
        if word.eq_ignore_ascii_case(QUANTILE) {
            let Some(place) = call.arguments.get(1) else {
                return Ok(Function::Quantile(BigDecimal::one()));
            };
            let operand = place.operand(scope.limits).map_err(|error| within(text, error))?;
            let number = match operand.terms.as_slice() {
                [(Term::Literal(Literal::Number(text)), _)] => decimal(text),
                _ => None,
            };
            let is_place = |it: &BigDecimal| !it.is_negative() && *it <= BigDecimal::one();
            return number.filter(is_place).map(Function::Quantile).ok_or_else(|| {
                let what = format!("'{}' is no number from 0 to 1", excerpt(place.text));
                within(text, Error::filter(place.at, what))
            });
        }
        let own = NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
        if let Some((_, function)) = own {
            return Ok(function.clone());
        }
        if let Some(folded) = Folded::bind(call, text, scope, used)? {
            return Ok(Function::Folded(folded));
        }
        let names: Vec<&str> = NAMES.iter().map(|it| it.0).chain([QUANTILE]).collect();
        let loaded = scope.functions.into_iter().flat_map(Functions::iter).map(|it| &*it.name);
        let hint = match nearest(word, names.iter().copied().chain(loaded)) {
            Some(meant) => format!(", did you mean {meant}?"),
            None => format!(", expected a function that is loaded, or one of {}", names.join(" ")),
        };
        Err(syntax(format!("unknown reducer '{}'{hint}", excerpt(word))))
    }

    /// The type of the result.
    pub fn ty(&self) -> FieldType {
        let Some(source) = &self.source else {
            return FieldType { scalar: Scalar::Json, array: false };
        };
        let computed = if source.is_decimal() { Scalar::Decimal } else { Scalar::Json };
        let (scalar, array) = match self.function {
            Function::Count | Function::CountDistinct | Function::Stddev | Function::Folded(_) => {
                (Scalar::Json, false)
            }
            Function::Sum | Function::Avg | Function::Quantile(_) => (computed, false),
            Function::Min | Function::Max | Function::First | Function::Last => {
                (source.scalar(), false)
            }
            // What leads into an element of undeclared type is a path like any other.
            Function::Collect | Function::Distinct => {
                (source.scalar(), source.scalar() != Scalar::Json)
            }
        };
        FieldType { scalar, array }
    }

    /// The state before the first value.
    pub fn begin<'d>(&self) -> State<'d> {
        match self.function {
            Function::Count => State::Count(0),
            Function::Sum | Function::Avg => State::Sum(Sum::default()),
            Function::Min | Function::Max => State::Best(None),
            Function::Stddev => State::Spread(Spread::default()),
            Function::First | Function::Last => State::One(None),
            Function::Collect => State::All(Vec::new()),
            Function::Distinct => State::Distinct(BTreeMap::new()),
            Function::CountDistinct => State::Keys(BTreeSet::new()),
            Function::Quantile(_) => State::Numbers(Vec::new()),
            Function::Folded(_) => State::Folded(None),
        }
    }

    /// Adds a value of `source`, which is not null and which the document gives. Errors: `LIMITED`; of a loaded function
    /// `FUNCTION` and `TIMEOUT` too.
    pub fn add<'d>(
        &self,
        source: &Source,
        state: &mut State<'d>,
        given: &Given<'d>,
        scratch: &mut KeyBuf,
        of: (DocRef<'_>, &Meter<'_>),
        room: &mut Room,
    ) -> Result<()> {
        match state {
            State::Folded(state) => {
                if let Function::Folded(folded) = &self.function {
                    folded.add(state, (source, given), of, room)?;
                }
            }
            State::Count(count) => *count += 1,
            State::Sum(sum) => {
                if let Some(number) = source.number(given) {
                    sum.add(number);
                }
            }
            State::Spread(spread) => {
                if let Some(number) = source.number(given) {
                    spread.add(double(&number));
                }
            }
            State::Numbers(numbers) => {
                if let Some(number) = source.number(given) {
                    room.take(size_of::<Value<'_>>() + given.heap_bytes())?;
                    numbers.push(owned(number));
                }
            }
            State::Best(best) => self.better(best, source, given, scratch, room)?,
            State::One(one) => {
                if one.is_none() || self.function == Function::Last {
                    *one = Some(given.clone());
                }
            }
            State::All(all) => {
                room.take(size_of::<Given<'_>>() + given.heap_bytes())?;
                all.push(given.clone());
            }
            State::Distinct(values) => {
                source.key(given, scratch);
                let key = scratch.as_ref().to_key();
                let bytes = size_of::<(Key, Given<'_>)>() + key.heap_bytes() + given.heap_bytes();
                if let std::collections::btree_map::Entry::Vacant(entry) = values.entry(key) {
                    room.take(bytes)?;
                    entry.insert(given.clone());
                }
            }
            State::Keys(keys) => {
                source.key(given, scratch);
                let key = scratch.as_ref().to_key();
                let bytes = size_of::<Key>() + key.heap_bytes();
                if keys.insert(key) {
                    room.take(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the better of a value and the best so far; the earlier of equals.
    fn better<'d>(
        &self,
        best: &mut Option<(Key, Given<'d>)>,
        source: &Source,
        given: &Given<'d>,
        scratch: &mut KeyBuf,
        room: &mut Room,
    ) -> Result<()> {
        source.key(given, scratch);
        let is_better = best.as_ref().is_none_or(|(key, _)| match self.function {
            Function::Min => scratch.as_ref() < key.as_ref(),
            _ => scratch.as_ref() > key.as_ref(),
        });
        if is_better {
            let bytes = |(key, given): &(Key, Given<'_>)| key.heap_bytes() + given.heap_bytes();
            let next = (scratch.as_ref().to_key(), given.clone());
            room.take(bytes(&next))?;
            room.release(best.as_ref().map_or(0, bytes));
            *best = Some(next);
        }
        Ok(())
    }

    /// Appends the result as JSON. Error: `OVERFLOW`.
    pub fn write(&self, state: State<'_>, out: &mut Vec<u8>) -> Result<()> {
        let overflow = |_: Overflow| {
            let what = format!("the result '{}' is beyond the range of its numbers", self.name);
            Error::new(Code::Overflow, what)
        };
        let result = match state {
            State::Count(count) => Number::of_integer(count.into()).map(Value::number),
            State::Keys(keys) => Number::of_integer(keys.len() as i128).map(Value::number),
            State::Sum(sum) if self.function == Function::Sum => {
                Some(sum.total().map_err(overflow)?)
            }
            State::Sum(sum) => sum.mean().map_err(overflow)?,
            State::Spread(spread) => spread.deviation().map_err(overflow)?,
            State::Numbers(mut numbers) => {
                let Function::Quantile(place) = &self.function else { return Ok(()) };
                numbers.sort_by(|a, b| a.compare(b, false).unwrap_or(std::cmp::Ordering::Equal));
                quantile(&numbers, place)
            }
            State::Folded(state) => {
                folded::write(state, out);
                return Ok(());
            }
            State::Best(best) => {
                self.write_given(best.map(|(_, given)| given), out);
                return Ok(());
            }
            State::One(one) => {
                self.write_given(one, out);
                return Ok(());
            }
            State::All(all) => {
                self.write_list(all.iter(), out);
                return Ok(());
            }
            State::Distinct(values) => {
                self.write_list(values.values(), out);
                return Ok(());
            }
        };
        match result {
            Some(value) => write_value(&value, out),
            None => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    fn write_given(&self, given: Option<Given<'_>>, out: &mut Vec<u8>) {
        match (&self.source, given) {
            (Some(source), Some(given)) => source.write(&given, out),
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn write_list<'g, 'd: 'g>(
        &self,
        values: impl Iterator<Item = &'g Given<'d>>,
        out: &mut Vec<u8>,
    ) {
        out.push(b'[');
        for (at, given) in values.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            if let Some(source) = &self.source {
                source.write(given, out);
            }
        }
        out.push(b']');
    }
}

/// What a reducer knows of a group so far.
#[derive(Debug, Clone)]
pub enum State<'d> {
    /// How many values.
    Count(u64),
    /// For sums and means.
    Sum(Sum),
    /// For the standard deviation.
    Spread(Spread),
    /// The least or the greatest value.
    Best(Option<(Key, Given<'d>)>),
    /// The first or the last.
    One(Option<Given<'d>>),
    /// All of them.
    All(Vec<Given<'d>>),
    /// The first of equals, by key.
    Distinct(BTreeMap<Key, Given<'d>>),
    /// The keys.
    Keys(BTreeSet<Key>),
    /// The numbers.
    Numbers(Vec<Value<'static>>),
    /// What a function has given last.
    Folded(Option<Outcome>),
}

impl State<'_> {
    /// How many values it holds.
    pub fn values(&self) -> usize {
        match self {
            State::Count(_) | State::Sum(_) | State::Spread(_) => 0,
            State::Best(_) | State::One(_) | State::Folded(_) => 1,
            State::All(values) => values.len(),
            State::Distinct(values) => values.len(),
            State::Keys(keys) => keys.len(),
            State::Numbers(numbers) => numbers.len(),
        }
    }
}

/// The nearest double of a number.
fn double(value: &Value<'_>) -> f64 {
    use bigdecimal::ToPrimitive;
    match value {
        Value::Number(number) => number.0.to_f64(),
        Value::Decimal(number) => number.to_f64().unwrap_or(f64::INFINITY),
        Value::Text(_) | Value::Bool(_) | Value::Key(..) => 0.0,
    }
}

/// The same number without a document.
fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Number(number) => Value::Number(number),
        Value::Decimal(number) => Value::Decimal(number),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        Value::Bool(value) => Value::Bool(value),
        Value::Key(scalar, key) => Value::Key(scalar, key),
    }
}
