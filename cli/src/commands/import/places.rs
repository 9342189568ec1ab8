//! Which files an import writes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Args;
use super::source::{is_lasting, is_stdin};
use crate::commands::files::{behind_links, beside, canonical, is_special};
use crate::context::Context;
use crate::outcome::Failure;

/// Files besides the inputs.
pub struct Places {
    /// Where it is noted how far the import is, if it can go on.
    pub state: Option<PathBuf>,
    /// Where rejected lines go, if they are kept.
    pub rejects: Option<PathBuf>,
}

impl Places {
    /// Those that the command line names, or names that go with the first input; none may be an input.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        // Beside a pipe or a device nothing can be written.
        let first = args.files.first().filter(|path| is_lasting(path));
        let state = match &args.state {
            _ if args.dry_run || args.from_redisjson.is_some() => None,
            Some(path) => Some(path.clone()),
            None => first.map(|path| beside(path, "import-state.json")),
        };
        let state = state.map(|path| behind_links(&path));
        let rejects = match (&args.rejects, first) {
            (Some(path), _) => Some(path.clone()),
            (None, _) if args.dry_run => None,
            (None, Some(first)) => Some(beside(first, "rejects.jsonl")),
            (None, None) => Some("import.rejects.jsonl".into()),
        };
        let places = Self { state, rejects };
        places.check(args)?;
        Ok(places)
    }

    fn check(&self, args: &Args) -> Result<(), Failure> {
        if let Some(path) = self.state.as_ref().filter(|path| is_special(path)) {
            let why = format!("--state: {} is no regular file", path.display());
            return Err(Failure::Usage(why));
        }
        let inputs: Vec<PathBuf> =
            args.files.iter().filter(|path| !is_stdin(path)).map(|path| canonical(path)).collect();
        let state = self.state.as_ref().map(|path| ("--state", path));
        let rejects = self.rejects.as_ref().map(|path| ("--rejects", path));
        for (option, path) in state.into_iter().chain(rejects) {
            if inputs.contains(&canonical(path)) {
                let path = path.display();
                let why = format!("{path} is read, and would be written: {option} names a file");
                return Err(Failure::Usage(why));
            }
        }
        match (&self.state, &self.rejects) {
            (Some(state), Some(rejects)) if canonical(state) == canonical(rejects) => {
                Err(Failure::Usage("--state and --rejects name the same file".into()))
            }
            _ => Ok(()),
        }
    }

    /// What an import that goes on has to be told as before, by options.
    pub fn options(&self, args: &Args, context: &Context) -> BTreeMap<String, String> {
        let options = [
            ("--url", Some(context.options.address())),
            ("--id", args.id.clone()),
            ("--mode", Some(format!("{:?}", args.mode))),
            ("--format", args.format.map(|format| format!("{format:?}"))),
            ("--csv-strings", args.csv_strings.then(String::new)),
            ("--mongo", args.mongo.then(String::new)),
            ("--server-ids", args.server_ids.then(String::new)),
            ("--ttl", args.ttl.map(|seconds| seconds.to_string())),
            ("--rejects", self.rejects.as_ref().map(|path| canonical(path).display().to_string())),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        given.collect()
    }
}
