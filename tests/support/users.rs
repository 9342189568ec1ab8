//! Workload U: users, the documents by which speed and memory are judged. The same bytes on every machine.
//!
//! ```text
//! name        256 combinations          score       0.01 to 99.99
//! email       unique                    created_at  epoch seconds over 1e8
//! age         18 to 90                  bio         233 characters of words, not indexed
//! city        100 values
//! tags        three of 50               about 400 bytes in all
//! ```
//! Six indexes: email unique, city and the elements of tags hashed, age, score and `created_at` sorted.

use std::fmt::Write;

use crate::generate::Random;

/// What `DOC.CREATE` is given for the six indexes.
pub const CREATE: &str = "DOC.CREATE users \
    FIELD name string FIELD email string UNIQUE FIELD age int INDEX SORTED FIELD city string INDEX SET \
    FIELD tags array<string> INDEX SET FIELD score float INDEX SORTED FIELD created_at int INDEX SORTED";

/// The fields that [`CREATE`] indexes as members of a definition in JSON.
pub const FIELDS: &str = r#"{"path":"email","type":"string","unique":true},
    {"path":"age","type":"int","index":"sorted"},{"path":"city","type":"string","index":"set"},
    {"path":"tags","type":"array<string>","index":"set"},
    {"path":"score","type":"float","index":"sorted"},
    {"path":"created_at","type":"int","index":"sorted"}"#;

/// Characters of the biography.
const BIO_CHARS: usize = 233;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Hedy", "John", "Karen", "Ken",
    "Leslie", "Margaret", "Niklaus", "Radia", "Shafi", "Tony",
];
const LAST_NAMES: [&str; 16] = [
    "Allen",
    "Backus",
    "Dijkstra",
    "Goldwasser",
    "Hamilton",
    "Hoare",
    "Hopper",
    "Lamarr",
    "Lamport",
    "Liskov",
    "Lovelace",
    "Perlman",
    "Spark",
    "Thompson",
    "Turing",
    "Wirth",
];
const WORDS: [&str; 32] = [
    "after", "all", "began", "book", "city", "early", "found", "garden", "had", "her", "in",
    "journey", "known", "late", "letters", "machine", "many", "never", "of", "older", "people",
    "quiet", "river", "she", "some", "the", "their", "to", "very", "winter", "with", "years",
];

/// The key of user `n`.
pub fn key(n: u64) -> String {
    format!("users:{n}")
}

/// User `n` as it was first written.
pub fn json(n: u64) -> String {
    revised(n, 0)
}

/// User `n` after so many changes, each of which gives every field but the email another value.
pub fn revised(n: u64, revision: u64) -> String {
    let mut random = Random::new(n ^ revision.rotate_left(40));
    let (first, last) = (random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
    let (age, city) = (18 + random.below(73), random.below(100));
    // Three different ones: steps of 1 to 16 in a circle of 50.
    let tag = random.below(50);
    let second = tag + 1 + random.below(16);
    let tags = [tag, second % 50, (second + 1 + random.below(16)) % 50];
    let score = 1 + random.below(9_999);
    let created_at = 1_600_000_000 + random.below(100_000_000);
    let mut json = String::with_capacity(432);
    write!(
        json,
        r#"{{"name":"{first} {last}","email":"user.{n:07}@example.com","age":{age},"city":"City {city:02}","#
    )
    .and_then(|()| write!(json, r#""tags":["tag-{:02}","tag-{:02}","tag-{:02}"],"#, tags[0], tags[1], tags[2]))
    .and_then(|()| write!(json, r#""score":{}.{:02},"created_at":{created_at},"bio":""#, score / 100, score % 100))
    .expect("a string takes everything");
    let end = json.len() + BIO_CHARS;
    while json.len() < end {
        json += random.pick(&WORDS);
        json.push(' ');
    }
    json.truncate(end);
    json += "\"}";
    json
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn users_are_what_the_workload_says() {
        let users: Vec<serde_json::Value> =
            (0..2_000).map(|n| serde_json::from_str(&json(n)).unwrap()).collect();
        let distinct = |name: &str| {
            users.iter().map(|user| user[name].to_string()).collect::<HashSet<_>>().len()
        };
        assert_eq!((distinct("email"), distinct("city"), distinct("age")), (2_000, 100, 73));
        assert_eq!(distinct("name"), 256);
        let bytes: usize = (0..2_000).map(|n| json(n).len()).sum();
        assert_eq!(bytes / 2_000, 400);
        for user in &users {
            let tags: HashSet<_> = user["tags"].as_array().unwrap().iter().collect();
            assert_eq!(tags.len(), 3);
            assert_eq!(user["bio"].as_str().unwrap().len(), BIO_CHARS);
            assert!((0.01..=99.99).contains(&user["score"].as_f64().unwrap()));
        }
        assert_ne!(json(7), revised(7, 1));
        assert_eq!(json(7), json(7));
    }
}
