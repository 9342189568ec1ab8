//! Tests of the normal form.

use crate::Limits;
use crate::doc::testing::parsed;
use crate::query::{Filter, FilterNode, Params, Place, Scope, bind, parse};
use crate::schema::Definition;

/// The nodes of a filter in words; of keys, how many ranges they are.
fn shown(text: &str) -> Vec<String> {
    let words = |node: &FilterNode| match node {
        FilterNode::Test(it) => format!("{} {}", it.text, it.keys.ranges().len()),
        FilterNode::Text(it) => it.text.to_string(),
        FilterNode::Computed(it) => it.text.to_string(),
        FilterNode::Elements(it) => format!("{} {} {}", it.quantifier.name(), it.text, it.body),
        other => format!("{other:?}"),
    };
    bound(text).nodes.iter().map(words).collect()
}

fn bound(text: &str) -> Filter {
    let limits = &Limits { filter_bytes_max: usize::MAX, ..Limits::default() };
    let definition = &Definition::new("c");
    let scope =
        Scope { definition, params: &Params::default(), now_ms: 0, limits, functions: None };
    bind(&parse(text, limits).unwrap(), &scope).unwrap()
}

#[test]
fn predicates_on_one_place_are_one() {
    assert_eq!(shown("a >= 18 AND a < 30"), ["a >= 18 AND a < 30 1"]);
    assert_eq!(shown("a = 1 OR a = 2 OR a > 5"), ["a = 1 OR a = 2 OR a > 5 3"]);
    assert_eq!(
        shown("(a > 1 AND b = 1) AND (a < 5 AND b = 1)"),
        ["a > 1 AND a < 5 1", "b = 1 AND b = 1 1", "And([0, 1])"]
    );
    assert_eq!(shown("a > 1 AND (a < 3 OR a = 9)"), ["a > 1 AND (a < 3 OR a = 9) 2"]);
    assert_eq!(shown("a > 1 AND a NOT IN (4, 5)"), ["a > 1 AND NOT a IN (4, 5) 3"]);
}

#[test]
fn other_elements_may_satisfy_each_predicate() {
    assert_eq!(shown("a[*] > 1 AND a[*] < 5"), ["a[*] > 1 1", "a[*] < 5 1", "And([0, 1])"]);
    assert_eq!(shown("a[*] < 1 OR a[*] > 5"), ["a[*] < 1 OR a[*] > 5 2"]);
    assert_eq!(shown("NOT a HAS 1 AND NOT a HAS 2"), ["a HAS 1 OR a HAS 2 2", "Not(0)"]);
    assert_eq!(shown("NOT (a HAS 1 OR a HAS 2)"), ["a HAS 1 OR a HAS 2 2", "Not(0)"]);
    let apart = ["a HAS 1 1", "Not(0)", "a HAS 2 1", "Not(2)", "Or([1, 3])"];
    assert_eq!(shown("NOT (a HAS 1 AND a HAS 2)"), apart);
}

#[test]
fn not_stands_at_predicates() {
    assert_eq!(shown("NOT a = 1"), ["NOT a = 1 2"]);
    assert_eq!(shown("NOT NOT a = 1"), ["a = 1 1"]);
    assert_eq!(shown("NOT (a < 5 OR NOT a <= 9)"), ["a <= 9 AND NOT a < 5 1"]);
    let apart = ["NOT a = 1 2", "b LIKE '%x'", "And([0, 1])"];
    assert_eq!(shown("NOT (a = 1 OR NOT b LIKE '%x')"), apart);
    assert_eq!(shown("NOT a ENDS WITH 'x'"), ["a ENDS WITH 'x'", "Not(0)"]);
}

