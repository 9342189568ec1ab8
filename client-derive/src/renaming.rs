//! serde's `rename_all` rules, as serde applies them.

/// The rules by their names.
pub const RULES: [&str; 8] = [
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

/// The name of a field, which is written in snake case.
pub fn field(rule: &str, name: &str) -> String {
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "PascalCase" => pascal(name),
        "camelCase" => lower_first(&pascal(name)),
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// The name of a variant, which is written in Pascal case.
pub fn variant(rule: &str, name: &str) -> String {
    match rule {
        "lowercase" => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "camelCase" => lower_first(name),
        "snake_case" => snake(name),
        "SCREAMING_SNAKE_CASE" => snake(name).to_ascii_uppercase(),
        "kebab-case" => snake(name).replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => snake(name).to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

fn pascal(name: &str) -> String {
    let mut out = String::new();
    let mut is_first = true;
    for c in name.chars() {
        if c == '_' {
            is_first = true;
        } else if is_first {
            out.push(c.to_ascii_uppercase());
            is_first = false;
        } else {
            out.push(c);
        }
    }
    out
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_variants_are_named_as_serde_names_them() {
        let of_field = RULES.map(|rule| field(rule, "first_name"));
        let expected = [
            "first_name",
            "FIRST_NAME",
            "FirstName",
            "firstName",
            "first_name",
            "FIRST_NAME",
            "first-name",
            "FIRST-NAME",
        ];
        assert_eq!(of_field, expected);
        let of_variant = RULES.map(|rule| variant(rule, "InProgress"));
        let expected = [
            "inprogress",
            "INPROGRESS",
            "InProgress",
            "inProgress",
            "in_progress",
            "IN_PROGRESS",
            "in-progress",
            "IN-PROGRESS",
        ];
        assert_eq!(of_variant, expected);
    }
}
