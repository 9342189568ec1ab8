//! Functions of the server, and what each gives, written a second time in Rust.
//!
//! Numbers are read from their text, but for `mark`, because a function fails that reads an integer which no double holds.

use super::json::Json;

/// The greatest integer up to which every one is a double.
const INTEGER_MAX: i128 = 1 << 53;
/// Numbers are small below this.
const SMALL: f64 = 1000.0;

/// What a function gives: a value or nothing, or that it fails.
pub type Given = Result<Option<Json>, Failed>;

/// A function has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// A function that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaiveFunction {
    /// `s` in capitals. It fails of one string.
    Label,
    /// `n`, where it is a small integer.
    Rank,
    /// The same, and `mark` behind it.
    Marked,
    /// The strings among `s` and `when`.
    Words,
    /// Judges a value: one string is refused.
    Judge,
    /// To version 1: `mark` counts up.
    Up1,
    /// Back to version 0: `mark` counts down, if there is one.
    Down1,
    /// To version 2: `mark` is `moved`.
    Up2,
    /// Back to version 1.
    Down2,
}

impl NaiveFunction {
    /// Each of them.
    pub const ALL: [Self; 9] = [
        Self::Label,
        Self::Rank,
        Self::Marked,
        Self::Words,
        Self::Judge,
        Self::Up1,
        Self::Down1,
        Self::Up2,
        Self::Down2,
    ];

    /// Under which it is loaded.
    pub fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Rank => "rank",
            Self::Marked => "marked",
            Self::Words => "words",
            Self::Judge => "judge",
            Self::Up1 => "up_one",
            Self::Down1 => "down_one",
            Self::Up2 => "up_two",
            Self::Down2 => "down_two",
        }
    }

    /// Its source.
    pub fn source(self) -> &'static str {
        match self {
            Self::Label => {
                r#"if string.sub(json.text(doc, 's') or '', 1, 1) ~= '"' then return nil end
                if doc.s == 'Kg' then error('Kg has no label') end
                return string.upper(doc.s)"#
            }
            Self::Rank => {
                "local n = tonumber(json.text(doc, 'n') or '')
                if n and n % 1 == 0 and math.abs(n) < 1000 then return n end"
            }
            Self::Marked => {
                "local function small(name)
                    local n = tonumber(json.text(doc, name) or '')
                    if n and n % 1 == 0 and math.abs(n) < 1000 then return n end
                end
                local n, mark = small('n'), small('mark')
                if n and mark then return n * 1000 + mark end"
            }
            Self::Words => {
                r#"local words = {}
                for _, name in {'s', 'when'} do
                    if string.sub(json.text(doc, name) or '', 1, 1) == '"' then
                        table.insert(words, doc[name])
                    end
                end
                if #words > 0 then return words end"#
            }
            Self::Judge => "local value = ... return value ~= 'ab'",
            Self::Up1 => {
                "local mark = doc.mark
                if type(mark) ~= 'number' or mark % 1 ~= 0 or math.abs(mark) >= 1000 then mark = 0 end
                return {mark = mark + 1}"
            }
            Self::Down1 => {
                "local mark = doc.mark
                if mark == nil then return nil end
                if type(mark) ~= 'number' or mark % 1 ~= 0 or math.abs(mark) >= 1000 then mark = 0 end
                return {mark = mark - 1}"
            }
            Self::Up2 => "return {moved = doc.mark, mark = null}",
            Self::Down2 => "return {mark = doc.moved, moved = null}",
        }
    }

    /// What it gives of a document. [`NaiveFunction::Judge`] is asked of a value instead.
    pub fn of(self, document: &Json) -> Given {
        let is_kg = || document.member("s") == Some(&text("Kg"));
        match self {
            Self::Label if is_kg() => Err(Failed),
            Self::Label => Ok(match document.member("s") {
                Some(Json::String(label)) => Some(text(&label.to_ascii_uppercase())),
                _ => None,
            }),
            Self::Rank => Ok(small(document, "n").map(number)),
            Self::Marked => {
                let both = small(document, "n").zip(small(document, "mark"));
                Ok(both.map(|(n, mark)| number(n * 1000.0 + mark)))
            }
            Self::Words => {
                let all = ["s", "when"].into_iter().filter_map(|name| document.member(name));
                let words: Vec<Json> =
                    all.filter(|value| matches!(value, Json::String(_))).cloned().collect();
                Ok((!words.is_empty()).then_some(Json::Array(words)))
            }
            Self::Judge => Ok(Some(Json::Bool(*document != text("ab")))),
            Self::Up1 => Ok(Some(merge("mark", number(counted(document)? + 1.0)))),
            Self::Down1 => match document.member("mark") {
                None | Some(Json::Null) => Ok(None),
                Some(_) => Ok(Some(merge("mark", number(counted(document)? - 1.0)))),
            },
            Self::Up2 => moved(document, "mark", "moved"),
            Self::Down2 => moved(document, "moved", "mark"),
        }
    }
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// A small integer as a function gives it.
fn number(number: f64) -> Json {
    Json::Number((number as i64).to_string())
}

