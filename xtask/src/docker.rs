//! The Docker engine, where there is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, shell};

/// On a container of a test: the process for which it runs.
const PROCESS_LABEL: &str = "folio-test.process";

/// Whether a Docker engine answers.
pub fn answers() -> bool {
    shell::succeeds(&mut docker(&["version"]))
}

/// Whether there is an image of this name.
pub fn has_image(name: &str) -> bool {
    shell::succeeds(&mut docker(&["image", "inspect", name]))
}

/// What an image has under a label; nothing if it has none.
pub fn label(name: &str, label: &str) -> Result<String> {
    let format = format!("{{{{index .Config.Labels \"{label}\"}}}}");
    let text = shell::output(&mut docker(&["image", "inspect", "--format", &format, name]))?;
    Ok(text.trim().to_owned())
}

/// Makes an image of a folder, with a label, in place of the one that had the name.
pub fn import(folder: &Path, name: &str, (label, value): (&str, &str)) -> Result {
    let archive = PathBuf::from(format!("{}.tar", folder.display()));
    let mut tar = Command::new("tar");
    // The packages' files belong to root, whoever has unpacked them.
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--create", "--file"]);
    shell::output(tar.arg(&archive).arg("--directory").arg(folder).arg("."))?;
    let change = format!("LABEL {label}=\"{value}\"");
    let mut import = docker(&["import", "--change", &change]);
    shell::output(import.arg(&archive).arg(name))?;
    fs::remove_file(archive)?;
    Ok(())
}

/// Runs a command of the shell in a container without network, which sees a folder as `/mnt`, and makes an image of what
/// it leaves.
pub fn commit_run(image: &str, name: &str, folder: &Path, script: &str) -> Result {
    let mount = format!("{}:/mnt:ro", folder.display());
    let container = Container::create(&[
        "--network=none",
        "--env=DEBIAN_FRONTEND=noninteractive",
        "--env=PATH=/usr/sbin:/usr/bin",
        "--volume",
        &mount,
        image,
        "sh",
        "-c",
        script,
    ])?;
    shell::output(&mut docker(&["start", "--attach", &container.id]))?;
    let commit = ["commit", "--change", "CMD [\"bash\"]", &container.id, name];
    shell::output(&mut docker(&commit))?;
    Ok(())
}

/// Takes an image's name away, and the image if it has no other.
pub fn remove_image(name: &str) -> Result {
    shell::output(&mut docker(&["rmi", name]))?;
    Ok(())
}

/// A container of this process, which goes with its unnamed volumes when this is dropped.
pub struct Container {
    /// As Docker has it.
    pub id: String,
}

impl Container {
    /// Makes one, which is not started yet, with the arguments of `docker create`.
    pub fn create(arguments: &[&str]) -> Result<Self> {
        let label = format!("{PROCESS_LABEL}={}", std::process::id());
        let id = shell::output(docker(&["create", "--label", &label]).args(arguments))?;
        Ok(Self { id: id.trim().to_owned() })
    }

    /// Makes one and starts it.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let container = Self::create(arguments)?;
        shell::output(&mut docker(&["start", &container.id]))?;
        Ok(container)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        shell::succeeds(&mut docker(&["rm", "--force", "--volumes", &self.id]));
    }
}

/// Removes the containers of tests that were killed before they could do it themselves.
pub fn sweep() -> Result {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{PROCESS_LABEL}\"}}}}");
    let filter = format!("label={PROCESS_LABEL}");
    let arguments = ["ps", "--all", "--filter", &filter, "--format", &format];
    for line in shell::output(&mut docker(&arguments))?.lines() {
        let Some((container, process)) = line.split_once(' ') else { continue };
        if !Path::new("/proc").join(process).exists() {
            println!("removing container {container}, whose test was killed");
            shell::output(&mut docker(&["rm", "--force", "--volumes", container]))?;
        }
    }
    Ok(())
}

/// The program with these arguments.
pub fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}
