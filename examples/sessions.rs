//! Sessions that lapse: each look at one gives it its time again, and a user may end all of them at once.
//!
//! `cargo run -p folio-examples --bin sessions -- redis://127.0.0.1:6379`

use std::time::Duration;

use folio::{Document, Error, Folio, Id, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a session lives without being asked for. Half an hour, where nobody wants to watch it lapse.
const IDLE: Duration = Duration::from_millis(400);

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "example.sessions", ttl = "30m")]
struct Session {
    #[folio(id)]
    id: Id<Session>,
    #[folio(index)]
    user: String,
    device: String,
    seen: Timestamp,
    requests: u64,
}

async fn log_in(db: &Folio, user: &str, device: &str) -> folio::Result<Session> {
    let (user, device) = (user.into(), device.into());
    let session = Session { id: Id::new(), user, device, seen: Timestamp::now(), requests: 0 };
    session.insert_op().expire_in(IDLE).run(db).await
}

/// The session of a request, which counts it and lives on; none if it is gone. One round trip, and no moment in which it
/// could lapse between the look and the prolongation.
async fn touch(db: &Folio, id: &Id<Session>) -> folio::Result<Option<Session>> {
    let touched = Session::get(id)
        .update((Session::requests().inc(1), Session::seen().set_now(), folio::expire_in(IDLE)))
        .returning_new(db)
        .await;
    match touched {
        Ok(session) => Ok(Some(session)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[tokio::main]
async fn main() -> folio::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let db = Folio::connect(&url).await?;
    db.sync::<Session>().await?;

    let phone = log_in(&db, "ada", "phone").await?;
    let laptop = log_in(&db, "ada", "laptop").await?;
    log_in(&db, "grace", "laptop").await?;
    println!("ada has {} sessions", Session::find(Session::user().eq("ada")).count(&db).await?);

    // The phone keeps asking, the laptop does not.
    for _ in 0..6 {
        tokio::time::sleep(IDLE / 4).await;
        touch(&db, &phone.id).await?;
    }
    let alive = touch(&db, &phone.id).await?.map(|session| session.requests);
    println!("the phone is alive after {} requests", alive.unwrap_or(0));
    println!("the laptop is gone: {}", touch(&db, &laptop.id).await?.is_none());
    // What has lapsed is in no answer and no count, whether the server has removed it yet or not.
    let left: Vec<Session> = Session::find(Session::user().eq("ada")).all(&db).await?;
    println!(
        "ada is on: {}",
        left.iter().map(|it| it.device.as_str()).collect::<Vec<_>>().join(" ")
    );

    Session::find(Session::user().eq("ada")).delete().run(&db).await?;
    println!("ada has {} sessions", Session::find(Session::user().eq("ada")).count(&db).await?);
    Ok(())
}
