//! What is done without Folio: indexes as sets, sorted sets and a hash, which scripts move along with each SET.
//!
//! ```text
//! users:7                    the text                  idx:users:age          sorted set: age -> 7
//! idx:users:email            hash: address -> 7        idx:users:score        sorted set: score -> 7
//! idx:users:city:Paris       set of numbers            idx:users:created_at   sorted set: time -> 7
//! idx:users:tag:vip          set of numbers
//! ```
//! The scripts stand in `by_hand/`. They are as good as scripts can be made, and forgiving where Folio is not: a key that
//! expires leaves its entries behind, and nothing of this is checked.

use folio_tests::{Client, users};
use redis::Value;

use super::Bench;
use super::queries::{self, Found, Question};
use super::table::{Figures, Who};
use super::target::{biography, words};
use super::writes;

/// Each script, by what it is for.
struct Scripts {
    set: String,
    age: String,
    bio: String,
    email: String,
    city: String,
    top: String,
    newest: String,
    tags: String,
    by_city: String,
    by_age: String,
}

impl Scripts {
    /// The server keeps them under digests of theirs; a flush of its keys leaves them.
    fn load(client: &mut Client) -> Self {
        let mut load =
            |text| client.text(&["SCRIPT", "LOAD", text]).expect("a script has a digest");
        Scripts {
            set: load(include_str!("../by_hand/set.lua")),
            age: load(include_str!("../by_hand/age.lua")),
            bio: load(include_str!("../by_hand/bio.lua")),
            email: load(include_str!("../by_hand/email.lua")),
            city: load(include_str!("../by_hand/city.lua")),
            top: load(include_str!("../by_hand/top.lua")),
            newest: load(include_str!("../by_hand/newest.lua")),
            tags: load(include_str!("../by_hand/tags.lua")),
            by_city: load(include_str!("../by_hand/by_city.lua")),
            by_age: load(include_str!("../by_hand/by_age.lua")),
        }
    }

    fn write(&self, revision: u64) -> impl Fn(u64) -> Vec<String> {
        move |n| words(["EVALSHA", &self.set, "1", &users::key(n), &users::revised(n, revision)])
    }

    fn command(&self, question: Question) -> Vec<String> {
        let ask = |script: &str, of: &[&str]| {
            let words = ["EVALSHA", script, "0"].into_iter().chain(of.iter().copied());
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let tag = |n| format!("tag-{n:02}");
        match question {
            Question::Email(n) => ask(&self.email, &[&queries::email(n)]),
            Question::City(n) => ask(&self.city, &[&queries::city(n), "10"]),
            Question::Top(n) => ask(&self.top, &[&queries::city(n), "30", "40", "10"]),
            Question::Count(from) => {
                words(["ZCOUNT", "idx:users:age", &from.to_string(), &(from + 10).to_string()])
            }
            Question::Newest(after) => ask(&self.newest, &[&after.to_string(), "10"]),
            Question::Tags(a, b) => ask(&self.tags, &[&tag(a), &tag(b), "10"]),
            Question::ByCity => {
                let mut words = ask(&self.by_city, &[]);
                words.extend((0..100).map(queries::city));
                words
            }
            Question::ByAge(n) => ask(&self.by_age, &[&queries::city(n)]),
        }
    }
}

/// The same writes and queries as Folio's; what Folio has found has to be found here.
///
/// # Panics
/// Something else is found.
pub fn measure(bench: &mut Bench, figures: &mut Figures, expected: &Found) {
    let scripts = Scripts::load(&mut bench.client());
    let users = bench.users;
    bench.empty(&[]);
    let empty = bench.used_memory();
    let mut take = |name: &str, value| figures.twin(Who::ByHand, name, value);
    take(writes::NEW, bench.target.pipelined(users.all(scripts.write(0))));
    let bytes = bench.bytes_each(empty);
    take(writes::DOCUMENT, bytes);
    let command = |question| scripts.command(question);
    let found = queries::found(&mut bench.client(), users.count, command, |_, value| match value {
        Value::Int(count) => count,
        Value::Array(rows) => rows.iter().filter(|row| **row != Value::Nil).count() as i64,
        Value::Nil => 0,
        _ => 1,
    });
    assert_eq!(found, *expected, "what scripts find differs from what Folio does");
    queries::measure_others(&mut bench.target, users.count, figures, Who::ByHand, command);
    let mut take = |name: &str, value| figures.twin(Who::ByHand, name, value);
    take(writes::OVER, bench.target.pipelined(users.some(scripts.write(1))));
    let age = |n| words(["EVALSHA", &scripts.age, "1", &users::key(n), "1"]);
    take(writes::AGE, bench.target.pipelined(users.some(age)));
    let bio = |n| words(["EVALSHA", &scripts.bio, "1", &users::key(n), &biography(n)]);
    take(writes::BIO, bench.target.pipelined(users.some(bio)));
    layers(bench, figures, bytes);
}

/// What each index gives back when its keys are deleted, which leaves the documents. `MEMORY USAGE` does not know the sizes
/// that the allocator rounds to.
fn layers(bench: &Bench, figures: &mut Figures, bytes: f64) {
    let mut client = bench.client();
    let mut given_back = |keys: Vec<String>| {
        let before = bench.used_memory();
        for key in &keys {
            client.call(&["DEL", key]);
        }
        (before - bench.used_memory()) / bench.users.count as f64
    };
    let one = |name: &str| vec![format!("idx:users:{name}")];
    let cities = (0..100).map(|n| format!("idx:users:city:{}", queries::city(n))).collect();
    let tags = (0..50).map(|n| format!("idx:users:tag:tag-{n:02}")).collect();
    let of_each = [
        ("email", one("email")),
        ("city", cities),
        ("tags[*]", tags),
        ("age", one("age")),
        ("score", one("score")),
        ("created_at", one("created_at")),
    ];
    let mut indexes = 0.0;
    for (path, keys) in of_each {
        let bytes = given_back(keys);
        indexes += bytes;
        figures.twin(Who::ByHand, &writes::layer(path), bytes);
    }
    figures.twin(Who::ByHand, writes::LAYER_ALL, indexes);
    figures.twin(Who::ByHand, writes::LAYER_BASE, bytes - indexes);
}
