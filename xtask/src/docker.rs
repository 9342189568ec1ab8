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

/// Removes the containers of tests that were killed before they could do it themselves.
pub fn sweep() -> Result {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{PROCESS_LABEL}\"}}}}");
    let filter = format!("label={PROCESS_LABEL}");
    let arguments = ["ps", "--all", "--filter", &filter, "--format", &format];
    for line in shell::output(&mut docker(&arguments))?.lines() {
        let Some((container, process)) = line.split_once(' ') else { continue };
        if !Path::new("/proc").join(process).exists() {
            println!("removing container {container}, whose test was killed");
            shell::output(&mut docker(&["rm", "--force", container]))?;
        }
    }
    Ok(())
}

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}
