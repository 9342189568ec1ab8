//! The suites over a module built with `AddressSanitizer`, inside the server as the distribution has it.
//!
//! Rust has the sanitizer behind a nightly flag, which `RUSTC_BOOTSTRAP` opens on stable. The runtime has to be there before
//! the server's first allocation, so a script with the name of the server preloads gcc's. The module is built with
//! Rust's own allocator, which the runtime replaces; otherwise a server with an allocator inside would hide
//! every block. A server that ends in order has `LeakSanitizer` look for what nothing leads to any more.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::report;
use super::suites::seed;
use crate::test::Modules;
use crate::{Result, paths, shell, wire};

/// The suites that meet the boundary to the server most.
const SUITES: [&str; 5] = ["commands", "hostile", "restart", "replication", "life"];
/// Those of their tests that measure memory: the server counts none that comes from the system's allocator.
const SKIPPED: &str = "memory::";
/// Operations of `life`: about five minutes under the sanitizer.
const OPERATIONS: usize = 500_000;
/// What `LeakSanitizer` says where the server is killed while it looks for leaks: some tests kill one that ends by itself.
const CUT_OFF: [&str; 2] = ["Unable to get registers from thread", "was not suspended"];
/// A planted fault of the module, and what the sanitizer calls it.
const PLANTED: [(&str, &str); 2] =
    [("freed", "heap-use-after-free"), ("leak", "detected memory leaks")];
/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of a report that are shown.
const SHOWN: usize = 60;

