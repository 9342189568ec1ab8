//! The key of a value: bytes whose order is the order of values.
//!
//! One place decides order and equality, for indexes, filters and ORDER alike. A key is a 64-bit **head** and,
//! for what the head cannot hold, a **tail** of bytes; keys compare by head, then by tail, no tail first.
//! The finite doubles, mapped to integers in their order, leave room at both ends of the 64 bits:
//!
//! ```text
//!   head (hexadecimal)         value                          tail
//!   0000 0000 0000 0000        missing                        -
//!   0000 0000 0000 0002        null                           -
//!   0000 0000 0000 0003, 4     false, true                    -
//!   0010 ....... FFEF ....     number: its double, or the     what the integer is above that double,
//!                              greatest double below it       2 bytes, unless 0
//!                              datetime: its whole            its nanoseconds within the millisecond,
//!                              milliseconds, as a double      4 bytes, unless 0
//!                              decimal: see `decimal_head`    the digits after the twelfth
//!   FFF0 c cccc cccc cc n      string: 5 bytes, min(length,6) the bytes from the sixth on, if any
//!   FFF1 0000 0000 0000        array                          its elements, see `container`
//!   FFF2 0000 0000 0000        object                         its members, sorted by name
//!   FFF8 0000 0000 0000        a value that is not of its field's declared type
//! ```
//!
//! A field is indexed under one type, so numbers, datetimes and decimals never meet in one index.
//! Building a key costs one pass over the value; comparing two costs one integer comparison nearly always.

use std::cmp::Ordering;

use super::case::fold_into;
use super::decimal::Decimal;
use super::number::Number;
use super::raw::{Kind, Raw};
use crate::planted::{self, Fault};

const NUMBER_LOW: u64 = 0x0010_0000_0000_0000;
const NUMBER_HIGH: u64 = 0xFFEF_FFFF_FFFF_FFFF;
const STRING: u64 = 0xFFF0_0000_0000_0000;
const ARRAY: u64 = 0xFFF1_0000_0000_0000;
const OBJECT: u64 = 0xFFF2_0000_0000_0000;
const INVALID: u64 = 0xFFF8_0000_0000_0000;
/// Bytes of a string that its head holds.
const STRING_HEAD: usize = 5;

/// A borrowed key. `Copy`, ordered as values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyRef<'a> {
    /// The first 64 bits.
    pub head: u64,
    /// What the head could not hold.
    pub tail: Option<&'a [u8]>,
}

impl KeyRef<'_> {
    /// Whether UNIQUE leaves a document with this key alone: missing and null hold no value.
    pub fn is_absent(&self) -> bool {
        self.head <= Key::NULL.head
    }

    /// The bytes of the string whose key it is, if it is one's.
    pub fn string(self) -> Option<Vec<u8>> {
        if !(STRING..ARRAY).contains(&self.head) {
            return None;
        }
        let word = self.head.to_be_bytes();
        let in_head = usize::from(word[7]).min(STRING_HEAD);
        let mut bytes = word[2..2 + in_head].to_vec();
        bytes.extend_from_slice(self.tail.unwrap_or_default());
        Some(bytes)
    }

    /// An owned copy.
    pub fn to_key(self) -> Key {
        Key { head: self.head, tail: self.tail.map(Into::into) }
    }
}

/// An owned key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    head: u64,
    tail: Option<Box<[u8]>>,
}

impl Key {
    /// The path leads to nothing.
    pub const MISSING: Key = Key::of_head(0);
    /// JSON null.
    pub const NULL: Key = Key::of_head(2);
    /// JSON false.
    pub const FALSE: Key = Key::of_head(3);
    /// JSON true.
    pub const TRUE: Key = Key::of_head(4);
    /// Not above any number, datetime or decimal.
    pub const NUMBER_MIN: Key = Key::of_head(NUMBER_LOW);
    /// Above every number, datetime and decimal: the empty string, so a range ends before it.
    pub const NUMBER_END: Key = Key::of_head(STRING);
    /// Not above any string.
    pub const STRING_MIN: Key = Key::of_head(STRING);
    /// Above every string: below every array, so a range ends before it.
    pub const STRING_END: Key = Key::of_head(ARRAY);

    /// Not above any array.
    pub const ARRAY_MIN: Key = Key::of_head(ARRAY);
    /// Not above any object.
    pub const OBJECT_MIN: Key = Key::of_head(OBJECT);
    /// Above every object.
    pub const OBJECT_END: Key = Key::of_head(OBJECT + 1);

    /// Above every key.
    pub const END: Key = Key::of_head(u64::MAX);