fn merge(name: &str, value: Json) -> Json {
    Json::Object(vec![(name.to_owned(), value)])
}

fn is_small(number: f64) -> bool {
    number % 1.0 == 0.0 && number.abs() < SMALL
}

/// A member that is a small integer.
fn small(document: &Json, name: &str) -> Option<f64> {
    match document.member(name)? {
        Json::Number(text) => text.parse().ok().filter(|number| is_small(*number)),
        _ => None,
    }
}

/// A number as a function reads it.
fn read(text: &str) -> Result<f64, Failed> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_double = |integer: i128| integer.abs() <= INTEGER_MAX;
    let is_held = !is_plain || text.parse().is_ok_and(is_double);
    if is_held { text.parse().map_err(|_| Failed) } else { Err(Failed) }
}

/// What `mark` stands at.
fn counted(document: &Json) -> Result<f64, Failed> {
    match document.member("mark") {
        Some(Json::Number(text)) => Ok(Some(read(text)?).filter(|it| is_small(*it)).unwrap_or(0.0)),
        _ => Ok(0.0),
    }
}

/// Takes a member to another name: a small integer in its shortest form, anything else as it is.
fn moved(document: &Json, from: &str, to: &str) -> Given {
    let mut members = vec![(from.to_owned(), Json::Null)];
    match document.member(from) {
        None | Some(Json::Null) => {}
        Some(Json::Number(text)) => members.push((to.to_owned(), number(read(text)?))),
        Some(value) => members.push((to.to_owned(), value.clone())),
    }
    // Members stand in the order of their names.
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(Some(Json::Object(members)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gives(function: NaiveFunction, document: &str) -> Option<String> {
        let given = function.of(&Json::parse(document).unwrap());
        given.map_or(Some("fails".to_owned()), |given| given.map(|value| value.print()))
    }

    #[test]
    fn functions_give_what_their_sources_say() {
        for (function, document, given) in [
            (NaiveFunction::Label, r#"{"s":"straße"}"#, Some(r#""STRAßE""#)),
            (NaiveFunction::Label, r#"{"s":["a"]}"#, None),
            (NaiveFunction::Label, r#"{"s":"Kg"}"#, Some("fails")),
            (NaiveFunction::Rank, r#"{"n":-0.0}"#, Some("0")),
            (NaiveFunction::Rank, r#"{"n":1e2}"#, Some("100")),
            (NaiveFunction::Rank, r#"{"n":18446744073709551615}"#, None),
            (NaiveFunction::Marked, r#"{"n":2,"mark":-1}"#, Some("1999")),
            (NaiveFunction::Words, r#"{"when":"x","s":"a"}"#, Some(r#"["a","x"]"#)),
            (NaiveFunction::Up1, "{}", Some(r#"{"mark":1}"#)),
            (NaiveFunction::Up1, r#"{"mark":9007199254740993}"#, Some("fails")),
            (NaiveFunction::Down1, r#"{"mark":null}"#, None),
            (NaiveFunction::Up2, r#"{"mark":2.0}"#, Some(r#"{"mark":null,"moved":2}"#)),
            (NaiveFunction::Down2, "{}", Some(r#"{"moved":null}"#)),
        ] {
            assert_eq!(gives(function, document).as_deref(), given, "{function:?} {document}");
        }
    }
}
