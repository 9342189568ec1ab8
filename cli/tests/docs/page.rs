//! A page as examples: its blocks, their commands, the words of a command.

/// A command, and the lines that the page prints after it.
#[derive(Debug, PartialEq)]
pub struct Example {
    /// Where the command stands in the page, counted from 1.
    pub line: usize,
    /// As the page prints it; of a console's without the marks of its lines.
    pub command: String,
    pub runs: Runs,
    pub expected: Vec<String>,
}

/// What carries a command out.
#[derive(Debug, PartialEq)]
pub enum Runs {
    /// The server, given these words.
    Server(Vec<Vec<u8>>),
    /// A shell.
    Shell,
}

/// A block that is not run.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub line: usize,
    pub info: String,
    pub text: Vec<String>,
}

/// What a page holds.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    pub examples: Vec<Example>,
    pub shown: Vec<Shown>,
}

/// What is wrong with a page, and in which line.
pub type Fault = (usize, String);

/// The page's blocks, in order.
pub fn read(text: &str) -> Result<Page, Fault> {
    let mut page = Page::default();
    let mut block: Option<Block> = None;
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        match &mut block {
            None => {
                let begun = text.trim_start();
                if (begun.starts_with("```") && begun != text) || begun.starts_with("~~~") {
                    return Err((line, "a block begins at the line's beginning, ```".to_owned()));
                }
                block = Block::opened(line, text);
            }
            Some(open) if open.is_closed_by(text) => {
                if let Some(open) = block.take() {
                    open.close(&mut page)?;
                }
            }
            Some(open) => open.take(&mut page, line, text)?,
        }
    }
    match block {
        Some(open) => Err((open.line, "the block has no end".to_owned())),
        None => Ok(page),
    }
}

/// How the lines of a block are read.
enum Kind {
    /// `folio`: a session of redis-cli, compared reply by reply.
    Session,
    /// `console`: a session of a shell.
    Console,
    /// Any other: it is not run.
    Shown(Vec<String>),
}

/// A fenced block whose end is still to come.
struct Block {
    line: usize,
    fence: String,
    info: String,
    kind: Kind,
    /// No command has come yet.
    is_empty: bool,
    /// Nothing but a command's lines has come since it began.
    in_command: bool,
}

impl Block {
    fn opened(line: usize, text: &str) -> Option<Self> {
        let info = text.trim_start_matches('`');
        let ticks = text.len() - info.len();
        let (fence, info) = ("`".repeat(ticks), info.trim().to_owned());
        let kind = match info.as_str() {
            "folio" => Kind::Session,
            "console" => Kind::Console,
            _ => Kind::Shown(Vec::new()),
        };
        (ticks >= 3).then_some(Self { line, fence, info, kind, is_empty: true, in_command: false })
    }

    fn is_closed_by(&self, text: &str) -> bool {
        text.strip_prefix(&self.fence).is_some_and(|rest| rest.trim_matches('`').trim().is_empty())
    }

    /// A line within the block.
    fn take(&mut self, page: &mut Page, line: usize, text: &str) -> Result<(), Fault> {
        let prompt = match &mut self.kind {
            Kind::Shown(lines) => {
                lines.push(text.to_owned());
                return Ok(());
            }
            Kind::Session => "> ",
            Kind::Console => "$ ",
        };
        if let Some(command) = text.strip_prefix(prompt) {
            if !std::mem::take(&mut self.is_empty) {
                finish(page)?;
            }
            self.in_command = true;
            let runs = match self.kind {
                Kind::Session => Runs::Server(words(command).map_err(|fault| (line, fault))?),
                _ => Runs::Shell,
            };
            let (command, expected) = (command.to_owned(), Vec::new());
            page.examples.push(Example { line, command, runs, expected });
            return Ok(());
        }
        if self.is_empty {
            return Err((line, format!("a block begins with a command, `{prompt}..`")));
        }
        let Some(example) = page.examples.last_mut() else { return Ok(()) };
        if let (Kind::Console, true, Some(more)) =
            (&self.kind, self.in_command, text.strip_prefix('>'))
        {
            example.command.push('\n');
            example.command.push_str(more.strip_prefix(' ').unwrap_or(more));
            return Ok(());
        }
        self.in_command = false;
        example.expected.push(text.to_owned());
        Ok(())
    }

    fn close(self, page: &mut Page) -> Result<(), Fault> {
        match self.kind {
            Kind::Shown(text) => {
                page.shown.push(Shown { line: self.line, info: self.info, text });
                Ok(())
            }
            _ if self.is_empty => Err((self.line, "the block has no command".to_owned())),
            _ => finish(page),
        }
    }
}