    const fn of_head(head: u64) -> Key {
        Key { head, tail: None }
    }

    /// The key of `head` and `tail`.
    pub fn new(head: u64, tail: Option<Box<[u8]>>) -> Key {
        Key { head, tail }
    }

    /// The least key of a value that is not of its field's type and whose text begins with `first`.
    pub fn invalid(first: u8) -> Key {
        Key { head: INVALID, tail: Some([first].into()) }
    }

    /// The key of a truth value.
    pub fn of_bool(value: bool) -> Key {
        if value { Key::TRUE } else { Key::FALSE }
    }

    /// The first 64 bits.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The key, borrowed.
    pub fn as_ref(&self) -> KeyRef<'_> {
        KeyRef { head: self.head, tail: self.tail.as_deref() }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.tail.as_ref().map_or(0, |tail| tail.len())
    }

    /// Whether UNIQUE leaves a document with this key alone: missing and null hold no value.
    pub fn is_absent(&self) -> bool {
        self.as_ref().is_absent()
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

/// A key under construction whose buffer is used again and again. Holds the missing value at first.
#[derive(Debug, Clone, Default)]
pub struct KeyBuf {
    head: u64,
    has_tail: bool,
    tail: Vec<u8>,
}

impl KeyBuf {
    /// The key built last.
    pub fn as_ref(&self) -> KeyRef<'_> {
        KeyRef { head: self.head, tail: self.has_tail.then_some(&self.tail) }
    }

    fn head_only(&mut self, head: u64) {
        self.head = head;
        self.has_tail = false;
    }

    fn with_tail(&mut self, head: u64, tail: &[u8]) {
        self.head = head;
        self.has_tail = true;
        self.tail.clear();
        self.tail.extend_from_slice(tail);
    }

    /// Becomes a copy of a key.
    pub fn set(&mut self, key: KeyRef<'_>) {
        match key.tail {
            Some(tail) => self.with_tail(key.head, tail),
            None => self.head_only(key.head),
        }
    }

    /// Becomes the key of one of the constants.
    pub fn set_plain(&mut self, key: &Key) {
        self.head_only(key.head);
    }

    /// Becomes the key of a number.
    pub fn set_number(&mut self, number: Number) {
        match number {
            Number::Float(value) => self.head_only(double_head(value)),
            Number::Int(value) => self.set_integer(i128::from(value)),
            Number::UInt(value) => self.set_integer(i128::from(value)),
        }
    }

    /// An integer is its greatest double below, and the rest: at most 2047 for 64 bits.
    fn set_integer(&mut self, value: i128) {
        let mut floor = value as f64;
        if floor as i128 > value {
            floor = floor.next_down();
        }
        let rest = (value - floor as i128) as u16;
        if rest == 0 || planted::is(Fault::NumberKeys) {
            self.head_only(double_head(floor));
        } else {
            self.with_tail(double_head(floor), &rest.to_be_bytes());
        }
    }

    /// Becomes the key of an instant: milliseconds since 1970 and nanoseconds (below 1,000,000) within.
    pub fn set_instant(&mut self, millis: i64, nanos: u32) {
        let head = double_head(millis as f64);
        if nanos == 0 {
            self.head_only(head);
        } else {
            self.with_tail(head, &nanos.to_be_bytes());
        }
    }

    /// Becomes the key of a decimal.
    pub fn set_decimal(&mut self, value: &Decimal) {
        let (head, rest) = decimal_head(value);
        match rest {
            None => self.head_only(head),
            Some(rest) => self.with_tail(head, &rest),
        }
    }

    /// Becomes the key of a string: UTF-8, or bytes in whose order the values of a type are.
    pub fn set_string(&mut self, bytes: &[u8]) {
        let head = string_head(bytes);
        if bytes.len() <= STRING_HEAD {
            self.head_only(head);
        } else {
            self.with_tail(head, &bytes[STRING_HEAD..]);
        }
    }

    /// Becomes the key of a string without the case of its letters: that of the folded string.
    pub fn set_folded(&mut self, text: &str) {
        self.tail.clear();
        fold_into(text, &mut self.tail);
        self.head = string_head(&self.tail);
        self.has_tail = self.tail.len() > STRING_HEAD;
        if self.has_tail {
            self.tail.drain(..STRING_HEAD);
        }
    }

    /// Becomes the natural key of a JSON value, as on an undeclared path.
    pub fn set_json(&mut self, raw: Raw<'_>) {
        match raw.kind() {
            Kind::Null => self.set_plain(&Key::NULL),
            Kind::Bool => self.set_plain(&Key::of_bool(raw.bytes() == b"true")),
            Kind::Number => match Number::parse(raw.bytes()) {
                Some(number) => self.set_number(number),
                None => self.set_invalid(raw),
            },
            Kind::String => self.set_string(&raw.characters().expect("a string by its kind")),
            Kind::Array => self.set_container(ARRAY, raw),
            Kind::Object => self.set_container(OBJECT, raw),
        }
    }

    /// Becomes the key of a value that is not of its field's type: after everything else, by its text.
    pub fn set_invalid(&mut self, raw: Raw<'_>) {
        self.with_tail(INVALID, raw.bytes());
    }

    fn set_container(&mut self, head: u64, raw: Raw<'_>) {
        let tail = container(raw);
        self.head = head;
        self.has_tail = true;
        self.tail = tail;
    }
}

