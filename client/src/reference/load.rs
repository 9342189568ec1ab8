//! Reading what documents refer to: one command a level, however many documents there are.
//!
//! The derives only show where the references of a document are. Their ids are gathered from all documents; what
//! stands there is read at once, with what it is to be read along with; then each reference is given its document.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Includes, Ref, State, Visit};
use crate::codec::decode;
use crate::ops::Place;
use crate::{Command, Document, DocumentId, Error, Executor, Result};

/// How many documents one command reads; several such commands go out together.
const CHUNK: usize = 1_000;

/// Documents of the type that a reference is of, by the texts of their ids.
type Found<T> = HashMap<String, Arc<T>>;

/// Reads the documents of these ids, and gives [`Found`].
type Load<E> = for<'a> fn(
    Vec<String>,
    &'a Includes,
    &'a E,
) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>>;

/// Notes ids, and how the documents are read that have them.
struct Gather<E> {
    seen: HashSet<String>,
    ids: Vec<String>,
    load: Option<Load<E>>,
}

impl<E: Executor> Visit for Gather<E> {
    fn visit<T: Document>(&mut self, reference: &mut Ref<T>) {
        self.load = Some(load::<T, E>);
        let id = reference.id.to_text();
        // The empty id is one that is still to be made.
        if !id.is_empty() && self.seen.insert(id.clone().into_owned()) {
            self.ids.push(id.into_owned());
        }
    }
}

/// Gives references their documents.
struct Fill<'a>(&'a (dyn Any + Send + Sync));

impl Visit for Fill<'_> {
    fn visit<T: Document>(&mut self, reference: &mut Ref<T>) {
        // All references at one path are of one type, so it is the one that was read.
        let found = self.0.downcast_ref::<Found<T>>();
        let document = found.and_then(|found| found.get(&*reference.id.to_text()));
        reference.state = document.map_or(State::Missing, |it| State::Found(Arc::clone(it)));
    }
}

/// Reads along with documents what they refer to.
pub(crate) fn include<'a, T: Document, E: Executor>(
    documents: &'a mut [T],
    includes: &'a Includes,
    db: &'a E,
) -> BoxFuture<'a, Result<()>> {
    let work = async move {
        for (path, then) in includes.branches() {
            let mut gather = Gather { seen: HashSet::new(), ids: Vec::new(), load: None };
            for document in documents.iter_mut() {
                if !document.refer(path, &mut gather) {
                    let what = format!("{path} leads to no reference that can be included");
                    return Err(Error::Usage(what.into()));
                }
            }
            let Gather { ids, load: Some(load), .. } = gather else { continue };
            let found = load(ids, then, db).await?;
            for document in documents.iter_mut() {
                document.refer(path, &mut Fill(&*found));
            }
        }
        Ok(())
    };
    work.boxed()
}

/// The documents of these ids that are there, with what is to be read along with them.
fn load<'a, T: Document, E: Executor>(
    ids: Vec<String>,
    then: &'a Includes,
    db: &'a E,
) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>> {
    let work = async move {
        let place = Place::of::<T>(db);
        let commands = ids.chunks(CHUNK).map(|ids| {
            let mut command = Command::read("DOC.MGET");
            for id in ids {
                command.push_key(&place.key(id));
            }
            command.arg("WITHVERSION")
        });
        let replies = db.execute_all(commands.collect()).await?;
        let (mut names, mut documents) = (Vec::new(), Vec::<T>::new());
        let mut ids = ids.into_iter();
        for reply in replies {
            // One answer for each key, in order.
            for (text, id) in reply?.list()?.into_iter().zip(ids.by_ref()) {
                let Some((text, version)) = text.versioned()? else { continue };
                documents.push(decode(&place.key(&id), &id, &text, version)?);
                names.push(id);
            }
        }
        include(&mut documents, then, db).await?;
        let found: Found<T> = names.into_iter().zip(documents.into_iter().map(Arc::new)).collect();
        Ok(Box::new(found) as Box<dyn Any + Send + Sync>)
    };
    work.boxed()
}
