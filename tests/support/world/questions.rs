//! What is asked of the store and of the model: FIND, COUNT, DISTINCT, AGGREGATE.

use std::fmt::Debug;

use super::{DB, Kind, NAME, World};
use crate::engine::{Asked, Engine};
use crate::generate;
use crate::generate::{aggregate, extended, indexed};
use crate::naive::aggregate::rows_agree;
use crate::naive::filter_text::FilterText;
use crate::naive::{Filter, Json};

impl World {
    pub(super) fn find(&mut self) -> Kind {
        let (mut filter, mut text) = self.filter();
        let mut order = extended::order_in(&mut self.random, &self.schema, &self.language);
        if self.random.chance(30)
            && let Some((drawn, by)) = indexed::question(&mut self.random, &self.schema)
        {
            text = Some(drawn.to_text_with_params(&mut self.random));
            filter = Some(drawn);
            order = by;
        }
        let limit = self.random.chance(60).then(|| (self.random.below(6), self.random.below(12)));
        self.lapse_all();
        let all = self.model.find(filter.as_ref(), &order, None, self.now_ms);
        let (offset, count) = limit.unwrap_or((0, usize::MAX));
        let expected: Vec<&str> = all.iter().skip(offset).take(count).copied().collect();
        let asked = Asked { filter: text.as_ref(), order: &order, limit, after: None };
        let found = self.engine().find(&asked);
        assert_eq!(found.keys, expected, "{text:?} {order:?} {limit:?}\n{}", found.plan);
        assert_eq!(found.total, all.len() as u64, "{text:?}\n{}", found.plan);
        Kind::Find
    }

    pub(super) fn count(&mut self) -> Kind {
        let (filter, text) = self.filter();
        self.lapse_all();
        let expected = self.model.count(filter.as_ref(), self.now_ms) as u64;
        assert_eq!(self.engine().count(text.as_ref()), expected, "{text:?}");
        Kind::Count
    }

    pub(super) fn distinct(&mut self) -> Kind {
        let (filter, text) = self.filter();
        let path = aggregate::distinct(&mut self.random, &self.schema, &self.language);
        self.lapse_all();
        let found = self.engine().distinct(&path, text.as_ref());
        let expected = self.model.distinct(&path, filter.as_ref(), self.now_ms);
        assert_eq!(found, expected, "{} {text:?} {:?}", path.text(), self.schema);
        Kind::Distinct
    }

    pub(super) fn aggregate(&mut self) -> Kind {
        let drawn = aggregate::aggregate(&mut self.random, &self.schema, &self.language);
        let text = drawn.filter.as_ref().map(|it| it.to_text_with_params(&mut self.random));
        self.lapse_all();
        let found = self.engine().aggregate(&drawn, text.as_ref());
        let expected = self.model.aggregate(&drawn, self.now_ms);
        let agree = match (&found, &expected) {
            (Ok(found), Ok(expected)) => rows_agree(expected, found, &drawn.precisions()),
            (Err(_), Err(_)) => true,
            _ => false,
        };
        let what = || format!("{}\n{text:?}\n{:?}", drawn.arguments().join(" "), self.schema);
        assert!(agree, "{}\nfound    {}\nexpected {}", what(), shown(&found), shown(&expected));
        Kind::Aggregate
    }

    /// What is due leaves the store, as it does before the server asks it anything.
    pub(super) fn lapse_all(&mut self) {
        self.store.lapse(DB, NAME, self.now_ms);
    }

    pub(super) fn engine(&self) -> Engine<'_> {
        let collection = self.store.collection(DB, NAME).expect("a declared collection stays");
        Engine { collection, limits: &self.limits }
    }

    pub(super) fn filter(&mut self) -> (Option<Filter>, Option<FilterText>) {
        if self.random.chance(10) {
            return (None, None);
        }
        let filter = generate::filter_in(&mut self.random, &self.schema, 3, &self.language);
        let text = filter.to_text_with_params(&mut self.random);
        (Some(filter), Some(text))
    }
}

/// Rows as JSON, a line for each.
fn shown<E: Debug>(rows: &Result<Vec<Json>, E>) -> String {
    match rows {
        Ok(rows) => rows.iter().map(Json::print).collect::<Vec<_>>().join("\n         "),
        Err(error) => format!("{error:?}"),
    }
}
