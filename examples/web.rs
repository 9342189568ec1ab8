//! A web API of notes with axum: errors of the store become statuses, versions become entity tags, pages have cursors.
//!
//! `cargo run -p folio-examples --bin web -- redis://127.0.0.1:6379 3000`
//!
//! ```text
//! curl -i localhost:3000/notes -H 'content-type: application/json' -d '{"title":"Milk","text":"two","tags":["shop"]}'
//! curl -i 'localhost:3000/notes?tag=shop'
//! curl -i -X PUT localhost:3000/notes/ID -H 'if-match: "1"' -H 'content-type: application/json' -d '{"title":"Milk","text":"three"}'
//! ```

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use folio::{Document, Error, Filter, Folio, Id};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "example.notes")]
struct Note {
    #[serde(default)]
    #[folio(id)]
    id: Id<Note>,
    #[folio(unique, validate(len(min = 1, max = 80)))]
    title: String,
    text: String,
    #[serde(default)]
    #[folio(index)]
    tags: Vec<String>,
    #[serde(default)]
    #[folio(version)]
    version: u64,
}

/// An error of the store as an answer.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::AlreadyExists { .. } | Error::UniqueViolation(_) => StatusCode::CONFLICT,
            Error::VersionConflict { .. } => StatusCode::PRECONDITION_FAILED,
            Error::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
            error if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, self.0.to_string()).into_response()
    }
}

type Answer<T> = Result<T, Failure>;

/// A note with its version as the tag that a change of it has to show.
fn shown(status: StatusCode, note: Note) -> Response {
    let tag = [(header::ETAG, format!("\"{}\"", note.version))];
    (status, tag, Json(note)).into_response()
}

/// The version that `if-match` names.
fn expected(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::IF_MATCH)?.to_str().ok()?.trim_matches('"').parse().ok()
}

async fn create(State(db): State<Folio>, Json(mut note): Json<Note>) -> Answer<Response> {
    (note.id, note.version) = (Id::new(), 0);
    Ok(shown(StatusCode::CREATED, note.insert(&db).await?))
}

async fn read(State(db): State<Folio>, Path(id): Path<Id<Note>>) -> Answer<Response> {
    Ok(shown(StatusCode::OK, Note::get(id).one(&db).await?))
}

async fn replace(
    State(db): State<Folio>,
    Path(id): Path<Id<Note>>,
    headers: HeaderMap,
    Json(mut note): Json<Note>,
) -> Answer<Response> {
    let Some(version) = expected(&headers) else {
        return Ok((StatusCode::PRECONDITION_REQUIRED, "if-match is missing").into_response());
    };
    (note.id, note.version) = (id, version);
    Ok(shown(StatusCode::OK, note.replace(&db).await?))
}

async fn remove(State(db): State<Folio>, Path(id): Path<Id<Note>>) -> Answer<StatusCode> {
    let was_there = Note::get(id).delete(&db).await?;
    Ok(if was_there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

#[derive(Deserialize)]
struct Asked {
    tag: Option<String>,
    after: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    notes: Vec<Note>,
    /// What `after` takes to go on.
    cursor: Option<String>,
}

async fn list(State(db): State<Folio>, Query(asked): Query<Asked>) -> Answer<Json<Listed>> {
    // No value is ever part of a text, so whatever the tag holds cannot change the question.
    let filter: Option<Filter<Note>> = asked.tag.map(|tag| Note::tags().contains(tag));
    let mut page = Note::find(filter).order_by(Note::title().asc()).page(20);
    if let Some(cursor) = &asked.after {
        page = page.after(cursor);
    }
    let page = page.load(&db).await?;
    Ok(Json(Listed { notes: page.items, cursor: page.cursor }))
}

async fn health(State(db): State<Folio>) -> Answer<&'static str> {
    db.check().await?;
    Ok("well")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let port: u16 = arguments.next().map_or(Ok(3000), |port| port.parse())?;
    let db = Folio::connect(&url).await?;
    db.sync::<Note>().await?;

    let app = Router::new()
        .route("/notes", get(list).post(create))
        .route("/notes/{id}", get(read).put(replace).delete(remove))
        .route("/health", get(health))
        .with_state(db);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            // Without it there is nothing to wait for, and the program runs until it is ended.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
