//! `DOC.CREATE`: a definition from arguments or from JSON.

use folio_engine::doc::parse::parse_value;
use folio_engine::schema::constraint::json_of_word;
use folio_engine::schema::{
    Auto, Callee, ChangeStream, Definition, Field, IndexKind, Mode, NamedIndex, Nulls, On, Order,
    Told,
};
use folio_engine::store::Created;
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::collections::prefix_of;
use super::migrate::{read_migration, read_version};
use super::spec::{Argument, Kind};
use super::{Answer, Args, Refusal, buckets, options};
use crate::acl::{Permit, Right};
use crate::ffi::Ctx;
use crate::{builds, changes, config, datatype, lifecycle, replicate, state};

/// The structures of an index, as arguments.
pub(super) const INDEX_KINDS: &[Argument] =
    &[Argument::word("SET"), Argument::word("SORTED"), Argument::word("SUBSTRING")];

/// A field, as arguments.
pub(super) const FIELD: Argument = Argument::block(
    "field",
    &[
        Argument::new("path", Kind::String),
        Argument::new("type", Kind::String),
        Argument::word("NOCASE").optional(),
        Argument::word("REQUIRED").optional(),
        Argument::word("NULLABLE").optional(),
        Argument::word("UNIQUE").optional(),
        Argument::new("min", Kind::String).after("MIN").optional(),
        Argument::new("max", Kind::String).after("MAX").optional(),
        Argument::new("minlen", Kind::Integer).after("MINLEN").optional(),
        Argument::new("maxlen", Kind::Integer).after("MAXLEN").optional(),
        Argument::block(
            "enum",
            &[Argument::new("n", Kind::Integer), Argument::new("value", Kind::String).multiple()],
        )
        .after("ENUM")
        .optional(),
        Argument::new("pattern", Kind::String).after("PATTERN").optional(),
        Argument::new("json", Kind::String).after("DEFAULT").optional(),
        Argument::word("IMMUTABLE").optional(),
        Argument::one_of("auto", &[Argument::word("NOW"), Argument::word("UPDATED")])
            .after("AUTO")
            .optional(),
        FUNCTION.after("COMPUTED").optional(),
        FUNCTION.after("VALIDATE").optional(),
        Argument::one_of("index", INDEX_KINDS).after("INDEX").optional(),
    ],
);

/// What becomes of undeclared members, as arguments.
pub(super) const MODE: Argument =
    Argument::one_of("mode", &[Argument::word("OPEN"), Argument::word("STRICT")]);

/// The name of a function, as an argument.
pub(super) const FUNCTION: Argument = Argument::new("function", Kind::String);

/// What is told of changes, as arguments.
const CHANGES: &[Argument] = &[
    Argument::one_of(
        "what",
        &[Argument::word("KEYS"), Argument::word("AFTER"), Argument::word("BOTH")],
    )
    .optional(),
    Argument::new("maxlen", Kind::Integer).after("MAXLEN").optional(),
];

/// The same in a declaration.
pub(super) const TELLS: Argument = Argument::block("changes", CHANGES).after("CHANGES");

/// The same as a change of one.
pub(super) const SET_CHANGES: Argument =
    Argument::one_of("changes", &[Argument::word("OFF"), Argument::block("changes", CHANGES)])
        .after("SET CHANGES");

/// An index that is declared by itself, as arguments.
pub(super) const NAMED: Argument = Argument::block(
    "index",
    &[
        Argument::new("name", Kind::String),
        Argument::new("n", Kind::Integer).after("ON"),
        Argument::block(
            "on",
            &[
                Argument::new("path", Kind::String),
                Argument::one_of("order", &[Argument::word("ASC"), Argument::word("DESC")])
                    .optional(),
            ],
        )
        .multiple(),
        Argument::one_of("kind", INDEX_KINDS).after("USING").optional(),
        Argument::block(
            "unique",
            &[Argument::word("UNIQUE"), Argument::word("NULLS NOT DISTINCT").optional()],
        )
        .optional(),
        Argument::new("filter", Kind::String).after("WHERE").optional(),
    ],
);

/// The same in a declaration.
pub(super) const INDEX: Argument = NAMED.after("INDEX");

