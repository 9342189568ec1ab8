//! A plan as text, one line a step, operands indented below.

use super::{Access, Direction, Find, OrderPlan, Step};
use crate::collection::Collection;
use crate::limits::Limits;
use crate::query::{FilterNode, Meta};

/// The plan of `find`, or of counting with its filter, in words.
pub fn explain(
    collection: &Collection,
    find: &Find,
    counting: bool,
    limits: &Limits,
) -> Vec<String> {
    let mut lines = Vec::new();
    let access;
    if counting {
        access = super::access_of(collection, find.filter.as_ref());
        lines.push(format!("count {}", collection.name()));
    } else {
        let plan = super::plan(collection, find);
        lines.push(head(collection, find));
        lines.push(order_line(collection, &plan.order));
        access = plan.access;
    }
    access_lines(collection, &access, find, limits, &mut lines);
    lines
}

fn head(collection: &Collection, find: &Find) -> String {
    match find.limit {
        None => format!("find {}, all rows", collection.name()),
        Some((0, count)) => format!("find {}, {count} rows", collection.name()),
        Some((offset, count)) => format!("find {}, {count} rows after {offset}", collection.name()),
    }
}

fn order_line(collection: &Collection, order: &OrderPlan) -> String {
    let word = |direction: &Direction| match direction {
        Direction::Ascending => "ascending",
        Direction::Descending => "descending",
    };
    match order {
        OrderPlan::Birth => "  in the order of birth".to_owned(),
        OrderPlan::Walk { index, direction } => {
            format!(
                "  walk sorted index {} {}",
                collection.indexes()[*index].path(),
                word(direction)
            )
        }
        OrderPlan::Sort { paths, keep } => {
            let paths: Vec<String> = paths
                .iter()
                .map(|path| {
                    let from = if path.column.is_some() { " (column)" } else { " (document)" };
                    format!("{} {}{from}", path.path, word(&path.direction))
                })
                .collect();
            let keep = keep.map_or_else(String::new, |keep| format!(", keep {keep}"));
            format!("  sort by {}{keep}", paths.join(", "))
        }
    }
}

fn access_lines(
    collection: &Collection,
    access: &Access<'_>,
    find: &Find,
    limits: &Limits,
    lines: &mut Vec<String>,
) {
    for node in &access.residual {
        let filter = access.filter.map(|filter| &filter.nodes);
        let text = filter.map_or_else(String::new, |nodes| text_of(nodes, *node));
        lines.push(format!("  check {text}"));
    }
    let Some(root) = access.root else {
        lines.push(scan_line(collection.live().len(), find.scan, limits.scan_max));
        return;
    };
    let mut open = vec![(root, 1)];
    while let Some((step, depth)) = open.pop() {
        let indent = "  ".repeat(depth);
        let count = access.counts[step];
        let line = match &access.steps[step] {
            Step::All => format!("all documents ({count})"),
            Step::Nothing => "nothing: no document can match".to_owned(),
            Step::Index { index, text, .. } => {
                let index = &collection.indexes()[*index];
                let about = if index.is_multi() { "at most " } else { "" };
                format!("{} index {}: {text} ({about}{count})", index.kind_name(), index.path())
            }
            Step::Intersect(_) => format!("intersect (at most {count})"),
            Step::Union(_) => format!("unite (at most {count})"),
            Step::Complement(_) => "all but".to_owned(),
            Step::Invalid => format!("those that break a rule ({count})"),
        };
        lines.push(format!("{indent}{line}"));
        match &access.steps[step] {
            Step::Intersect(operands) | Step::Union(operands) => {
                open.extend(operands.iter().rev().map(|operand| (*operand, depth + 1)));
            }
            Step::Complement(operand) => open.push((*operand, depth + 1)),
            _ => {}
        }
    }
}

fn scan_line(count: u64, is_asked: bool, scan_max: usize) -> String {
    if is_asked {
        format!("  scan {count} documents (SCAN): no index answers")
    } else if count > scan_max as u64 {
        format!(
            "  scan {count} documents: no index answers; \
             refused without SCAN beyond {scan_max} (folio.scan-max)"
        )
    } else {
        format!("  scan {count} documents (at most {scan_max}): no index answers")
    }
}

/// A node of a filter as text. Works bottom-up over the nodes below it, so nothing recurses.
fn text_of(nodes: &[FilterNode], node: u32) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(node as usize + 1);
    for at in &nodes[..=node as usize] {
        let join = |children: &[u32], word: &str| {
            let parts: Vec<&str> =
                children.iter().map(|child| texts[*child as usize].as_str()).collect();
            format!("({})", parts.join(word))
        };
        let text = match at {
            FilterNode::All => "everything".to_owned(),
            FilterNode::Nothing => "nothing".to_owned(),
            FilterNode::Test(test) => test.text.to_string(),
            FilterNode::Text(test) => test.text.to_string(),
            FilterNode::HasAll(test) => test.text.to_string(),
            FilterNode::Valid(true) => Meta::Valid.name().to_owned(),
            FilterNode::Valid(false) => format!("{} IS FALSE", Meta::Valid.name()),
            FilterNode::Not(child) => format!("NOT {}", texts[*child as usize]),
            FilterNode::And(children) => join(children, " AND "),
            FilterNode::Or(children) => join(children, " OR "),
        };
        texts.push(text);
    }
    texts.pop().unwrap_or_default()
}
