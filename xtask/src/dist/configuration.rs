//! The configurations that are taken away, made of the project's own `redis.conf`.

use std::fs;

use crate::{Result, paths};

/// Where the settings begin: what stands above tells how the project itself uses the file.
const SETTINGS: &str = "# --- Network:";
/// Where those of the module begin, which are the last.
const LIMITS: &str = "# --- Folio's limits";
/// Where the Debian package and the image have the module.
pub const INSTALLED_MODULE: &str = "/usr/lib/redis/modules/folio.so";

/// Of the archive: a server that is started in its folder.
pub fn of_folder() -> Result<String> {
    Ok(format!(
        "# A server with Folio: a single node for one machine, safe by default. It is started in this folder:\n#\n\
         #   redis-server folio.conf\n\nloadmodule ./folio.so\n\n{}",
        from(SETTINGS)?
    ))
}

/// Of the Debian package: an example of a server's whole configuration.
pub fn of_example() -> Result<String> {
    Ok(format!(
        "# A server with Folio: a single node for one machine, safe by default.\n\nloadmodule {INSTALLED_MODULE}\n\n{}",
        from(SETTINGS)?
    ))
}

/// Of the Debian package too: a file that a server's own configuration includes.
pub fn to_include() -> Result<String> {
    Ok(format!(
        "# Folio, for the configuration of a server that is there already. It is included at the end of that:\n#\n\
         #   include /etc/folio/module.conf\n\nloadmodule {INSTALLED_MODULE}\n\n{}",
        from(LIMITS)?
    ))
}

/// Of the image: reached from outside of the container, data in its volume.
pub fn of_image() -> Result<String> {
    let mut settings = from(SETTINGS)?;
    for (line, instead) in [
        ("# --- Network: this machine only.", "# --- Network: whoever reaches the container."),
        ("\nbind 127.0.0.1 -::1\n", "\nbind * -::*\n"),
        ("\nprotected-mode yes\n", "\nprotected-mode no\n"),
        ("\ndir ./\n", "\ndir /data\n"),
    ] {
        if !settings.contains(line) {
            return Err(format!("redis.conf has no {line:?}, which the image changes").into());
        }
        settings = settings.replace(line, instead);
    }
    Ok(format!("# The server of the image.\n\nloadmodule {INSTALLED_MODULE}\n\n{settings}"))
}

/// The project's configuration from this line on.
fn from(line: &str) -> Result<String> {
    let text = fs::read_to_string(paths::root().join("redis.conf"))?;
    let at = text.find(line).ok_or_else(|| format!("redis.conf has no line {line}"))?;
    Ok(text[at..].to_owned())
}
