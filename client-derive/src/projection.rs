//! `#[derive(Projection)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, Ident, LitStr, Path, Result};

use crate::attributes::Target;
use crate::input::{Field, Input};
use crate::words;

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let input = Input::read(input, Target::Projection)?;
    let ident = input.ident;
    let Some(from) = &input.options.from else {
        let what = "a projection is of a document: write `#[folio(from = User)]`";
        return Err(Error::new_spanned(ident, what));
    };
    let (mut paths, mut asserted) = (Vec::new(), Vec::new());
    let (mut id_name, mut version_name) = (None, None);
    for field in &input.fields {
        let name = &field.name;
        if field.options.id.is_some() {
            id_name = Some(name);
            let (ty, member) = (field.ty, field.ident);
            asserted.push(quote_spanned! {ty.span()=>
                const _: fn(&#ident) -> &<#from as ::folio::Document>::Id = |it| &it.#member;
            });
            continue;
        }
        if field.options.version {
            version_name = Some(name);
            continue;
        }
        let place = place(field, from)?;
        let ty = field.ty;
        asserted.push(quote_spanned! {ty.span()=>
            const _: fn() = || { ::folio::same_type::<#from, #ty, _>(&#place); };
        });
        paths.push(quote!((|| ::folio::path_of(&#place), #name)));
    }
    let (id, version) = (words::option(id_name), words::option(version_name));
    Ok(quote! {
        #(#asserted)*

        impl ::folio::Projection for #ident {
            type Of = #from;
            const FIELDS: &'static [::folio::ViewField] = &[#(#paths),*];
            const ID_NAME: ::core::option::Option<&'static str> = #id;
            const VERSION_NAME: ::core::option::Option<&'static str> = #version;
        }
    })
}

/// `<User>::fields().address().city()`, of the field's own name or of `path = "address.city"`, in the names of Rust.
fn place(field: &Field<'_>, from: &Path) -> Result<TokenStream> {
    let Some(path) = &field.options.path else {
        let method = field.ident;
        return Ok(quote_spanned!(field.ident.span()=> <#from>::fields().#method()));
    };
    let mut told = quote!(<#from>::fields());
    for step in path.value().split('.') {
        let method = method(step, path)?;
        told = quote_spanned!(path.span()=> #told.#method());
    }
    Ok(told)
}

fn method(step: &str, path: &LitStr) -> Result<Ident> {
    let ident: Ident = syn::parse_str(step).map_err(|_| {
        let what = "a path is the names of fields in Rust, with dots: `address.city`";
        Error::new(path.span(), what)
    })?;
    Ok(match TokenTree::from(ident) {
        TokenTree::Ident(ident) => Ident::new(&ident.to_string(), path.span()),
        _ => unreachable!("an identifier was read"),
    })
}
