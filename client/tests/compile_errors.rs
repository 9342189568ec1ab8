//! The compile errors that users meet, each kept as a file with what the compiler says of it.

#![forbid(unsafe_code)]

#[test]
fn mistakes_are_told_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/good/*.rs");
    cases.compile_fail("tests/ui/*.rs");
}
