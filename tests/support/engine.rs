//! Questions to a collection of the engine in process, in the terms of the naive model.

use folio_engine::collection::Collection;
use folio_engine::doc::{Document, Parsed};
use folio_engine::exec::{self, Cursor, Direction, Distinct, Find, Named, Request};
use folio_engine::query::{self, Ast, Filter, Params, Scope, Subject};
use folio_engine::store::{Created, Prepared, Store};
use folio_engine::{Code, Limits, plan};

use crate::naive::filter_text::FilterText;
use crate::naive::{self, Aggregate, Json, NaiveSchema, OrderBy, Path};
use crate::world;

/// A collection that is asked.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// The collection, from which what is due has lapsed.
    pub collection: &'a Collection,
    /// What the engine may spend.
    pub limits: &'a Limits,
}

/// What FIND is asked.
#[derive(Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Which documents.
    pub filter: Option<&'a FilterText>,
    /// In which order.
    pub order: &'a [OrderBy],
    /// How many to pass over, and how many to give at most.
    pub limit: Option<(usize, usize)>,
    /// Where the last page ended.
    pub after: Option<&'a Cursor>,
}

/// What FIND answers.
pub struct Answer {
    /// The keys, in order.
    pub keys: Vec<String>,
    /// How many match.
    pub total: u64,
    /// Where the next page begins.
    pub cursor: Option<Cursor>,
    /// What EXPLAIN says of it.
    pub plan: String,
}

impl Engine<'_> {
    /// `DOC.FIND`. Few documents are no scan, so there is an answer.
    pub fn find(&self, asked: &Asked<'_>) -> Answer {
        let find = Find {
            filter: asked.filter.map(|text| self.bind(text)),
            order: asked.order.iter().map(order).collect(),
            limit: asked.limit.map(|(offset, count)| (offset as u64, count as u64)),
            after: asked.after.cloned(),
            with_total: true,
            scan: true,
            ..Find::default()
        };
        let found = exec::find(self.collection, &find, self.limits);
        let found = found.unwrap_or_else(|error| panic!("{error}: {:?}", asked.filter));
        let mut key = Vec::new();
        let keys = found.ids.iter().map(|id| {
            self.collection.key(*id, &mut key);
            String::from_utf8_lossy(&key).into_owned()
        });
        Answer {
            keys: keys.collect(),
            total: found.total.expect("it was asked for"),
            cursor: found.cursor,
            plan: plan::explain(self.collection, &find, true, self.limits, None).join("\n"),
        }
    }

    /// Whether a filter holds of a document, as IF asks.
    pub fn holds(&self, document: &Document, text: &FilterText) -> bool {
        let filter = self.bind(text);
        let holds = exec::holds(self.collection, document, &filter, self.limits.into());
        holds.expect("no function is asked")
    }

    /// `DOC.COUNT`.
    pub fn count(&self, filter: Option<&FilterText>) -> u64 {
        let bound = filter.map(|text| self.bind(text));
        let count = exec::count(self.collection, bound.as_ref(), true, self.limits);
        count.unwrap_or_else(|error| panic!("{error}: {filter:?}"))
    }

    /// `DOC.DISTINCT`.
    pub fn distinct(&self, path: &Path, filter: Option<&FilterText>) -> Vec<Json> {
        let params = self.params(filter);
        let tree = filter.map(|text| self.parse(text));
        let bound = Distinct::bind(&path.text(), tree.as_ref(), true, &self.scope(&params));
        let found = bound.and_then(|bound| exec::distinct(self.collection, &bound, self.limits));
        let found = found.unwrap_or_else(|error| panic!("{error}: {} {filter:?}", path.text()));
        parsed(&found)
    }

    /// `DOC.AGGREGATE`, with the text that its filter is given as. An error is `OVERFLOW`.
    pub fn aggregate(
        &self,
        aggregate: &Aggregate,
        filter: Option<&FilterText>,
    ) -> Result<Vec<Json>, Code> {
        let keys: Vec<_> = aggregate.keys.iter().map(|key| (key.text(), key.name())).collect();
        let reducers = aggregate.reductions.iter().map(|it| (it.reducer.text(), it.name()));
        let reducers: Vec<_> = reducers.collect();
        let having = aggregate.having.as_ref().map(naive::Filter::to_text);
        let request = Request {
            filter: filter.map(|text| self.parse(text).into()),
            keys: keys.iter().map(named).collect(),
            reducers: reducers.iter().map(named).collect(),
            having: having.as_deref(),
            order: aggregate
                .order
                .iter()
                .map(|by| (by.name.as_str(), direction(by.descending)))
                .collect(),
            limit: aggregate.limit.map(|(offset, count)| (offset as u64, count as u64)),
            scan: true,
            with_deleted: false,
        };
        let params = self.params(filter);
        let bound = exec::Aggregate::bind(&request, &self.scope(&params));
        let rows = bound.and_then(|bound| exec::aggregate(self.collection, &bound, self.limits));
        match rows {
            Ok(rows) => Ok(parsed(&rows)),
            Err(error) if error.code == Code::Overflow => Err(error.code),
            Err(error) => panic!("{error}: {} {filter:?}", aggregate.arguments().join(" ")),
        }
    }

    fn parse(&self, text: &FilterText) -> Ast {
        let tree = query::parse(&text.text, self.limits);
        tree.unwrap_or_else(|error| panic!("{error}: {}", text.text))
    }

    fn params(&self, text: Option<&FilterText>) -> Params {
        let pairs = text.iter().flat_map(|text| &text.params);
        let pairs = pairs.map(|(name, json)| (name.as_str(), json.as_bytes()));
        Params::new(pairs, self.limits).expect("drawn parameters are JSON")
    }

    fn scope<'s>(&'s self, params: &'s Params) -> Scope<'s> {
        Scope {
            definition: self.collection.definition(),
            params,
            now_ms: self.collection.now_ms(),
            limits: self.limits,
            functions: None,
        }
    }

    fn bind(&self, text: &FilterText) -> Filter {
        let params = self.params(Some(text));
        let bound = query::bind(&self.parse(text), &self.scope(&params));
        bound.unwrap_or_else(|error| panic!("{error}: {}", text.text))
    }
}

