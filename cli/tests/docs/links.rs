//! Links between pages: each leads to a file that is there, and to a heading in it; and the pages are in one order.

use std::fs;
use std::path::Path;

use crate::console::root;

/// The links of this page, a text of the project's file of that name, that lead nowhere.
pub fn faults(page: &str, text: &str) -> Vec<String> {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    for (at, line) in prose(text) {
        for link in links(line).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                Ok(text.to_owned())
            } else {
                let path = root().join(folder).join(file);
                if path.is_dir() { Ok(String::new()) } else { read(&path) }
            };
            let is_right = target.is_ok_and(|target| heading.is_empty() || has(&target, heading));
            if !is_right {
                faults.push(format!("{page}:{at}: {link} leads nowhere"));
            }
        }
    }
    faults
}

/// Pages of docs/ that the contents do not list, and those that do not end with a link to the page that follows there.
/// What is generated has no such link.
pub fn out_of_order(contents: &str, pages: &[(String, String)]) -> Vec<String> {
    let listed: Vec<&str> = prose(contents).flat_map(|(_, line)| links(line)).collect();
    let mut faults = Vec::new();
    for (name, text) in pages {
        let Some(name) = name.strip_prefix("docs/").filter(|name| *name != "README.md") else {
            continue;
        };
        let Some(at) = listed.iter().position(|listed| *listed == name) else {
            faults.push(format!("docs/{name} is not in docs/README.md"));
            continue;
        };
        let next = listed.get(at + 1).copied().unwrap_or("README.md");
        let last = text.trim_end().lines().last().unwrap_or_default();
        if !last.contains(&format!("]({next})")) && name != "commands.md" {
            faults.push(format!("docs/{name} does not end with a link to {next}"));
        }
    }
    faults
}

/// A page, or what else is there.
fn read(path: &Path) -> std::io::Result<String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines outside fenced blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        is_code ^= line.starts_with("```");
        (!is_code).then_some((at + 1, line))
    })
}

/// What stands between `](` and `)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Whether a page has a heading that is linked by this name, as GitHub makes it.
fn has(text: &str, name: &str) -> bool {
    prose(text).any(|(_, line)| {
        let title = line.trim_start_matches('#');
        title.len() < line.len() && slug(title.trim()) == name
    })
}

fn slug(title: &str) -> String {
    let letters = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    letters.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn a_link_to_nothing_is_found() {
    let text = "# A page\n\n## It's `x`, or y\n\n[a](#its-x-or-y) [b](schema.md) [c](https://example.org)\n\n\
                ```text\n[d](nothing.md)\n```\n";
    assert_eq!(faults("docs/page.md", text), Vec::<String>::new());
    for (right, wrong) in [("#its-x-or-y", "#its-x"), ("schema.md", "schema.txt")] {
        let text = text.replacen(right, wrong, 1);
        assert_eq!(faults("docs/page.md", &text).len(), 1, "{wrong}");
    }
}

#[test]
fn a_page_out_of_order_is_found() {
    let contents = "1. [A](a.md)\n2. [B](b.md)\n";
    let page = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let right = [
        page("README.md", ""),
        page("docs/a.md", "# A\n\nNext: [b](b.md).\n"),
        page("docs/b.md", "[x](README.md)"),
    ];
    assert_eq!(out_of_order(contents, &right), Vec::<String>::new());
    for wrong in [page("docs/c.md", "[b](b.md)"), page("docs/a.md", "[b](b.md)\n\nmore")] {
        assert_eq!(out_of_order(contents, &[wrong]).len(), 1);
    }
}
