//! Queries, over workload U with its six indexes.

use std::collections::BTreeMap;

use folio_benches::driver::pack;
use folio_tests::{Client, reply, users};
use redis::{ProtocolVersion, Value};

use super::Bench;
use super::table::{Figures, Who, against, yardstick};
use super::target::{words, write};

pub const GET: &str = "GET, unpipelined";
/// How often a query is asked that takes some microseconds, one that takes longer, and any at least.
pub const TIMES: u64 = 20_000;
const TIMES_LONG: u64 = 50;
const TIMES_MIN: u64 = 3;
/// Up to so many documents those who take longer are asked as often.
const OFTEN: u64 = 100_000;
/// Of how many values each query's answers are compared before it is timed.
const COMPARED: u64 = 5;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub enum Question {
    /// The user of an e-mail address, by the user's number.
    Email(u64),
    /// Ten users of a city.
    City(u64),
    /// The ten users of a city with the highest scores, from 30 to 40 years of age.
    Top(u64),
    /// How many are of an age from this one to ten years more.
    Count(u64),
    /// The ten newest after a time.
    Newest(u64),
    /// Ten who have two tags.
    Tags(u64, u64),
    /// The average score in each city.
    ByCity,
    /// The average score at each age in a city.
    ByAge(u64),
}

/// A query: its name, its goal, whether its ratio is not to grow with the documents, and what is asked.
pub struct Query {
    /// What it is called.
    pub name: &'static str,
    goal: f64,
    is_steady: bool,
    /// How often Folio is asked.
    times: u64,
    /// How often those are asked who take longer.
    times_of_others: u64,
    question: fn(u64, u64) -> Question,
}

impl Query {
    const fn new(name: &'static str, goal: f64, question: fn(u64, u64) -> Question) -> Self {
        let times_of_others = TIMES / 4;
        Query { name, goal, is_steady: true, times: TIMES, times_of_others, question }
    }

    const fn times(self, times: u64, times_of_others: u64) -> Self {
        Query { times, times_of_others, ..self }
    }

    const fn growing(self) -> Self {
        Query { is_steady: false, ..self }
    }

    /// Where an answer takes as long as there are documents, a million of them would take an hour.
    fn times_of_others(&self, documents: u64) -> u64 {
        let is_long = self.times_of_others < TIMES / 4;
        let times = if is_long {
            OFTEN * self.times_of_others / documents.max(OFTEN)
        } else {
            self.times_of_others
        };
        times.max(TIMES_MIN)
    }

    /// What is asked for the nth time, of so many documents.
    pub fn question(&self, documents: u64, n: u64) -> Question {
        (self.question)(documents, n)
    }
}

/// All that is asked.
pub const QUERIES: [Query; 8] = [
    Query::new("email equality, the document", 1.3, |documents, n| {
        Question::Email(n * 7_919 % documents)
    }),
    Query::new("city equality, ten", 2.2, |_, n| Question::City(n % 100)),
    Query::new("city and ages, ten by score", 4.0, |_, n| Question::Top(n % 100))
        .times(TIMES / 4, 500),
    Query::new("count of an age range", 1.3, |_, n| Question::Count(20 + n % 50)),
    Query::new("newest percent, ten in order", 2.2, |_, n| {
        Question::Newest(1_699_000_000 + n % 1_000)
    }),
    Query::new("two tags, ten", 3.5, |_, n| Question::Tags(n % 50, (n + 3) % 50))
        .times(TIMES / 4, 500),
    Query::new("average score by city, all", 150.0, |_, _| Question::ByCity)
        .times(TIMES_LONG, 10)
        .growing(),
    Query::new("average score by age, a city", 8.0, |_, n| Question::ByAge(n % 100))
        .times(TIMES_LONG * 10, 200)
        .growing(),
];

/// How many rows each query has found, or what it has counted, for its first questions.
pub type Found = BTreeMap<&'static str, Vec<i64>>;

