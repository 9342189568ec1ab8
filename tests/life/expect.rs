//! What the model expects of a reply, and whether a reply is that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use folio_tests::naive::Json;
use folio_tests::naive::aggregate::{Precision, lists_agree, rows_agree};
use folio_tests::naive::model::is_same;
use folio_tests::naive::value::instant;
use redis::Value;

use crate::migrate::Migrations;
use crate::update::INSTANT;
use crate::world::Slot;

/// A row of DOC.FIND.
#[derive(Clone, Debug)]
pub struct Row {
    pub key: String,
    pub json: Json,
    pub exact: bool,
    pub stamp: u64,
}

/// An answer of DOC.FIND.
#[derive(Clone, Debug)]
pub struct Rows {
    pub slot: Slot,
    pub all: Vec<Row>,
    pub total: Option<usize>,
    pub with_version: bool,
    /// Only the keys are compared.
    pub projected: bool,
}

/// What DOC.INFO tells of schema versions.
#[derive(Clone, Debug)]
pub struct Migration {
    pub version: u16,
    pub is_lazy: bool,
    pub ahead: u64,
    /// How many documents have each version.
    pub versions: BTreeMap<u64, u64>,
    /// Some documents may be counted that have lapsed.
    pub is_vague: bool,
}

/// What is expected.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Nothing in particular.
    Any,
    /// Any answer that is no error.
    Fine,
    /// Any answer that is neither an error nor null.
    Filled,
    Ok,
    Queued,
    Int(i64),
    /// A number from one to the other.
    Within((i64, i64)),
    Nil,
    Text(&'static str),
    /// JSON text, and whether it is known digit for digit.
    Json(Json, bool),
    /// The code of an error.
    Error(&'static str),
    Array(Vec<Expect>),
    /// One of these.
    Either(Vec<Expect>),
    /// A version: that of `stamp`, which is new or known.
    Version {
        slot: Slot,
        stamp: u64,
        is_new: bool,
    },
    Rows(Rows),
    /// Exactly these keys, in order.
    Keys(Vec<String>),
    /// The values of DOC.DISTINCT, as far as their texts are known.
    Values(Vec<Json>, Precision),
    /// The rows of DOC.AGGREGATE, and how far each member is fixed.
    Results(Vec<Json>, Vec<(String, Precision)>),
    /// Collection and birth, and the instants between which the document lapses, and parts of it.
    Meta {
        slot: Option<Slot>,
        stamp: u64,
        expires: Option<(i64, i64)>,
        parts: Vec<(String, (i64, i64))>,
        schema: u16,
    },
    /// What the digests hang on: that of the documents, and that of each index.
    Digest {
        documents: u64,
        indexes: Vec<u64>,
    },
    /// Names that must be there, and that may.
    Names(BTreeSet<String>, BTreeSet<String>),
    /// The keys of a whole SCAN.
    Scanned(BTreeSet<String>),
    /// Some numbers of DOC.INFO; of those with a TTL, the least and the greatest.
    Info {
        documents: usize,
        deleted: usize,
        is_declared: bool,
        invalid: usize,
        with_ttl: (usize, usize),
        migration: Option<Migration>,
    },
    /// The prefix and the number of fields of a definition, and what it says of schema versions.
    Schema {
        prefix: String,
        fields: usize,
        migrations: Migrations,
    },
}

impl Expect {
    /// Whether it is an error for certain.
    pub fn is_error(&self) -> bool {
        match self {
            Self::Error(_) => true,
            Self::Either(any) => any.iter().all(Self::is_error),
            _ => false,
        }
    }

    /// Whether it can be an error.
    pub fn may_be_error(&self) -> bool {
        match self {
            Self::Either(any) => any.iter().any(Self::may_be_error),
            expect => expect.is_error(),
        }
    }
}

/// The versions and digests that the server has told.
#[derive(Default)]
pub struct Versions {
    of: HashMap<u64, u64>,
    highest: HashMap<Slot, u64>,
    digests: HashMap<u64, String>,
    /// What each digest of documents stands for.
    states: HashMap<String, u64>,
}

pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        Value::Okay => Some("OK".into()),
        _ => None,
    }
}

