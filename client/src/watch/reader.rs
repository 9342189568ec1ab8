//! A change stream that is being followed.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use futures_util::Stream;
use redis::Value;

use super::entry::{Entry, Mark, entries, listed};
use super::selection::{Fit, Selection};
use super::{Change, Reading, Start, Token};
use crate::command::Command;
use crate::transport::Lent;
use crate::{Error, Executor, Folio, Result};

/// How many entries are read at a time.
const COUNT: u32 = 256;
/// How long the server keeps a question that nothing answers yet.
const BLOCK: Duration = Duration::from_secs(5);
/// How much later than that an answer is given up.
const GRACE: Duration = Duration::from_secs(5);
/// What passes before another try to reach the server.
const PAUSE: Duration = Duration::from_millis(100);

/// The changes of a collection as they come; [`Watch::open`](super::Watch::open) gives it.
///
/// A broken connection is no end: reading goes on behind the last change, over another one. After a server that is away
/// for longer than the client's [time limit](Folio::with_timeout), [`next`](Changes::next) says so, and can be called
/// again.
///
/// ```no_run
/// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
/// let first = changes.next().await?;
/// let second = changes.next().await?;
/// # Ok(())
/// # }
/// ```
pub struct Changes<T> {
    db: Folio,
    stream: String,
    reading: Reading<T>,
    /// The last entry that was read.
    position: Token,
    /// What that entry is known by, once it was seen.
    mark: Option<Mark>,
    /// Whether the number of the next entry is known.
    is_counted: bool,
    own: Option<Lent>,
    selection: Option<Selection>,
    /// What has been read, and not been looked at: with a selection.
    waiting: VecDeque<Waiting<T>>,
    ready: VecDeque<Result<Change<T>>>,
}

/// What waits until it is known whom it concerns.
enum Waiting<T> {
    Entry(Entry),
    Gap(Change<T>),
}

impl<T> Changes<T> {
    pub(super) async fn open(
        db: Folio,
        collection: String,
        start: Start,
        reading: Reading<T>,
        mut selection: Option<Selection>,
    ) -> Result<Self> {
        let stream = format!("changes:{collection}");
        let last = match last(&db, &stream).await? {
            Some(last) => Some(last),
            None => told_by_collection(&db, &collection).await?,
        };
        let position = match start {
            Start::Now => last.unwrap_or(Token::NONE),
            Start::Oldest => Token::NONE,
            Start::After(token) => token,
        };
        let is_counted = match start {
            Start::Now => last.is_some(),
            Start::Oldest => false,
            Start::After(_) => true,
        };
        if let Some(selection) = &mut selection {
            let unknown_until = if start == Start::Now { None } else { last };
            selection.load(&db, unknown_until.unwrap_or(Token::NONE)).await?;
            if start != Start::Now {
                selection.doubt(self::last(&db, &stream).await?.unwrap_or(Token::NONE));
            }
        }
        let (own, mark) = (None, None);
        let (waiting, ready) = (VecDeque::new(), VecDeque::new());
        let mut changes = Self {
            db,
            stream,
            reading,
            position,
            mark,
            is_counted,
            own,
            selection,
            waiting,
            ready,
        };
        changes.begin_anew_before(last);
        Ok(changes)
    }

