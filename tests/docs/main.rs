//! The examples of docs/*.md, run on a server: each reply has to be what the page prints.
//!
//! An example is a fenced block with the info string `folio`, written as a session of redis-cli:
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
//! All blocks of a page run in order, over RESP3, on one server that was empty when the page began; so a page sets up its data
//! once. A line that begins with `> ` is a command, its words quoted as in redis-cli: between single quotes only `\'` is an
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

#![forbid(unsafe_code)]

mod page;
mod render;

use std::fs;
use std::path::{Path, PathBuf};

use folio_tests::Server;

use page::{Example, examples};
use render::{is_expected, render};

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let entries = folder.read_dir().expect("docs is a folder").flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// Runs a page's examples on a server of its own, and lists the replies that are not as printed.
fn faults(name: &str, examples: &[Example]) -> Vec<String> {
    let server = Server::start();
    let mut client = server.resp3();
    let mut faults = Vec::new();
    for Example { line, command, words, expected } in examples {
        let reply = render(client.try_call(words));
        if !is_expected(&reply, expected) {
            let (expected, reply) = (expected.join("\n"), reply.join("\n"));
            faults.push(format!(
                "{name}:{line}: {command}\nis to give\n{expected}\nand gives\n{reply}\n"
            ));
        }
    }
    faults
}

#[test]
fn every_example_gives_what_its_page_prints() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in pages() {
        let name = format!("docs/{}", path.file_name().unwrap_or_default().display());
        let text = fs::read_to_string(&path).expect("a page is text");
        match examples(&text) {
            Ok(examples) if examples.is_empty() => {}
            Ok(examples) => {
                println!("{name}: {} commands", examples.len());
                count += examples.len();
                wrong.extend(faults(&name, &examples));
            }
            Err((line, fault)) => wrong.push(format!("{name}:{line}: {fault}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "no page has an example");
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
"#;

#[test]
fn a_right_page_passes_and_each_wrong_line_is_found() {
    let examples = examples(PAGE).expect("the page is in order");
    assert_eq!(faults("page", &examples), Vec::<String>::new());
    for (right, wrong) in [
        ("\n(nil)", "\n(nil).\n"),
        ("total: 1", "total: 2"),
        ("users:1 {", "users:1  {"),
        ("users:1 ..", "users:2 .."),
        ("(error) FILTER ..", "FILTER .."),
        ("results: (empty)", "results:"),
        ("OK\n\"\"\n", "OK\n(nil)\n"),
        ("hz: 10", "hz: 10\n..\nhz: 10"),
    ] {
        assert!(PAGE.contains(right), "{right}");
        let page = PAGE.replacen(right, wrong, 1);
        let at = PAGE.find(right).expect("it was found just now");
        let examples = page::examples(&page).expect("the page is in order");
        let faults = faults("page", &examples);
        let asked = examples.iter().rfind(|example| example.line <= PAGE[..=at].lines().count());
        let line = asked.expect("a reply stands behind its command").line;
        assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
        assert!(faults[0].starts_with(&format!("page:{line}: ")), "{wrong}: {faults:?}");
    }
}
