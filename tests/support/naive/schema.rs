//! Declared fields, and a document against them.

use super::{
    constraint::Constraints,
    filter::Filter,
    function::NaiveFunction,
    json::Json,
    order::OrderBy,
    path::{Path, Step},
    timed::is_within,
    value::{Number, scalar},
};

/// A declared type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any string.
    String,
    /// Any string, declared NOCASE: it is compared with its case folded.
    Nocase,
    /// A number whose exact value is an integer in the range of an `i64` or a `u64`.
    Int,
    /// Any number within the range of a double.
    Float,
    /// A boolean.
    Bool,
    /// A decimal as text or as a number.
    Decimal,
    /// An instant as RFC 3339 text or as milliseconds since 1970.
    Datetime,
    /// Anything.
    Json,
    /// An array whose elements are all of one type.
    Array(Box<Kind>),
}

impl Kind {
    /// The type as `DOC.CREATE` takes it.
    pub fn text(&self) -> String {
        match self {
            Self::String | Self::Nocase => "string".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Float => "float".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Decimal => "decimal".to_owned(),
            Self::Datetime => "datetime".to_owned(),
            Self::Json => "json".to_owned(),
            Self::Array(element) => format!("array<{}>", element.text()),
        }
    }

    /// Whether it is declared NOCASE, itself or its elements.
    pub fn is_nocase(&self) -> bool {
        match self {
            Self::Array(element) => element.is_nocase(),
            kind => *kind == Self::Nocase,
        }
    }

    /// The same, declared NOCASE if it is of strings.
    #[must_use]
    pub fn nocase(&self) -> Self {
        match self {
            Self::String => Self::Nocase,
            Self::Array(element) => Self::Array(Box::new(element.nocase())),
            kind => kind.clone(),
        }
    }

    /// Whether a value, null apart, is of this type.
    pub fn admits(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Json, _) => true,
            (Self::Array(element), Json::Array(elements)) => {
                elements.iter().all(|value| element.admits(value))
            }
            _ => scalar(value, Some(self)).is_some(),
        }
    }
}

/// The index of a declared field. It may change no answer, so the model only hands it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaiveIndex {
    /// Exact match and membership.
    Set,
    /// Ordered by value.
    Sorted,
    /// Parts of strings.
    Substring,
}

impl NaiveIndex {
    /// The word of the declaration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Sorted => "SORTED",
            Self::Substring => "SUBSTRING",
        }
    }
}

/// An index that is declared by itself.
#[derive(Clone, Debug)]
pub struct NaiveNamed {
    /// Its name.
    pub name: String,
    /// Its paths, at least one.
    pub on: Vec<OrderBy>,
    /// Its structure.
    pub kind: NaiveIndex,
    /// Whether no two documents may hold the same values.
    pub unique: bool,
    /// Whether null equals null then, and missing equals missing.
    pub nulls_not_distinct: bool,
    /// Which documents it has; all without one.
    pub filter: Option<Filter>,
}

impl NaiveNamed {
    /// What follows the collection's name and the fields.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["INDEX".to_owned(), self.name.clone(), "ON".to_owned()];
        words.push(self.on.len().to_string());
        for on in &self.on {
            words.push(on.path.text());
            words.extend(on.descending.then(|| "DESC".to_owned()));
        }
        words.extend(["USING", self.kind.word()].map(str::to_owned));
        words.extend(self.unique.then(|| "UNIQUE".to_owned()));
        if self.nulls_not_distinct {
            words.extend(["NULLS", "NOT", "DISTINCT"].map(str::to_owned));
        }
        if let Some(filter) = &self.filter {
            words.extend(["WHERE".to_owned(), filter.to_text()]);
        }
        words
    }
}

