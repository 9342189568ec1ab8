//! The demo: real cities, a dozen questions, and every answer held against a plain search.

mod changes;
mod data;
mod questions;
mod reply;
mod show;

use std::time::{Duration, Instant};

use folio::Folio;
use folio::redis::{RedisResult, Value, cmd};
use serde_json::Value as Json;

use crate::Result;
use data::{COLLECTION, City};
use questions::Question;

/// How often a question is asked for its time.
const RUNS: usize = 9;

/// What the demo has found out so far.
struct Demo {
    db: Folio,
    cities: Vec<City>,
    shown: usize,
    wrong: Vec<String>,
    /// Whether the collection holds what the file does and nothing else.
    checked: bool,
}

/// Loads the cities into the server at this URL, asks, shows and checks.
pub async fn show(url: &str) -> Result {
    let db = Folio::connect(url).await?;
    let cities = data::read()?;
    let checked = data::load(&db, &cities).await? == 0;
    let mut demo = Demo { db, cities, shown: 0, wrong: Vec::new(), checked };
    for question in questions::questions() {
        demo.ask(&question).await?;
    }
    demo.refuse_then_scan().await?;
    demo.changes().await?;
    demo.verify().await?;
    if !demo.checked {
        println!("demo: {} shown, answers not checked", demo.shown);
        return Ok(());
    }
    println!("demo: {} passed, {} failed", demo.shown - demo.wrong.len(), demo.wrong.len());
    if demo.wrong.is_empty() {
        return Ok(());
    }
    Err(format!("wrong answers:\n  {}", demo.wrong.join("\n  ")).into())
}

impl Demo {
    /// Prints a heading and counts what is shown.
    fn begin(&mut self, title: &str) {
        self.shown += 1;
        println!("{:2}  {title}", self.shown);
    }

    /// Notes a wrong answer of what is being shown; one is enough.
    fn expect(&mut self, what: &str, right: bool) {
        let number = format!("{}: ", self.shown);
        if self.checked && !right && !self.wrong.iter().any(|wrong| wrong.starts_with(&number)) {
            println!("    WRONG: {what}");
            self.wrong.push(format!("{number}{what}"));
        }
    }

    /// Asks, shows the answer, its plan and its time, and checks it.
    async fn ask(&mut self, question: &Question) -> Result {
        self.begin(question.title);
        let arguments = [&[COLLECTION], &question.arguments[..]].concat();
        let command = format!("DOC.{}", question.verb);
        println!("    > {command} {}", show::typed(&arguments));
        let (answer, median) = self.measure(&command, &arguments).await?;
        self.check(question, &answer);
        self.explain(question.verb, &arguments).await?;
        println!("    time: {:.3} ms\n", median.as_secs_f64() * 1e3);
        Ok(())
    }

    /// The answer and the median time of several runs, the way to the server included.
    async fn measure(&self, command: &str, arguments: &[&str]) -> Result<(Value, Duration)> {
        let mut answer = Value::Nil;
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            answer = self.db.cmd(command).arg(arguments).read_value().await?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok((answer, times[RUNS / 2]))
    }

    fn check(&mut self, question: &Question, answer: &Value) {
        let found = question.search.run(&self.cities);
        let total = found.len() as u64;
        if question.verb == "COUNT" {
            let count = reply::json(answer);
            println!("    {count}");
            return self.expect(&format!("the plain search counts {total}"), count == total);
        }
        let wanted: Vec<City> = found.into_iter().take(question.search.limit).cloned().collect();
        let rows = reply::rows(answer);
        show::indented(&show::table(&rows, question.fields));
        if question.arguments.contains(&"WITHTOTAL") {
            let told = reply::total(answer);
            println!("    total: {}", told.unwrap_or_default());
            self.expect(&format!("the plain search finds {total}"), told == Some(total));
        }
        let keys: Vec<&str> = wanted.iter().map(|(key, _)| key.as_str()).collect();
        self.expect(&format!("the plain search gives {}", keys.join(" ")), rows == wanted);
    }

    async fn explain(&self, verb: &str, arguments: &[&str]) -> Result {
        let mut command = self.db.cmd("DOC.EXPLAIN").arg(arguments[0]).arg(verb);
        for argument in &arguments[1..] {
            command = command.arg(argument);
        }
        let plan = command.read_value().await?;
        let mut lines = Vec::new();
        reply::lines(&reply::json(&plan), 0, &mut lines);
        println!("    plan:");
        for line in lines {
            println!("      {line}");
        }
        Ok(())
    }

    /// Runs a command, shows it and what came, be it an error.
    async fn say(&self, name: &str, arguments: &[&str]) -> std::result::Result<Json, String> {
        println!("    > {name} {}", show::typed(arguments));
        // Errors are shown as the server says them.
        let mut connection = self.db.redis().await.map_err(|error| error.to_string())?;
        let answer: RedisResult<Value> =
            cmd(name).arg(arguments).query_async(&mut connection).await;
        match answer {
            Ok(answer) => {
                let answer = reply::json(&answer);
                let mut lines = Vec::new();
                reply::lines(&answer, 0, &mut lines);
                let lines =
                    if lines.is_empty() { "(empty array)".into() } else { lines.join("\n") };
                show::indented(&lines);
                Ok(answer)
            }
            Err(error) => {
                let code = error.code().unwrap_or("ERR");
                println!("    (error) {code} {}", error.detail().unwrap_or_default());
                Err(code.to_owned())
            }
        }
    }

    async fn refuse_then_scan(&mut self) -> Result {
        let scan = questions::northernmost();
        self.begin("Without an index a large search is refused, not slow");
        let arguments = [&[COLLECTION], &scan.arguments[..]].concat();
        let refused: Vec<&str> = arguments.into_iter().filter(|word| *word != "SCAN").collect();
        let code = self.say("DOC.FIND", &refused).await;
        println!();
        self.expect("NOINDEX was to come", code == Err("NOINDEX".into()));
        self.ask(&scan).await
    }
}
