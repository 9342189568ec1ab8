//! Paths: `address.city`, `tags[0]`, `items[*].sku`, and the values to which they lead.

use std::fmt::Write;

use super::{json::Json, meta::Meta};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Name(String),
    /// One element of an array, counted from 0.
    Index(usize),
    /// Every element of an array.
    Every,
    /// `@`: the element that `ANY .. WHERE` is about. Only the first step can be one.
    Element,
    /// A name of the metadata. It is the only step of its path.
    Meta(Meta),
}

/// A path from the root of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

const KEYWORDS: [&str; 21] = [
    "and", "or", "not", "in", "between", "has", "any", "all", "like", "ilike", "contains",
    "starts", "ends", "with", "matches", "is", "null", "missing", "true", "false", "where",
];

impl Path {
    /// Reads a path without back-quotes, such as the tests write them. Panics on anything odd.
    pub fn plain(text: &str) -> Self {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            steps.push(Step::Name(name.to_owned()));
            for index in rest.split(['[', ']']).filter(|index| !index.is_empty()) {
                steps.push(match index {
                    "*" => Step::Every,
                    _ => Step::Index(index.parse().expect("an index is a number")),
                });
            }
        }
        Self(steps)
    }

    /// The path of a name of the metadata.
    pub fn of_meta(meta: Meta) -> Self {
        Self(vec![Step::Meta(meta)])
    }

    /// Reads a path that begins at an element: `@`, `@.sku`, `@[0]`. Panics on anything odd.
    pub fn of_element(text: &str) -> Self {
        let rest = text.strip_prefix('@').expect("the element is an @");
        let mut path = Self::plain(&format!("x{rest}"));
        path.0[0] = Step::Element;
        path
    }

    /// The name of the metadata that this is, if it is one.
    pub fn meta(&self) -> Option<Meta> {
        match self.0.as_slice() {
            [Step::Meta(meta)] => Some(*meta),
            _ => None,
        }
    }

    /// The path as a filter writes it, back-quotes where they are needed.
    pub fn text(&self) -> String {
        self.text_quoting(|_| false)
    }

    /// As `text`, with back-quotes also where `quote` asks for them.
    pub fn text_quoting(&self, mut quote: impl FnMut(&str) -> bool) -> String {
        let mut out = String::new();
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) => {
                    if at > 0 {
                        out.push('.');
                    }
                    if needs_quotes(name, at == 0) || quote(name) {
                        out.push('`');
                        out.push_str(&name.replace('`', "``"));
                        out.push('`');
                    } else {
                        out.push_str(name);
                    }
                }
                Step::Index(index) => write!(out, "[{index}]").expect("a String takes all"),
                Step::Every => out.push_str("[*]"),
                Step::Element => out.push('@'),
                Step::Meta(meta) => out.push_str(meta.text()),
            }
        }
        out
    }

    /// Whether a `[*]` occurs, so that the path can lead to several values.
    pub fn is_multiple(&self) -> bool {
        self.0.contains(&Step::Every)
    }

    /// The path of every element: `tags` becomes `tags[*]`.
    #[must_use]
    pub fn every(&self) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Every);
        Self(steps)
    }

    /// The values to which the path leads, in the order of the document.
    pub fn values<'a>(&self, document: &'a Json) -> Vec<&'a Json> {
        let mut values = vec![document];
        for step in &self.0 {
            values = values.into_iter().flat_map(|value| follow(value, step)).collect();
        }
        values
    }
}

fn follow<'a>(value: &'a Json, step: &Step) -> Vec<&'a Json> {
    match (step, value) {
        (Step::Name(name), Json::Object(_)) => value.member(name).into_iter().collect(),
        (Step::Index(index), Json::Array(elements)) => elements.get(*index).into_iter().collect(),
        (Step::Every, Json::Array(elements)) => elements.iter().collect(),
        (Step::Element, value) => vec![value],
        _ => Vec::new(),
    }
}

fn needs_quotes(name: &str, is_first: bool) -> bool {
    let mut letters = name.chars();
    let starts_well = letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
    let goes_on = letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    let lower = name.to_ascii_lowercase();
    let is_keyword = KEYWORDS.contains(&lower.as_str());
    !starts_well || !goes_on || is_keyword || (is_first && name.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(path: &str, document: &str) -> Vec<String> {
        let document = Json::parse(document).unwrap();
        Path::plain(path).values(&document).into_iter().map(Json::print).collect()
    }

    #[test]
    fn paths_lead_to_values() {
        let document = r#"{"a":{"b":1},"t":[1,[2],{"c":3},{"d":4},{"c":null}],"s":"x"}"#;
        assert_eq!(leads("a.b", document), ["1"]);
        assert_eq!(leads("t[2]", document), [r#"{"c":3}"#]);
        assert_eq!(leads("t[*].c", document), ["3", "null"]);
        assert_eq!(leads("t[*][*]", document), ["2"]);
        for nothing in ["a.x", "a.b.c", "a[*]", "a[0]", "s[*]", "t[9]", "t.c"] {
            assert!(leads(nothing, document).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn odd_names_stand_in_back_quotes() {
        let path = Path(vec![
            Step::Name("first `name`".to_owned()),
            Step::Name("x".to_owned()),
            Step::Index(2),
            Step::Every,
            Step::Name("_y".to_owned()),
            Step::Name("Null".to_owned()),
        ]);
        assert_eq!(path.text(), "`first ``name```.x[2][*]._y.`Null`");
        assert_eq!(Path(vec![Step::Name("_y".to_owned())]).text(), "`_y`");
        assert_eq!(Path(vec![Step::Name("été-2".to_owned())]).text(), "`été-2`");
        assert_eq!(Path::plain("a.b[3][*].c").text(), "a.b[3][*].c");
        assert_eq!(Path::plain("ends.With.ILike.alls").text(), "`ends`.`With`.`ILike`.alls");
    }
}
