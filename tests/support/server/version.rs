//! Who made a server, and its version: for what they do differently.

use std::fmt;

use crate::Client;

/// Who made a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Redis.
    Redis,
    /// Valkey, which calls itself Redis 7.2 where it is not asked for its own name.
    Valkey,
}

/// A server's maker and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Who made it.
    pub maker: Maker,
    /// Its major and its minor number.
    pub number: (u32, u32),
}

impl Version {
    /// Asks a server.
    pub fn of(client: &mut Client) -> Self {
        let info = client.text(&["INFO", "server"]).unwrap_or_default();
        let line = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
        let (maker, version) = match line("valkey_version:") {
            Some(version) => (Maker::Valkey, version),
            None => (Maker::Redis, line("redis_version:").unwrap_or_default()),
        };
        let mut numbers = version.split('.').map(|part| part.parse().ok());
        let mut next = || numbers.next().flatten().unwrap_or_else(|| panic!("version {version}"));
        Self { maker, number: (next(), next()) }
    }

    /// Whether a COPY of a value of the server's own types into another database leaves the client there, where a
    /// module listens to what happens to keys: a fault of Valkey 8.1 (its pull request 4024 mends it), of which it
    /// tells Folio too late.
    pub fn copies_stray(self) -> bool {
        self.maker == Maker::Valkey && self.number >= (8, 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}.{}", self.maker, self.number.0, self.number.1)
    }
}
