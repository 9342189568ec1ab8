//! Answers of the server as values that serde reads.

use std::fmt;

use redis::Value;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use crate::{Error, Result};

/// Reads an answer as a `T`.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    T::deserialize(Answer(value)).map_err(|Unreadable(why)| Error::Reply(why))
}

/// An answer, read by what `T` wants: a null is `None`, OK is `()` or a string, and a number in a text is one where
/// a number is wanted.
struct Answer(Value);

#[derive(Debug)]
struct Unreadable(Box<str>);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

impl IntoDeserializer<'_, Unreadable> for Answer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The text of a string; none where it is not UTF-8 or no string.
fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Okay => Some("OK"),
        _ => None,
    }
}

fn visit_text<'de, V: Visitor<'de>>(value: Value, visitor: V) -> Result<V::Value, Unreadable> {
    match value {
        Value::BulkString(bytes) => match String::from_utf8(bytes) {
            Ok(text) => visitor.visit_string(text),
            Err(error) => visitor.visit_byte_buf(error.into_bytes()),
        },
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => {
            visitor.visit_string(text)
        }
        _ => visitor.visit_str("OK"),
    }
}

macro_rules! numbers {
    ($($name:ident $visit:ident $type:ty),+ $(,)?) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            match text(&self.0).map(str::parse::<$type>) {
                Some(Ok(number)) => visitor.$visit(number),
                _ => self.deserialize_any(visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Answer {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::Nil => visitor.visit_unit(),
            Value::Int(number) => visitor.visit_i64(number),
            Value::Double(number) => visitor.visit_f64(number),
            Value::Boolean(truth) => visitor.visit_bool(truth),
            Value::Array(all) | Value::Set(all) | Value::Push { data: all, .. } => {
                visitor.visit_seq(SeqDeserializer::new(all.into_iter().map(Answer)))
            }
            Value::Map(pairs) => {
                let pairs = pairs.into_iter().map(|(name, value)| (Answer(name), Answer(value)));
                visitor.visit_map(MapDeserializer::new(pairs))
            }
            Value::Attribute { data, .. } => Answer(*data).deserialize_any(visitor),
            Value::BigNumber(digits) => visitor.visit_byte_buf(digits),
            Value::ServerError(error) => Err(de::Error::custom(error)),
            value if text(&value).is_some() || matches!(value, Value::BulkString(_)) => {
                visit_text(value, visitor)
            }
            _ => Err(de::Error::custom("an answer of a kind that this version does not know")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::Int(number @ (0 | 1)) => visitor.visit_bool(number == 1),
            _ => self.deserialize_any(visitor),
        }
    }

    /// RESP2 has arrays of names and values in turn for maps.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let Value::Array(flat) = self.0 else { return self.deserialize_any(visitor) };
        let mut pairs = Vec::with_capacity(flat.len() / 2);
        let mut flat = flat.into_iter();
        while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
            pairs.push((Answer(name), Answer(value)));
        }
        visitor.visit_map(MapDeserializer::new(pairs.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_map(visitor)
    }

    /// RESP3 may have a map where a list of pairs is wanted, and bytes are a list of numbers.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::BulkString(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            Value::Map(pairs) => {
                let pairs = pairs.into_iter();
                let pairs = pairs.map(|(name, value)| Answer(Value::Array(vec![name, value])));
                visitor.visit_seq(SeqDeserializer::new(pairs))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64, deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit_struct tuple tuple_struct enum identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn an_answer_is_what_is_asked_for() {
        assert_eq!(read::<u64>(Value::Int(7)).unwrap(), 7);
        assert_eq!(read::<i32>(bulk("-7")).unwrap(), -7);
        assert_eq!(read::<Option<String>>(Value::Nil).unwrap(), None);
        assert_eq!(read::<Option<String>>(bulk("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(read::<String>(Value::Okay).unwrap(), "OK");
        read::<()>(Value::Okay).unwrap();
        assert!(read::<bool>(Value::Int(1)).unwrap());
        let list = Value::Array(vec![bulk("a"), bulk("b")]);
        assert_eq!(read::<Vec<String>>(list.clone()).unwrap(), ["a", "b"]);
        assert_eq!(read::<(String, String)>(list).unwrap(), ("a".into(), "b".into()));
        assert_eq!(read::<Vec<u8>>(bulk("\u{0}x")).unwrap(), [0, b'x']);
    }

    #[test]
    fn both_protocols_give_the_same_map() {
        let flat = Value::Array(vec![bulk("a"), Value::Int(1), bulk("b"), Value::Int(2)]);
        let map = Value::Map(vec![(bulk("a"), Value::Int(1)), (bulk("b"), Value::Int(2))]);
        let wanted = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        assert_eq!(read::<BTreeMap<String, i64>>(flat).unwrap(), wanted);
        assert_eq!(read::<BTreeMap<String, i64>>(map.clone()).unwrap(), wanted);
        let pairs: Vec<(String, i64)> = read(map).unwrap();
        assert_eq!(pairs, [("a".into(), 1), ("b".into(), 2)]);
    }

    #[test]
    fn an_answer_of_another_kind_is_an_error_that_tells_both() {
        let error = read::<u64>(bulk("x")).unwrap_err().to_string();
        assert_eq!(error, "unexpected reply: invalid type: string \"x\", expected u64");
        let error = read::<String>(Value::Nil).unwrap_err().to_string();
        assert!(error.contains("expected a string"), "{error}");
    }
}
