//! `DOC.DEL`.

use super::write::Target;
use super::{Answer, Args, Refusal};
use crate::ffi::{Access, Ctx, Value};

/// Removes documents. Another type under any of the keys refuses the whole.
pub(super) fn del(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let count = args.rest().len();
    for index in 1..=count {
        if matches!(ctx.open(ctx.argument(index), Access::Peek).value(), Value::Other) {
            return Err(Refusal::WrongType);
        }
    }
    let mut removed = 0;
    for index in 1..=count {
        let target = Target::open(ctx, index)?;
        if target.old.is_some() {
            target.remove();
            removed += 1;
        }
    }
    ctx.reply_integer(removed);
    Ok(())
}
