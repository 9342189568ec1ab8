//! A collection: its documents and their indexes, changed together or not at all.
//!
//! This is the only folder whose functions touch a document and an index in one step. `write` prepares what may fail and
//! commits what cannot; `validity` knows who breaks a rule; `build` makes indexes whole, and `crew` begins that while
//! documents arrive; `online` builds another declaration in slices; `orders` finds documents by birth and by when they
//! lapse; `computed` keeps what functions give; `hidden` is what an answer leaves out, `migrating` knows
//! the documents of each schema version, `timed` which parts of documents have lapsed; `verify` recomputes everything from the documents; `digest` makes two servers comparable.

mod build;
mod computed;
mod crew;
mod digest;
mod documents;
mod hidden;
mod migrating;
mod online;
mod orders;
mod timed;
mod together;
mod totals;
mod validity;
mod verify;
mod write;

pub(crate) use build::{Arrival, DOCUMENTS_FOR_THREADS};
pub(crate) use crew::Crew;
pub use digest::{Digest, IndexDigest, Sum};
pub use documents::Documents;
pub use hidden::Hidden;
pub use migrating::Signal;
pub use online::Retired;
pub(crate) use online::{Keeps, named};
pub(crate) use together::Together;
pub use totals::{Gauges, Totals};
pub(crate) use write::{Changes, Entered, Refusal, judge_timed};
pub use write::{Delta, Home};

use computed::ComputedFields;
pub use computed::Values;
pub(crate) use computed::judge_coming;
use migrating::Versions;
use online::Building;
use roaring::RoaringBitmap;
use timed::Timed;

use crate::doc::{Document, Touched};
use crate::index::{DocId, Expiry, Index};
use crate::memory::Blocks;
use crate::query::{Fact, Meta};
use crate::schema::{Callee, Definition, Field};

/// One collection of one logical database.
#[derive(Debug)]
pub struct Collection {
    uid: u32,
    db: u32,
    blocks: Blocks,
    definition: Definition,
    declared: bool,
    documents: Documents,
    live: RoaringBitmap,
    /// Those marked as deleted. They are live, and stand in every index but the unique ones.
    deleted: RoaringBitmap,
    indexes: Vec<Index>,
    expiry: Expiry,
    timed: Timed,
    computed: ComputedFields,
    versions: Versions,
    /// Documents that do not keep to the declaration.
    breaking: RoaringBitmap,
    /// A declaration to come.
    building: Option<Box<Building>>,
    /// The bits of the top-level names that any index or declared field, of what is to come too, begins with.
    names: u64,
    counters: Counters,
    /// The number that the last entry of its changes has.
    change_number: u64,
    /// The greatest decimal number that a document has come with for an id.
    greatest: u64,
    next_id: DocId,
}

/// What a store gives a new collection.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The collection's number.
    pub uid: u32,
    /// The logical database.
    pub db: u32,
    /// Makes its hashes unforeseeable.
    pub seed: u64,
    /// Counts its memory.
    pub blocks: Blocks,
    /// Raised when there is something to migrate.
    pub signal: Signal,
}

/// What grows with every birth and change and never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The version given last.
    pub version: u64,
    /// The birth number given last.
    pub seq: u64,
}

impl Counters {
    /// The greater of both, part by part.
    #[must_use]
    pub fn max(self, other: Counters) -> Counters {
        Counters { version: self.version.max(other.version), seq: self.seq.max(other.seq) }
    }
}

/// One line of what `DOC.INFO` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Info {
    /// A count, or bytes.
    Int(u64),
    /// A word.
    Text(String),
    /// Several things with lines of their own.
    List(Vec<Vec<(String, Info)>>),
}

impl Collection {
    /// An empty collection. `counters` are where its numbers go on from.
    pub fn new(origin: Origin, definition: Definition, declared: bool, counters: Counters) -> Self {
        let Origin { uid, db, seed, blocks, signal } = origin;
        let indexes = Index::all_of(&definition, seed);
        let computed = ComputedFields::of(&definition, blocks);
        let mut collection = Collection {
            uid,
            db,
            blocks,
            definition,
            declared,
            documents: Documents::new(blocks),
            live: RoaringBitmap::new(),
            deleted: RoaringBitmap::new(),
            indexes,
            expiry: Expiry::default(),
            timed: Timed::default(),
            computed,
            versions: Versions::new(signal),
            breaking: RoaringBitmap::new(),
            building: None,
            names: 0,
            counters,
            change_number: 0,
            greatest: 0,
            next_id: 0,
        };
        collection.note_names();
        collection
    }

    /// Other indexes or fields are declared, or to come.
    fn note_names(&mut self) {
        self.names = self.names_of_all();
    }

