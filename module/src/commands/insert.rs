//! `DOC.INSERT`: a new document, under an id that the user or the server gives.
//!
//! The command names a collection, and its user needs the right to all of it. An id that the server makes is in nobody's way: of
//! a sequence the next number whose key is free, of the other strategies another one where the key is taken.

use std::sync::{Mutex, PoisonError};

use folio_engine::schema::{Definition, Ids};
use folio_engine::store::{NUMBER_MAX, Placement, Store};
use folio_engine::{Code, Error, Result};

use super::args::{exists, shown, syntax};
use super::collections::prefix_of;
use super::get::WITH_VERSION;
use super::query::next_option;
use super::write::{AskedTtl, Purpose, Target};
use super::{Answer, Args, Refusal};
use crate::acl::{Permit, Right};
use crate::ffi::{Ctx, OwnedString};
use crate::state::State;
use crate::{config, datatype, refusals, state};

const OPTIONS: [&str; 6] = ["ID", "EX", "PX", "EXAT", "PXAT", WITH_VERSION];

/// Keys in a row that are taken by other types than documents, before a sequence gives up.
const TAKEN_MAX: u64 = 1_000;

/// What the options say.
#[derive(Default)]
struct Options<'a> {
    id: Option<&'a [u8]>,
    ttl: Option<AskedTtl>,
    with_version: bool,
}

impl<'a> Options<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self> {
        let mut options = Options::default();
        while let Some(name) = next_option(args, &OPTIONS)? {
            match name {
                "ID" => options.id = Some(args.bytes("ID")?),
                WITH_VERSION => options.with_version = true,
                _ => {
                    if let Some(AskedTtl { name: other, .. }) = options.ttl {
                        return Err(syntax(format!("{other} and {name} exclude each other")));
                    }
                    options.ttl = Some(AskedTtl { name, number: args.integer(name)? });
                }
            }
        }
        Ok(options)
    }
}

/// Where a new document goes.
struct Place {
    prefix: Vec<u8>,
    ids: Ids,
    /// The number that a sequence gave last.
    last: u64,
}

impl Place {
    /// The place that the collection `name` has for it. Errors: `NOPERM`, `SCHEMA`, `KEY`.
    fn find(ctx: &Ctx<'_>, name: &str) -> Result<Self, Refusal> {
        let (permit, db) = (Permit::of(ctx), ctx.db());
        state::with(|state| {
            state.end_bulk();
            let prefix = prefix_of(state, db, name).into_owned();
            if !permit.covers(&prefix, Right::Both) {
                return Err(permit.refuse(ctx, name, &prefix, Right::Both));
            }
            let (ids, last) = strategy(state, db, name);
            expect_own(&state.store, db, name, &prefix)?;
            Ok(Place { prefix, ids, last })
        })?
    }

    fn key(&self, id: &[u8]) -> OwnedString {
        OwnedString::new(&[&self.prefix[..], id].concat())
    }

    /// An id that was not made before, as the collection's strategy makes them. Error: `OVERFLOW`.
    fn make_id(&mut self) -> Result<String> {
        match self.ids {
            Ids::Uuid7 => Ok(uuid::Uuid::now_v7().to_string()),
            Ids::Ulid => Ok(next_ulid()),
            Ids::Sequence if self.last >= NUMBER_MAX => {
                let what =
                    format!("the sequence has reached {NUMBER_MAX}, the last of its numbers");
                Err(Error::new(Code::Overflow, what))
            }
            Ids::Sequence => {
                self.last += 1;
                Ok(self.last.to_string())
            }
        }
    }
}

/// How ids are made in the collection, and the number that its sequence gave last.
fn strategy(state: &State, db: u32, name: &str) -> (Ids, u64) {
    state.store.collection(db, name).map_or((Ids::default(), 0), |collection| {
        (collection.definition().options.ids, collection.greatest())
    })
}

/// Whether keys with `prefix` belong to the collection `name`, which need not be there.
fn expect_own(store: &Store, db: u32, name: &str, prefix: &[u8]) -> Result<()> {
    if let Some(there) = store.collection(db, name)
        && there.is_declared()
    {
        return Ok(());
    }
    Definition::new(name).validate(&store.limits)?;
    let is_own = match store.place(db, &[prefix, b"1"].concat())? {
        Placement::Founded(founded) => *founded == *name,
        Placement::Known(uid) => store.collection(db, name).is_some_and(|there| there.uid() == uid),
    };
    if is_own {
        return Ok(());
    }
    let what = format!("keys that begin with {} belong to another collection", shown(prefix));
    Err(Error::new(Code::Key, what))
}

/// ULIDs of one millisecond ascend too.
fn next_ulid() -> String {
    static LAST: Mutex<Option<ulid::Generator>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let made = last.get_or_insert_with(ulid::Generator::new).generate();
    // 2^80 of them in one millisecond would leave none.
    made.unwrap_or_else(|_| ulid::Ulid::new()).to_string()
}

/// Creates a document.
pub(super) fn insert(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let json = args.bytes("json")?;
    let options = Options::read(args)?;
    let mut place = Place::find(ctx, name)?;
    let limits = config::limits();
    let born = datatype::with_parsed(json, &limits, |parsed| {
        let mut taken = 0;
        loop {
            let made = if options.id.is_none() { Some(place.make_id()?) } else { None };
            let id = options.id.or(made.as_deref().map(str::as_bytes)).unwrap_or_default();
            let key = place.key(id);
            match Target::open_named(ctx, key.argument()) {
                Ok(target) if target.old.is_none() => {
                    let ttl = match options.ttl {
                        Some(asked) => asked.at(target.now_ms)?,
                        None => target.own_ttl()?,
                    };
                    let version = target.write(parsed, ttl, Purpose::Set)?.version();
                    return Ok((id.to_vec(), version));
                }
                Ok(_) if made.is_none() => {
                    return Err(exists(key.argument().bytes()).into());
                }
                Err(refusal) if made.is_none() => return Err(refusal),
                _ => taken += 1,
            }
            if taken == TAKEN_MAX {
                let what = format!(
                    "the {TAKEN_MAX} keys up to {} are taken: an insert with an ID above goes on there",
                    shown(key.argument().bytes())
                );
                return Err(Error::new(Code::Exists, what).into());
            }
        }
    })
    .inspect_err(|it| refusals::count(it))?;
    let born: Result<(Vec<u8>, u64), Refusal> = born;
    let (id, version) = born?;
    if options.with_version {
        ctx.reply_array(2);
    }
    ctx.reply_bytes(&id);
    if options.with_version {
        ctx.reply_count(version);
    }
    Ok(())
}
