//! What the server is told of a type: constants.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Result};

use crate::attributes::{IndexOptions, On, Place};
use crate::hint;
use crate::input::{Field, Input, unraw};
use crate::words;

/// `&[FieldDefinition, ..]` of the fields that documents hold or functions compute.
pub fn fields(input: &Input<'_>) -> TokenStream {
    let fields = input.fields.iter().filter(|it| it.is_declared()).map(field);
    quote!(&[#(#fields),*])
}

fn field(field: &Field<'_>) -> TokenStream {
    let (options, ty, step) = (&field.options, field.value(), words::step(&field.name));
    let span = ty.span();
    let mut told = if options.json {
        quote_spanned!(span=> ::folio::FieldDefinition::json(#step))
    } else {
        quote_spanned!(span=> ::folio::FieldDefinition::of::<#ty>(#step))
    };
    let checks = &options.checks;
    let kind = options.kind.as_ref().map(syn::LitStr::value);
    let kind = kind.or(checks.email.then(|| "email".into()));
    if let Some(kind) = kind.or(checks.url.then(|| "url".into())) {
        told = quote!(#told.typed(#kind));
    }
    if field.is_optional {
        told = quote!(#told.optional());
    }
    if let Some(kind) = options.index {
        told = quote!(#told.index(#kind));
    }
    for (is_set, word) in [
        (options.unique, quote!(unique)),
        (options.nocase, quote!(nocase)),
        (options.immutable, quote!(immutable)),
    ] {
        if is_set {
            told = quote!(#told.#word());
        }
    }
    if let Some(json) = &options.default {
        told = quote!(#told.default_json(#json));
    }
    if let Some(instant) = options.auto {
        told = quote!(#told.auto(#instant));
    }
    if let (Some(min), _) = &checks.range {
        told = quote!(#told.min(#min));
    }
    if let (_, Some(max)) = &checks.range {
        told = quote!(#told.max(#max));
    }
    if let (Some(min), _) = checks.len {
        told = quote!(#told.min_len(#min));
    }
    if let (_, Some(max)) = checks.len {
        told = quote!(#told.max_len(#max));
    }
    if let Some(pattern) = &checks.pattern {
        told = quote!(#told.pattern(#pattern));
    }
    if !checks.one_of.is_empty() {
        let values = &checks.one_of;
        told = quote!(#told.one_of(&[#(#values),*]));
    }
    by_functions(field, told)
}

/// What functions have to do with it.
fn by_functions(field: &Field<'_>, mut told: TokenStream) -> TokenStream {
    if let Some(function) = &field.options.computed {
        told = quote!(#told.computed(#function));
    }
    if let Some(function) = &field.options.judge {
        told = quote!(#told.validate(#function));
    }
    told
}

/// `&[IndexDefinition, ..]` of the indexes that are declared at the type.
pub fn indexes(input: &Input<'_>) -> Result<TokenStream> {
    let mut told = Vec::new();
    for index in &input.options.indexes {
        told.push(named(input, index)?);
    }
    Ok(quote!(&[#(#told),*]))
}

fn named(input: &Input<'_>, index: &IndexOptions) -> Result<TokenStream> {
    let mut paths = Vec::new();
    for On { place, descends } in &index.on {
        let path = path(input, place)?;
        paths.push((path, *descends));
    }
    let name = index.name.as_ref().map_or_else(
        || {
            let kind = if index.unique { "unique" } else { "by" };
            let letters = |path: &str| -> String {
                path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
            };
            let parts: Vec<String> = paths.iter().map(|(path, _)| letters(path)).collect();
            format!("{kind}_{}", parts.join("_"))
        },
        syn::LitStr::value,
    );
    let (unique, using) = (index.unique, index.using);
    if unique && using == "substring" {
        return Err(Error::new(index.span, "parts of strings are not unique"));
    }
    let on = paths.iter().map(|(path, descends)| quote!((#path, #descends)));
    let filter = words::option(index.filter.as_ref());
    Ok(quote! {
        ::folio::IndexDefinition {
            name: #name, on: &[#(#on),*], unique: #unique, using: #using, filter: #filter,
        }
    })
}

/// The stored path of what an index is over.
fn path(input: &Input<'_>, place: &Place) -> Result<String> {
    let ident = match place {
        Place::Path(text) => return Ok(text.value()),
        Place::Field(ident) => ident,
    };
    let found = input.fields.iter().find(|field| unraw(field.ident) == unraw(ident));
    let Some(field) = found else {
        let word = ident.to_string();
        let names: Vec<String> = input.fields.iter().map(|field| unraw(field.ident)).collect();
        let hint = hint::meant(&word, names.iter().map(String::as_str));
        let what = format!("`{}` has no field `{word}`{hint}", input.ident);
        return Err(Error::new(ident.span(), what));
    };
    if field.options.id.is_some() || field.options.version {
        let what = "id and version are not part of the stored text, and have no index";
        return Err(Error::new(ident.span(), what));
    }
    Ok(words::step(&field.name))
}
