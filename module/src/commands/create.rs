//! `DOC.CREATE`: a definition from arguments or from JSON.

use folio_engine::schema::{Definition, Field, IndexKind, Mode};
use folio_engine::store::Created;
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::collections::prefix_of;
use super::{Answer, Args, Refusal};
use crate::acl::{Permit, Right};
use crate::ffi::Ctx;
use crate::{config, datatype, lifecycle, replicate, state};

/// Reads the arguments after the command's name.
fn read(args: &mut Args<'_>, limits: &Limits) -> Result<Definition> {
    const NAMES: [&str; 4] = ["PREFIX", "MODE", "FIELD", "DEFINITION"];
    let name = args.text("collection")?;
    let mut definition = Definition::new(name);
    let mut seen: Vec<&str> = Vec::new();
    while let Some(option) = args.repeatable_option(&NAMES)? {
        if option != "FIELD" && seen.contains(&option) {
            return Err(syntax(format!("option '{option}' is given twice")));
        }
        if seen.contains(&"DEFINITION") || (option == "DEFINITION" && !seen.is_empty()) {
            return Err(syntax("DEFINITION stands alone"));
        }
        seen.push(option);
        match option {
            "PREFIX" => definition.prefix = args.text("PREFIX")?.into(),
            "MODE" => definition.mode = read_mode(args)?,
            "FIELD" => definition.fields.push(read_field(args, limits)?),
            _ => definition = read_json(name, args.bytes("DEFINITION")?, limits)?,
        }
    }
    definition.validate(limits)?;
    Ok(definition)
}

fn read_json(name: &str, json: &[u8], limits: &Limits) -> Result<Definition> {
    let definition = Definition::from_json(json, limits)?;
    if *definition.name != *name {
        let what = format!("the definition is of collection '{}', not '{name}'", definition.name);
        return Err(Error::new(Code::Schema, what));
    }
    Ok(definition)
}

fn read_mode(args: &mut Args<'_>) -> Result<Mode> {
    let word = args.peek().unwrap_or_default();
    match args.keyword(&["OPEN", "STRICT"]) {
        Some("OPEN") => Ok(Mode::Open),
        Some(_) => Ok(Mode::Strict),
        None if word.is_empty() => Err(syntax("MODE takes OPEN or STRICT")),
        None => Err(syntax(format!("MODE takes OPEN or STRICT, not {}", shown(word)))),
    }
}

/// A path, a type, and constraints until a word that is none.
fn read_field(args: &mut Args<'_>, limits: &Limits) -> Result<Field> {
    let path = args.path(limits)?;
    let ty = args.text("type")?;
    let ty = ty
        .parse()
        .map_err(|what: String| Error::new(Code::Schema, format!("field {path}: {what}")))?;
    let mut field = Field::new(path, ty);
    while let Some(word) = args.keyword(&["REQUIRED", "NULLABLE", "UNIQUE", "INDEX"]) {
        let twice = match word {
            "REQUIRED" => std::mem::replace(&mut field.required, true),
            "NULLABLE" => std::mem::replace(&mut field.nullable, true),
            "UNIQUE" => std::mem::replace(&mut field.unique, true),
            _ => field.index.replace(read_index(args)?).is_some(),
        };
        if twice {
            return Err(syntax(format!("{word} is given twice for field {}", field.path)));
        }
    }
    Ok(field)
}

fn read_index(args: &mut Args<'_>) -> Result<IndexKind> {
    let word = args.peek().unwrap_or_default();
    match args.keyword(&["SET", "SORTED"]) {
        Some("SET") => Ok(IndexKind::Set),
        Some(_) => Ok(IndexKind::Sorted),
        None if word.is_empty() => Err(syntax("INDEX takes SET or SORTED")),
        None => Err(syntax(format!("INDEX takes SET or SORTED, not {}", shown(word)))),
    }
}

/// Refuses a declaration to a user who may not read and write every key that it is about: those of the declared prefix;
/// those that begin with the name, which have no other place once it is declared; and those of collections that stand in
/// its way, which the errors name.
fn judge_rights(ctx: &Ctx<'_>, definition: &Definition) -> Result<(), Refusal> {
    let permit = Permit::of(ctx);
    let (db, name, prefix) = (ctx.db(), &*definition.name, definition.prefix.as_bytes());
    let named = format!("{name}:");
    state::with(|state| {
        let in_the_way = state.store.collections().filter(|there| {
            there.db() == db
                && there.is_declared()
                && prefix.starts_with(there.definition().prefix.as_bytes())
        });
        let held = prefix_of(state, db, name);
        let own = [prefix, named.as_bytes(), &held];
        let all =
            own.into_iter().chain(in_the_way.map(|there| there.definition().prefix.as_bytes()));
        for prefix in all {
            if !permit.covers(prefix, Right::Both) {
                return Err(permit.refuse(ctx, name, prefix, Right::Both));
            }
        }
        Ok(())
    })?
}

/// Declares a collection.
pub(super) fn create(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    // What a primary accepted is not judged by this server's settings, nor by its clock.
    let is_replay = ctx.is_replay();
    let limits = if is_replay { datatype::stored_limits() } else { config::limits() };
    let definition = read(args, &limits)?;
    judge_rights(ctx, &definition)?;
    let (name, json) = (definition.name.clone(), definition.to_json());
    let db = ctx.db();
    let now_ms = crate::clock::now_ms();
    // Lapsed documents are in nobody's way, here or on a replica whose clock is behind: the server removes them.
    for key in state::with(|state| state.due_in_open(db, now_ms))? {
        lifecycle::touch(ctx, &key);
    }
    let created = state::with(|state| {
        state.lapse_all(db, now_ms);
        state.with_limits(limits, |state| state.create(db, definition, is_replay))
    })??;
    let (created, arrived) = created;
    lifecycle::tell_ttls(ctx, &arrived);
    if created == Created::New {
        replicate::declared(ctx, &name, &json);
    }
    ctx.reply_ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<String> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        read(&mut Args::new(&words), &Limits::default()).map(|definition| definition.to_json())
    }

    #[test]
    fn arguments_and_json_say_the_same() {
        let json = read_words(&[
            "users", "mode", "strict", "FIELD", "email", "string", "UNIQUE", "required", "FIELD",
            "age", "int", "INDEX", "sorted", "NULLABLE", "prefix", "u:",
        ])
        .unwrap();
        assert_eq!(read_words(&["users", "DEFINITION", &json]).unwrap(), json);
    }

    #[test]
    fn errors_name_the_argument() {
        let error = |words: &[&str]| read_words(words).unwrap_err().to_string();
        assert_eq!(error(&["u", "MODE", "lax"]), "ERR MODE takes OPEN or STRICT, not 'lax'");
        assert_eq!(error(&["u", "MODE"]), "ERR MODE takes OPEN or STRICT");
        assert_eq!(
            error(&["u", "FIELD", "a", "int", "INDEX", "HASH"]),
            "ERR INDEX takes SET or SORTED, not 'HASH'"
        );
        assert_eq!(
            error(&["u", "FIELD", "a", "int", "UNIQUE", "UNIQUE"]),
            "ERR UNIQUE is given twice for field a"
        );
        assert_eq!(error(&["u", "NOPE"]), "ERR unknown option 'NOPE'");
        assert_eq!(
            error(&["u", "MODE", "OPEN", "DEFINITION", "{}"]),
            "ERR DEFINITION stands alone"
        );
    }
}