/// Reads the arguments after the command's name.
fn read(args: &mut Args<'_>, limits: &Limits) -> Result<Definition> {
    const NAMES: [&str; 11] = [
        "PREFIX",
        "MODE",
        options::TTL,
        options::IDS,
        "CHANGES",
        "VALIDATE",
        "FIELD",
        "INDEX",
        "SCHEMA",
        "MIGRATION",
        "DEFINITION",
    ];
    let name = args.text("collection")?;
    let mut definition = Definition::new(name);
    let mut seen: Vec<&str> = Vec::new();
    while let Some(option) = args.repeatable_option(&NAMES)? {
        if !matches!(option, "FIELD" | "INDEX" | "MIGRATION") && seen.contains(&option) {
            return Err(syntax(format!("option '{option}' is given twice")));
        }
        if seen.contains(&"DEFINITION") || (option == "DEFINITION" && !seen.is_empty()) {
            return Err(syntax("DEFINITION stands alone"));
        }
        seen.push(option);
        match option {
            "PREFIX" => definition.prefix = args.text("PREFIX")?.into(),
            "MODE" => definition.mode = read_mode(args)?,
            options::TTL | options::IDS => options::read(option, args, &mut definition.options)?,
            "CHANGES" => definition.options.changes = Some(read_changes(args)?),
            "VALIDATE" => definition.validate = Some(Callee::new(args.text("VALIDATE")?)),
            "FIELD" => definition.fields.push(read_field(args, limits)?),
            "INDEX" => definition.indexes.push(read_named(args, limits)?),
            "SCHEMA" => definition.migrations.version = read_version(args, "SCHEMA")?,
            "MIGRATION" => definition.migrations.add(read_migration(args)?),
            _ => definition = read_json(name, args.bytes("DEFINITION")?, limits)?,
        }
    }
    definition.validate(limits)?;
    Ok(definition)
}

pub(super) fn read_json(name: &str, json: &[u8], limits: &Limits) -> Result<Definition> {
    let definition = Definition::from_json(json, limits)?;
    if *definition.name != *name {
        let what = format!("the definition is of collection '{}', not '{name}'", definition.name);
        return Err(Error::new(Code::Schema, what));
    }
    Ok(definition)
}

pub(super) fn read_mode(args: &mut Args<'_>) -> Result<Mode> {
    let word = args.peek().unwrap_or_default();
    match args.keyword(&["OPEN", "STRICT"]) {
        Some("OPEN") => Ok(Mode::Open),
        Some(_) => Ok(Mode::Strict),
        None if word.is_empty() => Err(syntax("MODE takes OPEN or STRICT")),
        None => Err(syntax(format!("MODE takes OPEN or STRICT, not {}", shown(word)))),
    }
}

/// What is told of changes, and how many entries are kept.
pub(super) fn read_changes(args: &mut Args<'_>) -> Result<ChangeStream> {
    let what = match args.keyword(&["KEYS", "AFTER", "BOTH"]) {
        Some("AFTER") => Told::After,
        Some("BOTH") => Told::Both,
        _ => Told::Keys,
    };
    let maxlen = args.keyword(&["MAXLEN"]).map(|name| args.unsigned(name)).transpose()?;
    Ok(ChangeStream { what, maxlen })
}

/// A path, a type, and constraints until a word that is none.
pub(super) fn read_field(args: &mut Args<'_>, limits: &Limits) -> Result<Field> {
    let path = args.path(limits)?;
    let ty = args.text("type")?;
    let ty = ty
        .parse()
        .map_err(|what: String| Error::new(Code::Schema, format!("field {path}: {what}")))?;
    let mut field = Field::new(path, ty);
    let mut seen: Vec<&str> = Vec::new();
    while !is_named(args)
        && let Some(word) = args.keyword(CONSTRAINTS)
    {
        if seen.contains(&word) {
            return Err(syntax(format!("{word} is given twice for field {}", field.path)));
        }
        seen.push(word);
        match word {
            "REQUIRED" => field.required = true,
            "NULLABLE" => field.nullable = true,
            "UNIQUE" => field.unique = true,
            "INDEX" => field.index = Some(read_kind(args, "INDEX")?),
            // What else is declared is of the type without case.
            "NOCASE" => field.fold_case()?,
            "COMPUTED" => field.computed = Some(Callee::new(args.text(word)?)),
            "VALIDATE" => field.validate = Some(Callee::new(args.text(word)?)),
            "IMMUTABLE" => field.constraints.get_or_insert_default().immutable = true,
            _ => read_constraint(args, &mut field, word, limits)?,
        }
    }
    Ok(field)
}

/// The words that stand behind a field's type.
const CONSTRAINTS: &[&str] = &[
    "NOCASE",
    "REQUIRED",
    "NULLABLE",
    "UNIQUE",
    "INDEX",
    "MIN",
    "MAX",
    "MINLEN",
    "MAXLEN",
    "ENUM",
    "PATTERN",
    "DEFAULT",
    "IMMUTABLE",
    "AUTO",
    "COMPUTED",
    "VALIDATE",
];

