//! Whole append-only files loaded one after the other, each in a millisecond, by one server that keeps none itself: DEBUG LOADAOF
//! reads whatever lies in its folder. (One that is cut short ends the server.)

use std::fs;
use std::path::PathBuf;

use folio_tests::everything::everything;
use folio_tests::{Options, Pipeline, Server};
use redis::Value;

const BASE: &str = "appendonly.aof.1.base.rdb";
const INCREMENT: &str = "appendonly.aof.1.incr.aof";
/// The manifest's line of the file that continues the base.
const CONTINUED: &str = "file appendonly.aof.1.incr.aof seq 1 type i\n";

/// The server and its folder.
pub struct Loader {
    server: Server,
    pipeline: Pipeline,
}

impl Loader {
    pub fn start(options: Options) -> Self {
        let server = options.start();
        let pipeline = Pipeline::connect(server.url()).expect("the server listens");
        let loader = Self { server, pipeline };
        fs::create_dir_all(loader.folder()).expect("a folder can be made");
        loader
    }

    fn folder(&self) -> PathBuf {
        self.server.folder().join("appendonlydir")
    }

    /// Writes a base and, where there is one, the file that continues it.
    pub fn put(&self, base: &[u8], increment: Option<&[u8]>) {
        let mut manifest = format!("file {BASE} seq 1 type b\n");
        fs::write(self.folder().join(BASE), base).expect("own file");
        if let Some(increment) = increment {
            manifest.push_str(CONTINUED);
            fs::write(self.folder().join(INCREMENT), increment).expect("own file");
        }
        fs::write(self.folder().join("appendonly.aof.manifest"), manifest).expect("own file");
    }

    /// Cuts the last file.
    pub fn put_last(&self, bytes: &[u8], has_increment: bool) {
        let name = if has_increment { INCREMENT } else { BASE };
        fs::write(self.folder().join(name), bytes).expect("own file");
    }

    /// Has the server read what lies there.
    pub fn load(&mut self) {
        assert_eq!(self.pipeline.call(&["DEBUG", "LOADAOF"]), Value::Okay);
    }

    /// What the server now holds.
    pub fn everything(&mut self) -> String {
        everything(&mut self.pipeline)
    }
}