    /// The next change; waits until there is one. A future that is dropped has lost none.
    ///
    /// A document that does not fit `T` is [`Error::Decode`]; the change behind it comes next.
    ///
    /// ```no_run
    /// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
    /// let change = changes.next().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Result<Change<T>> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return change;
            }
            self.read().await?;
        }
    }

    /// The same as a stream, which never ends.
    ///
    /// ```no_run
    /// # async fn example(changes: folio::watch::Changes<serde_json::Value>) {
    /// let stream = changes.into_stream();
    /// # }
    /// ```
    pub fn into_stream(self) -> impl Stream<Item = Result<Change<T>>> + Send
    where
        T: Send,
    {
        futures_util::stream::unfold(self, |mut changes| async move {
            let change = changes.next().await;
            Some((change, changes))
        })
    }

    /// Asks once, over another connection if the one it has breaks.
    async fn read(&mut self) -> Result<()> {
        let deadline = Instant::now() + self.db.timeout();
        loop {
            let outcome =
                if self.waiting.is_empty() { self.fetch().await } else { self.settle().await };
            match outcome {
                Err(error @ (Error::Connection { .. } | Error::Timeout { .. }))
                    if Instant::now() > deadline =>
                {
                    return Err(error);
                }
                Err(Error::Connection { .. } | Error::Timeout { .. }) => {
                    tokio::time::sleep(PAUSE).await;
                }
                // The server has come to follow another; the next connection leads to the primary.
                Err(error) if error.code() == Some("UNBLOCKED") && Instant::now() <= deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Takes the next entries, if any come.
    async fn fetch(&mut self) -> Result<()> {
        match self.ask().await? {
            Value::Nil => self.look_for_another_beginning().await,
            answer => {
                for entry in entries(answer)? {
                    self.take(entry);
                }
                Ok(())
            }
        }
    }

    /// Finds out whom concerns what waits. Nothing of it is lost if that fails, or is given up.
    async fn settle(&mut self) -> Result<()> {
        let Some(selection) = &mut self.selection else { return Ok(()) };
        if self.waiting.iter().any(|it| matches!(it, Waiting::Gap(_))) {
            selection.load(&self.db, self.position).await?;
        }
        let written = self.waiting.iter().filter_map(|it| match it {
            Waiting::Entry(entry) if is_written(entry) => Some(entry.key()),
            _ => None,
        });
        let fitting = selection.look(&self.db, written.collect()).await?;
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Gap(gap) => self.ready.push_back(Ok(gap)),
                Waiting::Entry(entry) => {
                    self.ready.extend(concerning(&entry, selection, &fitting, &self.reading));
                }
            }
        }
        selection.passed(self.position);
        Ok(())
    }

    /// Tells of a gap, in its turn.
    fn tell_gap(&mut self, missed: Option<u64>, token: Token) {
        let gap = Change::Gap { missed, token };
        match self.selection {
            Some(_) => self.waiting.push_back(Waiting::Gap(gap)),
            None => self.ready.push_back(Ok(gap)),
        }
    }

    async fn ask(&mut self) -> Result<Value> {
        let block = u64::try_from(BLOCK.as_millis()).unwrap_or_default();
        let command = Command::read("XREAD")
            .arg(("COUNT", COUNT, "BLOCK", block, "STREAMS"))
            .arg((self.stream.as_str(), self.position.to_string()));
        // Dropped with this future: then it is closed, and what it was to answer is read again.
        let mut own = if let Some(own) = self.own.take() {
            own
        } else {
            let mut own = self.db.lanes().lend().await?;
            if self.is_another_stream(&mut own).await? {
                self.begin_anew();
                self.own = Some(own);
                return Ok(Value::Nil);
            }
            own
        };
        let answer = tokio::time::timeout(BLOCK + GRACE, own.send(command.packed())).await;
        let answer = answer.map_err(|_| Error::Timeout { maybe_applied: false })?;
        let answer = answer.map_err(|error| Error::from_redis(&error, false))?;
        self.own = Some(own);
        Ok(answer)
    }

    /// Whether, while no connection was open, the stream was begun anew: then another entry stands at the number that was
    /// read last, or none does yet. One that was trimmed is missing, too, but then the numbers have gone on.
    async fn is_another_stream(&mut self, own: &mut Lent) -> Result<bool> {
        if self.position == Token::NONE {
            return Ok(false);
        }
        let position = self.position.to_string();
        let command = Command::read("XRANGE").arg((&self.stream, &position, &position));
        let answer = tokio::time::timeout(GRACE, own.send(command.packed())).await;
        let answer = answer.map_err(|_| Error::Timeout { maybe_applied: false })?;
        let found = match answer.map_err(|error| Error::from_redis(&error, false)) {
            // Who may not ask that is told when nothing comes any more.
            Err(error) if error.code() == Some("NOPERM") => return Ok(false),
            answer => listed(answer?)?.pop(),
        };
        let Some(found) = found else {
            let last = last(&self.db, &self.stream).await?;
            return Ok(last.is_some_and(|last| last < self.position));
        };
        let mark = found.mark();
        Ok(self.mark.get_or_insert_with(|| mark.clone()) != &mark)
    }

    fn take(&mut self, entry: Entry) {
        let next = self.position.number + 1;
        if self.is_counted && entry.token.number > next {
            let missed = Some(entry.token.number - next);
            let token = Token { number: entry.token.number - 1, within: 0 };
            self.tell_gap(missed, token);
        }
        self.position = entry.token;
        self.mark = Some(entry.mark());
        self.is_counted = true;
        match self.selection {
            Some(_) => self.waiting.push_back(Waiting::Entry(entry)),
            None => self.ready.extend(entry.change(&self.reading)),
        }
    }

    /// Nothing has come for a while. A stream that was begun anew has lower numbers, which would never be read.
    async fn look_for_another_beginning(&mut self) -> Result<()> {
        let last = match last(&self.db, &self.stream).await {
            Err(Error::Connection { .. } | Error::Timeout { .. }) => return Ok(()),
            last => last?,
        };
        self.begin_anew_before(last);
        Ok(())
    }

    fn begin_anew_before(&mut self, last: Option<Token>) {
        if last.is_some_and(|last| last < self.position) {
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        self.position = Token::NONE;
        self.mark = None;
        self.is_counted = false;
        self.tell_gap(None, Token::NONE);
    }
}

/// Whether an entry is of a document that is there afterwards.
fn is_written(entry: &Entry) -> bool {
    matches!(entry.op(), Some(b"insert" | b"update"))
}

/// What an entry tells of the documents that fit; `None` if it is of another.
fn concerning<T>(
    entry: &Entry,
    selection: &mut Selection,
    fitting: &HashSet<String>,
    reading: &Reading<T>,
) -> Option<Result<Change<T>>> {
    let (op, key) = (entry.op()?, entry.key());
    if op == b"flush" {
        selection.clear();
        return entry.change(reading);
    }
    let now = is_written(entry) && fitting.contains(key);
    let Fit { before, now } = selection.note(key, entry.token, now);
    match (op, now, before) {
        // What is born was nothing before.
        (b"insert", false, Some(false) | None) | (_, false, Some(false)) => None,
        (b"insert" | b"update", false, _) => Some(entry.change(reading)?.map(Change::left)),
        (b"update", true, Some(false) | None) => Some(entry.change(reading)?.map(Change::entered)),
        _ => entry.change(reading),
    }
}

impl<T> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position.to_string();
        f.debug_struct("Changes")
            .field("stream", &self.stream)
            .field("position", &position)
            .finish_non_exhaustive()
    }
}

/// The last entry of a stream, whether or not it is still there; `None` where there is no stream.
async fn last(db: &Folio, stream: &str) -> Result<Option<Token>> {
    let answer = db.execute(Command::read("XINFO").arg(("STREAM", stream))).await;
    let about = match answer {
        Err(Error::Server(line)) if line.contains("no such key") => return Ok(None),
        answer => answer?,
    };
    for (name, value) in about.entries()? {
        if name == "last-generated-id" {
            return value.to::<String>()?.parse().map(Some);
        }
    }
    Err(Error::Reply("a stream without a last entry".into()))
}

/// The last number of a collection whose stream is not there yet. Who may not ask has to wait for the first change.
async fn told_by_collection(db: &Folio, collection: &str) -> Result<Option<Token>> {
    let about = match db.execute(Command::read("DOC.INFO").arg(collection)).await {
        Err(error) if error.code() == Some("NOPERM") => return Ok(None),
        about => about?,
    };
    for (name, value) in about.entries()? {
        if name == "changes" {
            return Ok(Some(Token { number: value.to()?, within: 0 }));
        }
    }
    let what = format!("{collection} does not tell its changes: it is to be declared with CHANGES");
    Err(Error::Usage(what.into()))
}
