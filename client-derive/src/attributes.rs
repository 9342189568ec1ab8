//! What stands in `#[folio(..)]`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Attribute, Error, Ident, LitStr, Path, Result, Token};

use crate::words;

/// At a type.
#[derive(Default)]
pub struct TypeOptions {
    pub collection: Option<LitStr>,
    pub prefix: Option<LitStr>,
    pub ttl_seconds: u64,
    pub timestamps: bool,
    pub changes: Option<Changes>,
    pub strict: bool,
    pub no_shortcuts: bool,
    pub indexes: Vec<IndexOptions>,
    pub validate: Vec<Path>,
    /// The function on the server that judges each document.
    pub judge: Option<LitStr>,
    pub before_save: Vec<Path>,
    pub after_load: Vec<Path>,
    pub from: Option<Path>,
}

/// `changes(after, max_len = 1000)`.
pub struct Changes {
    pub what: &'static str,
    pub max_len: Option<u64>,
}

/// `unique(..)` or `index(..)` at a type.
pub struct IndexOptions {
    pub span: Span,
    pub unique: bool,
    pub name: Option<LitStr>,
    pub on: Vec<On>,
    pub using: &'static str,
    pub filter: Option<LitStr>,
}

/// One path of an index.
pub struct On {
    pub place: Place,
    pub descends: bool,
}

/// A field by its name in Rust, or a path as it is stored.
pub enum Place {
    Field(Ident),
    Path(LitStr),
}

/// At a field.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own")]
pub struct FieldOptions {
    pub id: Option<Strategy>,
    pub version: bool,
    pub index: Option<&'static str>,
    pub unique: bool,
    pub nocase: bool,
    pub immutable: bool,
    pub default: Option<String>,
    pub auto: Option<&'static str>,
    pub kind: Option<LitStr>,
    pub json: bool,
    pub checks: Checks,
    /// The function on the server that computes it.
    pub computed: Option<LitStr>,
    /// The function on the server that judges it.
    pub judge: Option<LitStr>,
    pub path: Option<LitStr>,
}

/// Where ids come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    Uuid7,
    Ulid,
    Sequence,
    Natural,
}

/// `validate(..)` at a field.
#[derive(Default)]
pub struct Checks {
    pub email: bool,
    pub url: bool,
    pub len: (Option<u64>, Option<u64>),
    pub range: (Option<String>, Option<String>),
    pub pattern: Option<LitStr>,
    pub one_of: Vec<String>,
    pub custom: Vec<Path>,
}

const DOCUMENT: [&str; 12] = [
    "collection",
    "prefix",
    "ttl",
    "timestamps",
    "changes",
    "strict",
    "no_shortcuts",
    "unique",
    "index",
    "validate",
    "before_save",
    "after_load",
];
const EMBED: [&str; 1] = ["validate"];
const PROJECTION: [&str; 1] = ["from"];
const DOCUMENT_FIELD: [&str; 12] = [
    "id",
    "version",
    "index",
    "unique",
    "nocase",
    "immutable",
    "default",
    "auto",
    "type",
    "json",
    "validate",
    "computed",
];
const EMBED_FIELD: [&str; 10] = [
    "index",
    "unique",
    "nocase",
    "immutable",
    "default",
    "auto",
    "type",
    "json",
    "validate",
    "computed",
];
const PROJECTION_FIELD: [&str; 3] = ["id", "version", "path"];
const CHECKS: [&str; 7] = ["email", "url", "len", "range", "pattern", "one_of", "custom"];
const INDEXES: [&str; 3] = ["sorted", "set", "substring"];

/// Which of the derives reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Document,
    Embed,
    Projection,
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Target::Document => "Document",
            Target::Embed => "Embed",
            Target::Projection => "Projection",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Target::Document => &DOCUMENT,
            Target::Embed => &EMBED,
            Target::Projection => &PROJECTION,
        }
    }

    fn field_words(self) -> &'static [&'static str] {
        match self {
            Target::Document => &DOCUMENT_FIELD,
            Target::Embed => &EMBED_FIELD,
            Target::Projection => &PROJECTION_FIELD,
        }
    }
}

