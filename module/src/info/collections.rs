//! What is told of collections: in sum, and of each as far as they are listed.
//!
//! Nothing here walks documents: counts stand ready, and what indexes take is told from a look at some of their values. So the
//! cost is that of the collections and of [`SAMPLE`] values, whatever the documents are.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use folio_engine::collection::{Collection, Gauges};
use folio_engine::store::Store;

use crate::ffi::InfoSection;

/// `folio.info-collections-max`: how many collections, builds and migrations are listed.
pub(crate) static LISTED_MAX: AtomicI64 = AtomicI64::new(100);

/// Values that are looked at, of all indexes together.
const SAMPLE: usize = 65_536;
/// Values that are looked at, of one index: at most, and however many indexes there are.
const SAMPLE_MOST: usize = 1_024;
const SAMPLE_LEAST: usize = 16;

/// What is told of one collection.
struct Line {
    db: u32,
    name: String,
    is_declared: bool,
    gauges: Gauges,
    changes: Option<u64>,
    /// Documents that are done, and all.
    build: Option<(u64, u64)>,
    migration: Migration,
}

/// Where a migration stands.
#[derive(Clone, Copy)]
struct Migration {
    version: u16,
    is_lazy: bool,
    pending: u64,
    migrated: u64,
    is_stopped: bool,
}

/// What is told of all collections.
#[derive(Default)]
pub(super) struct Overview {
    collections: u64,
    totals: Gauges,
    migrations_stopped: u64,
    lines: Vec<Line>,
}

/// A name as the value of a pair, or anywhere in a line: what would end it, and all but printable ASCII, as `%` and two digits
/// for each byte.
fn escaped(name: &str) -> String {
    let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && !b",=%".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

impl Line {
    fn of(collection: &Collection, gauges: Gauges) -> Self {
        let definition = collection.definition();
        Line {
            db: collection.db(),
            name: escaped(collection.name()),
            is_declared: collection.is_declared(),
            gauges,
            changes: definition.options.changes.as_ref().map(|_| collection.change_number()),
            build: collection.build_progress(),
            migration: Migration {
                version: definition.migrations.version,
                is_lazy: definition.migrations.is_lazy,
                pending: collection.unmigrated(),
                migrated: collection.migrated(),
                is_stopped: collection.migration_stopped().is_some(),
            },
        }
    }

    /// Which come first where not all are listed: those that are declared, then the largest.
    fn rank(&self) -> (bool, u64) {
        (self.is_declared, self.gauges.document_bytes + self.gauges.index_bytes)
    }

    fn place(&self, section: &InfoSection) {
        section.pair("db", u64::from(self.db));
        section.text_pair("name", &self.name);
    }
}

impl Overview {
    pub(super) fn of(store: &Store) -> Self {
        let indexes: usize = store.collections().map(|there| there.indexes().len()).sum();
        let sample = (SAMPLE / indexes.max(1)).clamp(SAMPLE_LEAST, SAMPLE_MOST);
        let mut overview = Overview::default();
        let totals = &mut overview.totals;
        for collection in store.collections() {
            let gauges = collection.gauges(sample);
            overview.collections += 1;
            totals.documents += gauges.documents;
            totals.deleted += gauges.deleted;
            totals.document_bytes += gauges.document_bytes;
            totals.indexes += gauges.indexes;
            totals.index_bytes += gauges.index_bytes;
            overview.migrations_stopped += u64::from(collection.migration_stopped().is_some());
            overview.lines.push(Line::of(collection, gauges));
        }
        overview
    }

    pub(super) fn write_totals(&self, section: &InfoSection) {
        section.number("collections", self.collections);
        section.number("documents", self.totals.documents);
        section.number("deleted_documents", self.totals.deleted);
        section.number("document_bytes", self.totals.document_bytes);
        section.number("indexes", self.totals.indexes);
        section.number("index_bytes", self.totals.index_bytes);
        section.number("migrations_stopped", self.migrations_stopped);
    }

    /// The lines that are listed of those that are `wanted`, by database and name.
    fn listed(&self, wanted: impl Fn(&Line) -> bool) -> Vec<&Line> {
        let most = usize::try_from(LISTED_MAX.load(Relaxed)).unwrap_or(0);
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| wanted(line)).collect();
        if lines.len() > most {
            lines.sort_unstable_by_key(|line| std::cmp::Reverse(line.rank()));
            lines.truncate(most);
        }
        lines.sort_unstable_by(|a, b| (a.db, &a.name).cmp(&(b.db, &b.name)));
        lines
    }

    pub(super) fn write_collections(&self, section: &InfoSection) {
        for (at, line) in self.listed(|_| true).into_iter().enumerate() {
            section.pairs(&format!("collection_{at}"), || {
                line.place(section);
                section.pair("declared", u64::from(line.is_declared));
                section.pair("documents", line.gauges.documents);
                section.pair("deleted", line.gauges.deleted);
                section.pair("document_bytes", line.gauges.document_bytes);
                section.pair("indexes", line.gauges.indexes);
                section.pair("index_bytes", line.gauges.index_bytes);
                if let Some(changes) = line.changes {
                    section.pair("changes", changes);
                }
            });
        }
    }

    pub(super) fn write_builds(&self, section: &InfoSection) {
        for (at, line) in self.listed(|line| line.build.is_some()).into_iter().enumerate() {
            let (done, documents) = line.build.unwrap_or_default();
            section.pairs(&format!("build_{at}"), || {
                line.place(section);
                section.pair("done", done);
                section.pair("documents", documents);
            });
        }
    }

    pub(super) fn write_migrations(&self, section: &InfoSection) {
        let is_under_way = |line: &Line| line.migration.pending > 0 || line.migration.is_stopped;
        for (at, line) in self.listed(is_under_way).into_iter().enumerate() {
            let Migration { version, is_lazy, pending, migrated, is_stopped } = line.migration;
            section.pairs(&format!("migration_{at}"), || {
                line.place(section);
                section.pair("version", u64::from(version));
                section.pair("lazy", u64::from(is_lazy));
                section.pair("pending", pending);
                section.pair("migrated", migrated);
                section.pair("stopped", u64::from(is_stopped));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_no_pair_and_no_line() {
        assert_eq!(escaped("shop.orders-2_x"), "shop.orders-2_x");
        assert_eq!(escaped("a,b=c%d\r\n\" \\é"), "a%2Cb%3Dc%25d%0D%0A\"%20\\%C3%A9");
    }
}
