//! What is to be read along, as a tree of paths.

use std::collections::VecDeque;

use super::accessor::Origin;
use super::{Ref, Reference};
use crate::path::THROUGH;
use crate::{Document, Field};

/// Paths to references, each with what is to be read along with the documents there.
#[doc(hidden)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Includes(Vec<(String, Includes)>);

impl Includes {
    pub(super) fn branches(&self) -> impl Iterator<Item = (&str, &Includes)> {
        self.0.iter().map(|(path, then)| (path.as_str(), then))
    }

    /// Adds a path that leads through references; what it has in common with one that is there, it shares.
    fn add(&mut self, path: &str) {
        let (first, rest) = match path.split_once(THROUGH) {
            Some((first, rest)) => (first, rest.strip_prefix('.')),
            None => (path, None),
        };
        let found = self.0.iter().position(|(path, _)| path == first);
        let at = found.unwrap_or_else(|| {
            self.0.push((first.to_owned(), Includes::default()));
            self.0.len() - 1
        });
        if let (Some(rest), Some((_, then))) = (rest, self.0.get_mut(at)) {
            then.add(rest);
        }
    }
}

/// What may be included with documents of type `M`: references, references of what they refer to, tuples of such.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Post;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let posts = Post::find(()).include((Post::author().team(), Post::readers())).all(&db).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no reference of `{M}`, and cannot be included",
    label = "not a `Ref<..>`",
    note = "a reference is a field of type `folio::Ref<User>`, `Option<Ref<User>>` or `Vec<Ref<User>>`; an `Id<User>` is an id alone"
)]
pub trait Includable<M> {
    /// Adds what is to be read along.
    #[doc(hidden)]
    fn add_to(&self, includes: &mut Includes);
}

impl<M: Origin, D, T: Document> Includable<M::Root> for Reference<M, D, T> {
    fn add_to(&self, includes: &mut Includes) {
        includes.add(crate::FieldRef::field(self).path().as_str());
    }
}

macro_rules! arrays {
    ($($array:ty;)*) => {$(
        impl<M: Origin, T: Document> Includable<M::Root> for Field<M, $array> {
            fn add_to(&self, includes: &mut Includes) {
                includes.add(self.path().each().as_str());
            }
        }
    )*};
}

arrays! {
    Vec<Ref<T>>;
    Option<Vec<Ref<T>>>;
    VecDeque<Ref<T>>;
    Option<VecDeque<Ref<T>>>;
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        #[expect(non_snake_case, reason = "each variable is named after its type")]
        impl<M, $($name: Includable<M>),+> Includable<M> for ($($name,)+) {
            fn add_to(&self, includes: &mut Includes) {
                let ($($name,)+) = self;
                $($name.add_to(includes);)+
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_begin_alike_are_followed_once() {
        let mut includes = Includes::default();
        for path in ["author", "readers[*]", "author.->.team", "author.->.team.->.lead"] {
            includes.add(path);
        }
        let lead = Includes(vec![("lead".into(), Includes::default())]);
        let team = Includes(vec![("team".into(), lead)]);
        let expected = [("author".into(), team), ("readers[*]".into(), Includes::default())];
        assert_eq!(includes, Includes(expected.into()));
    }
}
