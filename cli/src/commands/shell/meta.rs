//! What the shell itself does: words that begin with a backslash.

use std::fmt::Write as _;

use crate::ask::sentence;
use crate::outcome::Failure;
use crate::output::json::json;
use crate::output::table::table;
use crate::output::{line, show};

use super::session::{Flow, Session, misread};
use clap::ValueEnum as _;

/// The words, what they take, and what they do.
pub const WORDS: [(&str, &str, &str); 12] = [
    ("?", "", "this list"),
    ("l", "[PATTERN]", "list the collections"),
    ("d", "COLLECTION", "describe a collection: its fields, indexes and sizes"),
    ("explain", "[SENTENCE]", "how the server would answer it, or the last one"),
    ("profile", "[SENTENCE]", "how the server did answer it, step by step"),
    ("next", "", "the next page of the last question"),
    ("set", "[NAME VALUE]", "give $NAME a value, JSON or else text; without one, list them"),
    ("unset", "NAME", "forget it"),
    ("style", "auto|table|records|json", "how documents are shown"),
    ("timing", "", "show times, or do not"),
    ("use", "DATABASE", "select another logical database, by its number"),
    ("q", "", "leave"),
];

/// Carries out a word and what stands behind it.
pub async fn carry_out(session: &mut Session<'_>, statement: &str) -> Result<Flow, Failure> {
    let (word, rest) = statement.split_once(char::is_whitespace).unwrap_or((statement, ""));
    let rest = rest.trim();
    match word {
        "?" | "help" | "h" => line(&help())?,
        "q" | "quit" | "exit" => return Ok(Flow::End),
        "l" => list(session, rest).await?,
        "d" if !rest.is_empty() => describe(session, rest).await?,
        "explain" | "profile" => explain(session, rest, word == "profile").await?,
        "next" => next(session).await?,
        "set" => set(session, rest)?,
        "unset" => {
            session.parameters.0.remove(rest.trim_start_matches('$'));
        }
        "style" => {
            session.style = crate::ask::Style::from_str(rest, true)
                .map_err(|_| Failure::Usage("\\style auto, table, records or json".into()))?;
        }
        "timing" => {
            session.shows_time = !session.shows_time;
            line(if session.shows_time { "times are shown" } else { "times are not shown" })?;
        }
        "use" => {
            let number =
                rest.parse().map_err(|_| Failure::Usage("\\use takes a number".to_owned()))?;
            session.db = session.context.db.database(number)?;
            session.database = Some(number);
        }
        _ => {
            return Err(Failure::Usage(format!(
                "\\{statement} is not understood; \\? lists what is"
            )));
        }
    }
    Ok(Flow::GoOn)
}

fn help() -> String {
    let sentences = "\
find users where age > 30 and tags has 'vip' order by age desc limit 10 select name, age
count users where city = $city
distinct users city
aggregate orders group by city reduce count() as n, sum(price) having n > 1 order by n desc
DOC.SET users:1 '{\"name\":\"Ada\"}'                any command of the server

";
    let words = WORDS
        .iter()
        .map(|(word, takes, does)| format!("{:30}  {does}\n", format!("\\{word} {takes}")));
    sentences.to_owned() + &words.collect::<String>()
}

/// Collections, with what they hold.
async fn list(session: &Session<'_>, pattern: &str) -> Result<(), Failure> {
    let pattern = (!pattern.is_empty()).then_some(pattern);
    let names: Vec<String> = session.db.cmd("DOC.LIST").arg(pattern).read().await?;
    let mut drawn = table(["collection", "documents", "declared", "indexes"]);
    let mut all = Vec::new();
    for name in names {
        let info = json(&session.db.cmd("DOC.INFO").arg(&name).read_value().await?);
        let indexes = info["indexes"].as_array().map_or(0, Vec::len);
        let declared = info["declared"] == true || info["declared"] == 1;
        drawn.add_row([
            name.clone(),
            info["documents"].to_string(),
            if declared { "yes" } else { "no" }.to_owned(),
            indexes.to_string(),
        ]);
        all.push(serde_json::json!({
            "collection": name, "documents": info["documents"], "declared": declared, "indexes": indexes
        }));
    }
    let none = all.is_empty();
    session.context.out.emit(&serde_json::Value::Array(all), || {
        if none { "no collections".to_owned() } else { drawn.to_string() }
    })?;
    Ok(())
}

