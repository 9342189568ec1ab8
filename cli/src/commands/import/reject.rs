//! The file of lines that were rejected.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::outcome::Failure;

/// Made when the first line is rejected.
pub struct Rejects {
    /// None if they are not kept.
    pub path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
    /// How long it is.
    bytes: u64,
}

#[derive(Serialize)]
struct Rejected<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    line: u64,
    error: &'a str,
    text: &'a str,
}

impl Rejects {
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, file: None, bytes: 0 }
    }

    /// Goes on behind what stood in it when the import was interrupted: lines behind were not noted as done, and come again.
    pub fn resume(&mut self, noted: u64) -> Result<(), Failure> {
        let Some(path) = self.path.as_ref().filter(|path| path.exists()) else { return Ok(()) };
        let (file, bytes) = open(path, noted).map_err(|error| Failure::file(path, error))?;
        (self.file, self.bytes) = (Some(BufWriter::new(file)), bytes);
        Ok(())
    }

    /// Removes what an earlier import has left.
    pub fn remove(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| Failure::file(path, error)),
        }
    }

    pub fn add(
        &mut self,
        input: Option<&str>,
        line: u64,
        error: &str,
        text: &[u8],
    ) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let failed = |error| Failure::file(path, error);
        let text = &String::from_utf8_lossy(text);
        let mut written = serde_json::to_vec(&Rejected { input, line, error, text })
            .map_err(|error| failed(error.into()))?;
        written.push(b'\n');
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(open(path, 0).map_err(failed)?.0)),
        };
        file.write_all(&written).map_err(failed)?;
        self.bytes += written.len() as u64;
        Ok(())
    }

    /// Everything is in the file afterwards. Tells how long it is.
    pub fn flush(&mut self) -> Result<u64, Failure> {
        if let (Some(file), Some(path)) = (&mut self.file, &self.path) {
            file.flush().map_err(|error| Failure::file(path, error))?;
        }
        Ok(self.bytes)
    }
}

/// A file to write behind its first bytes, and how many of those are there. A pipe or a device is written as it is.
fn open(path: &Path, kept: u64) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok((file, 0));
    }
    if found.len() > kept {
        file.set_len(kept)?;
    }
    let bytes = file.seek(SeekFrom::End(0))?;
    Ok((file, bytes))
}
