//! Declarations that are built while a server goes on, held still in the middle.

use std::thread::{self, JoinHandle};

use redis::Value;

use crate::pipeline::{Words, words};
use crate::replica::wait_until;
use crate::{Client, Pipeline, Server, reply};

/// Documents enough for a build in slices.
pub const DOCUMENTS: usize = 3_000;

/// Documents `t:0` and on, of an open collection, in the selected database.
pub fn fill(server: &Server) {
    let document = |n: usize| {
        let tags = ["[]", r#"["a","b"]"#, r#"["b"]"#][n % 3];
        format!(
            r#"{{"n":{},"mail":"{n}@example.org","tags":{tags},"s":"word {}"}}"#,
            n % 100,
            n % 7
        )
    };
    let commands: Vec<Words> =
        (0..DOCUMENTS).map(|n| words(&["DOC.SET", &format!("t:{n}"), &document(n)])).collect();
    let mut pipeline = Pipeline::connect(server.url()).expect("the server is there");
    pipeline.ask(&commands);
}

/// What the tests declare over them.
pub const CREATE: &[&str] = &[
    "DOC.CREATE",
    "t",
    "FIELD",
    "n",
    "int",
    "INDEX",
    "SORTED",
    "FIELD",
    "mail",
    "string",
    "UNIQUE",
    "FIELD",
    "tags",
    "array<string>",
    "INDEX",
    "SET",
    "INDEX",
    "pair",
    "ON",
    "2",
    "n",
    "s",
    "DESC",
];

/// A command whose client waits for a build.
pub struct Build {
    client: JoinHandle<Result<Value, String>>,
}

impl Build {
    /// Sends the command from a client of its own, and holds the build still when it has begun and is far from its end.
    pub fn halfway(server: &Server, command: &[&str]) -> Self {
        let mut c = server.resp2();
        pace(&mut c, "1");
        let build = Build::send(server, command);
        wait_until("the build is under way", || done(&mut c, command[1]).is_some_and(|it| it > 50));
        pace(&mut c, "0");
        build
    }

    /// Only sends the command.
    pub fn send(server: &Server, command: &[&str]) -> Self {
        let mut client = server.resp3();
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let send = move || client.try_call(&command).map_err(|error| error.to_string());
        Build { client: thread::spawn(send) }
    }

    /// Whether the client has been answered.
    pub fn is_answered(&self) -> bool {
        self.client.is_finished()
    }

    /// Waits for the answer.
    pub fn answer(self) -> Result<Value, String> {
        self.client.join().expect("the client does not panic")
    }

    /// Lets the build go on, and waits for the answer.
    pub fn end(self, server: &Server) -> Result<Value, String> {
        pace(&mut server.resp2(), "1000");
        self.answer()
    }
}

/// Sets how many microseconds of each millisecond are built.
pub fn pace(c: &mut Client, microseconds: &str) {
    c.call(&["CONFIG", "SET", "folio.build-slice-us", microseconds]);
}

/// How many documents the build of a collection has done, if there is one.
pub fn done(c: &mut Client, name: &str) -> Option<i64> {
    let state = state(c, name)?;
    match reply::map(redis::ProtocolVersion::RESP2, state).get("done") {
        Some(Value::Int(done)) => Some(*done),
        other => panic!("{other:?} is no number of documents"),
    }
}

/// What DOC.INFO tells of the build of a collection, over RESP2.
pub fn state(c: &mut Client, name: &str) -> Option<Value> {
    let info = c.try_call(&["DOC.INFO", name]).ok()?;
    let mut info = reply::map(redis::ProtocolVersion::RESP2, info);
    reply::list(info.remove("building")?).pop()
}