/// The number whose key is `head` and nothing else, under the types int, float and json; none where it is no number's.
pub fn number_of_head(head: u64) -> Option<Number> {
    double_of_head(head).and_then(Number::of_float)
}

/// The same as a double.
pub fn double_of_head(head: u64) -> Option<f64> {
    if !(NUMBER_LOW..=NUMBER_HIGH).contains(&head) {
        return None;
    }
    let bits = if head >> 63 == 1 { head & !(1 << 63) } else { !head };
    Some(f64::from_bits(bits))
}

fn string_head(bytes: &[u8]) -> u64 {
    let mut word = [0u8; 8];
    let in_head = bytes.len().min(STRING_HEAD);
    word[2..2 + in_head].copy_from_slice(&bytes[..in_head]);
    word[7] = bytes.len().min(STRING_HEAD + 1) as u8;
    STRING | u64::from_be_bytes(word)
}

/// The order-preserving image of a finite double: all bits turned for a negative one, else the sign set. -0 is 0.
fn double_head(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    let head = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    debug_assert!((NUMBER_LOW..=NUMBER_HIGH).contains(&head), "finite");
    head
}

/// A decimal as 16 bits of sign and exponent, six digit pairs of seven bits and up, and a bit that says whether
/// digits follow in the tail. For a negative one everything is turned over, so that greater magnitude sorts lower.
///
/// ```text
///   63........48 47........8 7.....1 0
///   32768 + exp  five pairs   sixth  1 if a tail follows
/// ```
fn decimal_head(value: &Decimal) -> (u64, Option<Vec<u8>>) {
    let digits = value.digits();
    if digits.is_empty() {
        return (double_head(0.0), None);
    }
    let pair = |at: usize| {
        let digit = |at: usize| digits.get(at).copied().unwrap_or(0);
        digit(2 * at) * 10 + digit(2 * at + 1)
    };
    // Exponents run from -30,000 to 30,000 (`Decimal::parse`): 1 ..= 32,767 above the middle once halved and raised.
    let raised = i64::from(value.exponent()) + 30_001;
    let (exponent, odd) = (raised / 2 + 1, raised % 2);
    let mut head = (0x8000 + exponent as u64) << 48;
    for at in 0..5 {
        head |= u64::from(pair(at)) << (40 - 8 * at);
    }
    // The exponent's lowest bit does not fit beside the sign; it leads the digits.
    head |= (odd as u64) << 47;
    head |= u64::from(pair(5)) << 1;
    let rest =
        (digits.len() > 12).then(|| (6..digits.len().div_ceil(2)).map(pair).collect::<Vec<u8>>());
    head |= u64::from(rest.is_some());
    if !value.is_negative() {
        return (head, rest);
    }
    // Without a tail the turned head ends in 1, with one in 0: so -1.5 sorts above -1.5000000000001 by its head.
    // Among negative tails the longer is lower: pairs turned, and ended by a byte above any of them.
    let rest = rest.map(|pairs| pairs.iter().map(|pair| 0xFE - pair).chain([0xFF]).collect());
    (!head, rest)
}

/// One array or object that is being encoded.
struct Frame {
    bytes: Vec<u8>,
    /// Members of an object so far: name and value, encoded.
    members: Vec<(Vec<u8>, Vec<u8>)>,
    name: Option<Vec<u8>>,
    is_object: bool,
}

