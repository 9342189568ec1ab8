//! What benchmarks of servers share: commands that are sent many at a time, the processor time that a server takes, and what is
//! said of the machine.

#![forbid(unsafe_code)]

pub mod driver;
pub mod machine;

/// The middle one of some figures.
///
/// # Panics
/// There are none.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
