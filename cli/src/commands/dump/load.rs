//! `folio restore`.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::file::{Contents, Lines, Source};
use super::format::{Collection, Line};
use super::write::{Account, How, Writes};
use super::{RestoreArgs, bar};
use crate::commands::schema::compare::compare;
use crate::commands::schema::definition::Definition;
use crate::commands::schema::server;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::note;

pub async fn run(args: RestoreArgs, context: &Context) -> Result<Outcome, Failure> {
    // All of it is read before anything is written.
    let source = Source::open(&args.file)?;
    let contents = source.verify()?;
    let chosen = chosen(&args, contents)?;
    judge(&chosen, args.replace, context).await?;
    tokio::select! {
        loaded = load(&args, &source, &chosen, context) => loaded,
        _ = tokio::signal::ctrl_c() => {
            note("folio: some documents are restored, others are not; --replace begins anew");
            Ok(Outcome::Interrupted)
        }
    }
}

/// The collections that are meant.
fn chosen(args: &RestoreArgs, contents: Contents) -> Result<Vec<(Collection, u64)>, Failure> {
    if args.only.is_empty() {
        return Ok(contents.collections);
    }
    let held = |name: &&String| contents.collections.iter().any(|(it, _)| it.name == **name);
    if let Some(missing) = args.only.iter().find(|name| !held(name)) {
        let all = contents.header.collections.join(", ");
        let file = &args.file;
        return Err(Failure::Data(format!("{file}: no collection {missing}; it has {all}")));
    }
    let is_meant = |(it, _): &(Collection, u64)| args.only.contains(&it.name);
    Ok(contents.collections.into_iter().filter(is_meant).collect())
}

/// Nothing that is there is overwritten, unless it may be.
async fn judge(
    chosen: &[(Collection, u64)],
    may_replace: bool,
    context: &Context,
) -> Result<(), Failure> {
    if may_replace {
        return Ok(());
    }
    for (collection, _) in chosen {
        let name = &collection.name;
        let held = server::held(name, context).await?;
        if held.documents > 0 {
            let count = held.documents;
            let what = format!("{name} has {count} documents already; --replace drops them");
            return Err(Failure::Data(what));
        }
        if let Some(held) = &held.definition
            && (!collection.declared || !compare(held, &definition(collection)?).is_empty())
        {
            let what = format!("{name} is declared in another way; --replace drops that");
            return Err(Failure::Data(what));
        }
    }
    Ok(())
}

fn definition(collection: &Collection) -> Result<Definition, Failure> {
    let read = Definition::read(collection.definition.get());
    read.map_err(|what| Failure::Data(format!("{}: {what}", collection.name)))
}

async fn load(
    args: &RestoreArgs,
    source: &Source,
    chosen: &[(Collection, u64)],
    context: &Context,
) -> Result<Outcome, Failure> {
    if args.replace {
        for (collection, _) in chosen {
            drop_collection(&collection.name, context).await?;
        }
    }
    let mut lines = source.lines()?;
    let mut used = BTreeSet::new();
    for (collection, _) in chosen {
        used.extend(definition(collection)?.functions());
    }
    let is_all = args.only.is_empty();
    let bar = bar(chosen.iter().map(|(_, documents)| documents).sum(), context);
    let mut writes = Writes::connect(context).await?;
    let mut next = lines.next()?;
    while let Some(line) = next {
        next = match line {
            Line::Functions(functions) => {
                load_functions(&functions, (!is_all).then_some(&used), args, context).await?;
                lines.next()?
            }
            Line::Collection(collection) => {
                let is_meant = chosen.iter().any(|(it, _)| it.name == collection.name);
                if is_meant {
                    declare(&collection, context).await?;
                }
                let has_ttl = definition(&collection)?.members.contains_key("ttl");
                let how = How { as_writes: args.as_writes, has_ttl };
                load_documents(&mut lines, is_meant.then_some(how), &bar, &mut writes).await?
            }
            _ => lines.next()?,
        };
    }
    bar.finish_and_clear();
    tell(&writes.account, chosen.len(), context)?;
    Ok(if writes.account.refused > 0 { Outcome::Found } else { Outcome::Done })
}

