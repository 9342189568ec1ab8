//! What a predicate asks of a value: that its key lies in one of some ranges.

use super::key::{Key, KeyRef};

/// The keys from `low` to `high`, each end with or without the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The least key.
    pub low: Key,
    /// Whether `low` itself is within.
    pub low_included: bool,
    /// The greatest key.
    pub high: Key,
    /// Whether `high` itself is within.
    pub high_included: bool,
}

impl KeyRange {
    /// The range of all keys.
    pub fn all() -> Self {
        KeyRange { low: Key::MISSING, low_included: true, high: Key::END, high_included: false }
    }

    /// The range that holds `key` alone.
    pub fn point(key: Key) -> Self {
        KeyRange { low: key.clone(), low_included: true, high: key, high_included: true }
    }

    /// The one key of the range, if it is a point.
    pub fn as_point(&self) -> Option<&Key> {
        (self.low_included && self.high_included && self.low == self.high).then_some(&self.low)
    }

    /// Whether `key` lies within.
    pub fn contains(&self, key: KeyRef<'_>) -> bool {
        !self.is_above(key) && !self.is_below(key)
    }

    /// Whether the whole range lies above `key`.
    pub fn is_above(&self, key: KeyRef<'_>) -> bool {
        let low = self.low.as_ref();
        key < low || (!self.low_included && key == low)
    }

    /// Whether the whole range lies below `key`.
    pub fn is_below(&self, key: KeyRef<'_>) -> bool {
        let high = self.high.as_ref();
        key > high || (!self.high_included && key == high)
    }

    /// Whether no key can lie within.
    pub fn is_empty(&self) -> bool {
        self.low > self.high || (self.low == self.high && !(self.low_included && self.high_included))
    }
}

/// Ranges in ascending order that do not meet. May be empty: then no key is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySet {
    ranges: Vec<KeyRange>,
}

impl KeySet {
    /// The set of one range.
    pub fn range(range: KeyRange) -> Self {
        let ranges = if range.is_empty() { Vec::new() } else { vec![range] };
        KeySet { ranges }
    }

    /// The set of some single keys, in any order, repeats allowed. O(n log n).
    pub fn points(keys: impl IntoIterator<Item = Key>) -> Self {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort();
        keys.dedup();
        KeySet { ranges: keys.into_iter().map(KeyRange::point).collect() }
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// Whether every range is a single key.
    pub fn is_points(&self) -> bool {
        self.ranges.iter().all(|range| range.as_point().is_some())
    }

    /// Whether `key` is in the set. O(log ranges).
    pub fn contains(&self, key: KeyRef<'_>) -> bool {
        let at = self.ranges.partition_point(|range| range.is_below(key));
        self.ranges.get(at).is_some_and(|range| range.contains(key))
    }
}
