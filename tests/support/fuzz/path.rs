//! A line that is a path, and a document below it: where it leads, and what a change there makes, by the engine and by
//! the naive model.

use folio_engine::Limits;
use folio_engine::doc::{Parsed, print};
use folio_engine::path::{Path, Step};
use folio_engine::schema::Definition;
use folio_engine::update::{Op, Scope, apply};

use crate::naive::model::is_same;
use crate::naive::{self, Change, Ground, Json, NaiveSchema};

/// Reads the path, writes it and reads it again; then follows it.
pub fn path(bytes: &[u8]) {
    let limits = Limits::default();
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, json) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Ok(line) = std::str::from_utf8(line) else { return };
    let Ok(path) = Path::parse(line, limits.path_steps_max) else { return };
    let written = path.to_string();
    assert_eq!(Path::parse(&written, limits.path_steps_max).as_ref(), Ok(&path), "{written}");
    let mut parsed = Parsed::default();
    if parsed.parse(json, &limits).is_ok() {
        follow(&path, &parsed);
    }
}

fn read(text: &[u8]) -> Json {
    let text = std::str::from_utf8(text).expect("the engine's text is UTF-8");
    Json::parse(text).unwrap_or_else(|at| panic!("no JSON at {at}: {text}"))
}

fn follow(path: &Path, parsed: &Parsed) {
    let (model, document) = (naive_path(path), read(parsed.text()));
    let found: Vec<Json> = path.values(parsed.view()).map(|value| read(value.bytes())).collect();
    let expected: Vec<Json> = model.values(&document).into_iter().cloned().collect();
    assert_eq!(found, expected, "{path} in {}", document.print());
    assert_eq!(path.first(parsed.view()).map(|value| read(value.bytes())), found.first().cloned());
    let mut printed = Vec::new();
    print::project(parsed.view(), &[path.clone(), path.each(), path.clone()], &mut printed);
    let Json::Object(members) = read(&printed) else { panic!("a projection is an object") };
    assert!(members.len() <= 2);
    if !path.is_multi() {
        assert_eq!(
            members.first().filter(|member| member.0 == path.to_string()).map(|m| &m.1),
            found.first()
        );
    }
    change(path, parsed, &document, &model);
}

/// SET, UNSET and INCR at the path: the same text, or both refuse.
fn change(path: &Path, parsed: &Parsed, document: &Json, model: &naive::Path) {
    let (value, by) = (r#"{"a":[1]}"#, "0.5");
    let changes = [
        (
            Op::Set(path.clone(), value.as_bytes().into()),
            Change::Set(model.clone(), read(value.as_bytes())),
        ),
        (Op::Unset(path.clone()), Change::Unset(model.clone())),
        (
            Op::Incr(path.clone(), by.as_bytes().into()),
            Change::Incr(model.clone(), read(by.as_bytes())),
        ),
    ];
    let (definition, limits) = (Definition::new("open"), Limits::default());
    let scope =
        Scope { definition: &definition, now_ms: 0, limits: &limits, functions: None, pace: None };
    let open = NaiveSchema::default();
    let ground = Ground { schema: &open, now_ms: 0 };
    for (op, change) in changes {
        let made = apply(parsed.view(), &[op], &scope);
        let mut expected = document.clone();
        let outcome = naive::update::apply(&mut expected, &change, ground).ok();
        match (made, outcome) {
            (Ok(edited), Some(())) => {
                let made = read(&edited.text);
                assert!(
                    is_same(&made, &expected),
                    "{change:?}: {} where the model has {}",
                    made.print(),
                    expected.print()
                );
            }
            (Err(_), None) => {}
            (Err(error), Some(())) => {
                assert_eq!(error.code, folio_engine::Code::TooBig, "{change:?}: {error}");
            }
            (Ok(made), None) => panic!("{change:?} made {}", made.text.escape_ascii()),
        }
    }
}

fn naive_path(path: &Path) -> naive::Path {
    let steps = path.steps().iter().map(|step| match step {
        Step::Name(name) => naive::Step::Name(name.to_string()),
        Step::Index(index) => naive::Step::Index(*index as usize),
        Step::Each => naive::Step::Every,
    });
    naive::Path(steps.collect())
}
