//! `DOC.TXN`: operations on several documents, all or none.
//!
//! ```text
//! read             the operations, JSON or MessagePack                  may refuse
//! open each key    what stands there, at one instant
//! each in order    on the texts as the ones before left them; conditions are asked of what stood there before all
//! write            `write::write_all`: uniqueness is judged as all of them will stand
//! ```
//! A key that several operations name is written once, and its document gets one version.

use std::collections::HashMap;

use folio_engine::doc::{DocRef, Document, Parsed};
use folio_engine::update::{Edited, Op, numbered};
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::operations::Operations;
use super::transaction::{Action, NewTtl, Operation, read, text_of};
use super::update::{Budget, edited_from, made};
use super::write::{Change, Outcome, Planned, Purpose, Refused, Target, Ttl, write_all};
use super::{Answer, Args, Refusal};
use crate::ffi::Ctx;
use crate::{clock, config, refusals};

/// A key, and what the operations so far make of it.
struct Slot<'c> {
    target: Target<'c>,
    /// What stands there now.
    text: Text,
    ttl: Ttl,
    /// A whole document was put: it is judged whole.
    is_whole: bool,
    /// The number of the last operation that changes it.
    changed_by: Option<usize>,
}

/// What stands under a key.
enum Text {
    /// What stood there before the transaction.
    AsBefore,
    /// This document.
    Is(Edited),
    /// No document.
    Gone,
}

/// What an operation replies.
enum Reply {
    /// The version of the document at this place among the slots.
    Version(usize),
    /// What a function said.
    Said(Vec<u8>),
    /// How many documents went.
    Removed(bool),
    /// That its conditions hold.
    Holds,
}

impl Slot<'_> {
    fn key(&self) -> String {
        shown(self.target.name.bytes())
    }

    /// The text that stands there now; none where no document does.
    fn text(&self) -> Option<&[u8]> {
        match &self.text {
            Text::AsBefore => self.target.old.as_ref().map(Document::text),
            Text::Is(edited) => Some(&edited.text),
            Text::Gone => None,
        }
    }

    fn put(&mut self, text: &[u8], ttl: NewTtl) -> Result<()> {
        let ttl = ttl.of(&self.target)?;
        self.set_ttl(ttl);
        self.text = Text::Is(Edited { text: text.to_vec(), ..Edited::default() });
        self.is_whole = true;
        Ok(())
    }

    /// What the function replied that was called last.
    fn said(&mut self) -> Option<Vec<u8>> {
        match &mut self.text {
            Text::Is(edited) => edited.reply.take(),
            Text::AsBefore | Text::Gone => None,
        }
    }

    /// A TTL that is kept is the one that the operation before has left.
    fn set_ttl(&mut self, ttl: Ttl) {
        if ttl != Ttl::Keep {
            self.ttl = ttl;
        }
    }

    /// The document that operations before have left there, which `parsed` may hold; none where it stands as before all.
    fn draft<'v>(
        &'v self,
        parsed: &'v mut Parsed,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<Option<DocRef<'v>>> {
        Ok(match &self.text {
            Text::AsBefore => None,
            Text::Gone => Some(DocRef::EMPTY),
            Text::Is(edited) => {
                budget.spent.spend(edited.text.len(), limits)?;
                edited.parse(parsed, limits)?;
                Some(parsed.view())
            }
        })
    }

    /// The text that the operations of an update make of what stands there.
    fn edited(
        &self,
        operations: &Operations,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<Edited> {
        let mut parsed = Parsed::default();
        let before = self.draft(&mut parsed, limits, budget)?;
        edited_from(&self.target, before, operations, limits, budget)
    }

    /// The same of one call.
    fn called(&self, call: &Op, limits: &Limits, budget: &mut Budget) -> Result<Edited> {
        let mut parsed = Parsed::default();
        let before = self.draft(&mut parsed, limits, budget)?;
        let call = std::slice::from_ref(call);
        made(&self.target, before, call, limits, budget).map_err(|(_, error)| error)
    }

    /// What the operation makes of the text. Errors: `EXISTS`, `NOTFOUND`, `CHECK`, those of the operations.
    fn apply(&mut self, action: &Action<'_>, limits: &Limits, budget: &mut Budget) -> Result<()> {
        let (was_there, is_there) = (self.target.old.is_some(), self.text().is_some());
        match action {
            Action::Insert { .. } if is_there => {
                Err(Error::new(Code::Exists, format!("{} is there already", self.key())))
            }
            Action::Set { text, ttl } | Action::Insert { text, ttl } => self.put(text, *ttl),
            Action::Update { upsert: false, .. } | Action::Call(_) if !is_there => {
                Err(Error::new(Code::NotFound, format!("no document under {}", self.key())))
            }
            Action::Update { operations, .. } => {
                let edited = self.edited(operations, limits, budget)?;
                let ttl = match operations.ttl(self.target.now_ms)? {
                    Ttl::Keep if !is_there => self.target.own_ttl()?,
                    ttl => ttl,
                };
                self.set_ttl(ttl);
                self.text = Text::Is(edited);
                Ok(())
            }
            Action::Call(call) => {
                self.text = Text::Is(self.called(call, limits, budget)?);
                Ok(())
            }
            Action::Del => {
                self.text = Text::Gone;
                self.ttl = Ttl::Drop;
                // Whatever stands there afterwards was put there whole.
                self.is_whole = true;
                Ok(())
            }
            // As every condition, of what stood there before the transaction.
            Action::Check { exists } => match exists {
                Some(true) if !was_there => {
                    Err(Error::new(Code::Check, format!("no document under {}", self.key())))
                }
                Some(false) if was_there => {
                    Err(Error::new(Code::Check, format!("{} is there", self.key())))
                }
                _ => Ok(()),
            },
        }
    }

    /// What becomes of the key, if anything does. Errors: `JSON`, `TOOBIG`.
    fn change(&self, limits: &Limits) -> Result<Option<Change>> {
        if self.changed_by.is_none() {
            return Ok(None);
        }
        let was_there = self.target.old.is_some();
        let mut parsed = Parsed::default();
        match &self.text {
            Text::Is(edited) => edited.parse(&mut parsed, limits)?,
            Text::Gone => return Ok(was_there.then_some(Change::Remove)),
            Text::AsBefore => return Ok(None),
        }
        let is_whole = self.is_whole || !was_there;
        let purpose = if is_whole { Purpose::Set } else { Purpose::Update };
        Ok(Some(Change::Put { parsed, ttl: self.ttl, purpose }))
    }
}

