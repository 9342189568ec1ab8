//! Definitions as text: the JSON that `DOC.SCHEMA` prints, laid out for files.

use serde_json::value::RawValue;

use super::members::Members;

/// The members whose elements stand on a line each.
const LISTS: [&str; 3] = ["fields", "indexes", "migrations"];

/// A definition with a line for each member, field, index and migration, so that versions of a file differ where definitions do.
/// Its values stay as they are written: numbers keep their digits.
pub fn text(json: &str) -> serde_json::Result<String> {
    let Members(members) = serde_json::from_str(json)?;
    let mut lines = Vec::with_capacity(members.len());
    for (name, value) in members {
        let value = match LISTS.contains(&name.as_str()) {
            true => list(value)?,
            false => value.get().to_owned(),
        };
        lines.push(format!("  {}: {value}", serde_json::to_string(&name)?));
    }
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

fn list(value: &RawValue) -> serde_json::Result<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(value.get())?;
    if elements.is_empty() {
        return Ok("[]".into());
    }
    let lines: Vec<String> =
        elements.iter().map(|element| format!("    {}", element.get())).collect();
    Ok(format!("[\n{}\n  ]", lines.join(",\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_a_line_for_each_field_and_keeps_its_digits() {
        let json = r#"{"collection":"a","mode":"open","fields":[{"path":"n","type":"json","default":1.10},{"path":"m","type":"int"}],"indexes":[]}"#;
        let laid_out = r#"{
  "collection": "a",
  "mode": "open",
  "fields": [
    {"path":"n","type":"json","default":1.10},
    {"path":"m","type":"int"}
  ],
  "indexes": []
}
"#;
        assert_eq!(text(json).unwrap(), laid_out);
        assert!(text("[]").is_err());
    }
}
