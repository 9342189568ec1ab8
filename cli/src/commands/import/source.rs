//! Where documents come from: files and standard input, plain or compressed by gzip, in one of four formats.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;

use super::array::Elements;
use super::lines::Lines;
use super::records::Records;
use super::target::Target;

/// What is read from a file at once.
const BUFFER_BYTES: usize = 1 << 18;
/// One line, element or record at most: far above what a server takes for a document, and a bound for what is held.
pub const PIECE_BYTES_MAX: usize = 512 << 20;

/// So much of a record is told at most where it is rejected.
const TOLD_BYTES_MAX: usize = 1 << 20;

/// How documents are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A document on each line
    Jsonl,
    /// An array of documents
    Json,
    /// Values between commas, names in the first line
    Csv,
    /// Values between tabs, names in the first line
    Tsv,
}

/// One line of JSON, element of an array or record of a table.
pub struct Piece {
    /// The line that it begins on, from 1.
    pub line: u64,
    pub text: Text,
    pub document: Document,
}

/// What stands in an input.
pub enum Text {
    AsWritten(Vec<u8>),
    /// A record of a table with this delimiter.
    Record(ByteRecord, u8),
}

impl Text {
    pub fn len(&self) -> usize {
        match self {
            Self::AsWritten(text) => text.len(),
            Self::Record(record, _) => record.as_slice().len(),
        }
    }

    /// How it is told where it is rejected. A record is written anew; of one that is very long, as one with an unclosed quote
    /// is, the beginning.
    pub fn told(&self) -> Cow<'_, [u8]> {
        let (record, delimiter) = match self {
            Self::AsWritten(text) => return text.into(),
            Self::Record(record, delimiter) => (record, *delimiter),
        };
        let mut left = TOLD_BYTES_MAX;
        let fields = record.iter().map_while(|field| {
            let told = &field[..field.len().min(left)];
            let is_told = left > 0;
            left -= told.len();
            is_told.then_some(told)
        });
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        // Writing to memory does not fail.
        let _ = writer.write_record(fields);
        let mut text = writer.into_inner().unwrap_or_default();
        text.truncate(text.trim_ascii_end().len());
        if left == 0 {
            text.extend_from_slice(b"..");
        }
        text.into()
    }
}

impl From<Vec<u8>> for Text {
    fn from(text: Vec<u8>) -> Self {
        Self::AsWritten(text)
    }
}

/// What was read.
pub enum Document {
    /// The text is the document's.
    AsWritten,
    /// The text of the document that a record comes to.
    Made(Vec<u8>),
    /// It cannot be read, and why.
    Bad(String),
}

/// Gives pieces until there are none.
pub trait Source {
    /// The next piece. An error is one of the file: nothing can be read behind it.
    fn next(&mut self) -> io::Result<Option<Piece>>;
}

/// How a file is to be read.
pub struct Reading<'a> {
    /// Found by the name and the first byte where it is not told.
    pub format: Option<Format>,
    /// Whether values of tables all are strings.
    pub keeps_strings: bool,
    pub target: &'a Target,
}

/// Opens a file, or standard input for `-`. `taken` counts the bytes that were read of it.
pub fn open(
    path: &Path,
    reading: &Reading<'_>,
    taken: &Arc<AtomicU64>,
) -> io::Result<Box<dyn Source>> {
    let file: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path)?),
    };
    let counted = Counting { reader: file, taken: Arc::clone(taken) };
    let mut reader = decompressed(counted)?;
    let format = match reading.format {
        Some(format) => format,
        None => recognised(path, &mut reader)?,
    };
    Ok(match format {
        Format::Jsonl => Box::new(Lines::new(reader)),
        Format::Json => Box::new(Elements::new(reader)),
        Format::Csv => Box::new(Records::new(reader, b',', reading)?),
        Format::Tsv => Box::new(Records::new(reader, b'\t', reading)?),
    })
}

/// Whether a path means standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether what a path leads to can be read again: standard input and pipes can be read once.
pub fn is_lasting(path: &Path) -> bool {
    !is_stdin(path) && std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// What a path is called when it is told.
pub fn called(path: &Path) -> String {
    if is_stdin(path) { "standard input".into() } else { path.display().to_string() }
}

/// Counts what is taken from a reader.
struct Counting {
    reader: Box<dyn Read>,
    taken: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The text behind gzip, if it is gzip, and behind a byte order mark, if there is one.
fn decompressed(reader: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let (head, reader) = peeked::<2>(reader)?;
    let reader: Box<dyn Read> = if head == [0x1f, 0x8b] {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, reader)))
    } else {
        Box::new(reader)
    };
    let (head, mut reader) = peeked::<3>(reader)?;
    if head == *b"\xef\xbb\xbf" {
        io::copy(&mut (&mut reader).take(3), &mut io::sink())?;
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, reader)))
}

/// The first bytes, at most `N`, and a reader that gives them again.
fn peeked<const N: usize>(mut reader: impl Read) -> io::Result<(Vec<u8>, impl Read)> {
    let mut head = Vec::with_capacity(N);
    (&mut reader).take(N as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

fn recognised(path: &Path, reader: &mut impl BufRead) -> io::Result<Format> {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => return Ok(Format::Csv),
        Some("tsv" | "tab") => return Ok(Format::Tsv),
        Some("jsonl" | "ndjson") => return Ok(Format::Jsonl),
        _ => {}
    }
    match reader.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => Ok(Format::Json),
        Some(b'{') | None => Ok(Format::Jsonl),
        Some(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "begins with neither { nor [: --format tells what it is",
        )),
    }
}
