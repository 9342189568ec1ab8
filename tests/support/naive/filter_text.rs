//! A filter as text: plain, or varied in every way that the language leaves free.

use super::{
    arithmetic::Value,
    filter::{Comparison, Filter, Literal},
    json::Json,
    path::Path,
    time,
    value::decimal,
};
use crate::generate::Random;

/// A filter's text and the parameters that it uses: names without `$`, and JSON values.
#[derive(Clone, Debug, Default)]
pub struct FilterText {
    /// The text that stands after WHERE.
    pub text: String,
    /// What stands after PARAMS, in the order of first use.
    pub params: Vec<(String, String)>,
}

impl Filter {
    /// The filter as text, without needless parentheses and without parameters.
    pub fn to_text(&self) -> String {
        let mut writer = Writer { random: None, with_params: false, out: FilterText::default() };
        writer.filter(self, Level::Or);
        writer.out.text
    }

    /// The same filter written at random: case of keywords, white space, needless parentheses,
    /// turned comparisons, the short and the long forms of negation, back-quotes where none are
    /// needed.
    pub fn to_varied_text(&self, random: &mut Random) -> String {
        let mut writer =
            Writer { random: Some(random), with_params: false, out: FilterText::default() };
        writer.filter(self, Level::Or);
        writer.out.text
    }

    /// As `to_varied_text`, with about half of the literals given as parameters.
    pub fn to_text_with_params(&self, random: &mut Random) -> FilterText {
        let mut writer =
            Writer { random: Some(random), with_params: true, out: FilterText::default() };
        writer.filter(self, Level::Or);
        writer.out
    }
}

/// What may stand without parentheses at a place.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Or,
    And,
    Not,
}

struct Writer<'a> {
    random: Option<&'a mut Random>,
    with_params: bool,
    out: FilterText,
}