/// What stands behind a word that is a constraint on a field's values.
fn read_constraint(
    args: &mut Args<'_>,
    field: &mut Field,
    word: &str,
    limits: &Limits,
) -> Result<()> {
    let value = |args: &mut Args<'_>, ty| json_of_word(ty, args.text(word)?, limits);
    match word {
        "MIN" => {
            let json = value(args, field.ty)?;
            field.constrain(|constraints, ty| constraints.set_min(ty, &json))
        }
        "MAX" => {
            let json = value(args, field.ty)?;
            field.constrain(|constraints, ty| constraints.set_max(ty, &json))
        }
        "MINLEN" => {
            let length = args.unsigned(word)?;
            field.constrain(|constraints, ty| constraints.set_min_len(ty, length))
        }
        "MAXLEN" => {
            let length = args.unsigned(word)?;
            field.constrain(|constraints, ty| constraints.set_max_len(ty, length))
        }
        "ENUM" => {
            let values = args.some(word, |args| value(args, field.ty))?;
            let values = values.iter().map(String::as_str);
            field.constrain(|constraints, ty| constraints.set_values(ty, values))
        }
        "DEFAULT" => {
            let json = parse_value(args.bytes(word)?, limits)?;
            let json = String::from_utf8_lossy(&json).into();
            field.constraints.get_or_insert_default().default = Some(json);
            Ok(())
        }
        "AUTO" => {
            let found = args.peek().unwrap_or_default();
            let auto = match args.keyword(&["NOW", "UPDATED"]) {
                Some("NOW") => Auto::Now,
                Some(_) => Auto::Updated,
                None if found.is_empty() => return Err(syntax("AUTO takes NOW or UPDATED")),
                None => {
                    return Err(syntax(format!("AUTO takes NOW or UPDATED, not {}", shown(found))));
                }
            };
            field.constrain(|constraints, ty| constraints.set_auto(ty, auto))
        }
        _ => {
            let regex = args.text(word)?;
            field.constrain(|constraints, ty| constraints.set_pattern(ty, regex, limits))
        }
    }
}

/// Whether `INDEX name ON` follows, which belongs to no field.
fn is_named(args: &Args<'_>) -> bool {
    let [index, _, on, ..] = args.rest() else { return false };
    index.eq_ignore_ascii_case(b"INDEX") && on.eq_ignore_ascii_case(b"ON")
}

fn read_kind(args: &mut Args<'_>, option: &str) -> Result<IndexKind> {
    let word = args.peek().unwrap_or_default();
    match args.keyword(&["SET", "SORTED", "SUBSTRING"]) {
        Some("SET") => Ok(IndexKind::Set),
        Some("SORTED") => Ok(IndexKind::Sorted),
        Some(_) => Ok(IndexKind::Substring),
        None => {
            let takes = format!("{option} takes SET, SORTED or SUBSTRING");
            let not =
                if word.is_empty() { String::new() } else { format!(", not {}", shown(word)) };
            Err(syntax(format!("{takes}{not}")))
        }
    }
}

/// A name, `ON n path ..`, and what else is said of an index until a word that is none of it.
pub(super) fn read_named(args: &mut Args<'_>, limits: &Limits) -> Result<NamedIndex> {
    let name = args.text("index")?;
    if args.keyword(&["ON"]).is_none() {
        return Err(syntax(format!("INDEX {name} takes ON with a count and paths")));
    }
    let count = args.count("ON", 1)?;
    let on = (0..count).map(|_| {
        let path = args.path(limits)?;
        let is_descending = args.keyword(&["ASC", "DESC"]) == Some("DESC");
        Ok(On { path, order: if is_descending { Order::Desc } else { Order::Asc } })
    });
    let mut index = NamedIndex::new(name, on.collect::<Result<_>>()?);
    let mut seen: Vec<&str> = Vec::new();
    while let Some(word) = args.keyword(&["USING", "UNIQUE", "WHERE"]) {
        if seen.contains(&word) {
            return Err(syntax(format!("{word} is given twice for index {name}")));
        }
        seen.push(word);
        match word {
            "USING" => index.kind = read_kind(args, "USING")?,
            "UNIQUE" => {
                index.unique = true;
                index.nulls = read_nulls(args)?;
            }
            _ => index.filter = Some(args.text("WHERE")?.into()),
        }
    }
    Ok(index)
}

