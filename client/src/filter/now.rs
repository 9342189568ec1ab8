//! The server's clock.

use std::time::Duration;

use super::Node;

/// The instant at which the server begins the command, perhaps so much earlier or later.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// use std::time::Duration;
///
/// let recent = User::created_at().gt(folio::now().minus(Duration::from_secs(3_600)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    offset: Duration,
    is_before: bool,
}

/// The instant at which the server begins the command.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::Job;
/// let free = Job::lease().is_missing() | Job::lease().lt(folio::now());
/// ```
pub fn now() -> Moment {
    Moment { offset: Duration::ZERO, is_before: false }
}

impl Moment {
    /// So much before it.
    ///
    /// ```
    /// let moment = folio::now().minus(std::time::Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn minus(self, offset: Duration) -> Self {
        Self { offset, is_before: true }
    }

    /// So much behind it.
    ///
    /// ```
    /// let moment = folio::now().plus(std::time::Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn plus(self, offset: Duration) -> Self {
        Self { offset, is_before: false }
    }

    pub(crate) fn node(self) -> Node {
        let now = Node::of("now", []);
        if self.offset.is_zero() {
            return now;
        }
        let offset = Node::of("duration", [Node::text(duration(self.offset))]);
        Node::of(if self.is_before { "-" } else { "+" }, [now, offset])
    }
}

/// A length of time as the server reads it.
pub(crate) fn duration(time: Duration) -> String {
    match time.subsec_nanos() {
        0 => format!("{}s", time.as_secs()),
        nanoseconds => format!("{}s {nanoseconds}ns", time.as_secs()),
    }
}