/// Takes away what stands in the place of a collection.
async fn drop_collection(name: &str, context: &Context) -> Result<(), Failure> {
    let held = server::held(name, context).await?;
    if held.definition.is_none() {
        if held.documents == 0 {
            return Ok(());
        }
        // Only what is declared can be dropped.
        server::patient(context).cmd("DOC.CREATE").arg(name).query::<()>().await?;
    }
    let words = (name, "DOCUMENTS");
    Ok(context.db.cmd("DOC.DROP").arg(words).query().await?)
}

/// Loads the functions of the file, or those that are used.
async fn load_functions(
    functions: &RawValue,
    used: Option<&BTreeSet<String>>,
    args: &RestoreArgs,
    context: &Context,
) -> Result<(), Failure> {
    let mut text = functions.get().to_owned();
    if let Some(used) = used {
        let all: Vec<Json> = serde_json::from_str(&text)
            .map_err(|error| Failure::Data(format!("the functions: {error}")))?;
        let is_used = |it: &Json| it["name"].as_str().is_some_and(|name| used.contains(name));
        text = all.into_iter().filter(is_used).collect::<Json>().to_string();
    }
    let replace = args.replace.then_some("REPLACE");
    Ok(context.db.cmd("DOC.FUNCTION").arg(("RESTORE", text, replace)).query().await?)
}

async fn declare(collection: &Collection, context: &Context) -> Result<(), Failure> {
    if !collection.declared {
        return Ok(());
    }
    let words = (collection.name.as_str(), "DEFINITION", collection.definition.get());
    let declared = server::patient(context).cmd("DOC.CREATE").arg(words).query::<()>().await;
    declared.map_err(|error| match error.code() {
        Some(_) => Failure::Data(format!("{}: {error}", collection.name)),
        None => Failure::Server(error),
    })
}

/// Writes the documents up to the next line that is none, which is given back. Passes over them where it is not told how.
async fn load_documents(
    lines: &mut Lines,
    how: Option<How>,
    bar: &ProgressBar,
    writes: &mut Writes,
) -> Result<Option<Line>, Failure> {
    loop {
        match (lines.next()?, how) {
            (Some(Line::Document(document)), Some(how)) => {
                writes.add(document, how).await?;
                bar.inc(1);
            }
            (Some(Line::Document(_)), None) => {}
            (rest, how) => {
                if let Some(how) = how {
                    writes.flush(how).await?;
                }
                return Ok(rest);
            }
        }
    }
}

/// Tells what became of the documents.
fn tell(account: &Account, collections: usize, context: &Context) -> Result<(), Failure> {
    let Account { restored, lapsed, refused, refusals } = account;
    if context.out.is_json() {
        let told = |(key, error): &(String, String)| json!({ "key": key, "error": error });
        let told: Vec<Json> = refusals.iter().map(told).collect();
        let all = json!({
            "collections": collections, "restored": restored, "lapsed": lapsed,
            "refused": refused, "refusals": told,
        });
        return Ok(crate::output::line(&all.to_string())?);
    }
    for (key, error) in refusals {
        note(&format!("folio: {key}: {error}"));
    }
    if *refused > refusals.len() as u64 {
        note(&format!("folio: and {} more", refused - refusals.len() as u64));
    }
    if !context.options.quiet {
        let all = [
            (*restored, format!("documents of {collections} collections restored")),
            (*lapsed, "had lapsed".into()),
            (*refused, "were refused".into()),
        ];
        let told = all.iter().enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
        let told: Vec<String> = told.map(|(_, (count, what))| format!("{count} {what}")).collect();
        note(&told.join(", "));
    }
    Ok(())
}
