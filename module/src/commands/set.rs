//! `DOC.SET`.

use super::args::syntax;
use super::condition::Condition;
use super::query::next_option;
use super::write::{AskedTtl, Purpose, Target, Ttl};
use super::{Answer, Args};
use crate::ffi::Ctx;
use crate::{config, datatype, refusals};
use folio_engine::Result;

const OPTIONS: [&str; 10] =
    ["NX", "XX", "IFVERSION", "IF", "PARAMS", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"];

/// What the options say.
#[derive(Default)]
struct Options<'a> {
    only_new: bool,
    only_old: bool,
    condition: Condition<'a>,
    /// KEEPTTL is one too; its number says nothing.
    ttl: Option<AskedTtl>,
}

impl<'a> Options<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self> {
        let mut options = Options::default();
        while let Some(name) = next_option(args, &OPTIONS)? {
            match name {
                "NX" => options.only_new = true,
                "XX" => options.only_old = true,
                "IFVERSION" | "IF" | "PARAMS" => options.condition.read(name, args)?,
                _ => {
                    if let Some(AskedTtl { name: other, .. }) = options.ttl {
                        return Err(syntax(format!("{other} and {name} exclude each other")));
                    }
                    let number = if name == "KEEPTTL" { 0 } else { args.integer(name)? };
                    options.ttl = Some(AskedTtl { name, number });
                }
            }
        }
        if options.only_new && options.only_old {
            return Err(syntax("NX and XX exclude each other"));
        }
        options.condition.expect_whole()?;
        Ok(options)
    }

    /// What becomes of the TTL, if an option says so.
    fn ttl(&self, now_ms: i64) -> Result<Option<Ttl>> {
        match self.ttl {
            None => Ok(None),
            Some(AskedTtl { name: "KEEPTTL", .. }) => Ok(Some(Ttl::Keep)),
            Some(asked) => asked.at(now_ms).map(Some),
        }
    }

    fn are_met(&self, is_there: bool) -> bool {
        if is_there { !self.only_new } else { !self.only_old }
    }
}

/// Writes the whole document.
pub(super) fn set(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let json = args.bytes("json")?;
    let options = Options::read(args)?;
    let limits = config::limits();
    datatype::with_parsed(json, &limits, |parsed| {
        let target = Target::open(ctx, 1)?;
        let ttl = options.ttl(target.now_ms)?;
        let is_met = options.condition.is_met(&target, &limits)?;
        if !is_met || !options.are_met(target.old.is_some()) {
            ctx.reply_null();
            return Ok(());
        }
        let ttl = ttl.map_or_else(|| target.own_ttl(), Ok)?;
        ctx.reply_count(target.write(parsed, ttl, Purpose::Set)?.version());
        Ok(())
    })
    .inspect_err(|error| refusals::note(ctx.db(), ctx.argument(1).bytes(), error))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(words: &'a [&'a [u8]]) -> Result<Options<'a>> {
        Options::read(&mut Args::new(words))
    }

    fn error(words: &[&[u8]]) -> String {
        read(words).err().expect("no options").to_string()
    }

    #[test]
    fn ttl_options_exclude_each_other() {
        let both = "ERR EX and KEEPTTL exclude each other";
        assert_eq!(error(&[b"ex", b"1", b"KEEPTTL"]), both);
        assert_eq!(error(&[b"NX", b"XX"]), "ERR NX and XX exclude each other");
    }

    #[test]
    fn a_condition_is_whole() {
        assert_eq!(error(&[b"IF"]), "ERR filter is missing");
        assert_eq!(error(&[b"PARAMS", b"1", b"n", b"1"]), "ERR PARAMS without IF");
        let hint = "the filter is one argument: quote it";
        assert_eq!(error(&[b"IF", b"a", b"=", b"1"]), format!("ERR unknown option '='; {hint}"));
    }

    #[test]
    fn times_become_instants() {
        let at = |words: &[&[u8]]| read(words).unwrap().ttl(1_000);
        assert_eq!(at(&[]), Ok(None));
        assert_eq!(at(&[b"KEEPTTL"]), Ok(Some(Ttl::Keep)));
        assert_eq!(at(&[b"EX", b"2"]), Ok(Some(Ttl::At(3_000))));
        assert_eq!(at(&[b"PX", b"2"]), Ok(Some(Ttl::At(1_002))));
        assert_eq!(at(&[b"EXAT", b"2"]), Ok(Some(Ttl::At(2_000))));
        assert_eq!(at(&[b"PXAT", b"2"]), Ok(Some(Ttl::At(2))));
        for words in [[&b"EX"[..], b"0"], [b"PX", b"-1"], [b"EX", b"9223372036854775807"]] {
            assert!(at(&words).is_err(), "{words:?}");
        }
    }
}
