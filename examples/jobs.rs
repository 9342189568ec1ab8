//! A queue of jobs: workers claim them, each goes to one worker at a time, and what a worker leaves behind when it dies is
//! claimed again once its lease is over.
//!
//! `cargo run -p folio-examples --bin jobs -- redis://127.0.0.1:6379`

use std::time::Duration;

use folio::{Document, Embed, Folio, Id, Timestamp, count};
use serde::{Deserialize, Serialize};

const JOBS: u32 = 20;
const WORKERS: usize = 3;
/// How long a worker may take. Long, where work is long.
const LEASE: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "example.jobs")]
#[folio(index(open = "lease", name = "open", filter = "state != 'done'"))]
struct Job {
    #[folio(id = "ulid")]
    id: Id<Job>,
    #[folio(index)]
    state: State,
    /// Until when it belongs to a worker.
    lease: Option<Timestamp>,
    worker: Option<String>,
    tries: u32,
    number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Embed, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Waiting,
    Running,
    Done,
}

/// The next job, if there is one. It is this worker's until the lease is over; no other gets it meanwhile.
async fn next(db: &Folio, worker: &str) -> folio::Result<Option<Job>> {
    let is_waiting = Job::state().eq(State::Waiting);
    let is_abandoned = Job::state().eq(State::Running) & Job::lease().lt(folio::now());
    let claimed = Job::claim(is_waiting | is_abandoned)
        .limit(1)
        .update((
            Job::state().set(State::Running),
            Job::worker().set(worker),
            Job::lease().set_now_plus(LEASE),
            Job::tries().inc(1),
        ))
        .run(db)
        .await?;
    claimed.into_iter().next().transpose()
}

/// Marks it as done, unless its lease was over and another has it now.
async fn finish(db: &Folio, job: &Job) -> folio::Result<bool> {
    let is_mine = Job::state().eq(State::Running) & Job::tries().eq(job.tries);
    let done = (Job::state().set(State::Done), Job::lease().unset());
    Ok(Job::get(&job.id).when(is_mine).update(done).run(db).await?.is_some())
}

async fn work(db: Folio, name: String) -> folio::Result<u32> {
    let mut done = 0;
    loop {
        if let Some(job) = next(&db, &name).await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
            done += u32::from(finish(&db, &job).await?);
        } else if Job::find(Job::state().ne(State::Done)).exists(&db).await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        } else {
            return Ok(done);
        }
    }
}

#[tokio::main]
async fn main() -> folio::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let db = Folio::connect(&url).await?;
    db.sync::<Job>().await?;
    Job::find(()).delete().run(&db).await?;

    let (state, lease, worker, tries) = (State::Waiting, None, None, 0);
    let job = |number| Job { id: Id::new(), state, lease, worker: worker.clone(), tries, number };
    Job::insert_many((0..JOBS).map(job)).run(&db).await?;

    // One takes a job and is never heard of again.
    let lost = next(&db, "lost").await?.map(|job| job.number);
    println!("a worker dies with job {}", lost.unwrap_or(JOBS));

    let workers: Vec<_> =
        (0..WORKERS).map(|n| tokio::spawn(work(db.clone(), format!("worker {n}")))).collect();
    let mut done = 0;
    for worker in workers {
        done += worker.await.expect("no worker panics")?;
    }
    println!("{WORKERS} workers did {done} jobs");
    let again: Vec<Job> = Job::find(Job::tries().gt(1)).all(&db).await?;
    println!("claimed again: {:?}", again.iter().map(|job| job.number).collect::<Vec<_>>());
    let states: Vec<(State, u64)> =
        Job::aggregate(()).group_by(Job::state()).agg(count()).all(&db).await?;
    println!("{states:?}");
    Ok(())
}
