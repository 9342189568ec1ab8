//! Forms that strings have, such as dates and addresses, as the server's types read them.
//!
//! Nothing is taken for a type here that the server would refuse; some that it takes are passed over, because they say little:
//! `"5m"` may be a length of time, or five metres.

use std::net::IpAddr;

use email_address::{EmailAddress, Options};
use jiff::Span;
use jiff::civil::{Date, DateTime};
use url::Url;
use uuid::Uuid;

/// A type whose values are strings of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Uuid,
    DateTime,
    Date,
    Time,
    Ip,
    Email,
    Url,
    Duration,
    Decimal,
}

impl Form {
    const ALL: [Self; 9] = [
        Self::Uuid,
        Self::DateTime,
        Self::Date,
        Self::Time,
        Self::Ip,
        Self::Email,
        Self::Url,
        Self::Duration,
        Self::Decimal,
    ];

    /// The name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::Time => "time",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Url => "url",
            Self::Duration => "duration",
            Self::Decimal => "decimal",
        }
    }

    fn holds(self, text: &str) -> bool {
        match self {
            Self::Uuid => text.len() == 36 && Uuid::try_parse(text).is_ok(),
            Self::DateTime => is_instant(text),
            Self::Date => looks(text, "0000-00-00") && text.parse::<Date>().is_ok(),
            Self::Time => is_time(text),
            Self::Ip => text.parse::<IpAddr>().is_ok(),
            Self::Email => is_email(text),
            Self::Url => is_url(text),
            Self::Duration => is_duration(text),
            Self::Decimal => decimals(text).is_some(),
        }
    }
}

/// The forms that all strings of a path have so far.
#[derive(Clone, Debug)]
pub struct Forms {
    left: Vec<Form>,
    /// How many digits stand behind the point, if as many do in all of them.
    decimals: Option<usize>,
}

impl Default for Forms {
    fn default() -> Self {
        Self { left: Form::ALL.to_vec(), decimals: None }
    }
}

impl Forms {
    /// Looks at one more.
    pub fn add(&mut self, text: &str) {
        let before = self.decimals;
        self.left.retain(|form| form.holds(text));
        self.decimals = decimals(text);
        if before.is_some() && before != self.decimals {
            self.left.retain(|form| *form != Form::Decimal);
        }
    }

    /// The one that says most.
    pub fn common(&self) -> Option<Form> {
        self.left.first().copied()
    }
}

/// Whether a text is of `shape`, where a 0 stands for any digit.
fn looks(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            _ => byte == like,
        })
}

/// The two parts of a text before and from byte `at` on; an empty second one where it is no place between letters.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// The length of `.25` and its like at the beginning of a text: up to nine digits.
fn fraction(text: &str) -> usize {
    let Some(rest) = text.strip_prefix('.') else { return 0 };
    match rest.bytes().take_while(u8::is_ascii_digit).count() {
        digits @ 1..=9 => digits + 1,
        _ => 0,
    }
}

/// RFC 3339 with an offset.
fn is_instant(text: &str) -> bool {
    let (local, rest) = split(text, 19);
    let (_, offset) = split(rest, fraction(rest));
    let shape = local.replace('t', "T");
    if !looks(&shape, "0000-00-00T00:00:00") || local.ends_with("60") {
        return false;
    }
    let is_offset = match offset.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', ..] => {
            looks(&offset[1..], "00:00") && &offset[1..3] < "24" && &offset[4..] < "60"
        }
        _ => false,
    };
    is_offset && local.parse::<DateTime>().is_ok()
}

/// An instant without an offset, which is none on the server.
pub fn is_local_instant(text: &str) -> bool {
    is_instant(&format!("{}Z", text.replace(' ', "T")))
}

fn is_time(text: &str) -> bool {
    let (time, rest) = split(text, 8);
    looks(time, "00:00:00")
        && fraction(rest) == rest.len()
        && &time[..2] < "24"
        && &time[3..5] < "60"
        && &time[6..] < "60"
}

fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// Of the many texts with a colon that are URLs, those with an authority.
fn is_url(text: &str) -> bool {
    let is_passed_over = |byte: u8| byte <= b' ' || byte == 0x7f;
    text.contains("://") && !text.bytes().any(is_passed_over) && Url::parse(text).is_ok()
}

fn is_duration(text: &str) -> bool {
    let span = text.starts_with('P').then(|| text.parse::<Span>());
    matches!(span, Some(Ok(span)) if span.get_years() == 0 && span.get_months() == 0)
}

/// How many digits stand behind the point of an amount such as `12.50`, if there are two at least. `1.5` may be a version, and
/// `007` a number of something: as decimals they would equal others.
fn decimals(text: &str) -> Option<usize> {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.')?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = whole == "0" || (!whole.starts_with('0') && !whole.is_empty());
    let is_short = whole.len() + fraction.len() <= 30;
    let fits = is_whole && is_short && fraction.len() >= 2;
    (fits && are_digits(whole) && are_digits(fraction)).then_some(fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(texts: &[&str]) -> Option<Form> {
        let mut forms = Forms::default();
        for text in texts {
            forms.add(text);
        }
        forms.common()
    }

    #[test]
    fn the_forms_of_the_server_are_told() {
        let known = [
            ("67e55044-10b1-426f-9247-bb680e5fe0c8", Form::Uuid),
            ("2026-01-31T12:30:00Z", Form::DateTime),
            ("2026-01-31t12:30:00.25+01:00", Form::DateTime),
            ("2026-01-31", Form::Date),
            ("12:30:00", Form::Time),
            ("12:30:00.25", Form::Time),
            ("10.0.0.1", Form::Ip),
            ("::1", Form::Ip),
            ("ada@example.org", Form::Email),
            ("https://example.org/a?b", Form::Url),
            ("PT90M", Form::Duration),
            ("P1DT3H", Form::Duration),
            ("12.50", Form::Decimal),
            ("-0.05", Form::Decimal),
        ];
        for (text, form) in known {
            assert_eq!(common(&[text]), Some(form), "{text}");
        }
    }

    #[test]
    fn what_the_server_would_refuse_or_what_says_little_has_no_form() {
        let unknown = [
            "",
            "a",
            "é",
            "2026-01-31T12:30:00",
            "2026-02-30T12:30:00Z",
            "2026-01-31T12:30:60Z",
            "2026-01-31T12:30:00+25:00",
            "2026-01-31T12:30:00+é",
            "2026-02-30",
            "2026-1-31",
            "24:00:00",
            "12:30",
            "10.0.0",
            "foo:bar",
            "http://a b",
            "P1Y",
            "5m",
            "1.5",
            "007.50",
            "1.10.2",
            "Ada <ada@example.org>",
            "67e5504410b1426f9247bb680e5fe0c8",
        ];
        for text in unknown {
            assert_eq!(common(&[text]), None, "{text}");
        }
    }

    #[test]
    fn the_form_is_that_of_all() {
        assert_eq!(common(&["2026-01-31", "2026-02-01"]), Some(Form::Date));
        assert_eq!(common(&["2026-01-31", "soon"]), None);
        assert_eq!(common(&["12.50", "3.99"]), Some(Form::Decimal));
        assert_eq!(common(&["12.50", "3.999"]), None, "versions and the like");
        assert!(is_local_instant("2026-01-31T12:30:00") && is_local_instant("2026-01-31 12:30:00"));
        assert!(!is_local_instant("2026-01-31T12:30:00Z"));
    }
}
