//! `folio verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use folio::Folio;
use serde_json::{Value as Json, json};

use crate::context::{Context, address};
use crate::outcome::{Failure, Outcome};
use crate::output::json::json;
use crate::output::table::table;

/// Recompute documents and indexes, and report each difference.
///
/// The server does this in one piece for each collection and serves nobody else meanwhile: ask a replica where that is too long.
/// With --against, what two servers hold is compared by digests. Ends with 4 if there is any difference.
#[derive(clap::Args)]
pub struct Args {
    /// The collections; all of them without one
    collections: Vec<String>,
    /// Another server, such as a replica: whether it holds the same
    #[arg(long, value_name = "URL")]
    against: Option<String>,
}

/// The server that is compared with.
struct Other {
    db: Folio,
    address: String,
}

/// What was found of a collection.
struct Found {
    collection: String,
    documents: Json,
    differences: Vec<String>,
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let other = match &args.against {
        Some(url) => Some(Other::open(url, context).await?),
        None => None,
    };
    let names = if args.collections.is_empty() {
        let mut names = list(&context.db).await?;
        if let Some(other) = &other {
            names.extend(list(&other.db).await?);
        }
        names.sort();
        names.dedup();
        names
    } else {
        args.collections
    };
    let mut found = Vec::new();
    for name in names {
        found.push(look(name, context, other.as_ref()).await?);
    }
    report(&found, context)?;
    let is_well = found.iter().all(|found| found.differences.is_empty());
    Ok(if is_well { Outcome::Done } else { Outcome::Found })
}

impl Other {
    async fn open(url: &str, context: &Context) -> Result<Self, Failure> {
        let timeout = Duration::from_secs(context.options.timeout);
        let db = Folio::builder(url).timeout(timeout).lazy()?;
        let address = address(url);
        db.check().await.map_err(|error| Failure::from(error).of_server(&address))?;
        Ok(Self { db, address })
    }
}

async fn list(db: &Folio) -> Result<Vec<String>, Failure> {
    Ok(db.cmd("DOC.LIST").read().await?)
}

async fn look(
    collection: String,
    context: &Context,
    other: Option<&Other>,
) -> Result<Found, Failure> {
    let db = &context.db;
    if let Some(other) = other {
        let own = digests(db, &collection).await?;
        let others = digests(&other.db, &collection).await;
        let others = others.map_err(|failure| failure.of_server(&other.address))?;
        let differences = compare(&own, &others);
        return Ok(Found { collection, documents: Json::Null, differences });
    }
    let differences: Vec<String> = db.cmd("DOC.VERIFY").arg(&collection).read().await?;
    let info = json(&db.cmd("DOC.INFO").arg(&collection).read_value().await?);
    Ok(Found { collection, documents: info["documents"].clone(), differences })
}

/// The digests of a collection by what they are of; none where the server has no such collection.
async fn digests(db: &Folio, collection: &str) -> Result<BTreeMap<String, String>, Failure> {
    let answer = match db.cmd("DOC.VERIFY").arg((collection, "DIGEST")).read_value().await {
        Ok(answer) => json(&answer),
        Err(error) if error.code() == Some("NOCOLLECTION") => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeMap::from([
        ("documents".to_owned(), word(&answer["documents"])),
        ("times".to_owned(), word(&answer["times"])),
    ]);
    for index in answer["indexes"].as_array().into_iter().flatten() {
        let name = format!("index {} ({})", word(&index["path"]), word(&index["kind"]));
        found.insert(name, word(&index["digest"]));
    }
    Ok(found)
}

/// What two servers do not have alike.
fn compare(own: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |name: &&String| own.get(*name) != others.get(*name);
    let all: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
    let word = |found: Option<&String>| found.map_or("none".to_owned(), Clone::clone);
    all.into_iter()
        .filter(differs)
        .map(|name| {
            format!("{name}: {} here, {} there", word(own.get(name)), word(others.get(name)))
        })
        .collect()
}

fn report(found: &[Found], context: &Context) -> Result<(), Failure> {
    let all: Vec<Json> = found
        .iter()
        .map(|it| {
            json!({ "collection": it.collection, "documents": it.documents, "differences": it.differences })
        })
        .collect();
    context.out.emit(&Json::Array(all), || {
        let mut drawn = table(["collection", "documents", "differences"]);
        for it in found {
            let documents =
                if it.documents.is_null() { String::new() } else { it.documents.to_string() };
            drawn.add_row([it.collection.clone(), documents, it.differences.len().to_string()]);
        }
        let told = found.iter().flat_map(|it| {
            it.differences
                .iter()
                .map(move |difference| format!("{}: {difference}\n", it.collection))
        });
        if found.is_empty() {
            return "no collections\n".to_owned();
        }
        format!("{drawn}\n{}", told.collect::<String>())
    })?;
    Ok(())
}
