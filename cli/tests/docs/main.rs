//! The examples of README.md and docs/*.md, run on a server: each reply has to be what the page prints.
//!
//! A fenced block with the info string `folio` is written as a session of redis-cli:
//!
//! ````text
//! ```folio
//! > DOC.SET users:1 '{"name":"Ada","age":36}'
//! 1
//! > DOC.FIND users WHERE "age > 30" WITHTOTAL
//! results:
//!   users:1 {"name":"Ada","age":36}
//! total: 1
//! > DOC.FIND users WHERE age = 1
//! (error) ..
//! ```
//! ````
//!
//! All blocks of a page run in order on one server that was empty when the page began; so a page sets up its data
//! once. These speak RESP3. A line that begins with `> ` is a command, its words quoted as in redis-cli: between single quotes only `\'` is an
//! escape, between double quotes `\"`, `\\`, `\n`, `\r`, `\t` and `\x00` are. The lines up to the next command, but for blank
//! ones at the end, are the reply:
//!
//! | reply | is written |
//! |---|---|
//! | string, number, `OK` | as it is; a string without letters as `""` |
//! | nothing, a boolean | `(nil)`, `(true)`, `(false)` |
//! | error | `(error) CODE what is wrong` |
//! | list | an element a line; a list within a list in one line, with a space between its elements, or, if it holds lists and maps itself, behind `- ` |
//! | map | an entry a line, `key: value`; a list or a map there stands below the key, two spaces further in |
//! | empty list or map | `(empty)` |
//!
//! `..` at the end of a line stands for the rest of it, and in a line alone for any lines, or none.
//!
//! A fenced block with the info string `console` is a session of a shell, in a folder that was empty when the page began but
//! for `examples`, with `folio` and `redis-cli` that speak to the page's server:
//!
//! ````text
//! ```console
//! $ cat > users.jsonl <<'END'
//! > {"name":"Ada","age":36}
//! > END
//! $ redis-cli DOC.COUNT users
//! (integer) 1
//! $ folio query users 'nam ='
//! ..
//! $ echo $?
//! 1
//! ```
//! ````
//!
//! A line that begins with `$ ` is a command, which lines that begin with `>` continue; what it prints, errors too, follows. A command
//! that fails has to be followed by `echo $?`, so that none fails unseen. Each command is a shell of its own.
//!
//! No other block is run; `shown` tells which there may be.

#![forbid(unsafe_code)]

mod console;
mod links;
mod page;
mod render;
mod shown;

use std::fs;
use std::path::PathBuf;

use folio_tests::Server;

use console::{Console, root};
use page::{Example, Page, Runs};
use render::{is_expected, render};

/// The pages, by their names in the project.
fn pages() -> Vec<(String, PathBuf)> {
    let entries = root().join("docs").read_dir().expect("docs is a folder");
    let files = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| format!("docs/{}", path.file_name().unwrap_or_default().display()))
        .collect();
    names.push("README.md".to_owned());
    names.sort();
    names.into_iter().map(|name| (name.clone(), root().join(name))).collect()
}

/// Runs a page's examples on a server of its own, and lists what is not as printed.
fn faults(name: &str, page: &Page) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for block in &page.shown {
        if let Some(fault) = shown::fault(name, block) {
            faults.push(format!("{name}:{}: {fault}", block.line));
        }
    }
    if page.examples.is_empty() {
        return faults;
    }
    let server = Server::start();
    let mut client = server.resp3();
    let mut console = Console::new(server.url());
    for (at, Example { line, command, runs, expected }) in page.examples.iter().enumerate() {
        let lines = match runs {
            Runs::Server(words) => render(client.try_call(words)),
            Runs::Shell => {
                let ran = console.run(command);
                let next = page.examples.get(at + 1).map(|next| next.command.as_str());
                if ran.code != 0 && next != Some("echo $?") {
                    let code = ran.code;
                    faults.push(format!("{name}:{line}: {command}\nfails with {code}, untold"));
                }
                ran.lines
            }
        };
        if !is_expected(&lines, expected) {
            let (expected, lines) = (expected.join("\n"), lines.join("\n"));
            faults.push(format!(
                "{name}:{line}: {command}\nis to give\n{expected}\nand gives\n{lines}\n"
            ));
        }
    }
    faults
}

