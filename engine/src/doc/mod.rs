//! Documents as they are stored: one allocation that holds the header, the text and the directory.
//!
//! ```text
//!   count  header                                              length  bytes
//!   +----+---------------------------------------------------+----+-----------------+-----------+-------+-----+
//!   |  8 | id home seq version created updated text timed mark|  8 | text, minified  | directory | timed | pad |
//!   |    | 4  4    8   8       8       8       4    2     2   |    | {"a":1,"b":[2]} | 4 x names | parts |     |
//!   +----+---------------------------------------------------+----+-----------------+-----------+-------+-----+
//!                                                                   ^ `text_len`      ^ the rest  ^ `timed_len`
//! ```
//!
//! The text is the document's own JSON: validated, without white space, without repeated names,
//! else byte for byte what was written, so that reading a whole document is a copy. The directory
//! (see [`directory`]) finds top-level members without walking the text. The parts that have a TTL of their own follow
//! (see [`timed`]); most documents have none. None of the three ever
//! changes once it stands; a changed document is a new one. What does change is where a document
//! stands: its home and id say in which collection's table, and a rename gives it another place, so
//! those words are atomic. One thread writes them; other threads may only read.
//!
//! [`parse`] makes the text, `edit` changes it place by place, [`print`] answers with parts of it, [`Touched`] tells what a new
//! text leaves as it was.

pub mod computed;
pub mod diff;
mod directory;
mod duplicates;
pub(crate) mod edit;
mod messagepack;
pub mod parse;
pub mod print;
pub mod timed;
mod touched;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use computed::Computed;
use triomphe::ThinArc;

pub use messagepack::json_of_messagepack;
pub use parse::{Parsed, parse_value};
pub use touched::{Touched, bit_of};

use crate::value::raw::{Members, Raw, string_end, value_end};

/// What a document holds besides its text. 48 bytes.
#[derive(Debug)]
pub struct Header {
    seq: AtomicU64,
    version: AtomicU64,
    created_ms: i64,
    updated_ms: i64,
    /// The `DocId` within its home.
    id: AtomicU32,
    /// The number of the collection in whose table it stands; 0 is nowhere.
    home: AtomicU32,
    /// Bytes of the text; the directory is what follows.
    text_len: u32,
    /// Bytes of the parts with a TTL, behind the directory.
    timed_len: u16,
    marks: Marks,
}

/// The highest schema version that a document can have.
pub const SCHEMA_MAX: u16 = (1 << 14) - 1;

/// Two flags, and in the 14 bits above them the schema version.
#[derive(Clone, Copy, Debug)]
struct Marks(u16);

impl Marks {
    /// The text holds numbers beyond the range of a double.
    const HUGE_NUMBERS: u16 = 1;
    /// It is marked as deleted: that was its last change.
    const DELETED: u16 = 2;
    const FLAGS: u32 = 2;

    fn new(has_huge_numbers: bool, is_deleted: bool, schema: u16) -> Marks {
        let flag = |is_set: bool, bit: u16| if is_set { bit } else { 0 };
        let flags = flag(has_huge_numbers, Marks::HUGE_NUMBERS) | flag(is_deleted, Marks::DELETED);
        Marks(flags | schema.min(SCHEMA_MAX) << Marks::FLAGS)
    }

    fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    fn schema(self) -> u16 {
        self.0 >> Marks::FLAGS
    }
}

/// The numbers and times that a collection gives a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The number of its collection; 0 is nowhere.
    pub home: u32,
    /// Its id in that collection.
    pub id: u32,
    /// Its birth number.
    pub seq: u64,
    /// The collection's revision at its last change.
    pub version: u64,
    /// When it was born, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_ms: i64,
    /// Whether that change marked it as deleted.
    pub is_deleted: bool,
    /// The schema version that it was written for, at most [`SCHEMA_MAX`].
    pub schema: u16,
}

/// One stored document. Cloning shares it and costs one atomic addition.
#[derive(Clone)]
pub struct Document(ThinArc<Header, u8>);

/// Bytes that the shared allocation holds before the text: its count, the header, its length.
const OVERHEAD_BYTES: usize = 2 * size_of::<usize>() + size_of::<Header>();

