//! Which keys a document has in an index.
//!
//! ```text
//!   one path          the key of each value that it leads to, else the missing value's
//!   several paths     one key of all their values (see `value::tuple`); for each element, where one leads to several
//!   parts of strings  each three bytes of each string (see `grams`)
//! ```
//! A document that does not satisfy the index's filter has none.

use super::KeyList;
use super::grams::Grams;
use crate::doc::{DocRef, Touched};
use crate::path::{Path, Step};
use crate::query::{Filter, Meter};
use crate::schema::{Definition, Field, IndexKind, NamedIndex, Order, Scalar};
use crate::value::{Key, KeyBuf, KeyRef, Raw, tuple};

/// One path of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Leads to single values.
    pub path: Path,
    /// The type under which they become keys.
    pub scalar: Scalar,
    /// Whether the greatest come first.
    pub is_descending: bool,
}

impl Part {
    /// Shows `body` each value's key, in the order of the document; the missing value's where there is none.
    fn each(&self, doc: DocRef<'_>, buf: &mut KeyBuf, mut body: impl FnMut(KeyRef<'_>)) {
        let mut show = |raw| {
            self.scalar.key(raw, buf);
            body(buf.as_ref());
        };
        let mut is_missing = true;
        if self.path.is_multi() {
            for raw in self.path.values(doc) {
                is_missing = false;
                show(raw);
            }
        } else if let Some(raw) = self.path.first(doc) {
            is_missing = false;
            show(raw);
        }
        if is_missing {
            body(Key::MISSING.as_ref());
        }
    }
}

/// What the keys are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The values of the one path.
    Values,
    /// The values of all paths together.
    Tuples,
    /// The parts of the strings at the one path.
    Parts,
}

/// What an index is over.
#[derive(Debug, PartialEq)]
pub struct Source {
    of: Of,
    parts: Box<[Part]>,
    filter: Option<Filter>,
    /// What stands there decides all keys: each path up to its first `[*]`, those of the filter too.
    stems: Box<[Path]>,
    /// The bits of the names that they begin with.
    names: u64,
    /// Whether a function has a say in the keys.
    is_computed: bool,
}

/// Buffers that drawing keys uses again and again.
#[derive(Debug, Default)]
pub struct Buffers {
    key: KeyBuf,
    /// A tuple, written.
    tuple: Vec<u8>,
    grams: Grams,
}

impl Source {
    /// The values of a field.
    pub fn of_field(field: &Field, kind: IndexKind, definition: &Definition) -> Self {
        let part = Part { path: field.index_path(), scalar: field.ty.scalar, is_descending: false };
        Source::new(kind, vec![part], None, definition)
    }

    /// What a declared index is over. `definition` was found valid.
    pub fn of_named(index: &NamedIndex, definition: &Definition) -> Self {
        let resolved = index.resolve(definition, &crate::Limits::none()).expect(
            "a definition is read or validated before it is used, which resolves its indexes",
        );
        let parts = resolved.on.into_iter().zip(&index.on).map(|((path, scalar), on)| {
            // One path alone is walked from either end.
            let is_descending = on.order == Order::Desc && index.on.len() > 1;
            Part { path, scalar, is_descending }
        });
        Source::new(index.kind, parts.collect(), resolved.filter, definition)
    }

