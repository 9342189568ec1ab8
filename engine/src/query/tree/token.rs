//! The values of MessagePack, one at a time. Nothing is taken on trust: no length is more than the bytes that follow.

use std::fmt;

use rmp::{Marker, decode};

use super::super::lex::excerpt;
use crate::value::Number;
use crate::{Code, Error, Result};

/// The error `what` of what begins at byte `at`.
pub(super) fn refused(at: usize, what: impl fmt::Display) -> Error {
    Error::new(Code::Filter, format!("{what} at byte {at}"))
}

/// One value of MessagePack; of an array its head.
pub(super) enum Token<'t> {
    Nil,
    Bool(bool),
    /// As JSON writes it.
    Number(Box<str>),
    Text(&'t str),
    /// How many elements follow: never more than bytes do.
    Array(usize),
    /// What no filter holds.
    Foreign(&'static str),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Nil => f.write_str("nil"),
            Token::Bool(value) => write!(f, "{value}"),
            Token::Number(text) => f.write_str(text),
            Token::Text(text) => write!(f, "\"{}\"", excerpt(text)),
            Token::Array(count) => write!(f, "an array of {count}"),
            Token::Foreign(what) => f.write_str(what),
            Token::End => f.write_str("the end"),
        }
    }
}

/// The values of a tree, in the order of its bytes.
pub(super) struct Tokens<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Tokens { bytes, at: 0 }
    }

    /// Where the next token begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next token, which is passed.
    pub(super) fn next(&mut self) -> Result<Token<'t>> {
        let at = self.at;
        let mut rest = &self.bytes[at..];
        let Some(first) = rest.first() else { return Ok(Token::End) };
        let cut = |what: &str| refused(at, format_args!("{what} that is cut off"));
        let token = match Marker::from_u8(*first) {
            Marker::FixPos(_)
            | Marker::FixNeg(_)
            | Marker::U8
            | Marker::U16
            | Marker::U32
            | Marker::U64
            | Marker::I8
            | Marker::I16
            | Marker::I32
            | Marker::I64 => {
                let value: i128 = decode::read_int(&mut rest).map_err(|_| cut("a number"))?;
                Token::Number(value.to_string().into())
            }
            Marker::F32 => {
                let value = decode::read_f32(&mut rest).map_err(|_| cut("a number"))?;
                float(f64::from(value), at)?
            }
            Marker::F64 => float(decode::read_f64(&mut rest).map_err(|_| cut("a number"))?, at)?,
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let (text, after) =
                    decode::read_str_from_slice(rest).map_err(|error| match error {
                        decode::DecodeStringError::InvalidUtf8(..) => {
                            refused(at, "a string that is not UTF-8")
                        }
                        _ => cut("a string"),
                    })?;
                rest = after;
                Token::Text(text)
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let length = decode::read_array_len(&mut rest).map_err(|_| cut("an array"))?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let follow = rest.len();
                if length > follow {
                    let what = format!("an array of {length}, which {follow} bytes follow");
                    return Err(refused(at, what));
                }
                Token::Array(length)
            }
            marker => {
                rest = &rest[1..];
                match marker {
                    Marker::Null => Token::Nil,
                    Marker::True => Token::Bool(true),
                    Marker::False => Token::Bool(false),
                    Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => Token::Foreign("a map"),
                    Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => Token::Foreign("bytes"),
                    Marker::Reserved => Token::Foreign("no MessagePack"),
                    _ => Token::Foreign("an extension"),
                }
            }
        };
        self.at = self.bytes.len() - rest.len();
        Ok(token)
    }
}

fn float<'t>(value: f64, at: usize) -> Result<Token<'t>> {
    if !value.is_finite() {
        return Err(refused(at, format_args!("{value} is no number of a filter")));
    }
    Ok(Token::Number(Number::Float(value).to_string().into()))
}
