//! Soft deletes, and inserts under ids that the server makes.

use std::collections::BTreeSet;

use folio_tests::naive::{Json, Timed};

use crate::expect::Expect;
use crate::many::refused;
use crate::op::{Ids, Ttl};
use crate::step::{Plan, plan};
use crate::told::MADE;
use crate::update::fill;
use crate::world::{Doc, Entry, Held, World};

/// Creates a document and brings it to a key: the id that it got only the server knows.
const INSERT: &str = "
    local id = redis.call('DOC.INSERT', unpack(ARGV, 2))
    return redis.call('RENAME', ARGV[1] .. id, KEYS[1])";

impl World {
    /// DOC.DEL SOFT
    pub fn soft(&mut self, keys: &[String], ttl: Option<Ttl>) -> Option<Plan> {
        let mut words = vec!["DOC.DEL".to_owned()];
        words.extend_from_slice(keys);
        words.push("SOFT".to_owned());
        let mut level = None;
        if let Some(ttl) = ttl {
            let (number, to) = self.ttl_ms(ttl.step, false);
            let (word, number) =
                if ttl.is_millis() { ("PX", number) } else { ("EX", number / 1000) };
            words.extend([word.to_owned(), number.to_string()]);
            level = Some(to);
        }
        let live: BTreeSet<&String> =
            keys.iter().filter(|key| self.space().doc(key).is_some()).collect();
        let mut codes = BTreeSet::new();
        let is_other = keys.iter().any(|key| self.space().is_other(key));
        codes.extend(is_other.then_some("WRONGTYPE"));
        let is_stray = live.iter().any(|key| self.space().place(key).is_none());
        codes.extend(is_stray.then_some("KEY"));
        if !codes.is_empty() {
            return plan(&words, refused(codes));
        }
        let db = self.db;
        self.group = Some(self.number());
        for key in &live {
            let stamp = self.number();
            let before = self.space().doc(key).map(|doc| Doc { stamp, ..doc.clone() });
            let entry = self.space_mut().entries.get_mut(*key)?;
            if let Held::Doc(doc) = &entry.held {
                entry.held = Held::Deleted(Doc { stamp, ..doc.clone() });
            }
            entry.ttl = level.or(entry.ttl);
            if let Some(doc) = before {
                self.tell_removal(db, "delete", key, &doc, Some("soft"));
            }
        }
        self.group = None;
        plan(&words, Expect::Int(live.len() as i64))
    }

    /// DOC.UNDELETE
    pub fn undelete(&mut self, keys: &[String], keep_ttl: bool) -> Option<Plan> {
        let mut words = vec!["DOC.UNDELETE".to_owned()];
        words.extend_from_slice(keys);
        words.extend(keep_ttl.then(|| "KEEPTTL".to_owned()));
        let gone: BTreeSet<&String> = keys.iter().filter(|key| self.is_deleted(key)).collect();
        let mut codes = BTreeSet::new();
        let is_other = keys.iter().any(|key| self.space().is_other(key));
        codes.extend(is_other.then_some("WRONGTYPE"));
        let mut then = self.clone();
        then.group = Some(then.number());
        for key in &gone {
            let stamp = then.number();
            let entry = then.space_mut().entries.get_mut(*key)?;
            if let Held::Deleted(doc) = &entry.held {
                entry.held = Held::Doc(Doc { stamp, hides: false, ..doc.clone() });
            }
            entry.ttl = entry.ttl.filter(|_| keep_ttl);
            if let Some(doc) = then.space().doc(key).cloned() {
                then.tell_of(then.db, "insert", key, &doc, Some("undelete"));
            }
        }
        for key in &gone {
            let Some(name) = self.space().place(key) else {
                codes.insert("KEY");
                continue;
            };
            let (schema, doc) = (then.space().schema(&name), then.space().doc(key)?);
            let json = &doc.json;
            if doc.timed.is_unsure(&schema) {
                return None;
            }
            let is_broken = doc.timed.breach(&schema).is_some();
            codes.extend(schema.refusal(json, |_| false).or(is_broken.then_some("SCHEMA")));
            codes.extend(schema.has_huge_number(json).then_some("JSON"));
            codes.extend(then.space().clash(&name, key, None, json).then_some("UNIQUE"));
        }
        if !codes.is_empty() {
            return plan(&words, refused(codes));
        }
        let count = gone.len() as i64;
        then.group = None;
        *self = then;
        plan(&words, Expect::Int(count))
    }

    /// DOC.DEL WITHDELETED
    pub fn purge(&mut self, keys: &[String]) -> Option<Plan> {
        let mut words = vec!["DOC.DEL".to_owned()];
        words.extend_from_slice(keys);
        words.push("WITHDELETED".to_owned());
        if keys.iter().any(|key| self.space().is_other(key)) {
            return plan(&words, Expect::Error("WRONGTYPE"));
        }
        let db = self.db;
        let count = keys.iter().filter(|key| self.take(db, key).is_some()).count();
        plan(&words, Expect::Int(count as i64))
    }

    fn is_deleted(&self, key: &str) -> bool {
        let entry = self.space().entries.get(key);
        matches!(entry, Some(Entry { held: Held::Deleted(_), .. }))
    }

    /// DOC.INSERT, and RENAME to a key that is known.
    pub fn insert(&mut self, name: &str, json: &str, ids: Ids, to: &str) -> Option<Plan> {
        let declared = self.space().declared.get(name);
        let prefix = declared.map_or_else(|| format!("{name}:"), |it| it.prefix.clone());
        let mut words = vec!["EVAL", INSERT, "1", to, &prefix, name, json];
        let id = match ids {
            Ids::Made => None,
            Ids::Given(id) => Some(id.to_string()),
        };
        words.extend(id.as_deref().map(|id| ["ID", id]).into_iter().flatten());
        let key = format!("{prefix}{}", id.as_deref().unwrap_or(MADE));
        if self.space().place(&key).as_deref() != Some(name) {
            return plan(&words, Expect::Error("KEY"));
        }
        let mut codes = BTreeSet::new();
        codes.extend(self.space().is_other(&key).then_some("WRONGTYPE"));
        codes.extend(self.space().doc(&key).is_some().then_some("EXISTS"));
        let Ok(mut json) = Json::parse(json) else {
            codes.insert("JSON");
            return plan(&words, refused(codes));
        };
        let schema = self.space().schema(name);
        fill(&schema, None, &mut json, true)?;
        codes.extend(schema.refusal(&json, |_| false));
        codes.extend(self.space().clash(name, &key, None, &json).then_some("UNIQUE"));
        if !codes.is_empty() {
            return plan(&words, refused(codes));
        }
        let version = self.space().migrations(name).version;
        let doc = self.changed(None, json, true, Timed::default(), version);
        let db = self.db;
        let entry = Entry { held: Held::Doc(doc), ttl: None };
        self.put(db, &key, entry);
        if key != to {
            self.carry((db, &key), (db, to), "rename");
        }
        plan(&words, Expect::Ok)
    }
}