    fn new(
        kind: IndexKind,
        parts: Vec<Part>,
        filter: Option<Filter>,
        definition: &Definition,
    ) -> Self {
        let of = match kind {
            IndexKind::Substring => Of::Parts,
            _ if parts.len() > 1 => Of::Tuples,
            _ => Of::Values,
        };
        let asked = filter.iter().flat_map(Filter::paths);
        let mut stems: Vec<Path> = Vec::new();
        for stem in parts.iter().map(|part| &part.path).chain(asked).map(stem) {
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        let is_computed = stems.iter().any(|stem| definition.is_computed(stem));
        // A function may look at anything.
        let of_stems = stems.iter().fold(0, |names, stem| names | stem.bits());
        let names = if is_computed { u64::MAX } else { of_stems };
        Source { of, parts: parts.into(), filter, stems: stems.into(), names, is_computed }
    }

    /// The bits of the top-level names that its paths begin with, and those of its filter.
    pub fn names(&self) -> u64 {
        self.names
    }

    /// The paths, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The filter that the documents of the index satisfy; all are in it without one.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The path whose values alone the keys are of, if it is so.
    pub fn values_path(&self) -> Option<&Path> {
        (self.of == Of::Values).then(|| &self.parts[0].path)
    }

    /// Whether keys are of the values of several paths.
    pub fn is_tuples(&self) -> bool {
        self.of == Of::Tuples
    }

    /// Whether keys are of parts of strings.
    pub fn is_of_parts(&self) -> bool {
        self.of == Of::Parts
    }

    /// Whether a document can have several keys.
    pub fn is_multi(&self) -> bool {
        self.of == Of::Parts || self.parts.iter().any(|part| part.path.is_multi())
    }

    /// Whether a value of `key` is missing or null.
    pub fn has_absent(&self, key: KeyRef<'_>) -> bool {
        match self.of {
            Of::Tuples => tuple::has_absent(key, self.parts.iter().map(|part| part.is_descending)),
            Of::Values | Of::Parts => key.is_absent(),
        }
    }

    /// Whether the index covers `doc`. The one place that asks its filter.
    pub fn covers(&self, doc: DocRef<'_>, buffers: &mut Buffers) -> bool {
        // A filter of an index asks nothing of validity.
        self.filter.as_ref().is_none_or(|filter| {
            filter.decide(filter.root(), &mut { doc }, &mut buffers.key, &Meter::free())
        })
    }

    /// How many values of `doc` there are to look at, counted up to one more than `most`.
    pub fn values_of(&self, doc: DocRef<'_>, most: usize) -> usize {
        let multi = self.parts.iter().find(|part| part.path.is_multi());
        multi.map_or(1, |part| part.path.values(doc).take(most + 1).count())
    }

    /// Whether the old and the new text surely have the same keys: the text that decides them is the same.
    pub fn same_text(&self, touched: &Touched<'_>) -> bool {
        let same = |stem: &Path| {
            let text = |doc| stem.first(doc).map(Raw::bytes);
            text(touched.old_text()) == text(touched.new_text())
        };
        touched.spares(self.names) || self.stems.iter().all(same)
    }

    /// Whether what stands at `path` has a say in which keys a document has.
    pub fn hangs_on(&self, path: &Path) -> bool {
        self.is_computed
            || self.stems.iter().any(|stem| {
                stem.steps().starts_with(path.steps()) || path.steps().starts_with(stem.steps())
            })
    }

    /// Whether what stands at `path` is within a value that a document has keys of.
    pub fn holds_within(&self, path: &Path) -> bool {
        let is_within = |stem: &Path| {
            path.steps().len() > stem.steps().len() && path.steps().starts_with(stem.steps())
        };
        self.stems.iter().any(is_within)
    }

    /// The keys of `doc`, ascending, without repeats.
    pub fn keys(&self, doc: DocRef<'_>) -> KeyList {
        let mut keys = KeyList::new();
        self.each_key(doc, &mut Buffers::default(), |key| keys.push(key.to_key()));
        keys.sort();
        keys.dedup();
        keys
    }

    /// Shows `body` each key of `doc`, in the order of the document and perhaps more than once.
    pub fn each_key(
        &self,
        doc: DocRef<'_>,
        buffers: &mut Buffers,
        mut body: impl FnMut(KeyRef<'_>),
    ) {
        if !self.covers(doc, buffers) {
            return;
        }
        match self.of {
            Of::Values => self.parts[0].each(doc, &mut buffers.key, body),
            Of::Tuples => self.each_tuple(doc, buffers, body),
            Of::Parts => {
                let Buffers { key, grams, .. } = buffers;
                grams.clear();
                let texts = self.parts[0].path.values(doc).filter_map(Raw::string);
                texts.for_each(|text| grams.add(&text));
                grams.keys(key, &mut body);
            }
        }
    }

    fn each_tuple(&self, doc: DocRef<'_>, buffers: &mut Buffers, mut body: impl FnMut(KeyRef<'_>)) {
        let Buffers { key, tuple: bytes, .. } = buffers;
        bytes.clear();
        let multi = self.parts.iter().position(|part| part.path.is_multi());
        let (before, rest) = self.parts.split_at(multi.unwrap_or(self.parts.len()));
        let write = |parts: &[Part], key: &mut KeyBuf, bytes: &mut Vec<u8>| {
            for part in parts {
                part.each(doc, key, |key| tuple::push(bytes, key, part.is_descending));
            }
        };
        write(before, key, bytes);
        let Some((multi, behind)) = rest.split_first() else {
            body(tuple::key(bytes));
            return;
        };
        let (mut end, mut end_key) = (Vec::new(), KeyBuf::default());
        write(behind, &mut end_key, &mut end);
        let from = bytes.len();
        multi.each(doc, key, |key| {
            bytes.truncate(from);
            tuple::push(bytes, key, multi.is_descending);
            bytes.extend_from_slice(&end);
            body(tuple::key(bytes));
        });
    }
}

/// The steps of a path before its first `[*]`.
fn stem(path: &Path) -> Path {
    let before_each = path.steps().iter().take_while(|step| **step != Step::Each);
    Path::new(before_each.cloned().collect())
}
