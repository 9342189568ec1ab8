//! What functions on the server are called with.

use serde::Serialize;

use crate::{Error, Result};

/// The arguments of a function on the server: a tuple of up to eight values, `()` for none, or a list. Each is what serde
/// writes of it as JSON.
///
/// ```
/// use folio::untyped::Write;
///
/// let write = Write::call("stock:7", "restock", (5, "Lyon"))?;
/// let write = Write::call("stock:7", "count", ())?;
/// # Ok::<(), folio::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of arguments",
    label = "one argument alone is written `(argument,)`",
    note = "arguments are a tuple of values that implement `serde::Serialize`, `()`, an array or a `Vec`"
)]
pub trait Arguments {
    /// Each as JSON.
    #[doc(hidden)]
    fn texts(&self) -> Result<Vec<String>>;
}

fn text(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(Error::Encode)
}

/// All of them as one JSON array.
pub(crate) fn array(arguments: &impl Arguments) -> Result<String> {
    Ok(format!("[{}]", arguments.texts()?.join(",")))
}

impl Arguments for () {
    fn texts(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

impl<T: Serialize> Arguments for [T] {
    fn texts(&self) -> Result<Vec<String>> {
        self.iter().map(text).collect()
    }
}

impl<T: Serialize> Arguments for Vec<T> {
    fn texts(&self) -> Result<Vec<String>> {
        self.as_slice().texts()
    }
}

impl<T: Serialize, const N: usize> Arguments for [T; N] {
    fn texts(&self) -> Result<Vec<String>> {
        self.as_slice().texts()
    }
}

impl<A: Arguments + ?Sized> Arguments for &A {
    fn texts(&self) -> Result<Vec<String>> {
        (**self).texts()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Serialize),+> Arguments for ($($name,)+) {
            #[expect(non_snake_case, reason = "a variable for each type")]
            fn texts(&self) -> Result<Vec<String>> {
                let ($($name,)+) = self;
                Ok(vec![$(text($name)?),+])
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_apart_from_one_that_is_an_array() {
        assert_eq!(array(&()).unwrap(), "[]");
        assert_eq!(array(&(5, "a\"", None::<u8>)).unwrap(), r#"[5,"a\"",null]"#);
        assert_eq!(array(&([1, 2],)).unwrap(), "[[1,2]]");
        assert_eq!(array(&[1, 2]).unwrap(), "[1,2]");
        assert_eq!(array(&vec![1.5]).unwrap(), "[1.5]");
        assert!(array(&(std::collections::BTreeMap::from([((1, 2), 3)]),)).is_err());
    }
}