/// A declared field.
#[derive(Clone, Debug)]
pub struct NaiveField {
    /// Where the field stands.
    pub path: Path,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether a value may occur in one document only.
    pub unique: bool,
    /// What its values must be besides.
    pub rules: Constraints,
    /// Its index.
    pub index: Option<NaiveIndex>,
    /// The function whose value it has.
    pub computed: Option<NaiveFunction>,
    /// The function that judges its value.
    pub validate: Option<NaiveFunction>,
}

impl NaiveField {
    /// A field without constraints or index, at a path that needs no back-quotes.
    pub fn new(path: &str, kind: Kind) -> Self {
        let path = Path::plain(path);
        let (required, nullable, unique, rules) = (false, false, false, Constraints::default());
        let (index, computed, validate) = (None, None, None);
        Self { path, kind, required, nullable, unique, rules, index, computed, validate }
    }

    /// Whether a function is asked about it.
    pub fn asks(&self) -> bool {
        self.computed.is_some() || self.validate.is_some()
    }

    /// Whether the function by which it is computed fails.
    fn fails(&self, document: &Json) -> bool {
        self.computed.is_some_and(|function| function.of(document).is_err())
    }
}

/// What a collection declares.
#[derive(Clone, Debug, Default)]
pub struct NaiveSchema {
    /// The fields, in the order of declaration.
    pub fields: Vec<NaiveField>,
    /// Whether undeclared fields are refused.
    pub strict: bool,
    /// The indexes that are declared by themselves.
    pub indexes: Vec<NaiveNamed>,
}

impl NaiveSchema {
    /// The declared type that governs a path: its own, or as an element of a declared array. `[2]` in a path
    /// stands where `[*]` stands in a declaration.
    pub fn kind_of(&self, path: &Path) -> Option<&Kind> {
        if let Some(field) = self.fields.iter().find(|field| is_at(&field.path.0, &path.0)) {
            return Some(&field.kind);
        }
        let (Step::Every | Step::Index(_), before) = path.0.split_last()? else { return None };
        let array = self.fields.iter().find(|field| is_at(&field.path.0, before))?;
        match &array.kind {
            Kind::Array(element) => Some(element),
            _ => None,
        }
    }

    /// Whether a value may occur in one document only, or values together.
    pub fn is_unique(&self) -> bool {
        self.fields.iter().any(|field| field.unique) || self.indexes.iter().any(|it| it.unique)
    }

    /// Whether an index that counts what is missing as a value hangs on a path: a unique one with a filter, or of which
    /// nulls are not distinct. None where that hangs on whether its filter asks for something.
    pub fn counts_missing(&self, path: &Path) -> Option<bool> {
        let hangs = |other: &Path| {
            let names = other.0.iter().take_while(|step| matches!(step, Step::Name(_)));
            let names = Path(names.cloned().collect());
            is_within(&names, path) || is_within(path, &names)
        };
        let counts = |index: &&NaiveNamed| {
            index.unique && (index.nulls_not_distinct || index.filter.is_some())
        };
        let mut is_known = true;
        for index in self.indexes.iter().filter(counts) {
            let asked = index.filter.as_ref().map(Filter::paths).unwrap_or_default();
            let is_asked = asked.iter().any(hangs);
            let is_certain = index.filter.as_ref().is_none_or(Filter::asks_something);
            if index.on.iter().any(|on| hangs(&on.path)) || (is_asked && is_certain) {
                return Some(true);
            }
            is_known &= !is_asked;
        }
        is_known.then_some(false)
    }

    /// Where the values stand that an index over a path has, and their type: those of a declared array are its
    /// elements.
    pub fn indexed(&self, path: &Path) -> (Path, Option<Kind>) {
        match self.kind_of(path) {
            Some(Kind::Array(element)) => (path.every(), Some((**element).clone())),
            kind => (path.clone(), kind.cloned()),
        }
    }

