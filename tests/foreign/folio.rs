//! Folio's engine in process.

use folio_tests::engine::{Asked, Engine, Stored};

use super::draw::{Collection, Question};

/// A store with one collection, whose documents have their place in it as their id.
pub struct Folio {
    stored: Stored,
}

/// What Folio found.
pub struct Found {
    /// The documents of the page, in order.
    pub rows: Vec<usize>,
    /// How many match, said by FIND.
    pub total: usize,
    /// How many match, said by COUNT.
    pub count: usize,
}

impl Folio {
    /// A store that holds these documents.
    pub fn holding(collection: &Collection) -> Self {
        Self { stored: Stored::holding(&collection.schema, &collection.documents) }
    }

    /// Who is asked.
    pub fn engine(&self) -> Engine<'_> {
        self.stored.engine()
    }

    /// Answers a question by FIND and by COUNT.
    pub fn ask(&self, question: &Question) -> Found {
        let filter = Some(&question.text);
        let asked = Asked { filter, order: &question.order, limit: question.page, after: None };
        let found = self.engine().find(&asked);
        let rows = found.keys.iter().map(|key| {
            let (_, id) = key.rsplit_once(':').expect("a key is a name and an id");
            id.parse().expect("an id is a number")
        });
        Found {
            rows: rows.collect(),
            total: found.total as usize,
            count: self.engine().count(filter) as usize,
        }
    }
}
