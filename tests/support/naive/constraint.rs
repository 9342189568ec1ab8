//! What values must be besides being of a type, and what the server itself puts into a document.

use super::{
    json::Json,
    order::compare,
    path::Path,
    schema::{Kind, NaiveField, NaiveSchema},
    text::TextTest,
    update::place,
};

/// What the server sets a field to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// `AUTO NOW`: the document's birth.
    Now,
    /// `AUTO UPDATED`: its last change.
    Updated,
}

/// The constraints of a field.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// `MIN`
    pub min: Option<Json>,
    /// `MAX`
    pub max: Option<Json>,
    /// `MINLEN`
    pub min_length: Option<usize>,
    /// `MAXLEN`
    pub max_length: Option<usize>,
    /// `ENUM`; none without values.
    pub one_of: Vec<Json>,
    /// `PATTERN`
    pub pattern: Option<String>,
    /// `DEFAULT`
    pub default: Option<Json>,
    /// `IMMUTABLE`
    pub immutable: bool,
    /// `AUTO`
    pub auto: Option<Auto>,
}

impl Constraints {
    /// Whether a value of the type, null apart, breaks one.
    pub fn break_on(&self, value: &Json, kind: &Kind) -> bool {
        let length = match value {
            Json::String(text) => Some(text.chars().count()),
            Json::Array(elements) => Some(elements.len()),
            _ => None,
        };
        let is_length = length.is_some_and(|length| {
            self.min_length.is_some_and(|least| length < least)
                || self.max_length.is_some_and(|most| length > most)
        });
        is_length
            || match (kind, value) {
                (Kind::Array(element), Json::Array(elements)) => {
                    elements.iter().any(|value| self.break_on_one(value, element))
                }
                _ => self.break_on_one(value, kind),
            }
    }

    /// The same of one value, without its length.
    fn break_on_one(&self, value: &Json, kind: &Kind) -> bool {
        let to = |bound: &Json| compare(Some(value), Some(bound), Some(kind));
        let fits = |pattern: &String| match value {
            Json::String(text) => TextTest::Matches.holds(text, pattern),
            _ => false,
        };
        self.min.as_ref().is_some_and(|min| to(min).is_lt())
            || self.max.as_ref().is_some_and(|max| to(max).is_gt())
            || (!self.one_of.is_empty() && !self.one_of.iter().any(|one| to(one).is_eq()))
            || self.pattern.as_ref().is_some_and(|pattern| !fits(pattern))
    }

    /// The words of the declaration.
    pub fn words(&self) -> Vec<String> {
        let plain = |json: &Json| match json {
            Json::String(text) => text.clone(),
            json => json.print(),
        };
        let mut words: Vec<String> = Vec::new();
        let mut add = |name: &str, value: String| words.extend([name.to_owned(), value]);
        self.min.iter().for_each(|min| add("MIN", plain(min)));
        self.max.iter().for_each(|max| add("MAX", plain(max)));
        self.min_length.iter().for_each(|least| add("MINLEN", least.to_string()));
        self.max_length.iter().for_each(|most| add("MAXLEN", most.to_string()));
        self.pattern.iter().for_each(|pattern| add("PATTERN", pattern.clone()));
        self.default.iter().for_each(|default| add("DEFAULT", default.print()));
        match self.auto {
            Some(Auto::Now) => add("AUTO", "NOW".to_owned()),
            Some(Auto::Updated) => add("AUTO", "UPDATED".to_owned()),
            None => {}
        }
        words.extend(self.immutable.then(|| "IMMUTABLE".to_owned()));
        if !self.one_of.is_empty() {
            words.extend(["ENUM".to_owned(), self.one_of.len().to_string()]);
            words.extend(self.one_of.iter().map(plain));
        }
        words
    }

    /// The members that say the same in a declaration that is JSON.
    pub fn members(&self) -> Vec<(String, Json)> {
        let mut members = Vec::new();
        let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
        let number = |count: &usize| Json::Number(count.to_string());
        self.min.iter().for_each(|min| add("min", min.clone()));
        self.max.iter().for_each(|max| add("max", max.clone()));
        self.min_length.iter().for_each(|least| add("minlen", number(least)));
        self.max_length.iter().for_each(|most| add("maxlen", number(most)));
        self.pattern.iter().for_each(|pattern| add("pattern", Json::String(pattern.clone())));
        self.default.iter().for_each(|default| add("default", default.clone()));
        self.auto.iter().for_each(|auto| {
            let word = if *auto == Auto::Now { "now" } else { "updated" };
            add("auto", Json::String(word.to_owned()));
        });
        if self.immutable {
            add("immutable", Json::Bool(true));
        }
        if !self.one_of.is_empty() {
            add("enum", Json::Array(self.one_of.clone()));
        }
        members
    }
}

impl NaiveSchema {
    /// What the server puts in: DEFAULT where a document is written whole, and AUTO always.
    pub fn fill(&self, json: &mut Json, whole: bool, value: impl Fn(Auto, &Path) -> Json) {
        for NaiveField { path, rules, .. } in &self.fields {
            let is_missing = path.values(json).is_empty();
            let put = match (rules.auto, &rules.default) {
                (Some(auto), _) => Some(value(auto, path)),
                (None, Some(default)) if whole && is_missing => Some(default.clone()),
                _ => None,
            };
            if let Some(put) = put
                && let Ok(place) = place(json, path)
            {
                *place = put;
            }
        }
    }

    /// Whether the server puts anything into documents.
    pub fn fills(&self) -> bool {
        self.fields.iter().any(|field| field.rules.auto.is_some() || field.rules.default.is_some())
    }

    /// The path of an IMMUTABLE field that a document had, and has no more, or otherwise.
    pub fn moved(&self, old: &Json, new: &Json) -> Option<String> {
        let is_moved = |field: &&NaiveField| {
            let held = field.path.values(old);
            field.rules.immutable && !held.is_empty() && held != field.path.values(new)
        };
        self.fields.iter().find(is_moved).map(|field| field.path.text())
    }
}
