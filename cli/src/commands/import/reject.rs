//! The file of lines that were rejected.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use serde::Serialize;

use crate::outcome::Failure;

/// Made when the first line is rejected.
pub struct Rejects {
    pub path: PathBuf,
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
    /// `bytes` is what stood in it when an import was interrupted that goes on now; what stands behind is written again.
    pub fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, file: None, bytes }
    }

    pub fn add(
        &mut self,
        input: Option<&str>,
        line: u64,
        error: &str,
        text: &[u8],
    ) -> Result<(), Failure> {
        let text = &String::from_utf8_lossy(text);
        let mut written = serde_json::to_vec(&Rejected { input, line, error, text })
            .map_err(|error| Failure::file(&self.path, error.into()))?;
        written.push(b'\n');
        self.write(&written).map_err(|error| Failure::file(&self.path, error))
    }

    fn write(&mut self, written: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut options = OpenOptions::new();
                let mut file = options.write(true).create(true).truncate(false).open(&self.path)?;
                file.set_len(self.bytes)?;
                file.seek(SeekFrom::End(0))?;
                none.insert(BufWriter::new(file))
            }
        };
        file.write_all(written)?;
        self.bytes += written.len() as u64;
        Ok(())
    }

    /// Everything is in the file afterwards. Tells how long it is.
    pub fn flush(&mut self) -> Result<u64, Failure> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| Failure::file(&self.path, error))?;
        }
        Ok(self.bytes)
    }
}
