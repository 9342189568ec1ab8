//! A cursor over a command's arguments: what must stand first, then options in any order and any case.

use folio_engine::path::Path;
use folio_engine::query::{Meta, Subject};
use folio_engine::{Code, Error, Limits, Result};
use smallvec::SmallVec;

/// The arguments of a command without its name; those of most commands stay off the heap.
pub(crate) type Words<'a> = SmallVec<[&'a [u8]; 8]>;

/// Bytes of an argument that an error shows.
const SHOWN_BYTES: usize = 64;

/// An argument as an error names it: cut short, and printable.
pub(crate) fn shown(word: &[u8]) -> String {
    let cut = &word[..word.len().min(SHOWN_BYTES)];
    let more = if cut.len() < word.len() { ".." } else { "" };
    format!("'{}{more}'", cut.escape_ascii())
}

/// An `ERR` of the arguments.
pub(crate) fn syntax(what: impl Into<Box<str>>) -> Error {
    Error::new(Code::Syntax, what)
}

/// The error that a document stands under `key`.
pub(crate) fn exists(key: &[u8]) -> Error {
    Error::new(Code::Exists, format!("{} is there already", shown(key)))
}

/// `error`, which says of which of several documents it is.
pub(crate) fn of_document(key: &[u8], error: Error) -> Error {
    let Error { code, message, holder } = error;
    Error { code, message: format!("document {}: {message}", shown(key)).into(), holder }
}

/// The error that `what` does not follow.
fn missing(what: &str) -> Error {
    let takes = match what {
        "EX" => "EX takes seconds",
        "PX" => "PX takes milliseconds",
        "EXAT" => "EXAT takes seconds since 1970",
        "PXAT" => "PXAT takes milliseconds since 1970",
        "IFVERSION" => "IFVERSION takes a version",
        "offset" | "count" => "LIMIT takes offset and count",
        _ => return syntax(format!("{what} is missing")),
    };
    syntax(takes)
}

/// `error` of the count after the option `what`, with an example of what the option takes.
fn with_example(error: Error, what: &str) -> Error {
    let example = match what {
        "ORDER" => "age",
        "PARAMS" => "name value",
        "GROUP" => "city",
        "REDUCE" => "count()",
        "ENUM" => "open",
        _ => "email",
    };
    let Error { code, message, .. } = error;
    Error::new(code, format!("{message}; {what} takes a count first: {what} 1 {example}"))
}

/// The cursor.
#[derive(Clone)]
pub(crate) struct Args<'a> {
    words: &'a [&'a [u8]],
    at: usize,
    /// The options seen, one bit each by their position among the names.
    seen: u64,
}

