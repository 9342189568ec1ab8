//! `DOC.SET`.

use super::args::syntax;
use super::write::{Purpose, Target, Ttl};
use super::{Answer, Args};
use crate::ffi::Ctx;
use crate::{config, datatype};
use folio_engine::Result;

const OPTIONS: [&str; 8] = ["NX", "XX", "IFVERSION", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"];

/// What the options say.
#[derive(Default, Debug, PartialEq, Eq)]
struct Options {
    only_new: bool,
    only_old: bool,
    if_version: Option<u64>,
    /// The word of the TTL option, and its number.
    ttl: Option<(&'static str, i64)>,
}

impl Options {
    fn read(args: &mut Args<'_>) -> Result<Self> {
        let mut options = Options::default();
        while let Some(name) = args.option(&OPTIONS)? {
            match name {
                "NX" => options.only_new = true,
                "XX" => options.only_old = true,
                "IFVERSION" => options.if_version = Some(args.unsigned("IFVERSION")?),
                _ => {
                    if let Some((other, _)) = options.ttl {
                        return Err(syntax(format!("{other} and {name} exclude each other")));
                    }
                    let number = if name == "KEEPTTL" { 0 } else { args.integer(name)? };
                    options.ttl = Some((name, number));
                }
            }
        }
        if options.only_new && options.only_old {
            return Err(syntax("NX and XX exclude each other"));
        }
        Ok(options)
    }

    /// The TTL as an instant; times are to lie after 1970 and within 64 bits of milliseconds.
    fn ttl(&self, now_ms: i64) -> Result<Ttl> {
        let Some((name, number)) = self.ttl else { return Ok(Ttl::Drop) };
        let at_ms = match name {
            "KEEPTTL" => return Ok(Ttl::Keep),
            "EX" => number.checked_mul(1000).and_then(|ms| ms.checked_add(now_ms)),
            "PX" => number.checked_add(now_ms),
            "EXAT" => number.checked_mul(1000),
            _ => Some(number),
        };
        at_ms
            .filter(|_| number > 0)
            .map(Ttl::At)
            .ok_or_else(|| syntax(format!("{name} {number} is no time to expire at")))
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
        target.expect_version(options.if_version)?;
        if !options.are_met(target.old.is_some()) {
            ctx.reply_null();
            return Ok(());
        }
        ctx.reply_count(target.write(parsed, ttl, Purpose::Set)?.version());
        Ok(())
    })
    .inspect_err(|_| crate::info::count_refused_write())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&[u8]]) -> Result<Options> {
        Options::read(&mut Args::new(words))
    }

    #[test]
    fn ttl_options_exclude_each_other() {
        assert_eq!(
            read(&[b"ex", b"1", b"KEEPTTL"]).unwrap_err().to_string(),
            "ERR EX and KEEPTTL exclude each other"
        );
        assert_eq!(
            read(&[b"NX", b"XX"]).unwrap_err().to_string(),
            "ERR NX and XX exclude each other"
        );
    }

    #[test]
    fn times_become_instants() {
        let at = |words: &[&[u8]]| read(words).unwrap().ttl(1_000);
        assert_eq!(at(&[]), Ok(Ttl::Drop));
        assert_eq!(at(&[b"KEEPTTL"]), Ok(Ttl::Keep));
        assert_eq!(at(&[b"EX", b"2"]), Ok(Ttl::At(3_000)));
        assert_eq!(at(&[b"PX", b"2"]), Ok(Ttl::At(1_002)));
        assert_eq!(at(&[b"EXAT", b"2"]), Ok(Ttl::At(2_000)));
        assert_eq!(at(&[b"PXAT", b"2"]), Ok(Ttl::At(2)));
        for words in [[&b"EX"[..], b"0"], [b"PX", b"-1"], [b"EX", b"9223372036854775807"]] {
            assert!(at(&words).is_err(), "{words:?}");
        }
    }
}
