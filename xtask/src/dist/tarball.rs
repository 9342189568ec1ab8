//! The archive: the same bytes for the same parts, whoever packs it where.

use std::env::consts::ARCH;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::parts::{self, Parts};
use crate::{Result, paths};

/// What may be executed. A server loads nothing that may not.
const PROGRAMS: [&str; 2] = ["folio", "folio.so"];

/// Packs the parts, and gives the archive's path.
pub fn make(parts: &Parts, output: &Path) -> Result<PathBuf> {
    let name = format!("folio-{}-{ARCH}-linux", parts.version);
    let path = output.join(format!("{name}.tar.gz"));
    let gzip = GzEncoder::new(File::create(&path)?, Compression::best());
    let mut archive = Builder::new(gzip);
    let mut folders = Vec::new();
    for file in parts::files(&parts.folder)? {
        let inside = Path::new(&name).join(file.strip_prefix(&parts.folder)?);
        let parent = inside.parent().unwrap_or(Path::new("")).to_path_buf();
        if !folders.contains(&parent) {
            let mut header = entry(parts, EntryType::Directory, 0o755);
            archive.append_data(&mut header, &parent, io::empty())?;
            folders.push(parent);
        }
        let content = fs::read(&file)?;
        let is_program = PROGRAMS.iter().any(|program| parts.folder.join(program) == file);
        let mut header = entry(parts, EntryType::Regular, if is_program { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, &inside, &content[..])?;
    }
    archive.into_inner()?.finish()?;
    println!("made {}", paths::shown(&path));
    Ok(path)
}

/// A header that tells nothing of the machine: no owner, no time of its own.
fn entry(parts: &Parts, kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(parts.epoch);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}
