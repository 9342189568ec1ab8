//! MODE STRICT: every member of a document leads to a declared field, or stands in one.

use std::fmt::Write;
use std::rc::Rc;

use super::definition::{Definition, Field};
use crate::doc::DocRef;
use crate::error::{Code, Error, Result};
use crate::path::Step;
use crate::value::raw::{Elements, Members};
use crate::value::{Kind, Raw};

/// Fields whose paths lead through a place.
type Fields<'f> = Rc<[&'f Field]>;

/// An object or array whose members or elements are gone through.
struct Level<'d, 'f> {
    members: Members<'d>,
    elements: Elements<'d>,
    at: At<'d>,
    fields: Fields<'f>,
    /// Those of them that go on into every element, once they were asked for.
    each: Option<Fields<'f>>,
}

/// Which child is looked at.
#[derive(Clone, Copy)]
enum At<'d> {
    /// The member of this name.
    Member(Raw<'d>),
    /// The element before this one.
    Before(usize),
}

impl<'d, 'f> Level<'d, 'f> {
    fn new(container: Raw<'d>, fields: Fields<'f>) -> Self {
        let (members, elements) = (container.members(), container.elements());
        Level { members, elements, at: At::Before(0), fields, each: None }
    }

    /// Goes on to the next child.
    fn step(&mut self) -> Option<Raw<'d>> {
        if let Some((name, child)) = self.members.next() {
            self.at = At::Member(name);
            return Some(child);
        }
        let child = self.elements.next()?;
        let At::Before(count) = self.at else { return None };
        self.at = At::Before(count + 1);
        Some(child)
    }

    /// The fields whose paths go on through the child, step `depth` of theirs.
    fn fields_through(&mut self, depth: usize) -> Fields<'f> {
        let through = |is_it: &dyn Fn(&Step) -> bool| {
            let goes_on = |field: &&Field| field.path.steps().get(depth).is_some_and(is_it);
            self.fields.iter().copied().filter(goes_on).collect()
        };
        match self.at {
            At::Member(name) => {
                let name = name.string().unwrap_or_default();
                through(&|step| matches!(step, Step::Name(own) if **own == *name))
            }
            At::Before(_) => {
                if let Some(each) = &self.each {
                    return Rc::clone(each);
                }
                let each: Fields<'f> = through(&|step| *step == Step::Each);
                self.each = Some(Rc::clone(&each));
                each
            }
        }
    }
}

/// Judges the members of `doc`; the top-level ones that are the same text in `before` are taken as they are. Takes time by
/// the bytes, times the fields that share a place, and memory by the depth. Error: `SCHEMA`.
pub(super) fn check_members(
    definition: &Definition,
    before: Option<DocRef<'_>>,
    doc: DocRef<'_>,
) -> Result<()> {
    let mut levels = vec![Level::new(doc.root(), definition.fields.iter().collect())];
    while let Some(level) = levels.last_mut() {
        let Some(child) = level.step() else {
            levels.pop();
            continue;
        };
        let (at, depth) = (level.at, levels.len() - 1);
        if let (0, At::Member(name), Some(before)) = (depth, at, before)
            && let Some(name) = name.string()
            && before.member(&name).map(Raw::bytes) == Some(child.bytes())
        {
            continue;
        }
        let Some(level) = levels.last_mut() else { break };
        let fields = level.fields_through(depth);
        let is_declared = fields.iter().any(|field| field.path.steps().len() == depth + 1);
        let is_container = matches!(child.kind(), Kind::Object | Kind::Array);
        if fields.is_empty() || (!is_declared && !is_container) {
            let place = place(&levels);
            let what = format!("member {place} is not declared, and the collection is STRICT");
            return Err(Error::new(Code::Schema, what));
        }
        if !is_declared {
            levels.push(Level::new(child, fields));
        }
    }
    Ok(())
}

/// The place that is looked at, as a path with the numbers of elements.
fn place(levels: &[Level<'_, '_>]) -> String {
    let mut place = String::new();
    for level in levels {
        match level.at {
            At::Member(name) => {
                let dot = if place.is_empty() { "" } else { "." };
                place.push_str(dot);
                place.push_str(&name.string().unwrap_or_default());
            }
            At::Before(count) => {
                // A string takes whatever is written to it.
                let _ = write!(place, "[{}]", count.saturating_sub(1));
            }
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::Parsed;
    use crate::limits::Limits;

    fn judge(before: Option<&str>, json: &str) -> Result<()> {
        let limits = Limits::default();
        let definition = r#"{"collection":"t","mode":"strict","fields":[{"path":"a","type":"json"},
            {"path":"b.c","type":"int"},{"path":"items[*].x","type":"int"},{"path":"items[*].y[*].z","type":"int"}]}"#;
        let definition = Definition::from_json(definition.as_bytes(), &limits).unwrap();
        let parsed = |json: &str| {
            let mut parsed = Parsed::default();
            parsed.parse(json.as_bytes(), &limits).unwrap();
            parsed
        };
        let before = before.map(parsed);
        check_members(&definition, before.as_ref().map(Parsed::view), parsed(json).view())
    }

    #[test]
    fn what_leads_to_a_field_or_stands_in_one_is_kept() {
        for json in [
            "{}",
            r#"{"a":{"q":[{"r":1}]},"b":{"c":1},"items":[{"x":1},{},{"y":[{"z":1},{}]}]}"#,
            r#"{"b":{},"items":[]}"#,
        ] {
            judge(None, json).unwrap();
        }
        judge(Some(r#"{"q":[1]}"#), r#"{"q":[1]}"#).unwrap();
    }

    #[test]
    fn the_first_other_member_is_named_with_its_place() {
        for (json, place) in [
            (r#"{"q":1}"#, "q"),
            (r#"{"b":{"c":1,"d":1}}"#, "b.d"),
            (r#"{"b":1}"#, "b"),
            (r#"{"items":[{"x":1},{"x":1,"q":1}]}"#, "items[1].q"),
            (r#"{"items":[{"y":[{},{},{"q":1}]}]}"#, "items[0].y[2].q"),
            (r#"{"items":[{},7]}"#, "items[1]"),
            (r#"{"b":[1]}"#, "b[0]"),
        ] {
            let told = judge(None, json).unwrap_err().to_string();
            let expected =
                format!("SCHEMA member {place} is not declared, and the collection is STRICT");
            assert_eq!(told, expected, "{json}");
        }
        assert!(judge(Some(r#"{"q":[1]}"#), r#"{"q":[2]}"#).is_err());
    }
}
