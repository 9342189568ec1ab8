//! Tables: CSV and TSV.

use std::collections::HashMap;
use std::io::{self, Read};

use csv::ByteRecord;
use serde::de::IgnoredAny;

use super::source::{Document, PIECE_BYTES_MAX, Piece, Reading, Source, Text};

/// A table, each record of which is a document.
pub struct Records<R> {
    reader: csv::Reader<Bounded<R>>,
    delimiter: u8,
    columns: usize,
    members: Vec<Member>,
    record: ByteRecord,
}

/// A member of the documents.
struct Member {
    /// As JSON, with the colon.
    name: String,
    value: Value,
}

enum Value {
    /// What stands in a column.
    Column(usize, Kind),
    /// Columns whose names have the same beginning before a dot.
    Object(Vec<Member>),
}

/// What text of a column becomes. Text that does not fit stays a string: the server has the last word on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing is declared: numbers, `true`, `false`, `null`, arrays and objects as they are, strings else.
    Plain,
    Text,
    Number,
    /// `true` and `false` in any case.
    Bool,
    /// An integer is a number, as it is milliseconds; all else is text.
    Time,
    /// Any JSON.
    Json,
}

impl Kind {
    fn declared(name: &str) -> Self {
        match name {
            "int" | "float" => Self::Number,
            "bool" => Self::Bool,
            "datetime" | "duration" => Self::Time,
            "json" => Self::Json,
            array if array.starts_with("array<") => Self::Json,
            _ => Self::Text,
        }
    }

    /// Whether the text is to stand in the document as it is. Else it becomes a string.
    fn is_json(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Bool => false,
            Self::Number => is_json(text) && !text.starts_with(['"', '{', '[', 't', 'f', 'n']),
            Self::Time => is_number(text) && !text.contains('.'),
            Self::Json => is_json(text),
            Self::Plain => {
                matches!(text, "true" | "false" | "null")
                    || is_number(text)
                    || text.starts_with(['{', '[']) && is_json(text)
            }
        }
    }
}

impl<R: Read> Records<R> {
    pub fn new(reader: R, delimiter: u8, reading: &Reading<'_>) -> io::Result<Self> {
        let reader = Bounded { reader, left: PIECE_BYTES_MAX };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(reader);
        let header = reader.headers().map_err(io::Error::from)?.clone();
        let types = &reading.target.types;
        let mut members = Vec::new();
        for (column, name) in header.iter().enumerate() {
            let kind = kind_of(name, types, reading.keeps_strings);
            let path: Vec<&str> = name.split('.').collect();
            if !place(&mut members, &path, column, kind) {
                let why = format!(
                    "line 1: column {} is called '{name}', which is empty, there already, or within another column",
                    column + 1
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        Ok(Self { reader, delimiter, columns: header.len(), members, record: ByteRecord::new() })
    }

    fn document(&self) -> Document {
        if self.record.len() != self.columns {
            let (found, wanted) = (self.record.len(), self.columns);
            return Document::Bad(format!("CSV {found} values, where the header has {wanted}"));
        }
        let mut fields = Vec::with_capacity(self.columns);
        for (number, field) in self.record.iter().enumerate() {
            match std::str::from_utf8(field) {
                Ok(field) => fields.push(field),
                Err(_) => return Document::Bad(format!("CSV value {} is no UTF-8", number + 1)),
            }
        }
        let mut text = String::from("{");
        write(&self.members, &fields, &mut text);
        text.push('}');
        Document::Made(text.into_bytes())
    }
}

/// Gives no more than is left for a record: a quote that nobody closes would take all of the file else.
struct Bounded<R> {
    reader: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let why = format!(
                "the record exceeds the limit of {PIECE_BYTES_MAX} bytes: is a quote not closed?"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let most = buffer.len().min(self.left);
        let count = self.reader.read(&mut buffer[..most])?;
        self.left -= count;
        Ok(count)
    }
}

impl<R: Read> Source for Records<R> {
    fn next(&mut self) -> io::Result<Option<Piece>> {
        self.reader.get_mut().left = PIECE_BYTES_MAX;
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record).map_err(io::Error::from) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                return Err(io::Error::new(error.kind(), format!("line {line}: {error}")));
            }
        }
        let line = self.record.position().map_or(line, csv::Position::line);
        let document = self.document();
        // The next one is likely to be as long.
        let next = ByteRecord::with_capacity(self.record.as_slice().len(), self.columns);
        let record = std::mem::replace(&mut self.record, next);
        Ok(Some(Piece { line, text: Text::Record(record, self.delimiter), document }))
    }
}

fn kind_of(name: &str, types: &HashMap<String, String>, keeps_strings: bool) -> Kind {
    match types.get(name) {
        _ if keeps_strings => Kind::Text,
        // The key without the prefix is text.
        None if name == "_id" => Kind::Text,
        None => Kind::Plain,
        Some(name) => Kind::declared(name),
    }
}

