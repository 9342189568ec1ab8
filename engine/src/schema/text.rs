//! Types whose values are strings of a form: what such a text is worth, or none where it is not of the form.

use std::net::IpAddr;

use bigdecimal::{BigDecimal, ToPrimitive};
use email_address::{EmailAddress, Options};
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, date};
use url::Url;
use uuid::Uuid;

use super::types::MILLIS_MAX;
use crate::query::duration;

/// An instant, a length of time or a time of the day: milliseconds and the nanoseconds within.
pub(crate) type Millis = (i64, u32);

const DAY_MS: i64 = 86_400_000;

/// Whether the bytes from `from` on look like `shape`: a 0 stands for any digit, a T for one in either case.
fn looks(bytes: &[u8], from: usize, shape: &[u8]) -> bool {
    let part = bytes.get(from..from + shape.len());
    part.is_some_and(|part| {
        part.iter().zip(shape).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't'),
            _ => byte == like,
        })
    })
}

/// Two digits.
fn two(bytes: &[u8], from: usize) -> i64 {
    i64::from(bytes[from] - b'0') * 10 + i64::from(bytes[from + 1] - b'0')
}

/// Where a fraction of a second that may stand at `from` ends: one to nine digits behind a point.
fn fraction_end(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.get(from) != Some(&b'.') {
        return Some(from);
    }
    let digits = bytes[from + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=9).contains(&digits).then_some(from + 1 + digits)
}

/// RFC 3339 text as milliseconds since 1970 and nanoseconds within: a full date and time with an offset, nine digits of
/// a second at most, no leap second. Stricter than what the calendar library reads by itself.
pub(crate) fn instant(text: &str) -> Option<Millis> {
    let bytes = text.as_bytes();
    if !looks(bytes, 0, b"0000-00-00T00:00:00") || two(bytes, 17) > 59 {
        return None;
    }
    let end = fraction_end(bytes, 19)?;
    let offset_minutes = match bytes.get(end)? {
        b'Z' | b'z' if bytes.len() == end + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == end + 6 && looks(bytes, end + 1, b"00:00") => {
            let (hours, minutes) = (two(bytes, end + 1), two(bytes, end + 4));
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let local: DateTime = text[..end].parse().ok()?;
    let nanos = local.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_nanos();
    Some(split(nanos - i128::from(offset_minutes) * 60_000_000_000))
}

fn split(nanos: i128) -> Millis {
    (nanos.div_euclid(1_000_000) as i64, nanos.rem_euclid(1_000_000) as u32)
}

/// The RFC 3339 text of an instant, in nanoseconds since 1970; none outside of the years 0000 to 9999.
pub(crate) fn instant_text(nanos: i128) -> Option<String> {
    let since = SignedDuration::try_from_nanos_i128(nanos)?;
    let at = date(1970, 1, 1).at(0, 0, 0, 0).checked_add(since).ok()?;
    (at.year() >= 0).then(|| format!("{at}Z"))
}

/// A day, such as `2026-01-31`, as the instant of its midnight in UTC.
pub(crate) fn day(text: &str) -> Option<Millis> {
    if text.len() != 10 || !looks(text.as_bytes(), 0, b"0000-00-00") {
        return None;
    }
    let day: Date = text.parse().ok()?;
    let days = day.duration_since(date(1970, 1, 1)).as_hours() / 24;
    Some((days * DAY_MS, 0))
}

/// A time of the day, such as `12:30:00` or `12:30:00.25`, since midnight.
pub(crate) fn time_of_day(text: &str) -> Option<Millis> {
    let bytes = text.as_bytes();
    if !looks(bytes, 0, b"00:00:00") || fraction_end(bytes, 8) != Some(bytes.len()) {
        return None;
    }
    let (hours, minutes, seconds) = (two(bytes, 0), two(bytes, 3), two(bytes, 6));
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let digits = text.get(9..).unwrap_or_default();
    let nanos: u32 = format!("{digits:0<9}").parse().ok()?;
    let millis = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + i64::from(nanos / 1_000_000);
    Some((millis, nanos % 1_000_000))
}

/// A length of time, such as `1d 3h` or `PT90M`: one of whole nanoseconds.
pub(crate) fn length(text: &str) -> Option<Millis> {
    whole_nanos(&duration(text)?)
}

/// Milliseconds and nanoseconds within, where they are whole nanoseconds that a key can hold.
pub(crate) fn whole_nanos(millis: &BigDecimal) -> Option<Millis> {
    let nanos = (millis * BigDecimal::from(1_000_000)).normalized();
    let nanos = if nanos.is_integer() { nanos.to_i128()? } else { return None };
    let millis = i64::try_from(nanos.div_euclid(1_000_000)).ok()?;
    (millis.unsigned_abs() <= MILLIS_MAX).then_some((millis, nanos.rem_euclid(1_000_000) as u32))
}

/// The bytes of a UUID in groups of 8, 4, 4, 4 and 12 hexadecimal digits, in any case.
pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    // Other forms that the library reads have other lengths.
    (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Uuid::into_bytes)).flatten()
}

/// The bytes by which addresses are ordered: those of version 4 before those of 6, each as a number.
pub(crate) fn ip(text: &str) -> Option<Vec<u8>> {
    Some(match text.parse().ok()? {
        IpAddr::V4(ip) => [&[4], ip.octets().as_slice()].concat(),
        IpAddr::V6(ip) => [&[6], ip.octets().as_slice()].concat(),
    })
}

