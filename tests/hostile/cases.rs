//! The cases of tests/data/hostile.jsonl.
//!
//! | member | is |
//! |---|---|
//! | `setup` | commands that run before the first case of all |
//! | `args` | the command |
//! | `repeat` | of the argument `arg`: `text` so many `times`, then `suffix`, put behind it |
//! | `hex` | which arguments are given in hexadecimal |
//! | `user` | `stranger`: a user who is no administrator |
//! | `error` | the first word of the error, or several with `\|` between; `*` for any |
//! | `contains` | what the message says, in any case; of several, one |
//! | `position` | a number that the message names: the offset of the fault in bytes, from 0 |

use folio_tests::naive::Json;

use crate::wire::Command;

/// One hostile command.
pub struct Case {
    /// What is wrong about it.
    pub name: String,
    /// The command.
    pub command: Command,
    /// Whether a stranger says it.
    pub is_stranger: bool,
    errors: Vec<String>,
    fragments: Vec<String>,
    position: Option<u64>,
}

impl Case {
    /// What is wrong with an error's line, if anything.
    pub fn fault_of(&self, line: &str) -> Option<String> {
        if let Some(fault) = self.fault_of_code(line) {
            return Some(fault);
        }
        let lower = line.to_lowercase();
        let is_said = |fragment: &String| lower.contains(&fragment.to_lowercase());
        if !self.fragments.is_empty() && !self.fragments.iter().any(is_said) {
            return Some(format!("{:?} is not said in: {line}", self.fragments));
        }
        let position = self.position?;
        let mut numbers = line.split(|letter: char| !letter.is_ascii_digit());
        let is_named = numbers.any(|number| number.parse() == Ok(position));
        (!is_named).then(|| format!("position {position} is not named in: {line}"))
    }

    /// The same, of the first word alone.
    pub fn fault_of_code(&self, line: &str) -> Option<String> {
        let code = line.split(' ').next().unwrap_or_default();
        let is_right = self.errors.iter().any(|error| error == code || error == "*");
        (!is_right).then(|| format!("{} was to come, not: {line}", self.errors.join(" or ")))
    }
}

/// All set-up commands in order, and all cases.
pub fn read() -> (Vec<Command>, Vec<Case>) {
    let mut setup = Vec::new();
    let mut cases = Vec::new();
    for line in include_str!("../data/hostile.jsonl").lines() {
        let line = Json::parse(line).unwrap_or_else(|at| panic!("byte {at} of: {line}"));
        for command in elements(line.member("setup")) {
            setup.push(texts(Some(command)).into_iter().map(String::into_bytes).collect());
        }
        if line.member("args").is_some() {
            cases.push(case(&line));
        }
    }
    (setup, cases)
}

fn case(line: &Json) -> Case {
    let mut command: Command =
        texts(line.member("args")).into_iter().map(String::into_bytes).collect();
    for argument in elements(line.member("hex")) {
        let argument = &mut command[number(argument) as usize];
        *argument = unhex(argument);
    }
    if let Some(repeat) = line.member("repeat") {
        let member = |name| repeat.member(name).expect("a repeat has all its members");
        let argument = &mut command[number(member("arg")) as usize];
        argument.extend(text(member("text")).repeat(number(member("times")) as usize).bytes());
        argument.extend(text(member("suffix")).bytes());
    }
    let fragments = match line.member("contains") {
        Some(Json::String(fragment)) => vec![fragment.clone()],
        several => texts(several),
    };
    Case {
        name: text(line.member("name").expect("a case has a name")).to_owned(),
        command,
        is_stranger: line.member("user").is_some(),
        errors: text(line.member("error").expect("a case has an error"))
            .split('|')
            .map(str::to_owned)
            .collect(),
        fragments,
        position: line.member("position").map(number),
    }
}

fn elements(json: Option<&Json>) -> &[Json] {
    match json {
        Some(Json::Array(elements)) => elements,
        _ => &[],
    }
}

fn texts(json: Option<&Json>) -> Vec<String> {
    elements(json).iter().map(|element| text(element).to_owned()).collect()
}

fn text(json: &Json) -> &str {
    match json {
        Json::String(text) => text,
        _ => panic!("{json:?} is no text"),
    }
}

fn number(json: &Json) -> u64 {
    match json {
        Json::Number(text) => text.parse().expect("a small number"),
        _ => panic!("{json:?} is no number"),
    }
}

fn unhex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).expect("a hexadecimal digit") as u8;
    text.chunks(2).map(|pair| digit(&pair[0]) * 16 + digit(&pair[1])).collect()
}
