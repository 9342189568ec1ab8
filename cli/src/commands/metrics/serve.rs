//! The figures over HTTP.

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::TEXT_FORMAT;
use serde_json::json;
use tokio::net::TcpListener;

use super::connection::Door;
use super::{Scrape, Scraper};
use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::outcome::{Failure, Outcome};
use crate::output;

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Folio</title></head>
<body>
<h1>Folio</h1>
<ul>
<li><a href=\"/metrics\">Metrics</a>, for Prometheus</li>
<li><a href=\"/health\">Health</a>: 200 where the server can be used, 503 with a reason where not</li>
</ul>
</body>
</html>
";

/// How long requests that are under way are waited for, once it is to end.
const GRACE: Duration = Duration::from_secs(3);

/// What every request is answered from.
struct Source {
    scraper: Scraper,
    is_quiet: bool,
    /// What was wrong with the server at the last look.
    trouble: Mutex<Option<String>>,
}

impl Source {
    async fn scrape(&self) -> Scrape {
        let scrape = self.scraper.scrape().await;
        self.tell(scrape.trouble());
        scrape
    }

    /// One line when the server goes away, and one when it is back.
    fn tell(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() != trouble.is_some() && !self.is_quiet {
            match &trouble {
                Some(trouble) => output::note(&format!("folio: {trouble}")),
                None => output::note("folio: the server is there again"),
            }
        }
        *known = trouble;
    }
}

/// Serves until somebody stops it. A client that is slow holds up the end for a while, not for good.
pub async fn serve(listen: &str, context: &Context) -> Result<Outcome, Failure> {
    let mut interrupt = Interrupt::expect()?;
    let listener = TcpListener::bind(listen).await.map_err(|it| Failure::file(listen, it))?;
    let is_quiet = context.options.quiet;
    if !is_quiet {
        output::note(&format!("folio: http://{}/metrics", listener.local_addr()?));
    }
    let source = Source { scraper: Scraper::new(context), is_quiet, trouble: Mutex::default() };
    let routes = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .layer(map_response(last))
        .with_state(Arc::new(source));
    let mut stopped = interrupt.clone();
    let serving = axum::serve(Door(listener), routes)
        .with_graceful_shutdown(async move { stopped.comes().await });
    let overdue = async {
        interrupt.comes().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended?,
        () = overdue => {}
    }
    Ok(Outcome::Done)
}

/// Each answer is the last of its connection, whose time is meant for one.
async fn last(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn metrics(State(source): State<Arc<Source>>) -> Response {
    match source.scrape().await.text() {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()).into_response(),
    }
}

async fn health(State(source): State<Arc<Source>>) -> Response {
    match source.scrape().await.trouble() {
        None => Json(json!({ "status": "ok" })).into_response(),
        Some(reason) => {
            let body = Json(json!({ "status": "unavailable", "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
