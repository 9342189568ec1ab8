//! The members of a JSON object, as they are written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// All members in their order.
pub fn entries(text: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    struct All;
    impl<'de> Visitor<'de> for All {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(entry) = map.next_entry()? {
                all.push(entry);
            }
            Ok(all)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let all = reader.deserialize_map(All)?;
    reader.end()?;
    Ok(all)
}

/// Those members that were asked for, and how many there are in all.
pub struct Members<'a, const N: usize> {
    /// Of several with one name the last, which the server keeps.
    pub found: [Option<&'a RawValue>; N],
    pub count: usize,
}

/// Looks for members by their names; fails if the text is no object. Nothing is copied.
pub fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> serde_json::Result<Members<'a, N>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Wanted(names))?;
    reader.end()?;
    Ok(members)
}

/// The text of a JSON string.
pub fn string(json: &str) -> Option<String> {
    json.starts_with('"').then(|| serde_json::from_str(json).ok())?
}

/// A text without one of its members, which stands in it by that name as it is.
pub fn without<'a>(text: &'a str, name: &str, value: &RawValue) -> Option<Cow<'a, str>> {
    // The value is a part of the text.
    let start = (value.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let behind = text.get(start + value.get().len()..)?;
    let before = text.get(..start)?.trim_ascii_end().strip_suffix(':')?.trim_ascii_end();
    let before = before.strip_suffix('"')?.strip_suffix(name)?.strip_suffix('"')?;
    let before = before.trim_ascii_end();
    let rest = behind.trim_ascii_start();
    Some(match before.strip_suffix(',') {
        Some(before) => format!("{before}{behind}").into(),
        None => format!("{before}{}", rest.strip_prefix(',').unwrap_or(rest)).into(),
    })
}

struct Wanted<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Wanted<'_, N> {
    type Value = Members<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { found: [None; N], count: 0 };
        while let Some(place) = map.next_key_seed(Which(&self.0))? {
            members.count += 1;
            match place {
                Some(place) => members.found[place] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
    }
}

/// Reads a name as its place among those that are wanted.
struct Which<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Which<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Which<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_cut_out() {
        for (text, rest) in [
            (r#"{"_id":"1"}"#, "{}"),
            (r#"{ "_id" : "1" , "a":1 }"#, r#"{ "a":1 }"#),
            (r#"{"a":1.10,"_id":7,"b":2}"#, r#"{"a":1.10,"b":2}"#),
            (r#"{"a":1, "_id":7}"#, r#"{"a":1}"#),
        ] {
            let value = members(text, ["_id"]).unwrap().found[0].unwrap();
            assert_eq!(without(text, "_id", value).unwrap(), rest);
        }
        let text = r#"{"\u005fid":1}"#;
        let value = members(text, ["_id"]).unwrap().found[0].unwrap();
        assert!(without(text, "_id", value).is_none());
    }
}
