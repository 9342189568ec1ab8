//! Printing: one path of a document, or an object of several, as JSON text. Values are copied from
//! the document's text as they stand; only an array or object around them is new.

use std::collections::HashSet;
use std::convert::Infallible;

use super::DocRef;
use crate::path::{Path, Step};
use crate::value::raw::Kind;

/// Appends an object whose members are the texts of `paths` and what each leads to, in the order
/// asked. A path with `[*]` gives an array of all its values. A path that leads to nothing is left
/// out, and so is one that was asked before. O(paths), and for each path what walking along it costs.
pub fn project(doc: DocRef<'_>, paths: &[Path], out: &mut Vec<u8>) {
    let members = paths.iter().map(|path| (path.to_string(), path));
    let Ok(()) = object::<_, Infallible>(members, out, |path, out| Ok(one(doc, path, out)));
}

/// Appends an object of `members`: to each name what `print` appends. A member for which it says false and appends
/// nothing is left out, and so is one whose name came before.
pub fn object<T, E>(
    members: impl Iterator<Item = (String, T)>,
    out: &mut Vec<u8>,
    mut print: impl FnMut(T, &mut Vec<u8>) -> Result<bool, E>,
) -> Result<(), E> {
    out.push(b'{');
    let mut is_first = true;
    let mut seen = HashSet::new();
    for (name, member) in members {
        let before = out.len();
        if !is_first {
            out.push(b',');
        }
        write_string(&name, out);
        out.push(b':');
        if seen.insert(name) && print(member, out)? {
            is_first = false;
        } else {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

/// Appends what `path` leads to; false, and nothing appended, if that is nothing. A path with `[*]`
/// gives an array, which is empty where the array that the first `[*]` stands for has nothing to
/// give, and nothing where there is no such array.
pub fn one(doc: DocRef<'_>, path: &Path, out: &mut Vec<u8>) -> bool {
    let mut values = path.values(doc);
    if !path.is_multi() {
        let Some(value) = values.next() else { return false };
        out.extend_from_slice(value.bytes());
        return true;
    }
    let start = out.len();
    for value in values {
        out.push(if out.len() == start { b'[' } else { b',' });
        out.extend_from_slice(value.bytes());
    }
    if out.len() == start {
        if !has_array(doc, path) {
            return false;
        }
        out.push(b'[');
    }
    out.push(b']');
    true
}

/// Whether there is an array where the first `[*]` of `path` stands.
fn has_array(doc: DocRef<'_>, path: &Path) -> bool {
    let before = path.steps().iter().take_while(|step| **step != Step::Each).cloned().collect();
    let before = Path::new(before);
    before.values(doc).next().is_some_and(|value| value.kind() == Kind::Array)
}

/// Appends `text` as a JSON string: quotes, and escapes for what RFC 8259 asks to be escaped.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..0x20 => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend(b"\\u00");
                out.extend(digits);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::doc::testing::parsed;

    fn path(steps: &[&str]) -> Path {
        let step = |text: &&str| match *text {
            "*" => Step::Each,
            name => name.parse().map_or_else(|_| Step::Name(name.into()), Step::Index),
        };
        Path::new(steps.iter().map(step).collect())
    }

    fn printed(path: &Path) -> Option<String> {
        let parsed = parsed(r#"{"a":{"b":1.50},"items":[{"x":1},{},{"x":"2"}],"none":[]}"#);
        let mut out = Vec::new();
        let is_there = one(parsed.view(), path, &mut out);
        assert_eq!(is_there, !out.is_empty());
        is_there.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn one_path() {
        assert_eq!(printed(&path(&["a", "b"])).as_deref(), Some("1.50"));
        assert_eq!(printed(&path(&["items", "2"])).as_deref(), Some(r#"{"x":"2"}"#));
        assert_eq!(printed(&path(&["items", "*", "x"])).as_deref(), Some(r#"[1,"2"]"#));
        assert_eq!(printed(&path(&["items", "*", "y"])).as_deref(), Some("[]"));
        assert_eq!(printed(&path(&["none", "*"])).as_deref(), Some("[]"));
        assert_eq!(printed(&path(&["a", "*"])), None);
        assert_eq!(printed(&path(&["b", "*"])), None);
        assert_eq!(printed(&path(&["b"])), None);
    }

    #[test]
    fn several_paths() {
        let parsed = parsed(r#"{"a":{"b":1},"c":[true,null]}"#);
        let paths =
            [path(&["x"]), path(&["c", "*"]), path(&["a", "b"]), path(&["c", "*"]), path(&["y"])];
        let mut out = Vec::new();
        project(parsed.view(), &paths, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"c[*]":[true,null],"a.b":1}"#);
        let mut out = Vec::new();
        project(parsed.view(), &[], &mut out);
        assert_eq!(out, b"{}");
    }

    proptest! {
        #[test]
        fn strings_read_back(text in any::<String>()) {
            let mut out = Vec::new();
            write_string(&text, &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
