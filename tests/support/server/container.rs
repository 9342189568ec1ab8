//! A server in a container of its own.
//!
//! A container is one life of a server: it is removed when the server ends or is killed, and a restart is a new one
//! over the same folder. It sees the folder and the module under the paths that they have outside, is on the
//! machine's own network and runs as the user whom the folder belongs to, so that it takes the arguments that a
//! process takes, and leaves files that the test may read, change and delete.
//!
//! What a test that was killed leaves behind carries the number of its process, by which `cargo xtask` finds it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::OnceLock;

use testcontainers::bollard::errors::Error as Refusal;
use testcontainers::core::Mount;
use testcontainers::core::error::{ClientError, TestcontainersError};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container as Handle, ContainerRequest, GenericImage, ImageExt};

use super::launch::{self, Launch};

/// The images that `cargo xtask images` makes stand under this name.
const REPOSITORY: &str = "folio-test";
/// The process for which a container runs.
const LABEL: &str = "folio-test.process";
/// What Docker answers of a container that there is not, and of one that is being removed.
const GONE: u16 = 404;
const GOING: u16 = 409;
/// What it says of one that it was about to kill for that and that has ended by itself.
const ENDED: &str = "is not running";

/// A started container.
#[derive(Debug)]
pub struct Container {
    handle: Handle<GenericImage>,
    log: File,
}

impl Container {
    /// Starts the server of the image with this name, such as `redis-8.0`.
    pub fn start(name: &str, launch: &Launch) -> Self {
        static IS_THERE: OnceLock<bool> = OnceLock::new();
        let (maker, tag) = name.split_once('-').expect("FOLIO_TEST_SERVER is as redis-8.0");
        let image = format!("{REPOSITORY}/{maker}");
        // One that is missing would be fetched from whoever has taken the name elsewhere.
        let is_there = IS_THERE.get_or_init(|| is_image(&format!("{image}:{tag}")));
        assert!(is_there, "Docker has no image {image}:{tag}: `cargo xtask images` makes it");
        let log_path = launch::log(launch.folder);
        let log = File::options().append(true).open(&log_path).expect("the log was made");
        let mut command = vec![format!("{maker}-server")];
        command.extend(["--logfile".into(), log_path.display().to_string()]);
        command.extend(launch.arguments());
        let image = GenericImage::new(image.as_str(), tag);
        let handle = request(image.with_cmd(command), launch).start();
        let handle = handle.unwrap_or_else(|error| panic!("no container of {name}: {error}"));
        Self { handle, log }
    }

    /// Whether the server has ended. What it said before it had opened its log goes there too.
    pub fn has_ended(&mut self) -> bool {
        if self.handle.is_running().expect("Docker tells of an own container") {
            return false;
        }
        for output in [self.handle.stdout_to_vec(), self.handle.stderr_to_vec()] {
            let output = output.expect("Docker keeps what a container printed");
            self.log.write_all(&output).expect("a log can be written to");
        }
        true
    }

    /// Kills the server, if it is still running, and removes the container, unless somebody else has: this is called
    /// while a failed test unwinds, where a second panic would end all the others.
    pub fn remove(self) {
        match self.handle.rm() {
            Err(TestcontainersError::Client(ClientError::RemoveContainer(
                Refusal::DockerResponseServerError { status_code: GONE | GOING, .. },
            ))) => {}
            // A handle whose container is still there asks once more when it is dropped, as it is by now.
            Err(TestcontainersError::Client(ClientError::RemoveContainer(
                Refusal::DockerResponseServerError { message, .. },
            ))) if message.contains(ENDED) => {}
            removed => removed.expect("an own container can be removed"),
        }
    }
}

fn request(
    image: ContainerRequest<GenericImage>,
    launch: &Launch,
) -> ContainerRequest<GenericImage> {
    let owner = fs::metadata(launch.folder).expect("the folder is there");
    let path = |path: &std::path::Path| path.display().to_string();
    let folder = path(launch.folder);
    let mut request = image
        .with_network("host")
        .with_user(format!("{}:{}", owner.uid(), owner.gid()))
        .with_mount(Mount::bind_mount(&folder, &folder))
        .with_label(LABEL, std::process::id().to_string());
    if let Some(module) = launch.module.as_deref().map(path) {
        request = request.with_mount(Mount::bind_mount(&module, &module));
    }
    for (name, value) in &launch.options.environment {
        request = request.with_env_var(name, value);
    }
    request
}

fn is_image(name: &str) -> bool {
    let asked = Command::new("docker").args(["image", "inspect", name]).output();
    asked.expect("FOLIO_TEST_SERVER needs the program docker").status.success()
}
