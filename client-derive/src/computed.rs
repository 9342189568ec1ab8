//! Fields that a function on the server computes: `Computed<T>` with `#[folio(computed = "..")]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, GenericArgument, Ident, PathArguments, Result, Type};

use crate::attributes::{FieldOptions, Target};
use crate::input::Input;
use crate::words;

/// What the function gives, of a computed field; `None` of any other. The two marks, the type and the word, go together.
pub fn value<'t>(
    ident: &Ident,
    ty: &'t Type,
    options: &FieldOptions,
    target: Target,
) -> Result<Option<&'t Type>> {
    let told = |what: String| Err(Error::new_spanned(ty, what));
    let value = match (within(ty), &options.computed) {
        (None, None) => return Ok(None),
        _ if target == Target::Embed => {
            return told("a computed field stands in the document, not in a part of it".into());
        }
        (Some(_), None) if target == Target::Projection => {
            let what = "a projection asks for the field, so it has the type of the value, without `Computed`";
            return told(what.into());
        }
        (Some(_), None) => {
            return told(format!(
                "a function computes `{ident}`: say which, with `#[folio(computed = \"..\")]`"
            ));
        }
        (None, Some(_)) => {
            let ty = quote!(#ty).to_string().replace(' ', "");
            return told(format!(
                "no document holds a computed field: its type is `Computed<{ty}>`"
            ));
        }
        (Some(value), Some(_)) => value,
    };
    let others = [
        (options.id.is_some(), "id"),
        (options.version, "version"),
        (options.immutable, "immutable"),
        (options.default.is_some(), "default"),
        (options.auto.is_some(), "auto"),
        (!options.checks.custom.is_empty(), "validate(custom = ..)"),
    ];
    match others.iter().find(|(is_set, _)| *is_set) {
        Some((_, word)) => {
            let what = format!(
                "`{word}` is of a field that documents hold, and a function computes this one"
            );
            Err(Error::new_spanned(ident, what))
        }
        None => Ok(Some(value)),
    }
}

/// The `T` of `Computed<T>`, however its path is written.
fn within(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Computed")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(value)) => Some(value),
        _ => None,
    }
}

/// That each `Computed<T>` is the crate's own.
pub fn assertions(input: &Input<'_>) -> TokenStream {
    let ident = input.ident;
    let computed = input.fields.iter().filter_map(|field| Some((field, field.computed?)));
    let asserted = computed.map(|(field, value)| {
        let (member, ty) = (field.ident, field.ty);
        quote_spanned! {ty.span()=>
            const _: fn(&#ident) -> &::folio::Computed<#value> = |document| &document.#member;
        }
    });
    quote!(#(#asserted)*)
}

/// What reading them takes, and leaving them out of what is written.
pub fn members(input: &Input<'_>) -> TokenStream {
    let computed: Vec<_> = input.fields.iter().filter(|it| it.computed.is_some()).collect();
    if computed.is_empty() {
        return TokenStream::new();
    }
    let all = input.fields.iter().filter(|it| it.is_declared()).map(|field| {
        let (step, name) = (words::step(&field.name), &field.name);
        quote!((#step, #name))
    });
    let names = computed.iter().map(|field| &field.name);
    let members = computed.iter().map(|field| field.ident);
    quote! {
        const COMPUTED_NAMES: &'static [&'static ::core::primitive::str] = &[#(#names),*];
        const MEMBERS: &'static [(&'static ::core::primitive::str, &'static ::core::primitive::str)] =
            &[#(#all),*];
        fn forget_computed(&mut self) { #(self.#members = ::core::default::Default::default();)* }
    }
}