/// Whether a text is an address of mail by itself (RFC 5321): no name beside it, no address of a machine in brackets.
pub(crate) fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// Whether a text is a URL with a scheme, as the WHATWG's standard reads it, and has nothing in it that this passes over.
pub(crate) fn is_url(text: &str) -> bool {
    let is_passed_over = |byte: u8| byte <= b' ' || byte == 0x7f;
    !text.bytes().any(is_passed_over) && Url::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rfc_3339_and_nothing_else() {
        assert_eq!(instant("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(instant("1970-01-01T01:00:00.5+01:00"), Some((500, 0)));
        assert_eq!(instant("1969-12-31T23:59:59.999999999Z"), Some((-1, 999_999)));
        assert_eq!(instant("9999-12-31T23:59:59Z"), Some((253_402_300_799_000, 0)));
        assert_eq!(instant("2026-02-28T23:30:00-01:00"), instant("2026-03-01T00:30:00Z"));
        for wrong in [
            "2024-01-01",
            "20240101T000000Z",
            "2024-01-01T00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567891Z",
            "2024-02-30T00:00:00Z",
            "2024-01-01T00:00:00+25:00",
            "2024-01-01T00:00:00Z[Europe/Paris]",
            "-2024-01-01T00:00:00Z",
            "",
            "é",
        ] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_are_midnights() {
        assert_eq!(day("1970-01-02"), Some((DAY_MS, 0)));
        assert_eq!(day("1969-12-31"), Some((-DAY_MS, 0)));
        for (text, like) in [
            ("0000-01-01", "0000-01-01T00:00:00Z"),
            ("9999-12-31", "9999-12-31T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(day(text), instant(like), "{text}");
        }
        for wrong in [
            "2023-02-29",
            "2026-1-31",
            "20260131",
            "2026-01-31T00:00:00Z",
            "2026-01-31 ",
            "-026-01-31",
            "",
            "2026-13-01",
            "2026-01-0é",
        ] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_the_day_have_seconds() {
        assert_eq!(time_of_day("00:00:00"), Some((0, 0)));
        assert_eq!(time_of_day("12:30:00.25"), Some((45_000_250, 0)));
        assert_eq!(time_of_day("23:59:59.999999999"), Some((86_399_999, 999_999)));
        for wrong in [
            "24:00:00",
            "23:59:60",
            "23:60:00",
            "12:30",
            "12:30:00.",
            "12:30:00,5",
            "12:30:00.0000000001",
            "12:30:00Z",
            "1:30:00",
            "",
            "é",
        ] {
            assert_eq!(time_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lengths_are_of_whole_nanoseconds() {
        assert_eq!(length("1d 3h"), Some((97_200_000, 0)));
        assert_eq!(length("-1ns"), Some((-1, 999_999)));
        assert_eq!(length("PT1.5S"), Some((1_500, 0)));
        assert_eq!(length("9007199254740992ms"), Some((1 << 53, 0)));
        for wrong in ["0.5ns", "9007199254740993ms", "P1Y", "1", "", "1 day"] {
            assert_eq!(length(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_and_identifiers() {
        let lower = uuid("67e55044-10b1-426f-9247-bb680e5fe0c8");
        assert!(lower.is_some() && lower == uuid("67E55044-10B1-426F-9247-BB680E5FE0C8"));
        for wrong in [
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
            "67e550-4410b1-426f-9247-bb680e5fe0c8",
            "",
        ] {
            assert_eq!(uuid(wrong), None, "{wrong}");
        }
        let ascending = [
            "0.0.0.0",
            "9.255.255.255",
            "10.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "ffff::",
        ];
        assert!(ascending.windows(2).all(|pair| ip(pair[0]) < ip(pair[1])));
        assert_eq!(ip("2001:DB8:0:0:0:0:0:1"), ip("2001:db8::1"));
        for wrong in [
            "10.0.0",
            "10.0.0.256",
            "010.0.0.1",
            "::1%eth0",
            "[::1]",
            "10.0.0.1:80",
            " 10.0.0.1",
            "",
            ":::",
        ] {
            assert_eq!(ip(wrong), None, "{wrong}");
        }
        for email in ["ada@example.org", "a.b+c@x", "\"a b\"@example.org", "ü@exämple.org"] {
            assert!(is_email(email), "{email}");
        }
        for wrong in [
            "ada",
            "@example.org",
            "ada@",
            "ada@@example.org",
            "Ada <ada@example.org>",
            "ada@[127.0.0.1]",
            "a b@example.org",
            "ada@example.org ",
            "",
            "a..b@example.org",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
        for url in [
            "https://example.org",
            "http://ü.example/a?b#c",
            "mailto:ada@example.org",
            "urn:isbn:0451450523",
            "file:///etc",
        ] {
            assert!(is_url(url), "{url}");
        }
        for wrong in [
            "example.org",
            "/path",
            "http://",
            "http://a b",
            " https://example.org",
            "https://example.org\n",
            "http://[::1",
            "",
            "http://x:99999",
        ] {
            assert!(!is_url(wrong), "{wrong}");
        }
    }
}
