//! What documents hold, path by path.
//!
//! ```text
//!   {"tags":["a"],"address":{"city":"Paris"}}      Place of the document
//!                                                    tags          one array   -> elements: one string
//!                                                    address       one object  -> city: one string
//! ```
//! A document is walked as text, so that numbers stay as they are written.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::values::{Distinct, Numbers, Strings};
use crate::commands::members::entries;

/// An object with more names than this is taken for a table, whose names are data and no fields.
pub const MEMBERS_MAX: usize = 200;
/// So many places are told apart; what is new beyond them is passed over, and said to be.
pub const PLACES_MAX: usize = 10_000;
/// A path has so many steps at most; what lies deeper is not looked at.
const DEPTH_MAX: usize = 30;

/// What all documents so far hold.
#[derive(Debug, Default)]
pub struct Profile {
    /// How many were looked at.
    pub documents: u64,
    pub root: Place,
    room: Room,
}

/// What stands at one path.
#[derive(Debug, Default)]
pub struct Place {
    /// Where it was met first: places are told in that order.
    order: usize,
    /// How many documents have it.
    pub documents: u64,
    last_document: u64,
    pub nulls: u64,
    pub bools: u64,
    pub objects: u64,
    pub arrays: u64,
    pub numbers: Numbers,
    pub strings: Strings,
    /// Of values that are neither null nor hold others.
    pub distinct: Distinct,
    members: HashMap<String, Place>,
    /// Whether there were more members than `MEMBERS_MAX`.
    pub is_table: bool,
    pub elements: Option<Box<Place>>,
}

/// How many places there are.
#[derive(Debug, Default)]
struct Room {
    taken: usize,
    is_short: bool,
}

impl Profile {
    /// Looks at one more document. Fails where the text is no object.
    pub fn add(&mut self, document: &str) -> serde_json::Result<()> {
        let members = entries(document)?;
        self.documents += 1;
        let number = self.documents;
        self.root.add_members(members, number, 1, &mut self.room);
        Ok(())
    }

    /// Whether there were more places than can be told apart.
    pub fn is_cut(&self) -> bool {
        self.room.is_short
    }
}

impl Room {
    /// The number of a new place.
    fn take(&mut self) -> Option<usize> {
        if self.taken == PLACES_MAX {
            self.is_short = true;
            return None;
        }
        self.taken += 1;
        Some(self.taken)
    }
}

impl Place {
    fn new(order: usize) -> Self {
        Self { order, ..Self::default() }
    }

    /// The members in the order in which they were met.
    pub fn members(&self) -> Vec<(&str, &Self)> {
        let mut all: Vec<_> = self.members.iter().map(|(name, it)| (name.as_str(), it)).collect();
        all.sort_by_key(|(_, place)| place.order);
        all
    }

    /// Values that are not null, whatever they are.
    pub fn values(&self) -> u64 {
        let plain = self.bools + self.numbers.count() + self.strings.count;
        plain + self.objects + self.arrays
    }

    fn add(&mut self, value: &RawValue, document: u64, depth: usize, room: &mut Room) {
        if self.last_document != document {
            self.last_document = document;
            self.documents += 1;
        }
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'n') => self.nulls += 1,
            Some(b'{') => {
                self.objects += 1;
                if let Ok(members) = entries(text) {
                    self.add_members(members, document, depth + 1, room);
                }
            }
            Some(b'[') => {
                self.arrays += 1;
                if let Ok(elements) = serde_json::from_str(text) {
                    self.add_elements(elements, document, depth + 1, room);
                }
            }
            first => {
                self.distinct.add(text);
                match first {
                    Some(b't' | b'f') => self.bools += 1,
                    // Half of a surrogate pair is text for the server, and none for Rust.
                    Some(b'"') => match serde_json::from_str::<String>(text) {
                        Ok(string) => self.strings.add(&string),
                        Err(_) => self.strings.add(text),
                    },
                    _ => self.numbers.add(text),
                }
            }
        }
    }

    fn add_members(
        &mut self,
        members: Vec<(String, &RawValue)>,
        document: u64,
        depth: usize,
        room: &mut Room,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        for (name, value) in members {
            if self.is_table {
                return;
            }
            if let Some(place) = self.members.get_mut(&name) {
                place.add(value, document, depth, room);
            } else if self.members.len() == MEMBERS_MAX {
                self.is_table = true;
                self.members.clear();
            } else if let Some(order) = room.take() {
                let place = self.members.entry(name).or_insert_with(|| Self::new(order));
                place.add(value, document, depth, room);
            }
        }
    }

    fn add_elements(
        &mut self,
        elements: Vec<&RawValue>,
        document: u64,
        depth: usize,
        room: &mut Room,
    ) {
        if depth > DEPTH_MAX || elements.is_empty() {
            return;
        }
        if self.elements.is_none() {
            self.elements = room.take().map(|order| Box::new(Self::new(order)));
        }
        if let Some(place) = &mut self.elements {
            for value in elements {
                place.add(value, document, depth, room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_counted_at_each_path() {
        let mut profile = Profile::default();
        for document in [
            r#"{"b":1,"a":{"x":"one"},"tags":["a","b"]}"#,
            r#"{"a":null,"tags":[]}"#,
            r#"{"a":{"x":2.5},"c":true}"#,
        ] {
            profile.add(document).unwrap();
        }
        let places = profile.root.members();
        let names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["b", "a", "tags", "c"]);
        let a = places[1].1;
        assert_eq!((a.documents, a.nulls, a.objects, a.values()), (3, 1, 2, 2));
        let x = a.members()[0].1;
        assert_eq!((x.documents, x.strings.count, x.numbers.doubles), (2, 1, 1));
        let tags = places[2].1;
        let elements = tags.elements.as_deref().unwrap();
        assert_eq!((tags.documents, elements.documents, elements.distinct.count()), (2, 1, 2));
    }

    #[test]
    fn what_is_no_object_is_refused_and_not_counted() {
        let mut profile = Profile::default();
        for wrong in ["", "7", "[]", "{", r#"{"a":}"#, "null"] {
            assert!(profile.add(wrong).is_err(), "{wrong}");
        }
        assert_eq!(profile.documents, 0);
    }

    #[test]
    fn names_without_end_are_data() {
        let mut profile = Profile::default();
        for number in 0..=MEMBERS_MAX {
            profile.add(&format!(r#"{{"by":{{"u{number}":1}},"n":1}}"#)).unwrap();
        }
        let by = profile.root.members()[0].1;
        assert!(by.is_table && by.members().is_empty());
        let mut deep = "{\"a\":".repeat(200);
        deep.push('1');
        deep.push_str(&"}".repeat(200));
        profile.add(&deep).unwrap();
        assert!(!profile.is_cut());
    }
}
