//! A reply in lines, as the head of this suite says, and whether it is what a page prints.

use redis::{RedisError, RedisResult, Value};

/// The lines of a reply.
pub fn render(reply: RedisResult<Value>) -> Vec<String> {
    match reply {
        Ok(value) => lines(value),
        Err(error) => lines_of(&error_text(&error)),
    }
}

fn lines(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) | Value::Set(items) if !items.is_empty() => {
            items.into_iter().flat_map(item).collect()
        }
        Value::Map(pairs) if !pairs.is_empty() => pairs.into_iter().flat_map(entry).collect(),
        scalar => lines_of(&text(scalar)),
    }
}

fn lines_of(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

/// An element of a list.
fn item(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) if !items.is_empty() => {
            if items.iter().all(is_scalar) {
                return vec![items.into_iter().map(text).collect::<Vec<_>>().join(" ")];
            }
            let inner = items.into_iter().flat_map(item);
            let marked = inner.enumerate();
            marked
                .map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " }))
                .collect()
        }
        other => lines(other),
    }
}

/// An entry of a map.
fn entry((key, value): (Value, Value)) -> Vec<String> {
    let key = text(key);
    if is_scalar(&value) {
        return lines_of(&format!("{key}: {}", text(value)));
    }
    let below = lines(value).into_iter().map(|line| format!("  {line}"));
    [vec![format!("{key}:")], below.collect()].concat()
}

/// Whether a value takes one place; an empty list or map does.
fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Array(items) | Value::Set(items) => items.is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        _ => true,
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Nil => "(nil)".to_owned(),
        Value::Boolean(truth) => format!("({truth})"),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Okay => "OK".to_owned(),
        Value::BulkString(bytes) if bytes.is_empty() => "\"\"".to_owned(),
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        Value::Array(_) | Value::Set(_) | Value::Map(_) => "(empty)".to_owned(),
        Value::ServerError(error) => error_text(&error.into()),
        other => format!("{other:?}"),
    }
}

fn error_text(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("(error) {code} {}", error.detail().unwrap_or_default()),
        None => panic!("{error} is not the server's"),
    }
}

/// Whether these lines are the expected ones, in which `..` ends a line early or stands for any lines.
pub fn is_expected(lines: &[String], expected: &[String]) -> bool {
    let Some((first, rest)) = expected.split_first() else { return lines.is_empty() };
    if first.trim() == ".." {
        return (0..=lines.len()).any(|skipped| is_expected(&lines[skipped..], rest));
    }
    let Some((line, left)) = lines.split_first() else { return false };
    let fits = match first.strip_suffix("..") {
        Some(beginning) => line.starts_with(beginning),
        None => line == first,
    };
    fits && is_expected(left, rest)
}

#[test]
fn replies_are_written_by_their_shape() {
    let text = |text: &str| Value::BulkString(text.into());
    let list = Value::Array;
    let nested = list(vec![
        list(vec![text("a"), Value::Nil]),
        list(vec![text("b"), list(vec![Value::Int(1), Value::Int(2)]), list(vec![])]),
        Value::Map(vec![(text("k"), list(vec![text("x"), text("y")])), (text("l"), text(""))]),
    ]);
    let expected = ["a (nil)", "- b", "  1 2", "  (empty)", "k:", "  x", "  y", "l: \"\""];
    assert_eq!(render(Ok(nested)), expected);
    assert_eq!(render(Ok(list(vec![]))), ["(empty)"]);
    assert_eq!(render(Ok(Value::Boolean(true))), ["(true)"]);
}

#[test]
fn dots_stand_for_what_is_left_out() {
    let owned = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
    let is = |lines, expected| is_expected(&owned(lines), &owned(expected));
    assert!(is("a\nb\nc", "a\n..") && is("a\nb\nc", "..\nc") && is("a", "a\n..\n.."));
    assert!(is("abc\nd", "a..\nd") && is("a\nb\nc\nb", "a\n..\nb"));
    assert!(!is("a\nb", "a") && !is("a", "a\nb") && !is("a\nb", "..\nc") && !is("ba", "a.."));
}
