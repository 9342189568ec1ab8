//! Predicates on metadata, by orders that a collection keeps anyway: of birth, of lapsing; by who breaks a rule, and by who
//! is deleted.

use std::borrow::Cow;

use super::access::{Chooser, Known, SMALL, Step};
use crate::query::{Meta, Test};
use crate::value::{Key, KeySet};

impl<'q> Chooser<'q> {
    /// The documents of which `meta` has one of the keys.
    pub(super) fn meta(&mut self, meta: Meta, test: &'q Test) -> Option<Known> {
        match meta {
            Meta::Valid => Some(self.valid(&test.keys)),
            Meta::Seq => {
                let count = self.collection.count_born(&test.keys);
                Some(self.push(Step::Born(test), (count, true), true))
            }
            Meta::Expires if test.keys.contains(Key::MISSING.as_ref()) => {
                let rest = Cow::Owned(test.keys.complement());
                let known = self.lapsing(rest, Cow::Owned(test.text.turned()));
                Some(self.all_but(known))
            }
            Meta::Expires => {
                Some(self.lapsing(Cow::Borrowed(&test.keys), Cow::Borrowed(&test.text)))
            }
            Meta::Deleted => self.deleted(&test.keys),
            Meta::Key | Meta::Id | Meta::Version | Meta::Created | Meta::Updated => None,
        }
    }

    /// The documents that lapse at times among `keys`. Their order has no counts: a few are counted one by one.
    fn lapsing(&mut self, keys: Cow<'q, KeySet>, text: Cow<'q, crate::query::Wording>) -> Known {
        let expiry = self.collection.expiry();
        let few = expiry.within(&keys).take(SMALL as usize + 1).count() as u64;
        let count = if few > SMALL { (expiry.len() as u64, false) } else { (few, true) };
        self.push(Step::Lapsing { keys, text }, count, true)
    }

    /// The documents that were deleted at times among `keys`; no order of theirs is kept, so those of some times are to be
    /// looked for among all.
    fn deleted(&mut self, keys: &KeySet) -> Option<Known> {
        let count = (self.collection.deleted().len(), true);
        let is_missing = |keys: &KeySet| keys.as_point() == Some(&Key::MISSING);
        if is_missing(keys) {
            let known = self.push(Step::Deleted, count, true);
            return Some(self.all_but(known));
        }
        let is_some = !keys.contains(Key::MISSING.as_ref());
        is_some.then(|| self.push(Step::Deleted, count, is_missing(&keys.complement())))
    }

    /// The documents of which `_valid` has one of the keys.
    fn valid(&mut self, keys: &KeySet) -> Known {
        let [valid, invalid] =
            [true, false].map(|value| keys.contains(Key::of_bool(value).as_ref()));
        match (valid, invalid) {
            (true, true) => self.all(),
            (false, false) => self.nothing(),
            (false, true) => self.push(Step::Invalid, (self.invalid, true), true),
            (true, false) => {
                let known = self.push(Step::Invalid, (self.invalid, true), true);
                self.all_but(known)
            }
        }
    }
}
