//! A question, and the server's command for it.

use std::collections::BTreeMap;

use super::token::{Fault, Kind, tokens};

/// What is asked for. `KEYS` and `EXISTS` are commands of the server itself: those of Folio are asked for by their whole names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Find,
    Count,
    Distinct,
    Aggregate,
}

impl Verb {
    pub const ALL: [(Self, &str); 4] = [
        (Self::Find, "find"),
        (Self::Count, "count"),
        (Self::Distinct, "distinct"),
        (Self::Aggregate, "aggregate"),
    ];

    pub fn from_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        found.map(|(verb, _)| *verb)
    }

    pub fn words() -> String {
        Self::ALL.map(|(_, word)| word).join(", ")
    }

    fn word(self) -> String {
        let found = Self::ALL.iter().find(|(verb, _)| *verb == self);
        found.map_or("", |(_, word)| word).to_ascii_uppercase()
    }
}

/// Values of parameters, each as JSON.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub BTreeMap<String, String>);

impl Parameters {
    /// Takes `name=value`. What is no JSON is taken for a string, so that `city=Rome` needs no quotes.
    pub fn take(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| format!("{text} is not name=value"))?;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
        let value = if is_json { value.to_owned() } else { serde_json::json!(value).to_string() };
        self.0.insert(name.trim().trim_start_matches('$').to_owned(), value);
        Ok(())
    }
}

/// A question to one collection.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the command")]
pub struct Question {
    pub verb: Verb,
    pub collection: String,
    /// What DOC.DISTINCT lists.
    pub path: Option<String>,
    pub filter: Option<String>,
    /// Paths, and whether they descend.
    pub order: Vec<(String, bool)>,
    pub select: Vec<String>,
    pub limit: Option<u64>,
    pub offset: u64,
    pub after: Option<String>,
    /// Keys and reducers, each perhaps with a name.
    pub group: Vec<(String, Option<String>)>,
    pub reduce: Vec<(String, Option<String>)>,
    pub having: Option<String>,
    /// Milliseconds.
    pub timeout: Option<u64>,
    pub scan: bool,
    pub total: bool,
    pub version: bool,
    pub deleted: bool,
}

impl Question {
    pub fn new(verb: Verb, collection: &str) -> Self {
        Self {
            verb,
            collection: collection.to_owned(),
            path: None,
            filter: None,
            order: Vec::new(),
            select: Vec::new(),
            limit: None,
            offset: 0,
            after: None,
            group: Vec::new(),
            reduce: Vec::new(),
            having: None,
            timeout: None,
            scan: false,
            total: false,
            version: false,
            deleted: false,
        }
    }

    /// The words of the server's command.
    pub fn words(&self, parameters: &Parameters) -> Result<Vec<String>, Fault> {
        let mut words = vec![format!("DOC.{}", self.verb.word()), self.collection.clone()];
        words.extend(self.rest(parameters)?);
        Ok(words)
    }

    /// The words of the command that shows how it would be answered, or with `profile` how it was.
    pub fn explained(&self, profile: bool, parameters: &Parameters) -> Result<Vec<String>, Fault> {
        let name = if profile { "DOC.PROFILE" } else { "DOC.EXPLAIN" };
        let mut words = vec![name.to_owned(), self.collection.clone(), self.verb.word()];
        words.extend(self.rest(parameters)?);
        Ok(words)
    }

    fn rest(&self, parameters: &Parameters) -> Result<Vec<String>, Fault> {
        let mut words: Vec<String> = self.path.iter().cloned().collect();
        let mut used = Vec::new();
        if let Some(filter) = &self.filter {
            words.extend(["WHERE".to_owned(), filter.clone()]);
            used.extend(names(filter)?);
        }
        named(&mut words, "GROUP", &self.group);
        named(&mut words, "REDUCE", &self.reduce);
        if let Some(having) = &self.having {
            words.extend(["HAVING".to_owned(), having.clone()]);
            used.extend(names(having)?);
        }
        used.sort();
        used.dedup();
        // The server names the one that has no value.
        let given: Vec<(&String, &String)> =
            parameters.0.iter().filter(|(name, _)| used.contains(name)).collect();
        if !given.is_empty() {
            words.extend(["PARAMS".to_owned(), given.len().to_string()]);
            words.extend(given.into_iter().flat_map(|(name, value)| [name.clone(), value.clone()]));
        }
        if !self.order.is_empty() {
            words.extend(["ORDER".to_owned(), self.order.len().to_string()]);
            for (path, descends) in &self.order {
                words.extend([path.clone(), if *descends { "DESC" } else { "ASC" }.to_owned()]);
            }
        }
        if let Some(limit) = self.limit.or((self.offset > 0).then_some(u64::from(u32::MAX))) {
            words.extend(["LIMIT".to_owned(), self.offset.to_string(), limit.to_string()]);
        }
        if let Some(cursor) = &self.after {
            words.extend(["AFTER".to_owned(), cursor.clone()]);
        }
        if !self.select.is_empty() {
            words.extend(["SELECT".to_owned(), self.select.len().to_string()]);
            words.extend(self.select.iter().cloned());
        }
        let flags = [
            (self.total, "WITHTOTAL"),
            (self.version, "WITHVERSION"),
            (self.deleted, "WITHDELETED"),
            (self.scan, "SCAN"),
        ];
        words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
        if let Some(timeout) = self.timeout {
            words.extend(["TIMEOUT".to_owned(), timeout.to_string()]);
        }
        Ok(words)
    }
}

/// Expressions behind their count.
fn named(words: &mut Vec<String>, clause: &str, items: &[(String, Option<String>)]) {
    if items.is_empty() {
        return;
    }
    words.extend([clause.to_owned(), items.len().to_string()]);
    for (expression, name) in items {
        words.push(expression.clone());
        words.extend(name.iter().flat_map(|name| ["AS".to_owned(), name.clone()]));
    }
}

/// The parameters that a filter uses.
fn names(filter: &str) -> Result<Vec<String>, Fault> {
    let names = tokens(filter)?.into_iter().filter(|token| token.kind == Kind::Word);
    Ok(names.filter_map(|token| token.text.strip_prefix('$').map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_or_plain_text_and_only_those_used_are_sent() {
        let mut parameters = Parameters::default();
        for text in ["min=18", "city=L'Aquila", "list=[1,2]", "unused=1"] {
            parameters.take(text).expect("name=value");
        }
        assert!(parameters.take("nothing").is_err());
        let mut question = Question::new(Verb::Count, "users");
        question.filter =
            Some("age > $min AND city = $city AND n IN $list AND x = '$unused'".into());
        let words = question.words(&parameters).expect("a command");
        let behind = words.iter().position(|word| word == "PARAMS").expect("there are some");
        assert_eq!(
            words[behind..],
            ["PARAMS", "3", "city", "\"L'Aquila\"", "list", "[1,2]", "min", "18"]
        );
    }
}
