//! `folio metrics`: the server's figures as Prometheus reads them. docs/metrics.md tells every one.

mod connection;
mod families;
mod fields;
mod serve;

use std::time::{Duration, Instant};

use folio::Folio;
use prometheus::TextEncoder;
use tokio::sync::Mutex;

use crate::context::Context;
use crate::figures::Figures;
use crate::outcome::{Failure, Outcome};
use crate::output;

use families::Families;

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen; port 0 for any that is free
    #[arg(long, default_value = "127.0.0.1:9121", value_name = "HOST:PORT")]
    listen: String,
    /// Print the figures once and end, for a file that is collected
    #[arg(long, conflicts_with = "listen")]
    once: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    if args.once {
        let scrape = Scraper::new(context).scrape().await;
        output::line(&scrape.text()?)?;
        if !scrape.figures?.has_module() {
            return Err(folio::Error::ModuleMissing.into());
        }
        return Ok(Outcome::Done);
    }
    serve::serve(&args.listen, context).await
}

/// What one look at the server found.
struct Scrape {
    figures: Result<Figures, Failure>,
    seconds: f64,
}

/// Seconds that a scrape takes at most: Prometheus itself waits for ten, if nothing else is said.
const SECONDS_MAX: u64 = 5;

/// Looks at the server, for one at a time: one that hangs is not asked by many.
struct Scraper {
    db: Folio,
    turn: Mutex<()>,
    limit: Duration,
}

impl Scraper {
    fn new(context: &Context) -> Self {
        let limit = Duration::from_secs(context.options.timeout.min(SECONDS_MAX));
        Self { db: context.db.clone(), turn: Mutex::default(), limit }
    }

    async fn scrape(&self) -> Scrape {
        let mut began = Instant::now();
        let read = async {
            let _turn = self.turn.lock().await;
            began = Instant::now();
            Figures::read(&self.db).await
        };
        let figures = tokio::time::timeout(self.limit, read).await;
        let late = folio::Error::Timeout { maybe_applied: false };
        let figures = figures.unwrap_or_else(|_| Err(late.into()));
        Scrape { figures, seconds: began.elapsed().as_secs_f64() }
    }
}

impl Scrape {
    /// Why the server is of no use, if it is of none.
    fn trouble(&self) -> Option<String> {
        match &self.figures {
            Err(failure) => Some(failure.to_string()),
            Ok(figures) if !figures.has_module() => Some("the module is not loaded".to_owned()),
            Ok(figures) if figures.is_loading() => Some("the server loads its data".to_owned()),
            Ok(_) => None,
        }
    }

    /// The exposition: a server that does not answer is a figure too.
    fn text(&self) -> Result<String, Failure> {
        let mut families = Families::default();
        let is_up = self.figures.as_ref().is_ok_and(Figures::has_module);
        families.gauge(
            "folio_up",
            "Whether the server answers and has loaded the module.",
            f64::from(is_up),
        );
        families.gauge(
            "folio_scrape_duration_seconds",
            "How long the server took to tell these.",
            self.seconds,
        );
        if let Ok(figures) = &self.figures {
            fields::add(&mut families, figures);
        }
        let encoded = TextEncoder::new().encode_to_string(&families.into_inner());
        encoded.map_err(|error| Failure::Data(error.to_string()))
    }
}
