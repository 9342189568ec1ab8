//! What a command can be given.

use redis::Cmd;

/// One argument of a [`Call`](super::Call), or several: texts, bytes, numbers, and tuples, lists and options of such.
///
/// Sealed: whatever else is to be sent has a text.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let page = ("LIMIT", 0, 10);
/// let keys: Vec<String> = db.cmd("DOC.KEYS").arg("users").arg(page).read().await?;
/// # Ok(())
/// # }
/// ```
pub trait Argument: sealed::Sealed {
    /// Adds it to what is sent.
    #[doc(hidden)]
    fn add_to(&self, command: &mut Cmd);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! plain {
    ($($type:ty),+) => {$(
        impl sealed::Sealed for $type {}
        impl Argument for $type {
            fn add_to(&self, command: &mut Cmd) {
                command.arg(self);
            }
        }
    )+};
}

plain!(str, String, [u8], Vec<u8>, i16, u16, i32, u32, i64, u64, isize, usize, f32, f64);

impl<A: Argument + ?Sized> sealed::Sealed for &A {}
impl<A: Argument + ?Sized> Argument for &A {
    fn add_to(&self, command: &mut Cmd) {
        (**self).add_to(command);
    }
}

impl<A: Argument> sealed::Sealed for [A] {}
impl<A: Argument> Argument for [A] {
    fn add_to(&self, command: &mut Cmd) {
        for argument in self {
            argument.add_to(command);
        }
    }
}

impl<A: Argument, const N: usize> sealed::Sealed for [A; N] {}
impl<A: Argument, const N: usize> Argument for [A; N] {
    fn add_to(&self, command: &mut Cmd) {
        self.as_slice().add_to(command);
    }
}

impl<T: Argument> sealed::Sealed for Vec<T> {}
impl<T: Argument> Argument for Vec<T> {
    fn add_to(&self, command: &mut Cmd) {
        self.as_slice().add_to(command);
    }
}

impl<A: Argument> sealed::Sealed for Option<A> {}
impl<A: Argument> Argument for Option<A> {
    fn add_to(&self, command: &mut Cmd) {
        if let Some(argument) = self {
            argument.add_to(command);
        }
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Argument),+> sealed::Sealed for ($($name,)+) {}
        impl<$($name: Argument),+> Argument for ($($name,)+) {
            #[expect(non_snake_case, reason = "a variable for each type")]
            fn add_to(&self, command: &mut Cmd) {
                let ($($name,)+) = self;
                $($name.add_to(command);)+
            }
        }
    };
}

impl sealed::Sealed for () {}
impl Argument for () {
    fn add_to(&self, _: &mut Cmd) {}
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(argument: impl Argument) -> Vec<String> {
        let mut command = redis::cmd("X");
        argument.add_to(&mut command);
        let words = command.args_iter().skip(1).map(|word| match word {
            redis::Arg::Simple(word) => String::from_utf8_lossy(word).into_owned(),
            _ => String::new(),
        });
        words.collect()
    }

    #[test]
    fn several_arguments_stand_in_their_order() {
        assert_eq!(sent(("LIMIT", 0, 10_u64)), ["LIMIT", "0", "10"]);
        assert_eq!(sent(vec![("a", Some(1)), ("b", None)]), ["a", "1", "b"]);
        assert_eq!(sent(["x".to_owned(), "y".to_owned()]), ["x", "y"]);
    }

    #[test]
    fn bytes_are_one_argument() {
        assert_eq!(sent(b"abc".to_vec()), ["abc"]);
        assert_eq!(sent(&b"abc"[..]), ["abc"]);
    }
}
