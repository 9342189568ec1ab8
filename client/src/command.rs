//! A command as data: what is sent, which keys it touches, and whether it may be sent again.

use redis::{Arg, Cmd, ToRedisArgs};

use crate::untyped::Argument;

/// Whether a command whose answer was lost may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing: always.
    Read,
    /// It writes under a condition that the first sending would have taken away (a version, NX, an id that must be
    /// free), so that it is carried out once at most. A second sending may then tell of a conflict with the first.
    Guarded,
    /// It may be carried out twice: never.
    Never,
}

/// Which arguments are keys: `count` of them from `first` on, each `step` behind the last. The name is no argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) step: u32,
}

/// A command with its arguments, not yet sent.
#[derive(Debug, Clone)]
pub struct Command {
    packed: Cmd,
    keys: Keys,
    repeat: Repeat,
}

impl Command {
    /// A command without keys so far; one that names a collection has none.
    pub(crate) fn new(name: &str, repeat: Repeat) -> Self {
        Self { packed: redis::cmd(name), keys: Keys::default(), repeat }
    }

    /// A command that changes nothing.
    pub(crate) fn read(name: &str) -> Self {
        Self::new(name, Repeat::Read)
    }

    /// A command that must not be carried out twice.
    pub(crate) fn write(name: &str) -> Self {
        Self::new(name, Repeat::Never)
    }

    /// Adds an argument, or several from a tuple or a slice.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.packed.arg(argument);
        self
    }

    /// Adds an argument in place.
    pub(crate) fn push(&mut self, argument: impl ToRedisArgs) {
        self.packed.arg(argument);
    }

    /// Adds what a program without types has given.
    pub(crate) fn push_all(&mut self, argument: &impl Argument) {
        argument.add_to(&mut self.packed);
    }

    /// Adds a key. Keys are added one behind the other, or each behind as many other arguments as the last one.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.push_key(key);
        self
    }

    /// Adds a key in place.
    pub(crate) fn push_key(&mut self, key: &str) {
        let at = |command: &Self| command.args().count() as u32;
        match self.keys.count {
            0 => self.keys = Keys { first: at(self), count: 1, step: 1 },
            1 => self.keys = Keys { count: 2, step: at(self) - self.keys.first, ..self.keys },
            _ => self.keys.count += 1,
        }
        self.packed.arg(key);
    }

    /// Says whether it may be sent again.
    pub(crate) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Its name, as it is sent.
    pub(crate) fn name(&self) -> &str {
        let name = self.all().next().and_then(|name| std::str::from_utf8(name).ok());
        name.unwrap_or_default()
    }

    /// Its arguments without the name.
    pub(crate) fn args(&self) -> impl Iterator<Item = &[u8]> {
        self.all().skip(1)
    }

    /// The keys that it touches. A command on a whole collection has none.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let Keys { first, count, step } = self.keys;
        self.args().skip(first as usize).step_by(step.max(1) as usize).take(count as usize)
    }

    /// Whether it may be sent again.
    pub(crate) fn repeats(&self) -> Repeat {
        self.repeat
    }

    /// Whether it may change something.
    pub(crate) fn writes(&self) -> bool {
        self.repeat != Repeat::Read
    }

    /// What the transport sends.
    pub(crate) fn packed(&self) -> &Cmd {
        &self.packed
    }

    fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.packed.args_iter().filter_map(|argument| match argument {
            Arg::Simple(bytes) => Some(bytes),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_where_they_were_added() {
        let mset = Command::write("DOC.MSET").key("a:1").arg("{}").key("a:2").arg("[]");
        let mset = mset.key("a:3").arg("1");
        assert_eq!(mset.keys().collect::<Vec<_>>(), [b"a:1", b"a:2", b"a:3"]);
        assert_eq!((mset.name(), mset.args().count()), ("DOC.MSET", 6));
        let find = Command::read("DOC.FIND").arg(("users", "SCAN"));
        assert_eq!((find.keys().count(), find.writes()), (0, false));
        let get = Command::read("DOC.MGET").key("a").key("b").arg("WITHDELETED");
        assert_eq!(get.keys().collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn only_reads_and_guarded_writes_are_repeated() {
        let set = Command::write("DOC.SET").key("a:1").arg("{}");
        assert_eq!(set.repeats(), Repeat::Never);
        assert_eq!(set.arg("NX").repeat(Repeat::Guarded).repeats(), Repeat::Guarded);
        assert!(Command::write("DOC.SET").writes());
    }
}
