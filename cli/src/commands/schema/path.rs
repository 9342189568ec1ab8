//! Paths, as the server writes them.

/// What a filter would read as its own: in a path such a name stands in back-quotes.
const KEYWORDS: [&str; 21] = [
    "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "NULL", "MISSING", "TRUE", "FALSE", "LIKE",
    "ILIKE", "CONTAINS", "STARTS", "ENDS", "MATCHES", "ANY", "ALL", "WHERE", "WITH",
];

/// A name as a step of a path. One that begins with `_` could be a document's metadata if it stood first.
fn name(name: &str, is_first: bool) -> String {
    let begins_plainly = |letter: char| letter.is_alphabetic() || letter == '_' && !is_first;
    let is_plain = name.starts_with(begins_plainly)
        && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
        && !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(name));
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// A path of one more name.
pub fn join(parent: &str, child: &str) -> String {
    match parent {
        "" => name(child, true),
        parent => format!("{parent}.{}", name(child, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_read_otherwise_are_quoted() {
        for (child, written) in [
            ("city", "a.city"),
            ("größe_2", "a.größe_2"),
            ("_id", "a._id"),
            ("2nd", "a.`2nd`"),
            ("first-name", "a.`first-name`"),
            ("a.b", "a.`a.b`"),
            ("`", "a.````"),
            ("Any", "a.`Any`"),
            ("", "a.``"),
        ] {
            assert_eq!(join("a", child), written);
        }
        assert_eq!(join("", "city"), "city");
        assert_eq!(join("", "_id"), "`_id`");
    }
}