impl Document {
    /// A document of what was parsed last. One allocation and one copy. `parsed` must hold a
    /// document, not be empty.
    pub fn new(parsed: &Parsed, stamp: Stamp) -> Document {
        let view = parsed.view();
        let lens = (view.text.len(), view.timed.len());
        Document::build(parsed.bytes(), lens, !parsed.huge_numbers().is_empty(), stamp)
    }

    /// A document of its own with the same text, times, parts with a TTL, mark and schema version, that stands nowhere and has no numbers yet: where it is
    /// born gives it some.
    #[must_use]
    pub fn copy(&self) -> Document {
        self.restamped(self.updated_ms(), self.is_deleted())
    }

    /// The same, marked as deleted at `now_ms`, or as brought back then.
    #[must_use]
    pub fn marked(&self, is_deleted: bool, now_ms: i64) -> Document {
        self.restamped(now_ms, is_deleted)
    }

    /// The same, last changed at `updated_ms`.
    #[must_use]
    pub(crate) fn updated(&self, updated_ms: i64) -> Document {
        self.restamped(updated_ms, self.is_deleted())
    }

    fn restamped(&self, updated_ms: i64, is_deleted: bool) -> Document {
        let (created_ms, schema) = (self.created_ms(), self.schema());
        let stamp = Stamp { created_ms, updated_ms, is_deleted, schema, ..Stamp::default() };
        let lens = (self.text().len(), self.timed().len());
        Document::build(&self.0.slice, lens, self.has_huge_numbers(), stamp)
    }

    /// `lens` are the bytes of the text and of the parts with a TTL.
    fn build(bytes: &[u8], lens: (usize, usize), has_huge_numbers: bool, stamp: Stamp) -> Document {
        let header = Header {
            id: stamp.id.into(),
            home: stamp.home.into(),
            seq: stamp.seq.into(),
            version: stamp.version.into(),
            created_ms: stamp.created_ms,
            updated_ms: stamp.updated_ms,
            text_len: u32::try_from(lens.0).expect("the parser refuses texts of 4 GiB"),
            timed_len: u16::try_from(lens.1).expect("more are refused"),
            marks: Marks::new(has_huge_numbers, stamp.is_deleted, stamp.schema),
        };
        Document(ThinArc::from_header_and_slice(header, bytes))
    }

    fn header(&self) -> &Header {
        &self.0.header.header
    }

    /// Its id in its home; 0 if it stands nowhere.
    pub fn id(&self) -> u32 {
        self.header().id.load(Relaxed)
    }

    /// The number of the collection in which it stands; 0 is nowhere.
    pub fn home(&self) -> u32 {
        self.header().home.load(Relaxed)
    }

    /// Its birth number.
    pub fn seq(&self) -> u64 {
        self.header().seq.load(Relaxed)
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.header().version.load(Relaxed)
    }

    /// When it was born, in milliseconds since 1970.
    pub fn created_ms(&self) -> i64 {
        self.header().created_ms
    }

    /// When it was last changed, in milliseconds since 1970.
    pub fn updated_ms(&self) -> i64 {
        self.header().updated_ms
    }

    /// Whether it is marked as deleted: it stands under its key, and most answers leave it out.
    pub fn is_deleted(&self) -> bool {
        self.header().marks.has(Marks::DELETED)
    }

    /// When it was marked as deleted, in milliseconds since 1970; none while it is not.
    pub fn deleted_ms(&self) -> Option<i64> {
        self.is_deleted().then(|| self.updated_ms())
    }

    /// Whether its text holds numbers beyond the range of a double, which only a decimal field may.
    pub fn has_huge_numbers(&self) -> bool {
        self.header().marks.has(Marks::HUGE_NUMBERS)
    }

    /// The schema version that it was written for, or was migrated to; 0 where its collection has had none.
    pub fn schema(&self) -> u16 {
        self.header().marks.schema()
    }

    /// The JSON text.
    pub fn text(&self) -> &[u8] {
        &self.0.slice[..self.header().text_len as usize]
    }

    /// Gives it a new place, birth number and version, as a RENAME or a load does. Every clone sees
    /// it.
    pub fn place(&self, home: u32, id: u32, seq: u64, version: u64) {
        let header = self.header();
        header.home.store(home, Relaxed);
        header.id.store(id, Relaxed);
        header.seq.store(seq, Relaxed);
        header.version.store(version, Relaxed);
    }

    /// Takes its place away: it stands nowhere.
    pub fn displace(&self) {
        self.header().home.store(0, Relaxed);
        self.header().id.store(0, Relaxed);
    }

