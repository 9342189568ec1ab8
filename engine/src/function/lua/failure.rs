//! Errors of Lua as Folio's: one line, with the function's name and the line in its source.

use mlua::Error as LuaError;

use super::sandbox::{FUNCTION_CHUNK, LIBRARY_CHUNK};
use crate::error::{Code, Error};

/// Letters of a message that are shown.
const MESSAGE_LETTERS_MAX: usize = 512;

/// What went wrong, and the text in which the line is to be found.
struct Failure {
    message: String,
    trace: String,
    is_memory: bool,
}

/// The error of a call or a compilation. `over` is the text for a call that was stopped for its steps, `large` for its bytes.
pub(super) fn failure(name: &str, error: &LuaError, over: Option<String>, large: &str) -> Error {
    let failure = Failure::of(error);
    let line = line_of(&failure.trace).map(|line| format!(", line {line}")).unwrap_or_default();
    let message = match over {
        Some(over) => over,
        None if failure.is_memory => {
            return Error::new(Code::Function, format!("function '{name}': {large}"));
        }
        None => tidy(&failure.message),
    };
    Error::new(Code::Function, format!("function '{name}'{line}: {message}"))
}

impl Failure {
    fn of(error: &LuaError) -> Failure {
        match error {
            LuaError::CallbackError { traceback, cause } => {
                let inner = Failure::of(cause);
                let trace = if inner.trace.is_empty() { traceback.clone() } else { inner.trace };
                Failure { trace, ..inner }
            }
            LuaError::RuntimeError(text) => {
                let (message, trace) = match text.rfind("\nstack traceback:") {
                    Some(at) => text.split_at(at),
                    None => (text.as_str(), ""),
                };
                let is_memory = message == "not enough memory";
                Failure { message: message.to_owned(), trace: trace.to_owned(), is_memory }
            }
            LuaError::MemoryError(_) => {
                Failure { message: String::new(), trace: String::new(), is_memory: true }
            }
            LuaError::SyntaxError { message, .. } => {
                // The compiler knows no chunk's name: "3: what is wrong".
                let named = format!("{FUNCTION_CHUNK}:{message}");
                Failure { message: named.clone(), trace: named, is_memory: false }
            }
            LuaError::BadArgument { pos, cause, .. } => {
                let inner = Failure::of(cause);
                Failure { message: format!("argument {pos}: {}", inner.message), ..inner }
            }
            LuaError::FromLuaConversionError { from, to, .. } => {
                let message = format!(
                    "a {} was expected, not a {from}",
                    to.to_lowercase().replace("luastring", "string")
                );
                Failure { message, trace: String::new(), is_memory: false }
            }
            other => Failure { message: other.to_string(), trace: String::new(), is_memory: false },
        }
    }
}

/// The first line of the function itself that stands in `trace`.
fn line_of(trace: &str) -> Option<u32> {
    let mark = format!("{FUNCTION_CHUNK}:");
    trace.match_indices(&mark).find_map(|(at, _)| {
        let digits = trace[at + mark.len()..].split(|byte: char| !byte.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

/// The message without the place that Lua puts before it, on one line.
fn tidy(message: &str) -> String {
    let mut message = message;
    for chunk in [FUNCTION_CHUNK, LIBRARY_CHUNK] {
        let after = message.strip_prefix(chunk).and_then(|rest| rest.strip_prefix(':'));
        if let Some((line, rest)) = after.and_then(|rest| rest.split_once(": "))
            && line.bytes().all(|byte| byte.is_ascii_digit())
        {
            message = rest;
            break;
        }
    }
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    message.chars().take(MESSAGE_LETTERS_MAX).map(plain).collect()
}
