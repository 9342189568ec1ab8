//! `DOC.ALTER`: another definition of a declared collection, made of changes or given whole. `DOC.REINDEX`: all indexes anew.

use folio_engine::schema::{Callee, Definition, Migrations};
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::collections::with_collection;
use super::create::{read_changes, read_field, read_json, read_mode, read_named};
use super::migrate::read_migration;
use super::{Answer, Args, Refusal, options};
use crate::acl::Right;
use crate::ffi::Ctx;
use crate::{builds, config, datatype, replicate, state};

/// What SET sets.
const SETTABLE: [&str; 5] = ["MODE", "CHANGES", options::TTL, options::IDS, "VALIDATE"];

/// What is to be changed of `held`, in the order in which it is said.
fn read(args: &mut Args<'_>, held: &Definition, limits: &Limits) -> Result<Definition> {
    let mut definition = held.clone();
    let mut is_first = true;
    while let Some(word) = args.repeatable_option(&["ADD", "DROP", "SET", "DEFINITION"])? {
        match word {
            "ADD" => add(args, &mut definition, limits)?,
            "DROP" => remove(args, &mut definition, limits)?,
            "SET" => match args.keyword(&SETTABLE) {
                Some("VALIDATE") => {
                    definition.validate = Some(Callee::new(args.text("VALIDATE")?));
                }
                Some("MODE") => definition.mode = read_mode(args)?,
                Some("CHANGES") => {
                    let is_off = args.keyword(&["OFF"]).is_some();
                    let changes = if is_off { None } else { Some(read_changes(args)?) };
                    definition.options.changes = changes;
                }
                Some(option) => options::read(option, args, &mut definition.options)?,
                None => return Err(takes("SET", "MODE, TTL, IDS, CHANGES or VALIDATE", args)),
            },
            _ => {
                definition = read_json(&held.name, args.bytes("DEFINITION")?, limits)?;
                if !is_first || args.peek().is_some() {
                    return Err(syntax("DEFINITION stands alone"));
                }
            }
        }
        is_first = false;
    }
    if is_first {
        return Err(syntax("ADD, DROP, SET or DEFINITION says what is to be changed"));
    }
    Ok(definition)
}

fn takes(word: &str, what: &str, args: &Args<'_>) -> Error {
    let not = args.peek().map_or_else(String::new, |word| format!(", not {}", shown(word)));
    syntax(format!("{word} takes {what}{not}"))
}

fn add(args: &mut Args<'_>, definition: &mut Definition, limits: &Limits) -> Result<()> {
    match args.keyword(&["FIELD", "INDEX", "MIGRATION"]) {
        Some("FIELD") => definition.fields.push(read_field(args, limits)?),
        Some("MIGRATION") => definition.migrations.add(read_migration(args)?),
        Some(_) => definition.indexes.push(read_named(args, limits)?),
        None => return Err(takes("ADD", "FIELD, INDEX or MIGRATION", args)),
    }
    Ok(())
}

fn remove(args: &mut Args<'_>, definition: &mut Definition, limits: &Limits) -> Result<()> {
    let absent = |what: &str, name: &str| {
        Err(Error::new(Code::Schema, format!("{what} {name} is not declared")))
    };
    match args.keyword(&["FIELD", "INDEX", "VALIDATE", "MIGRATION"]) {
        Some("MIGRATION") => {
            let number = args.unsigned("MIGRATION")?;
            let steps = &mut definition.migrations.steps;
            let at = steps.iter().position(|step| u64::from(step.number) == number);
            let Some(at) = at else { return absent("migration", &number.to_string()) };
            steps.remove(at);
        }
        Some("VALIDATE") => {
            if definition.validate.take().is_none() {
                return Err(Error::new(Code::Schema, "no VALIDATE is declared of the collection"));
            }
        }
        Some("FIELD") => {
            let path = args.path(limits)?;
            let at = definition.fields.iter().position(|field| field.path == path);
            let Some(at) = at else { return absent("field", &path.to_string()) };
            definition.fields.remove(at);
        }
        Some(_) => {
            let name = args.text("index")?;
            let at = definition.indexes.iter().position(|index| *index.name == *name);
            let Some(at) = at else { return absent("index", &shown(name.as_bytes())) };
            definition.indexes.remove(at);
        }
        None => return Err(takes("DROP", "FIELD, INDEX, VALIDATE or MIGRATION", args)),
    }
    Ok(())
}

