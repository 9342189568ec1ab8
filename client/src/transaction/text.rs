//! Filters as text: the conditions of a transaction are told in it.

use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde::de::{self, SeqAccess, Visitor};

use crate::{Error, Result};

/// How deep a filter may be: the server's own limit is lower.
const DEPTH_MAX: usize = 256;

/// The text of a filter that may be a tree: its first byte tells.
pub(crate) fn of(filter: &[u8]) -> Result<String> {
    let unreadable =
        |what: String| Error::Usage(format!("the filter cannot be read: {what}").into());
    if !matches!(filter.first(), Some(0x90..=0x9F)) {
        return String::from_utf8(filter.to_vec()).map_err(|error| unreadable(error.to_string()));
    }
    let tree: Tree =
        rmp_serde::from_slice(filter).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    tree.write_filter(&mut text, 0).ok_or_else(|| unreadable("it is no filter".into()))?;
    Ok(text)
}

/// A tree as it is sent.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    List(Vec<Tree>),
    Text(String),
    /// A number or a boolean, as it is written.
    Plain(String),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array, a string, a number or a boolean")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Plain(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Plain(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Plain(number.to_string()))
    }

    fn visit_f32<E: de::Error>(self, number: f32) -> Result<Tree, E> {
        self.visit_f64(f64::from(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Tree, E> {
        match serde_json::Number::from_f64(number) {
            Some(number) => Ok(Tree::Plain(number.to_string())),
            None => Err(E::custom("a number that is not finite")),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
}

impl Tree {
    /// The operator and the operands of a list.
    fn parts(&self) -> Option<(&str, &[Tree])> {
        let Tree::List(items) = self else { return None };
        let (Tree::Text(operator), operands) = items.split_first()? else { return None };
        Some((operator, operands))
    }

    fn write_filter(&self, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (operator, operands) = self.parts()?;
        match (operator, operands) {
            ("and" | "or", [_, ..]) => {
                let word = if operator == "and" { " AND " } else { " OR " };
                for (at, operand) in operands.iter().enumerate() {
                    out.push_str(if at == 0 { "(" } else { word });
                    operand.write_filter(out, depth + 1)?;
                }
                out.push(')');
            }
            ("not", [operand]) => {
                out.push_str("NOT (");
                operand.write_filter(out, depth + 1)?;
                out.push(')');
            }
            ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=", [left, right]) => {
                left.write_first(out, depth)?;
                write!(out, " {operator} ").ok()?;
                right.write_value(out, depth)?;
            }
            ("between", [value, least, greatest]) => {
                value.write_first(out, depth)?;
                out.push_str(" BETWEEN ");
                least.write_value(out, depth)?;
                out.push_str(" AND ");
                greatest.write_value(out, depth)?;
            }
            ("any" | "all", [Tree::Text(path), condition]) => {
                write!(out, "{} {path} WHERE (", operator.to_ascii_uppercase()).ok()?;
                condition.write_filter(out, depth + 1)?;
                out.push(')');
            }
            ("in" | "has any" | "has all", [value, list]) => {
                value.write_first(out, depth)?;
                write!(out, " {} ", operator.to_ascii_uppercase()).ok()?;
                list.write_list(out, depth)?;
            }
            (
                "has" | "starts with" | "ends with" | "contains" | "like" | "ilike" | "matches",
                [value, operand],
            ) => {
                value.write_first(out, depth)?;
                write!(out, " {} ", operator.to_ascii_uppercase()).ok()?;
                operand.write_value(out, depth)?;
            }
            (test, [Tree::Text(path)]) if test.starts_with("is ") => {
                write!(out, "{path} {}", test.to_ascii_uppercase()).ok()?;
            }
            _ => return None,
        }
        Some(())
    }

    /// A first operand, where a string is a path.
    fn write_first(&self, out: &mut String, depth: usize) -> Option<()> {
        match self {
            Tree::Text(path) => out.push_str(path),
            value => value.write_value(out, depth)?,
        }
        Some(())
    }

    fn write_list(&self, out: &mut String, depth: usize) -> Option<()> {
        let (operator, operands) = self.parts()?;
        if operator != "list" {
            return self.write_value(out, depth);
        }
        out.push('(');
        for (at, operand) in operands.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ", " });
            operand.write_value(out, depth)?;
        }
        out.push(')');
        Some(())
    }

    fn write_value(&self, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (operator, operands) = match self {
            Tree::Text(text) => {
                write!(out, "'{}'", text.replace('\'', "''")).ok()?;
                return Some(());
            }
            Tree::Plain(text) => {
                out.push_str(text);
                return Some(());
            }
            Tree::List(_) => self.parts()?,
        };
        match (operator, operands) {
            ("path" | "number", [Tree::Text(text)]) => out.push_str(text),
            ("value", [constant]) => constant.write_value(out, depth + 1)?,
            ("param", [Tree::Text(name)]) => write!(out, "${name}").ok()?,
            ("+" | "-" | "*" | "/" | "%", [left, right]) => {
                out.push('(');
                left.write_value(out, depth + 1)?;
                write!(out, " {operator} ").ok()?;
                right.write_value(out, depth + 1)?;
                out.push(')');
            }
            ("-", [value]) => {
                out.push_str("-(");
                value.write_value(out, depth + 1)?;
                out.push(')');
            }
            ("now", []) => out.push_str("now()"),
            ("time" | "duration", [constant]) => {
                write!(out, "{operator}(").ok()?;
                constant.write_value(out, depth + 1)?;
                out.push(')');
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tree: &str) -> String {
        let tree: serde_json::Value = serde_json::from_str(tree).unwrap();
        of(&rmp_serde::to_vec(&tree).unwrap()).unwrap()
    }

    #[test]
    fn a_tree_is_written_as_it_would_be_typed() {
        assert_eq!(text(r#"[">=", "age", ["param", "min"]]"#), "age >= $min");
        assert_eq!(text(r#"["not", ["is true", "closed"]]"#), "NOT (closed IS TRUE)");
        assert_eq!(text(r#"["in", "city", ["list", "O'Hare", -1]]"#), "city IN ('O''Hare', -1)");
        assert_eq!(text(r#"["in", "city", ["list"]]"#), "city IN ()");
        assert_eq!(text(r#"["has any", "tags", ["param", "t"]]"#), "tags HAS ANY $t");
        assert_eq!(
            text(r#"[">", ["*", ["path", "price"], ["path", "qty"]], ["path", "total"]]"#),
            "(price * qty) > total"
        );
        assert_eq!(
            text(r#"["any", "items", ["and", ["=", "sku", "X1"], [">", "qty", 2.5]]]"#),
            "ANY items WHERE ((sku = 'X1' AND qty > 2.5))"
        );
        assert_eq!(
            text(r#"["<", "_updated", ["-", ["now"], ["duration", "1d"]]]"#),
            "_updated < (now() - duration('1d'))"
        );
        assert_eq!(
            text(r#"["or", ["between", "n", 1, ["number", "12.50"]], ["like", "s", "a%"]]"#),
            "(n BETWEEN 1 AND 12.50 OR s LIKE 'a%')"
        );
    }

    #[test]
    fn a_text_stays_and_what_is_no_filter_is_refused() {
        assert_eq!(of(b"a = 1").unwrap(), "a = 1");
        assert!(of(b"\xff").is_err());
        for wrong in ["[\"and\"]", "[\"=\", \"a\"]", "[1]", "[\"like\"]", "[\"is null\", 1]"] {
            let tree: serde_json::Value = serde_json::from_str(wrong).unwrap();
            assert!(of(&rmp_serde::to_vec(&tree).unwrap()).is_err(), "{wrong}");
        }
    }
}
