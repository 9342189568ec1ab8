//! Servers and documents for the tests of programs.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use folio::testing::{Builder, Factory, Server, StartError};
use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "people")]
struct Person {
    #[folio(id)]
    id: Id<Person>,
    #[folio(unique)]
    email: String,
    age: u32,
}

fn builder() -> Builder {
    Server::builder().module(folio_tests::server::module())
}

fn people() -> Factory<Person> {
    Factory::new(|n| Person { id: Id::default(), email: format!("p{n}@example.org"), age: 30 })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be built").block_on(future)
}

fn listens(url: &str) -> bool {
    TcpStream::connect(url.trim_start_matches("redis://")).is_ok()
}

/// Waits until nothing listens there any more.
fn ends(url: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while listens(url) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

#[test]
fn a_server_is_empty_answers_and_ends_with_its_value() {
    let server = builder().config("folio.scan-max", "77").start().expect("all is installed");
    let other = builder().start().expect("all is installed");
    assert_ne!(server.url(), other.url());
    block_on(async {
        let db = server.connect().await?;
        db.sync::<Person>().await?;
        people().create(&db).await?;
        let setting: BTreeMap<String, String> =
            db.cmd("CONFIG").arg(("GET", "folio.scan-max")).read().await?;
        assert_eq!(setting["folio.scan-max"], "77");
        let names: Vec<String> = other.connect().await?.cmd("DOC.LIST").read().await?;
        assert!(names.is_empty(), "{names:?}");
        Ok::<_, folio::Error>(())
    })
    .expect("both answer");
    assert!(server.log().contains("Ready to accept connections"));
    let url = server.url().to_owned();
    let panicked = thread::spawn(move || {
        let _server = server;
        panic!("the test fails");
    });
    assert!(panicked.join().is_err());
    assert!(ends(&url), "the server outlives the panic");
    assert!(listens(other.url()));
}

/// The name of the variable that tells the test below that it is the one to be killed.
const TO_BE_KILLED: &str = "FOLIO_TESTING_TO_BE_KILLED";

#[test]
fn a_server_ends_with_a_program_that_is_killed() {
    if env::var_os(TO_BE_KILLED).is_some() {
        let server = builder().start().expect("all is installed");
        eprintln!("{}", server.url());
        thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut command = Command::new(env::current_exe().expect("a test has a program"));
    command.args(["a_server_ends_with_a_program_that_is_killed", "--nocapture"]);
    let child = command.env(TO_BE_KILLED, "1").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = child.spawn().expect("it runs again");
    let errors = std::io::BufReader::new(child.stderr.take().expect("it is piped"));
    let mut lines = std::io::BufRead::lines(errors).map_while(Result::ok);
    let url = lines.find(|line| line.starts_with("redis://")).expect("it starts a server");
    assert!(listens(&url));
    child.kill().expect("it sleeps");
    child.wait().expect("it was killed");
    assert!(ends(&url), "the server outlives the program");
}

#[test]
fn what_cannot_be_started_says_why() {
    let error = builder().program("/nowhere/redis-server").start().expect_err("there is none");
    assert!(matches!(error, StartError::NotThere(_)), "{error}");
    assert_eq!(error.to_string(), "there is no /nowhere/redis-server");
    let error = Server::builder().module("nothing.so").start().expect_err("there is none");
    assert!(matches!(error, StartError::NotThere(_)), "{error}");
    let error = builder().config("no-such-setting", "1").start().expect_err("it is unknown");
    assert!(
        matches!(&error, StartError::Ended { log } if log.contains("no-such-setting")),
        "{error}"
    );
    let other = env::current_exe().expect("a test has a program");
    let error = Server::builder().module(other).start().expect_err("it is no module");
    assert!(matches!(&error, StartError::Ended { log } if log.contains("odule")), "{error}");
}

#[test]
fn a_factory_counts_and_its_variations_count_with_it() {
    let people = people();
    let children = people.with(|person| person.age = 9);
    let born: Vec<Person> = children.build_many(2);
    assert_eq!(born[1].email, "p2@example.org");
    assert_eq!((born[0].age, people.build().age), (9, 30));
    let server = builder().start().expect("all is installed");
    block_on(async {
        let db = server.connect().await?;
        db.sync::<Person>().await?;
        let class = children.create_many(30, &db).await?;
        assert_eq!(class[0].email, "p4@example.org");
        assert_eq!(Person::find(Person::age().eq(9)).count(&db).await?, 30);
        assert_eq!(Person::get(&class[29].id).one(&db).await?, class[29]);
        Ok::<_, folio::Error>(())
    })
    .expect("nothing is refused");
}
