//! Documents that are marked as deleted: absent to every answer that does not ask for them, and to UNIQUE; against a plain
//! list, under random writes.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use folio_engine::collection::{Collection, Digest};
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::exec::{self, Aggregate, Distinct, Find, Named, Request, fingerprint};
use folio_engine::plan::{self, Direction};
use folio_engine::query::{self, Ast, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{BatchChange, BatchWrite, Prepared, PreparedAll, Store};
use folio_engine::{Code, Limits};

const DEFINITION: &str = r#"{"collection":"t","fields":[
    {"path":"n","type":"int","index":"sorted"},
    {"path":"s","type":"string","index":"set"},
    {"path":"mail","type":"string","unique":true},
    {"path":"u","type":"int","unique":true,"index":"sorted"}],"indexes":[
    {"name":"pair","on":[{"path":"s"},{"path":"n","order":"desc"}]},
    {"name":"once","on":[{"path":"s"},{"path":"u"}],"unique":true},
    {"name":"few","on":[{"path":"n"}],"where":"s = 'a'"}]}"#;

fn definition(json: &str) -> Definition {
    Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
}

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

fn filter(text: &str) -> Arc<Ast> {
    query::parse(text, &Limits::default()).unwrap().into()
}

fn with_scope<R>(collection: &Collection, body: impl FnOnce(&Scope<'_>) -> R) -> R {
    let (params, limits) = (Params::default(), Limits::default());
    let definition = collection.definition();
    body(&Scope {
        definition,
        params: &params,
        now_ms: collection.now_ms(),
        limits: &limits,
        functions: None,
    })
}

fn find_of(collection: &Collection, text: Option<&str>, with_deleted: bool) -> Find {
    let bind = |text| with_scope(collection, |scope| query::bind(&filter(text), scope).unwrap());
    Find { filter: text.map(bind), with_total: true, scan: true, with_deleted, ..Find::default() }
}

fn keys_of(collection: &Collection, ids: &[u32]) -> Vec<String> {
    let mut key = Vec::new();
    let key_of = |id: &u32| {
        collection.key(*id, &mut key);
        String::from_utf8(key.clone()).unwrap()
    };
    ids.iter().map(key_of).collect()
}

/// A document as the list has it.
#[derive(Debug, Clone)]
struct Row {
    document: Document,
    key: String,
    n: Option<i64>,
    s: &'static str,
    mail: Option<u64>,
    u: Option<i64>,
    expires_ms: Option<i64>,
}

impl Row {
    fn json(&self) -> String {
        let mut json = format!(r#"{{"s":"{}""#, self.s);
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(json, r#","{name}":{value}"#).unwrap();
            }
        };
        add("n", self.n.map(|n| n.to_string()));
        add("mail", self.mail.map(|mail| format!("\"{mail}\"")));
        add("u", self.u.map(|u| u.to_string()));
        json + "}"
    }

    fn is_deleted(&self) -> bool {
        self.document.is_deleted()
    }

    /// Whether both hold a value that one alone may.
    fn shares(&self, other: &Row) -> bool {
        let same = |a: Option<i64>, b: Option<i64>| a.is_some() && a == b;
        (self.mail.is_some() && self.mail == other.mail) || same(self.u, other.u)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A primary, the replica that it tells of everything, and the list.
struct World {
    random: Random,
    /// How many there are.
    keys: u64,
    primary: Store,
    replica: Store,
    rows: BTreeMap<String, Row>,
    /// The replica's documents.
    copies: BTreeMap<String, Document>,
    now_ms: i64,
    building: Option<u64>,
}

impl World {
    fn new(seed: u64, keys: u64) -> Self {
        let (mut primary, mut replica) = (Store::new(1), Store::new(2));
        for store in [&mut primary, &mut replica] {
            store.create(0, definition(DEFINITION)).unwrap();
        }
        World {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            keys,
            primary,
            replica,
            rows: BTreeMap::new(),
            copies: BTreeMap::new(),
            now_ms: 1_000,
            building: None,
        }
    }

    fn key(&mut self) -> String {
        format!("t:{}", self.random.below(self.keys))
    }

    fn some(&mut self, percent: u64, end: u64) -> Option<u64> {
        self.random.chance(percent).then(|| self.random.below(end))
    }

    fn is_due(&self, row: &Row) -> bool {
        row.expires_ms.is_some_and(|at| at < self.now_ms)
    }

    /// What lapsed goes before a command meets it.
    fn open(&mut self, key: &str) -> Option<Row> {
        let row = self.rows.get(key).cloned()?;
        if self.is_due(&row) {
            self.remove(key);
            return None;
        }
        Some(row)
    }

    fn remove(&mut self, key: &str) {
        if let Some(row) = self.rows.remove(key) {
            self.primary.forget(0, key.as_bytes(), &row.document);
        }
        if let Some(copy) = self.copies.remove(key) {
            self.replica.forget(0, key.as_bytes(), &copy);
        }
    }

    /// The document that stands under a key now, told to the replica.
    fn put(&mut self, row: Row) {
        let (key, document) = (row.key.clone(), &row.document);
        let stamp = Stamp {
            seq: document.seq(),
            version: document.version(),
            created_ms: document.created_ms(),
            updated_ms: document.updated_ms(),
            is_deleted: document.is_deleted(),
            ..Stamp::default()
        };
        let (old, new) = (self.copies.get(&key), parsed(&row.json()));
        let name = key.as_bytes();
        let delta = self.replica.prepare_apply(0, name, old, &new, stamp, row.expires_ms).unwrap();
        let copy = self.replica.commit(delta);
        self.copies.insert(key.clone(), copy);
        self.rows.insert(key, row);
    }

    /// Whether a document that holds the values of `row`, under another key, is neither due nor deleted.
    fn is_taken(&self, row: &Row) -> bool {
        let others = self.rows.values().filter(|other| other.key != row.key);
        others.clone().any(|it| !it.is_deleted() && !self.is_due(it) && it.shares(row))
    }

    /// The server removes lapsed holders.
    fn release(&mut self, keys: Vec<Vec<u8>>) {
        for key in keys {
            self.remove(&String::from_utf8(key).unwrap());
        }
    }

    fn set(&mut self) {
        let key = self.key();
        let old = self.open(&key);
        let expires_ms = self.some(15, 200).map(|after| self.now_ms + after as i64);
        let mut row = Row {
            document: Document::new(&parsed("{}"), Stamp::default()),
            key: key.clone(),
            n: self.some(80, 12).map(|n| n as i64),
            s: ["a", "b", "c"][self.random.below(3) as usize],
            mail: self.some(60, 50),
            u: self.some(60, 50).map(|u| u as i64),
            expires_ms,
        };
        let (held, new) = (old.as_ref().map(|old| &old.document), parsed(&row.json()));
        loop {
            self.primary.lapse(0, "t", self.now_ms);
            let (name, now_ms) = (key.as_bytes(), self.now_ms);
            match self.primary.prepare(0, name, held, &new, now_ms, expires_ms) {
                Ok(Prepared::Ready(delta)) => row.document = self.primary.commit(delta),
                Ok(Prepared::Unchanged { .. }) => return,
                Ok(Prepared::Held { keys }) => {
                    self.release(keys);
                    continue;
                }
                Err(error) => {
                    assert_eq!((error.code, self.is_taken(&row)), (Code::Unique, true), "{error}");
                    return;
                }
            }
            break;
        }
        assert!(!self.is_taken(&row));
        if let Some(old) = &old {
            let is_birth = row.document.seq() != old.document.seq();
            assert_eq!(is_birth, old.is_deleted());
            assert_eq!(is_birth, row.document.created_ms() != old.document.created_ms());
            assert!(row.document.version() > old.document.version());
            // Whoever drops the value that stood there tells of it.
            self.primary.forget(0, key.as_bytes(), &old.document);
        }
        self.now_ms += 1;
        self.put(row);
    }

    /// Several documents are marked as deleted, or come back, all or none.
    fn mark(&mut self, is_deleted: bool) {
        let count = 1 + self.random.below(3);
        let keys: Vec<String> = (0..count).map(|_| self.key()).collect();
        let opened = keys.iter().filter_map(|key| self.open(key));
        let mut rows: Vec<Row> = opened.filter(|row| row.is_deleted() != is_deleted).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows.dedup_by(|a, b| a.key == b.key);
        let expires_ms = self.some(20, 200).map(|after| self.now_ms + after as i64);
        let is_refused = !is_deleted
            && (rows.iter().any(|row| self.is_taken(row))
                || rows
                    .iter()
                    .enumerate()
                    .any(|(at, row)| rows[..at].iter().any(|it| it.shares(row))));
        let deltas = loop {
            self.primary.lapse(0, "t", self.now_ms);
            let change = BatchChange::Mark { is_deleted, expires_ms };
            let write = |row: &'_ Row| (row.key.clone(), row.document.clone(), change);
            let held: Vec<_> = rows.iter().map(write).collect();
            let writes: Vec<BatchWrite<'_>> = held
                .iter()
                .map(|(key, old, change)| BatchWrite {
                    key: key.as_bytes(),
                    old: Some(old),
                    change: *change,
                })
                .collect();
            match self.primary.prepare_all(0, &writes, self.now_ms, &|| Ok(())) {
                Ok(PreparedAll::Ready(prepared)) => break prepared,
                Ok(PreparedAll::Held { keys }) => self.release(keys),
                Err(refused) => {
                    assert_eq!((refused.error.code, is_refused), (Code::Unique, true));
                    return;
                }
            }
        };
        assert!(!is_refused);
        for (row, prepared) in rows.into_iter().zip(deltas) {
            let Some(Prepared::Ready(delta)) = prepared else { panic!("{prepared:?}") };
            let document = self.primary.commit(delta);
            assert_eq!(document.deleted_ms(), is_deleted.then_some(self.now_ms));
            assert_eq!(document.seq(), row.document.seq());
            assert!(document.version() > row.document.version());
            self.put(Row { document, expires_ms, ..row });
        }
        self.now_ms += 1;
    }

    /// COPY or RENAME over whatever is there: nothing is judged.
    fn bring(&mut self) {
        let (from, to) = (self.key(), self.key());
        let Some(row) = self.open(&from).filter(|_| from != to) else { return };
        self.open(&to);
        let is_copy = self.random.chance(50);
        if is_copy && !row.is_deleted() && (row.mail.is_some() || row.u.is_some()) {
            // What shares values is the matter of other tests.
            return;
        }
        let copy = self.copies[&from].clone();
        let (document, copy) =
            if is_copy { (row.document.copy(), copy.copy()) } else { (row.document.clone(), copy) };
        self.remove(&to);
        let at = row.expires_ms;
        self.primary.adopt(0, to.as_bytes(), &document, at);
        self.replica.adopt(0, to.as_bytes(), &copy, at);
        if !is_copy {
            self.remove(&from);
        }
        self.copies.insert(to.clone(), copy);
        self.rows.insert(to.clone(), Row { document, key: to, ..row });
    }

    /// An index comes or goes, in slices.
    fn build(&mut self) {
        match self.building {
            None if self.random.chance(50) => {
                self.building = Some(self.primary.begin_reindex(0, "t").unwrap());
            }
            None => {}
            Some(number) => {
                let mut left = self.random.below(30);
                let goes_on = || {
                    left = left.saturating_sub(1);
                    left > 0
                };
                if self.primary.build_slice(number, goes_on) == Some(true) {
                    self.primary.judge_build(number, self.now_ms).unwrap();
                    drop(self.primary.finish_build(number));
                    self.building = None;
                }
            }
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..40 => self.set(),
            40..60 => self.mark(true),
            60..72 => self.mark(false),
            72..80 => {
                let key = self.key();
                self.remove(&key);
            }
            80..90 => self.bring(),
            90..94 => self.now_ms += 30,
            _ => self.build(),
        }
    }

    /// The documents that an answer is about, in the order of birth.
    fn seen(&self, with_deleted: bool) -> Vec<&Row> {
        let is_seen = |row: &&Row| !self.is_due(row) && (with_deleted || !row.is_deleted());
        let mut rows: Vec<&Row> = self.rows.values().filter(is_seen).collect();
        rows.sort_by_key(|row| row.document.seq());
        rows
    }

    fn check(&mut self) {
        for store in [&mut self.primary, &mut self.replica] {
            store.lapse(0, "t", self.now_ms);
            let collection = store.collection(0, "t").unwrap();
            assert_eq!(collection.verify(), Vec::<String>::new());
        }
        assert_eq!(digest(&self.primary), digest(&self.replica));
        let collection = self.primary.collection(0, "t").unwrap();
        assert_eq!(collection.len(), self.seen(false).len() as u64);
        let due = self.rows.values().filter(|row| self.is_due(row)).count();
        assert_eq!(collection.hidden(true).len(), due as u64);
        assert!(collection.indexes().iter().all(|index| index.conflicts() == 0));
    }

    /// The same documents, loaded in the order of their keys.
    fn reload(&self) {
        let mut store = Store::new(3);
        for (db, json) in self.primary.save_state() {
            store.load_state(db, json.as_bytes()).unwrap();
        }
        store.begin_load();
        for row in self.rows.values() {
            let document = &row.document;
            let stamp = Stamp {
                seq: document.seq(),
                version: document.version(),
                created_ms: document.created_ms(),
                updated_ms: document.updated_ms(),
                is_deleted: document.is_deleted(),
                ..Stamp::default()
            };
            let loaded = Document::new(&parsed(&row.json()), stamp);
            store.adopt(0, row.key.as_bytes(), &loaded, row.expires_ms);
        }
        store.end_load();
        store.lapse(0, "t", self.now_ms);
        assert_eq!(store.collection(0, "t").unwrap().verify(), Vec::<String>::new());
        assert_eq!(digest(&store), digest(&self.primary));
    }
}

fn digest(store: &Store) -> Digest {
    store.collection(0, "t").unwrap().digest()
}

type Predicate = (&'static str, fn(&Row) -> bool);

const PREDICATES: [Predicate; 15] = [
    ("n >= 4", |row| row.n >= Some(4)),
    ("n < 9", |row| row.n.is_some_and(|n| n < 9)),
    ("n IS MISSING", |row| row.n.is_none()),
    ("NOT n = 5", |row| row.n != Some(5)),
    ("s = 'a'", |row| row.s == "a"),
    ("s != 'b'", |row| row.s != "b"),
    ("mail = '7'", |row| row.mail == Some(7)),
    ("mail IN ('1', '2', '3', '4')", |row| row.mail.is_some_and(|it| (1..5).contains(&it))),
    ("mail IS NOT MISSING", |row| row.mail.is_some()),
    ("u BETWEEN 10 AND 30", |row| row.u.is_some_and(|u| (10..=30).contains(&u))),
    ("u IS MISSING", |row| row.u.is_none()),
    ("_deleted IS MISSING", |row| !row.is_deleted()),
    ("_deleted IS NOT MISSING", |row| row.is_deleted()),
    ("_deleted > time(1500)", |row| row.document.deleted_ms() > Some(1500)),
    ("NOT _deleted > time(1500)", |row| row.document.deleted_ms() <= Some(1500)),
];

impl World {
    /// Every kind of answer to one random question.
    fn ask(&mut self) {
        let with_deleted = self.random.chance(50);
        let asked: Vec<Predicate> =
            (0..self.random.below(4)).map(|_| PREDICATES[self.random.below(15) as usize]).collect();
        let is_or = self.random.chance(25);
        let order = [None, Some("n"), Some("-n"), Some("u"), Some("-u"), Some("-_seq")]
            [self.random.below(6) as usize];
        let texts: Vec<&str> = asked.iter().map(|(text, _)| *text).collect();
        let text = texts.join(if is_or { " OR " } else { " AND " });
        let text = Some(text.as_str()).filter(|text| !text.is_empty());
        let holds = |row: &&Row| {
            let mut each = asked.iter().map(|(_, holds)| holds(row));
            if asked.is_empty() || !is_or { each.all(|it| it) } else { each.any(|it| it) }
        };
        let mut rows: Vec<&Row> = self.seen(with_deleted).into_iter().filter(holds).collect();
        let collection = self.primary.collection(0, "t").unwrap();
        let find = ordered(find_of(collection, text, with_deleted), order);
        let context =
            || format!("{text:?} {order:?} {with_deleted} {}", explained(collection, &find));
        sort(&mut rows, order);
        let expected: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
        let found = exec::find(collection, &find, &Limits::default()).unwrap();
        assert_eq!(keys_of(collection, &found.ids), expected, "{}", context());
        assert_eq!(found.total, Some(rows.len() as u64), "{}", context());
        let counted = exec::count_all(collection, &find, &Limits::default());
        assert_eq!(counted, Ok(rows.len() as u64), "{}", context());
        assert_eq!(paged(collection, &find), expected, "{}", context());
        // How the answer comes without an index decides nothing.
        let sums = aggregated(collection, text, with_deleted);
        assert_eq!(sums, expected_sums(&rows), "{}", context());
        let distinct = distinct(collection, text, with_deleted);
        let mut values: Vec<String> = rows.iter().map(|row| format!("\"{}\"", row.s)).collect();
        values.sort();
        values.dedup();
        assert_eq!(distinct, values, "{}", context());
    }
}

fn explained(collection: &Collection, find: &Find) -> String {
    plan::explain(collection, find, false, &Limits::default(), None).join("\n")
}

fn ordered(find: Find, order: Option<&str>) -> Find {
    let order = order.map(|name| {
        let way = if name.starts_with('-') { Direction::Descending } else { Direction::Ascending };
        let subject = query::parse_subject(name.trim_start_matches('-'), &Limits::default());
        (subject.unwrap(), way)
    });
    Find { order: order.into_iter().collect(), ..find }
}

/// Rows in the order of birth are put into the one that is asked for.
fn sort(rows: &mut [&Row], order: Option<&str>) {
    match order {
        Some("n") => rows.sort_by_key(|row| row.n),
        Some("u") => rows.sort_by_key(|row| row.u),
        Some(descending) => {
            rows.reverse();
            match descending {
                "-n" => rows.sort_by_key(|row| Reverse(row.n)),
                "-u" => rows.sort_by_key(|row| Reverse(row.u)),
                _ => {}
            }
        }
        None => {}
    }
}

/// The keys of all pages, one after the other.
fn paged(collection: &Collection, find: &Find) -> Vec<String> {
    let query = fingerprint("t", None, &Params::default(), &find.order, find.with_deleted);
    let mut page = Find { limit: Some((0, 3)), query, ..find.clone() };
    let mut keys = Vec::new();
    loop {
        let found = exec::find(collection, &page, &Limits::default()).unwrap();
        keys.extend(keys_of(collection, &found.ids));
        let Some(cursor) = found.cursor else { return keys };
        page.after = Some(cursor);
    }
}

/// Count, sum, least and greatest of all, and the count of each `s`.
fn aggregated(collection: &Collection, text: Option<&str>, with_deleted: bool) -> Vec<String> {
    let named = |text| Named { text, name: None };
    let mut rows = Vec::new();
    for (keys, reducers) in
        [(&[][..], &["count()", "sum(n)", "max(u)", "count(u)"][..]), (&["s"], &["count()"])]
    {
        let request = Request {
            filter: text.map(filter),
            keys: keys.iter().copied().map(named).collect(),
            reducers: reducers.iter().copied().map(named).collect(),
            scan: true,
            with_deleted,
            ..Request::default()
        };
        let bound = with_scope(collection, |scope| Aggregate::bind(&request, scope).unwrap());
        let found = exec::aggregate(collection, &bound, &Limits::default()).unwrap();
        rows.extend(found.into_iter().map(|row| String::from_utf8(row.into()).unwrap()));
    }
    rows
}

fn expected_sums(rows: &[&Row]) -> Vec<String> {
    let sum: i64 = rows.iter().filter_map(|row| row.n).sum();
    let max = rows.iter().filter_map(|row| row.u).max();
    let max = max.map_or("null".to_owned(), |max| max.to_string());
    let known = rows.iter().filter(|row| row.u.is_some()).count();
    let count = rows.len();
    let all = format!(r#"{{"count()":{count},"sum(n)":{sum},"max(u)":{max},"count(u)":{known}}}"#);
    let mut each: BTreeMap<&str, u32> = BTreeMap::new();
    for row in rows {
        *each.entry(row.s).or_default() += 1;
    }
    let each = each.into_iter().map(|(s, count)| format!(r#"{{"s":"{s}","count()":{count}}}"#));
    std::iter::once(all).chain(each).collect()
}

fn distinct(collection: &Collection, text: Option<&str>, with_deleted: bool) -> Vec<String> {
    let ast = text.map(filter);
    let bound = with_scope(collection, |scope| Distinct::bind("s", ast.as_deref(), true, scope));
    let bound = Distinct { with_deleted, ..bound.unwrap() };
    let found = exec::distinct(collection, &bound, &Limits::default()).unwrap();
    found.into_iter().map(|text| String::from_utf8(text.into()).unwrap()).collect()
}

#[test]
fn answers_with_and_without_deleted_documents_are_those_of_a_plain_list() {
    for seed in 0..12 {
        let mut world = World::new(seed, 40);
        for step in 0..700 {
            world.step();
            world.check();
            world.ask();
            if step % 50 == 0 {
                world.reload();
            }
        }
    }
}

#[test]
fn a_count_that_an_index_tells_leaves_out_the_few_that_are_hidden() {
    for seed in 0..3 {
        let mut world = World::new(seed, 2_000);
        for _ in 0..1_500 {
            world.set();
        }
        for _ in 0..20 {
            world.mark(true);
            world.check();
            for _ in 0..40 {
                world.ask();
            }
        }
        let deleted = world.rows.values().filter(|row| row.is_deleted()).count();
        assert!((1..40).contains(&deleted), "{deleted}");
    }
}
