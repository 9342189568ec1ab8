//! `folio dump`.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;

use super::file::Writer;
use super::format::{Collection, FORMAT, Header, Line};
use super::source::Documents;
use super::{DumpArgs, bar};
use crate::commands::schema::definition::Definition;
use crate::commands::schema::server;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::{line, note};

pub async fn run(args: DumpArgs, context: &Context) -> Result<Outcome, Failure> {
    tokio::select! {
        saved = save(&args, context) => saved,
        _ = tokio::signal::ctrl_c() => Ok(Outcome::Interrupted),
    }
}

async fn save(args: &DumpArgs, context: &Context) -> Result<Outcome, Failure> {
    let collections = collections(args, context).await?;
    let functions = functions(args, &collections, context).await?;
    let mut writer = Writer::create(&args.output)?;
    writer.write(&Line::Header(Header {
        format: FORMAT,
        folio: env!("CARGO_PKG_VERSION").into(),
        server: server_version(context).await?,
        at: Timestamp::now().to_string(),
        collections: collections.iter().map(|it| it.name.clone()).collect(),
    }))?;
    if let Some(functions) = functions {
        writer.write(&Line::Functions(functions))?;
    }
    let bar = bar(count(&collections, context).await?, context);
    for collection in &collections {
        writer.write(&Line::Collection(collection.clone()))?;
        save_documents(&collection.name, &mut writer, &bar, context).await?;
    }
    bar.finish_and_clear();
    let documents = writer.finish()?;
    if context.out.is_json() && args.output != "-" {
        let told = json!({ "documents": documents, "collections": collections.len() });
        line(&told.to_string())?;
    } else if !context.options.quiet {
        note(&format!("{documents} documents of {} collections", collections.len()));
    }
    Ok(Outcome::Done)
}

async fn save_documents(
    collection: &str,
    writer: &mut Writer,
    bar: &ProgressBar,
    context: &Context,
) -> Result<(), Failure> {
    let mut documents = Documents::of(collection, &context.db);
    while let Some(page) = documents.next().await? {
        bar.inc(page.len() as u64);
        for document in page {
            writer.write(&Line::Document(document))?;
        }
    }
    Ok(())
}

/// What is to be saved, as it is declared.
async fn collections(args: &DumpArgs, context: &Context) -> Result<Vec<Collection>, Failure> {
    let names =
        if args.all { server::collections(context).await? } else { args.collections.clone() };
    let mut collections = Vec::with_capacity(names.len());
    for name in names {
        let Some(text) = server::schema(&name, &context.db).await? else {
            return Err(Failure::Data(format!("{name}: no such collection is there")));
        };
        let declared = server::held(&name, context).await?.definition.is_some();
        let definition = RawValue::from_string(text);
        let definition = definition.map_err(|error| Failure::Data(format!("{name}: {error}")))?;
        collections.push(Collection { name, declared, definition });
    }
    Ok(collections)
}

/// All functions, or those that the declarations name; none where there are none.
async fn functions(
    args: &DumpArgs,
    collections: &[Collection],
    context: &Context,
) -> Result<Option<Box<RawValue>>, Failure> {
    let mut names = BTreeSet::new();
    for Collection { name, definition, .. } in collections {
        let read = Definition::read(definition.get());
        names.extend(read.map_err(|what| Failure::Data(format!("{name}: {what}")))?.functions());
    }
    if names.is_empty() && !args.all {
        return Ok(None);
    }
    let names = if args.all { Vec::new() } else { names.into_iter().collect() };
    let text: String = context.db.cmd("DOC.FUNCTION").arg(("DUMP", names)).read().await?;
    if text == "[]" {
        return Ok(None);
    }
    RawValue::from_string(text)
        .map(Some)
        .map_err(|error| Failure::Data(format!("DOC.FUNCTION DUMP: {error}")))
}

/// How many documents there are, where somebody wants to know.
async fn count(collections: &[Collection], context: &Context) -> Result<u64, Failure> {
    let mut all = 0;
    if context.shows_progress() {
        for collection in collections {
            let words = (collection.name.as_str(), "WITHDELETED");
            all += context.db.cmd("DOC.COUNT").arg(words).read::<u64>().await?;
        }
    }
    Ok(all)
}

async fn server_version(context: &Context) -> Result<String, Failure> {
    let info: String = context.db.cmd("INFO").arg("server").read().await?;
    let told = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
    let version = told("valkey_version:").or_else(|| told("redis_version:"));
    Ok(version.unwrap_or_default().trim().to_owned())
}