/// Goes through all words of all `#[folio(..)]`.
fn each(
    attributes: &[Attribute],
    place: &str,
    known: &[&str],
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("folio")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if !known.contains(&word.as_str()) {
                return Err(words::unknown(&meta, place, known));
            }
            read(&word, &meta)
        })?;
    }
    Ok(())
}

impl TypeOptions {
    pub fn read(attributes: &[Attribute], target: Target) -> Result<Self> {
        let mut options = Self::default();
        let place = format!("`#[folio(..)]` at a type that derives {}", target.name());
        each(attributes, &place, target.words(), |word, meta| options.word(word, meta))?;
        Ok(options)
    }

    fn word(&mut self, word: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word {
            "collection" => self.collection = Some(words::text(meta)?),
            "prefix" => self.prefix = Some(words::text(meta)?),
            "ttl" => self.ttl_seconds = words::seconds(&words::text(meta)?)?,
            "timestamps" => self.timestamps = true,
            "changes" => self.changes = Some(Changes::read(meta)?),
            "strict" => self.strict = true,
            "no_shortcuts" => self.no_shortcuts = true,
            "unique" => self.indexes.push(IndexOptions::read(meta, true)?),
            "index" => self.indexes.push(IndexOptions::read(meta, false)?),
            "validate" if is_text(meta) => self.judge = Some(function(meta)?),
            "validate" => self.validate.push(meta.value()?.parse()?),
            "before_save" => self.before_save.push(meta.value()?.parse()?),
            "after_load" => self.after_load.push(meta.value()?.parse()?),
            _ => self.from = Some(meta.value()?.parse()?),
        }
        Ok(())
    }
}

impl Changes {
    fn read(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let mut changes = Self { what: "keys", max_len: None };
        if !meta.input.peek(syn::token::Paren) {
            return Ok(changes);
        }
        meta.parse_nested_meta(|meta| {
            if meta.path.is_ident("max_len") {
                changes.max_len = Some(words::count(&meta)?);
                return Ok(());
            }
            let known = ["keys", "after", "both", "max_len"];
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let found = known[..3].iter().find(|name| **name == word);
            changes.what = found.ok_or_else(|| words::unknown(&meta, "`changes(..)`", &known))?;
            Ok(())
        })?;
        Ok(changes)
    }
}

impl IndexOptions {
    fn read(meta: &ParseNestedMeta<'_>, unique: bool) -> Result<Self> {
        let span = meta.path.get_ident().map_or_else(Span::call_site, Ident::span);
        let using = "sorted";
        let mut index = Self { span, unique, name: None, on: Vec::new(), using, filter: None };
        let content;
        syn::parenthesized!(content in meta.input);
        while !content.is_empty() {
            index.part(&content)?;
            words::comma(&content)?;
        }
        if index.on.is_empty() {
            return Err(Error::new(span, "an index is over one field at least"));
        }
        Ok(index)
    }

    /// `name = ".."`, `using = ".."`, `filter = ".."`, or a field: `age desc`, `city = "address.city"`, `"a.b" desc`.
    fn part(&mut self, input: ParseStream<'_>) -> Result<()> {
        let mut place = if input.peek(LitStr) {
            Place::Path(input.parse()?)
        } else {
            Place::Field(words::name(input)?)
        };
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let text: LitStr = input.parse()?;
            if let Place::Field(word) = &place {
                match word.to_string().as_str() {
                    "name" => {
                        self.name = Some(text);
                        return Ok(());
                    }
                    "using" => {
                        self.using = words::one_of(&text.value(), text.span(), "index", &INDEXES)?;
                        return Ok(());
                    }
                    "filter" => {
                        self.filter = Some(text);
                        return Ok(());
                    }
                    _ => {}
                }
            }
            place = Place::Path(text);
        }
        let mut descends = false;
        if input.peek(Ident) {
            let word = words::name(input)?;
            let known = ["asc", "desc"];
            descends =
                words::one_of(&word.to_string(), word.span(), "direction", &known)? == "desc";
        }
        self.on.push(On { place, descends });
        Ok(())
    }
}

impl FieldOptions {
    pub fn read(attributes: &[Attribute], target: Target) -> Result<Self> {
        let mut options = Self::default();
        let place = format!("`#[folio(..)]` at a field of {}", target.name());
        each(attributes, &place, target.field_words(), |word, meta| options.word(word, meta))?;
        Ok(options)
    }

