//! `validate(..)`: the same rules that the server is told, asked before anything is sent.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::input::{Field, Input};
use crate::words;

/// The body of `fn check(&self, at: &mut Check)`.
pub fn body(input: &Input<'_>) -> TokenStream {
    let fields = input.fields.iter().filter(|it| it.is_stored()).map(field);
    let whole = input
        .options
        .validate
        .iter()
        .map(|path| quote_spanned!(path.span()=> at.whole(#path(self));));
    quote!(#(#fields)* #(#whole)*)
}

fn field(field: &Field<'_>) -> TokenStream {
    let (ident, ty, step) = (field.ident, field.ty, words::step(&field.name));
    let span = ty.span();
    let checks = &field.options.checks;
    let mut told = TokenStream::new();
    if !field.options.json {
        told.extend(quote_spanned!(span=> <#ty as ::folio::FieldType>::check(&self.#ident, at);));
    }
    if checks.email {
        told.extend(quote_spanned!(span=> at.email(&self.#ident);));
    }
    if checks.url {
        told.extend(quote_spanned!(span=> at.url(&self.#ident);));
    }
    if let (min, max) = checks.len
        && (min.is_some() || max.is_some())
    {
        let (min, max) =
            (words::option(min.map(|n| quote!(#n))), words::option(max.map(|n| quote!(#n))));
        told.extend(quote_spanned!(span=> at.len(&self.#ident, #min, #max);));
    }
    let (min, max) = &checks.range;
    if min.is_some() || max.is_some() {
        let text = |bound: &Option<String>| words::option(bound.as_ref().map(|text| quote!(#text)));
        let (min, max) = (text(min), text(max));
        told.extend(quote_spanned!(span=> at.range(&self.#ident, #min, #max);));
    }
    if let Some(pattern) = &checks.pattern {
        told.extend(quote_spanned!(span=> {
            static PATTERN: ::folio::Pattern = ::folio::Pattern::new(#pattern);
            at.pattern(&self.#ident, &PATTERN);
        }));
    }
    if !checks.one_of.is_empty() {
        let values = &checks.one_of;
        told.extend(quote_spanned!(span=> at.one_of(&self.#ident, &[#(#values),*]);));
    }
    for path in &checks.custom {
        told.extend(quote_spanned!(path.span()=> at.custom(#path(&self.#ident));));
    }
    if told.is_empty() {
        return told;
    }
    quote!(at.within(#step, |at| { #told });)
}
