//! A reader that puts members in.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer, U64Deserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Members;

/// Reads an object whatever is asked for, with the members put in first.
pub(super) struct Top<'a, D> {
    pub(super) inner: D,
    pub(super) members: Members<'a>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Top<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Outer { visitor, members: self.members })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Outer<'a, V> {
    visitor: V,
    members: Members<'a>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Outer<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Members { id, version, renamed } = self.members;
        self.visitor.visit_map(Merged { map, id, version, renamed, names: self.members, put: None })
    }
}

/// The members that are put in, then those of the text but for the same names.
struct Merged<'a, A> {
    map: A,
    id: Option<(&'static str, &'a str, bool)>,
    version: Option<(&'static str, u64)>,
    renamed: &'a [(String, &'static str)],
    names: Members<'a>,
    /// The value behind the name that was given last, unless it is the text's.
    put: Option<Put<'a>>,
}

enum Put<'a> {
    Text(&'a str),
    Number(&'a str),
    Version(u64),
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Merged<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        if let Some((name, text, is_number)) = self.id.take() {
            self.put = Some(if is_number { Put::Number(text) } else { Put::Text(text) });
            return seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some);
        }
        if let Some((name, version)) = self.version.take() {
            self.put = Some(Put::Version(version));
            return seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some);
        }
        self.put = None;
        while let Some(Name(name)) = self.map.next_key()? {
            let is_put = self.names.id.is_some_and(|(own, ..)| own == name)
                || self.names.version.is_some_and(|(own, _)| own == name);
            if is_put {
                self.map.next_value::<IgnoredAny>()?;
                continue;
            }
            let renamed = self.renamed.iter().find(|(from, _)| *from == name);
            return match (renamed, name) {
                (Some((_, to)), _) => seed.deserialize(BorrowedStrDeserializer::new(to)),
                (None, Cow::Borrowed(name)) => seed.deserialize(BorrowedStrDeserializer::new(name)),
                (None, name) => seed.deserialize(CowStrDeserializer::new(name)),
            }
            .map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        use serde::de::Error as _;
        match self.put.take() {
            None => self.map.next_value_seed(seed),
            Some(Put::Text(text)) => seed.deserialize(CowStrDeserializer::new(text.into())),
            Some(Put::Version(version)) => seed.deserialize(U64Deserializer::new(version)),
            Some(Put::Number(text)) => {
                let number: serde_json::Value =
                    text.parse::<serde_json::Number>().map(Into::into).map_err(A::Error::custom)?;
                seed.deserialize(number).map_err(A::Error::custom)
            }
        }
    }
}

/// A name, borrowed where the text has it as it is.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Names)
    }
}