    /// Has the processor fetch its beginning and its directory. The waits for memory overlap where some documents are fetched
    /// before the first is looked at.
    pub fn fetch(&self) {
        const LINE_BYTES: usize = 64;
        const LINES_MAX: usize = 4;
        let bytes = &self.0.slice;
        let lines = bytes.iter().step_by(LINE_BYTES).take(LINES_MAX).chain(bytes.last());
        std::hint::black_box(lines.fold(0, |all, byte| all ^ byte));
    }

    /// Bytes of the whole allocation, without what the allocator itself adds.
    pub fn bytes(&self) -> usize {
        (OVERHEAD_BYTES + self.0.slice.len()).next_multiple_of(align_of::<Header>())
    }

    /// Its text, directory and parts with a TTL.
    pub fn view(&self) -> DocRef<'_> {
        let header = self.header();
        DocRef::split(&self.0.slice, header.text_len as usize, header.timed_len.into())
    }

    /// Whether both are the same allocation.
    pub fn ptr_eq(&self, other: &Document) -> bool {
        self.0.as_ptr() == other.0.as_ptr()
    }

    /// The shared allocation, for a keyspace that keeps raw pointers.
    pub fn into_thin(self) -> ThinArc<Header, u8> {
        self.0
    }

    /// The document whose allocation [`Document::into_thin`] gave.
    pub fn from_thin(thin: ThinArc<Header, u8>) -> Document {
        Document(thin)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("header", self.header())
            .field("text", &String::from_utf8_lossy(self.text()))
            .finish()
    }
}

/// The text, directory and parts with a TTL of a [`Document`] or of a [`Parsed`], and what is computed of it. An empty `Parsed` shows as empty
/// text, on which only [`DocRef::text`] is meaningful.
#[derive(Clone, Copy, Debug)]
pub struct DocRef<'a> {
    text: &'a [u8],
    directory: &'a [u8],
    timed: &'a [u8],
    /// Of a document of a collection with computed fields.
    computed: Option<Computed<'a>>,
}

impl DocRef<'static> {
    /// A document without members.
    pub const EMPTY: DocRef<'static> =
        DocRef { text: b"{}", directory: &[], timed: &[], computed: None };
}

impl<'a> DocRef<'a> {
    /// What stands in `bytes` one behind the other.
    fn split(bytes: &'a [u8], text_len: usize, timed_len: usize) -> Self {
        let (text, rest) = bytes.split_at(text_len);
        let (directory, timed) = rest.split_at(rest.len() - timed_len);
        DocRef { text, directory, timed, computed: None }
    }

