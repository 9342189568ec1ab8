//! What a server with the module gives through this crate: reads and writes a second over the shared connection, over
//! the pool, through the crate beneath alone, and of typed documents; how long it takes to create many.
//!
//! `cargo run --release -p folio --example throughput -- redis://localhost:6379`

use std::time::{Duration, Instant};

use folio::redis::{self, aio::MultiplexedConnection};
use folio::{Document, Folio, Result};
use serde::{Deserialize, Serialize};

/// Documents that are created in bulk.
const MANY: usize = 10_000;
/// Tasks that ask at a time.
const TASKS: usize = 128;
/// Documents that they ask for, in turn.
const DOCUMENTS: usize = 1_000;
/// How long each way is measured.
const TIME: Duration = Duration::from_secs(3);
/// How often, the median of which is printed.
const ROUNDS: usize = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct User {
    name: String,
    age: u32,
    city: String,
}

/// The same as a typed document.
#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "throughput")]
struct Typed {
    #[folio(id = "natural")]
    id: String,
    name: String,
    age: u32,
    city: String,
}

/// One with a version and three indexes.
#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "throughput-members")]
struct Member {
    #[folio(id = "natural")]
    id: String,
    #[folio(unique)]
    email: String,
    name: String,
    #[folio(index(sorted))]
    age: u32,
    #[folio(index)]
    city: String,
    #[folio(version)]
    version: u64,
}

fn member(n: usize) -> Member {
    let (id, email) = (n.to_string(), format!("user.{n:07}@example.com"));
    let User { name, age, city } = user(n);
    Member { id, email, name, age, city, version: 0 }
}

fn key(n: usize) -> String {
    format!("throughput:{}", n % DOCUMENTS)
}

fn user(n: usize) -> User {
    User { name: format!("no. {n}"), age: (n % 90) as u32, city: "Paris".into() }
}

async fn get(db: Folio, n: usize) -> Result<()> {
    db.get::<User>(&key(n)).await.map(|user| assert!(user.is_some()))
}

async fn set(db: Folio, n: usize) -> Result<()> {
    db.set(&key(n), &user(n)).await.map(drop)
}

async fn raw_get(mut connection: MultiplexedConnection, n: usize) -> Result<()> {
    let text: redis::RedisResult<Vec<u8>> =
        redis::cmd("DOC.GET").arg(key(n)).query_async(&mut connection).await;
    let user: User = serde_json::from_slice(&text.expect("it answers")).expect("it was written so");
    assert!(!user.name.is_empty());
    Ok(())
}

async fn raw_set(mut connection: MultiplexedConnection, n: usize) -> Result<()> {
    let text = serde_json::to_vec(&user(n)).expect("it is JSON");
    let version: redis::RedisResult<u64> =
        redis::cmd("DOC.SET").arg(key(n)).arg(text).query_async(&mut connection).await;
    assert!(version.is_ok());
    Ok(())
}

async fn typed_get(db: Folio, n: usize) -> Result<()> {
    Typed::get((n % DOCUMENTS).to_string()).one(&db).await.map(drop)
}

async fn typed_set(db: Folio, n: usize) -> Result<()> {
    let User { name, age, city } = user(n);
    let mut typed = Typed { id: (n % DOCUMENTS).to_string(), name, age, city };
    typed.save(&db).await
}

async fn member_get(db: Folio, n: usize) -> Result<()> {
    let member = Member::get((n % DOCUMENTS).to_string()).one(&db).await?;
    assert!(member.version > 0);
    Ok(())
}