fn named((text, name): &(String, String)) -> Named<'_> {
    Named { text, name: Some(name) }
}

fn order(by: &OrderBy) -> (Subject, Direction) {
    let subject = query::parse_operand(&by.path.text(), &Limits::default());
    let subject = subject.ok().and_then(|operand| operand.as_subject().cloned());
    (subject.expect("the model's paths are paths"), direction(by.descending))
}

fn direction(is_descending: bool) -> Direction {
    if is_descending { Direction::Descending } else { Direction::Ascending }
}

fn parsed(texts: &[Box<[u8]>]) -> Vec<Json> {
    let parse = |text: &[u8]| {
        let text = std::str::from_utf8(text).expect("rows are UTF-8");
        Json::parse(text).unwrap_or_else(|at| panic!("{text} is no JSON at {at}"))
    };
    texts.iter().map(|text| parse(text)).collect()
}

const DB: u32 = 0;
const NOW_MS: i64 = 1_000_000;

/// A store that holds documents, which are numbered from 0.
pub struct Stored {
    store: Store,
    name: String,
    limits: Limits,
    /// What a server's keyspace would hold.
    _documents: Vec<Document>,
}

impl Stored {
    /// A collection with these documents, no value of which is unique.
    pub fn holding(schema: &NaiveSchema, documents: &[Json]) -> Self {
        let limits = Limits::default();
        let mut store = Store::new(0);
        let definition = world::definition(schema);
        let name = definition.name.to_string();
        assert_eq!(store.create(DB, definition), Ok(Created::New));
        let held = documents.iter().enumerate().map(|(at, document)| {
            let mut parsed = Parsed::default();
            let text = document.print();
            parsed.parse(text.as_bytes(), &limits).expect("what is drawn is JSON");
            let key = format!("{name}:{at}");
            match store.prepare(DB, key.as_bytes(), None, &parsed, NOW_MS, None) {
                Ok(Prepared::Ready(delta)) => store.commit(delta),
                Ok(_) => panic!("{text} is new and no value of it is unique"),
                Err(error) => panic!("{error}: {text}"),
            }
        });
        let documents = held.collect();
        Self { store, name, limits, _documents: documents }
    }

    /// Declares the collection anew over the documents that are there.
    pub fn redeclare(&mut self, schema: &NaiveSchema) {
        self.store.drop_collection(DB, &self.name).expect("it was declared");
        assert_eq!(self.store.create(DB, world::definition(schema)), Ok(Created::New));
    }

    /// Who is asked.
    pub fn engine(&self) -> Engine<'_> {
        let collection = self.store.collection(DB, &self.name).expect("it was declared");
        Engine { collection, limits: &self.limits }
    }
}
