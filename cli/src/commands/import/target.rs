//! The collection that documents go into.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::context::Context;
use crate::outcome::Failure;

/// What has to be known of a collection.
#[derive(Clone, Debug)]
pub struct Target {
    pub collection: String,
    /// What keys begin with.
    pub prefix: String,
    pub is_declared: bool,
    /// The declared types of paths.
    pub types: HashMap<String, String>,
}

impl Target {
    /// One that nobody has declared.
    pub fn of(collection: &str, types: HashMap<String, String>) -> Self {
        let prefix = format!("{collection}:");
        Self { collection: collection.into(), prefix, is_declared: false, types }
    }

    /// Asks the server.
    pub async fn ask(context: &Context, collection: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Info {
            declared: bool,
        }
        let info: folio::Result<Info> = context.db.cmd("DOC.INFO").arg(collection).read().await;
        let is_declared = match info {
            Ok(info) => info.declared,
            Err(error) if error.code() == Some("NOCOLLECTION") => false,
            Err(error) => return Err(error.into()),
        };
        if !is_declared {
            if collection.contains(':') {
                let why = format!("'{collection}' is not declared, and such a name has no ':'");
                return Err(Failure::Usage(why));
            }
            return Ok(Self::of(collection, HashMap::new()));
        }
        let text: String = context.db.cmd("DOC.SCHEMA").arg(collection).read().await?;
        let definition: Json = serde_json::from_str(&text)
            .map_err(|error| Failure::Data(format!("DOC.SCHEMA {collection}: {error}")))?;
        let mut target = Self::of(collection, types(&definition));
        target.is_declared = true;
        if let Some(prefix) = definition["prefix"].as_str() {
            target.prefix = prefix.into();
        }
        Ok(target)
    }
}

/// The types of a definition's fields.
fn types(definition: &Json) -> HashMap<String, String> {
    let fields = definition["fields"].as_array().into_iter().flatten();
    let types = fields.filter_map(|field| {
        let (path, name) = (field["path"].as_str()?, field["type"].as_str()?);
        Some((path.to_owned(), name.to_owned()))
    });
    types.collect()
}
