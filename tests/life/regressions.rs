//! Scripts that met a fault once, made short: they are run each time.

/// What was wrong, how the server kept its data, and the script.
pub const SCRIPTS: &[(&str, &str)] = &[];
