//! Declares a collection by what the first documents look like.

use std::sync::Arc;

use super::ids::Ids;
use super::read::{Plan, text_of};
use super::source::{self, Reading, called, is_lasting};
use crate::commands::infer::{Profile, Proposal, Wish};
use crate::context::Context;
use crate::outcome::Failure;

/// So many documents are looked at.
const SAMPLE: usize = 1000;

/// What is proposed for the first documents of the first file; lines that cannot be read are passed over.
pub fn propose(plan: &Plan) -> Result<Proposal, Failure> {
    let Some(path) = plan.files.first().filter(|path| is_lasting(path)) else {
        let why = "--infer reads a file twice: standard input and pipes can be read once";
        return Err(Failure::Usage(why.into()));
    };
    let reading =
        Reading { format: plan.format, keeps_strings: plan.keeps_strings, target: &plan.target };
    let failed = |error| Failure::file(path, error);
    // These bytes are read again.
    let mut source = source::open(path, &reading, &Arc::default()).map_err(failed)?;
    let mut profile = Profile::default();
    let mut ids = plan.ids.clone();
    for _ in 0..SAMPLE {
        let Some(piece) = source.next().map_err(failed)? else { break };
        let Ok(text) = text_of(plan.is_mongo, &piece.text, &piece.document) else { continue };
        ids = ids.or_else(|| Ids::of_first(&text).map(|(ids, _)| ids));
        if let Ok(found) = ids.as_ref().unwrap_or(&Ids::Server).identify(&text) {
            // What is no document here is told when it is loaded.
            let _ = profile.add(&found.document);
        }
    }
    if profile.documents == 0 {
        return Err(Failure::Data(format!("{}: no documents to infer from", called(path))));
    }
    let id = match &ids {
        Some(Ids::Field(path)) => Some(path.join(".")),
        Some(Ids::Members) => Some("id".into()),
        _ => None,
    };
    let wish = Wish { collection: plan.target.collection.clone(), id, ..Wish::default() };
    Ok(profile.propose(&wish))
}

/// Declares it.
pub async fn declare(proposal: &Proposal, context: &Context) -> Result<(), Failure> {
    let definition = proposal.definition().to_string();
    let command = context.db.cmd("DOC.CREATE").arg(&proposal.collection);
    Ok(command.arg(("DEFINITION", definition)).query().await?)
}
