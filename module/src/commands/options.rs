//! What DOC.CREATE and DOC.ALTER say of a collection as a whole: TTL, IDS.

use folio_engine::Result;
use folio_engine::schema::{Ids, Options};

use super::Args;
use super::args::{shown, syntax};
use super::spec::{Argument, Kind};

/// The words that an option begins with.
pub(super) const TTL: &str = "TTL";
/// The same of the other.
pub(super) const IDS: &str = "IDS";

/// The seconds of a TTL, as an argument.
pub(super) const SECONDS: Argument = Argument::new("seconds", Kind::Integer);

/// How ids are made, as an argument.
pub(super) const STRATEGY: Argument = Argument::one_of(
    "ids",
    &[Argument::word("UUID7"), Argument::word("ULID"), Argument::word("SEQUENCE")],
);

/// Reads what follows the option `word`.
pub(super) fn read(word: &str, args: &mut Args<'_>, options: &mut Options) -> Result<()> {
    if word == TTL {
        options.ttl_seconds = args.unsigned(TTL)?;
        return Ok(());
    }
    let given = args.bytes(IDS)?;
    let ids = str::from_utf8(given).ok().and_then(Ids::of);
    options.ids = ids.ok_or_else(|| {
        syntax(format!("{IDS} takes UUID7, ULID or SEQUENCE, not {}", shown(given)))
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<Options> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let (mut args, mut options) = (Args::new(&words), Options::default());
        while let Some(word) = args.repeatable_option(&[TTL, IDS])? {
            read(word, &mut args, &mut options)?;
        }
        Ok(options)
    }

    #[test]
    fn options_are_read_in_any_case() {
        let options = read_words(&["ttl", "60", "ids", "Sequence"]);
        assert_eq!(options, Ok(Options { ttl_seconds: 60, ids: Ids::Sequence, changes: None }));
        let error = |words: &[&str]| read_words(words).unwrap_err().to_string();
        assert_eq!(error(&["TTL"]), "ERR TTL is missing");
        assert_eq!(error(&["TTL", "-1"]), "ERR TTL -1 is negative");
        assert_eq!(error(&["TTL", "1s"]), "ERR TTL '1s' is not an integer");
        assert_eq!(error(&["IDS"]), "ERR IDS is missing");
        let takes = "ERR IDS takes UUID7, ULID or SEQUENCE, not 'serial'";
        assert_eq!(error(&["IDS", "serial"]), takes);
    }
}
