//! MessagePack as JSON text, for values that come in either form. Nothing is taken on trust: no length is more than the
//! bytes that follow, and nothing recurses.
//!
//! Integers keep their digits; a float is the double that it is, in the shortest text that reads back. What JSON has not
//! (bytes, extensions, NaN and infinities, keys that are no strings) is refused. The format: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use std::fmt;

use rmp::{Marker, decode};

use super::print::write_string;
use crate::value::Number;
use crate::{Code, Error, Result};

/// An array or a map that is open.
struct Open {
    /// Values that are still to come; in a map, names count too.
    left: usize,
    is_map: bool,
    is_first: bool,
}

/// The JSON text of one MessagePack value, which is all of `bytes`. O(bytes). Errors: `JSON`, with the byte; `TOOBIG` where it
/// nests deeper than `depth_max`.
pub fn json_of_messagepack(bytes: &[u8], depth_max: usize) -> Result<Vec<u8>> {
    let (mut out, mut at, mut open) = (Vec::with_capacity(bytes.len() * 2), 0, Vec::<Open>::new());
    loop {
        let is_name = begin(&mut open, &mut out);
        let (opened, length) = read(&bytes[at..], at, is_name, &mut out)?;
        at += length;
        if let Some(next) = opened {
            if open.len() == depth_max {
                let what = format!(
                    "depth {} exceeds the limit of {depth_max} (folio.depth-max)",
                    depth_max + 1
                );
                return Err(Error::new(Code::TooBig, what));
            }
            open.push(next);
        }
        while open.last().is_some_and(|last| last.left == 0) {
            let ended = open.pop().is_some_and(|last| last.is_map);
            out.push(if ended { b'}' } else { b']' });
        }
        if open.is_empty() {
            break;
        }
    }
    match bytes.len() - at {
        0 => Ok(out),
        rest => Err(refused(at, format_args!("{rest} bytes behind the value"))),
    }
}

/// Writes what stands before the next value; true where it is the name of a member.
fn begin(open: &mut [Open], out: &mut Vec<u8>) -> bool {
    let Some(last) = open.last_mut() else { return false };
    let is_name = last.is_map && last.left.is_multiple_of(2);
    last.left -= 1;
    if last.is_map && !is_name {
        out.push(b':');
    } else if !std::mem::take(&mut last.is_first) {
        out.push(b',');
    }
    is_name
}

fn refused(at: usize, what: impl fmt::Display) -> Error {
    Error::json(at, what)
}

/// Reads one value, of an array or a map its head, and writes it. Gives what it opens, and how many bytes it takes.
fn read(
    bytes: &[u8],
    at: usize,
    is_name: bool,
    out: &mut Vec<u8>,
) -> Result<(Option<Open>, usize)> {
    let cut = |what: &str| refused(at, format_args!("{what} that is cut off"));
    let mut rest = bytes;
    let first = *rest.first().ok_or_else(|| refused(at, "expected a value, found the end"))?;
    let marker = Marker::from_u8(first);
    let is_text =
        matches!(marker, Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32);
    if is_name && !is_text {
        return Err(refused(at, "the name of a member is no string"));
    }
    let mut opened = None;
    match marker {
        _ if is_text => {
            let (text, after) = decode::read_str_from_slice(rest).map_err(|error| match error {
                decode::DecodeStringError::InvalidUtf8(..) => {
                    refused(at, "a string that is not UTF-8")
                }
                _ => cut("a string"),
            })?;
            rest = after;
            write_string(text, out);
        }
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let length = decode::read_array_len(&mut rest).map_err(|_| cut("an array"))?;
            opened = Some(head(length as usize, false, at, rest.len(), out)?);
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let length = decode::read_map_len(&mut rest).map_err(|_| cut("a map"))?;
            opened = Some(head((length as usize).saturating_mul(2), true, at, rest.len(), out)?);
        }
        Marker::F32 | Marker::F64 => {
            out.extend_from_slice(float(marker, &mut rest, at)?.as_bytes());
        }
        Marker::Null | Marker::True | Marker::False => {
            rest = &rest[1..];
            out.extend_from_slice(match marker {
                Marker::Null => b"null",
                Marker::True => b"true",
                _ => b"false",
            });
        }
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
            return Err(refused(at, "bytes, which JSON has not"));
        }
        Marker::Reserved => return Err(refused(at, "no MessagePack")),
        _ => {
            let value: Result<i128, _> = decode::read_int(&mut rest);
            let value = value.map_err(|error| match error {
                decode::NumValueReadError::TypeMismatch(_) => {
                    refused(at, "an extension, which JSON has not")
                }
                _ => cut("a number"),
            })?;
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
    Ok((opened, bytes.len() - rest.len()))
}

