//! Functions in Luau: values both ways, and what a function cannot do.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use folio_engine::Limits;
use folio_engine::doc::Parsed;
use folio_engine::function::lua::LuaRuntime;
use folio_engine::function::{Bounds, Call, Function, Outcome, Runtime};
use folio_engine::value::Raw;

const BOUNDS: Bounds = Bounds { steps: 100_000, bytes: 4 << 20 };
const DOC: &str = r#"{"title":"Hello","n":9007199254740993,"price":1.50,"none":null,"tags":["x","y",null,{"deep":[1]}],"on":true,"text":"a\n\"\u00e9","empty":[],"object":{}}"#;

/// A runtime and what is asked of it.
struct Lab {
    runtime: LuaRuntime,
}

impl Lab {
    fn new() -> Lab {
        Lab { runtime: LuaRuntime::new().unwrap() }
    }

    fn compile(&self, source: &str) -> Result<Arc<dyn Function>, String> {
        self.runtime.compile("f", source, BOUNDS).map_err(|error| error.to_string())
    }

    fn run(&self, source: &str, args: &[&str]) -> Result<Outcome, String> {
        call(&*self.compile(source)?, DOC, args)
    }

    /// The value, or the error.
    fn value(&self, source: &str) -> String {
        self.value_with(source, &[])
    }

