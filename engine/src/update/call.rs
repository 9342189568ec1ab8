//! CALL: what a function makes of the document, as a merge patch (RFC 7396).
//!
//! The function sees the text as the operations before have left it. A document that they have left alone is handed on as it is
//! stored; another one is read anew, which goes through its bytes once more.

use super::{Draft, Scope, merge};
use crate::doc::edit::kind_name;
use crate::doc::{Parsed, parse_value};
use crate::function::{Call, Loaded, Outcome};
use crate::value::{Kind, Raw};
use crate::{Code, Error, Result};

/// Calls the function `name` with the elements of `args`, and merges its value. Errors: `FUNCTION`, `TOOBIG`, `LIMITED`.
pub(super) fn call(
    draft: &mut Draft<'_>,
    name: &str,
    args: Raw<'_>,
    scope: &Scope<'_>,
) -> Result<()> {
    let unknown = || Error::new(Code::Function, format!("no function '{name}' is loaded"));
    let function = scope.functions.ok_or_else(unknown)?.get(name)?;
    scope.pace.map_or(Ok(()), |pace| pace())?;
    let args: Vec<Raw<'_>> = args.elements().collect();
    let Outcome { value, reply } = outcome(draft, function, &args)?;
    draft.reply = reply;
    let Some(value) = value else { return Ok(()) };
    if Raw::new(&value).kind() != Kind::Object {
        let found = kind_name(Raw::new(&value).kind());
        let what =
            format!("function '{name}' gives {found}, and not an object to merge (RFC 7396)");
        return Err(Error::new(Code::Function, what));
    }
    // It is nested no deeper than a document may be.
    let patch = parse_value(&value, draft.limits)?;
    merge::put(draft, Raw::new(&patch))
}

fn outcome(draft: &mut Draft<'_>, function: &Loaded, args: &[Raw<'_>]) -> Result<Outcome> {
    if draft.text == draft.origin.text() {
        return function.call(&Call { doc: draft.origin, args, is_judging: true });
    }
    draft.spend(draft.text.len())?;
    let mut parsed = Parsed::default();
    parsed.parse(&draft.text, draft.limits)?;
    function.call(&Call { doc: parsed.view(), args, is_judging: true })
}