/// What is declared of a collection. Errors: `NOCOLLECTION`, `NOPERM`.
pub(super) fn held(ctx: &Ctx<'_>, name: &str) -> Result<Definition, Refusal> {
    let held = with_collection(ctx, name, Right::Both, |there, _| {
        there.is_declared().then(|| there.definition().clone())
    })?;
    held.ok_or_else(|| {
        let what = format!("collection '{name}' is not declared: DOC.CREATE declares it");
        Error::new(Code::NoCollection, what).into()
    })
}

/// Changes a declaration.
pub(super) fn alter(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let is_replay = ctx.is_replay();
    let limits = if is_replay { datatype::stored_limits() } else { config::limits() };
    let name = args.text("collection")?;
    let held = held(ctx, name)?;
    let definition = read(args, &held, &limits)?;
    if !is_replay {
        let Migrations { version, .. } = definition.migrations;
        definition.migrations.way_to(held.migrations.version, version)?;
        let db = ctx.db();
        state::with(|state| {
            state.end_bulk();
            state.store.judge_migrations(db, &definition)
        })??;
        return Ok(builds::alter(ctx, &definition, &limits)?);
    }
    let db = ctx.db();
    state::with(|state| {
        state.end_bulk();
        let outcome = state.with_limits(limits, |state| state.store.alter_applied(db, &definition));
        state.note_prefixes();
        outcome
    })??;
    replicate::altered(ctx, name, &definition.to_json());
    ctx.reply_ok();
    Ok(())
}

/// Builds all indexes of a collection anew.
pub(super) fn reindex(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    args.end()?;
    with_collection(ctx, name, Right::Read, |_, _| ())?;
    Ok(builds::reindex(ctx, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: &str = r#"{"collection":"u","fields":[{"path":"a","type":"int"}],"indexes":[{"name":"x","on":[{"path":"b"}]}]}"#;

    fn read_words(words: &[&str]) -> Result<String> {
        let held = Definition::from_json(HELD.as_bytes(), &Limits::default()).unwrap();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let read = read(&mut Args::new(&words), &held, &Limits::default());
        read.map(|definition| definition.to_json())
    }

    #[test]
    fn changes_are_made_in_their_order() {
        let words = "drop field a ADD FIELD a string UNIQUE DROP INDEX x ADD INDEX x ON 2 a b DESC ADD FIELD b int SET MODE strict";
        let json = read_words(&words.split(' ').collect::<Vec<_>>()).unwrap();
        let expected = concat!(
            r#"{"collection":"u","prefix":"u:","mode":"strict","fields":[{"path":"a","type":"string","unique":true},"#,
            r#"{"path":"b","type":"int"}],"indexes":[{"name":"x","on":[{"path":"a"},{"path":"b","order":"desc"}]}]}"#
        );
        assert_eq!(json, expected);
        assert_eq!(read_words(&["DEFINITION", expected]).unwrap(), expected);
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let error = |words: &str| {
            let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
            read_words(&words).unwrap_err().to_string()
        };
        assert_eq!(error(""), "ERR ADD, DROP, SET or DEFINITION says what is to be changed");
        assert_eq!(error("ADD"), "ERR ADD takes FIELD, INDEX or MIGRATION");
        assert_eq!(error("ADD PATH a"), "ERR ADD takes FIELD, INDEX or MIGRATION, not 'PATH'");
        let takes = "ERR DROP takes FIELD, INDEX, VALIDATE or MIGRATION, not 'a'";
        assert_eq!(error("DROP a"), takes);
        assert_eq!(error("DROP MIGRATION 1"), "SCHEMA migration 1 is not declared");
        assert_eq!(error("DROP VALIDATE"), "SCHEMA no VALIDATE is declared of the collection");
        let takes = "ERR SET takes MODE, TTL, IDS, CHANGES or VALIDATE, not 'PREFIX'";
        assert_eq!(error("SET PREFIX a"), takes);
        assert_eq!(error("DROP FIELD b"), "SCHEMA field b is not declared");
        assert_eq!(error("DROP INDEX y"), "SCHEMA index 'y' is not declared");
        assert_eq!(
            error(&format!("SET MODE OPEN DEFINITION {HELD}")),
            "ERR DEFINITION stands alone"
        );
        assert_eq!(error("RENAME"), "ERR unknown option 'RENAME'");
    }
}
