//! docs/commands.md, made from the table.

use std::fmt::Write as _;

use super::{Command, TABLE};

const HEAD: &str = "# Commands

Made from the command table of the module (`module/src/commands/table.rs`); do not edit.

A key or a collection comes first, options last, in any order and any case. Every `n` counts the items that
follow it. Unknown options, wrong counts and arguments left over are errors. An error reply begins with its
code, and means that nothing changed. Replies carry the same in RESP2, where a map is an array of names and
values in turn, and in RESP3.

Every command answers `ERR` when its arguments do not fit, and commands on keys answer `WRONGTYPE` when a key
holds a value of another type. A write to a key that names no collection answers `KEY`. A text beyond a limit of size or depth
answers `TOOBIG`, a parameter that is no JSON `JSON`. Writes can meet the server's own `OOM`, `READONLY`
and `NOPERM`.
";

/// The reference of all commands, as Markdown.
pub fn reference_markdown() -> String {
    let mut text = HEAD.to_owned();
    for command in TABLE {
        write_command(command, &mut text);
    }
    text
}

fn write_command(command: &Command, text: &mut String) {
    let (call, answer) = command.example;
    let _ = write!(
        text,
        "\n## {}\n\n    {}\n\n{}\n\n- **Complexity**: {}\n- **Reply**: {}\n",
        command.name,
        command.syntax(),
        command.summary,
        command.complexity,
        command.reply
    );
    if !command.errors.is_empty() {
        let _ = writeln!(text, "- **Errors**: {}", command.errors.join("; "));
    }
    let _ = writeln!(text, "- **Since**: {}\n\n```text", command.since);
    let _ = writeln!(text, "> {call}\n{answer}\n```");
}
