//! What has to be done for a server to have what files say, and how that is told.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::compare::{Change, Effect, Kind, compare};
use super::definition::Definition;
use super::files::Wanted;
use super::server;
use crate::context::Context;
use crate::outcome::Failure;

/// What one collection lacks.
#[derive(Debug)]
pub struct Plan {
    pub wanted: Definition,
    /// None where the collection is not declared.
    pub held: Option<Definition>,
    pub documents: u64,
    pub changes: Vec<Change>,
}

impl Plan {
    /// Compares a definition with the server's.
    pub async fn of(wanted: &Definition, context: &Context) -> Result<Self, Failure> {
        let held = server::held(&wanted.collection, context).await?;
        let (definition, documents) = (held.definition, held.documents);
        let changes = definition.as_ref().map(|held| compare(held, wanted)).unwrap_or_default();
        Ok(Self { wanted: wanted.clone(), held: definition, documents, changes })
    }

    pub async fn of_all(wanted: &[Wanted], context: &Context) -> Result<Vec<Self>, Failure> {
        let mut plans = Vec::with_capacity(wanted.len());
        for Wanted { definition, .. } in wanted {
            plans.push(Self::of(definition, context).await?);
        }
        Ok(plans)
    }

    /// Whether all is declared as it is to be.
    pub fn is_done(&self) -> bool {
        self.held.is_some() && self.changes.is_empty()
    }

    /// Whether a declaration has anything to do.
    pub fn has_work(&self) -> bool {
        let is_ours = |change: &Change| !matches!(change.effect, Effect::Elsewhere(_));
        self.held.is_none() || self.changes.iter().any(is_ours)
    }

    pub fn is_blocked(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.effect, Effect::Blocked(_)))
    }

    pub fn is_destructive(&self) -> bool {
        self.changes.iter().any(Change::is_destructive)
    }

    fn state(&self) -> &'static str {
        match (&self.held, self.changes.is_empty()) {
            (None, _) => "missing",
            (Some(_), true) => "same",
            (Some(_), false) => "different",
        }
    }

    /// It for programs.
    pub fn json(&self) -> Json {
        let changes: Vec<Json> = self.changes.iter().map(Change::json).collect();
        json!({
            "collection": self.wanted.collection, "state": self.state(),
            "documents": self.documents, "changes": changes,
        })
    }

    /// It for people, a line for each change.
    pub fn told(&self) -> String {
        let (name, documents) = (&self.wanted.collection, self.documents);
        if self.is_done() {
            return format!("{name}: declared so\n");
        }
        let Some(held) = &self.held else {
            let (fields, indexes) = (self.wanted.fields.len(), self.wanted.indexes_len());
            let over = match documents {
                0 => String::new(),
                count => format!(", over {count} documents that are there and have to fit it"),
            };
            return format!(
                "{name}: not declared; DOC.CREATE declares {fields} fields and {indexes} indexes{over}\n"
            );
        };
        let by = if self.has_work() && !self.is_blocked() { "; one DOC.ALTER does it" } else { "" };
        let count = self.changes.len();
        let mut told = format!("{}: {count} differences{by}\n", held.collection);
        for change in &self.changes {
            let sign = match change.kind {
                Kind::Added => '+',
                Kind::Removed => '-',
                Kind::Changed => '~',
            };
            let what = match (&change.before, &change.after) {
                (Some(before), Some(after)) => format!("{before} -> {after}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => String::new(),
            };
            let mut notes = vec![change.cost(documents)];
            notes.push(match &change.effect {
                Effect::Plain => String::new(),
                Effect::Destructive(why) => format!("destructive: {why}"),
                Effect::Blocked(why) => format!("not by `apply`: {why}"),
                Effect::Elsewhere(how) => format!("not by `apply`: {how}"),
            });
            notes.retain(|note| !note.is_empty());
            let notes =
                if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
            // A string takes whatever is written to it.
            let _ = writeln!(told, "  {sign} {}: {what}{notes}", change.subject);
        }
        told
    }
}