    /// The arguments of the `DOC.CREATE` that declares this, without the command's name.
    pub fn create_arguments(&self, collection: &str) -> Vec<String> {
        let mut arguments = vec![collection.to_owned()];
        let mut add =
            |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
        if self.strict {
            add(&["MODE", "STRICT"]);
        }
        for field in &self.fields {
            add(&["FIELD", &field.path.text(), &field.kind.text()]);
            let flags = [
                (field.required, "REQUIRED"),
                (field.nullable, "NULLABLE"),
                (field.unique, "UNIQUE"),
                (field.kind.is_nocase(), "NOCASE"),
            ];
            for (_, word) in flags.iter().filter(|(is_set, _)| *is_set) {
                add(&[word]);
            }
            add(&field.rules.words().iter().map(String::as_str).collect::<Vec<_>>());
            for (word, function) in [("COMPUTED", field.computed), ("VALIDATE", field.validate)] {
                if let Some(function) = function {
                    add(&[word, function.name()]);
                }
            }
            if let Some(index) = field.index {
                add(&["INDEX", index.word()]);
            }
        }
        arguments.extend(self.indexes.iter().flat_map(NaiveNamed::words));
        arguments
    }

    /// The path of the first breach of a declared type, of a constraint on values or of STRICT.
    pub fn breach(&self, document: &Json) -> Option<String> {
        let field = self.fields.iter().find(|field| self.is_broken(field, document));
        field.map(|field| field.path.text()).or_else(|| {
            let undeclared = || self.undeclared(document, &mut Vec::new());
            self.strict.then(undeclared).flatten()
        })
    }

    /// The values to which a path leads in a document: those of a computed field are the function's.
    pub fn values(&self, path: &Path, document: &Json) -> Vec<Json> {
        let around = |field: &&NaiveField| field.computed.is_some() && is_within(path, &field.path);
        let Some(field) = self.fields.iter().find(around) else {
            return path.values(document).into_iter().cloned().collect();
        };
        let given = field.computed.and_then(|function| function.of(document).ok()?);
        let rest = Path(path.0[field.path.0.len()..].to_vec());
        given.map(|value| rest.values(&value).into_iter().cloned().collect()).unwrap_or_default()
    }

    /// Whether documents are asked of functions.
    pub fn asks_functions(&self) -> bool {
        self.fields.iter().any(NaiveField::asks)
    }

    /// The code with which a document is refused for what its fields are. Of those that `is_left` the values stay, and only
    /// functions are asked about them again.
    pub fn refusal(
        &self,
        document: &Json,
        is_left: impl Fn(&NaiveField) -> bool,
    ) -> Option<&'static str> {
        let (asking, plain): (Vec<_>, Vec<_>) = self.fields.iter().partition(|it| it.asks());
        let is_broken = |field: &&&NaiveField| self.is_broken(field, document);
        let plain = plain.iter().filter(|field| !is_left(field));
        let field = plain.chain(&asking).find(is_broken)?;
        let is_held = field.computed.is_some() && !field.path.values(document).is_empty();
        Some(if field.fails(document) && !is_held { "FUNCTION" } else { "SCHEMA" })
    }

    fn is_broken(&self, field: &NaiveField, document: &Json) -> bool {
        // What the server sets is right.
        if field.rules.auto.is_some() {
            return false;
        }
        let is_held = field.computed.is_some() && !field.path.values(document).is_empty();
        let values = self.values(&field.path, document);
        let refuses = |value: &Json| {
            let judged = field.validate.map(|judge| judge.of(value));
            judged == Some(Ok(Some(Json::Bool(false))))
        };
        is_held
            || field.fails(document)
            || (field.required && values.is_empty())
            || values.iter().any(|value| match value {
                Json::Null => !field.nullable,
                value => !field.kind.admits(value) || field.rules.break_on(value, &field.kind),
            })
            || values.iter().any(refuses)
    }

    /// Whether a number beyond the range of a double stands where no decimal is declared.
    pub fn has_huge_number(&self, document: &Json) -> bool {
        let is_decimal = |field: &&NaiveField| {
            let decimals = Kind::Array(Box::new(Kind::Decimal));
            field.kind == Kind::Decimal || field.kind == decimals
        };
        let fields = self.fields.iter().filter(is_decimal);
        let declared = fields.flat_map(|field| field.path.values(document)).map(huge_numbers);
        huge_numbers(document) > declared.sum()
    }

    /// The first undeclared value under `value`, which stands at `steps`. Elements of arrays count
    /// under `[*]`, or under their index where that is declared.
    fn undeclared(&self, value: &Json, steps: &mut Vec<Step>) -> Option<String> {
        let children: Vec<(Step, &Json)> = match value {
            Json::Object(members) => {
                members.iter().map(|(name, value)| (Step::Name(name.clone()), value)).collect()
            }
            Json::Array(elements) => elements
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let mut indexed = steps.clone();
                    indexed.push(Step::Index(index));
                    let is_declared = self.fields.iter().any(|f| f.path.0.starts_with(&indexed));
                    (if is_declared { Step::Index(index) } else { Step::Every }, value)
                })
                .collect(),
            _ => return Some(Path(steps.clone()).text()),
        };
        for (step, child) in children {
            steps.push(step);
            let is_declared = self.fields.iter().any(|field| field.path.0 == *steps);
            let is_ancestor = self.fields.iter().any(|field| field.path.0.starts_with(steps));
            if !is_declared {
                if !is_ancestor {
                    return Some(Path(steps.clone()).text());
                }
                if let Some(path) = self.undeclared(child, steps) {
                    return Some(path);
                }
            }
            steps.pop();
        }
        None
    }
}