fn code(value: &Value) -> Option<String> {
    match value {
        Value::ServerError(error) => Some(error.code().to_owned()),
        _ => None,
    }
}

pub fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

pub fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

pub fn pairs(value: &Value) -> BTreeMap<String, &Value> {
    let items = items(value).unwrap_or_default();
    items.chunks_exact(2).filter_map(|pair| Some((text(&pair[0])?, &pair[1]))).collect()
}

/// The version that DOC.META tells.
pub fn version(meta: &Value) -> Option<u64> {
    pairs(meta).get("version").and_then(|version| number(version))
}

/// JSON texts.
fn jsons(values: &[Value]) -> Option<Vec<Json>> {
    values.iter().map(|value| Json::parse(&text(value)?).ok()).collect()
}

pub fn json_fits(value: &Value, json: &Json, exact: bool) -> bool {
    let Some(text) = text(value) else { return false };
    let Ok(read) = Json::parse(&text) else { return false };
    let read = without_instants(read);
    (exact && read.print() == json.print()) || is_same(&read, json)
}

/// A document with the model's word in the place of the instants that the server has put in.
pub fn without_instants(mut json: Json) -> Json {
    if let Json::Object(members) = &mut json
        && let Some((_, Json::Object(times))) = members.iter_mut().find(|(name, _)| name == "times")
    {
        for (_, time) in times {
            let is_instant = matches!(time, Json::String(text) if instant(text).is_some());
            if is_instant {
                *time = Json::String(INSTANT.to_owned());
            }
        }
    }
    json
}