/// Ends the last example. A reply of which nothing is said cannot be wrong; a shell's command may say nothing.
fn finish(page: &mut Page) -> Result<(), Fault> {
    let Some(Example { line, runs, expected, .. }) = page.examples.last_mut() else {
        return Ok(());
    };
    while expected.last().is_some_and(|last| last.trim().is_empty()) {
        expected.pop();
    }
    if expected.is_empty() && *runs != Runs::Shell {
        return Err((*line, "no reply is printed; `..` stands for any".to_owned()));
    }
    Ok(())
}
/// The words of a command, as redis-cli splits them.
fn words(command: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '\'' | '"' => quoted(rest, first)?,
            _ => {
                let end = rest.find(' ').unwrap_or(rest.len());
                if rest[..end].contains(['\'', '"']) {
                    return Err(format!("a quote within a word: {rest}"));
                }
                (rest.as_bytes()[..end].to_vec(), &rest[end..])
            }
        };
        if !after.is_empty() && !after.starts_with(' ') {
            return Err(format!("no space follows a quote: {after}"));
        }
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// A quoted word and what follows it.
fn quoted(text: &str, quote: char) -> Result<(Vec<u8>, &str), String> {
    let mut word = Vec::new();
    let mut letters = text[1..].chars();
    while let Some(letter) = letters.next() {
        let rest = letters.as_str();
        let next = rest.chars().next();
        match (letter, next) {
            (end, _) if end == quote => return Ok((word, rest)),
            ('\\', Some('x')) if quote == '"' => {
                let digits = rest.get(1..3).unwrap_or_default();
                let byte = u8::from_str_radix(digits, 16);
                word.push(byte.map_err(|_| format!("\\x{digits} is no byte"))?);
                letters = rest[3..].chars();
            }
            ('\\', Some(next)) if quote == '"' || next == '\'' => {
                let meant = match next {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                };
                word.extend(meant.to_string().bytes());
                letters.next();
            }
            _ => word.extend(letter.to_string().bytes()),
        }
    }
    Err(format!("a quote has no end: {text}"))
}

#[test]
fn words_are_those_of_redis_cli() {
    let split = |command| {
        let words = words(command)?;
        Ok(words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    };
    let is = |command, expected: &[&str]| {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(split(command), Ok::<_, String>(expected), "{command}");
    };
    is("GET  a ", &["GET", "a"]);
    is(r"x '' 'it\'s \n \\ é'", &["x", "", r"it's \n \\ é"]);
    is(r#"x "\"a\" \\ \t'é\x41\x0a""#, &["x", "\"a\" \\ \t'éA\n"]);
    for wrong in ["x 'a", "x \"a", "x 'a'b", "x a'b'", r#"x "\xg0""#] {
        assert!(words(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_page_out_of_order_is_refused() {
    let fault = |page| read(page).map(|page| page.examples.len()).map_err(|(line, _)| line);
    assert_eq!(fault("\n```folio\n> PING\nPONG\n```\n"), Ok(1));
    assert_eq!(fault("\n```folio\n> PING\nPONG\n"), Err(2));
    assert_eq!(fault("\n```folio\n> PING\n\n```\n"), Err(3));
    assert_eq!(fault("\n```folio\n> PING\n> PING\nPONG\n```\n"), Err(3));
    assert_eq!(fault("\n```folio\nPONG\n> PING\nPONG\n```\n"), Err(3));
    assert_eq!(fault("````\n```folio\nPONG\n```\n````\n```folio\n> GET 'a\n```\n"), Err(7));
    assert_eq!(fault("\n```console\n$ true\n```\n"), Ok(1));
    assert_eq!(fault("\n```console\n> more\n```\n"), Err(3));
    assert_eq!(fault("\n```console\n```\n"), Err(2));
    assert_eq!(fault("- a\n  ```folio\n  > PING\n  PONG\n  ```\n"), Err(2));
    assert_eq!(fault("~~~console\n$ true\n~~~\n"), Err(1));
}

#[test]
fn a_command_of_a_shell_has_several_lines_and_what_follows_is_its_output() {
    let page = read("```console\n$ cat <<E\n> a\n>\n>  b\n> E\na\n\n b\n> c\n$ true\n\n```\n");
    let page = page.expect("the page is in order");
    let [cat, nothing] = &page.examples[..] else { panic!("{page:?}") };
    assert_eq!(cat.command, "cat <<E\na\n\n b\nE");
    assert_eq!(cat.expected, ["a", "", " b", "> c"]);
    assert_eq!((nothing.line, nothing.expected.len()), (11, 0));
}