    fn names_of_all(&self) -> u64 {
        let fields = self.declared().flat_map(|declared| &declared.fields);
        // A function may look at anything.
        let of_field =
            |field: &Field| if field.asks_functions() { u64::MAX } else { field.path.bits() };
        let is_judged = self.declared().any(|declared| declared.validate.is_some());
        let whole = if is_judged { u64::MAX } else { 0 };
        fields
            .map(of_field)
            .chain([whole])
            .chain(self.every_index().map(|index| index.source().names()))
            .fold(0, |a, b| a | b)
    }

    /// Whether a write leaves everything alone that an index or a declared field is about. O(1) after the first question.
    pub(crate) fn is_untouched(&self, touched: &Touched<'_>) -> bool {
        touched.spares(self.names)
    }

    /// The collection's number within the store, which documents keep as their home.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The logical database.
    pub fn db(&self) -> u32 {
        self.db
    }

    /// Follows a SWAPDB.
    pub(crate) fn set_db(&mut self, db: u32) {
        self.db = db;
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// What is declared; of an undeclared collection, its name and prefix.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Whether `DOC.CREATE` made it.
    pub fn is_declared(&self) -> bool {
        self.declared
    }

    /// The greatest decimal number up to [`NUMBER_MAX`](crate::store::NUMBER_MAX) that a document has come with for an id:
    /// a sequence goes on above it.
    pub fn greatest(&self) -> u64 {
        self.greatest
    }

    /// Raises it, as after a load.
    pub(crate) fn raise_greatest(&mut self, to: u64) {
        self.greatest = self.greatest.max(to);
    }

    /// No document has come yet, as far as a sequence knows.
    pub(crate) fn forget_greatest(&mut self) {
        self.greatest = 0;
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Raises the counters, as after a load.
    pub(crate) fn raise_counters(&mut self, to: Counters) {
        self.counters = self.counters.max(to);
    }

    /// The number of the last entry of its changes. It outlives the stream, and the declaration of `CHANGES`.
    pub fn change_number(&self) -> u64 {
        self.change_number
    }

    /// Raises that number.
    pub(crate) fn raise_change_number(&mut self, to: u64) {
        self.change_number = self.change_number.max(to);
    }

    /// The birth number of the youngest document.
    pub(crate) fn last_seq(&self) -> u64 {
        self.live.max().and_then(|id| self.documents.get(id)).map_or(0, Document::seq)
    }

    /// Documents that are neither due nor deleted.
    pub fn len(&self) -> u64 {
        self.live.len() - self.hidden(false).len()
    }

    /// Whether no document is there, not even a due or deleted one.
    pub fn is_vacant(&self) -> bool {
        self.live.is_empty()
    }

    /// Whether there is no document that is neither due nor deleted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All documents, due and deleted ones included.
    pub fn live(&self) -> &RoaringBitmap {
        &self.live
    }

    /// The due documents, as of the last [`Collection::lapse`].
    pub fn due(&self) -> &RoaringBitmap {
        self.expiry.due()
    }

    /// The documents that are marked as deleted, due ones included.
    pub fn deleted(&self) -> &RoaringBitmap {
        &self.deleted
    }

    /// Marks the documents that are due at `now_ms`, and hides the parts of others that are. Called before an answer about the
    /// collection.
    pub fn lapse(&mut self, now_ms: i64) {
        self.expiry.lapse(now_ms);
        self.hide_due_paths(now_ms);
    }

    /// The time of the last [`Collection::lapse`], which an answer takes for now.
    pub fn now_ms(&self) -> i64 {
        self.expiry.seen_ms()
    }

    /// Sets or takes away when `id` lapses.
    pub fn set_expiry(&mut self, id: DocId, expires_ms: Option<i64>) {
        if self.documents.get(id).is_some() {
            self.expiry.set(id, expires_ms);
        }
    }

    /// When `id` lapses, in milliseconds since 1970.
    pub fn expires_ms(&self, id: DocId) -> Option<i64> {
        self.expiry.time(id)
    }

    /// The indexes: those of fields, in their order, then those that were declared by themselves.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// The document of `id`, without the parts that had lapsed at the last [`Collection::lapse`]. O(1).
    pub fn document(&self, id: DocId) -> Option<&Document> {
        self.timed.veil(id).or_else(|| self.held(id))
    }

    /// The document of `id` as the keyspace has it. O(1).
    pub fn held(&self, id: DocId) -> Option<&Document> {
        self.documents.get(id)
    }

    /// What is seen of `held`, which stands in this collection.
    pub(crate) fn seen<'d>(&'d self, held: &'d Document) -> &'d Document {
        self.timed.veil(held.id()).unwrap_or(held)
    }

    /// What is known of a document besides its text, but for whether it is valid: [`Collection::invalid`] knows.
    pub fn fact<'c>(&'c self, id: DocId, document: &Document, meta: Meta) -> Fact<'c> {
        match meta {
            Meta::Key => {
                let mut key = Vec::new();
                self.key(id, &mut key);
                Fact::Bytes(key.into())
            }
            Meta::Id => self.documents.rest(id).map_or(Fact::Missing, |it| Fact::Bytes(it.into())),
            Meta::Seq => Fact::Count(document.seq()),
            Meta::Version => Fact::Count(document.version()),
            Meta::Created => Fact::Instant(document.created_ms()),
            Meta::Updated => Fact::Instant(document.updated_ms()),
            Meta::Expires => self.expires_ms(id).map_or(Fact::Missing, Fact::Instant),
            Meta::Deleted => document.deleted_ms().map_or(Fact::Missing, Fact::Instant),
            Meta::Valid => Fact::Missing,
        }
    }

