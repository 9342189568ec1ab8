//! What building and running needs beside Rust, and how it gets here.
//!
//! Each need is looked for by what it is good for, not by a package's name, so that a toolchain
//! from elsewhere counts. Only when something is missing, and only where apt-get is and may be
//! used without a password, is anything installed.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, paths, shell};

/// The first version of the server whose module interface has all that Folio uses.
const REDIS_MAJOR_MIN: u32 = 7;

/// Something that a chore needs.
pub struct Need<'a> {
    /// What it is, in words.
    pub what: &'a str,
    /// Looks for it.
    pub is_there: &'a dyn Fn() -> bool,
    /// The packages of Debian and Ubuntu that bring it.
    pub packages: &'a [&'a str],
}

/// `DuckDB`'s command line, which `tests/foreign` compares the engine with: the package of Python that has its program, and
/// its version.
const DUCKDB: (&str, &str) = ("duckdb-cli", "1.5.6");

/// The client that the examples in Python use, and what runs their tests.
const PYTHON_PACKAGES: &[&str] = &["redis==6.4.0", "pytest==8.4.2"];

/// Where Debian and Ubuntu have the packages of Node.
const NODE_PATH: &str = "/usr/share/nodejs";

/// Stands for the packages of the libclang that the distribution has.
const LIBCLANG: &str = "libclang";

const NEEDS: &[Need<'static>] = &[
    Need {
        what: "a C and a C++ compiler",
        is_there: &has_compiler,
        packages: &["gcc", "g++", "libc6-dev"],
    },
    Need {
        what: "libclang with its headers (bindgen reads the server's header with it)",
        is_there: &has_libclang,
        packages: &[LIBCLANG, "libc6-dev"],
    },
    Need {
        what: "redis-server or valkey-server",
        is_there: &|| paths::redis_server().is_some(),
        packages: &["redis-server", "redis-tools"],
    },
    Need {
        what: "redis-cli",
        is_there: &|| paths::program(&["redis-cli", "valkey-cli"]).is_some(),
        packages: &["redis-tools"],
    },
];

/// Installs what building and running need, or says what and how. The tests need [`duckdb`] too.
pub fn setup() -> Result {
    require(NEEDS)?;
    check_server_version()
}

/// Installs `DuckDB`'s program into the folder of what is built, in the version that is known to answer right.
pub fn duckdb() -> Result {
    let program = paths::duckdb();
    let (package, version) = DUCKDB;
    // v1.5.6 (Variegata) 069cc9f9b5
    let is_right = |text: String| text.starts_with(&format!("v{version} "));
    if shell::output(Command::new(&program).arg("--version")).is_ok_and(is_right) {
        return Ok(());
    }
    if env::var_os("FOLIO_DUCKDB").is_some() {
        return Err(format!("FOLIO_DUCKDB: {} is no DuckDB {version}", program.display()).into());
    }
    let folder = paths::duckdb_folder();
    pip_install(&folder, &["--no-deps", &format!("{package}=={version}")])
}

/// What `examples/python` and `examples/node` take, and the pages of docs/ that run them.
pub fn examples() -> Result {
    let is_there = || {
        ["redis", "pytest"]
            .iter()
            .all(|name| paths::python_folder().join(name).join("__init__.py").exists())
    };
    if !is_there() {
        pip_install(&paths::python_folder(), PYTHON_PACKAGES)?;
    }
    require(&[Need {
        what: "Node with the client node-redis of Debian and Ubuntu (an example and a page run it)",
        is_there: &|| {
            let mut node = Command::new("node");
            shell::succeeds(node.env("NODE_PATH", NODE_PATH).args(["-e", "require('redis')"]))
        },
        packages: &["nodejs", "node-redis"],
    }])
}

/// Installs packages of Python into a folder, in place of what is there.
fn pip_install(folder: &Path, packages: &[&str]) -> Result {
    require(&[Need {
        what: "pip (it brings DuckDB, which the tests compare the engine with, and the Python client of the examples)",
        is_there: &|| shell::succeeds(Command::new("python3").args(["-m", "pip", "--version"])),
        packages: &["python3-pip"],
    }])?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    shell::run(pip.arg("--target").arg(folder).args(packages))
}

/// Installs what is missing of these, or says what and how.
pub fn require(needs: &[Need<'_>]) -> Result {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    match Apt::find() {
        Some(apt) => apt.install(&missing)?,
        None => return Err(advice(&missing).into()),
    }
    let left = self::missing(needs);
    if left.is_empty() { Ok(()) } else { Err(advice(&left).into()) }
}

fn missing<'n, 'a>(needs: &'n [Need<'a>]) -> Vec<&'n Need<'a>> {
    needs.iter().filter(|need| !(need.is_there)()).collect()
}

fn has_compiler() -> bool {
    let compiles = Path::new("/usr/include/stdlib.h").exists() || cfg!(target_os = "macos");
    let has_both = paths::program(&["cc", "gcc", "clang"]).is_some()
        && paths::program(&["c++", "g++", "clang++"]).is_some();
    has_both && compiles
}

/// libclang, and on Debian the headers that belong to it: without them bindgen ends with
/// "stddef.h not found".
fn has_libclang() -> bool {
    let llvms = subfolders(Path::new("/usr/lib"), "llvm");
    let versions = llvms.iter().flat_map(|llvm| subfolders(&llvm.join("lib/clang"), ""));
    let headers = versions.into_iter().any(|v| v.join("include/stddef.h").exists());
    if llvms.iter().any(|llvm| holds_libclang(&llvm.join("lib"))) && headers {
        return true;
    }
    let elsewhere = ["/usr/lib64", "/usr/lib", "/usr/local/lib", "/opt/homebrew/opt/llvm/lib"];
    let named = env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let mut folders = named.into_iter().chain(elsewhere.map(PathBuf::from));
    folders.any(|folder| folder.is_file() || holds_libclang(&folder))
}