/// Builds, proves that faults are found, and runs the suites once, or until the time is over.
pub fn asan(time: Option<Duration>) -> Result {
    let folder = paths::target().join("asan");
    let modules = build(&folder)?;
    let reports = folder.join("reports");
    let server = wrap_server(&folder, &reports)?;
    for (fault, name) in PLANTED {
        prove(&modules.faulty, &server, &reports, fault, name)?;
    }
    let began = Instant::now();
    let first = seed();
    let mut rounds = 0;
    while rounds == 0 || time.is_some_and(|time| began.elapsed() < time) {
        let seed = first.wrapping_add(rounds);
        println!("round {}: SEED={seed}", rounds + 1);
        let outcome = round(&modules, &server, seed);
        let (told, cut_off): (Vec<_>, Vec<_>) =
            read(&reports)?.into_iter().partition(|(_, text)| is_report(text));
        println!("{} servers were killed while their leaks were looked for", cut_off.len());
        show(&told)?;
        outcome?;
        rounds += 1;
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let suites = SUITES.join(", ");
    println!(
        "soak asan: SEED={first}, {rounds} rounds of {suites}, {minutes:.1} minutes, 0 reports"
    );
    Ok(())
}

/// Both modules, below `folder`.
fn build(folder: &Path) -> Result<Modules> {
    let host = shell::output(Command::new("rustc").arg("-vV"))?;
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc has a host")?;
    let made = |features: &str, name: &str| -> Result<PathBuf> {
        let mut cargo = shell::cargo(&["build", "--package", "folio-module", "--target", host]);
        cargo.args(["--features", features, "--target-dir"]).arg(folder);
        // Frame pointers: every allocation notes where it was made.
        cargo.env("RUSTFLAGS", "-Zsanitizer=address -Cforce-frame-pointers=yes");
        // What runs functions is written in C++.
        cargo.env("CXXFLAGS", "-fsanitize=address -fno-omit-frame-pointer");
        shell::run(cargo.env("RUSTC_BOOTSTRAP", "1"))?;
        let kept = folder.join(name);
        fs::copy(folder.join(host).join("debug/libfolio_module.so"), &kept)?;
        Ok(kept)
    };
    let faulty = made("system-allocator,planted-faults", "faulty.so")?;
    Ok(Modules::new(made("system-allocator", "folio.so")?, faulty))
}

/// A script that starts the server with the sanitizer's runtime.
fn wrap_server(folder: &Path, reports: &Path) -> Result<PathBuf> {
    let _ = fs::remove_dir_all(reports);
    fs::create_dir_all(reports)?;
    let library = shell::output(Command::new("cc").arg("-print-file-name=libasan.so"))?;
    let library = Path::new(library.trim());
    if !library.is_absolute() {
        return Err("the C compiler has no libasan.so: install gcc's".into());
    }
    let server = paths::redis_server().ok_or("there is no redis-server: cargo xtask setup")?;
    let (library, server) = (library.display(), server.display());
    // The server is not instrumented, and its own globals are its own.
    let settings = format!(
        "detect_leaks=1:detect_odr_violation=0:malloc_context_size=25:log_path={}",
        reports.join("report").display()
    );
    let script = folder.join("redis-server");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nexec env LD_PRELOAD={library} ASAN_OPTIONS={settings} {server} \"$@\"\n"
        ),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

/// A sanitizer that finds nothing may be one that looks at nothing: a module with a fault has to bring a report.
fn prove(module: &Path, server: &Path, reports: &Path, fault: &str, name: &str) -> Result {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut child = Command::new(server)
        .args(["--port", &port.to_string(), "--save", "", "--loadmodule"])
        .arg(module)
        .env("FOLIO_FAULT", fault)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while wire::ask(port, "PING").is_err() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    for key in 0..100 {
        // The fault may end the server at any of these.
        let _ = wire::ask(port, &format!("DOC.SET a:{key} {{}}"));
        let _ = wire::ask(port, &format!("DEL a:{key}"));
    }
    let _ = wire::ask(port, "SHUTDOWN NOSAVE");
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    // The server of this very process.
    let _ = child.kill();
    child.wait()?;
    let found = read(reports)?.iter().any(|(_, text)| text.contains(name));
    fs::remove_dir_all(reports)?;
    fs::create_dir_all(reports)?;
    if !found {
        return Err(format!("the sanitizer did not find the planted fault '{fault}'").into());
    }
    println!("the planted fault '{fault}' was found: {name}");
    Ok(())
}

fn round(modules: &Modules, server: &Path, seed: u64) -> Result {
    let mut cargo = shell::cargo(&["test", "--package", "folio-tests", "--no-fail-fast"]);
    cargo.args(SUITES.iter().flat_map(|suite| ["--test", suite]));
    cargo.args(["--", "--nocapture", "--skip", SKIPPED]);
    modules.name_to(&mut cargo);
    cargo.env("FOLIO_REDIS_SERVER", server).env("FOLIO_TEST_ORDERLY", "1");
    cargo.env("SEED", seed.to_string()).env("OPERATIONS", OPERATIONS.to_string());
    for line in report::figures(&mut cargo)? {
        println!("  {line}");
    }
    Ok(())
}

/// The reports that were written: names and texts.
fn read(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        reports.push((paths::shown(&path), fs::read_to_string(&path)?));
    }
    reports.sort();
    Ok(reports)
}

/// Whether it says more than that its writer was killed.
fn is_report(text: &str) -> bool {
    text.lines().any(|line| !CUT_OFF.iter().any(|words| line.contains(words)))
}

fn show(reports: &[(String, String)]) -> Result {
    for (name, text) in reports {
        println!("{name}:");
        text.lines().take(SHOWN).for_each(|line| println!("  {line}"));
    }
    if reports.is_empty() {
        return Ok(());
    }
    Err(format!("the sanitizer made {} reports", reports.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_cut_off_is_no_report() {
        let cut_off = "==7==Unable to get registers from thread 5.\n\
                       ==7==Running thread 6 was not suspended. False leaks are possible.\n";
        assert!(!is_report(""));
        assert!(!is_report(cut_off));
        assert!(is_report(&format!("{cut_off}==5==ERROR: LeakSanitizer: detected memory leaks\n")));
        assert!(is_report("==5==LeakSanitizer has encountered a fatal error.\n"));
    }
}
