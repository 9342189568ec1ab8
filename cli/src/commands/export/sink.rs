//! Where an export goes: standard output, or a file that has its name when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::commands::files::{behind_links, beside, is_special};
use crate::outcome::Failure;

/// What is written to a file at once.
const BUFFER_BYTES: usize = 1 << 18;

/// Takes what is written.
pub struct Sink {
    out: Out,
    file: Option<Unfinished>,
}

enum Out {
    Plain(Box<dyn Write>),
    Gzip(GzEncoder<Box<dyn Write>>),
}

/// A file that is removed unless it gets its name.
struct Unfinished {
    part: PathBuf,
    path: PathBuf,
    is_whole: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_whole {
            // There is nobody to tell that it could not be removed.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Whether a path means standard output. Where that is a file, others write to it too: it is not replaced.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-" || path == Path::new("/dev/stdout")
}

impl Sink {
    /// `-` is standard output.
    pub fn open(path: &Path, is_gzip: bool) -> Result<Self, Failure> {
        let (out, file): (Box<dyn Write>, _) = if is_stdout(path) {
            (Box::new(BufWriter::new(io::stdout())), None)
        } else if is_special(path) {
            // A pipe or a device stays what it is.
            let out = OpenOptions::new().write(true).open(path);
            let out = out.map_err(|error| Failure::file(path, error))?;
            (Box::new(BufWriter::with_capacity(BUFFER_BYTES, out)), None)
        } else {
            let path = behind_links(path);
            let part = beside(&path, "part");
            let out = File::create(&part).map_err(|error| Failure::file(&part, error))?;
            let file = Unfinished { part, path, is_whole: false };
            (Box::new(BufWriter::with_capacity(BUFFER_BYTES, out)), Some(file))
        };
        let out = if is_gzip {
            Out::Gzip(GzEncoder::new(out, Compression::default()))
        } else {
            Out::Plain(out)
        };
        Ok(Self { out, file })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.out {
            Out::Plain(out) => out.write_all(bytes),
            Out::Gzip(out) => out.write_all(bytes),
        };
        self.done(written)
    }

    /// Everything was written: the file gets its name.
    pub fn finish(mut self) -> Result<(), Failure> {
        let flushed = match &mut self.out {
            Out::Plain(out) => out.flush(),
            Out::Gzip(out) => out.try_finish().and_then(|()| out.get_mut().flush()),
        };
        self.done(flushed)?;
        if let Some(file) = &mut self.file {
            std::fs::rename(&file.part, &file.path)
                .map_err(|error| Failure::file(&file.path, error))?;
            file.is_whole = true;
        }
        Ok(())
    }

    /// Whoever reads standard output may have gone, as `head` does: then that is all.
    fn done(&self, written: io::Result<()>) -> Result<(), Failure> {
        match (written, &self.file) {
            (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => {
                std::process::exit(0)
            }
            (Err(error), Some(file)) => Err(Failure::file(&file.path, error)),
            (written, _) => Ok(written?),
        }
    }
}