/// Whether a reply is what is expected; notes the versions that it tells.
pub fn fits(expect: &Expect, reply: &Value, versions: &mut Versions) -> bool {
    match expect {
        Expect::Any => true,
        Expect::Fine => code(reply).is_none(),
        Expect::Filled => code(reply).is_none() && *reply != Value::Nil,
        Expect::Ok => text(reply).as_deref() == Some("OK"),
        Expect::Queued => text(reply).as_deref() == Some("QUEUED"),
        Expect::Int(number) => *reply == Value::Int(*number),
        Expect::Within((least, greatest)) => {
            matches!(reply, Value::Int(number) if (least..=greatest).contains(&number))
        }
        Expect::Nil => *reply == Value::Nil,
        Expect::Text(expected) => text(reply).as_deref() == Some(expected),
        Expect::Json(json, exact) => json_fits(reply, json, *exact),
        Expect::Error(expected) => code(reply).as_deref() == Some(expected),
        Expect::Array(all) => items(reply).is_some_and(|items| {
            items.len() == all.len()
                && all.iter().zip(items).all(|(expect, item)| fits(expect, item, versions))
        }),
        Expect::Either(any) => any.iter().any(|expect| fits(expect, reply, versions)),
        Expect::Version { slot, stamp, is_new } => {
            number(reply).is_some_and(|version| versions.written(slot, *stamp, version, *is_new))
        }
        Expect::Rows(rows) => rows_fit(rows, reply, versions),
        Expect::Keys(keys) => items(reply).is_some_and(|items| {
            items.len() == keys.len()
                && items.iter().zip(keys).all(|(item, key)| text(item).as_ref() == Some(key))
        }),
        Expect::Values(expected, precision) => items(reply)
            .and_then(jsons)
            .is_some_and(|found| lists_agree(expected, &found, *precision)),
        Expect::Results(expected, precisions) => {
            let answer = pairs(reply);
            let rows = answer.get("results").and_then(|rows| items(rows)).and_then(jsons);
            rows.is_some_and(|found| rows_agree(expected, &found, precisions))
        }
        Expect::Meta { slot, stamp, expires, parts, schema } => {
            let told = pairs(reply);
            let version = told.get("schema").and_then(|schema| number(schema));
            version == Some((*schema).into())
                && parts_fit(parts, told.get("path_expires").copied())
                && meta_fits(slot.as_ref(), *stamp, *expires, &told, versions)
        }
        Expect::Digest { documents, indexes } => {
            digest_fits(*documents, indexes, &pairs(reply), versions)
        }
        Expect::Names(must, may) => {
            let names: Option<BTreeSet<String>> =
                items(reply).and_then(|items| items.iter().map(text).collect());
            names.is_some_and(|names| {
                names.is_superset(must)
                    && names.iter().all(|name| must.contains(name) || may.contains(name))
            })
        }
        Expect::Scanned(keys) => items(reply).is_some_and(|parts| {
            let found = parts.get(1).and_then(items).unwrap_or_default();
            let found: Option<BTreeSet<String>> = found.iter().map(text).collect();
            text(&parts[0]).as_deref() == Some("0") && found.as_ref() == Some(keys)
        }),
        Expect::Info { documents, deleted, is_declared, invalid, with_ttl, migration } => {
            let (least, greatest) = with_ttl;
            let told = pairs(reply);
            let is = |name: &str, number: usize| {
                told.get(name).is_some_and(|value| **value == Value::Int(number as i64))
            };
            let with_ttl = told.get("with_ttl").and_then(|value| number(value));
            let with_ttl = with_ttl.and_then(|count| usize::try_from(count).ok());
            with_ttl.is_some_and(|count| (*least..=*greatest).contains(&count))
                && is("documents", *documents)
                && is("deleted", *deleted)
                && is("invalid", *invalid)
                && is("declared", usize::from(*is_declared))
                && migration_fits(migration.as_ref(), &told)
        }
        Expect::Schema { prefix, fields, migrations } => text(reply)
            .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
            .is_some_and(|schema| {
                let steps = schema["migrations"].as_array().map_or(0, Vec::len);
                let version = schema["schema"].as_u64().unwrap_or(0);
                let is_lazy = schema["lazy"].as_bool().unwrap_or(false);
                let told = (version, is_lazy, steps);
                told == (migrations.version.into(), migrations.is_lazy, migrations.len())
                    && schema["prefix"] == **prefix
                    && schema["fields"].as_array().is_some_and(|all| all.len() == *fields)
            }),
    }
}

fn rows_fit(expected: &Rows, reply: &Value, versions: &mut Versions) -> bool {
    let answer = pairs(reply);
    let total = answer.get("total").and_then(|total| number(total));
    let Some(results) = answer.get("results").and_then(|results| items(results)) else {
        return false;
    };
    results.len() == expected.all.len()
        && total == expected.total.map(|total| total as u64)
        && results.iter().zip(&expected.all).all(|(result, row)| {
            let parts = items(result).unwrap_or_default();
            parts.len() == 2 + usize::from(expected.with_version)
                && text(&parts[0]).as_deref() == Some(&row.key)
                && (expected.projected || json_fits(&parts[1], &row.json, row.exact))
                && parts.get(2).is_none_or(|version| {
                    number(version)
                        .is_some_and(|version| versions.seen(&expected.slot, row.stamp, version))
                })
        })
}

fn meta_fits(
    slot: Option<&Slot>,
    stamp: u64,
    expires: Option<(i64, i64)>,
    told: &BTreeMap<String, &Value>,
    versions: &mut Versions,
) -> bool {
    let collection = told.get("collection").and_then(|name| text(name));
    let time_fits = match (told.get("expires"), expires) {
        (Some(Value::Nil), None) => true,
        (Some(Value::Int(at)), Some((least, greatest))) => (least..=greatest).contains(at),
        _ => false,
    };
    let version = told.get("version").and_then(|version| number(version));
    time_fits
        && collection.as_ref() == slot.map(|(_, name)| name)
        && version
            .is_some_and(|version| slot.is_none_or(|slot| versions.seen(slot, stamp, version)))
}

