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

impl Input<'_> {
    /// Looks at its documents; tells also whether they were all.
    pub fn profile(&self, sample: Sample) -> Result<(Profile, bool), Failure> {
        let failed = |error| Failure::file(called(self.file), error);
        // No path has a type yet that a value of a table could be read by.
        let target = Target::of("", HashMap::new());
        let reading = Reading { format: self.format, keeps_strings: false, target: &target };
        let mut source = open(self.file, &reading, &Arc::default()).map_err(failed)?;
        let mut profile = Profile::default();
        while let Some(piece) = source.next().map_err(failed)? {
            if sample.is_enough(profile.documents) {
                return Ok((profile, false));
            }
            let added = text_of(self.is_mongo, &piece.text, &piece.document)
                .and_then(|text| profile.add(&text).map_err(|error| error.to_string()));
            added.map_err(|why| {
                let (file, line) = (called(self.file), piece.line);
                Failure::Data(format!("{file}: line {line}: {why}"))
            })?;
        }
        Ok((profile, true))
    }
}
