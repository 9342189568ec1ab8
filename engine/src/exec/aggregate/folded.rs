//! Reducers that are loaded functions: `product(price)`. Each value is folded into what the ones before have come to.

use std::sync::Arc;

use smallvec::SmallVec;

use super::call::{Call, within};
use super::room::Room;
use crate::Result;
use crate::doc::DocRef;
use crate::function::{self, Loaded, Outcome};
use crate::query::{Given, Meter, Scope, Source, Used, constant};
use crate::value::Raw;

/// A function, and what it is given behind the value.
#[derive(Debug, Clone)]
pub struct Folded {
    function: Arc<Loaded>,
    /// Constants, as JSON.
    args: Vec<Box<[u8]>>,
}

impl PartialEq for Folded {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.function, &other.function) && self.args == other.args
    }
}

impl Folded {
    /// The function that `call` names, where one of that name is loaded. Errors: `FILTER`, where what follows the value is no
    /// constant.
    pub fn bind(
        call: &Call<'_>,
        text: &str,
        scope: &Scope<'_>,
        used: &mut Used,
    ) -> Result<Option<Self>> {
        let Some(Ok(function)) = scope.functions.map(|functions| functions.get(call.word)) else {
            return Ok(None);
        };
        let args = call.arguments.iter().skip(1).map(|argument| {
            let operand = argument.operand(scope.limits)?;
            constant(&operand, scope, used)
        });
        let args = args.collect::<Result<_>>().map_err(|error| within(text, error))?;
        Ok(Some(Folded { function: Arc::clone(function), args }))
    }

    /// Folds a value that `doc`, as it is stored, gives into `state`. Errors: `FUNCTION`, `LIMITED`, `TIMEOUT`.
    pub fn add(
        &self,
        state: &mut Option<Outcome>,
        (source, given): (&Source, &Given<'_>),
        (doc, meter): (DocRef<'_>, &Meter<'_>),
        room: &mut Room,
    ) -> Result<()> {
        const NULL: &[u8] = b"null";
        // A call may take as long as much else.
        meter.check()?;
        let mut value = Vec::new();
        source.write(given, &mut value);
        let next = {
            let so_far = state.as_ref().and_then(|so_far| so_far.value.as_deref());
            let mut args: SmallVec<[Raw<'_>; 4]> = SmallVec::new();
            args.extend([Raw::new(so_far.unwrap_or(NULL)), Raw::new(&value)]);
            args.extend(self.args.iter().map(|json| Raw::new(json)));
            self.function.call(&function::Call { doc, args: &args, is_judging: true })?
        };
        room.take(bytes(&next))?;
        room.release(state.as_ref().map_or(0, bytes));
        *state = Some(next);
        Ok(())
    }
}

/// Appends what a group has come to: the second result of the last call, else the first.
pub fn write(state: Option<Outcome>, out: &mut Vec<u8>) {
    let result = state.and_then(|outcome| outcome.reply.or(outcome.value));
    out.extend_from_slice(result.as_deref().unwrap_or(b"null"));
}

fn bytes(outcome: &Outcome) -> usize {
    [&outcome.value, &outcome.reply].into_iter().flatten().map(Vec::capacity).sum()
}
