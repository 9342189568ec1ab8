//! Documents of a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Profile, Sample};
use crate::outcome::Failure;

/// Looks at the documents of a file; tells also whether they were all.
pub fn profile(file: &str, sample: Sample) -> Result<(Profile, bool), Failure> {
    let mut reader = open(file).map_err(|error| Failure::file(file, error))?;
    let first = first_byte(&mut reader).map_err(|error| Failure::file(file, error))?;
    let mut taking = Taking { profile: Profile::default(), sample, is_whole: true };
    let read = match first {
        Some(b'[') => taking.read_array(reader),
        _ => taking.read_lines(reader),
    };
    match read {
        Err(error) if taking.is_whole => {
            let number = taking.profile.documents + 1;
            Err(Failure::Data(format!("{file}: document {number}: {error}")))
        }
        _ => Ok((taking.profile, taking.is_whole)),
    }
}

fn open(file: &str) -> io::Result<Box<dyn BufRead>> {
    let reader: Box<dyn Read> = match file {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path)?),
    };
    let mut reader = BufReader::new(reader);
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// The first byte that is no white space, and is not read yet.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let first = bytes.get(blank).copied();
        reader.consume(blank);
        if first.is_some() {
            return Ok(first);
        }
    }
}

/// Documents on their way into a profile.
struct Taking {
    profile: Profile,
    sample: Sample,
    /// Whether no document was left unread.
    is_whole: bool,
}

impl Taking {
    fn read_lines(&mut self, reader: impl Read) -> serde_json::Result<()> {
        for document in serde_json::Deserializer::from_reader(reader).into_iter::<Box<RawValue>>() {
            self.take(&document?)?;
        }
        Ok(())
    }

    fn read_array(&mut self, reader: impl Read) -> serde_json::Result<()> {
        let mut reader = serde_json::Deserializer::from_reader(reader);
        self.deserialize(&mut reader)?;
        reader.end()
    }

    /// Looks at one; fails also where it is one too many.
    fn take(&mut self, document: &RawValue) -> serde_json::Result<()> {
        if self.sample.is_enough(self.profile.documents) {
            self.is_whole = false;
            return Err(serde::de::Error::custom("enough"));
        }
        self.profile.add(document.get())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Taking {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Taking {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of documents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(document) = elements.next_element::<Box<RawValue>>()? {
            self.take(&document).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}