/// Fields and indexes of a collection.
async fn describe(session: &Session<'_>, name: &str) -> Result<(), Failure> {
    let schema: String = session.db.cmd("DOC.SCHEMA").arg(name).read().await?;
    let schema: serde_json::Value =
        serde_json::from_str(&schema).map_err(|error| Failure::Data(error.to_string()))?;
    let info = session.db.cmd("DOC.INFO").arg(name).read_value().await?;
    let info = json(&info);
    let whole = serde_json::json!({ "schema": schema, "info": info });
    session.context.out.emit(&whole, || {
        let mut shown = format!(
            "{name}: {} documents under {}\n",
            info["documents"],
            schema["prefix"].as_str().unwrap_or_default()
        );
        let mut fields = table(["field", "type", "rules"]);
        for field in schema["fields"].as_array().into_iter().flatten() {
            fields.add_row([word(&field["path"]), word(&field["type"]), rules(field)]);
        }
        let mut indexes = table(["index", "kind", "unique", "values", "entries", "bytes"]);
        for index in info["indexes"].as_array().into_iter().flatten() {
            let named = word(&index["name"]);
            let paths = word(&index["path"]);
            let is_named = !index["name"].is_null() && named != paths;
            let unique = index["unique"] == true || index["unique"] == 1;
            indexes.add_row([
                if is_named { format!("{named}: {paths}") } else { paths },
                word(&index["kind"]),
                if unique { "yes" } else { "" }.to_owned(),
                index["values"].to_string(),
                index["entries"].to_string(),
                index["bytes"].to_string(),
            ]);
        }
        for drawn in [fields, indexes].iter().filter(|drawn| drawn.row_count() > 0) {
            let _ = writeln!(shown, "{drawn}");
        }
        shown
    })?;
    Ok(())
}

fn word(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        serde_json::Value::Array(items) => {
            items.iter().map(word).collect::<Vec<String>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// What a field declares besides its path and type.
fn rules(field: &serde_json::Value) -> String {
    let others = field.as_object().into_iter().flatten();
    let others = others.filter(|(name, _)| !matches!(name.as_str(), "path" | "type"));
    let words = others.map(|(name, value)| match value {
        serde_json::Value::Bool(true) => name.clone(),
        value => format!("{name} {}", word(value)),
    });
    words.collect::<Vec<String>>().join(", ")
}

async fn explain(session: &mut Session<'_>, rest: &str, profile: bool) -> Result<(), Failure> {
    let question = if rest.is_empty() {
        session.last.clone().ok_or_else(|| Failure::Usage("nothing was asked yet".to_owned()))?
    } else {
        sentence::read(rest).map_err(|fault| misread(rest, &fault))?
    };
    session.explain(&question, profile).await
}

async fn next(session: &mut Session<'_>) -> Result<(), Failure> {
    match (session.last.clone(), session.cursor.clone()) {
        (Some(mut question), Some(cursor)) => {
            question.after = Some(cursor);
            question.offset = 0;
            session.ask(question).await
        }
        _ => Err(Failure::Usage("there is no next page".to_owned())),
    }
}

fn set(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    if rest.is_empty() {
        for (name, value) in &session.parameters.0 {
            show(&format!("${name} = {value}"))?;
        }
        return Ok(());
    }
    let (name, value) = rest
        .split_once(|letter: char| letter.is_whitespace() || letter == '=')
        .ok_or_else(|| Failure::Usage("\\set takes a name and a value".to_owned()))?;
    let value = value.trim_start_matches(['=', ' ']);
    session.parameters.take(&format!("{name}={value}")).map_err(Failure::Usage)
}
