//! What stands between a definition and what is declared.

use serde_json::{Value as Json, json};

use super::definition::{Definition, Part, Words};

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub kind: Kind,
    /// `field email`, `index by_city`, `mode`.
    pub subject: String,
    /// What is declared, in words.
    pub before: Option<String>,
    /// What is to be.
    pub after: Option<String>,
    /// Whether an index is built over the documents.
    pub builds: bool,
    /// Whether the documents are judged.
    pub judges: bool,
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// What is lost by a change, or what stands in its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Plain,
    /// Programs may count on what is taken away: why.
    Destructive(&'static str),
    /// No declaration can do it: what does.
    Blocked(String),
    /// It is no declaration, and left to another command.
    Elsewhere(String),
}

impl Change {
    fn new(kind: Kind, subject: String) -> Self {
        let (before, after) = (None, None);
        Self { kind, subject, before, after, builds: false, judges: false, effect: Effect::Plain }
    }

    pub fn is_destructive(&self) -> bool {
        matches!(self.effect, Effect::Destructive(_))
    }

    /// What it costs over so many documents.
    pub fn cost(&self, documents: u64) -> String {
        match (self.builds, self.judges) {
            (true, _) => format!("builds over {documents} documents"),
            (false, true) => format!("judges {documents} documents"),
            (false, false) => String::new(),
        }
    }

    /// It for programs.
    pub fn json(&self) -> Json {
        let kind = match self.kind {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        };
        let (effect, why) = match &self.effect {
            Effect::Plain => ("plain", None),
            Effect::Destructive(why) => ("destructive", Some(*why)),
            Effect::Blocked(why) => ("blocked", Some(why.as_str())),
            Effect::Elsewhere(why) => ("elsewhere", Some(why.as_str())),
        };
        json!({
            "change": kind, "subject": self.subject, "before": self.before, "after": self.after,
            "builds": self.builds, "judges": self.judges, "effect": effect, "why": why,
        })
    }
}

/// Compares what is declared with what is wanted. Order is no difference.
pub fn compare(held: &Definition, wanted: &Definition) -> Vec<Change> {
    let mut changes = members(held, wanted);
    parts(&held.fields, &wanted.fields, "field", field_effect, &mut changes);
    parts(&held.indexes, &wanted.indexes, "index", index_effect, &mut changes);
    if !wanted.migrations.is_empty() {
        let (held, wanted) = (&held.migrations, &wanted.migrations);
        parts(held, wanted, "migration", migration_effect, &mut changes);
    }
    changes
}

/// What a collection is declared to be besides its parts.
fn members(held: &Definition, wanted: &Definition) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> =
        held.members.keys().chain(wanted.members.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (held.members.get(name), wanted.members.get(name));
        // A definition that says nothing of the version leaves it as it is.
        let is_version = name == "schema" || name == "lazy";
        if before == after || (is_version && after.is_none()) || name == "lazy" {
            continue;
        }
        let kind = match (before, after) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let mut change = Change::new(kind, name.clone());
        (change.before, change.after) = (before.cloned(), after.cloned());
        change.judges = match name.as_str() {
            "validate" => after.is_some(),
            "mode" => after.is_some_and(|mode| mode == "\"strict\""),
            _ => false,
        };
        change.effect = member_effect(name, &held.collection, after);
        changes.push(change);
    }
    changes
}

fn member_effect(name: &str, collection: &str, after: Option<&String>) -> Effect {
    match (name, after) {
        ("prefix", _) => Effect::Blocked(format!(
            "a prefix stays: export the documents, DOC.DROP {collection} DOCUMENTS, declare it anew and import them"
        )),
        ("schema", Some(version)) => Effect::Elsewhere(format!(
            "DOC.MIGRATE {collection} TO {version} puts a schema version in force"
        )),
        ("changes", None) => Effect::Destructive("whoever follows the changes is told no more"),
        _ => Effect::Plain,
    }
}

/// What the words of a part that differ come to: words that differ, whether an index is built, whether documents are judged.
type Judge = fn(&Words, &Words, &mut Change);

fn parts(held: &[Part], wanted: &[Part], what: &str, judge: Judge, changes: &mut Vec<Change>) {
    let nothing = Words::new();
    for part in held {
        let subject = format!("{what} {}", part.name);
        match wanted.iter().find(|other| other.name == part.name) {
            None => {
                let mut change = Change::new(Kind::Removed, subject);
                change.before = Some(part.told());
                judge(&part.words, &nothing, &mut change);
                changes.push(change);
            }
            Some(other) if other.words != part.words => {
                let mut change = Change::new(Kind::Changed, subject);
                (change.before, change.after) = (Some(part.told()), Some(other.told()));
                judge(&part.words, &other.words, &mut change);
                changes.push(change);
            }
            Some(_) => {}
        }
    }
    for part in wanted.iter().filter(|part| !held.iter().any(|other| other.name == part.name)) {
        let mut change = Change::new(Kind::Added, format!("{what} {}", part.name));
        change.after = Some(part.told());
        judge(&nothing, &part.words, &mut change);
        changes.push(change);
    }
}

fn field_effect(before: &Words, after: &Words, change: &mut Change) {
    let differs = |word: &str| before.get(word) != after.get(word);
    let is_lost = |word: &str| before.contains_key(word) && differs(word);
    let has_index = after.contains_key("index") || after.contains_key("unique");
    let is_removed = change.kind == Kind::Removed;
    change.builds = !is_removed
        && (has_index && ["index", "unique", "type", "nocase"].into_iter().any(differs)
            || after.contains_key("computed") && differs("computed"));
    let unjudged = ["default", "immutable", "auto", "index", "nullable", "required"];
    let is_judged = |word: &String| differs(word) && !unjudged.contains(&word.as_str());
    change.judges = !is_removed
        && (after.keys().any(is_judged)
            || after.contains_key("required") && differs("required")
            || is_lost("nullable"));
    let is_wider = |word: &str| {
        let (before, after) = (before.get(word), after.get(word));
        before.is_some_and(|it| it == "\"set\"") && after.is_some_and(|it| it == "\"sorted\"")
    };
    change.effect = if is_removed {
        Effect::Destructive("its type, rules and index go; documents keep their values")
    } else if is_lost("computed") && after.contains_key("computed") {
        let why = "what computes a field stays: apply a definition without the field first";
        Effect::Blocked(why.into())
    } else if is_lost("computed") {
        Effect::Destructive("it is computed no more")
    } else if is_lost("type") || differs("nocase") && before.contains_key("type") {
        Effect::Destructive("its values compare in another way")
    } else if is_lost("unique") {
        Effect::Destructive("values may come twice from then on")
    } else if is_lost("index") && !is_wider("index") {
        Effect::Destructive("queries lose its index")
    } else {
        Effect::Plain
    };
}

fn index_effect(_: &Words, after: &Words, change: &mut Change) {
    change.builds = change.kind != Kind::Removed;
    change.judges = after.contains_key("unique");
    change.effect = match change.kind {
        Kind::Added => Effect::Plain,
        Kind::Removed => Effect::Destructive("queries lose the index"),
        Kind::Changed => Effect::Destructive("queries lose the index as it was"),
    };
}

fn migration_effect(_: &Words, _: &Words, change: &mut Change) {
    if change.kind != Kind::Added {
        change.effect = Effect::Destructive("documents of other versions may need it");
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