    fn word(&mut self, word: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word {
            "id" => self.id = Some(Strategy::read(meta)?),
            "version" => self.version = true,
            "index" => self.index = Some(index_kind(meta)?),
            "unique" => self.unique = true,
            "nocase" => self.nocase = true,
            "immutable" => self.immutable = true,
            "default" => self.default = Some(words::json(meta.value()?)?),
            "auto" => self.auto = Some(auto(meta)?),
            "type" => self.kind = Some(words::text(meta)?),
            "json" => self.json = true,
            "validate" if is_text(meta) => self.judge = Some(function(meta)?),
            "validate" => self.checks.read(meta)?,
            "computed" => self.computed = Some(function(meta)?),
            _ => self.path = Some(words::text(meta)?),
        }
        Ok(())
    }
}

/// Whether a text stands behind `=`.
fn is_text(meta: &ParseNestedMeta<'_>) -> bool {
    meta.input.peek(Token![=]) && meta.input.peek2(LitStr)
}

/// The name of a function on the server.
fn function(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let name = words::text(meta)?;
    if name.value().is_empty() {
        return Err(Error::new(name.span(), "the name of a function is not empty"));
    }
    Ok(name)
}

impl Strategy {
    fn read(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        if !meta.input.peek(Token![=]) {
            return Ok(Strategy::Uuid7);
        }
        let text = words::text(meta)?;
        let known = ["uuid7", "ulid", "sequence", "natural"];
        let word = words::one_of(&text.value(), text.span(), "way to make ids", &known)?;
        Ok(match word {
            "ulid" => Strategy::Ulid,
            "sequence" => Strategy::Sequence,
            "natural" => Strategy::Natural,
            _ => Strategy::Uuid7,
        })
    }
}

fn index_kind(meta: &ParseNestedMeta<'_>) -> Result<&'static str> {
    if !meta.input.peek(syn::token::Paren) {
        return Ok("");
    }
    let content;
    syn::parenthesized!(content in meta.input);
    let word = words::name(&content)?;
    words::one_of(&word.to_string(), word.span(), "index", &INDEXES)
}

fn auto(meta: &ParseNestedMeta<'_>) -> Result<&'static str> {
    let content;
    syn::parenthesized!(content in meta.input);
    let word = words::name(&content)?;
    words::one_of(&word.to_string(), word.span(), "instant", &["now", "updated"])
}

impl Checks {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        meta.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match word.as_str() {
                "email" => self.email = true,
                "url" => self.url = true,
                "len" => self.len = lengths(&meta)?,
                "range" => self.range = range(&meta)?,
                "pattern" => self.pattern = Some(words::text(&meta)?),
                "one_of" => {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    while !content.is_empty() {
                        self.one_of.push(words::json(&content)?);
                        words::comma(&content)?;
                    }
                }
                "custom" => self.custom.push(meta.value()?.parse()?),
                _ => return Err(words::unknown(&meta, "`validate(..)`", &CHECKS)),
            }
            Ok(())
        })
    }
}

fn lengths(meta: &ParseNestedMeta<'_>) -> Result<(Option<u64>, Option<u64>)> {
    let (mut min, mut max) = (None, None);
    meta.parse_nested_meta(|meta| {
        match () {
            () if meta.path.is_ident("min") => min = Some(words::count(&meta)?),
            () if meta.path.is_ident("max") => max = Some(words::count(&meta)?),
            () => return Err(words::unknown(&meta, "`len(..)`", &["min", "max"])),
        }
        Ok(())
    })?;
    if min > max && max.is_some() {
        return Err(meta.error("the minimum is above the maximum"));
    }
    Ok((min, max))
}

fn range(meta: &ParseNestedMeta<'_>) -> Result<(Option<String>, Option<String>)> {
    let (mut min, mut max) = (None, None);
    meta.parse_nested_meta(|meta| {
        match () {
            () if meta.path.is_ident("min") => min = Some(words::json(meta.value()?)?),
            () if meta.path.is_ident("max") => max = Some(words::json(meta.value()?)?),
            () => return Err(words::unknown(&meta, "`range(..)`", &["min", "max"])),
        }
        Ok(())
    })?;
    Ok((min, max))
}
