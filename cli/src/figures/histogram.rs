//! How long calls took: how many took no longer than each power of two of microseconds.

use super::Pairs;

/// The last end is 2 to this power, 17 seconds: where the module's last bucket that ends does.
const LAST: usize = 24;

/// Counts by time, cumulative: place `n` holds the calls that took no longer than `2^n` microseconds, the last place all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram([u64; LAST + 2]);

impl Histogram {
    /// Reads what the module tells, which leaves out the buckets in which nothing fell.
    pub fn new(pairs: Pairs<'_>) -> Self {
        let mut told = [None; LAST + 2];
        for (end, calls) in pairs.each() {
            let place = match end.parse::<u64>() {
                Ok(end) if end.is_power_of_two() => (end.ilog2() as usize).min(LAST + 1),
                Ok(_) => continue,
                Err(_) => LAST + 1,
            };
            told[place] = calls.parse().ok();
        }
        let mut calls = 0;
        Self(told.map(|told| {
            calls = told.unwrap_or(calls);
            calls
        }))
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.0[LAST + 1]
    }

    /// The ends in microseconds, with how many calls took no longer. What took longer than the last is in [`Histogram::calls`].
    pub fn ends(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().take(LAST + 1).enumerate().map(|(power, calls)| (1 << power, *calls))
    }

    /// The calls since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.0;
        for (count, before) in counts.iter_mut().zip(earlier.0) {
            *count = count.saturating_sub(before);
        }
        Self(counts)
    }

    /// The time in microseconds that the part `share` of the calls did not exceed, taken evenly within its bucket; none without
    /// calls. What took longer than the last end counts as that.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        if self.calls() == 0 {
            return None;
        }
        let wanted = share * self.calls() as f64;
        let (mut begin, mut before) = (0, 0);
        for (end, calls) in self.ends() {
            if calls as f64 >= wanted && calls > before {
                let part = (wanted - before as f64) / (calls - before) as f64;
                return Some(begin as f64 + (end - begin) as f64 * part);
            }
            (begin, before) = (end, calls);
        }
        Some(begin as f64)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self([0; LAST + 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Histogram {
        Histogram::new(Pairs(text))
    }

    #[test]
    fn empty_buckets_hold_what_those_before_do() {
        let histogram = read("2=3,16=10,inf=11");
        let ends: Vec<u64> = histogram.ends().map(|(_, calls)| calls).take(6).collect();
        assert_eq!(ends, [0, 3, 3, 3, 10, 10]);
        assert_eq!(histogram.calls(), 11);
        assert_eq!(read("").calls(), 0);
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let histogram = read("2=50,16=100");
        assert_eq!(histogram.quantile(0.25), Some(1.5));
        assert_eq!(histogram.quantile(0.5), Some(2.0));
        assert_eq!(histogram.quantile(0.99), Some(15.84));
        assert_eq!(read("inf=2").quantile(0.5), Some(16_777_216.0));
        assert_eq!(read("").quantile(0.5), None);
    }

    #[test]
    fn a_difference_is_of_each_bucket() {
        let (earlier, later) = (read("2=50,16=100"), read("2=50,16=130"));
        assert_eq!(later.since(&earlier), read("16=30"));
        assert_eq!(later.since(&later).quantile(0.5), None);
    }
}
