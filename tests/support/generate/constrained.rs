//! Constraints on the fields of a schema: such as most of the values that documents have keep to, and some do not.

use super::{Random, STRINGS, of_kind, parse};
use crate::naive::constraint::{Auto, Constraints};
use crate::naive::order::compare;
use crate::naive::{Json, Kind, NaiveField, NaiveSchema, Step};

const PATTERNS: [&str; 5] = ["^[^\\n]*$", "(?i)[a-z]", "^.{0,4}$", "[^x]|^$", "^(a|A|it|K|S|$)"];

/// Declares some; of about a third of the fields.
pub fn declare(random: &mut Random, schema: &mut NaiveSchema) {
    for field in &mut schema.fields {
        if random.chance(35) {
            field.rules = of_values(random, &field.kind);
        }
        // What has several places, or one within an array, stays as it is; so does what is computed.
        let is_plain = field.path.0.iter().all(|step| matches!(step, Step::Name(_)));
        if !is_plain || field.computed.is_some() {
            continue;
        }
        field.rules.immutable = random.chance(8);
        if random.chance(15) {
            field.rules.default = default(random, field);
        }
    }
    if random.chance(25) {
        auto(schema, "times.born", Auto::Now);
    }
    if random.chance(25) {
        auto(schema, "times.changed", Auto::Updated);
    }
}

fn auto(schema: &mut NaiveSchema, path: &str, auto: Auto) {
    let mut field = NaiveField::new(path, Kind::Datetime);
    field.rules.auto = Some(auto);
    schema.fields.push(field);
}

/// A value that keeps to what is declared.
fn default(random: &mut Random, field: &NaiveField) -> Option<Json> {
    let drawn: Vec<Json> = (0..4).map(|_| of_kind(&field.kind, random)).collect();
    drawn.into_iter().find(|value| !field.rules.break_on(value, &field.kind))
}

fn of_values(random: &mut Random, kind: &Kind) -> Constraints {
    let mut rules = Constraints::default();
    if matches!(kind, Kind::Array(_)) && random.chance(50) {
        rules.min_length = random.chance(40).then_some(1);
        rules.max_length = random.chance(60).then_some(2);
    }
    let of_one: &Kind = match kind {
        Kind::Array(element) => element,
        kind => kind,
    };
    let text = |text: &str| Json::String(text.to_owned());
    let (low, high) = match of_one {
        Kind::Int => (parse(random.pick(&["-5", "0", "1"])), parse("9007199254740993")),
        Kind::Float => (parse(random.pick(&["-1.5", "0", "1e0"])), parse("1e300")),
        Kind::Decimal => (text(random.pick(&["-3", "0", "0.10"])), text("12.5")),
        Kind::Datetime => (text("1970-01-01T00:00:00Z"), text("2026-01-01T00:00:00.001Z")),
        Kind::String | Kind::Nocase => {
            // The lengths of an array are those of the whole.
            return of_text(random, rules, of_one, of_one == kind);
        }
        _ => return rules,
    };
    rules.min = random.chance(60).then_some(low);
    rules.max = random.chance(60).then_some(high);
    rules
}

fn of_text(
    random: &mut Random,
    mut rules: Constraints,
    kind: &Kind,
    is_whole: bool,
) -> Constraints {
    match random.below(3) {
        0 => rules.pattern = Some(random.pick(&PATTERNS).to_owned()),
        1 => {
            let from = random.below(4);
            let some = STRINGS[from..from + 13].iter().filter(|text| !text.contains('\0'));
            for text in some.map(|text| Json::String((*text).to_owned())) {
                let is_it = |one: &Json| compare(Some(one), Some(&text), Some(kind)).is_eq();
                if !rules.one_of.iter().any(is_it) {
                    rules.one_of.push(text);
                }
            }
        }
        _ if is_whole => {
            rules.min_length = random.chance(40).then_some(1);
            rules.max_length = random.chance(80).then_some(5);
        }
        _ => {}
    }
    rules
}
