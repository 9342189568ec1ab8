//! `#[derive(Document)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, Result};

use crate::attributes::{Strategy, Target};
use crate::input::{Field, Input, unraw};
use crate::{check, computed, definition, fields, refer, words};

/// What `Document` itself calls by the type: a shortcut of that name would hide it.
const TAKEN: [&str; 16] = [
    "fields",
    "get",
    "get_many",
    "find",
    "find_by",
    "find_all",
    "aggregate",
    "insert_many",
    "upsert_by",
    "claim",
    "watch",
    "key_of",
    "collection",
    "created_at",
    "updated_at",
    "new",
];

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let input = Input::read(input, Target::Document)?;
    let id = id(&input)?;
    let version = version(&input)?;
    expect_free_names(&input)?;
    let fields_type = fields::derive(&input);
    let shortcuts = fields::shortcuts(&input);
    let document = document(&input, id, version)?;
    Ok(quote! {
        #fields_type
        #shortcuts
        #document
    })
}

fn id<'a>(input: &'a Input<'_>) -> Result<&'a Field<'a>> {
    let mut ids = input.fields.iter().filter(|field| field.options.id.is_some());
    let Some(id) = ids.next() else {
        let what = "a document has an id: mark one field with `#[folio(id)]`";
        return Err(Error::new_spanned(input.ident, what));
    };
    match ids.next() {
        Some(second) => Err(Error::new_spanned(second.ident, "a document has one id")),
        None => Ok(id),
    }
}

fn version<'a>(input: &'a Input<'_>) -> Result<Option<&'a Field<'a>>> {
    let mut versions = input.fields.iter().filter(|field| field.options.version);
    let version = versions.next();
    match versions.next() {
        Some(second) => Err(Error::new_spanned(second.ident, "a document has one version")),
        None => Ok(version),
    }
}

fn expect_free_names(input: &Input<'_>) -> Result<()> {
    if input.options.no_shortcuts {
        return Ok(());
    }
    for field in &input.fields {
        let name = unraw(field.ident);
        let is_instant = name == "created_at" || name == "updated_at";
        if name == "new"
            || !TAKEN.contains(&name.as_str())
            || is_instant && !input.options.timestamps
        {
            continue;
        }
        let what = format!(
            "a field `{name}` hides `{}::{name}`: write `#[folio(no_shortcuts)]` at the type and `{}::fields().{name}()`",
            input.ident, input.ident
        );
        return Err(Error::new_spanned(field.ident, what));
    }
    Ok(())
}

fn document(input: &Input<'_>, id: &Field<'_>, version: Option<&Field<'_>>) -> Result<TokenStream> {
    let ident = input.ident;
    let Some(collection) = &input.options.collection else {
        let what = "a document is of a collection: write `#[folio(collection = \"..\")]`";
        return Err(Error::new_spanned(ident, what));
    };
    if collection.value().is_empty() || collection.value().contains(['*', '?', '[']) {
        let what = "the name of a collection is not empty, and no pattern";
        return Err(Error::new(collection.span(), what));
    }
    let fields_type = fields::name(input);
    let (id_ident, id_type, id_name) = (id.ident, id.ty, &id.name);
    let strategy_of = id.options.id.unwrap_or(Strategy::Uuid7);
    let expected = if strategy_of == Strategy::Natural {
        quote!(#id_type)
    } else {
        quote!(::folio::Id<#ident>)
    };
    let asserted = quote_spanned! {id_type.span()=>
        const _: fn(&#ident) -> &#expected = |document| &document.#id_ident;
    };
    let definition = told(input, strategy_of)?;
    let version = version.map(|field| version_methods(field));
    let (check, refer) = (check::body(input), refer::body(input));
    let computed = computed::members(input);
    let computed_types = computed::assertions(input);
    let before = input.options.before_save.iter();
    let after = input.options.after_load.iter();
    Ok(quote! {
        #asserted
        #computed_types

        impl ::folio::Document for #ident {
            type Id = #id_type;
            type Fields = #fields_type<#ident>;
            type FieldsIn<__M> = #fields_type<__M>;
            const DEFINITION: ::folio::Definition = #definition;
            const ID_NAME: &'static str = #id_name;
            fn document_id(&self) -> &Self::Id { &self.#id_ident }
            fn set_document_id(&mut self, id: Self::Id) { self.#id_ident = id; }
            #version
            #computed
            #[allow(unused_variables)]
            fn check(&self, at: &mut ::folio::Check) { #check }
            #refer
            fn before_save(&mut self) -> ::folio::Result<()> {
                #(#before(self)?;)*
                ::core::result::Result::Ok(())
            }
            fn after_load(&mut self) { #(#after(self);)* }
        }
    })
}

fn version_methods(field: &Field<'_>) -> TokenStream {
    let (ident, name) = (field.ident, &field.name);
    let span: Span = field.ty.span();
    let get = quote_spanned!(span=> self.#ident);
    let set = quote_spanned!(span=> version);
    quote! {
        const VERSION_NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(#name);
        fn document_version(&self) -> ::core::primitive::u64 { #get }
        fn set_document_version(&mut self, version: ::core::primitive::u64) { self.#ident = #set; }
    }
}

/// The constant that the collection is declared by.
fn told(input: &Input<'_>, strategy: Strategy) -> Result<TokenStream> {
    let options = &input.options;
    let collection = &options.collection;
    let prefix = words::option(options.prefix.as_ref());
    let changes = words::option(options.changes.as_ref().map(|changes| {
        let (what, max) = (changes.what, words::option(changes.max_len));
        quote!(::folio::ChangesDefinition { what: #what, max_len: #max })
    }));
    let (strict, ttl) = (options.strict, options.ttl_seconds);
    let ids = fields::strategy(strategy);
    let judge = words::option(options.judge.as_ref());
    let (fields, indexes) = (definition::fields(input), definition::indexes(input)?);
    Ok(quote! {
        ::folio::Definition {
            collection: #collection, prefix: #prefix, strict: #strict, ttl_seconds: #ttl,
            ids: #ids, validate: #judge, changes: #changes, fields: #fields, indexes: #indexes,
        }
    })
}
