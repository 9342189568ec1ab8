//! A struct as the derives see it: its fields, with what serde and folio are told of each.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Type, Visibility};

use crate::attributes::{FieldOptions, Target, TypeOptions};
use crate::{computed, renaming, words};

/// A struct.
pub struct Input<'a> {
    pub ident: &'a Ident,
    pub visibility: &'a Visibility,
    pub options: TypeOptions,
    pub fields: Vec<Field<'a>>,
}

/// One of its fields that is stored.
pub struct Field<'a> {
    pub ident: &'a Ident,
    pub ty: &'a Type,
    /// Its name in documents.
    pub name: String,
    /// Whether a document without it can be read.
    pub is_optional: bool,
    /// What its function gives, of a computed field: `String` of `Computed<String>`.
    pub computed: Option<&'a Type>,
    pub options: FieldOptions,
}

/// What serde is told of a type.
#[derive(Default)]
pub struct Container {
    pub rename_all: Option<LitStr>,
    pub defaults: bool,
    pub is_tagged: bool,
}

#[derive(Default)]
struct Member {
    rename: Option<LitStr>,
    skip: bool,
    is_optional: bool,
    converted: Option<Ident>,
}

impl<'a> Field<'a> {
    /// Whether it stands in the text of a document.
    pub fn is_stored(&self) -> bool {
        self.is_declared() && self.computed.is_none()
    }

    /// Whether the server is told of it: the id is the key, and the version stands beside the text.
    pub fn is_declared(&self) -> bool {
        self.options.id.is_none() && !self.options.version
    }

    /// The type of its value.
    pub fn value(&self) -> &'a Type {
        self.computed.unwrap_or(self.ty)
    }
}

impl<'a> Input<'a> {
    pub fn read(input: &'a DeriveInput, target: Target) -> Result<Self> {
        let name = target.name();
        let Data::Struct(data) = &input.data else {
            let what = format!("`{name}` is derived for structs with named fields");
            return Err(Error::new_spanned(&input.ident, what));
        };
        let Fields::Named(named) = &data.fields else {
            let what = format!("`{name}` is derived for structs with named fields");
            return Err(Error::new_spanned(&input.ident, what));
        };
        expect_plain(input)?;
        let container = Container::read(&input.attrs)?;
        let options = TypeOptions::read(&input.attrs, target)?;
        let mut fields = Vec::new();
        for field in &named.named {
            let Some(ident) = &field.ident else { continue };
            let member = Member::read(&field.attrs)?;
            let options = FieldOptions::read(&field.attrs, target)?;
            if member.skip {
                expect_no_word(&field.attrs)?;
                continue;
            }
            if let Some(word) = member.converted.filter(|_| !options.json && options.kind.is_none())
            {
                let what = format!(
                    "`{word}` gives the field another stored form: say which, with `#[folio(type = \"..\")]`, or write `#[folio(json)]`"
                );
                return Err(Error::new(word.span(), what));
            }
            let name = match (&member.rename, &container.rename_all) {
                (Some(name), _) => name.value(),
                (None, Some(rule)) => renaming::field(&rule.value(), &unraw(ident)),
                (None, None) => unraw(ident),
            };
            let computed = computed::value(ident, &field.ty, &options, target)?;
            let is_optional = member.is_optional || container.defaults;
            fields.push(Field { ident, ty: &field.ty, name, is_optional, computed, options });
        }
        Ok(Self { ident: &input.ident, visibility: &input.vis, options, fields })
    }
}

/// A name without `r#`.
pub fn unraw(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// That a type has no parameters.
pub fn expect_plain(input: &DeriveInput) -> Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    let what = "a stored type has no parameters: its collection and its fields are fixed";
    Err(Error::new_spanned(&input.generics, what))
}

/// That `#[folio(..)]` says nothing of a field that is not stored.
fn expect_no_word(attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find(|attribute| attribute.path().is_ident("folio")) {
        Some(attribute) => {
            let what =
                "serde skips this field, so it is not stored and `#[folio(..)]` has no effect";
            Err(Error::new_spanned(attribute, what))
        }
        None => Ok(()),
    }
}

/// Goes through all words of all `#[serde(..)]`.
fn each_serde(
    attributes: &[Attribute],
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            read(&word, &meta)?;
            pass_over(&meta)
        })?;
    }
    Ok(())
}

/// Takes what is left of a word that is serde's to understand.
fn pass_over(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

/// The text behind `=`; not two for the two ways.
fn both_ways(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error("a field has one stored name, for writing and reading"));
    }
    words::text(meta)
}

impl Container {
    pub fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self::default();
        each_serde(attributes, |word, meta| {
            match word {
                "rename_all" => {
                    let rule = both_ways(meta)?;
                    words::one_of(&rule.value(), rule.span(), "rule of serde", &renaming::RULES)?;
                    container.rename_all = Some(rule);
                }
                "default" => container.defaults = true,
                "tag" | "untagged" | "content" => container.is_tagged = true,
                "transparent" | "from" | "try_from" | "into" | "remote" => {
                    let what = format!(
                        "`{word}` gives the type another stored form; implement `folio::FieldType` by hand"
                    );
                    return Err(meta.error(what));
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(container)
    }
}

impl Member {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut member = Self::default();
        each_serde(attributes, |word, meta| {
            match word {
                "rename" => member.rename = Some(both_ways(meta)?),
                "skip" | "skip_serializing" | "skip_deserializing" => member.skip = true,
                "default" | "skip_serializing_if" => member.is_optional = true,
                "flatten" => {
                    let what =
                        "`flatten` hides which fields a document has; make it a field of its own";
                    return Err(meta.error(what));
                }
                "with" | "serialize_with" | "deserialize_with" => {
                    member.converted = meta.path.get_ident().cloned();
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(member)
    }
}

/// The stored name of a variant.
pub fn variant_name(variant: &syn::Variant, container: &Container) -> Result<String> {
    let member = Member::read(&variant.attrs)?;
    let ident = unraw(&variant.ident);
    Ok(match (&member.rename, &container.rename_all) {
        (Some(name), _) => name.value(),
        (None, Some(rule)) => renaming::variant(&rule.value(), &ident),
        (None, None) => ident,
    })
}