    /// Writes the whole key of `id` into `out`, which is cleared first.
    pub fn key(&self, id: DocId, out: &mut Vec<u8>) {
        out.clear();
        if let Some(rest) = self.documents.rest(id) {
            out.extend_from_slice(self.definition.prefix.as_bytes());
            out.extend_from_slice(rest);
        }
    }

    /// What `key` has after the prefix.
    pub(crate) fn rest<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        key.strip_prefix(self.definition.prefix.as_bytes()).unwrap_or(key)
    }

    /// Whether `doc` stands in this collection under `key`.
    pub(crate) fn holds(&self, key: &[u8], doc: &Document) -> bool {
        let id = doc.id();
        self.documents.get(id).is_some_and(|held| held.ptr_eq(doc))
            && self.documents.rest(id) == Some(self.rest(key))
    }

    /// The lines of `DOC.INFO`. O(entries of all indexes).
    pub fn info(&self) -> Vec<(String, Info)> {
        let text = |text: &str| Info::Text(text.to_owned());
        let indexes = self.indexes.iter().map(|index| self.index_info(index));
        let mut lines = vec![
            ("collection".to_owned(), text(self.name())),
            ("prefix".to_owned(), text(&self.definition.prefix)),
            ("declared".to_owned(), Info::Int(self.declared.into())),
            ("documents".to_owned(), Info::Int(self.len())),
            ("due".to_owned(), Info::Int(self.due().len())),
            ("deleted".to_owned(), Info::Int((&self.deleted - self.due()).len())),
            ("with_ttl".to_owned(), Info::Int(self.expiry.len() as u64)),
            ("with_path_ttl".to_owned(), Info::Int(self.with_path_ttl())),
            ("invalid".to_owned(), Info::Int((self.invalid() - &self.deleted).len())),
            ("version".to_owned(), Info::Int(self.counters.version)),
            ("seq".to_owned(), Info::Int(self.counters.seq)),
            ("document_bytes".to_owned(), Info::Int(self.documents.document_bytes())),
            ("table_bytes".to_owned(), Info::Int(self.table_bytes() as u64)),
            ("indexes".to_owned(), Info::List(indexes.collect())),
            ("building".to_owned(), Info::List(self.build_info())),
            ("migration".to_owned(), Info::List(self.migration_info())),
            ("functions".to_owned(), Info::List(self.function_info())),
        ];
        if self.definition.options.changes.is_some() {
            lines.push(("changes".to_owned(), Info::Int(self.change_number)));
        }
        lines
    }

    /// The functions that the declaration names, and where.
    fn function_info(&self) -> Vec<Vec<(String, Info)>> {
        let line = |(place, callee): (String, &Callee)| {
            let name = ("name".to_owned(), Info::Text(callee.name().to_owned()));
            vec![name, ("use".to_owned(), Info::Text(place))]
        };
        self.definition.callees().map(line).collect()
    }

    fn index_info(&self, index: &Index) -> Vec<(String, Info)> {
        let text = |text: &str| Info::Text(text.to_owned());
        let name = index.name().map(|name| ("name".to_owned(), text(name)));
        let filter = index.filter_text().map(|filter| ("where".to_owned(), text(filter)));
        let mut lines: Vec<(String, Info)> = name.into_iter().collect();
        lines.extend([
            ("path".to_owned(), Info::Text(index.paths())),
            ("kind".to_owned(), text(index.kind_name())),
            ("unique".to_owned(), Info::Int(index.is_unique().into())),
        ]);
        lines.extend(filter);
        lines.extend([
            ("values".to_owned(), Info::Int(index.values() as u64)),
            ("entries".to_owned(), Info::Int(index.entries())),
            ("conflicts".to_owned(), Info::Int(index.conflicts())),
            ("bytes".to_owned(), Info::Int(index.heap_bytes(self.blocks) as u64)),
        ]);
        lines
    }

    fn table_bytes(&self) -> usize {
        let ids = [&self.live, &self.deleted, &self.breaking].map(|ids| self.blocks.bitmap(ids));
        let ids: usize = ids.iter().sum();
        let times = self.expiry.heap_bytes(self.blocks) + self.timed.heap_bytes(self.blocks);
        let ids = ids + self.versions.heap_bytes(self.blocks);
        self.documents.heap_bytes() + ids + times + self.computed.heap_bytes()
    }
}
