//! Where two texts differ, as paths.
//!
//! ```text
//!   {"a":1,"b":{"c":1,"d":2},"e":[1]}   ->   {"a":1,"b":{"c":1,"d":3},"e":[1,2]}      b.d, e
//! ```
//! An object in both is looked into, an array or a scalar is one value. Paths are held in a list in which an object gives way to
//! what differs within it, as long as there is room: no recursion, and never more paths than [`PATHS_MAX`].

use std::borrow::Cow;
use std::collections::HashMap;

use super::DocRef;
use crate::path::{Path, Step};
use crate::value::raw::{Kind, Raw};

/// Paths that are told of one change. Where more differ, the object that holds them stands for them.
pub const PATHS_MAX: usize = 64;
/// Steps of a path; what differs further down is told of the object there.
const STEPS_MAX: usize = 16;
/// What stands for the whole document.
const ROOT: &str = "$";

/// A place that differs.
struct Place<'a> {
    steps: Vec<Step>,
    /// The objects that stand there, while nobody has looked into them.
    objects: Option<(Raw<'a>, Raw<'a>)>,
}

/// The paths of what differs, in the order of `old` and then of what only `new` has; `$` where too much does. None where
/// both have the same members in another order. O(bytes of both).
pub fn changed_paths(old: DocRef<'_>, new: DocRef<'_>) -> Vec<String> {
    let mut places = Vec::new();
    if !differing(&[], old.root(), new.root(), PATHS_MAX, &mut places) {
        return vec![ROOT.to_owned()];
    }
    let mut at = 0;
    while at < places.len() {
        let Some((old, new)) = places[at].objects.take() else {
            at += 1;
            continue;
        };
        let mut within = Vec::new();
        let room = PATHS_MAX - (places.len() - 1);
        let steps = &places[at].steps;
        if steps.len() < STEPS_MAX && differing(steps, old, new, room, &mut within) {
            places.splice(at..=at, within);
        }
    }
    places.into_iter().map(|place| Path::new(place.steps).to_string()).collect()
}

/// Adds the members in which two objects differ to `places`; false where they are more than `room`.
fn differing<'a>(
    steps: &[Step],
    old: Raw<'a>,
    new: Raw<'a>,
    room: usize,
    places: &mut Vec<Place<'a>>,
) -> bool {
    let named = |(name, value): (Raw<'a>, Raw<'a>)| (name.string().unwrap_or_default(), value);
    let mut coming: HashMap<Cow<'a, str>, Raw<'a>> = new.members().map(named).collect();
    let place = |name: &str, objects| {
        let step = Step::Name(name.into());
        Place { steps: [steps, &[step]].concat(), objects }
    };
    for (name, value) in old.members().map(named) {
        let other = coming.remove(&name);
        if other.is_some_and(|other| other.bytes() == value.bytes()) {
            continue;
        }
        if places.len() == room {
            return false;
        }
        let is_object = |value: &Raw<'_>| value.kind() == Kind::Object;
        let objects = other.filter(is_object).filter(|_| is_object(&value));
        places.push(place(&name, objects.map(|other| (value, other))));
    }
    for (name, _) in new.members().map(named).filter(|(name, _)| coming.contains_key(name)) {
        if places.len() == room {
            return false;
        }
        places.push(place(&name, None));
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::testing::{document, parsed};
    use super::*;
    use proptest::prelude::*;

    fn diff(old: &str, new: &str) -> Vec<String> {
        changed_paths(parsed(old).view(), parsed(new).view())
    }

    #[test]
    fn objects_are_looked_into_and_arrays_are_not() {
        let old = r#"{"a":1,"b":{"c":1,"d":{"x":1}},"e":[1],"f":2,"g":{"h":1}}"#;
        let new = r#"{"b":{"c":2,"d":{"x":1,"y":2}},"e":[1,2],"f":{"z":1},"g":{"h":1},"new":null}"#;
        assert_eq!(diff(old, new), ["a", "b.c", "b.d.y", "e", "f", "new"]);
        assert_eq!(diff(old, old), Vec::<String>::new());
        assert_eq!(diff(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), Vec::<String>::new());
        assert_eq!(diff(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#), ["a.b"]);
        assert_eq!(diff(r#"{"a.b":1,"in":{"`":1}}"#, r#"{"in":{}}"#), ["`a.b`", "`in`.````"]);
        assert_eq!(diff(r#"{"\u0061":1}"#, r#"{"a":2}"#), ["a"]);
    }

    /// An object of members `n0` to `n<count - 1>` with the value.
    fn wide(count: usize, value: &str) -> String {
        let mut text = String::from("{");
        for at in 0..count {
            let comma = if at > 0 { "," } else { "" };
            write!(text, "{comma}\"n{at}\":{value}").unwrap();
        }
        text + "}"
    }

    #[test]
    fn what_is_too_much_is_told_of_its_parent() {
        assert_eq!(diff(&wide(PATHS_MAX, "1"), &wide(PATHS_MAX, "2")).len(), PATHS_MAX);
        assert_eq!(diff(&wide(PATHS_MAX + 1, "1"), "{}"), ["$"]);
        assert_eq!(diff("{}", &wide(PATHS_MAX + 1, "1")), ["$"]);
        let within = |value| format!(r#"{{"a":{},"b":{value}}}"#, wide(PATHS_MAX, value));
        assert_eq!(diff(&within("1"), &within("2")), ["a", "b"]);
        let deep = |value| format!("{}{value}{}", r#"{"a":"#.repeat(40), "}".repeat(40));
        let told = diff(&deep("1"), &deep("2"));
        assert_eq!(told, [["a"; STEPS_MAX].join(".")]);
    }

    proptest! {
        /// Where no path leads, both are the same; where one leads, they differ.
        #[test]
        fn paths_are_exactly_what_differs(old in document(), new in document()) {
            let (old, new) = (parsed(&old.to_string()), parsed(&new.to_string()));
            let told = changed_paths(old.view(), new.view());
            prop_assert!(told.len() <= PATHS_MAX);
            for path in told.iter().filter(|path| *path != ROOT) {
                let path = Path::parse(path, 64).unwrap();
                let at = |doc: &crate::doc::Parsed| {
                    path.first(doc.view()).map(|value| value.bytes().to_vec())
                };
                prop_assert_ne!(at(&old), at(&new), "{}", path);
            }
            let same = changed_paths(old.view(), old.view());
            prop_assert!(same.is_empty());
        }
    }
}