    /// The parts with a TTL, as they are stored.
    pub fn timed(self) -> &'a [u8] {
        self.timed
    }

    /// Whether both are the same document: text, and parts with a TTL.
    pub fn is_same(self, other: DocRef<'_>) -> bool {
        self.text == other.text && self.timed == other.timed
    }

    /// The JSON text.
    pub fn text(self) -> &'a [u8] {
        self.text
    }

    /// The object that the document is.
    pub fn root(self) -> Raw<'a> {
        Raw::new(self.text)
    }

    /// The value of the top-level member `name`, by the directory: no walk over other members'
    /// values. O(number of names), four bytes each.
    pub fn member(self, name: &str) -> Option<Raw<'a>> {
        let text = self.text;
        let bytes = name.as_bytes();
        // Where such a name stands letter for letter and then a quote, nothing in it is escaped.
        let is_plain = !bytes.iter().any(|byte| matches!(byte, b'\\' | b'"'));
        directory::candidates(self.directory, text.len(), name).find_map(|from| {
            let inside = &text[from + 1..];
            let stands = is_plain && inside.starts_with(bytes) && inside[bytes.len()] == b'"';
            let name_end = if stands { from + bytes.len() + 2 } else { string_end(text, from) };
            if !stands && !Raw::new(&text[from..name_end]).name_is(name) {
                return None;
            }
            let value = name_end + 1;
            Some(Raw::new(&text[value..value_end(text, value)]))
        })
    }

    /// The top-level members in order, as name (with its quotes) and value.
    pub fn members(self) -> Members<'a> {
        self.root().members()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of several files share.

    use proptest::prelude::*;
    use serde_json::Value;

    use super::Parsed;
    use crate::Limits;

    /// The document that `text` is.
    pub fn parsed(text: &str) -> Parsed {
        let mut parsed = Parsed::default();
        parsed.parse(text.as_bytes(), &Limits::default()).expect(text);
        parsed
    }

    /// Names from a small set, so that they meet, and some that need escapes.
    pub fn name() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-c]", 1 => "[a-z]{0,20}", 1 => "[\"\\\\\n\u{1}é😀a]{0,3}"]
    }

    /// Any JSON value, some levels deep.
    pub fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[\\[\\]{}\",:\\\\]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                object_of(inner),
            ]
        })
    }

    fn object_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        prop::collection::vec((name(), inner), 0..6)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    }

    /// Any document.
    pub fn document() -> impl Strategy<Value = Value> {
        object_of(json())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::testing::{document, name, parsed};
    use super::*;

    #[test]
    fn the_header_is_small() {
        assert_eq!(size_of::<Header>(), 48);
        assert_eq!(size_of::<Document>(), 8);
    }

    #[test]
    fn places_are_given_and_taken() {
        let stamp = Stamp {
            home: 1,
            id: 2,
            seq: 3,
            version: 4,
            created_ms: 5,
            updated_ms: 6,
            is_deleted: false,
            schema: SCHEMA_MAX,
        };
        let document = Document::new(&parsed(r#"{ "a": 1 }"#), stamp);
        let shared = document.clone();
        document.place(7, 8, 9, 10);
        assert_eq!((shared.home(), shared.id()), (7, 8));
        assert_eq!((shared.seq(), shared.version()), (9, 10));
        shared.displace();
        assert_eq!((document.home(), document.id()), (0, 0));
        assert_eq!((document.created_ms(), document.updated_ms()), (5, 6));
        assert!(document.ptr_eq(&shared));
        // 8 count, 48 header, 8 length, 7 text, 4 directory: 75, padded to words.
        assert_eq!(document.bytes(), 80);

        document.place(7, 8, 9, 10);
        let copy = Document::from_thin(document.copy().into_thin());
        assert!(!copy.ptr_eq(&document));
        assert_eq!((copy.home(), copy.id(), copy.seq(), copy.version()), (0, 0, 0, 0));
        assert_eq!(copy.created_ms(), 5);
        assert_eq!(copy.text(), br#"{"a":1}"#);
        assert_eq!(copy.view().member("a").unwrap().bytes(), b"1");
        assert_eq!((copy.is_deleted(), copy.deleted_ms()), (false, None));
        assert_eq!((copy.schema(), copy.has_huge_numbers()), (SCHEMA_MAX, false));

        let marked = copy.marked(true, 9);
        assert_eq!((marked.created_ms(), marked.updated_ms()), (5, 9));
        assert_eq!((marked.is_deleted(), marked.deleted_ms()), (true, Some(9)));
        assert_eq!(marked.copy().deleted_ms(), Some(9));
        assert_eq!(marked.marked(false, 10).deleted_ms(), None);
        assert_eq!((marked.text(), marked.bytes()), (copy.text(), 80));
        assert_eq!((marked.schema(), marked.has_huge_numbers()), (SCHEMA_MAX, false));
    }

    #[test]
    fn members_of_a_large_document() {
        let mut text = String::from("{");
        for at in 0..9000 {
            write!(text, "\"name{at}\":{at},").unwrap();
        }
        text += "\"last\":true}";
        assert!(text.len() > 0x1_0000);
        let document = Document::new(&parsed(&text), Stamp::default());
        for at in [0, 1, 4500, 8999] {
            let member = document.view().member(&format!("name{at}")).unwrap();
            assert_eq!(member.bytes(), at.to_string().as_bytes());
        }
        assert_eq!(document.view().member("last").unwrap().bytes(), b"true");
        assert!(document.view().member("name9000").is_none());
    }

    proptest! {
        #[test]
        fn every_member_is_found(value in document(), other in name()) {
            let stored = Document::new(&parsed(&value.to_string()), Stamp::default());
            let object = value.as_object().unwrap();
            for (name, value) in object {
                let found = stored.view().member(name).unwrap();
                prop_assert_eq!(std::str::from_utf8(found.bytes()).unwrap(), value.to_string());
            }
            prop_assert_eq!(stored.view().member(&other).is_some(), object.contains_key(&other));
            prop_assert_eq!(stored.view().members().count(), object.len());
        }
    }
}