/// What DOC.INFO tells of schema versions, if it does.
pub fn migration<'v>(told: &BTreeMap<String, &'v Value>) -> Option<BTreeMap<String, &'v Value>> {
    let all = told.get("migration").and_then(|all| items(all))?;
    all.first().map(pairs)
}

fn migration_fits(expected: Option<&Migration>, told: &BTreeMap<String, &Value>) -> bool {
    let told = migration(told);
    let Some(expected) = expected else { return told.is_none() };
    let Some(told) = told else { return expected.is_vague };
    let int = |name: &str| told.get(name).and_then(|value| number(value));
    let state = told.get("state").and_then(|state| text(state)).unwrap_or_default();
    let is_state = match (expected.ahead, expected.is_lazy) {
        (0, _) => state == "done",
        (_, true) => state == "lazy",
        _ => matches!(state.as_str(), "running" | "stopped"),
    };
    let count = |line: &Value| {
        let line = pairs(line);
        Some((number(line.get("version")?)?, number(line.get("documents")?)?))
    };
    let versions = told.get("versions").and_then(|all| items(all)).unwrap_or_default();
    let versions: Option<BTreeMap<u64, u64>> = versions.iter().map(count).collect();
    int("version") == Some(expected.version.into())
        && (expected.is_vague
            || int("ahead") == Some(expected.ahead)
                && is_state
                && versions.as_ref() == Some(&expected.versions))
}

fn parts_fit(parts: &[(String, (i64, i64))], told: Option<&Value>) -> bool {
    let told = told.and_then(items).unwrap_or_default();
    told.len() == 2 * parts.len()
        && told.chunks_exact(2).zip(parts).all(|(pair, (path, (least, greatest)))| {
            text(&pair[0]).as_ref() == Some(path)
                && matches!(pair[1], Value::Int(at) if (*least..=*greatest).contains(&at))
        })
}

fn digest_fits(
    documents: u64,
    indexes: &[u64],
    told: &BTreeMap<String, &Value>,
    versions: &mut Versions,
) -> bool {
    let all = told.get("indexes").and_then(|all| items(all)).unwrap_or_default();
    let digest = told.get("documents").and_then(|digest| text(digest));
    all.len() == indexes.len()
        && told.get("times").and_then(|digest| text(digest)).is_some()
        && digest.is_some_and(|digest| {
            *versions.states.entry(digest.clone()).or_insert(documents) == documents
                && versions.digested(documents, &digest)
        })
        && all.iter().zip(indexes).all(|(index, state)| {
            let digest = pairs(index).get("digest").and_then(|digest| text(digest));
            digest.is_some_and(|digest| versions.digested(*state, &digest))
        })
}

impl Versions {
    /// One state has one digest.
    fn digested(&mut self, state: u64, digest: &str) -> bool {
        *self.digests.entry(state).or_insert_with(|| digest.to_owned()) == digest
    }

    /// A write told its version: a new one is above all of the collection, an old one is the known one.
    fn written(&mut self, slot: &Slot, stamp: u64, version: u64, is_new: bool) -> bool {
        if is_new && self.highest.get(slot).is_some_and(|highest| version <= *highest) {
            return false;
        }
        self.seen(slot, stamp, version)
    }

    /// Whether a version may be that of a stamp, by what was told of it.
    pub fn may_be(&self, stamp: u64, version: Option<u64>) -> bool {
        self.of.get(&stamp).is_none_or(|known| version == Some(*known))
    }

    /// A version was told that is that of a stamp.
    pub fn seen(&mut self, slot: &Slot, stamp: u64, version: u64) -> bool {
        let highest = self.highest.entry(slot.clone()).or_default();
        *highest = version.max(*highest);
        *self.of.entry(stamp).or_insert(version) == version
    }
}