impl<'a> Args<'a> {
    /// A cursor before the first of `words`.
    pub(crate) fn new(words: &'a [&'a [u8]]) -> Self {
        Args { words, at: 0, seen: 0 }
    }

    /// The arguments that are left.
    pub(crate) fn rest(&self) -> &'a [&'a [u8]] {
        &self.words[self.at..]
    }

    /// The next argument, without passing it.
    pub(crate) fn peek(&self) -> Option<&'a [u8]> {
        self.words.get(self.at).copied()
    }

    /// The next argument; an error that calls it `what` when there is none.
    pub(crate) fn bytes(&mut self, what: &str) -> Result<&'a [u8]> {
        let word = self.peek().ok_or_else(|| missing(what))?;
        self.at += 1;
        Ok(word)
    }

    /// The next argument as text.
    pub(crate) fn text(&mut self, what: &str) -> Result<&'a str> {
        let word = self.bytes(what)?;
        str::from_utf8(word).map_err(|_| syntax(format!("{what} {} is not UTF-8", shown(word))))
    }

    /// The next argument as an integer.
    pub(crate) fn integer(&mut self, what: &str) -> Result<i64> {
        let word = self.bytes(what)?;
        str::from_utf8(word)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| syntax(format!("{what} {} is not an integer", shown(word))))
    }

    /// The next argument as an integer that is not negative.
    pub(crate) fn unsigned(&mut self, what: &str) -> Result<u64> {
        let number = self.integer(what)?;
        u64::try_from(number).map_err(|_| syntax(format!("{what} {number} is negative")))
    }

    /// The next argument as a path.
    pub(crate) fn path(&mut self, limits: &Limits) -> Result<Path> {
        Path::parse(self.path_text()?, limits.path_steps_max)
    }

    /// The next argument as the text of a path.
    pub(crate) fn path_text(&mut self) -> Result<&'a str> {
        let word = self.bytes("path")?;
        str::from_utf8(word)
            .map_err(|_| Error::new(Code::Path, format!("path {} is not UTF-8", shown(word))))
    }

    /// The next argument as a path or metadata: a name that begins with `_` outside of back-quotes.
    pub(crate) fn subject(&mut self, limits: &Limits) -> Result<Subject> {
        let word = self.peek().unwrap_or_default();
        if !word.starts_with(b"_") {
            return self.path(limits).map(Subject::Path);
        }
        let name = self.text("path")?;
        Meta::of(name).map(Subject::Meta).ok_or_else(|| {
            let known = Meta::ALL.map(Meta::name).join(" ");
            let what = format!(
                "{} is none of the metadata {known} (a member of that name stands in back-quotes)",
                shown(word)
            );
            Error::new(Code::Path, what)
        })
    }

    /// The next argument as the number of items of `size` arguments each that follow; never more than do.
    pub(crate) fn count(&mut self, what: &str, size: usize) -> Result<usize> {
        let count = self.unsigned(what).map_err(|error| with_example(error, what))?;
        let there = self.rest().len() / size;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= there)
            .ok_or_else(|| syntax(format!("{what} is {count}, and {there} follow")))
    }

    /// `n path ..` after an option; at least one.
    pub(crate) fn paths(&mut self, what: &str, limits: &Limits) -> Result<Vec<Path>> {
        self.some(what, |args| args.path(limits))
    }

    /// `n item ..` after an option; at least one, each read by `read` from one argument.
    pub(crate) fn some<T>(
        &mut self,
        what: &str,
        mut read: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.count(what, 1)?;
        if count == 0 {
            return Err(syntax(format!("{what} is 0")));
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Passes the next argument if it is one of `names`, in any case.
    pub(crate) fn keyword(&mut self, names: &[&'static str]) -> Option<&'static str> {
        let word = self.peek()?;
        let name = names.iter().find(|name| word.eq_ignore_ascii_case(name.as_bytes()))?;
        self.at += 1;
        Some(name)
    }

    /// The next option, one of `names`; `None` at the end. Unknown ones are errors, and so is one that comes twice.
    pub(crate) fn option(&mut self, names: &[&'static str]) -> Result<Option<&'static str>> {
        let Some(word) = self.peek() else { return Ok(None) };
        let found = self.repeatable_option(names)?;
        let bit = names.iter().position(|name| Some(*name) == found).map_or(0, |at| 1_u64 << at);
        if self.seen & bit != 0 {
            return Err(syntax(format!("option {} is given twice", shown(word))));
        }
        self.seen |= bit;
        Ok(found)
    }

    /// The same for commands with options that may come several times.
    pub(crate) fn repeatable_option(
        &mut self,
        names: &[&'static str],
    ) -> Result<Option<&'static str>> {
        let Some(word) = self.peek() else { return Ok(None) };
        match self.keyword(names) {
            Some(name) => Ok(Some(name)),
            None => Err(syntax(format!("unknown option {}", shown(word)))),
        }
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(syntax(format!("unexpected argument {}", shown(word)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(error: &Error) -> String {
        error.to_string()
    }

    #[test]
    fn options_come_in_any_order_and_case_but_once() {
        let words: [&[u8]; 4] = [b"k", b"xx", b"Ex", b"10"];
        let mut args = Args::new(&words);
        assert_eq!(args.bytes("key"), Ok(&b"k"[..]));
        let names = ["NX", "XX", "EX"];
        assert_eq!(args.option(&names), Ok(Some("XX")));
        assert_eq!(args.option(&names), Ok(Some("EX")));
        assert_eq!(args.integer("seconds"), Ok(10));
        assert_eq!(args.option(&names), Ok(None));

        let words: [&[u8]; 2] = [b"NX", b"nx"];
        let mut args = Args::new(&words);
        assert_eq!(args.option(&names), Ok(Some("NX")));
        let error = args.option(&names).unwrap_err();
        assert_eq!(message(&error), "ERR option 'nx' is given twice");
    }

    #[test]
    fn errors_name_the_argument() {
        let words: [&[u8]; 1] = [b"B\0G\xff"];
        let error = Args::new(&words).option(&["NX"]).unwrap_err();
        assert_eq!(message(&error), "ERR unknown option 'B\\x00G\\xff'");
        let error = Args::new(&words).end().unwrap_err();
        assert_eq!(message(&error), "ERR unexpected argument 'B\\x00G\\xff'");
        let error = Args::new(&words).text("name").unwrap_err();
        assert_eq!(message(&error), "ERR name 'B\\x00G\\xff' is not UTF-8");
        let error = Args::new(&[]).bytes("path").unwrap_err();
        assert_eq!(message(&error), "ERR path is missing");
        let error = Args::new(&[]).integer("EX").unwrap_err();
        assert_eq!(message(&error), "ERR EX takes seconds");
    }

    #[test]
    fn counts_never_exceed_what_follows() {
        let words: [&[u8]; 3] = [b"2", b"a", b"b"];
        assert_eq!(Args::new(&words).count("PATHS", 1), Ok(2));
        let error = Args::new(&words).count("PARAMS", 2).unwrap_err();
        assert_eq!(message(&error), "ERR PARAMS is 2, and 1 follow");
        let words: [&[u8]; 1] = [b"-1"];
        let error = Args::new(&words).count("PATHS", 1).unwrap_err();
        assert_eq!(
            message(&error),
            "ERR PATHS -1 is negative; PATHS takes a count first: PATHS 1 email"
        );
        let words: [&[u8]; 2] = [b"BY", b"age"];
        let error = Args::new(&words).count("ORDER", 1).unwrap_err();
        let hint = "ORDER takes a count first: ORDER 1 age";
        assert_eq!(message(&error), format!("ERR ORDER 'BY' is not an integer; {hint}"));
        let words: [&[u8]; 1] = [b"99999999999999999999"];
        let error = Args::new(&words).integer("LIMIT").unwrap_err();
        assert_eq!(message(&error), "ERR LIMIT '99999999999999999999' is not an integer");
    }
}
