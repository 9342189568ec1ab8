//! Dumps written and read.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::Xxh3;

use super::format::{Collection, FORMAT, Footer, Header, Line, checksum};
use crate::outcome::Failure;

/// Writes a dump. A file gets its name when it is whole: what is cut off leaves none behind.
pub struct Writer {
    out: Sink,
    hash: Xxh3,
    documents: u64,
    place: Option<Place>,
}

enum Sink {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(GzEncoder<BufWriter<Box<dyn Write + Send>>>),
}

/// A file under another name until it is whole.
struct Place {
    partial: PathBuf,
    whole: PathBuf,
    is_whole: bool,
}

impl Writer {
    /// Begins a file, which is compressed if its name ends in `.gz`, or standard output, `-`.
    pub fn create(output: &str) -> Result<Self, Failure> {
        let (out, place): (Box<dyn Write + Send>, _) = match output {
            "-" => (Box::new(io::stdout()), None),
            name => {
                let partial = PathBuf::from(format!("{name}.partial"));
                let file =
                    File::create(&partial).map_err(|error| Failure::file(&partial, error))?;
                let place = Place { partial, whole: name.into(), is_whole: false };
                (Box::new(file), Some(place))
            }
        };
        let out = BufWriter::new(out);
        let is_gzip = Path::new(output).extension().is_some_and(|word| word == "gz");
        let out = if is_gzip {
            Sink::Gzip(GzEncoder::new(out, Compression::default()))
        } else {
            Sink::Plain(out)
        };
        Ok(Self { out, hash: Xxh3::new(), documents: 0, place })
    }

    pub fn write(&mut self, line: &Line) -> Result<(), Failure> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.documents += u64::from(matches!(line, Line::Document(_)));
        Ok(self.out.as_write().write_all(&text)?)
    }

    /// Writes the footer, and gives the file its name. Tells how many documents there are.
    pub fn finish(mut self) -> Result<u64, Failure> {
        let documents = self.documents;
        let footer = Line::Footer(Footer { documents, checksum: checksum(&self.hash) });
        self.write(&footer)?;
        match self.out {
            Sink::Plain(mut out) => out.flush()?,
            Sink::Gzip(out) => out.finish()?.flush()?,
        }
        if let Some(mut place) = self.place {
            let partial = |error| Failure::file(&place.partial, error);
            File::open(&place.partial).and_then(|file| file.sync_all()).map_err(partial)?;
            fs::rename(&place.partial, &place.whole)
                .map_err(|error| Failure::file(&place.whole, error))?;
            place.is_whole = true;
        }
        Ok(documents)
    }
}

impl Sink {
    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(out) => out,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_whole {
            // There is nothing else to be done about it.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// What a whole dump holds.
#[derive(Debug)]
pub struct Contents {
    pub header: Header,
    /// The collections with the numbers of their documents.
    pub collections: Vec<(Collection, u64)>,
}

/// A dump that can be read more than once.
pub struct Source {
    name: String,
    file: File,
}

impl Source {
    /// Opens a file; standard input, `-`, is first written to a file that has no name.
    pub fn open(name: &str) -> Result<Self, Failure> {
        if name != "-" {
            let file = File::open(name).map_err(|error| Failure::file(name, error))?;
            return Ok(Self { name: name.to_owned(), file });
        }
        let mut file = tempfile::tempfile()?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Ok(Self { name: "standard input".to_owned(), file })
    }

    /// Its lines from the first on.
    pub fn lines(&self) -> Result<Lines, Failure> {
        let opened = || -> io::Result<Box<dyn BufRead + Send>> {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::new(file);
            if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
                return Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader))));
            }
            Ok(Box::new(reader))
        };
        let reader = opened().map_err(|error| Failure::file(Path::new(&self.name), error))?;
        Ok(Lines { name: self.name.clone(), reader, hash: Xxh3::new(), number: 0, documents: 0 })
    }

    /// Reads all of it. Fails where it is not whole.
    pub fn verify(&self) -> Result<Contents, Failure> {
        let mut lines = self.lines()?;
        let mut collections: Vec<(Collection, u64)> = Vec::new();
        let mut header = None;
        while let Some(line) = lines.next()? {
            match line {
                Line::Header(told) => header = Some(told),
                Line::Collection(collection) => collections.push((collection, 0)),
                Line::Document(document) => {
                    let Some((_, count)) = collections.last_mut() else {
                        return Err(lines.wrong("a document before the first collection"));
                    };
                    if document.key.bytes().is_none() {
                        return Err(lines.wrong("a key that is no base64"));
                    }
                    *count += 1;
                }
                Line::Functions(_) | Line::Footer(_) => {}
            }
        }
        let header = header.ok_or_else(|| lines.wrong("no header"))?;
        Ok(Contents { header, collections })
    }
}

/// The lines of a dump, which have to be those of a whole one.
pub struct Lines {
    name: String,
    reader: Box<dyn BufRead + Send>,
    hash: Xxh3,
    number: u64,
    documents: u64,
}

impl Lines {
    /// The next line; none behind the footer.
    pub fn next(&mut self) -> Result<Option<Line>, Failure> {
        let mut text = Vec::new();
        self.read(&mut text)?;
        if text.is_empty() {
            return Err(self.wrong("the file is cut: it has no footer"));
        }
        self.number += 1;
        let line: Line = serde_json::from_slice(&text)
            .map_err(|error| self.wrong(&format!("no line of a dump: {error}")))?;
        match (&line, self.number) {
            (Line::Header(header), 1) if header.format == FORMAT => {}
            (Line::Header(header), 1) => {
                let what = format!("a dump of format {}; this tool reads {FORMAT}", header.format);
                return Err(self.wrong(&what));
            }
            (Line::Header(_), _) | (_, 1) => {
                return Err(self.wrong("a dump begins with its one header"));
            }
            (Line::Footer(footer), _) => {
                self.end(footer)?;
                return Ok(None);
            }
            _ => {}
        }
        self.hash.update(&text);
        self.documents += u64::from(matches!(line, Line::Document(_)));
        Ok(Some(line))
    }

    fn read(&mut self, text: &mut Vec<u8>) -> Result<(), Failure> {
        match self.reader.read_until(b'\n', text) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.wrong("the file is cut: its compressed text ends too soon"))
            }
            Err(error) => Err(Failure::file(&self.name, error)),
        }
    }

    fn end(&mut self, footer: &Footer) -> Result<(), Failure> {
        if footer.documents != self.documents {
            let (told, found) = (footer.documents, self.documents);
            let what = format!("the footer tells of {told} documents, and there are {found}");
            return Err(self.wrong(&what));
        }
        if footer.checksum != checksum(&self.hash) {
            return Err(self.wrong("the checksum does not fit: the file was changed"));
        }
        let mut rest = [0];
        let more = self.reader.read(&mut rest);
        match more.map_err(|error| Failure::file(&self.name, error))? {
            0 => Ok(()),
            _ => Err(self.wrong("something stands behind the footer")),
        }
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::Data(format!("{}: line {}: {what}", self.name, self.number))
    }
}
