//! Documents of a file, as `folio import` reads them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::{Profile, Sample};
use crate::commands::import::read::text_of;
use crate::commands::import::source::{Format, Reading, called, open};
use crate::commands::import::target::Target;
use crate::outcome::Failure;

/// A file, and how it is written.
pub struct Input<'a> {
    pub file: &'a Path,
    /// Found by the name and the first byte where it is not told.
    pub format: Option<Format>,
    pub is_mongo: bool,
}

/// What a look at a file came to.
pub struct Seen {
    pub profile: Profile,
    /// What was no document, and where.
    pub bad: Vec<String>,
    /// Whether these were all.
    pub is_whole: bool,
}

impl Input<'_> {
    /// Looks at its documents.
    pub fn profile(&self, sample: Sample) -> Result<Seen, Failure> {
        let failed = |error| Failure::file(called(self.file), error);
        // No path has a type yet that a value of a table could be read by.
        let target = Target::of("", HashMap::new());
        let reading = Reading { format: self.format, keeps_strings: false, target: &target };
        let mut source = open(self.file, &reading, &Arc::default()).map_err(failed)?;
        let (mut profile, mut bad) = (Profile::default(), Vec::new());
        while let Some(piece) = source.next().map_err(failed)? {
            if sample.is_enough(profile.documents) {
                return Ok(Seen { profile, bad, is_whole: false });
            }
            let added = text_of(self.is_mongo, &piece.text, &piece.document)
                .and_then(|text| profile.add(&text).map_err(|error| error.to_string()));
            if let Err(why) = added {
                bad.push(format!("{}: line {}: {why}", called(self.file), piece.line));
            }
        }
        Ok(Seen { profile, bad, is_whole: true })
    }
}