/// A float as JSON writes it.
fn float(marker: Marker, rest: &mut &[u8], at: usize) -> Result<String> {
    let value = if marker == Marker::F32 {
        decode::read_f32(rest).map(f64::from)
    } else {
        decode::read_f64(rest)
    };
    let value = value.map_err(|_| refused(at, "a number that is cut off"))?;
    if !value.is_finite() {
        return Err(refused(at, format_args!("{value} is no number of JSON")));
    }
    Ok(Number::Float(value).to_string())
}

fn head(left: usize, is_map: bool, at: usize, follow: usize, out: &mut Vec<u8>) -> Result<Open> {
    if left > follow {
        let what = if is_map { "a map" } else { "an array" };
        return Err(refused(
            at,
            format_args!("{what} that {follow} bytes follow is longer than that"),
        ));
    }
    out.push(if is_map { b'{' } else { b'[' });
    Ok(Open { left, is_map, is_first: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        match json_of_messagepack(bytes, 4) {
            Ok(json) => String::from_utf8(json).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_of_value_becomes_json() {
        let map = b"\x85\xa1a\x93\x01\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1b\xc0\xa1c\xc3\xa1d\x80\xa1e\x90";
        assert_eq!(
            read(map),
            r#"{"a":[1,-1,18446744073709551615],"b":null,"c":true,"d":{},"e":[]}"#
        );
        assert_eq!(read(b"\xa3\"\n\\"), r#""\"\n\\""#);
        assert_eq!(read(b"\xcb\x3f\xf8\0\0\0\0\0\0"), "1.5");
        assert_eq!(read(b"\xd3\x80\0\0\0\0\0\0\0"), "-9223372036854775808");
        assert_eq!(read(b"\x91\x91\x91\x91\x01"), "[[[[1]]]]");
    }

    #[test]
    fn what_json_has_not_is_refused_with_its_byte() {
        for (bytes, expected) in [
            (&b""[..], "JSON expected a value, found the end at byte 0"),
            (b"\x92\x91\x01", "JSON expected a value, found the end at byte 3"),
            (b"\x91\xc4\x01a", "JSON bytes, which JSON has not at byte 1"),
            (b"\xd4\x01a", "JSON an extension, which JSON has not at byte 0"),
            (b"\x81\x01\x02", "JSON the name of a member is no string at byte 1"),
            (b"\xa2\xff\xff", "JSON a string that is not UTF-8 at byte 0"),
            (b"\xa2a", "JSON a string that is cut off at byte 0"),
            (b"\xcd\x01", "JSON a number that is cut off at byte 0"),
            (b"\xcb\x7f\xf8\0\0\0\0\0\0", "JSON NaN is no number of JSON at byte 0"),
            (b"\x01\x02", "JSON 1 bytes behind the value at byte 1"),
            (
                b"\xdd\xff\xff\xff\xff\x01",
                "JSON an array that 1 bytes follow is longer than that at byte 0",
            ),
            (
                b"\x91\x91\x91\x91\x91\x01",
                "TOOBIG depth 5 exceeds the limit of 4 (folio.depth-max)",
            ),
        ] {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }
}
