//! The operations of DOC.UPDATE, as docs/updates.md tells them.

use std::cmp::Ordering;

use bigdecimal::{BigDecimal, ToPrimitive};

use super::{
    json::Json,
    model::Refusal,
    order::compare,
    patch,
    path::{Path, Step},
    schema::{Kind, NaiveSchema},
    time,
    value::{Number, decimal, is_decimal},
};

/// One operation of `DOC.UPDATE`.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `SET path json`: missing parents are made.
    Set(Path, Json),
    /// `UNSET path`: nothing happens where the path leads to nothing.
    Unset(Path),
    /// `INCR path n`: a missing value counts as 0.
    Incr(Path, Json),
    /// `MUL path n`: a missing value counts as 0.
    Mul(Path, Json),
    /// `MIN path json`: puts the value if it is below.
    Min(Path, Json),
    /// `MAX path json`: puts the value if it is above.
    Max(Path, Json),
    /// `PUSH path json`: an element at the end.
    Push(Path, Json),
    /// `POP path [index]`: an element goes, the last one without an index.
    Pop(Path, Option<i64>),
    /// `ADD path json`: an element at the end, unless there is an equal one.
    Add(Path, Json),
    /// `PULL path json`: all equal elements go.
    Pull(Path, Json),
    /// `RENAME path path`
    Rename(Path, Path),
    /// `TOGGLE path`: a missing value counts as false.
    Toggle(Path),
    /// `NOW path [duration]`: so much later than now; empty for none.
    Now(Path, String),
    /// `MERGE json`
    Merge(Json),
    /// `PATCH json`
    Patch(Json),
    /// `TTL path seconds`, `PTTL path milliseconds`: what stands there lapses so many milliseconds from now, or never.
    Ttl(Path, Option<i64>),
}

/// What operations see besides the document.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// What is declared.
    pub schema: &'a NaiveSchema,
    /// The instant at which the command began, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Change {
    /// Verb, path and operand, as the command has them; the last two are empty where there is none.
    pub fn parts(&self) -> [String; 3] {
        let parts = |verb: &str, path: &Path, operand: String| [verb.into(), path.text(), operand];
        match self {
            Self::Set(path, json) => parts("SET", path, json.print()),
            Self::Unset(path) => parts("UNSET", path, String::new()),
            Self::Incr(path, json) => parts("INCR", path, json.print()),
            Self::Mul(path, json) => parts("MUL", path, json.print()),
            Self::Min(path, json) => parts("MIN", path, json.print()),
            Self::Max(path, json) => parts("MAX", path, json.print()),
            Self::Push(path, json) => parts("PUSH", path, json.print()),
            Self::Pop(path, index) => {
                parts("POP", path, index.map(|index| index.to_string()).unwrap_or_default())
            }
            Self::Add(path, json) => parts("ADD", path, json.print()),
            Self::Pull(path, json) => parts("PULL", path, json.print()),
            Self::Rename(from, to) => parts("RENAME", from, to.text()),
            Self::Toggle(path) => parts("TOGGLE", path, String::new()),
            Self::Now(path, later) => parts("NOW", path, later.clone()),
            Self::Merge(json) => ["MERGE".to_owned(), String::new(), json.print()],
            Self::Patch(json) => ["PATCH".to_owned(), String::new(), json.print()],
            Self::Ttl(path, None) => parts("TTL", path, "NONE".to_owned()),
            Self::Ttl(path, Some(ms)) if ms % 1000 == 0 => {
                parts("TTL", path, (ms / 1000).to_string())
            }
            Self::Ttl(path, Some(ms)) => parts("PTTL", path, ms.to_string()),
        }
    }

    /// Reads what `parts` gave, of paths that need no back-quotes.
    pub fn of_parts(verb: &str, path: &str, operand: &str) -> Option<Self> {
        let at = || Path::plain(path);
        let json = || Json::parse(operand).ok();
        Some(match verb {
            "SET" => Self::Set(at(), json()?),
            "UNSET" => Self::Unset(at()),
            "INCR" => Self::Incr(at(), json()?),
            "MUL" => Self::Mul(at(), json()?),
            "MIN" => Self::Min(at(), json()?),
            "MAX" => Self::Max(at(), json()?),
            "PUSH" => Self::Push(at(), json()?),
            "POP" => Self::Pop(at(), operand.parse().ok()),
            "ADD" => Self::Add(at(), json()?),
            "PULL" => Self::Pull(at(), json()?),
            "RENAME" => Self::Rename(at(), Path::plain(operand)),
            "TOGGLE" => Self::Toggle(at()),
            "NOW" => Self::Now(at(), operand.to_owned()),
            "MERGE" => Self::Merge(json()?),
            "PATCH" => Self::Patch(json()?),
            "TTL" | "PTTL" if operand == "NONE" => Self::Ttl(at(), None),
            "TTL" => Self::Ttl(at(), Some(operand.parse::<i64>().ok()? * 1000)),
            "PTTL" => Self::Ttl(at(), Some(operand.parse().ok()?)),
            _ => return None,
        })
    }

    /// Whether it computes a number, whose value the documentation fixes, but not its text.
    pub fn is_arithmetic(&self) -> bool {
        matches!(self, Self::Incr(..) | Self::Mul(..))
    }

    /// The path that it works on; none where that is the document.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Set(path, _)
            | Self::Unset(path)
            | Self::Incr(path, _)
            | Self::Mul(path, _)
            | Self::Min(path, _)
            | Self::Max(path, _)
            | Self::Push(path, _)
            | Self::Pop(path, _)
            | Self::Add(path, _)
            | Self::Pull(path, _)
            | Self::Rename(path, _)
            | Self::Toggle(path)
            | Self::Now(path, _)
            | Self::Ttl(path, _) => Some(path),
            Self::Merge(_) | Self::Patch(_) => None,
        }
    }
}

