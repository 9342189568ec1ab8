//! `DOC.MSET` and `DOC.MSETNX`: several whole documents, or none.

use std::collections::HashMap;

use folio_engine::doc::Parsed;
use folio_engine::{Limits, Result};

use super::args::{exists, of_document, shown, syntax};
use super::many::{self, DOCUMENTS_MAX};
use super::write::{Change, Planned, Purpose, Target};
use super::{Answer, Args};
use crate::ffi::Ctx;
use crate::{clock, config, refusals};

/// Writes all documents. A key that comes twice is written once, with its last document.
pub(super) fn mset(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    write(ctx, args, false)
}

/// The same where none of them may be there.
pub(super) fn mset_new(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    write(ctx, args, true)
}

fn write(ctx: &Ctx<'_>, args: &Args<'_>, only_new: bool) -> Answer {
    let limits = config::limits();
    let pairs = read(args.rest())?;
    // The place of each key among the writes.
    let now_ms = clock::now_ms();
    let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(pairs.len());
    let mut planned: Vec<Planned<'_>> = Vec::with_capacity(pairs.len());
    let mut of_pairs = Vec::with_capacity(pairs.len());
    for (at, (key, json)) in pairs.iter().enumerate() {
        let parsed =
            parse(key, json, &limits).inspect_err(|it| refusals::note(ctx.db(), key, it))?;
        let whole = |ttl| Change::Put { parsed, ttl, purpose: Purpose::Set };
        let place = *places.entry(key).or_insert(planned.len());
        of_pairs.push(place);
        if let Some(write) = planned.get_mut(place) {
            write.change = whole(write.target.own_ttl()?);
        } else {
            let target = Target::open_at(ctx, ctx.argument(1 + 2 * at), now_ms)?;
            if only_new && target.old.is_some() {
                return Err(exists(key).into());
            }
            let change = whole(target.own_ttl()?);
            planned.push(Planned { target, change });
        }
    }
    let outcomes = many::write(&planned)?;
    ctx.reply_array(of_pairs.len());
    for place in of_pairs {
        ctx.reply_count(outcomes[place].version());
    }
    Ok(())
}

fn read<'a>(words: &'a [&'a [u8]]) -> Result<Vec<(&'a [u8], &'a [u8])>> {
    let (pairs, rest) = words.as_chunks::<2>();
    if let [key] = rest {
        return Err(syntax(format!("the document of {} is missing", shown(key))));
    }
    if pairs.len() > DOCUMENTS_MAX {
        let count = pairs.len();
        return Err(syntax(format!("{count} documents exceed the limit of {DOCUMENTS_MAX}")));
    }
    Ok(pairs.iter().map(|[key, json]| (*key, *json)).collect())
}

fn parse(key: &[u8], json: &[u8], limits: &Limits) -> Result<Parsed> {
    let mut parsed = Parsed::default();
    parsed.parse(json, limits).map_err(|error| of_document(key, error))?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_documents_come_in_pairs() {
        let words: [&[u8]; 3] = [b"a:1", b"{}", b"a:2"];
        assert_eq!(read(&words[..2]).unwrap(), [(&b"a:1"[..], &b"{}"[..])]);
        assert_eq!(read(&words).unwrap_err().to_string(), "ERR the document of 'a:2' is missing");
    }
}