/// The keys of a transaction.
struct Slots<'c> {
    all: Vec<Slot<'c>>,
    places: HashMap<&'c [u8], usize>,
}

impl<'c> Slots<'c> {
    /// Opens the first `count` arguments, at one instant.
    fn open(ctx: &'c Ctx<'c>, count: usize) -> Result<Self, Refusal> {
        let mut slots = Slots { all: Vec::with_capacity(count), places: HashMap::new() };
        let now_ms = clock::now_ms();
        for index in 1..=count {
            let name = ctx.argument(index).bytes();
            if slots.places.contains_key(name) {
                continue;
            }
            let target = Target::open_at(ctx, ctx.argument(index), now_ms)?;
            slots.places.insert(name, slots.all.len());
            let (text, ttl) = (Text::AsBefore, Ttl::Keep);
            let slot = Slot { target, text, ttl, is_whole: false, changed_by: None };
            slots.all.push(slot);
        }
        Ok(slots)
    }

    /// Does one operation.
    fn apply(
        &mut self,
        number: usize,
        operation: &Operation<'_>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<Reply, Refusal> {
        let key = operation.key.as_bytes();
        let place = *self.places.get(key).ok_or_else(|| {
            syntax(format!("{} is none of the keys that the command names", shown(key)))
        })?;
        let slot = &mut self.all[place];
        if !operation.condition().is_met(&slot.target, limits)? {
            let what = format!("the condition does not hold of {}", shown(key));
            return Err(Error::new(Code::Check, what).into());
        }
        let was_there = slot.text().is_some();
        slot.apply(&operation.action, limits, budget)?;
        if !matches!(operation.action, Action::Check { .. }) {
            slot.changed_by = Some(number);
        }
        Ok(match operation.action {
            Action::Check { .. } => Reply::Holds,
            Action::Del => Reply::Removed(was_there),
            Action::Call(_) => slot.said().map_or(Reply::Version(place), Reply::Said),
            _ => Reply::Version(place),
        })
    }
}

/// `refusal`, which names the operation by its number.
fn of_operation(number: usize, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Error(error) => numbered(number, error).into(),
        refusal => refusal,
    }
}

/// Does all operations, or none.
pub(super) fn transact(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let limits = config::limits();
    let Some((operations, keys)) = args.rest().split_last() else {
        return Err(syntax("the operations are missing").into());
    };
    let text = text_of(operations, &limits).inspect_err(|it| refusals::count(it))?;
    let operations = read(&text, &limits).inspect_err(|it| refusals::count(it))?;
    let mut slots = Slots::open(ctx, keys.len())?;
    let (mut replies, mut budget) = (Vec::with_capacity(operations.len()), Budget::default());
    for (at, operation) in operations.iter().enumerate() {
        let reply = slots.apply(at + 1, operation, &limits, &mut budget);
        let refused =
            |refusal: &Refusal| refusals::note(ctx.db(), operation.key.as_bytes(), refusal);
        replies.push(reply.map_err(|it| of_operation(at + 1, it)).inspect_err(refused)?);
    }
    // For each slot the place of its write among those that are made, if it is written.
    let (mut planned, mut places, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for slot in slots.all {
        let number = slot.changed_by.unwrap_or_default();
        let change = slot
            .change(&limits)
            .inspect_err(|error| slot.target.refused(error))
            .map_err(|error| numbered(number, error))?;
        places.push(change.is_some().then_some(planned.len()));
        if let Some(change) = change {
            numbers.push(number);
            planned.push(Planned { target: slot.target, change });
        }
    }
    let outcomes = write_all(&planned).map_err(|Refused { at, refusal }| {
        of_operation(numbers.get(at).copied().unwrap_or_default(), refusal)
    })?;
    ctx.reply_array(replies.len());
    for reply in replies {
        match reply {
            Reply::Version(slot) => {
                let outcome = places[slot].and_then(|place| outcomes.get(place));
                ctx.reply_count(outcome.map_or(0, Outcome::version));
            }
            Reply::Said(text) => ctx.reply_bytes(&text),
            Reply::Removed(is_gone) => ctx.reply_integer(i64::from(is_gone)),
            Reply::Holds => ctx.reply_ok(),
        }
    }
    Ok(())
}
