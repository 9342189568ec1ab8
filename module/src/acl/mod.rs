//! What the user of a command may touch.
//!
//! The server judges commands and the keys that they name. A command that names a collection names no key: whether its user
//! may touch all of the collection's keys is judged here, by the rule that one selector of the user allows the
//! command and holds one pattern which covers the collection's prefix, with the right that the command takes.
//!
//! ```text
//! caller      the server by itself (append-only file, primary, other modules): everything
//! rules       the user's description, read once and kept until the server has made another one
//! selectors   where there are several: those that allow this command, asked of the server, each as a user of its own
//! covers      glob.rs; where the server can judge prefixes (8.0), it has to agree
//! ```
//!
//! A server before 8.0 tells nobody that rules change. But it keeps a user's description as one string, and makes another one
//! after a change: while that string is held here, its address cannot be another's, and stands for the rules.

mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use folio_engine::planted::{self, Fault};
use smallvec::SmallVec;

pub(crate) use rules::Right;
use rules::Selector;

use crate::commands::Refusal;
use crate::ffi::{Caller, Ctx, OwnedString, User};

/// Users whose rules are kept; beyond that all are read anew.
const KEPT_MAX: usize = 1_000;
/// Who may run it is an administrator.
const ADMINS_COMMAND: &[u8] = b"SHUTDOWN";

/// The rules of a user.
struct Rules {
    selectors: Vec<Selector>,
    /// Of several selectors: each as a user who may run what the selector allows; none where the server refused a rule.
    deputies: Vec<Option<User>>,
}

impl Rules {
    fn read(description: &[u8]) -> Self {
        let selectors = rules::read(description);
        let mut deputies = Vec::new();
        if selectors.len() > 1 {
            deputies.extend(selectors.iter().map(deputy));
        }
        Rules { selectors, deputies }
    }

    /// Whether every command that its user may run may touch every key.
    fn is_unlimited(&self) -> bool {
        matches!(&*self.selectors, [only] if only.has_all_keys())
    }

    /// The selectors that allow the command of `ctx`, which the server has allowed already.
    fn selectors_for(&self, ctx: &Ctx<'_>) -> SmallVec<[usize; 4]> {
        if self.deputies.is_empty() {
            return (0..self.selectors.len()).collect();
        }
        let allows = |deputy: &Option<User>| deputy.as_ref().is_some_and(|user| user.may_run(ctx));
        let allowing = self.deputies.iter().enumerate().filter(|(_, deputy)| allows(deputy));
        allowing.map(|(at, _)| at).collect()
    }
}

/// A user who may run the commands of a selector. A rule that cannot be given takes effect only if it grants something.
fn deputy(selector: &Selector) -> Option<User> {
    let user = User::without_rights();
    let done = selector.commands.iter().all(|rule| user.add_rule(rule) || rule.starts_with(b"+"));
    done.then_some(user)
}

/// Rules by the name of their user, each with the description that it was read from.
type Kept = HashMap<Box<[u8]>, (OwnedString, Arc<Rules>)>;

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

/// The rules of a user as they are now.
fn rules_of(name: &[u8], user: &User) -> Arc<Rules> {
    let description = user.description();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some((known, rules)) = kept.get(name)
        && known.is_same(&description)
    {
        return Arc::clone(rules);
    }
    if kept.len() >= KEPT_MAX {
        kept.clear();
    }
    let rules = Arc::new(Rules::read(description.argument().bytes()));
    kept.insert(name.into(), (description, Arc::clone(&rules)));
    rules
}

/// What a command may touch in its user's name.
pub(crate) struct Permit(Scope);

enum Scope {
    Everything,
    Nothing,
    Selected { user: User, rules: Arc<Rules>, selectors: SmallVec<[usize; 4]> },
}

impl Permit {
    /// What the command of `ctx` may touch. O(1) but after a change of the user's rules, and where these have several selectors.
    pub(crate) fn of(ctx: &Ctx<'_>) -> Self {
        Permit(match ctx.caller() {
            Caller::Server => Scope::Everything,
            Caller::Stranger => Scope::Nothing,
            Caller::User(name, user) => {
                let rules = rules_of(name.argument().bytes(), &user);
                if rules.is_unlimited() {
                    Scope::Everything
                } else {
                    let selectors = rules.selectors_for(ctx);
                    Scope::Selected { user, rules, selectors }
                }
            }
        })
    }

    /// Whether there is anything that it may not touch.
    pub(crate) fn is_limited(&self) -> bool {
        !matches!(self.0, Scope::Everything)
    }

    /// Whether the command has `right` on every key that begins with `prefix`. Calls nothing back.
    pub(crate) fn covers(&self, prefix: &[u8], right: Right) -> bool {
        match &self.0 {
            Scope::Everything => true,
            Scope::Nothing => false,
            Scope::Selected { user, rules, selectors } => {
                if planted::is(Fault::Acl) {
                    return user.may_touch(&[prefix, b"1"].concat(), right);
                }
                let covers = |at: &usize| rules.selectors[*at].covers(prefix, right);
                // Redis 8 has no pattern cover the empty prefix.
                let agrees =
                    || prefix.is_empty() || user.may_touch_all(prefix, right) != Some(false);
                selectors.iter().any(covers) && agrees()
            }
        }
    }

    /// The refusal of `right` on the collection `name`, which ACL LOG shows from now on.
    pub(crate) fn refuse(&self, ctx: &Ctx<'_>, name: &str, prefix: &[u8], right: Right) -> Refusal {
        if let Scope::Selected { user, .. } = &self.0 {
            ctx.log_refusal(user, prefix);
        }
        Refusal::Forbidden { collection: name.into(), right }
    }

    /// Error: there are keys on which the command has no `right`; ACL LOG shows so.
    pub(crate) fn expect_all(&self, ctx: &Ctx<'_>, right: Right) -> Result<(), Refusal> {
        if self.covers(b"", right) {
            return Ok(());
        }
        self.refuse(ctx, "", b"", right);
        Err(Refusal::NotAllKeys(right))
    }
}

/// Whether the user of `ctx` may run administrators' commands.
pub(crate) fn is_admin(ctx: &Ctx<'_>) -> bool {
    match ctx.caller() {
        Caller::Server => true,
        Caller::Stranger => false,
        Caller::User(_, user) => user.may_run_named(ADMINS_COMMAND),
    }
}

/// The refusal as the user of `ctx` is told of it: without the key of a document that the user may not read.
pub(crate) fn shown_to(ctx: &Ctx<'_>, mut refusal: Refusal) -> Refusal {
    if let Refusal::Error(error) = &mut refusal
        && let Some(key) = &error.holder
    {
        let may_read = match ctx.caller() {
            Caller::Server => true,
            Caller::Stranger => false,
            Caller::User(_, user) => user.may_touch(key, Right::Read),
        };
        if !may_read {
            error.hide_holder();
        }
    }
    refusal
}
