//! The cities: read from the file, and brought to the server.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use folio::Folio;
use folio::untyped::{Definition, Field, Index};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;

use crate::{Result, paths};

/// The collection of the demo.
pub const COLLECTION: &str = "cities";
/// How many documents the progress bar moves by.
const STEP: usize = 1_000;

/// A city with its key, in the order of the file, which is the order of birth.
pub type City = (String, Json);

/// Reads the cities, 34,006 of them.
pub fn read() -> Result<Vec<City>> {
    let path = paths::root().join("tests/data/cities.jsonl.gz");
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut cities = Vec::new();
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let city: Json = serde_json::from_str(&line?)?;
        let key = format!("{COLLECTION}:{}", city["geonameid"]);
        cities.push((key, city));
    }
    Ok(cities)
}

/// What is declared of the cities.
pub fn definition() -> Definition {
    let indexed = |path, kind, index| Field::new(path, kind).index(index);
    Definition::new(COLLECTION)
        .prefix("cities:")
        .field(indexed("name", "string", Index::Set))
        .field(indexed("countrycode", "string", Index::Set))
        .field(indexed("timezone", "string", Index::Set))
        .field(indexed("population", "int", Index::Sorted))
        .field(indexed("alternatenames", "array<string>", Index::Set))
}

/// Declares the collection and loads it, unless an earlier run has. Gives how many documents of the collection are
/// not of the file.
pub async fn load(db: &Folio, cities: &[City]) -> Result<u64> {
    let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
    if !names.iter().any(|name| name == COLLECTION) {
        load_all(db, cities).await?;
        return Ok(0);
    }
    let mut found = 0;
    for part in cities.chunks(STEP) {
        let keys: Vec<&str> = part.iter().map(|(key, _)| key.as_str()).collect();
        found += db.cmd("EXISTS").arg(keys).read::<u64>().await?;
    }
    if found < cities.len() as u64 {
        println!("found {found} cities of {}: loading again", cities.len());
        load_all(db, cities).await?;
    } else {
        println!("found {found} cities, nothing to load\n");
    }
    let there = db.count(COLLECTION, "").load().await?;
    let strange = there.saturating_sub(cities.len() as u64);
    if strange > 0 {
        println!(
            "cities holds {strange} documents that are not of the file: answers are not checked\n"
        );
    }
    Ok(strange)
}

async fn load_all(db: &Folio, cities: &[City]) -> Result {
    let definition = definition();
    println!("> DOC.CREATE {}", super::show::typed(definition.arguments()));
    db.create(&definition).await?;
    let bar = ProgressBar::new(cities.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} cities, {per_sec}")?);
    for part in cities.chunks(STEP) {
        for outcome in db.set_many(part).await? {
            outcome?;
        }
        bar.inc(part.len() as u64);
    }
    bar.abandon();
    let seconds = bar.elapsed().as_secs_f64();
    let rate = cities.len() as f64 / seconds;
    println!("loaded {} cities in {seconds:.2} s, {rate:.0} a second\n", cities.len());
    // A server that is killed later keeps what was loaded; if it is saving just now, it does so too.
    let _ = db.cmd("BGSAVE").arg("SCHEDULE").query::<()>().await;
    Ok(())
}
