//! The questions, each with the same question put to the file's lines by a plain search.

use serde_json::Value as Json;

use super::data::City;

/// What is asked of the server.
pub struct Question {
    /// In words.
    pub title: &'static str,
    /// `FIND` or `COUNT`.
    pub verb: &'static str,
    /// What stands after the collection.
    pub arguments: Vec<&'static str>,
    /// The fields to show.
    pub fields: &'static [&'static str],
    /// What the plain search finds.
    pub search: Search,
}

/// A plain search over every city.
pub struct Search {
    /// What a city must be like.
    pub matches: fn(&Json) -> bool,
    /// The field that orders the answer, the greatest first; by birth without one.
    pub by: Option<&'static str>,
    /// How many are wanted at most.
    pub limit: usize,
}

impl Search {
    /// The cities found, whole and in order, before the limit.
    pub fn run<'a>(&self, cities: &'a [City]) -> Vec<&'a City> {
        let mut found: Vec<&City> =
            cities.iter().filter(|(_, city)| (self.matches)(city)).collect();
        if let Some(field) = self.by {
            let value = |city: &City| city.1[field].as_f64().unwrap_or(f64::MIN);
            found.sort_by(|a, b| value(a).total_cmp(&value(b)));
            // Equals follow birth in the direction of the order.
            found.reverse();
        }
        found
    }
}

fn country(city: &Json) -> &str {
    city["countrycode"].as_str().unwrap_or_default()
}

fn zone(city: &Json) -> &str {
    city["timezone"].as_str().unwrap_or_default()
}

fn people(city: &Json) -> i64 {
    city["population"].as_i64().unwrap_or_default()
}

fn is_called(city: &Json, name: &str) -> bool {
    let others = city["alternatenames"].as_array();
    city["name"] == name || others.is_some_and(|names| names.iter().any(|other| other == name))
}

const BY_SIZE: [&str; 4] = ["ORDER", "1", "population", "DESC"];

/// What is asked and can be answered from indexes.
pub fn questions() -> Vec<Question> {
    let mut questions = finds();
    questions.extend(counts());
    questions
}

fn find(
    title: &'static str,
    filter: &'static str,
    rest: &[&'static str],
    fields: &'static [&'static str],
    search: Search,
) -> Question {
    let arguments = [&["WHERE", filter][..], rest].concat();
    Question { title, verb: "FIND", arguments, fields, search }
}

fn by_size(matches: fn(&Json) -> bool, limit: usize) -> Search {
    Search { matches, by: Some("population"), limit }
}

fn finds() -> Vec<Question> {
    vec![
        find(
            "The ten largest cities of Japan",
            "countrycode = 'JP'",
            &[&BY_SIZE[..], &["LIMIT", "0", "10"]].concat(),
            &["name", "population"],
            by_size(|city| country(city) == "JP", 10),
        ),
        find(
            "Which cities does anyone call Alexandria?",
            "name = 'Alexandria' OR alternatenames HAS 'Alexandria'",
            &BY_SIZE,
            &["name", "countrycode", "population", "alternatenames"],
            by_size(|city| is_called(city, "Alexandria"), usize::MAX),
        ),
        find(
            "The largest cities on Paris time, in France or not",
            "timezone = 'Europe/Paris'",
            &[&BY_SIZE[..], &["LIMIT", "0", "3"]].concat(),
            &["name", "countrycode", "population"],
            by_size(|city| zone(city) == "Europe/Paris", 3),
        ),
        find(
            "A list as a parameter: the largest of the Low Countries, and how many there are",
            "countrycode IN $countries",
            &[
                &["PARAMS", "1", "countries", r#"["BE","NL","LU"]"#],
                &BY_SIZE[..],
                &["LIMIT", "0", "5", "WITHTOTAL"],
            ]
            .concat(),
            &["name", "countrycode", "population"],
            by_size(|city| ["BE", "NL", "LU"].contains(&country(city)), 5),
        ),
        find(
            "Large cities that nobody gives another name",
            "population > 1000000 AND alternatenames[*] IS MISSING",
            &[&BY_SIZE[..], &["LIMIT", "0", "5", "WITHTOTAL"]].concat(),
            &["name", "countrycode", "population"],
            by_size(
                |city| {
                    people(city) > 1_000_000
                        && city["alternatenames"].as_array().is_some_and(Vec::is_empty)
                },
                5,
            ),
        ),
    ]
}

fn count(title: &'static str, filter: &'static str, matches: fn(&Json) -> bool) -> Question {
    let search = Search { matches, by: None, limit: 0 };
    let arguments = if filter.is_empty() { vec![] } else { vec!["WHERE", filter] };
    Question { title, verb: "COUNT", arguments, fields: &[], search }
}

fn counts() -> Vec<Question> {
    vec![
        count("How many cities are there?", "", |_| true),
        count(
            "How many of one to two million outside China and India?",
            "population BETWEEN 1000000 AND 2000000 AND countrycode NOT IN ('CN', 'IN')",
            |city| {
                (1_000_000..=2_000_000).contains(&people(city))
                    && !["CN", "IN"].contains(&country(city))
            },
        ),
        count(
            "How many in the United States on neither New York's nor Chicago's time?",
            "countrycode = 'US' AND NOT (timezone = 'America/New_York' OR timezone = 'America/Chicago')",
            |city| {
                let near = ["America/New_York", "America/Chicago"].contains(&zone(city));
                country(city) == "US" && !near
            },
        ),
    ]
}

/// What no index answers.
pub fn northernmost() -> Question {
    find(
        "North of 69 degrees, which no index knows",
        "latitude > 69",
        &["ORDER", "1", "latitude", "DESC", "SCAN"],
        &["name", "countrycode", "latitude"],
        Search {
            matches: |city| city["latitude"].as_f64().is_some_and(|latitude| latitude > 69.0),
            by: Some("latitude"),
            limit: usize::MAX,
        },
    )
}