/// How long it takes to create ten thousand typed documents with three indexes, and to send the same texts through the
/// crate beneath in one pipeline: medians.
async fn bulk(db: &Folio) -> Result<()> {
    let (mut typed, mut beneath) = (Vec::new(), Vec::new());
    let mut raw = db.redis().await?;
    for _ in 0..ROUNDS {
        Member::find(()).delete().run(db).await?;
        let members: Vec<Member> = (0..MANY).map(member).collect();
        let start = Instant::now();
        let report = Member::insert_many(members).run(db).await?;
        typed.push(start.elapsed());
        assert_eq!(report.written(), MANY);

        Member::find(()).delete().run(db).await?;
        let members: Vec<Member> = (0..MANY).map(member).collect();
        let start = Instant::now();
        let mut pipe = redis::pipe();
        for member in &members {
            let text = serde_json::json!({
                "email": member.email, "name": member.name, "age": member.age, "city": member.city,
            });
            let key = format!("throughput-members:{}", member.id);
            pipe.cmd("DOC.SET").arg(key).arg(text.to_string());
        }
        let versions: redis::RedisResult<Vec<u64>> = pipe.query_async(&mut raw).await;
        beneath.push(start.elapsed());
        assert_eq!(versions.map(|versions| versions.len()).ok(), Some(MANY));
    }
    typed.sort_unstable();
    beneath.sort_unstable();
    println!(
        "{MANY} documents with three indexes: typed in {:?}, through the crate beneath in one pipeline {:?}",
        typed[ROUNDS / 2],
        beneath[ROUNDS / 2]
    );
    Ok(())
}

/// Calls a second, from so many tasks at a time: the median of a few rounds.
async fn rate<C, F>(tasks: usize, client: &C, call: fn(C, usize) -> F) -> Result<f64>
where
    C: Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let client = client.clone();
                tokio::spawn(async move {
                    let mut done = 0;
                    while start.elapsed() < TIME {
                        call(client.clone(), task * 31 + done).await?;
                        done += 1;
                    }
                    Ok::<_, folio::Error>(done)
                })
            })
            .collect();
        let mut done = 0;
        for task in running {
            done += task.await.expect("no task panics")?;
        }
        rates.push(done as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[ROUNDS / 2])
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://localhost:6379".into());
    let db = Folio::builder(&url).pool(10).connect().await?;
    db.check().await?;
    for n in 0..DOCUMENTS {
        set(db.clone(), n).await?;
    }
    let (pooled, raw) = (db.pooled(), db.redis().await?);
    println!("| {TASKS} tasks | reads a second | writes a second |\n|---|---|---|");
    let line = |what: &str, reads: f64, writes: f64| {
        println!("| {what} | {reads:.0} | {writes:.0} |");
    };
    line("shared connection", rate(TASKS, &db, get).await?, rate(TASKS, &db, set).await?);
    line("pool of 10", rate(TASKS, &pooled, get).await?, rate(TASKS, &pooled, set).await?);
    line(
        "the crate beneath alone, shared",
        rate(TASKS, &raw, raw_get).await?,
        rate(TASKS, &raw, raw_set).await?,
    );
    line("typed documents", rate(TASKS, &db, typed_get).await?, rate(TASKS, &db, typed_set).await?);
    line("1 task, typed", rate(1, &db, typed_get).await?, rate(1, &db, typed_set).await?);
    line("1 task, shared connection", rate(1, &db, get).await?, rate(1, &db, set).await?);
    line("1 task, beneath alone", rate(1, &raw, raw_get).await?, rate(1, &raw, raw_set).await?);
    db.sync::<Member>().await?;
    bulk(&db).await?;
    println!("{:.0} typed reads with versions a second", rate(TASKS, &db, member_get).await?);
    acquire(&db).await
}

/// How long a task waits for a connection of the pool while a thousand want one, and each keeps it for one command.
async fn acquire(db: &Folio) -> Result<()> {
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let start = Instant::now();
                let mut own = db.session().await?;
                let waited = start.elapsed();
                own.query::<String>("PING", ()).await?;
                Ok::<_, folio::Error>(waited)
            })
        })
        .collect();
    let mut waited = Vec::new();
    for task in tasks {
        waited.push(task.await.expect("no task panics")?);
    }
    waited.sort_unstable();
    println!("a thousand tasks at once wait {:?} for one of 10 connections (median)", waited[500]);
    Ok(())
}