/// Puts a column where its path leads to; not if something is there.
fn place(members: &mut Vec<Member>, path: &[&str], column: usize, kind: Kind) -> bool {
    let Some((first, rest)) = path.split_first().filter(|(first, _)| !first.is_empty()) else {
        return false;
    };
    let name = format!("{}:", quoted(first));
    let found = members.iter_mut().find(|member| member.name == name);
    match (found, rest.is_empty()) {
        (None, true) => members.push(Member { name, value: Value::Column(column, kind) }),
        (None, false) => {
            let mut inner = Vec::new();
            if !place(&mut inner, rest, column, kind) {
                return false;
            }
            members.push(Member { name, value: Value::Object(inner) });
        }
        (Some(Member { value: Value::Object(inner), .. }), false) => {
            return place(inner, rest, column, kind);
        }
        (Some(_), _) => return false,
    }
    true
}

/// Writes members that have a value; an empty field is none.
fn write(members: &[Member], fields: &[&str], text: &mut String) -> bool {
    let mut is_first = true;
    for member in members {
        let before = text.len();
        if !is_first {
            text.push(',');
        }
        text.push_str(&member.name);
        let is_there = match &member.value {
            Value::Column(column, kind) => {
                let field = fields[*column];
                write_value(field, *kind, text);
                !field.is_empty()
            }
            Value::Object(inner) => {
                text.push('{');
                let is_there = write(inner, fields, text);
                text.push('}');
                is_there
            }
        };
        if is_there {
            is_first = false;
        } else {
            text.truncate(before);
        }
    }
    !is_first
}

fn write_value(field: &str, kind: Kind, text: &mut String) {
    let truth = ["true", "false"].into_iter().find(|word| field.eq_ignore_ascii_case(word));
    match truth {
        Some(word) if kind == Kind::Bool => text.push_str(word),
        _ if kind.is_json(field) => text.push_str(field),
        _ => text.push_str(&quoted(field)),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Digits with a sign and a fraction, as JSON has them: `007` is none, nor is `1e5`.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'.') && is_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(table: &str, types: &[(&str, &str)], keeps_strings: bool) -> Vec<String> {
        let types = types.iter().map(|(path, name)| ((*path).into(), (*name).into()));
        let target = super::super::target::Target::of("c", types.collect());
        let reading = Reading { format: None, keeps_strings, target: &target };
        let mut records = Records::new(table.as_bytes(), b',', &reading).unwrap();
        let mut all = Vec::new();
        while let Some(piece) = records.next().unwrap() {
            all.push(match piece.document {
                Document::Made(text) => String::from_utf8(text).unwrap(),
                Document::Bad(why) => why,
                Document::AsWritten => unreachable!(),
            });
        }
        all
    }

    #[test]
    fn values_are_what_they_plainly_are() {
        let found = documents("a\n1.10\n007\n1e5\n-3\ntrue\nTRUE\nnull\n[1]\n[x\n-\n", &[], false);
        let values: Vec<&str> = found.iter().map(|text| &text[5..text.len() - 1]).collect();
        assert_eq!(
            values,
            [
                "1.10", "\"007\"", "\"1e5\"", "-3", "true", "\"TRUE\"", "null", "[1]", "\"[x\"",
                "\"-\""
            ]
        );
        assert_eq!(documents("a,b\n1,true\n", &[], true), ["{\"a\":\"1\",\"b\":\"true\"}"]);
    }

    #[test]
    fn a_declared_type_decides() {
        let types = [
            ("zip", "string"),
            ("n", "float"),
            ("ok", "bool"),
            ("at", "datetime"),
            ("tags", "array<string>"),
            ("price", "decimal"),
        ];
        let table = "zip,n,ok,at,tags,price\n01234,1e5,TRUE,1700000000000,\"[\"\"a\"\"]\",1.10\n\
                     5,x,1,2026-01-31T00:00:00Z,a,\n";
        assert_eq!(
            documents(table, &types, false),
            [
                r#"{"zip":"01234","n":1e5,"ok":true,"at":1700000000000,"tags":["a"],"price":"1.10"}"#,
                r#"{"zip":"5","n":"x","ok":"1","at":"2026-01-31T00:00:00Z","tags":"a"}"#,
            ]
        );
    }

    #[test]
    fn dots_lead_into_objects() {
        let table = "a.b,c,a.d.e\n1,2,3\n,2,\n1\n";
        assert_eq!(
            documents(table, &[], false),
            [
                r#"{"a":{"b":1,"d":{"e":3}},"c":2}"#,
                r#"{"c":2}"#,
                "CSV 1 values, where the header has 3"
            ]
        );
    }

    #[test]
    fn names_that_clash_are_refused() {
        let target = super::super::target::Target::of("c", HashMap::new());
        let reading = Reading { format: None, keeps_strings: false, target: &target };
        for header in ["a,a\n", "a,a.b\n", "a.b,a\n", "a,\n", "a..b\n"] {
            let made = Records::new(header.as_bytes(), b',', &reading);
            assert!(made.err().expect(header).to_string().contains("line 1"), "{header}");
        }
    }

    #[test]
    fn a_record_has_a_limit() {
        let mut bounded = Bounded { reader: "abcdef".as_bytes(), left: 4 };
        let mut read = Vec::new();
        let error = bounded.read_to_end(&mut read).unwrap_err();
        assert_eq!(read, b"abcd");
        assert!(error.to_string().contains("limit"), "{error}");
    }
}
