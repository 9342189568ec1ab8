//! A collection that is asked, rightly or by one who loses a document.

use folio_engine::exec::Cursor;
use folio_tests::engine::{Answer, Asked, Stored};
use folio_tests::naive::aggregate::rows_agree;
use folio_tests::naive::filter_text::FilterText;
use folio_tests::naive::{Aggregate, Json, NaiveSchema, OrderBy, Path};

/// Answers of more documents than this lose one, where there is a fault.
const LOST_ABOVE: usize = 3;

/// A collection that is asked.
pub struct Asker {
    stored: Stored,
    /// The planted fault.
    pub is_faulty: bool,
}

/// Whatever can be asked of one filter.
#[derive(Debug)]
pub struct Question {
    pub filter: FilterText,
    pub order: Vec<OrderBy>,
    pub limit: Option<(usize, usize)>,
    pub distinct: Path,
    pub aggregate: Aggregate,
}

/// The answers to it.
pub struct Answers {
    keys: Vec<String>,
    total: u64,
    count: u64,
    distinct: Vec<Json>,
    /// None where a sum is an overflow.
    rows: Option<Vec<Json>>,
}

impl Asker {
    pub fn new(schema: &NaiveSchema, documents: &[Json], is_faulty: bool) -> Self {
        Self { stored: Stored::holding(schema, documents), is_faulty }
    }

    pub fn redeclare(&mut self, schema: &NaiveSchema) {
        self.stored.redeclare(schema);
    }

    pub fn count(&self, filter: &FilterText) -> usize {
        let count = self.stored.engine().count(Some(filter)) as usize;
        if self.is_faulty && count > LOST_ABOVE { count - 1 } else { count }
    }

    pub fn keys(&self, filter: &FilterText) -> Vec<String> {
        self.answer(&Asked { filter: Some(filter), ..Asked::default() }).keys
    }

    pub fn find(
        &self,
        question: &Question,
        limit: Option<(usize, usize)>,
        after: Option<&Cursor>,
    ) -> Answer {
        let filter = Some(&question.filter);
        self.answer(&Asked { filter, order: &question.order, limit, after })
    }

    fn answer(&self, asked: &Asked<'_>) -> Answer {
        let mut answer = self.stored.engine().find(asked);
        if self.is_faulty && answer.keys.len() > LOST_ABOVE {
            answer.keys.pop();
        }
        answer
    }
}

impl Question {
    pub fn ask(&self, asker: &Asker) -> Answers {
        let found = asker.find(self, self.limit, None);
        let engine = asker.stored.engine();
        let aggregate = Aggregate { filter: None, ..self.aggregate.clone() };
        Answers {
            keys: found.keys,
            total: found.total,
            count: asker.count(&self.filter) as u64,
            distinct: engine.distinct(&self.distinct, Some(&self.filter)),
            rows: engine.aggregate(&aggregate, Some(&self.filter)).ok(),
        }
    }

    pub fn check_same(&self, one: &Asker, other: &Asker) {
        self.ask(one).check_same(&self.ask(other), self);
    }
}

impl Answers {
    pub fn check_same(&self, other: &Answers, question: &Question) {
        assert_eq!(self.keys, other.keys, "{question:?}");
        assert_eq!((self.total, self.count), (other.total, other.count), "{question:?}");
        assert_eq!(self.distinct, other.distinct, "{question:?}");
        let agree = match (&self.rows, &other.rows) {
            (Some(one), Some(other)) => rows_agree(one, other, &question.aggregate.precisions()),
            (None, None) => true,
            _ => false,
        };
        assert!(agree, "{question:?}\n{:?}\n{:?}", self.rows, other.rows);
    }
}
