//! `#[derive(Embed)]`: structs within documents, and enums.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Result};

use crate::attributes::{Target, TypeOptions};
use crate::input::{Container, Input, expect_plain, variant_name};
use crate::words;
use crate::{check, definition, fields, refer};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    match &input.data {
        Data::Enum(data) => of_enum(input, data),
        _ => of_struct(input),
    }
}

fn of_struct(input: &DeriveInput) -> Result<TokenStream> {
    let input = Input::read(input, Target::Embed)?;
    if let Some(function) = &input.options.judge {
        let what = "a function judges documents and fields: write `validate` at the document, or at the field that this struct is";
        return Err(Error::new(function.span(), what));
    }
    let (ident, fields_name) = (input.ident, fields::name(&input));
    let (fields_type, told) = (fields::derive(&input), definition::fields(&input));
    let (check, refer) = (check::body(&input), refer::body(&input));
    Ok(quote! {
        #fields_type

        impl<__M, __T> ::core::ops::Deref for #fields_name<__M, __T> {
            type Target = ::folio::Field<__M, __T>;
            fn deref(&self) -> &Self::Target { &self.0 }
        }

        impl<__M, __T> ::folio::FieldRef<__M> for #fields_name<__M, __T> {
            type Type = __T;
            fn field(&self) -> &::folio::Field<__M, __T> { &self.0 }
        }

        impl<__M, __T> ::folio::Selectable<__M> for #fields_name<__M, __T> {
            type Type = __T;
            fn selected(&self) -> ::folio::Selected { ::folio::Selectable::selected(&self.0) }
        }

        impl ::folio::Embed for #ident {
            const FIELDS: &'static [::folio::FieldDefinition] = #told;
        }

        impl ::folio::FieldType for #ident {
            const KIND: ::folio::Kind = ::folio::Kind::Embed(<#ident as ::folio::Embed>::FIELDS);
            type Plain = Self;
            type Accessor<__M, __T> = #fields_name<__M, __T>;
            #[allow(unused_variables)]
            fn check(&self, at: &mut ::folio::Check) { #check }
            #refer
        }
    })
}

/// An enum without data is one of some strings; any other is JSON.
fn of_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    expect_plain(input)?;
    TypeOptions::read(&input.attrs, Target::Embed)?;
    let (ident, container) = (&input.ident, Container::read(&input.attrs)?);
    let is_plain = data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
    let is_plain = is_plain && !container.is_tagged && !data.variants.is_empty();
    let kind = if is_plain {
        let mut names = Vec::new();
        for variant in &data.variants {
            names.push(words::quoted(&variant_name(variant, &container)?));
        }
        quote!(::folio::Kind::Enum(&[#(#names),*]))
    } else {
        quote!(::folio::Kind::Json)
    };
    let comparable = is_plain.then(|| quote!(impl ::folio::Comparable for #ident {}));
    Ok(quote! {
        #comparable

        impl ::folio::FieldType for #ident {
            const KIND: ::folio::Kind = #kind;
            type Plain = Self;
            type Accessor<__M, __T> = ::folio::Field<__M, __T>;
        }
    })
}