fn subfolders(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| name(path).starts_with(prefix)).collect()
}

fn holds_libclang(folder: &Path) -> bool {
    let is_library = |path: &PathBuf| {
        let name = name(path);
        let library = name.contains(".so") || name.contains(".dylib");
        (name.starts_with("libclang.") || name.starts_with("libclang-1")) && library
    };
    subfolders(folder, "libclang").iter().any(is_library)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn advice(missing: &[&Need<'_>]) -> String {
    let what: Vec<String> = missing.iter().map(|need| format!("  - {}\n", need.what)).collect();
    let mut packages = vec!["ca-certificates"];
    for package in missing.iter().flat_map(|need| need.packages) {
        packages.push(if *package == LIBCLANG { "libclang-dev" } else { package });
    }
    packages.sort_unstable();
    packages.dedup();
    format!(
        "something is missing:\n{}On Debian or Ubuntu, as root:\n  \
         apt-get update && apt-get install {}\n\
         Elsewhere: install gcc (or clang), libclang and Redis 7.0 or later (or Valkey 8 or later) \
         with the system's packages;\nLIBCLANG_PATH names libclang's folder, FOLIO_REDIS_SERVER \
         the server's program, if they are in unusual places.",
        what.concat(),
        packages.join(" ")
    )
}

/// apt-get, run as root or through a sudo that asks for nothing.
struct Apt {
    sudo: bool,
}

impl Apt {
    fn find() -> Option<Self> {
        paths::program(&["apt-get"])?;
        let user = shell::output(Command::new("id").arg("-u")).ok()?;
        if user.trim() == "0" {
            return Some(Self { sudo: false });
        }
        shell::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(Self { sudo: true })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(if self.sudo { "sudo" } else { "env" });
        if self.sudo {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", program]).args(arguments);
        command
    }

    fn install(&self, missing: &[&Need<'_>]) -> Result {
        let wanted: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
        println!("installing: {}", wanted.join(" "));
        if self.candidate("redis-server").is_none() {
            shell::run(&mut self.command("apt-get", &["update", "-qq"]))?;
        }
        let mut packages = vec!["ca-certificates".to_owned()];
        for package in &wanted {
            match *package {
                LIBCLANG => packages.extend(libclang_packages()?),
                package => packages.push(package.to_owned()),
            }
        }
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let install =
            [&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat();
        if shell::run(&mut self.command("apt-get", &install)).is_err() {
            // Lists that are there may be too old to install from.
            shell::run(&mut self.command("apt-get", &["update", "-qq"]))?;
            shell::run(&mut self.command("apt-get", &install))?;
        }
        if wanted.contains(&"redis-server") {
            self.stop_service();
        }
        Ok(())
    }

    /// The package's version that apt-get would install; none before the first update.
    fn candidate(&self, package: &str) -> Option<String> {
        let policy = shell::output(&mut self.command("apt-cache", &["policy", package])).ok()?;
        let line = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?;
        let version = line.trim();
        (version != "(none)").then(|| version.to_owned())
    }

    /// Debian starts a service on 6379 with the package; nobody asked for one.
    fn stop_service(&self) {
        if Path::new("/run/systemd/system").exists() {
            shell::succeeds(&mut self.command("systemctl", &["disable", "--now", "redis-server"]));
        } else if Path::new("/run/redis/redis-server.pid").exists() {
            shell::succeeds(&mut self.command("service", &["redis-server", "stop"]));
        }
    }
}

/// The library and its headers, in the version that the distribution has made its own.
fn libclang_packages() -> Result<[String; 2]> {
    let depends = shell::output(Command::new("apt-cache").args(["depends", "libclang-dev"]))?;
    let version = depends.lines().find_map(|line| {
        let package = line.trim().strip_prefix("Depends: libclang-")?;
        package.strip_suffix("-dev")
    });
    let version = version.ok_or("apt-get knows no libclang-dev; install libclang by hand")?;
    // Since 2024 Ubuntu's library has a name of its own, which the other package leads to.
    let library = [format!("libclang1-{version}"), format!("libclang1-{version}t64")];
    let known = |name: &&String| {
        shell::output(Command::new("apt-cache").args(["show", name])).is_ok_and(|t| !t.is_empty())
    };
    let library = library.iter().find(known).ok_or("apt-get knows no libclang1")?;
    Ok([library.clone(), format!("libclang-common-{version}-dev")])
}

/// The name and the version of the machine's own server.
pub fn server_version() -> Result<String> {
    let server = paths::redis_server().ok_or("there is no redis-server")?;
    // Redis server v=7.0.15 sha=00000000:0 malloc=..
    let text = shell::output(Command::new(server).arg("--version"))?;
    let (name, rest) = text.split_once(" server v=").unwrap_or_default();
    Ok(format!("{name} {}", rest.split(' ').next().unwrap_or_default()))
}

/// Refuses a server that is too old, in words.
fn check_server_version() -> Result {
    let version = server_version()?;
    let version = version.split(' ').next_back().unwrap_or_default();
    let major: u32 = version.split('.').next().and_then(|m| m.parse().ok()).unwrap_or(0);
    if major >= REDIS_MAJOR_MIN {
        return Ok(());
    }
    let server = paths::redis_server().expect("its version was read").display().to_string();
    Err(format!(
        "{server} is version {version}; Folio needs Redis 7.0 or later, or Valkey 8 or later.\n\
         FOLIO_REDIS_SERVER may name another server's program."
    )
    .into())
}
