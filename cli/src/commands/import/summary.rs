//! What an import came to.

use serde_json::json;

use super::ledger::Ledger;
use crate::context::Context;
use crate::outcome::Failure;
use crate::output::note;

/// Tells it: on standard error for people, on standard output for programs.
pub fn tell(ledger: &Ledger, context: &Context) -> Result<(), Failure> {
    let counts = ledger.state.counts;
    let seconds = ledger.seconds();
    let rate = rate(counts.read - counts.read_before, seconds);
    let rejects = ledger.rejects.path.as_ref().filter(|_| counts.rejected > 0);
    let rejects = rejects.map(|path| path.display().to_string());
    if context.options.json {
        let summary = json!({
            "read": counts.read,
            "loaded": counts.loaded,
            "rejected": counts.rejected,
            "skipped": counts.skipped,
            "seconds": (seconds * 1e3).round() / 1e3,
            "per_second": rate,
            "rejects": rejects,
        });
        crate::output::line(&summary.to_string())?;
    } else if !context.options.quiet {
        let mut told = vec![format!("{} read", counts.read)];
        let loaded = format!("{} loaded", counts.loaded);
        told.push(if ledger.is_dry { "nothing written".into() } else { loaded });
        let others = [(counts.skipped, "skipped"), (counts.rejected, "rejected")];
        let others = others.iter().filter(|(count, _)| *count > 0);
        told.extend(others.map(|(count, what)| format!("{count} {what}")));
        let told = told.join(", ");
        let place = rejects.map(|path| format!("; the rejected lines are in {path}"));
        let place = place.unwrap_or_default();
        note(&format!("folio: {told} in {seconds:.1} s, {rate} a second{place}"));
    }
    Ok(())
}

/// Lines a second.
pub fn rate(lines: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (lines as f64 / seconds) as u64 } else { 0 }
}
