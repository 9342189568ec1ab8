//! `folio schema apply`.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::time::sleep;

use super::plan::Plan;
use super::{ApplyArgs, files, server};
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::{line, note, show};

/// How often one looks how far a declaration is.
const LOOK: Duration = Duration::from_millis(250);
/// A look may take this part of the time at most, since it costs the server something.
const LOOK_SHARE: u32 = 20;

/// How the declaration of one collection ended.
enum Ended {
    InForce,
    /// It is being built, and not waited for.
    Begun,
    Interrupted,
}

pub async fn run(args: ApplyArgs, context: &Context) -> Result<Outcome, Failure> {
    let wanted = files::read(&args.files)?;
    let plans = Plan::of_all(&wanted, context).await?;
    tell(&plans, context, args.dry_run)?;
    if plans.iter().all(Plan::is_done) {
        return Ok(Outcome::Done);
    }
    refuse(&plans, args.allow_drop)?;
    if args.dry_run {
        return Ok(Outcome::Found);
    }
    let work: Vec<&Plan> = plans.iter().filter(|plan| plan.has_work()).collect();
    if !work.is_empty() && !args.yes && !agrees(work.len())? {
        return Err(Failure::Data("nothing was declared".into()));
    }
    let mut begun = false;
    for plan in work {
        let name = &plan.wanted.collection;
        match declare(plan, args.no_wait, context).await? {
            Ended::InForce => {}
            Ended::Begun => {
                begun = true;
                say(
                    context,
                    &format!("{name}: being built; `folio schema diff` tells when it is done"),
                );
            }
            Ended::Interrupted => {
                note(&format!(
                    "folio: {name}: the server goes on building; `folio schema diff` tells when it is done"
                ));
                return Ok(Outcome::Interrupted);
            }
        }
    }
    if begun {
        return Ok(Outcome::Done);
    }
    check(&plans, context).await
}

/// Tells what is to be done: for programs only where nothing else is asked for, as the outcome is told then.
fn tell(plans: &[Plan], context: &Context, is_dry_run: bool) -> Result<(), Failure> {
    if context.out.is_json() {
        if is_dry_run || plans.iter().all(Plan::is_done) {
            let plans: Vec<_> = plans.iter().map(Plan::json).collect();
            line(&json!({ "collections": plans }).to_string())?;
        }
        return Ok(());
    }
    if !context.options.quiet || is_dry_run {
        show(&plans.iter().map(Plan::told).collect::<String>())?;
    }
    Ok(())
}

/// Nothing is declared if any of it cannot be, or takes away what it may not.
fn refuse(plans: &[Plan], may_drop: bool) -> Result<(), Failure> {
    let names = |is_one: fn(&Plan) -> bool| {
        let named: Vec<&str> = plans
            .iter()
            .filter(|plan| is_one(plan))
            .map(|plan| plan.wanted.collection.as_str())
            .collect();
        named.join(", ")
    };
    let blocked = names(Plan::is_blocked);
    if !blocked.is_empty() {
        let what = format!("{blocked}: no declaration can do it; `folio schema diff` says why");
        return Err(Failure::Data(what));
    }
    let destructive = names(Plan::is_destructive);
    if !destructive.is_empty() && !may_drop {
        let what = format!(
            "{destructive}: something would be taken away, as `folio schema diff` tells; --allow-drop permits it"
        );
        return Err(Failure::Data(what));
    }
    Ok(())
}

/// Asks whoever sits there; where nobody does, it was meant.
fn agrees(collections: usize) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    eprint!("Declare {collections} collections so? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Declares one collection, and waits until that is in force.
async fn declare(plan: &Plan, no_wait: bool, context: &Context) -> Result<Ended, Failure> {
    let name = plan.wanted.collection.as_str();
    let db = server::patient(context);
    let call = match &plan.held {
        None => db.cmd("DOC.CREATE").arg((name, "DEFINITION", plan.wanted.text.as_str())),
        Some(held) => {
            // Somebody may have declared something else since it was compared, which would be lost.
            if server::schema(name, &context.db).await?.as_deref() != Some(held.text.as_str()) {
                let what = format!("{name}: somebody has changed its declaration meanwhile");
                return Err(Failure::Data(what));
            }
            let text = plan.wanted.text_over(held).map_err(Failure::Data)?;
            db.cmd("DOC.ALTER").arg((name, "DEFINITION", text.as_str()))
        }
    };
    let told = call.query::<()>();
    tokio::pin!(told);
    let bar = bar(name, context);
    let mut pause = LOOK;
    loop {
        tokio::select! {
            answer = &mut told => {
                bar.finish_and_clear();
                answer.map_err(|error| named(name, error))?;
                say(context, &format!("{name}: declared"));
                return Ok(Ended::InForce);
            }
            _ = tokio::signal::ctrl_c() => {
                bar.finish_and_clear();
                return Ok(Ended::Interrupted);
            }
            () = sleep(pause) => {
                let asked = Instant::now();
                if let Some(building) = server::building(name, &context.db).await? {
                    bar.set_length(building.documents);
                    bar.set_position(building.done);
                    if no_wait {
                        bar.finish_and_clear();
                        return Ok(Ended::Begun);
                    }
                }
                pause = LOOK.max(asked.elapsed() * LOOK_SHARE);
            }
        }
    }
}

/// The server's refusal, with the collection where it does not say.
fn named(name: &str, error: folio::Error) -> Failure {
    match error.code() {
        Some(_) => Failure::Data(format!("{name}: {error}")),
        None => Failure::Server(error),
    }
}

/// The server has to say now what the files say.
async fn check(plans: &[Plan], context: &Context) -> Result<Outcome, Failure> {
    let mut after = Vec::with_capacity(plans.len());
    for plan in plans {
        after.push(Plan::of(&plan.wanted, context).await?);
    }
    if context.out.is_json() {
        let told: Vec<_> = after.iter().map(Plan::json).collect();
        line(&json!({ "collections": told }).to_string())?;
    }
    if let Some(plan) = after.iter().find(|plan| plan.has_work()) {
        let what = format!("declared, and the server tells it otherwise:\n{}", plan.told());
        return Err(Failure::Data(what));
    }
    let left: Vec<&Plan> = after.iter().filter(|plan| !plan.is_done()).collect();
    for plan in &left {
        say(context, plan.told().trim_end());
    }
    Ok(if left.is_empty() { Outcome::Done } else { Outcome::Found })
}

fn bar(name: &str, context: &Context) -> ProgressBar {
    if !context.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} documents {eta}");
    let bar = ProgressBar::no_length().with_prefix(name.to_owned());
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

fn say(context: &Context, what: &str) {
    if !context.options.quiet && !context.out.is_json() {
        note(what);
    }
}