    fn value_with(&self, source: &str, args: &[&str]) -> String {
        match self.run(source, args) {
            Ok(outcome) => outcome.value.map_or("nothing".to_owned(), text),
            Err(error) => error,
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn call(function: &dyn Function, doc: &str, args: &[&str]) -> Result<Outcome, String> {
    let mut parsed = Parsed::default();
    parsed.parse(doc.as_bytes(), &Limits::default()).unwrap();
    let args: Vec<_> = args.iter().map(|arg| Raw::new(arg.as_bytes())).collect();
    let call = Call { doc: parsed.view(), args: &args, is_judging: true };
    function.call(&call).map_err(|error| error.to_string())
}

#[test]
fn values_of_the_document() {
    let lab = Lab::new();
    for (source, value) in [
        ("return doc", DOC),
        ("return doc.title", "\"Hello\""),
        ("return string.lower(doc.title)", "\"hello\""),
        ("return doc.price", "1.5"),
        ("return doc.price * 2", "3"),
        ("return doc.on", "true"),
        ("return doc.none", "nothing"),
        ("return doc.missing", "nothing"),
        ("return doc.text", "\"a\\n\\\"é\""),
        ("return #doc.text", "5"),
        ("return #doc.tags", "4"),
        ("return #doc.empty", "0"),
        ("return #doc", "9"),
        ("return doc.tags[1] .. doc.tags[2]", "\"xy\""),
        ("return doc.tags[3]", "nothing"),
        ("return doc.tags[0]", "nothing"),
        ("return doc.tags[1.5]", "nothing"),
        ("return doc.tags[4].deep[1]", "1"),
        ("return doc.tags[4]", "{\"deep\":[1]}"),
        ("return { doc.tags[4], doc.empty, doc.object }", "[{\"deep\":[1]},[],{}]"),
        ("return doc.tags == doc.tags", "true"),
        ("return doc.tags == doc.empty", "false"),
        (
            "return { has = json.has(doc, 'none'), null = json.is_null(doc, 'none') }",
            "{\"has\":true,\"null\":true}",
        ),
        ("return json.text(doc, 'n')", "\"9007199254740993\""),
        (
            "local t = {} for name in doc.tags[4] do table.insert(t, name) end return t",
            "[\"deep\"]",
        ),
        ("local n = 0 for i, tag in doc.tags do n += i end return n", "10"),
        ("for _ in doc.empty do return 1 end for _ in doc.object do return 2 end", "nothing"),
        ("return typeof(doc), type(doc)", "\"document\""),
        ("return tostring(doc)", "\"document\""),
    ] {
        assert_eq!(lab.value(source), value, "{source}");
    }
    let beyond = "FUNCTION function 'f', line 2: n is 9007199254740993, beyond what Lua's numbers hold: json.text gives its text";
    assert_eq!(lab.value("\nreturn doc.n"), beyond);
}

#[test]
fn values_of_lua() {
    let lab = Lab::new();
    for (source, value) in [
        ("", "nothing"),
        ("return nil", "nothing"),
        ("return null", "null"),
        ("return {}", "{}"),
        ("return json.array({})", "[]"),
        ("return { 1, 2, 3 }", "[1,2,3]"),
        (
            "return { b = 1, a = { c = null }, ['\\n'] = 2 }",
            "{\"\\n\":2,\"a\":{\"c\":null},\"b\":1}",
        ),
        ("return 2^53", "9007199254740992"),
        ("return -0", "0"),
        ("return -(2^53)", "-9007199254740992"),
        ("return 0.1 + 0.2", "0.30000000000000004"),
        ("return 1e300", "1e300"),
        ("return '\\0\\1\"\\\\é'", "\"\\u0000\\u0001\\\"\\\\é\""),
        (
            "return { 1, nil, 3 }",
            "FUNCTION function 'f': a table is JSON if its keys are 1, 2, .. without a gap, or all texts",
        ),
        (
            "return { 1, x = 2 }",
            "FUNCTION function 'f': a table is JSON if its keys are 1, 2, .. without a gap, or all texts",
        ),
        (
            "return { [true] = 1 }",
            "FUNCTION function 'f': a table is JSON if its keys are 1, 2, .. without a gap, or all texts",
        ),
        (
            "return { [0] = 1 }",
            "FUNCTION function 'f': a table is JSON if its keys are 1, 2, .. without a gap, or all texts",
        ),
        ("return 0/0", "FUNCTION function 'f': nan is no JSON number"),
        ("return { x = math.huge }", "FUNCTION function 'f': infinity is no JSON number"),
        ("return print", "nothing"),
        ("return tostring", "FUNCTION function 'f': a function is no JSON value"),
        ("return '\\255'", "FUNCTION function 'f': a text is not UTF-8"),
        (
            "local t = {} t.t = t return t",
            "FUNCTION function 'f': the value has more than 128 levels, or holds itself",
        ),
        ("local t = {} for i = 1, 127 do t = { t } end return #json.text(t)", "256"),
        (
            "local t = {} for i = 1, 128 do t = { t } end return t",
            "FUNCTION function 'f': the value has more than 128 levels, or holds itself",
        ),
        (
            "return setmetatable({ 1 }, { __index = function() return 2 end, __len = function() return 9 end })",
            "[1]",
        ),
    ] {
        assert_eq!(lab.value(source), value, "{source}");
    }
    let blown_up = lab.value("local t = { 1 } for i = 1, 60 do t = { t, t } end return t");
    assert!(blown_up.contains("more than"), "{blown_up}");
}

#[test]
fn arguments_and_replies() {
    let lab = Lab::new();
    let args = ["1", "\"two\"", "[3,{\"x\":4}]", "null", "{\"y\":5}", "18446744073709551615"];
    let source = "local a, b, c, d, e, f = ... \
        return { a, b, c[1], c[2], json.array({ d }), e.y, f }, select('#', ...)";
    let outcome = lab.run(source, &args).unwrap();
    let value = "[1,\"two\",3,{\"x\":4},[],5,18446744073709551615]";
    assert_eq!(text(outcome.value.unwrap()), value);
    assert_eq!(text(outcome.reply.unwrap()), "6");
    assert_eq!(lab.value_with("return ...", &["[1.50]"]), "[1.50]");
    let looped = lab.value_with("for _ in ... do end", &["18446744073709551615"]);
    assert!(looped.ends_with("line 1: there is nothing in a number to iterate over"), "{looped}");
}

#[test]
fn errors_have_name_and_line() {
    let lab = Lab::new();
    for (source, error) in [
        ("local x\n\nreturn x.y", "FUNCTION function 'f', line 3: attempt to index nil with 'y'"),
        ("\nerror('no')", "FUNCTION function 'f', line 2: no"),
        ("\nerror('no\\nmore', 0)", "FUNCTION function 'f', line 2: no more"),
        ("error({})", "FUNCTION function 'f', line 1: an error that is no text, but a table"),
        ("\nassert(false)", "FUNCTION function 'f', line 2: assertion failed!"),
        ("assert(doc.title == 1, 'wrong')", "FUNCTION function 'f', line 1: wrong"),
        (
            "\nstring.find('x', 1)",
            "FUNCTION function 'f', line 2: find: argument 2 has to be a string, not a number",
        ),
        ("\n\ndoc.x = 1", "FUNCTION function 'f', line 3: the document cannot be changed"),
        ("\nx = 1", "FUNCTION function 'f', line 2: attempt to modify a readonly table"),
        (
            "while true do end",
            "FUNCTION function 'f', line 1: more than 100000 steps (folio.function-steps-max)",
        ),
        (
            "\nlocal t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1000000) end",
            "FUNCTION function 'f': more than 4194304 bytes (folio.function-bytes-max)",
        ),
    ] {
        assert_eq!(lab.value(source), error, "{source}");
    }
    for source in [
        "x =",
        "end",
        "return 1 end local x = function()",
        "--[[",
        "return 1\n\n]]",
        "goto x",
        "local x = 1 end return",
    ] {
        let error = lab.compile(source).unwrap_err();
        assert!(error.starts_with("FUNCTION function 'f', line "), "{source}: {error}");
        assert!(!error.contains("function:"), "{source}: {error}");
    }
}

#[test]
fn sources_that_are_hard_to_compile() {
    let lab = Lab::new();
    let nested = |open: &str, middle: &str, close: &str| {
        let count = 65_000 / (open.len() + close.len());
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    for source in [
        nested("(", "", ""),
        format!("return {}", nested("(", "1", ")")),
        format!("return {}", nested("{", "", "}")),
        format!("return {}", nested("not ", "1", "")),
        format!("return {}", nested("-", "1", "")),
        format!("return {}", nested("1+", "1", "")),
        format!("return {}", nested("1 ..", "1", "")),
        format!("return {}", nested("2^", "1", "")),
        format!("return {}", nested("a.", "a", "")),
        format!("return a{}", nested("()", "", "")),
        format!("return a{}", nested("[1]", "", "")),
        format!("return a{}", nested("{}", "", "")),
        format!("return {}", nested("a and ", "a", "")),
        format!("return {}", nested("if a then 1 else ", "1", "")),
        format!("return {}", nested("`{", "1", "}`")),
        nested("do ", "", " end "),
        nested("if a then ", "", " end "),
        nested("while a do ", "", " end "),
        nested("for i = 1, 8 do ", "", " end "),
        nested("local function f() ", "", " end "),
        nested("if a then elseif a then ", "", " end "),
        format!("if a then {} end", nested("elseif a then ", "", "")),
        nested("local a = 1 ", "", ""),
        nested("a = 1 ", "", ""),
        nested("f() ", "", ""),
        format!("type A = {}", nested("{", "number", "}")),
        format!("type A = {}", nested("number | ", "number", "")),
        format!("local a: {} = 1", nested("(", "number", ")")),
        format!("return function(): {} end", nested("() -> ", "()", "")),
        format!("return {{{}}}", nested("1,", "1", "")),
        format!("return {{{}}}", nested("a = function() end,", "", "")),
    ] {
        let began = Instant::now();
        let shown = &source[..source.len().min(60)];
        if let Err(error) = lab.compile(&source) {
            assert!(error.starts_with("FUNCTION function 'f'"), "{shown}: {error}");
            assert!(!error.contains('\n'), "{shown}: {error}");
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{shown}: {took:?}");
    }
    assert_eq!(lab.value("return 1"), "1");
}

/// Each has to end soon, in an error of the function, and to leave the next call as it was.
#[test]
fn bombs_are_stopped() {
    let lab = Lab::new();
    let whole = lab.compile("return string.lower(doc.title)").unwrap();
    for source in include_str!("data/bombs.luau").trim_end().split("\n---\n") {
        let began = Instant::now();
        let result = lab.value(source);
        let took = began.elapsed();
        assert!(result.starts_with("FUNCTION function 'f'"), "{source}: {result}");
        for leak in ["\n", "0x", "stack traceback", "folio:", "function:"] {
            assert!(!result.contains(leak), "{source}: {result}");
        }
        assert!(took < Duration::from_secs(10), "{source}: {took:?}");
        let value = call(&*whole, DOC, &[]).unwrap().value.unwrap();
        assert_eq!(text(value), "\"hello\"", "after {source}");
    }
}

#[test]
fn what_looks_like_a_bomb_and_is_none() {
    let lab = Lab::new();
    for (source, value) in [
        ("for i = 1, 2, 0 do end", "nothing"),
        ("return string.rep('', 2 ^ 31 - 1)", "\"\""),
        ("return utf8.len(string.rep('x', 4000000))", "4000000"),
        ("return #utf8.char(table.unpack(table.create(10000, 97)))", "10000"),
        (
            "return #string.rep('x', 0/0)",
            "FUNCTION function 'f', line 1: rep: the count is too large",
        ),
    ] {
        assert_eq!(lab.value(source), value, "{source}");
    }
}

#[test]
fn nothing_reaches_the_host() {
    let lab = Lab::new();
    let names = "os io debug require loadstring load dofile loadfile getfenv setfenv newproxy coroutine buffer vector \
        collectgarbage gcinfo print pcall xpcall _G _VERSION shared script package integer host";
    for name in names.split_whitespace() {
        assert_eq!(lab.value(&format!("return {name} == nil")), "true", "{name}");
    }
    for name in [
        "string.dump",
        "string.pack",
        "math.random",
        "math.randomseed",
        "math.noise",
        "table.foreach",
    ] {
        assert_eq!(lab.value(&format!("return {name} == nil")), "true", "{name}");
    }
    for source in [
        "x = 1",
        "string.x = 1",
        "rawset(string, 'x', 1)",
        "rawset(math, 'pi', 3)",
        "rawset(table, 'insert', nil)",
        "text.slug = nil",
        "json.x = 1",
        "table.clear(string)",
        "table.insert(string, 1)",
        "setmetatable(string, {})",
        "setmetatable(json, {})",
        "getmetatable('').__index.x = 1",
        "getmetatable(doc).__index = 1",
        "setmetatable(doc, {})",
        "rawset(doc, 'x', 1)",
        "doc.title = 1",
        "doc.tags[1] = 1",
        "table.insert(doc.tags, 1)",
        "getmetatable(json.array({})).x = 1",
        "setmetatable(getmetatable(json.array({})), {})",
        "_G.x = 1",
        "setmetatable(_G, {})",
        "os.exit()",
        "null.x = 1",
    ] {
        let result = lab.value(source);
        assert!(result.starts_with("FUNCTION function 'f', line 1: "), "{source}: {result}");
    }
    assert_eq!(lab.value("return getmetatable('')"), "false");
    assert_eq!(lab.value("return getmetatable(doc)"), "false");
}

#[test]
fn nothing_is_kept_between_calls() {
    let lab = Lab::new();
    for source in [
        "local t = json.array({}) local before = rawlen(t) t[1] = 1 return before",
        "local function count() end local n = 0 n += 1 return n - 1",
        "local t = { 1, 2, n = 0 } t.n += 1 return t.n - 1",
        "local f = function() local kept = { n = 0 } return kept end f().n += 1 return f().n",
    ] {
        let function = lab.compile(source).unwrap();
        for _ in 0..3 {
            let value = call(&*function, DOC, &[]).unwrap().value.unwrap();
            assert_eq!(text(value), "0", "{source}");
        }
    }
    // The wrapper cannot be broken out of, to upvalues of its own.
    for source in [
        "end local kept = 0 return function(doc)",
        "return 1 end, function() ",
        ") return (function()",
    ] {
        assert!(lab.compile(source).is_err(), "{source}");
    }
}

#[test]
fn nothing_goes_by_chance() {
    let lab = Lab::new();
    for (source, value) in [
        ("return tostring({})", "\"table\""),
        ("return tostring(tostring)", "\"function\""),
        ("return tostring(function() end)", "\"function\""),
        ("return tostring(null)", "\"null\""),
        (
            "return tostring(setmetatable({}, { __tostring = function() return 'mine' end }))",
            "\"mine\"",
        ),
        ("return string.format('%*', 1)", "\"1\""),
        ("return `{doc.title} {1.5} {nil}`", "\"Hello 1.5 nil\""),
        (
            "return string.format('%s', {})",
            "FUNCTION function 'f', line 1: format: argument 2 is a table",
        ),
        (
            "local t = {} return `{t}`",
            "FUNCTION function 'f', line 1: format: argument 2 is a table",
        ),
        (
            "return ('%*'):format(tostring)",
            "FUNCTION function 'f', line 1: format: argument 2 is a function",
        ),
        ("return `{doc}`", "FUNCTION function 'f', line 1: format: argument 2 is a document"),
        (
            "return string.format('%f', 0/0)",
            "FUNCTION function 'f', line 1: format: a number that is none (NaN)",
        ),
        (
            "return string.format('%d', 1e300)",
            "FUNCTION function 'f', line 1: format: the number is too large for an integer",
        ),
        ("return tostring(0/0)", "\"nan\""),
    ] {
        assert_eq!(lab.value(source), value, "{source}");
    }
    for source in [
        "return string.format('%p', {})",
        "return math.random()",
        "return os.time()",
        "return {} < {}",
        "return {} .. ''",
    ] {
        let result = lab.value(source);
        assert!(
            result.starts_with("FUNCTION function 'f', line 1: ") && !result.contains("0x"),
            "{source}: {result}"
        );
    }
}

#[test]
fn a_call_that_judges_nothing_may_take_twice_as_much() {
    let lab = Lab::new();
    let function = lab.compile("local n = 0 for i = 1, 150000 do n += 1 end return n").unwrap();
    let judging = call(&*function, DOC, &[]).unwrap_err();
    assert!(judging.contains("more than 100000 steps"), "{judging}");
    let mut parsed = Parsed::default();
    parsed.parse(b"{}", &Limits::default()).unwrap();
    let outcome =
        function.call(&Call { doc: parsed.view(), args: &[], is_judging: false }).unwrap();
    assert_eq!(text(outcome.value.unwrap()), "150000");
}
