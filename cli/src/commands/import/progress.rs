//! How far an import is, for somebody who looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::ledger::Counts;
use crate::context::Context;
use crate::output::note;

/// A bar on standard error, or nothing.
pub struct Progress {
    bar: Option<ProgressBar>,
    taken: Arc<AtomicU64>,
    is_quiet: bool,
    is_json: bool,
}

impl Progress {
    /// `bytes` is what there is to read, if that is known.
    pub fn new(context: &Context, bytes: Option<u64>, taken: &Arc<AtomicU64>) -> Self {
        let bar = context.shows_progress().then(|| {
            let (bar, form) = match bytes {
                Some(bytes) => (
                    ProgressBar::new(bytes),
                    "{wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left",
                ),
                None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {msg}"),
            };
            bar.enable_steady_tick(Duration::from_millis(200));
            match ProgressStyle::with_template(form) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        let options = &context.options;
        Self { bar, taken: Arc::clone(taken), is_quiet: options.quiet, is_json: options.json }
    }

    /// Something worth knowing that is no answer.
    pub fn note(&self, text: &str) {
        if !self.is_quiet && !self.is_json {
            self.print(&format!("folio: {text}"));
        }
    }

    /// A line that was rejected.
    pub fn rejected(&self, input: &str, line: u64, error: &str) {
        if self.is_json {
            let told = serde_json::json!({ "input": input, "line": line, "error": error });
            self.print(&serde_json::json!({ "rejected": told }).to_string());
        } else {
            self.print(&format!("folio: {input}, line {line}: {error}"));
        }
    }

    pub fn show(&self, counts: &Counts, seconds: f64) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(self.taken.load(Ordering::Relaxed));
        let rate = HumanCount(super::summary::rate(counts.read - counts.read_before, seconds));
        let (read, rejected) = (HumanCount(counts.read), HumanCount(counts.rejected));
        bar.set_message(format!("{read} read, {rate} a second, {rejected} rejected"));
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }
}
