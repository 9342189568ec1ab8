//! Questions to a collection: what is asked, drawn over the whole language, and what the model answers. The model does not
//! know the server's clock, versions and births, so no metadata are drawn that tell of these.

use folio_tests::generate::extended::{self, Language};
use folio_tests::generate::{self, Random, aggregate, indexed};
use folio_tests::naive::aggregate::Precision;
use folio_tests::naive::{Comparison, Filter, Json, Literal, Meta, NaiveSchema, OrderBy, Path};

use crate::expect::{Expect, Row, Rows};
use crate::migrate::{self, MARK};
use crate::step::{Plan, naive_collection, naive_collection_of};
use crate::world::{Doc, World};

/// Documents of which one query may tell.
const LIMIT_MAX: usize = 8;

/// Goes from page to page with the cursors that FIND gives, and replies with all keys.
const ALL_PAGES: &str = "local keys, after = {}, nil
repeat
  local words = {unpack(ARGV)}
  if after then
    words[#words + 1] = 'AFTER'
    words[#words + 1] = after
  end
  local answer = redis.call(unpack(words))
  after = nil
  for at = 1, #answer, 2 do
    if answer[at] == 'cursor' then
      after = answer[at + 1]
    elseif answer[at] == 'results' then
      for _, row in ipairs(answer[at + 1]) do keys[#keys + 1] = row[1] end
    end
  end
until not after
return keys";

/// A filter as words, and as the model reads it.
#[derive(Default)]
pub struct Asked {
    pub words: Vec<String>,
    pub filter: Option<Filter>,
}

impl Asked {
    fn of(filter: Filter, random: &mut Random) -> Self {
        let text = filter.to_text_with_params(random);
        let mut words = vec!["WHERE".to_owned(), text.text];
        if !text.params.is_empty() {
            words.extend(["PARAMS".to_owned(), text.params.len().to_string()]);
            words.extend(text.params.into_iter().flat_map(|(name, json)| [name, json]));
        }
        Asked { words, filter: Some(filter) }
    }
}

/// What may be drawn.
fn language() -> Language {
    Language {
        computed: true,
        time: true,
        now: false,
        elements: true,
        metadata: vec![Meta::Key, Meta::Id, Meta::Valid],
    }
}

/// Whether the member is declared that migrations change.
fn has_mark(schema: &NaiveSchema) -> bool {
    schema.fields.iter().any(|field| field.path.text() == MARK)
}

/// What is asked of it.
fn of_mark(random: &mut Random) -> Filter {
    let sign = random.pick(&[
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::GreaterOrEqual,
    ]);
    let Json::Number(number) = migrate::value(random) else { return Filter::Valid(true) };
    Filter::Compare(Path::plain(MARK), sign, Literal::Number(number))
}

pub fn order_words(order: &[OrderBy]) -> Vec<String> {
    if order.is_empty() {
        return Vec::new();
    }
    let mut words = vec!["ORDER".to_owned(), order.len().to_string()];
    for by in order {
        words.extend([by.path.text(), (if by.descending { "DESC" } else { "ASC" }).into()]);
    }
    words
}

fn limit_words(limit: Option<(usize, usize)>) -> Vec<String> {
    let words = |(offset, count): (usize, usize)| {
        ["LIMIT".to_owned(), offset.to_string(), count.to_string()]
    };
    limit.into_iter().flat_map(words).collect()
}

impl World {
    /// The words from WHERE on.
    pub fn asked(&self, name: &str, random: &mut Random) -> Asked {
        if random.chance(10) {
            return Asked::default();
        }
        let schema = self.space().schema(name);
        if has_mark(&schema) && random.chance(20) {
            let filter = of_mark(random);
            return Asked::of(filter, random);
        }
        let filter = generate::filter_in(random, &schema, 2, &language());
        Asked::of(filter, random)
    }

    /// A filter and an order, now and then such as a declared index is for.
    pub fn ordered(&self, name: &str, random: &mut Random) -> (Asked, Vec<OrderBy>) {
        let schema = self.space().schema(name);
        if random.chance(25)
            && let Some((filter, order)) = indexed::question(random, &schema)
        {
            return (Asked::of(filter, random), order);
        }
        let asked = self.asked(name, random);
        let mut order = extended::order_in(random, &schema, &language());
        if has_mark(&schema) && random.chance(20) {
            let (path, descending) = (Path::plain(MARK), random.chance(50));
            order.retain(|by| by.path != path);
            order.insert(0, OrderBy { path, descending });
        }
        (asked, order)
    }

    pub fn counted(
        &self,
        name: &str,
        verb: &str,
        seed: u64,
        expect: impl FnOnce(usize) -> Expect,
    ) -> Option<Plan> {
        let asked = self.asked(name, &mut Random::new(seed));
        let mut words = vec![verb.to_owned(), name.to_owned()];
        words.extend(asked.words);
        let count = naive_collection(self, name).count(asked.filter.as_ref(), 0);
        self.about(name, &words, |_| expect(count))
    }

    pub fn find(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let mut words = vec!["DOC.FIND".to_owned(), name.to_owned()];
        let (mut order, mut limit, mut filter) = (Vec::new(), None, None);
        let (mut with_total, mut with_version, mut projected) = (true, true, false);
        // Seed 0 asks for everything.
        if seed != 0 {
            let (asked, by) = self.ordered(name, random);
            words.extend(asked.words);
            (filter, order) = (asked.filter, by);
            limit = random.chance(50).then(|| (random.below(3), random.below(LIMIT_MAX)));
            (with_total, with_version) = (random.chance(50), random.chance(50));
            projected = random.chance(15);
        }
        words.extend(order_words(&order));
        words.extend(limit_words(limit));
        words.extend(with_total.then(|| "WITHTOTAL".to_owned()));
        words.extend(with_version.then(|| "WITHVERSION".to_owned()));
        words.extend(
            projected.then_some(["SELECT", "1", "n"]).into_iter().flatten().map(Into::into),
        );
        let collection = naive_collection(self, name);
        let row = |key: &str| {
            let Doc { json, exact, stamp, .. } = self.space().doc(key)?.clone();
            Some(Row { key: key.to_owned(), json, exact, stamp })
        };
        let found = collection.find(filter.as_ref(), &order, limit, 0);
        let rows = found.into_iter().filter_map(row).collect();
        let total = with_total.then(|| collection.count(filter.as_ref(), 0));
        let slot = (self.space().id, name.to_owned());
        let rows = Rows { slot, all: rows, total, with_version, projected };
        self.about(name, &words, |_| Expect::Rows(rows))
    }

    pub fn keys(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let (asked, order) = self.ordered(name, random);
        let limit = random.chance(30).then(|| (random.below(3), random.below(LIMIT_MAX)));
        let mut words = vec!["DOC.KEYS".to_owned(), name.to_owned()];
        words.extend(asked.words);
        words.extend(order_words(&order));
        words.extend(limit_words(limit));
        self.about(name, &words, |world| world.found(name, asked.filter.as_ref(), &order, limit))
    }

    /// What is marked as deleted is asked for too.
    pub fn keys_deleted(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let schema = self.space().schema(name);
        let filter = generate::filter_in(random, &schema, 2, &language());
        let asked = Asked::of(filter, random);
        let mut words = vec!["DOC.KEYS".to_owned(), name.to_owned()];
        words.extend(asked.words);
        words.push("WITHDELETED".to_owned());
        let mut members = self.space().members(name);
        members.extend(self.space().deleted_members(name));
        members.sort_by_key(|(_, doc)| doc.birth);
        let collection = naive_collection_of(self, name, members);
        let keys = collection.find(asked.filter.as_ref(), &[], None, 0).into_iter();
        let keys = Expect::Keys(keys.map(str::to_owned).collect());
        self.about(name, &words, |_| keys)
    }

    /// All pages, by a script.
    pub fn pages(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let (asked, order) = self.ordered(name, random);
        let mut words = ["EVAL", ALL_PAGES, "0", "DOC.FIND", name].map(str::to_owned).to_vec();
        words.extend(asked.words);
        words.extend(order_words(&order));
        words.extend(limit_words(Some((0, 1 + random.below(3)))));
        self.about(name, &words, |world| world.found(name, asked.filter.as_ref(), &order, None))
    }

    fn found(
        &self,
        name: &str,
        filter: Option<&Filter>,
        order: &[OrderBy],
        limit: Option<(usize, usize)>,
    ) -> Expect {
        let collection = naive_collection(self, name);
        let keys = collection.find(filter, order, limit, 0).into_iter();
        Expect::Keys(keys.map(str::to_owned).collect())
    }

    pub fn distinct(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let asked = self.asked(name, random);
        let path = aggregate::distinct(random, &self.space().schema(name), &language());
        let mut words = vec!["DOC.DISTINCT".to_owned(), name.to_owned(), path.text()];
        words.extend(asked.words);
        let values = naive_collection(self, name).distinct(&path, asked.filter.as_ref(), 0);
        self.about(name, &words, |world| Expect::Values(values, world.precision(name)))
    }

    pub fn aggregate(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let drawn = aggregate::aggregate(random, &self.space().schema(name), &language());
        let mut words = vec!["DOC.AGGREGATE".to_owned(), name.to_owned()];
        words.extend(drawn.arguments());
        let Ok(rows) = naive_collection(self, name).aggregate(&drawn, 0) else {
            return self.about(name, &words, |_| Expect::Error("OVERFLOW"));
        };
        let mut precisions = drawn.precisions();
        let least = self.precision(name);
        for (_, precision) in &mut precisions {
            *precision = if *precision == Precision::Text { least } else { *precision };
        }
        self.about(name, &words, |_| Expect::Results(rows, precisions))
    }

    /// How far the texts of the documents of a collection are known.
    fn precision(&self, name: &str) -> Precision {
        let is_exact = self.space().members(name).iter().all(|(_, doc)| doc.exact);
        if is_exact { Precision::Text } else { Precision::Value }
    }
}