/// Whether `FOLIO_DOCS_PAGE` asks for this page, or for none.
fn is_asked(name: &str) -> bool {
    std::env::var("FOLIO_DOCS_PAGE").map_or(true, |part| name.contains(&part))
}

#[test]
fn every_example_gives_what_its_page_prints() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, path) in pages() {
        if !is_asked(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a page is text");
        wrong.extend(links::faults(&name, &text));
        match page::read(&text) {
            Ok(page) => {
                println!("{name}: {} commands", page.examples.len());
                count += page.examples.len();
                wrong.extend(faults(&name, &page));
            }
            Err((line, fault)) => wrong.push(format!("{name}:{line}: {fault}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "no page has an example");
}

#[test]
fn every_page_leads_to_the_next() {
    let read = |path| fs::read_to_string(path).expect("a page is text");
    let pages: Vec<_> = pages().into_iter().map(|(name, path)| (name, read(path))).collect();
    let contents = read(root().join("docs/README.md"));
    assert_eq!(links::out_of_order(&contents, &pages), Vec::<String>::new());
}

/// A page whose examples are right, in every form of a reply.
const PAGE: &str = r#"
```folio
> DOC.SET users:1 '{"name":"Ada","tags":[]}'
1
> DOC.SET users:2 "{\"name\":\"O'Neill\"}"
2

> DOC.GET users:1
{"name":"Ada","tags":[]}
> DOC.GET users:9
(nil)
```

    > this is no example

```text
> nor this
```

```folio
> DOC.FIND users WHERE 'name STARTS WITH \'A\'' WITHTOTAL
results:
  users:1 {"name":"Ada","tags":[]}
total: 1
> DOC.FIND users
results:
  users:1 ..
  ..
> DOC.COUNT users WHERE 'name ='
(error) FILTER ..
> DOC.FIND users WHERE "name = 1"
results: (empty)
> MULTI
OK
> SET a ""
QUEUED
> GET a
QUEUED
> CONFIG GET hz
QUEUED
> EXEC
OK
""
hz: 10
```

```console
$ cat > users.txt <<'END'
> Ada
>
> Grace
> END
$ cat users.txt
Ada

Grace
$ redis-cli DOC.COUNT users; redis-cli DOC.COUNT users | tr 2 3; ls
(integer) 2
3
examples
users.txt
$ folio --version
folio ..
$ ls nothing
ls: ..
$ echo $?
2
```
"#;

#[test]
fn a_right_page_passes_and_each_wrong_line_is_found() {
    let page = page::read(PAGE).expect("the page is in order");
    assert_eq!(faults("page", &page), Vec::<String>::new());
    for (right, wrong) in [
        ("\n(nil)", "\n(nil).\n"),
        ("total: 1", "total: 2"),
        ("users:1 {", "users:1  {"),
        ("users:1 ..", "users:2 .."),
        ("(error) FILTER ..", "FILTER .."),
        ("results: (empty)", "results:"),
        ("OK\n\"\"\n", "OK\n(nil)\n"),
        ("hz: 10", "hz: 10\n..\nhz: 10"),
        ("Ada\n\nGrace\n$", "Ada\nGrace\n$"),
        ("(integer) 2\n", "2\n"),
        ("users.txt\n$ folio", "users\n$ folio"),
        ("ls: ..", "cat: .."),
        ("$ ls nothing\nls: ..\n$ echo $?\n2", "$ ls nothing\nls: .."),
    ] {
        assert!(PAGE.contains(right), "{right}");
        let page = PAGE.replacen(right, wrong, 1);
        let at = PAGE.find(right).expect("it was found just now");
        let page = page::read(&page).expect("the page is in order");
        let faults = faults("page", &page);
        let asked =
            page.examples.iter().rfind(|example| example.line <= PAGE[..=at].lines().count());
        let line = asked.expect("a reply stands behind its command").line;
        assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
        assert!(faults[0].starts_with(&format!("page:{line}: ")), "{wrong}: {faults:?}");
    }
}
