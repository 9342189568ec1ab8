//! What an import came to.

use serde_json::json;

use super::ledger::Ledger;
use crate::context::Context;
use crate::outcome::Failure;

/// Tells it: on standard error for people, on standard output for programs.
pub fn tell(ledger: &Ledger, context: &Context) -> Result<(), Failure> {
    let counts = ledger.state.counts;
    let seconds = ledger.seconds();
    let rate = rate(counts.read - counts.read_before, seconds);
    let rejects = (counts.rejected > 0).then(|| ledger.rejects.path.display().to_string());
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
        let mut told = format!("{} read, {} loaded", counts.read, counts.loaded);
        if ledger.is_dry {
            told = format!("{} read, nothing written", counts.read);
        }
        if counts.skipped > 0 {
            told += &format!(", {} skipped", counts.skipped);
        }
        if counts.rejected > 0 {
            told += &format!(", {} rejected", counts.rejected);
        }
        told += &format!(" in {seconds:.1} s, {rate} a second");
        if let Some(path) = rejects {
            told += &format!("; the rejected lines are in {path}");
        }
        eprintln!("folio: {told}");
    }
    Ok(())
}

/// Lines a second.
pub fn rate(lines: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (lines as f64 / seconds) as u64 } else { 0 }
}
