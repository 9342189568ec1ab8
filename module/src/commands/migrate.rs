//! `DOC.MIGRATE`: another schema version in force. How migrations are declared.

use folio_engine::doc::SCHEMA_MAX;
use folio_engine::schema::{Callee, Migration};
use folio_engine::{Code, Error, Result};

use super::alter::held;
use super::args::{of_document, shown, syntax};
use super::spec::{Argument, Kind};
use super::update::{Budget, made};
use super::write::{Purpose, Target, Ttl};
use super::{Answer, Args, Refusal};
use crate::ffi::{self, Ctx, OwnedString};
use crate::{config, datatype, migrations, replicate, state};

/// A schema version, as an argument.
pub(super) const VERSION: Argument = Argument::new("version", Kind::Integer);

/// A migration, as arguments.
pub(super) const MIGRATION: Argument = Argument::block(
    "migration",
    &[
        VERSION,
        Argument::new("function", Kind::String).after("UP"),
        Argument::new("function", Kind::String).after("DOWN").optional(),
    ],
);

/// A schema version, which stands behind `word`.
pub(super) fn read_version(args: &mut Args<'_>, word: &'static str) -> Result<u16> {
    let number = args.unsigned(word)?;
    let version = u16::try_from(number).ok().filter(|version| *version <= SCHEMA_MAX);
    version.ok_or_else(|| syntax(format!("{word} {number} is not from 0 to {SCHEMA_MAX}")))
}

/// A number, `UP` with a function, and perhaps `DOWN` with one.
pub(super) fn read_migration(args: &mut Args<'_>) -> Result<Migration> {
    let number = read_version(args, "MIGRATION")?;
    if args.keyword(&["UP"]).is_none() {
        let found = args.peek().map_or_else(String::new, |word| format!(", not {}", shown(word)));
        return Err(syntax(format!("MIGRATION {number} takes UP and a function{found}")));
    }
    let up = Callee::new(args.text("UP")?);
    let down = args.keyword(&["DOWN"]).map(|word| args.text(word)).transpose()?;
    Ok(Migration { number, up, down: down.map(Callee::new) })
}

/// Brings the document under a key to the schema version in force, as an update that does nothing else. Where that fails, the
/// migration of its collection stops there, and this is false.
pub(crate) fn migrate_document(ctx: &Ctx<'_>, key: &[u8], now_ms: i64) -> Result<bool> {
    let error = match try_migrate(ctx, key, now_ms) {
        Ok(()) => return Ok(true),
        Err(Refusal::Error(error)) => error,
        Err(other) => Error::new(Code::Internal, other.to_string()),
    };
    ffi::log(true, &format!("a migration stops: {}", of_document(key, error.clone())));
    let db = ctx.db();
    state::with(|state| state.store.stop_migration(db, key, error)).map(|()| false)
}

fn try_migrate(ctx: &Ctx<'_>, key: &[u8], now_ms: i64) -> Answer {
    let (name, limits) = (OwnedString::new(key), config::limits());
    let target = Target::open_at(ctx, name.argument(), now_ms)?;
    if target.old.is_none() {
        // It has lapsed.
        return Ok(());
    }
    let edited = made(&target, None, &[], &limits, &mut Budget::default())
        .map_err(|(_, error)| error)
        .inspect_err(|error| target.refused(error))?;
    datatype::with_timed(&edited.text, &edited.timed, &limits, |parsed| {
        target.write(parsed, Ttl::Keep, Purpose::Migrate).map(drop)
    })?
}

/// Puts a schema version in force, and has documents brought there.
pub(super) fn migrate(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    if args.keyword(&["TO"]).is_none() {
        let found = args.peek().map_or_else(String::new, |word| format!(", not {}", shown(word)));
        return Err(syntax(format!("DOC.MIGRATE takes TO and a version{found}")).into());
    }
    let to = read_version(args, "TO")?;
    let is_lazy = args.option(&["LAZY"])?.is_some();
    args.end()?;
    let mut definition = held(ctx, name)?;
    definition.migrations.way_to(definition.migrations.version, to)?;
    (definition.migrations.version, definition.migrations.is_lazy) = (to, is_lazy);
    let db = ctx.db();
    let is_changed = state::with(|state| {
        state.end_bulk();
        state.store.judge_migrations(db, &definition)?;
        let set = |state: &mut state::State| state.store.set_options(db, &definition);
        // What is declared already was judged once.
        let is_changed = state.with_limits(datatype::stored_limits(), set)?;
        state.store.resume_migration(db, name);
        Ok::<_, Error>(is_changed)
    })??;
    if is_changed {
        replicate::altered(ctx, name, &definition.to_json());
    }
    migrations::wait(ctx, name)?;
    Ok(())
}
