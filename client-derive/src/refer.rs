//! Where the references of a document are: each field is asked for those at the rest of a path.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::input::Input;
use crate::words;

/// `fn refer(&mut self, path, visit) -> bool`.
pub fn body(input: &Input<'_>) -> TokenStream {
    let fields = input.fields.iter().filter(|field| field.is_stored() && !field.options.json);
    let fields = fields.map(|field| {
        let (ident, ty, step) = (field.ident, field.ty, words::step(&field.name));
        quote_spanned! {ty.span()=>
            if let ::core::option::Option::Some(rest) = ::folio::behind(path, #step) {
                return <#ty as ::folio::FieldType>::refer(&mut self.#ident, rest, visit);
            }
        }
    });
    quote! {
        #[allow(unused_variables)]
        fn refer<__V: ::folio::Visit>(&mut self, path: &::core::primitive::str, visit: &mut __V) -> ::core::primitive::bool {
            #(#fields)*
            false
        }
    }
}
