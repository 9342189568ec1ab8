//! Soft deletes: a document leaves the stream when it is marked, and comes back as one that is born.

use folio_tests::over_both;

use super::entry::{all, are_gapless, settled_lines};

#[test]
fn a_mark_is_a_removal_and_what_happens_to_the_marked_is_not_told() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "BOTH"]);
        c.call(&["DOC.SET", "t:1", r#"{"a":1}"#]);
        c.call(&["DOC.DEL", "t:1", "SOFT"]);
        c.call(&["COPY", "t:1", "t:2"]);
        c.call(&["RENAME", "t:1", "t:3"]);
        c.call(&["DEL", "t:2"]);
        c.call(&["DOC.UNDELETE", "t:3"]);
        c.call(&["DOC.DEL", "t:3", "SOFT"]);
        c.call(&["DOC.SET", "t:3", r#"{"a":2}"#]);
        c.call(&["DOC.DEL", "t:3", "SOFT", "PX", "1"]);
        let lines = settled_lines(c, "t");
        let told: Vec<String> = lines.iter().map(|line| without_version(line)).collect();
        let expected = [
            r#"1 insert t:1 . -> {"a":1}"#,
            r#"2 delete t:1 (soft) {"a":1} -> ."#,
            r#"3 insert t:3 (undelete) . -> {"a":1}"#,
            r#"4 delete t:3 (soft) {"a":1} -> ."#,
            r#"5 insert t:3 . -> {"a":2}"#,
            r#"6 delete t:3 (soft) {"a":2} -> ."#,
        ];
        assert_eq!(told, expected);
        folio_tests::replica::wait_until("it has lapsed", || c.int(&["EXISTS", "t:3"]) == 0);
        assert_eq!(settled_lines(c, "t"), lines);
        let entries = all(c, "t");
        are_gapless(&entries, 1);
        // Each change has a version of its own.
        let versions: Vec<u64> = entries.iter().map(|entry| entry.count("version")).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    });
}

fn without_version(line: &str) -> String {
    let words = line.split(' ').filter(|word| !word.starts_with('#'));
    words.collect::<Vec<_>>().join(" ")
}
