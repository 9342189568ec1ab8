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

    /// What of the range is not below `key`, if anything.
    pub fn from(&self, key: &Key) -> Option<KeyRange> {
        if self.is_below(key.as_ref()) {
            return None;
        }
        let mut rest = self.clone();
        if *key > rest.low {
            (rest.low, rest.low_included) = (key.clone(), true);
        }
        Some(rest)
    }

    /// What of the range is not above `key`, if anything.
    pub fn up_to(&self, key: &Key) -> Option<KeyRange> {
        if self.is_above(key.as_ref()) {
            return None;
        }
        let mut rest = self.clone();
        if *key < rest.high {
            (rest.high, rest.high_included) = (key.clone(), true);
        }
        Some(rest)
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

    fn begins_no_later_than(&self, other: &KeyRange) -> bool {
        self.low < other.low
            || (self.low == other.low && (self.low_included || !other.low_included))
    }

    fn ends_before_end_of(&self, other: &KeyRange) -> bool {
        self.high < other.high
            || (self.high == other.high && !self.high_included && other.high_included)
    }

    /// What every string begins with that has a key within, where strings alone have.
    pub fn beginning(&self) -> Option<String> {
        let mut low = self.low.as_ref().string()?;
        if self.as_point().is_none() {
            let high = self.high.as_ref().string()?;
            let mut after = low.clone();
            after.last_mut().into_iter().for_each(|last| *last = last.wrapping_add(1));
            if self.high_included || after != high {
                let same = low.iter().zip(&high).take_while(|(a, b)| a == b).count();
                low.truncate(same);
            }
        }
        let valid = low.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        Some(valid.to_owned())
    }

    /// Whether no key lies between the range and one that begins no earlier.
    fn reaches(&self, other: &KeyRange) -> bool {
        other.low < self.high
            || (other.low == self.high && (self.high_included || other.low_included))
    }

    /// Whether no key can lie within.
    pub fn is_empty(&self) -> bool {
        self.low > self.high
            || (self.low == self.high && !(self.low_included && self.high_included))
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

    /// The set of ranges in any order, no two of which meet. O(n log n).
    pub fn apart(ranges: impl IntoIterator<Item = KeyRange>) -> Self {
        let mut ranges: Vec<KeyRange> =
            ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_by(|a, b| a.low.cmp(&b.low));
        KeySet { ranges }
    }

    /// The keys that are in one of some sets. O(ranges · log ranges).
    pub fn union_of<'k>(sets: impl IntoIterator<Item = &'k KeySet>) -> Self {
        let mut all: Vec<KeyRange> =
            sets.into_iter().flat_map(|set| set.ranges.iter().cloned()).collect();
        all.sort_by(|a, b| a.low.cmp(&b.low).then(b.low_included.cmp(&a.low_included)));
        let mut ranges: Vec<KeyRange> = Vec::with_capacity(all.len());
        for next in all {
            match ranges.last_mut() {
                Some(last) if last.reaches(&next) => {
                    if last.ends_before_end_of(&next) {
                        (last.high, last.high_included) = (next.high, next.high_included);
                    }
                }
                _ => ranges.push(next),
            }
        }
        KeySet { ranges }
    }

    /// The keys that are in all of some sets. O(ranges · log ranges).
    pub fn intersection_of<'k>(sets: impl IntoIterator<Item = &'k KeySet>) -> Self {
        let without: Vec<KeySet> = sets.into_iter().map(KeySet::complement).collect();
        KeySet::union_of(&without).complement()
    }

    /// The keys that are not in the set. O(ranges).
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut rest = KeyRange::all();
        for range in &self.ranges {
            let before = KeyRange {
                low: rest.low,
                low_included: rest.low_included,
                high: range.low.clone(),
                high_included: !range.low_included,
            };
            if !before.is_empty() {
                ranges.push(before);
            }
            (rest.low, rest.low_included) = (range.high.clone(), !range.high_included);
        }
        if !rest.is_empty() {
            ranges.push(rest);
        }
        KeySet { ranges }
    }

    /// Whether no key is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether every key is in the set.
    pub fn is_all(&self) -> bool {
        matches!(self.ranges.as_slice(), [only] if *only == KeyRange::all())
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// The one key of the set, if it has one alone.
    pub fn as_point(&self) -> Option<&Key> {
        match self.ranges.as_slice() {
            [only] => only.as_point(),
            _ => None,
        }
    }

    /// Whether every range is a single key.
    pub fn is_points(&self) -> bool {
        self.ranges.iter().all(|range| range.as_point().is_some())
    }

    /// The keys that are in both. O(ranges).
    #[must_use]
    pub fn intersection(&self, other: &KeySet) -> KeySet {
        let mut ranges = Vec::new();
        let (mut left, mut right) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let later = if a.begins_no_later_than(b) { b } else { a };
            let sooner = if a.ends_before_end_of(b) { a } else { b };
            let both = KeyRange {
                low: later.low.clone(),
                low_included: later.low_included,
                high: sooner.high.clone(),
                high_included: sooner.high_included,
            };
            if !both.is_empty() {
                ranges.push(both);
            }
            if a.ends_before_end_of(b) {
                left.next();
            } else {
                right.next();
            }
        }
        KeySet { ranges }
    }

    /// Whether every key of `other` is in the set, as far as single ranges tell: no when it takes several of them to hold
    /// one of `other`. O(ranges).
    pub fn holds(&self, other: &KeySet) -> bool {
        let mut ranges = self.ranges.iter().peekable();
        other.ranges.iter().all(|inner| {
            while ranges.next_if(|range| range.ends_before_end_of(inner)).is_some() {}
            ranges.peek().is_some_and(|range| range.begins_no_later_than(inner))
        })
    }

    /// Whether every key of `head` is in the set, or none is; not known where it depends on the tail. O(log ranges).
    pub fn contains_head(&self, head: u64) -> Option<bool> {
        let at = self.ranges.partition_point(|range| range.high.head() < head);
        let Some(range) = self.ranges.get(at).filter(|range| range.low.head() <= head) else {
            return Some(false);
        };
        (range.low.head() < head && head < range.high.head()).then_some(true)
    }

    /// The keys of the set that its heads do not tell ([`KeySet::contains_head`]). O(ranges · log ranges).
    #[must_use]
    pub fn edges(&self) -> KeySet {
        let ends = self.ranges.iter().flat_map(|range| [range.low.head(), range.high.head()]);
        let with_head = |head: u64| {
            let ends = (Key::new(head, None), Key::new(head.saturating_add(1), None));
            KeySet::range(KeyRange {
                low: ends.0,
                low_included: true,
                high: ends.1,
                high_included: false,
            })
        };
        let ends: Vec<KeySet> = ends.map(with_head).collect();
        KeySet::union_of(&ends).intersection(self)
    }

    /// Whether `key` is in the set. O(log ranges).
    pub fn contains(&self, key: KeyRef<'_>) -> bool {
        let at = self.ranges.partition_point(|range| range.is_below(key));
        self.ranges.get(at).is_some_and(|range| range.contains(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(n: u64) -> Key {
        Key::new(n / 2, (n % 2 == 1).then(|| Box::from([0u8])))
    }

    /// Ranges and points that do not meet.
    fn any_set() -> impl Strategy<Value = KeySet> {
        vec((0u64..40, any::<(bool, bool)>()), 0..12).prop_map(|mut ends| {
            ends.sort_by_key(|(at, _)| *at);
            ends.dedup_by_key(|(at, _)| *at);
            KeySet::apart(ends.chunks_exact(2).map(|pair| KeyRange {
                low: key(pair[0].0),
                low_included: pair[0].1.0,
                high: key(if pair[0].1.1 { pair[0].0 } else { pair[1].0 }),
                high_included: pair[0].1.1 || pair[1].1.1,
            }))
        })
    }

    proptest! {
        #[test]
        fn sets_meet_where_both_hold_a_key(a in any_set(), b in any_set()) {
            let both = a.intersection(&b);
            for n in 0..40 {
                let key = key(n);
                let [in_a, in_b, in_both] = [&a, &b, &both].map(|set| set.contains(key.as_ref()));
                prop_assert_eq!(in_both, in_a && in_b, "{}", n);
                if a.holds(&b) {
                    prop_assert!(in_a || !in_b, "{}", n);
                }
            }
            prop_assert!(a.holds(&both) && b.holds(&both) && a.holds(&a), "{:?}", both);
        }

        #[test]
        fn sets_join_and_turn_as_their_keys_do(a in any_set(), b in any_set(), c in any_set()) {
            let (one, all) = (KeySet::union_of([&a, &b, &c]), KeySet::intersection_of([&a, &b, &c]));
            let without = a.complement();
            for n in 0..40 {
                let key = key(n);
                let has = |set: &KeySet| set.contains(key.as_ref());
                prop_assert_eq!(has(&one), has(&a) || has(&b) || has(&c), "{}", n);
                prop_assert_eq!(has(&all), has(&a) && has(&b) && has(&c), "{}", n);
                prop_assert_eq!(has(&without), !has(&a), "{}", n);
            }
            prop_assert_eq!(without.complement(), KeySet::union_of([&a]));
            prop_assert!(KeySet::union_of([&a, &without]).is_all());
            prop_assert!(KeySet::intersection_of([&a, &without]).is_empty());
            for head in 0..20 {
                let tails = [key(2 * head), key(2 * head + 1)];
                let within = tails.each_ref().map(|key| one.contains(key.as_ref()));
                let told = one.contains_head(head).map(|is_in| [is_in; 2]);
                let edges = one.edges();
                let told = told.unwrap_or_else(|| tails.map(|key| edges.contains(key.as_ref())));
                prop_assert_eq!(within, told);
            }
            let apart = |set: &KeySet| set.ranges.windows(2).all(|it| !it[0].reaches(&it[1]));
            prop_assert!(apart(&one) && apart(&all) && apart(&without));
        }
    }
}
