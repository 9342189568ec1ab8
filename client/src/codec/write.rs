//! A writer of structs that leaves members out.

use serde::ser::{Error, Impossible, Serialize, SerializeStruct, Serializer};

/// The members that are left out.
#[derive(Clone, Copy)]
pub(super) struct Skipped {
    pub(super) id: &'static str,
    pub(super) version: Option<&'static str>,
    pub(super) computed: &'static [&'static str],
}

impl Skipped {
    fn has(&self, name: &str) -> bool {
        self.id == name || self.version == Some(name) || self.computed.contains(&name)
    }
}

/// Writes a struct without some of its members, and nothing else.
pub(super) struct Top<S> {
    pub(super) inner: S,
    pub(super) skipped: Skipped,
}

/// The struct that is being written.
pub(super) struct Outer<S> {
    inner: S,
    skipped: Skipped,
}

impl<S: SerializeStruct> SerializeStruct for Outer<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        if self.skipped.has(name) {
            return Ok(());
        }
        self.inner.serialize_field(name, value)
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
        self.inner.skip_field(name)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

fn no_struct<T, E: Error>() -> Result<T, E> {
    Err(E::custom("a document is a struct with named fields, as serde derives it"))
}

macro_rules! refused {
    ($($method:ident($($ty:ty),*);)*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<S::Ok, S::Error> {
            no_struct()
        }
    )*};
}

macro_rules! refused_compounds {
    ($($method:ident($($ty:ty),*) -> $compound:ident;)*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<Self::$compound, S::Error> {
            no_struct()
        }
    )*};
}

impl<S: Serializer> Serializer for Top<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Outer<S::SerializeStruct>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        // Whether serde counts what is left out cannot be told, and a length of 0 would end the text at once.
        let inner = self.inner.serialize_struct(name, length)?;
        Ok(Outer { inner, skipped: self.skipped })
    }

    refused! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    refused_compounds! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        no_struct()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        no_struct()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        no_struct()
    }
}