/// Carries one operation of an update out on a document.
pub fn apply(json: &mut Json, change: &Change, ground: Ground<'_>) -> Result<(), Refusal> {
    let second = if let Change::Rename(_, to) = change { Some(to) } else { None };
    if let Some(path) = change.path().into_iter().chain(second).find(|path| path.is_multiple()) {
        return Err(Refusal::Path(path.text()));
    }
    match change {
        Change::Set(path, value) => *place(json, path)? = value.clone(),
        Change::Unset(path) => {
            take(json, path)?;
        }
        Change::Incr(path, by) => compute(json, path, by, Sum, ground)?,
        Change::Mul(path, by) => compute(json, path, by, Product, ground)?,
        Change::Min(path, value) => extreme(json, path, value, Ordering::Less, ground)?,
        Change::Max(path, value) => extreme(json, path, value, Ordering::Greater, ground)?,
        Change::Push(path, value) => push(json, path, value)?,
        Change::Pop(path, index) => {
            let Some(elements) = array(json, path)? else { return Ok(()) };
            let count = elements.len() as i64;
            let at = index.map_or(count - 1, |index| if index < 0 { count + index } else { index });
            if (0..count).contains(&at) {
                elements.remove(at as usize);
            }
        }
        Change::Add(path, value) => {
            let is_equal = equality(path, value, ground);
            if array(json, path)?.is_none_or(|elements| !elements.iter().any(is_equal)) {
                push(json, path, value)?;
            }
        }
        Change::Pull(path, value) => {
            let is_equal = equality(path, value, ground);
            if let Some(elements) = array(json, path)? {
                elements.retain(|element| !is_equal(element));
            }
        }
        Change::Rename(from, to) => {
            if from == to || from.values(json).is_empty() {
                return Ok(());
            }
            if to.0.starts_with(&from.0) {
                return Err(Refusal::Path(to.text()));
            }
            if let Some(value) = take(json, from)? {
                *place(json, to)? = value;
            }
        }
        Change::Toggle(path) => {
            let turned = match path.values(json).first() {
                None => true,
                Some(Json::Bool(truth)) => !truth,
                Some(_) => return Err(Refusal::Path(path.text())),
            };
            *place(json, path)? = Json::Bool(turned);
        }
        Change::Now(path, later) => {
            let now = now(path, later, ground)?;
            *place(json, path)? = now;
        }
        Change::Merge(value) => merge(json, value),
        Change::Patch(changes) => patch::apply(json, changes)?,
        // `timed` does that.
        Change::Ttl(..) => {}
    }
    Ok(())
}