impl Writer<'_> {
    fn chance(&mut self, percent: u64) -> bool {
        self.random.as_deref_mut().is_some_and(|random| random.chance(percent))
    }

    fn filter(&mut self, filter: &Filter, level: Level) {
        let needed = match filter {
            Filter::And(parts) => parts.len() > 1 && level > Level::And,
            Filter::Or(parts) => parts.len() > 1 && level > Level::Or,
            _ => false,
        };
        if needed || self.chance(15) {
            self.sign("(");
            self.bare_filter(filter, Level::Or);
            self.sign(")");
        } else {
            self.bare_filter(filter, level);
        }
    }

    fn bare_filter(&mut self, filter: &Filter, level: Level) {
        match filter {
            Filter::And(parts) | Filter::Or(parts) if parts.len() == 1 => {
                self.filter(&parts[0], level);
            }
            Filter::And(parts) => self.list(parts, "AND", Level::And),
            Filter::Or(parts) => self.list(parts, "OR", Level::And),
            Filter::Not(part) => self.negation(part),
            predicate => self.predicate(predicate, false),
        }
    }

    fn list(&mut self, parts: &[Filter], between: &str, level: Level) {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.word(between);
            }
            // Members of AND that are AND themselves need no parentheses, nor do those of OR.
            self.filter(part, level);
        }
    }

    fn negation(&mut self, part: &Filter) {
        let has_short_form = matches!(
            part,
            Filter::Between(..)
                | Filter::In(..)
                | Filter::Has(..)
                | Filter::HasAny(..)
                | Filter::HasAll(..)
                | Filter::Text(..)
                | Filter::IsNull(_)
                | Filter::IsMissing(_)
                | Filter::IsBool(..)
                | Filter::IsKind(..)
                | Filter::BetweenValues(..)
                | Filter::InValues(..)
        );
        if has_short_form && !self.chance(50) {
            self.predicate(part, true);
        } else {
            self.word("NOT");
            self.filter(part, Level::Not);
        }
    }

    fn predicate(&mut self, predicate: &Filter, is_negated: bool) {
        if let Filter::Valid(truth) = predicate {
            return self.validity(*truth);
        }
        if let Some(subject) = subject(predicate) {
            return self.predicate_of_values(predicate, subject, is_negated);
        }
        if let Filter::AnyWhere(path, part) | Filter::AllWhere(path, part) = predicate {
            let is_any = matches!(predicate, Filter::AnyWhere(..));
            return self.elements(if is_any { "ANY" } else { "ALL" }, path, part);
        }
        let path = predicate.path().expect("a predicate has a path");
        if let Filter::Compare(_, comparison, literal) = predicate {
            let (path, literal) = (Value::Path(path.clone()), Value::Constant(literal.clone()));
            return self.comparison(&path, *comparison, &literal);
        }
        self.path(path);
        let is_test = matches!(
            predicate,
            Filter::IsNull(_) | Filter::IsMissing(_) | Filter::IsBool(..) | Filter::IsKind(..)
        );
        if is_test {
            self.word("IS");
        }
        if is_negated {
            self.word("NOT");
        }
        match predicate {
            Filter::Between(_, least, greatest) => {
                self.word("BETWEEN");
                self.literal(least);
                self.word("AND");
                self.literal(greatest);
            }
            Filter::In(_, literals) => self.list_after(&["IN"], literals),
            Filter::Has(_, literal) => {
                self.word("HAS");
                self.literal(literal);
            }
            Filter::HasAny(_, literals) => self.list_after(&["HAS", "ANY"], literals),
            Filter::HasAll(_, literals) => self.list_after(&["HAS", "ALL"], literals),
            Filter::Text(_, test, literal) => {
                test.words().iter().for_each(|word| self.word(word));
                self.literal(literal);
            }
            Filter::IsNull(_) => self.word("NULL"),
            Filter::IsMissing(_) => self.word("MISSING"),
            Filter::IsBool(_, truth) => self.word(if *truth { "TRUE" } else { "FALSE" }),
            Filter::IsKind(_, kind) => self.word(kind.word()),
            _ => {}
        }
    }

    /// One of the ways to ask whether a document is valid.
    fn validity(&mut self, truth: bool) {
        let (word, other) = if truth { ("TRUE", "FALSE") } else { ("FALSE", "TRUE") };
        self.token("_valid");
        match self.random.as_deref_mut().map_or(0, |random| random.below(4)) {
            0 => ["IS", word].into_iter().for_each(|word| self.word(word)),
            1 => ["IS", "NOT", other].into_iter().for_each(|word| self.word(word)),
            2 => {
                self.sign("=");
                self.literal(&Literal::Bool(truth));
            }
            _ => self.list_after(&["IN"], &[Literal::Bool(truth)]),
        }
    }

    fn predicate_of_values(&mut self, predicate: &Filter, subject: &Value, is_negated: bool) {
        if let Filter::CompareValues(_, comparison, other) = predicate {
            return self.comparison(subject, *comparison, other);
        }
        self.value(subject);
        if is_negated {
            self.word("NOT");
        }
        match predicate {
            Filter::BetweenValues(_, least, greatest) => {
                self.word("BETWEEN");
                self.value(least);
                self.word("AND");
                self.value(greatest);
            }
            Filter::InValues(_, literals) => self.list_after(&["IN"], literals),
            _ => unreachable!("no other is about values"),
        }
    }

    fn elements(&mut self, word: &str, path: &Path, part: &Filter) {
        self.word(word);
        self.path(path);
        self.word("WHERE");
        self.sign("(");
        self.filter(part, Level::Or);
        self.sign(")");
    }

    fn comparison(&mut self, left: &Value, comparison: Comparison, right: &Value) {
        let is_turned = self.chance(25);
        let (left, right) = if is_turned { (right, left) } else { (left, right) };
        self.value(left);
        let not_equal = if self.chance(50) { "<>" } else { "!=" };
        self.sign(match if is_turned { comparison.turned() } else { comparison } {
            Comparison::Equal => "=",
            Comparison::NotEqual => not_equal,
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        });
        self.value(right);
    }

    /// A value that stands alone: it needs no parentheses.
    fn value(&mut self, value: &Value) {
        self.value_within(value, false);
    }

    /// A value beside a sign of arithmetic: sums stand in parentheses beside `*` and its like, and
    /// behind `-`.
    fn value_within(&mut self, value: &Value, beside_tight: bool) {
        let is_loose = matches!(value, Value::Computed(_, operator, _) if !operator.is_tight());
        let needed = is_loose && beside_tight;
        // A value alone in parentheses would be read as a filter, or as a list after IN.
        if needed || (value.is_computed() && self.chance(15)) {
            self.sign("(");
            self.bare_value(value);
            self.sign(")");
        } else {
            self.bare_value(value);
        }
    }

    fn bare_value(&mut self, value: &Value) {
        match value {
            Value::Constant(literal) => self.literal(literal),
            Value::Path(path) => self.path(path),
            Value::Negated(value) => {
                self.token("-");
                self.factor(value);
            }
            Value::Computed(left, operator, right) => {
                self.value_within(left, operator.is_tight());
                self.sign(operator.text());
                // The signs bind from left to right.
                if operator.is_tight() {
                    self.factor(right);
                } else {
                    self.value_within(right, true);
                }
            }
        }
    }

    /// What stands behind a sign that binds tightly: in parentheses where two values are computed.
    fn factor(&mut self, value: &Value) {
        if matches!(value, Value::Computed(..)) {
            self.sign("(");
            self.bare_value(value);
            self.sign(")");
        } else {
            self.value_within(value, true);
        }
    }

    /// Keywords and the list that follows them: literals in parentheses, or a parameter.
    fn list_after(&mut self, words: &[&str], literals: &[Literal]) {
        for word in words {
            self.word(word);
        }
        let are_json = !literals.iter().any(Literal::is_function);
        if self.with_params && are_json && self.chance(50) {
            let list = literals.iter().map(Literal::json).collect();
            return self.param(&Json::Array(list));
        }
        self.sign("(");
        for (at, literal) in literals.iter().enumerate() {
            if at > 0 {
                self.sign(",");
            }
            self.literal(literal);
        }
        self.sign(")");
    }

    fn literal(&mut self, literal: &Literal) {
        if self.with_params && !literal.is_function() && self.chance(50) {
            return self.param(&literal.json());
        }
        match literal {
            Literal::Now => self.function("now", None),
            Literal::Time(text) => self.function("time", Some(text)),
            Literal::Duration(text) => {
                self.function("duration", Some(&Literal::String(text.clone())));
            }
            Literal::Bool(truth) => self.word(if *truth { "TRUE" } else { "FALSE" }),
            Literal::Number(text) => self.token(text),
            Literal::String(text) => self.token(&format!("'{}'", text.replace('\'', "''"))),
        }
    }

    /// A function of a text or a parameter. A number can only be a parameter; where there are none,
    /// the text of the same instant stands for it.
    fn function(&mut self, name: &str, argument: Option<&Literal>) {
        self.token(&format!("{name}("));
        match argument {
            Some(Literal::Number(text)) if !self.with_params => {
                let milliseconds = decimal(text).expect("a number");
                let text = time::text(&milliseconds).expect("an instant has a text");
                self.token(&format!("'{text}'"));
            }
            Some(number @ Literal::Number(_)) => self.param(&number.json()),
            Some(literal) => self.literal(literal),
            None => {}
        }
        self.sign(")");
    }

    fn param(&mut self, value: &Json) {
        let value = value.print();
        let known = self.out.params.iter().position(|(_, known)| *known == value);
        let number = match known {
            Some(number) if self.chance(50) => number,
            _ => {
                let name = format!("p{}", self.out.params.len());
                self.out.params.push((name, value));
                self.out.params.len() - 1
            }
        };
        let name = format!("${}", self.out.params[number].0);
        self.token(&name);
    }

    fn path(&mut self, path: &Path) {
        let text = match self.random.as_deref_mut() {
            Some(random) => path.text_quoting(|_| random.chance(10)),
            None => path.text(),
        };
        self.token(&text);
    }

    /// A keyword in any case, apart from its neighbours.
    fn word(&mut self, word: &str) {
        let word = match self.random.as_deref_mut().map(|random| random.below(4)) {
            Some(0) => word.to_lowercase(),
            Some(1) => {
                let mixed = word.char_indices();
                mixed.map(|(at, c)| if at % 2 == 1 { c.to_ascii_lowercase() } else { c }).collect()
            }
            _ => word.to_owned(),
        };
        self.token(&word);
    }

    /// A token that needs white space between itself and another such.
    fn token(&mut self, token: &str) {
        let needs_space =
            self.out.text.chars().last().is_some_and(|last| !"(,=<>+-*/%".contains(last));
        self.space(needs_space);
        self.out.text.push_str(token);
    }

    /// A token that needs no white space, although it looks better with some around comparisons.
    fn sign(&mut self, sign: &str) {
        let is_free = self.random.is_some();
        // A `-` at the end is that of a negated value: signs of arithmetic have a space behind them.
        let after_space = self.out.text.is_empty() || self.out.text.ends_with(['(', '-']);
        let looks_better = !matches!(sign, "," | ")") && !after_space;
        self.space(looks_better && !is_free);
        self.out.text.push_str(sign);
        if !is_free && !matches!(sign, "(" | ")") {
            self.out.text.push(' ');
        }
    }

    fn space(&mut self, is_needed: bool) {
        let ends_in_space = self.out.text.ends_with(' ');
        let drawn = self.random.as_deref_mut().map_or(0, |random| random.below(12));
        self.out.text.push_str(match drawn {
            1 => "  ",
            2 => "\t",
            3 => "\r\n",
            4 => " \n ",
            5 | 6 => " ",
            _ if is_needed && !ends_in_space => " ",
            _ => "",
        });
    }
}

/// The first value of a predicate over values.
fn subject(predicate: &Filter) -> Option<&Value> {
    match predicate {
        Filter::CompareValues(subject, ..)
        | Filter::BetweenValues(subject, ..)
        | Filter::InValues(subject, _) => Some(subject),
        _ => None,
    }
}

impl Value {
    /// The value as text, without needless parentheses and without parameters.
    pub fn to_text(&self) -> String {
        let mut writer = Writer { random: None, with_params: false, out: FilterText::default() };
        writer.value(self);
        writer.out.text
    }
}
