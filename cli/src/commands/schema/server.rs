//! What a server has declared.

use std::time::Duration;

use folio::Folio;
use serde::Deserialize;

use super::definition::Definition;
use crate::context::Context;
use crate::outcome::Failure;

/// A collection of the server.
#[derive(Debug)]
pub struct Held {
    /// None if it is not declared.
    pub definition: Option<Definition>,
    pub documents: u64,
}

/// How far a declaration is that is being built.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Building {
    pub done: u64,
    pub documents: u64,
}

/// What `DOC.INFO` tells.
#[derive(Debug, Deserialize)]
struct Info {
    declared: bool,
    documents: u64,
    deleted: u64,
    building: Vec<Building>,
}

/// What is there of a collection.
pub async fn held(collection: &str, context: &Context) -> Result<Held, Failure> {
    let Some(info) = info(collection, &context.db).await? else {
        return Ok(Held { definition: None, documents: 0 });
    };
    let definition = if info.declared { declared(collection, &context.db).await? } else { None };
    Ok(Held { definition, documents: info.documents + info.deleted })
}

/// The declaration that is being built, if one is. It costs the server a look at the entries of all indexes.
pub async fn building(collection: &str, db: &Folio) -> Result<Option<Building>, Failure> {
    let info = info(collection, db).await?;
    Ok(info.and_then(|info| info.building.first().copied()))
}

/// The names of all collections.
pub async fn collections(context: &Context) -> Result<Vec<String>, Failure> {
    Ok(context.db.cmd("DOC.LIST").read().await?)
}

/// The definition of a collection as text; none where nothing is there.
pub async fn schema(collection: &str, db: &Folio) -> Result<Option<String>, Failure> {
    match db.cmd("DOC.SCHEMA").arg(collection).read().await {
        Err(error) if error.code() == Some("NOCOLLECTION") => Ok(None),
        told => Ok(Some(told?)),
    }
}

/// The client whose connection waits for a declaration that is built over documents: it has one to itself, and time.
pub fn patient(context: &Context) -> Folio {
    const BUILD_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);
    context.db.pooled().with_timeout(BUILD_TIMEOUT)
}

async fn info(collection: &str, db: &Folio) -> Result<Option<Info>, Failure> {
    match db.cmd("DOC.INFO").arg(collection).read().await {
        Err(error) if error.code() == Some("NOCOLLECTION") => Ok(None),
        told => Ok(Some(told?)),
    }
}

async fn declared(collection: &str, db: &Folio) -> Result<Option<Definition>, Failure> {
    let Some(text) = schema(collection, db).await? else { return Ok(None) };
    let wrong = |what| Failure::Data(format!("the server's definition of {collection}: {what}"));
    Definition::read(&text).map(Some).map_err(wrong)
}