/// All of them; what they found is for others to find, too.
pub fn measure(bench: &mut Bench, figures: &mut Figures) -> Found {
    let users = bench.users;
    bench.empty(&[]);
    bench.target.pipelined(users.all(write("SET", 0)));
    let get = |n| pack(&words(["GET", &users::key(n * 7_919 % users.count)]));
    figures.take(yardstick(GET), bench.target.one_by_one((0..TIMES).map(get)));
    bench.empty(&[users::CREATE]);
    bench.target.pipelined(users.all(write("DOC.SET", 0)));
    for query in &QUERIES {
        let asked = |n| pack(&command(query.question(users.count, n)));
        let cost = bench.target.one_by_one((0..query.times).map(asked));
        let what = against(query.name, GET).goal(query.goal);
        figures.take(if query.is_steady { what.steady() } else { what }, cost);
    }
    found(&mut bench.client(), users.count, command, |_, value| match value {
        Value::Int(count) => count,
        rows => {
            let mut rows = reply::map(ProtocolVersion::RESP2, rows);
            reply::list(rows.remove("results").expect("an answer has results")).len() as i64
        }
    })
}

/// What is found by someone's commands: `rows` reads the number in an answer.
pub fn found(
    client: &mut Client,
    documents: u64,
    command: impl Fn(Question) -> Vec<String>,
    rows: impl Fn(Question, Value) -> i64,
) -> Found {
    let of_query = |query: &Query| {
        let of_question = |n| {
            let question = query.question(documents, n);
            let words = command(question);
            let value = client.call(&words.iter().map(String::as_str).collect::<Vec<_>>());
            rows(question, value)
        };
        (query.name, (0..COMPARED).map(of_question).collect())
    };
    QUERIES.iter().map(of_query).collect()
}

/// Asks someone else every query.
pub fn measure_others(
    target: &mut super::target::Target,
    documents: u64,
    figures: &mut Figures,
    who: Who,
    command: impl Fn(Question) -> Vec<String>,
) {
    for query in &QUERIES {
        let asked = |n| pack(&command(query.question(documents, n)));
        let cost = target.one_by_one((0..query.times_of_others(documents)).map(asked));
        figures.twin(who, query.name, cost);
    }
}

/// The e-mail address of a user.
pub fn email(n: u64) -> String {
    format!("user.{n:07}@example.com")
}

/// The name of a city.
pub fn city(n: u64) -> String {
    format!("City {n:02}")
}

/// A question as Folio is asked.
fn command(question: Question) -> Vec<String> {
    let find = |filter: &str, more: &str| {
        let mut find = words(["DOC.FIND", "users", "WHERE", filter]);
        find.extend(more.split_whitespace().map(str::to_owned));
        find
    };
    let aggregate = |from: &[&str], more: &str| {
        let words = ["DOC.AGGREGATE", "users"].iter().chain(from).copied();
        words.chain(more.split(' ')).map(str::to_owned).collect()
    };
    match question {
        Question::Email(n) => find(&format!("email = '{}'", email(n)), ""),
        Question::City(n) => find(&format!("city = '{}'", city(n)), "LIMIT 0 10"),
        Question::Top(n) => {
            let filter = format!("city = '{}' AND age BETWEEN 30 AND 40", city(n));
            find(&filter, "ORDER 1 score DESC LIMIT 0 10")
        }
        Question::Count(from) => {
            let filter = format!("age BETWEEN {from} AND {}", from + 10);
            words(["DOC.COUNT", "users", "WHERE", &filter])
        }
        Question::Newest(after) => {
            let filter = format!("created_at > {after}");
            find(&filter, "ORDER 1 created_at DESC LIMIT 0 10")
        }
        Question::Tags(a, b) => {
            let filter = format!("tags HAS 'tag-{a:02}' AND tags HAS 'tag-{b:02}'");
            find(&filter, "LIMIT 0 10")
        }
        Question::ByCity => aggregate(&[], "GROUP 1 city REDUCE 1 avg(score)"),
        Question::ByAge(n) => {
            let filter = format!("city = '{}'", city(n));
            aggregate(&["WHERE", &filter], "GROUP 1 age REDUCE 1 avg(score)")
        }
    }
}
