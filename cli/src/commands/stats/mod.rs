//! `folio stats`: what the server does between one look and the next.

#[cfg(unix)]
mod keys;
mod report;
mod screen;

use std::io;
use std::time::{Duration, Instant};

use console::Term;

use crate::context::Context;
use crate::figures::Figures;
use crate::outcome::{Failure, Outcome};
use crate::output;

use report::Report;
use screen::Screen;

#[derive(clap::Args)]
pub struct Args {
    /// Seconds between looks
    #[arg(long, short, default_value_t = 1.0, value_name = "SECONDS", value_parser = seconds)]
    interval: f64,
    /// End after so many reports
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// One report, of one interval
    #[arg(long, conflicts_with = "count")]
    once: bool,
}

/// The longest interval: a day.
const SECONDS_MAX: f64 = 86_400.0;

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.1..=SECONDS_MAX).contains(it));
    number.ok_or_else(|| format!("not a number from 0.1 to {SECONDS_MAX}"))
}

/// A look at the server, and when it was.
struct Look {
    figures: Figures,
    at: Instant,
}

impl Look {
    async fn take(context: &Context) -> Result<Self, Failure> {
        let figures = Figures::read(&context.db).await?;
        if !figures.has_module() {
            return Err(folio::Error::ModuleMissing.into());
        }
        Ok(Self { figures, at: Instant::now() })
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let count = if args.once { Some(1) } else { args.count };
    // A screen is drawn anew for somebody who stays; one report is text like any.
    let is_drawn = !args.once && !context.out.is_json() && Term::stdout().is_term();
    let mut screen = is_drawn.then(Screen::open).transpose()?;
    tokio::select! {
        ended = follow(args.interval, count, context, screen.as_mut()) => ended,
        ended = stopped(is_drawn) => ended.map(|()| Outcome::Done).map_err(Failure::from),
    }
}

/// Looks again and again, and shows each time what has happened since.
async fn follow(
    interval: f64,
    count: Option<u64>,
    context: &Context,
    mut screen: Option<&mut Screen>,
) -> Result<Outcome, Failure> {
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(interval));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = Look::take(context).await?;
    let mut shown = 0;
    if let Some(screen) = &mut screen {
        screen.draw(&Report::new(&before.figures, &before.figures, 0.0))?;
    }
    while count.is_none_or(|count| shown < count) {
        ticks.tick().await;
        let look = match (Look::take(context).await, &mut screen) {
            (Ok(look), _) => look,
            // Somebody looks: the server may come back.
            (Err(failure), Some(screen)) => {
                screen.draw_trouble(&failure.to_string())?;
                continue;
            }
            (Err(failure), None) => return Err(failure),
        };
        let seconds = (look.at - before.at).as_secs_f64();
        let report = Report::new(&before.figures, &look.figures, seconds);
        match &mut screen {
            Some(screen) => screen.draw(&report)?,
            None if context.out.is_json() => output::line(&report.to_json()?)?,
            None => output::line(&format!("{}\n", screen::text(&report)))?,
        }
        before = look;
        shown += 1;
    }
    Ok(Outcome::Done)
}

/// Comes back when somebody has seen enough: control-c, SIGTERM, and `q` where a screen is drawn.
async fn stopped(is_drawn: bool) -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            _ = terminated.recv() => Ok(()),
            stopped = keys::quit(is_drawn) => stopped,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = is_drawn;
        tokio::signal::ctrl_c().await
    }
}