/// The order-preserving bytes of an array or object: each element or member as tag, content and end, every tag above
/// the end (0), so that the shorter of two equal beginnings comes first. Members stand sorted by name. No recursion.
fn container(raw: Raw<'_>) -> Vec<u8> {
    let mut stack: Vec<(Frame, Cursor<'_>)> = vec![open(raw)];
    loop {
        let (frame, cursor) = stack.last_mut().expect("the outermost frame is still open");
        if let Some((name, value)) = cursor.next() {
            frame.name = name.map(|name| {
                let mut bytes = Vec::new();
                escape(name.string().expect("a name is a string").as_bytes(), &mut bytes);
                bytes
            });
            if matches!(value.kind(), Kind::Array | Kind::Object) {
                stack.push(open(value));
            } else {
                let mut bytes = Vec::new();
                scalar(value, &mut bytes);
                add(frame, bytes);
            }
            continue;
        }
        let (frame, _) = stack.pop().expect("the frame just looked at");
        let tag = if frame.is_object { TAG_OBJECT } else { TAG_ARRAY };
        let bytes = close(frame);
        let Some((parent, _)) = stack.last_mut() else { return bytes };
        add(parent, [&[tag], bytes.as_slice()].concat());
    }
}

const TAG_SCALAR: u8 = 1;
const TAG_STRING: u8 = 2;
const TAG_ARRAY: u8 = 3;
const TAG_OBJECT: u8 = 4;
const TAG_INVALID: u8 = 5;

/// The elements of an array, or the members of an object.
enum Cursor<'a> {
    Elements(super::raw::Elements<'a>),
    Members(super::raw::Members<'a>),
}

impl<'a> Iterator for Cursor<'a> {
    type Item = (Option<Raw<'a>>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Cursor::Elements(elements) => elements.next().map(|value| (None, value)),
            Cursor::Members(members) => members.next().map(|(name, value)| (Some(name), value)),
        }
    }
}

fn open(raw: Raw<'_>) -> (Frame, Cursor<'_>) {
    let is_object = raw.kind() == Kind::Object;
    let frame = Frame { bytes: Vec::new(), members: Vec::new(), name: None, is_object };
    let cursor =
        if is_object { Cursor::Members(raw.members()) } else { Cursor::Elements(raw.elements()) };
    (frame, cursor)
}

fn add(frame: &mut Frame, value: Vec<u8>) {
    match frame.name.take() {
        Some(name) => frame.members.push((name, value)),
        None => frame.bytes.extend(value),
    }
}

fn close(mut frame: Frame) -> Vec<u8> {
    frame.members.sort();
    for (name, value) in frame.members {
        frame.bytes.push(TAG_STRING);
        frame.bytes.extend(name);
        frame.bytes.extend(value);
    }
    frame.bytes.push(0);
    frame.bytes
}

/// Null, booleans and numbers by their head (and the two bytes of an integer's rest), strings whole.
fn scalar(raw: Raw<'_>, out: &mut Vec<u8>) {
    if let Some(text) = raw.string() {
        out.push(TAG_STRING);
        escape(text.as_bytes(), out);
        return;
    }
    let mut key = KeyBuf::default();
    key.set_json(raw);
    if key.head == INVALID {
        out.push(TAG_INVALID);
        escape(raw.bytes(), out);
        return;
    }
    out.push(TAG_SCALAR);
    out.extend(key.head.to_be_bytes());
    out.extend(if key.has_tail { key.tail.as_slice() } else { &[0, 0] });
}

/// Bytes that end in 0 0, a 0 within written as 0 1: prefix-free, and in the order of the bytes.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(1);
        }
    }
    out.extend([0, 0]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_head_that_is_the_whole_key_gives_the_number_back(
            number in prop_oneof![
                any::<i64>().prop_map(Number::Int),
                (-5000i64..5000).prop_map(Number::Int),
                any::<u64>().prop_filter_map("above i64", |it| Number::of_integer(it.into())),
                any::<f64>().prop_filter_map("finite", Number::of_float),
                (-100.0..100.0f64).prop_filter_map("finite", Number::of_float),
            ]
        ) {
            let mut key = KeyBuf::default();
            key.set_number(number);
            let KeyRef { head, tail } = key.as_ref();
            let found = number_of_head(head).unwrap();
            // With a tail it is the greatest double below.
            let expected = if tail.is_some() { Ordering::Less } else { Ordering::Equal };
            prop_assert_eq!(found.cmp_exact(number), expected);
            prop_assert!((number.to_f64() - found.to_f64()).abs() <= 2048.0);
        }
    }

    #[test]
    fn other_heads_are_no_numbers() {
        let mut key = KeyBuf::default();
        for json in ["null", "true", "false", "\"\"", "\"abc\"", "[1]", "{}", "1e999"] {
            key.set_json(Raw::new(json.as_bytes()));
            assert!(number_of_head(key.as_ref().head).is_none(), "{json}");
        }
        for key in [&Key::MISSING, &Key::NULL, &Key::NUMBER_END, &Key::END] {
            assert!(number_of_head(key.head()).is_none(), "{key:?}");
        }
    }
}
