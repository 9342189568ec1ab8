//! The fields type: a struct whose methods lead to the fields, from wherever it stands.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

use crate::attributes::Strategy;
use crate::input::{Field, Input};
use crate::words;

/// Its name.
pub fn name(input: &Input<'_>) -> Ident {
    format_ident!("{}Fields", input.ident)
}

/// What the accessor of a field gives in a document of type `model`.
pub fn accessor(field: &Field<'_>, model: &TokenStream) -> TokenStream {
    let ty: &Type = field.value();
    let span = ty.span();
    if field.options.id.is_some() {
        return quote_spanned!(span=> ::folio::IdField<#model, #ty>);
    }
    if field.options.json || field.options.version {
        return quote_spanned!(span=> ::folio::Field<#model, #ty>);
    }
    quote_spanned!(span=> <#ty as ::folio::FieldType>::Accessor<#model, #ty>)
}

fn path(field: &Field<'_>) -> TokenStream {
    if field.options.version {
        return quote!(::folio::FieldPath::metadata("_version"));
    }
    let step = words::step(&field.name);
    quote!(self.0.path().join(#step))
}

/// The struct, its methods, and how it is made.
pub fn derive(input: &Input<'_>) -> TokenStream {
    let (ident, visibility, fields) = (input.ident, input.visibility, name(input));
    let doc = format!("Leads to the fields of [`{ident}`].");
    let model = quote!(__M);
    let methods = input.fields.iter().map(|field| {
        let (method, path, accessor) = (field.ident, path(field), accessor(field, &model));
        let doc = format!("The field `{}`.", field.name);
        quote! {
            #[doc = #doc]
            #[must_use]
            pub fn #method(&self) -> #accessor {
                ::folio::Accessor::at(#path)
            }
        }
    });
    let instants = input.options.timestamps.then(|| timestamps(&model, &quote!(&self)));
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone)]
        #visibility struct #fields<__M, __T = #ident>(::folio::Field<__M, __T>);

        // The types are the fields' own, as they were written.
        #[allow(clippy::type_complexity)]
        impl<__M, __T> #fields<__M, __T> {
            #(#methods)*
            #instants
        }

        impl<__M, __T> ::folio::Accessor for #fields<__M, __T> {
            fn at(path: ::folio::FieldPath) -> Self { Self(::folio::Accessor::at(path)) }
        }
    }
}

/// The instants that the server keeps of each document.
pub fn timestamps(model: &TokenStream, receiver: &TokenStream) -> TokenStream {
    let accessor = quote!(::folio::Field<#model, ::folio::Timestamp>);
    quote! {
        /// When the document was born, by the server.
        #[must_use]
        pub fn created_at(#receiver) -> #accessor {
            ::folio::Accessor::at(::folio::FieldPath::metadata("_created"))
        }

        /// When the document was last changed, by the server.
        #[must_use]
        pub fn updated_at(#receiver) -> #accessor {
            ::folio::Accessor::at(::folio::FieldPath::metadata("_updated"))
        }
    }
}

/// `User::age()` beside `User::fields().age()`.
pub fn shortcuts(input: &Input<'_>) -> TokenStream {
    let (ident, fields) = (input.ident, name(input));
    let model = quote!(#ident);
    let shortcuts = input.fields.iter().map(|field| {
        let (method, accessor) = (field.ident, accessor(field, &model));
        let doc = format!("The field `{}`.", field.name);
        quote! {
            #[doc = #doc]
            #[must_use]
            pub fn #method() -> #accessor { Self::fields().#method() }
        }
    });
    let shortcuts = (!input.options.no_shortcuts).then(|| quote!(#(#shortcuts)*));
    let instants = (input.options.timestamps && !input.options.no_shortcuts)
        .then(|| timestamps(&model, &TokenStream::new()));
    quote! {
        #[allow(dead_code, clippy::type_complexity)]
        impl #ident {
            /// Leads to the fields.
            #[must_use]
            pub fn fields() -> #fields<#ident> { ::folio::Accessor::at(::folio::FieldPath::root()) }
            #shortcuts
            #instants
        }
    }
}

/// The name of a strategy.
pub fn strategy(strategy: Strategy) -> TokenStream {
    match strategy {
        Strategy::Uuid7 => quote!(::folio::IdStrategy::Uuid7),
        Strategy::Ulid => quote!(::folio::IdStrategy::Ulid),
        Strategy::Sequence => quote!(::folio::IdStrategy::Sequence),
        Strategy::Natural => quote!(::folio::IdStrategy::Natural),
    }
}
