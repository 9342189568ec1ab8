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
answers `TOOBIG`, a parameter that is no JSON `JSON`. Writes can meet the server's own `OOM` and `READONLY`.

## Permissions

A user needs the command, and permission for the keys that stand beside **Permission** below: of the commands on
keys that is the server's own rule. A command that names a collection touches all of its keys, so one key pattern of
the user has to cover the collection's prefix: to fit every key that begins with it. `~users:*`, `~u*`, `~user?:*` and
`~[a-z]sers:*` cover the prefix `users:`; `~users:1*` does not, and its user still reads and writes the single keys that it
fits. `%R~` gives permission to read, `%W~` to write; where both are needed, one pattern has to give both. A user with
selectors needs command and pattern in the same one.

- Whoever may not is answered `NOPERM`, whether the collection is there or not. ACL LOG shows the prefix.
- Patterns are judged one by one: `~users:[0-9]*` and `~users:[^0-9]*` together do not cover `users:`. A pattern that has `?`
  or a class after its last `*` covers nothing, nor does one of more than 1,000 `*`.
- A change of rules is seen by the next command. MULTI, EVAL and FCALL change nothing: what they run, their user runs.
- What replicas and the append-only file bring is refused to nobody; nor is what other modules run in no user's name. A user whom
  another module has made, and ACL LIST does not show, is refused collections.
- That a unique value is held somewhere, and the version of a document, which counts all changes of its collection, are told to
  whoever may write or read one key.
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
    if let Some(permission) = command.permission() {
        let _ = writeln!(text, "- **Permission**: {permission}");
    }
    if !command.errors.is_empty() {
        let _ = writeln!(text, "- **Errors**: {}", command.errors.join("; "));
    }
    let _ = writeln!(text, "- **Since**: {}\n\n```text", command.since);
    let _ = writeln!(text, "> {call}\n{answer}\n```");
}
