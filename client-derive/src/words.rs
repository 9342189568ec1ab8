//! Reading the small parts of attributes: names, texts, numbers, lengths of time.

use std::fmt::Write;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, ExprUnary, Ident, Lit, LitInt, LitStr, Result, Token, UnOp};

use crate::hint;

/// An unknown word among those that may stand there.
pub fn unknown(meta: &ParseNestedMeta<'_>, place: &str, known: &[&str]) -> Error {
    let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let hint = hint::meant(&word, known.iter().copied());
    let listed = known.join("`, `");
    let what = if hint.is_empty() {
        format!("`{word}` is no word of {place}; there are `{listed}`")
    } else {
        format!("`{word}` is no word of {place}{hint}")
    };
    meta.error(what)
}

/// One of several words.
pub fn one_of<'a>(word: &str, span: Span, what: &str, known: &[&'a str]) -> Result<&'a str> {
    if let Some(found) = known.iter().find(|name| **name == word) {
        return Ok(found);
    }
    let hint = hint::meant(word, known.iter().copied());
    let listed = known.join("`, `");
    Err(Error::new(span, format!("`{word}` is no {what}{hint} (one of `{listed}`)")))
}

/// The text behind `=`.
pub fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// The number behind `=`.
pub fn count(meta: &ParseNestedMeta<'_>) -> Result<u64> {
    meta.value()?.parse::<LitInt>()?.base10_parse()
}

/// A literal as JSON text, perhaps with a minus.
pub fn json(input: ParseStream<'_>) -> Result<String> {
    let expression: Expr = input.parse()?;
    json_of(&expression).ok_or_else(|| {
        Error::new_spanned(&expression, "expected a number, a text, `true` or `false`")
    })
}

fn json_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            Lit::Float(number) => Some(number.base10_digits().to_owned()),
            Lit::Bool(truth) => Some(truth.value.to_string()),
            Lit::Str(text) => Some(quoted(&text.value())),
            _ => None,
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => {
            let number = json_of(expr)?;
            number.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("-{number}"))
        }
        _ => None,
    }
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Seconds, of a text such as `30d`, `90m` or `1d 12h`.
pub fn seconds(text: &LitStr) -> Result<u64> {
    let told = text.value();
    let mut sum = 0_u64;
    for part in told.split_whitespace() {
        let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &part[digits.len()..] {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => 0,
        };
        let length = digits.parse::<u64>().ok().filter(|_| unit > 0);
        let length = length.and_then(|count| count.checked_mul(unit));
        let Some(total) = length.and_then(|length| sum.checked_add(length)) else {
            let what = format!("`{told}` is no length of time, such as `30d`, `90m` or `1d 12h`");
            return Err(Error::new(text.span(), what));
        };
        sum = total;
    }
    if sum == 0 {
        return Err(Error::new(text.span(), "a document has to live for a second at least"));
    }
    Ok(sum)
}

/// An option as it is written.
pub fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// An identifier, of a keyword too.
pub fn name(input: ParseStream<'_>) -> Result<Ident> {
    use syn::ext::IdentExt;
    input.call(Ident::parse_any)
}

/// A comma, or the end.
pub fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// A name as a step of a path: as it is, or in back-quotes where it has to be. As the first step a name with `_` has to.
pub fn step(name: &str) -> String {
    const KEYWORDS: [&str; 21] = [
        "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "NULL", "MISSING", "TRUE", "FALSE",
        "LIKE", "ILIKE", "CONTAINS", "STARTS", "ENDS", "MATCHES", "ANY", "ALL", "WHERE", "WITH",
    ];
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name));
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_seconds() {
        let read = |text: &str| seconds(&LitStr::new(text, Span::call_site()));
        assert_eq!(read("30d").unwrap(), 2_592_000);
        assert_eq!(read("1d 12h").unwrap(), 129_600);
        for wrong in ["", "30", "d", "3 days", "-1d", "99999999999999999999s", "1y"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_stand_in_back_quotes_where_a_filter_would_misread_them() {
        assert_eq!(step("age"), "age");
        assert_eq!(step("first name"), "`first name`");
        assert_eq!(step("any"), "`any`");
        assert_eq!(step("_n"), "`_n`");
        assert_eq!(step("a`b"), "`a``b`");
    }

    #[test]
    fn literals_are_json() {
        let read = |text: &str| json_of(&syn::parse_str(text).unwrap());
        assert_eq!(read("-1_000").as_deref(), Some("-1000"));
        assert_eq!(read("2.50").as_deref(), Some("2.50"));
        assert_eq!(read("\"a\\\"b\"").as_deref(), Some("\"a\\\"b\""));
        assert_eq!(read("true").as_deref(), Some("true"));
        assert_eq!(read("-\"a\""), None);
        assert_eq!(read("f()"), None);
    }
}