/// The place to which a path leads. Where it leads to nothing yet, objects are made, and arrays for the index 0;
/// the index that is an array's length appends.
pub fn place<'a>(json: &'a mut Json, path: &Path) -> Result<&'a mut Json, Refusal> {
    let mut value = json;
    for (at, step) in path.0.iter().enumerate() {
        let empty = match path.0.get(at + 1) {
            Some(Step::Index(_)) => Json::Array(Vec::new()),
            _ => Json::Object(Vec::new()),
        };
        value = match (step, value) {
            (Step::Name(name), Json::Object(members)) => {
                let at = members.iter().position(|(member, _)| member == name);
                let at = at.unwrap_or_else(|| {
                    members.push((name.clone(), empty));
                    members.len() - 1
                });
                &mut members[at].1
            }
            (Step::Index(index), Json::Array(elements)) => {
                if *index == elements.len() {
                    elements.push(empty);
                }
                elements.get_mut(*index).ok_or_else(|| Refusal::Path(path.text()))?
            }
            _ => return Err(Refusal::Path(path.text())),
        };
    }
    Ok(value)
}

/// Takes out what the path leads to, if that is anything.
pub fn take(json: &mut Json, path: &Path) -> Result<Option<Json>, Refusal> {
    if path.values(json).is_empty() {
        return Ok(None);
    }
    let (last, before) = path.0.split_last().expect("a path has a step");
    Ok(match (last, place(json, &Path(before.to_vec()))?) {
        (Step::Name(name), Json::Object(members)) => {
            let at = members.iter().position(|(member, _)| member == name);
            at.map(|at| members.remove(at).1)
        }
        (Step::Index(index), Json::Array(elements)) => Some(elements.remove(*index)),
        _ => unreachable!("the path led to a value"),
    })
}

/// The array that the path leads to, if that is anything.
fn array<'a>(json: &'a mut Json, path: &Path) -> Result<Option<&'a mut Vec<Json>>, Refusal> {
    if path.values(json).is_empty() {
        return Ok(None);
    }
    match place(json, path)? {
        Json::Array(elements) => Ok(Some(elements)),
        _ => Err(Refusal::Path(path.text())),
    }
}

fn push(json: &mut Json, path: &Path, value: &Json) -> Result<(), Refusal> {
    if let Some(elements) = array(json, path)? {
        elements.push(value.clone());
    } else {
        *place(json, path)? = Json::Array(vec![value.clone()]);
    }
    Ok(())
}

/// Whether an element of the array at the path equals a value, under the declared type of the elements.
fn equality<'v>(path: &Path, value: &'v Json, ground: Ground<'_>) -> impl Fn(&Json) -> bool + 'v {
    let kind = ground.schema.kind_of(&path.every()).cloned();
    move |element| compare(Some(element), Some(value), kind.as_ref()).is_eq()
}

