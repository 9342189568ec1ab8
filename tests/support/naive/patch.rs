//! JSON Patch (RFC 6902), with the JSON Pointers (RFC 6901) that it takes.

use super::json::Json;
use super::model::{Refusal, is_same};

/// Carries all changes of a patch out, in order.
pub fn apply(json: &mut Json, changes: &Json) -> Result<(), Refusal> {
    let Json::Array(changes) = changes else { unreachable!("a drawn patch is an array") };
    for change in changes {
        let text = |name: &str| match change.member(name) {
            Some(Json::String(text)) => text.as_str(),
            _ => unreachable!("a drawn change has its members"),
        };
        let value = || change.member("value").expect("a drawn change has its members");
        let at = Pointer::read(text("path"));
        match text("op") {
            "add" => at.add(json, value().clone())?,
            "remove" => {
                at.remove(json)?;
            }
            "replace" => {
                if at.0.is_empty() {
                    at.add(json, value().clone())?;
                } else {
                    *at.get_mut(json)? = value().clone();
                }
            }
            "move" => {
                let from = Pointer::read(text("from"));
                if at.0.len() > from.0.len() && at.0.starts_with(&from.0) {
                    return Err(from.refusal());
                }
                let held = from.get_mut(json)?.clone();
                if from.0 != at.0 {
                    from.remove(json)?;
                    at.add(json, held)?;
                }
            }
            "copy" => {
                let held = Pointer::read(text("from")).get_mut(json)?.clone();
                at.add(json, held)?;
            }
            "test" => {
                if !is_same(at.get_mut(json)?, value()) {
                    return Err(Refusal::Test(text("path").to_owned()));
                }
            }
            other => unreachable!("no change is called {other}"),
        }
    }
    Ok(())
}

/// The tokens of a pointer.
struct Pointer(Vec<String>);

/// The index that a token is.
fn index(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with('0');
    let is_number = token.bytes().all(|byte| byte.is_ascii_digit());
    token.parse().ok().filter(|_| is_plain && is_number)
}

impl Pointer {
    fn read(text: &str) -> Self {
        let tokens = text.split('/').skip(1);
        Self(tokens.map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
    }

    fn refusal(&self) -> Refusal {
        Refusal::Path(self.0.iter().fold(String::new(), |path, token| path + "/" + token))
    }

    fn get_mut<'a>(&self, json: &'a mut Json) -> Result<&'a mut Json, Refusal> {
        let mut value = json;
        for token in &self.0 {
            let next = match value {
                Json::Object(members) => {
                    members.iter_mut().find(|(name, _)| name == token).map(|(_, value)| value)
                }
                Json::Array(elements) => index(token).and_then(|at| elements.get_mut(at)),
                _ => None,
            };
            value = next.ok_or_else(|| self.refusal())?;
        }
        Ok(value)
    }

    /// What holds the value that this points to, and its token there.
    fn parent<'a>(&self, json: &'a mut Json) -> Result<(&'a mut Json, &str), Refusal> {
        let (last, before) = self.0.split_last().ok_or_else(|| self.refusal())?;
        Ok((Self(before.to_vec()).get_mut(json)?, last))
    }

    fn add(&self, json: &mut Json, value: Json) -> Result<(), Refusal> {
        if self.0.is_empty() {
            if !matches!(value, Json::Object(_)) {
                return Err(self.refusal());
            }
            *json = value;
            return Ok(());
        }
        match self.parent(json)? {
            (Json::Object(members), name) => {
                match members.iter_mut().find(|(member, _)| member == name) {
                    Some(member) => member.1 = value,
                    None => members.push((name.to_owned(), value)),
                }
            }
            (Json::Array(elements), "-") => elements.push(value),
            (Json::Array(elements), token) => {
                let at = index(token).filter(|at| *at <= elements.len());
                elements.insert(at.ok_or_else(|| self.refusal())?, value);
            }
            _ => return Err(self.refusal()),
        }
        Ok(())
    }

    fn remove(&self, json: &mut Json) -> Result<Json, Refusal> {
        match self.parent(json)? {
            (Json::Object(members), name) => {
                let at = members.iter().position(|(member, _)| member == name);
                Ok(members.remove(at.ok_or_else(|| self.refusal())?).1)
            }
            (Json::Array(elements), token) => {
                let at = index(token).filter(|at| *at < elements.len());
                Ok(elements.remove(at.ok_or_else(|| self.refusal())?))
            }
            _ => Err(self.refusal()),
        }
    }
}
