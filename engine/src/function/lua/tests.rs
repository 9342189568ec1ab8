//! The library's own tests, and that a state's past does not show.

use std::sync::Arc;

use super::*;
use crate::doc::testing::parsed;

const BOUNDS: Bounds = Bounds { steps: 100_000, bytes: 4 << 20 };
const DOC: &str =
    r#"{"a":1,"n":null,"big":9007199254740993,"list":[1,null,{"x":1.50},9007199254740993]}"#;

fn run(function: &dyn Function) -> Result<Outcome> {
    let doc = parsed(DOC);
    function.call(&Call { doc: doc.view(), args: &[], is_judging: true })
}

#[test]
fn the_library_does_what_it_says() {
    let runtime = LuaRuntime::new().unwrap();
    for (name, source) in [
        ("text", include_str!("../../../../lua/text_test.luau")),
        ("email", include_str!("../../../../lua/email_test.luau")),
        ("url", include_str!("../../../../lua/url_test.luau")),
        ("geo", include_str!("../../../../lua/geo_test.luau")),
        ("date", include_str!("../../../../lua/date_test.luau")),
        ("json", include_str!("../../../../lua/json_test.luau")),
    ] {
        let bounds = Bounds { steps: 10_000_000, bytes: 64 << 20 };
        let function = runtime.compile(name, source, bounds).unwrap();
        let outcome = run(&*function).unwrap();
        assert_eq!(outcome.value.as_deref(), Some(&b"true"[..]), "{name}");
    }
}

const SOURCES: [&str; 8] = [
    "return string.lower('ABC')",
    "local t = {} for i = 1, 100 do t[i] = { n = i, text = 'number ' .. i } end return t",
    "return text.tokens('a b c d e f g a b c')",
    "return string.gsub(string.rep('a b ', 100), '(%a) (%a)', '%2 %1')",
    "local t = {} for i = 1, 200 do t[i] = (i * 7919) % 1000 end table.sort(t) return t",
    "local function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end return f(15)",
    "while true do end",
    "return string.rep('x', 1e9)",
];

#[test]
fn a_call_takes_the_same_steps_whatever_came_before() {
    let fresh: Vec<_> = SOURCES
        .iter()
        .map(|source| {
            let runtime = LuaRuntime::new().unwrap();
            let function = runtime.compile("f", source, BOUNDS).unwrap();
            (run(&*function), runtime.state.session.meter.steps())
        })
        .collect();
    let runtime = LuaRuntime::new().unwrap();
    for number in 0..1_000 {
        let source = format!(
            "local t = {{}} for i = 1, 50 do t[i] = 'kept {number} ' .. i end return #t, text.slug('A B {number}')"
        );
        run(&*runtime.compile("other", &source, BOUNDS).unwrap()).unwrap();
    }
    for _ in 0..3 {
        for (source, expected) in SOURCES.iter().zip(&fresh) {
            let function = runtime.compile("f", source, BOUNDS).unwrap();
            let outcome = run(&*function);
            assert_eq!((outcome, runtime.state.session.meter.steps()), *expected, "{source}");
        }
    }
}

#[test]
fn garbage_is_collected() {
    let runtime = LuaRuntime::new().unwrap();
    let function: Arc<dyn Function> =
        runtime.compile("f", "return string.rep('x', 100000) .. doc.a", BOUNDS).unwrap();
    let before = runtime.state.sandbox.lua.used_memory();
    for _ in 0..200 {
        run(&*function).unwrap();
    }
    let grown = runtime.state.sandbox.lua.used_memory() - before;
    assert!(grown < 2 * GARBAGE_BYTES, "{grown}");
}