fn read_nulls(args: &mut Args<'_>) -> Result<Nulls> {
    if args.keyword(&["NULLS"]).is_none() {
        return Ok(Nulls::Distinct);
    }
    let is_not = args.keyword(&["NOT"]).is_some();
    match (args.keyword(&["DISTINCT"]), is_not) {
        (Some(_), true) => Ok(Nulls::NotDistinct),
        (Some(_), false) => Ok(Nulls::Distinct),
        (None, _) => Err(syntax("NULLS takes DISTINCT or NOT DISTINCT")),
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
    if !is_replay {
        buckets::judge_name(&definition.name)?;
    }
    if builds::create(ctx, &definition, &limits)? {
        // The client is answered when it has ended.
        return Ok(());
    }
    let (name, json) = (definition.name.clone(), definition.to_json());
    let db = ctx.db();
    let now_ms = crate::clock::now_ms();
    // Lapsed documents are in nobody's way, here or on a replica whose clock is behind: the server removes them.
    for key in state::with(|state| state.due_in_open(db, now_ms))? {
        lifecycle::touch(ctx, &key);
    }
    lifecycle::remove_lapsed_strays(ctx)?;
    let created = state::with(|state| {
        state.lapse_all(db, now_ms);
        state.with_limits(limits, |state| state.create(db, definition, is_replay))
    })??;
    let (created, arrived) = created;
    lifecycle::tell_ttls(ctx, &arrived);
    if created == Created::New {
        changes::go_on(ctx, db, &name);
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
    fn indexes_by_themselves_stand_beside_those_of_fields() {
        let read = |rest: &[&str]| read_words(&[&["u"], rest].concat());
        let said = read(&[
            "FIELD",
            "age",
            "int",
            "INDEX",
            "set",
            "INDEX",
            "by_age",
            "ON",
            "2",
            "city",
            "age",
            "desc",
            "unique",
            "nulls",
            "not",
            "distinct",
            "where",
            "age > 1",
            "index",
            "set",
            "on",
            "1",
            "x",
            "USING",
            "SUBSTRING",
            "FIELD",
            "city",
            "string",
        ]);
        let json = said.unwrap();
        assert_eq!(read(&["DEFINITION", &json]).unwrap(), json);
        let indexes = concat!(
            r#""indexes":[{"name":"by_age","on":[{"path":"city"},{"path":"age","order":"desc"}],"#,
            r#""unique":true,"nulls":"not distinct","where":"age > 1"},"#,
            r#"{"name":"set","on":[{"path":"x"}],"using":"substring"}]}"#
        );
        assert!(json.ends_with(indexes), "{json}");
        let odd = read(&["FIELD", "a", "int", "REQUIRED", "FIELD", "on", "int", "UNIQUE"]).unwrap();
        assert!(odd.contains(r#""required":true"#) && odd.contains(r#""unique":true"#), "{odd}");
        let error = |rest: &[&str]| read(rest).unwrap_err().to_string();
        assert_eq!(error(&["INDEX", "a", "x"]), "ERR INDEX a takes ON with a count and paths");
        assert_eq!(
            error(&["INDEX", "a", "ON", "x"]),
            "ERR ON 'x' is not an integer; ON takes a count first: ON 1 email"
        );
        assert_eq!(error(&["INDEX", "a", "ON", "2", "x"]), "ERR ON is 2, and 1 follow");
        let unique = ["INDEX", "a", "ON", "1", "x", "UNIQUE", "NULLS", "EQUAL"];
        assert_eq!(error(&unique), "ERR NULLS takes DISTINCT or NOT DISTINCT");
        let twice = ["INDEX", "a", "ON", "1", "x", "WHERE", "x = 1", "WHERE", "x = 2"];
        assert_eq!(error(&twice), "ERR WHERE is given twice for index a");
        let wrong = ["INDEX", "a", "ON", "1", "x", "WHERE", "x ="];
        assert!(error(&wrong).starts_with("SCHEMA index a WHERE: "), "{}", error(&wrong));
    }

    #[test]
    fn errors_name_the_argument() {
        let error = |words: &[&str]| read_words(words).unwrap_err().to_string();
        assert_eq!(error(&["u", "MODE", "lax"]), "ERR MODE takes OPEN or STRICT, not 'lax'");
        assert_eq!(error(&["u", "MODE"]), "ERR MODE takes OPEN or STRICT");
        assert_eq!(
            error(&["u", "FIELD", "a", "int", "INDEX", "HASH"]),
            "ERR INDEX takes SET, SORTED or SUBSTRING, not 'HASH'"
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