#[test]
fn what_is_always_or_never_so_is_folded() {
    for never in [
        "a < 5 AND a > 5",
        "a = 1 AND NOT a = 1",
        "a IN () AND b = 1",
        "(c LIKE '%x' OR b = 1) AND 1 = 2",
        "NOT (a = 1 OR NOT a = 1)",
        "ANY a WHERE (b < 1 AND b > 1)",
    ] {
        assert_eq!(shown(never).last().unwrap(), "Nothing", "{never}");
    }
    for always in ["a = 1 OR NOT a = 1", "a[*] = 1 OR a[*] NOT IN (1) OR 1 = 1", "NOT a IN ()"] {
        assert_eq!(shown(always), ["All"], "{always}");
    }
    assert_eq!(shown("b = 1 OR (c LIKE '%x' OR d = 1) AND a IN ()"), ["b = 1 1"]);
    assert_eq!(shown("(c LIKE '%x' OR d = 1) AND a NOT IN ()").len(), 3);
    assert_eq!(shown("b = 1 AND (a IN () OR b < 9)"), ["b = 1 AND b < 9 1"]);
}

#[test]
fn conditions_on_one_element_say_something_of_all() {
    assert_eq!(shown("ANY a WHERE (b = 1)"), ["ANY a WHERE (b = 1) 1"]);
    assert_eq!(bound("ANY a WHERE (b = 1)").nodes.len(), 1);
    assert_eq!(shown("ANY a WHERE (b = 1 OR b = 2)"), ["ANY a WHERE (b = 1 OR b = 2) 2"]);
    let either = ["ANY a WHERE (b = 1) 1", "ANY a WHERE (c = 1) 1", "Or([0, 1])"];
    assert_eq!(shown("ANY a WHERE (b = 1 OR c = 1)"), either);
    let neither = ["ANY a WHERE (b = 1) 1", "Not(0)", "ANY a WHERE (c = 1) 1", "Not(2)"];
    assert_eq!(shown("NOT ANY a WHERE (b = 1 OR c = 1)")[..4], neither);
    assert_eq!(
        shown("ANY a WHERE (b = 1 AND c > 2)"),
        [
            "b = 1 1",
            "c > 2 1",
            "And([0, 1])",
            "ANY a WHERE (b = 1) 1",
            "ANY a WHERE (c > 2) 1",
            "ANY a 2",
            "And([3, 4, 5])"
        ]
    );
    // An element without the member satisfies this, and no element at all does not.
    assert_eq!(shown("ANY a WHERE (NOT b = 1)"), ["NOT b = 1 2", "ANY a 0"]);
    assert_eq!(shown("ALL a WHERE (b = 1)"), ["b = 1 1", "ALL a 0"]);
    let nested = bound("ANY a WHERE (ANY b WHERE (c = 1))");
    let [FilterNode::Test(test)] = nested.nodes.as_slice() else { panic!("{nested:?}") };
    assert!(matches!(&test.place, Place::Path(path) if path.to_string() == "a[*].b[*].c"));
}

#[test]
fn nodes_that_belong_to_nothing_are_gone() {
    let filter = bound("(c LIKE '%x' OR d = 1) AND 1 = 2 OR (b LIKE '%y' OR e = 1) AND f = 1");
    let texts = shown("(b LIKE '%y' OR e = 1) AND f = 1");
    assert_eq!(filter.nodes.len(), texts.len());
    assert!(filter.matches(parsed(r#"{"e":1,"f":1}"#).view()));
    assert!(!filter.matches(parsed(r#"{"d":1,"f":1}"#).view()));
}

#[test]
fn a_long_filter_takes_no_longer_than_its_length() {
    let terms = |word: &str, term: &dyn Fn(usize) -> String| {
        (0..20_000).map(term).collect::<Vec<_>>().join(word)
    };
    let began = std::time::Instant::now();
    let not_equal = bound(&terms(" AND ", &|n| format!("a != {n}")));
    let [FilterNode::Test(test)] = not_equal.nodes.as_slice() else { panic!("one predicate") };
    assert_eq!(test.keys.ranges().len(), 20_001);
    let either = bound(&terms(" OR ", &|n| format!("a > {n} AND a < {n}.5")));
    let [FilterNode::Test(test)] = either.nodes.as_slice() else { panic!("one predicate") };
    assert_eq!(test.keys.ranges().len(), 20_000);
    assert_eq!(bound(&terms(" OR ", &|n| format!("a{n} = 1"))).nodes.len(), 20_001);
    // Quadratic passes take minutes.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
