//! The examples of a page: its blocks, their commands, the words of a command.

/// A command, and the reply that the page prints.
#[derive(Debug, PartialEq)]
pub struct Example {
    /// Where the command stands in the page, counted from 1.
    pub line: usize,
    /// As the page prints it.
    pub command: String,
    pub words: Vec<Vec<u8>>,
    pub expected: Vec<String>,
}

/// What is wrong with a page, and in which line.
pub type Fault = (usize, String);

/// The info string of a block that is run.
const INFO: &str = "folio";

/// The page's examples, in order.
pub fn examples(page: &str) -> Result<Vec<Example>, Fault> {
    let mut examples: Vec<Example> = Vec::new();
    let mut block: Option<Block> = None;
    for (at, text) in page.lines().enumerate() {
        let line = at + 1;
        match &mut block {
            None => block = Block::opened(line, text),
            Some(open) if open.is_closed_by(text) => {
                if open.is_run {
                    finish(&mut examples)?;
                }
                block = None;
            }
            Some(open) if open.is_run => {
                if let Some(command) = text.strip_prefix("> ") {
                    if !std::mem::take(&mut open.is_empty) {
                        finish(&mut examples)?;
                    }
                    let words = words(command).map_err(|fault| (line, fault))?;
                    let (command, expected) = (command.to_owned(), Vec::new());
                    examples.push(Example { line, command, words, expected });
                } else if open.is_empty {
                    return Err((line, "a block begins with a command, `> ..`".to_owned()));
                } else if let Some(example) = examples.last_mut() {
                    example.expected.push(text.to_owned());
                }
            }
            Some(_) => {}
        }
    }
    match block {
        Some(open) => Err((open.line, "the block has no end".to_owned())),
        None => Ok(examples),
    }
}

/// A fenced block whose end is still to come.
struct Block {
    line: usize,
    fence: String,
    is_run: bool,
    /// No command has come yet.
    is_empty: bool,
}

impl Block {
    fn opened(line: usize, text: &str) -> Option<Self> {
        let info = text.trim_start_matches('`');
        let ticks = text.len() - info.len();
        let fence = "`".repeat(ticks);
        (ticks >= 3).then(|| Self { line, fence, is_run: info.trim() == INFO, is_empty: true })
    }

    fn is_closed_by(&self, text: &str) -> bool {
        text.strip_prefix(&self.fence).is_some_and(|rest| rest.trim_matches('`').trim().is_empty())
    }
}

/// Ends the last example; a reply of which nothing is said cannot be wrong.
fn finish(examples: &mut [Example]) -> Result<(), Fault> {
    let Some(Example { line, expected, .. }) = examples.last_mut() else { return Ok(()) };
    while expected.last().is_some_and(|last| last.trim().is_empty()) {
        expected.pop();
    }
    if expected.is_empty() {
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
    let fault = |page| examples(page).map(|examples| examples.len()).map_err(|(line, _)| line);
    assert_eq!(fault("\n```folio\n> PING\nPONG\n```\n"), Ok(1));
    assert_eq!(fault("\n```folio\n> PING\nPONG\n"), Err(2));
    assert_eq!(fault("\n```folio\n> PING\n\n```\n"), Err(3));
    assert_eq!(fault("\n```folio\n> PING\n> PING\nPONG\n```\n"), Err(3));
    assert_eq!(fault("\n```folio\nPONG\n> PING\nPONG\n```\n"), Err(3));
    assert_eq!(fault("````\n```folio\nPONG\n```\n````\n```folio\n> GET 'a\n```\n"), Err(7));
}
