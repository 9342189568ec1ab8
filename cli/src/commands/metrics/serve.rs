//! The figures over HTTP.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use folio::Folio;
use prometheus::TEXT_FORMAT;
use serde_json::json;
use tokio::net::TcpListener;

use super::Scrape;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};

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

/// What every request is answered from.
struct Source {
    db: Folio,
    is_quiet: bool,
    /// What was wrong with the server at the last look.
    trouble: Mutex<Option<String>>,
}

impl Source {
    async fn scrape(&self) -> Scrape {
        let scrape = Scrape::of(&self.db).await;
        self.tell(scrape.trouble());
        scrape
    }

    /// One line when the server goes away, and one when it is back.
    fn tell(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() != trouble.is_some() && !self.is_quiet {
            match &trouble {
                Some(trouble) => eprintln!("folio: {trouble}"),
                None => eprintln!("folio: the server is there again"),
            }
        }
        *known = trouble;
    }
}

/// Serves until somebody stops it.
pub async fn serve(listen: &str, context: &Context) -> Result<Outcome, Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|it| Failure::file(listen, it))?;
    let is_quiet = context.options.quiet;
    if !is_quiet {
        eprintln!("folio: http://{}/metrics", listener.local_addr()?);
    }
    let source = Source { db: context.db.clone(), is_quiet, trouble: Mutex::default() };
    let routes = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .with_state(Arc::new(source));
    axum::serve(listener, routes).with_graceful_shutdown(stopped()).await?;
    Ok(Outcome::Done)
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

/// Comes back when the process is asked to end.
async fn stopped() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! { () = interrupted => {}, () = terminated => {} }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