/// MIN and MAX: the value is put where it stands so to the one that is there.
fn extreme(
    json: &mut Json,
    path: &Path,
    value: &Json,
    wanted: Ordering,
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    // As wholes arrays compare as on undeclared paths, with whatever is given.
    let kind = ground.schema.kind_of(path).filter(|kind| !matches!(kind, Kind::Array(_)));
    let is_of_kind =
        |value: &Json| *value == Json::Null || kind.is_none_or(|kind| kind.admits(value));
    if !is_of_kind(value) {
        return Err(Refusal::Schema(path.text()));
    }
    if let Some(held) = path.values(json).first()
        && compare(Some(value), Some(held), kind) != wanted
    {
        return Ok(());
    }
    *place(json, path)? = value.clone();
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Arithmetic {
    Sum,
    Product,
}
use Arithmetic::{Product, Sum};

/// INCR and MUL.
fn compute(
    json: &mut Json,
    path: &Path,
    by: &Json,
    way: Arithmetic,
    ground: Ground<'_>,
) -> Result<(), Refusal> {
    let is_decimal = ground.schema.kind_of(path) == Some(&Kind::Decimal);
    let no_number = || Refusal::NotANumber(path.text());
    let overflow = || Refusal::Overflow(path.text());
    let nothing = match by {
        Json::String(_) => Json::String("0".to_owned()),
        _ => Json::Number("0".to_owned()),
    };
    let held = path.values(json).first().map_or(nothing, |held| (*held).clone());
    let made = match (&held, by) {
        (held, _) if is_decimal => in_decimals(held, by, way).ok_or_else(no_number)?,
        (Json::Number(held), Json::Number(by)) => {
            Json::Number(in_numbers(held, by, way).ok_or_else(overflow)?)
        }
        _ => return Err(no_number()),
    };
    *place(json, path)? = made;
    Ok(())
}

/// The result, exact where both are integers, else the double; none beyond either's range.
fn in_numbers(left: &str, right: &str, way: Arithmetic) -> Option<String> {
    let (left, right) = (Number::read(left), Number::read(right));
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let made = match way {
            Sum => left.checked_add(right),
            Product => left.checked_mul(right),
        };
        let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
        return made.filter(|made| range.contains(made)).map(|made| made.to_string());
    }
    let double = |number| match number {
        Number::Int(int) => int.to_f64().expect("an i128 is near a double"),
        Number::Double(double) => double,
    };
    let (left, right): (f64, f64) = (double(left), double(right));
    let made = match way {
        Sum => left + right,
        Product => left * right,
    };
    // All digits of a double that is an integer in range: the shortest ones that read back may be another integer.
    let is_small = made.fract() == 0.0 && made.abs() < 2f64.powi(64);
    let text = if is_small { format!("{made:.0}") } else { format!("{made:e}") };
    made.is_finite().then_some(text)
}

/// The exact result, with the decimals that docs/updates.md gives it, in the form of what was there.
fn in_decimals(held: &Json, by: &Json, way: Arithmetic) -> Option<Json> {
    let read = |json: &Json| match json {
        Json::Number(text) => decimal(text),
        Json::String(text) if is_decimal(text) => decimal(text),
        _ => None,
    };
    let (left, right) = (read(held)?, read(by)?);
    let decimals = |of: &BigDecimal| of.fractional_digit_count().max(0);
    let (made, count) = match way {
        Sum => (&left + &right, decimals(&left).max(decimals(&right))),
        Product => (&left * &right, decimals(&left) + decimals(&right)),
    };
    let text = made.with_scale(count).to_plain_string();
    Some(match held {
        Json::Number(_) => Json::Number(text),
        _ => Json::String(text),
    })
}

/// What NOW puts.
fn now(path: &Path, later: &str, ground: Ground<'_>) -> Result<Json, Refusal> {
    let overflow = || Refusal::Overflow(path.text());
    let mut at = BigDecimal::from(ground.now_ms);
    if !later.is_empty() {
        at += time::duration(later).expect("drawn durations are durations");
    }
    let text = time::text(&at).ok_or_else(overflow)?;
    Ok(match ground.schema.kind_of(path) {
        Some(Kind::Int | Kind::Float | Kind::Decimal) => {
            Json::Number(at.with_scale(0).to_plain_string())
        }
        _ => Json::String(text),
    })
}

/// RFC 7396.
fn merge(json: &mut Json, value: &Json) {
    let Json::Object(changes) = value else {
        *json = value.clone();
        return;
    };
    if !matches!(json, Json::Object(_)) {
        *json = Json::Object(Vec::new());
    }
    let Json::Object(members) = json else { unreachable!("it was made an object") };
    for (name, change) in changes {
        let at = members.iter().position(|(member, _)| member == name);
        match (change, at) {
            (Json::Null, Some(at)) => {
                members.remove(at);
            }
            (Json::Null, None) => {}
            (_, Some(at)) => merge(&mut members[at].1, change),
            (_, None) => {
                let mut made = Json::Null;
                merge(&mut made, change);
                members.push((name.clone(), made));
            }
        }
    }
}
