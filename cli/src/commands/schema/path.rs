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

/// A path as the server writes it, however its names are quoted. What is no path stays as it is: the server says what is wrong.
pub fn canonical(path: &str) -> String {
    let mut written = String::new();
    let mut rest = path;
    loop {
        let (step, length) = if let Some(quoted) = rest.strip_prefix('`') {
            let Some((step, length)) = quoted_name(quoted) else { return path.to_owned() };
            (step, length + 1)
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (rest[..end].to_owned(), end)
        };
        written.push_str(&name(&step, written.is_empty()));
        rest = &rest[length..];
        let end = rest.find('.').unwrap_or(rest.len());
        // `[*]`
        written.push_str(&rest[..end]);
        match rest[end..].strip_prefix('.') {
            Some(next) => rest = next,
            None => return written,
        }
        written.push('.');
    }
}

/// What stands before the closing back-quote, and how long it is with that.
fn quoted_name(text: &str) -> Option<(String, usize)> {
    let mut from = 0;
    loop {
        let close = from + text[from..].find('`')?;
        if !text[close + 1..].starts_with('`') {
            return Some((text[..close].replace("``", "`"), close + 1));
        }
        from = close + 2;
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
    #[test]
    fn a_path_is_written_in_one_way() {
        for (path, written) in [
            ("city", "city"),
            ("`city`.name", "city.name"),
            ("items[*].in", "items[*].`in`"),
            ("`items`[*].`a.b`.`c``d`", "items[*].`a.b`.`c``d`"),
            ("_id", "`_id`"),
            ("a[*][*].b", "a[*][*].b"),
            ("a.`b", "a.`b"),
            ("", "``"),
        ] {
            assert_eq!(canonical(path), written, "{path}");
        }
    }
}