fn huge_numbers(json: &Json) -> usize {
    match json {
        Json::Number(text) => usize::from(Number::read(text).double().is_infinite()),
        Json::Array(elements) => elements.iter().map(huge_numbers).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| huge_numbers(value)).sum(),
        _ => 0,
    }
}

/// Whether a path's steps lead where a declaration's do.
fn is_at(declared: &[Step], steps: &[Step]) -> bool {
    let is_same = |(declared, step): (&Step, &Step)| {
        declared == step || matches!((declared, step), (Step::Every, Step::Index(_)))
    };
    declared.len() == steps.len() && declared.iter().zip(steps).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(schema: &NaiveSchema, document: &str) -> Option<String> {
        schema.breach(&Json::parse(document).unwrap())
    }

    #[test]
    fn types_admit_what_they_say() {
        let cases: [(Kind, &[&str], &[&str]); 8] = [
            (Kind::String, &["\"\"", "\"1\""], &["1", "true", "[]", "{}"]),
            (Kind::Bool, &["true", "false"], &["0", "\"true\""]),
            (
                Kind::Int,
                &["1", "1.0", "1e2", "18446744073709551615", "-0"],
                &["1.5", "1e30", "\"1\""],
            ),
            (Kind::Float, &["1", "1.5", "1e30", "1e-400"], &["1e400", "\"1\"", "true"]),
            (Kind::Decimal, &["12.5", "\"12.50\"", "1e400"], &["\"x\"", "true", "\"\""]),
            (
                Kind::Datetime,
                &["0", "-1", "1e3", "\"2026-01-01T00:00:00+02:00\""],
                &["1.5", "\"2026-01-01\"", "true"],
            ),
            (Kind::Json, &["1", "[]", "{}", "\"\""], &[]),
            (Kind::Array(Box::new(Kind::Int)), &["[]", "[1,2.0]"], &["1", "[\"1\"]", "[1,null]"]),
        ];
        for (kind, good, bad) in cases {
            for text in good {
                assert!(kind.admits(&Json::parse(text).unwrap()), "{kind:?} {text}");
            }
            for text in bad {
                assert!(!kind.admits(&Json::parse(text).unwrap()), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn numbers_beyond_doubles_are_decimals() {
        let field = |path: &str, kind: Kind| NaiveField::new(path, kind);
        let schema = NaiveSchema {
            fields: vec![
                field("a", Kind::Decimal),
                field("b[*]", Kind::Decimal),
                field("c", Kind::Array(Box::new(Kind::Decimal))),
            ],
            strict: false,
            indexes: Vec::new(),
        };
        let has = |text: &str| schema.has_huge_number(&Json::parse(text).unwrap());
        assert!(!has(r#"{"a":1e400,"b":[1e400],"c":[1,1e400],"d":1e300}"#));
        assert!(has(r#"{"a":1,"d":-1e400}"#) && has(r#"{"a":1e400,"b":{"x":[1e400]}}"#));
    }

    #[test]
    fn null_and_missing_are_told_apart() {
        let mut field = NaiveField::new("a", Kind::Int);
        let schema = |field: &NaiveField| NaiveSchema {
            fields: vec![field.clone()],
            strict: false,
            indexes: Vec::new(),
        };
        assert_eq!(breach(&schema(&field), "{}"), None);
        assert_eq!(breach(&schema(&field), r#"{"a":null}"#).as_deref(), Some("a"));
        field.nullable = true;
        assert_eq!(breach(&schema(&field), r#"{"a":null}"#), None);
        field.required = true;
        assert_eq!(breach(&schema(&field), r#"{"a":null}"#), None);
        assert_eq!(breach(&schema(&field), "{}").as_deref(), Some("a"));
    }

    #[test]
    fn strict_refuses_what_no_declaration_covers() {
        let kinds = [
            ("name", Kind::String),
            ("address.city", Kind::String),
            ("free", Kind::Json),
            ("tags", Kind::Array(Box::new(Kind::String))),
            ("items[*].sku", Kind::String),
        ];
        let fields = kinds.into_iter().map(|(path, kind)| NaiveField::new(path, kind)).collect();
        let mut schema = NaiveSchema { fields, strict: true, indexes: Vec::new() };
        for good in [
            "{}",
            r#"{"name":"a","address":{"city":"x"},"tags":["a"],"items":[{"sku":"s"},{}]}"#,
            r#"{"free":{"any":[{"thing":1}]},"address":{},"items":[]}"#,
        ] {
            assert_eq!(breach(&schema, good), None, "{good}");
        }
        for (bad, path) in [
            (r#"{"nam":"a"}"#, "nam"),
            (r#"{"address":{"town":1}}"#, "address.town"),
            (r#"{"items":[{"sku":"s","n":1}]}"#, "items[*].n"),
        ] {
            assert_eq!(breach(&schema, bad).as_deref(), Some(path));
            schema.strict = false;
            assert_eq!(breach(&schema, bad), None);
            schema.strict = true;
        }
    }

    #[test]
    fn create_arguments_say_everything() {
        let mut field = NaiveField::new("a.b", Kind::Array(Box::new(Kind::Datetime)));
        (field.required, field.nullable, field.unique) = (true, true, true);
        field.index = Some(NaiveIndex::Sorted);
        let by = |path: &str, descending| OrderBy { path: Path::plain(path), descending };
        let plain = NaiveNamed {
            name: "i".to_owned(),
            on: vec![by("a.b", false), by("c", true)],
            kind: NaiveIndex::Sorted,
            unique: true,
            nulls_not_distinct: true,
            filter: Some(Filter::IsNull(Path::plain("d"))),
        };
        let schema = NaiveSchema { fields: vec![field], strict: true, indexes: vec![plain] };
        assert_eq!(
            schema.create_arguments("users").join(" "),
            "users MODE STRICT FIELD a.b array<datetime> REQUIRED NULLABLE UNIQUE INDEX SORTED \
             INDEX i ON 2 a.b c DESC USING SORTED UNIQUE NULLS NOT DISTINCT WHERE d IS NULL"
        );
    }
}
