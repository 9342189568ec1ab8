//! Definitions in files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::value::RawValue;

use super::definition::Definition;
use crate::outcome::Failure;

/// A definition and the file that it stands in.
#[derive(Debug)]
pub struct Wanted {
    pub file: PathBuf,
    pub definition: Definition,
}

/// Reads files, and the files of folders whose names end in `.json`. A file holds a definition or an array of them.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Wanted>, Failure> {
    let mut all: Vec<Wanted> = Vec::new();
    for file in files(paths)? {
        for definition in read_file(&file)? {
            let name = &definition.collection;
            if let Some(other) = all.iter().find(|other| other.definition.collection == *name) {
                let (other, file) = (other.file.display(), file.display());
                let what = format!("{file}: collection {name} is declared in {other} too");
                return Err(Failure::Data(what));
            }
            all.push(Wanted { file: file.clone(), definition });
        }
    }
    Ok(all)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| Failure::file(path, error))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Failure::file(path, error))?.path();
            if entry.is_file() && entry.extension().is_some_and(|word| word == "json") {
                found.push(entry);
            }
        }
        if found.is_empty() {
            return Err(Failure::Data(format!("{}: no file ends in .json", path.display())));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn read_file(file: &Path) -> Result<Vec<Definition>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Data(format!(
            "there is no file {0}; of a collection, `folio schema show {0} > file` writes one",
            file.display()
        )),
        _ => Failure::file(file, error),
    })?;
    let wrong = |what: String| Failure::Data(format!("{}: {what}", file.display()));
    let all: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text)
    } else {
        serde_json::from_str(&text).map(|one| vec![one])
    }
    .map_err(|error| wrong(error.to_string()))?;
    let read = |one: &RawValue| Definition::read(one.get()).map_err(wrong);
    all.into_iter().map(read).collect()
}
