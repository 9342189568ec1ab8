//! Blocks that are not run, so that none is left out by mistake: what each may be, and what else proves it.

use std::fs;

use crate::console::root;
use crate::page::Shown;

/// Blocks that nothing runs: forms, drawings, excerpts of what other places print.
const FORMS: &[&str] = &["text", "conf", "json", "lua", "yaml"];

/// Commands that are not run where pages are, since they change the machine or take minutes: what runs them, or what they do,
/// instead.
const RUN_ELSEWHERE: &[(&str, &[&str])] = &[
    ("cargo xtask ci", &["cargo xtask run", "cargo xtask test"]),
    (
        "cargo xtask run, and each test's server",
        &[
            "cargo build --release -p folio-module",
            "redis-server --loadmodule target/release/libfolio_module.so",
        ],
    ),
    (
        "the tests of examples/, each program on a server of its own",
        &[
            "cargo run -p folio-examples --bin quickstart",
            "cargo run -p folio-examples --bin web",
            "cargo run -p folio-examples --bin sessions",
            "cargo run -p folio-examples --bin jobs",
            "cargo run -p folio-examples --bin changes",
            "cargo run -p folio-examples --bin cache",
        ],
    ),
    (
        "cargo xtask dist, and with --check what it makes",
        &[
            "cargo xtask dist",
            "cargo xtask dist --only tarball,deb",
            "cargo xtask dist --only image --save",
            "cargo xtask dist --check",
            "cargo build --release -p folio-cli",
            "tar -xf folio-0.1.0-x86_64-linux.tar.gz",
            "cd folio-0.1.0-x86_64-linux",
            "sha256sum --check SHA256SUMS",
            "redis-server folio.conf",
            "./folio --version",
            r#"redis-cli DOC.SET users:1 '{"name":"Ada"}'"#,
            "sudo apt install ./folio_0.1.0_amd64.deb",
            "echo 'include /etc/folio/module.conf' | sudo tee --append /etc/redis/redis.conf",
            "sudo systemctl restart redis-server",
            "redis-cli DOC.LIST",
            "docker run --detach --name folio --publish 127.0.0.1:6379:6379 --volume folio:/data folio:0.1.0",
            "docker exec folio folio --version",
            "docker exec folio redis-cli DOC.LIST",
            "sudo apt purge folio",
        ],
    ),
    (
        "no test: they change this machine, or want a second version of Folio",
        &[
            "docker run --detach --env REDISCLI_AUTH=secret folio:0.1.0 --requirepass secret --maxmemory 1gb",
            "sudo install -D -m 755 target/release/libfolio_module.so /usr/lib/redis/modules/folio.so",
            "sudo install -m 755 target/release/folio /usr/local/bin/folio",
            "redis-cli MODULE LOAD /usr/lib/redis/modules/folio.so",
            "redis-cli MODULE LOADEX /usr/lib/redis/modules/folio.so CONFIG folio.scan-max 50000",
            "redis-cli CONFIG REWRITE",
            "sudo cp -a /var/lib/redis /var/lib/redis.before",
            "sudo apt install ./folio_0.2.0_amd64.deb",
            r#"redis-cli --scan | xargs --delimiter='\n' --max-args=100 redis-cli MIGRATE 127.0.0.1 6380 "" 0 60000 COPY KEYS"#,
        ],
    ),
    (
        "the blocks of other pages",
        &[
            "redis-cli CONFIG SET folio.scan-max 50000",
            "redis-cli CONFIG GET 'folio.*'",
            "redis-cli SAVE",
            "redis-cli DOC.VERIFY users",
            "redis-cli DOC.DROP users DOCUMENTS",
        ],
    ),
];

/// What is wrong with a block of this page that is not run.
pub fn fault(page: &str, block: &Shown) -> Option<String> {
    match block.info.as_str() {
        form if FORMS.contains(&form) => None,
        "rust" | "rust,no_run" => {
            let client = fs::read_to_string(root().join("client/src/lib.rs")).unwrap_or_default();
            let is_compiled = client.contains(&format!("include_str!(\"../../{page}\")"));
            (!is_compiled).then(|| "client/src/lib.rs does not have the page compiled".to_owned())
        }
        "sh" => block.text.iter().find_map(|line| unknown(line)),
        other => Some(format!("`{other}` is no kind of block that is run, or known not to be")),
    }
}

/// A command that nobody is known to run.
fn unknown(line: &str) -> Option<String> {
    let line = line.trim();
    let command = line.split("  #").next().unwrap_or_default().trim();
    let is_known = RUN_ELSEWHERE.iter().any(|(_, known)| known.contains(&command));
    let is_command = !command.is_empty() && !command.starts_with('#');
    (is_command && !is_known).then(|| format!("nothing runs `{command}`: make it a console's"))
}

#[test]
fn a_block_that_nothing_proves_is_found() {
    let found = |info: &str, text: &str| {
        let text = text.lines().map(str::to_owned).collect();
        fault("docs/page.md", &Shown { line: 1, info: info.to_owned(), text }).is_some()
    };
    assert!(!found("text", "anything") && !found("sh", "# why\n\ncargo xtask run    # it builds"));
    assert!(found("", "") && found("bash", "") && found("sh", "cargo xtask run\nrm -r x"));
    assert!(found("rust", "") && found("rust,ignore", ""));
    let text = vec!["fn main() {}".to_owned()];
    let block = Shown { line: 1, info: "rust,no_run".to_owned(), text };
    assert_eq!(fault("README.md", &block), None);
}
