//! A plan as text, one line a step, operands indented below.

use std::collections::HashMap;

use super::{Access, Direction, Find, OrderPlan, Plan, Step};
use crate::collection::{Collection, Hidden};
use crate::exec::{Profile, Spent};
use crate::limits::Limits;
use crate::query::{Filter, FilterNode, Join};

/// The plan of `find`, or of counting with its filter, in words; with what each step came to, where it was run.
pub fn explain(
    collection: &Collection,
    find: &Find,
    counting: bool,
    limits: &Limits,
    profile: Option<&Profile>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let access;
    if counting {
        access = super::access_of(collection, find.filter.as_ref(), find.with_deleted);
        lines.push(format!("count {}", collection.name()));
    } else {
        let plan = super::plan(collection, find);
        lines.push(head(collection, find));
        lines.push(order_line(collection, &plan));
        access = plan.access;
    }
    let shown = Shown { access: &access, scan: find.scan, limits, profile };
    access_lines(collection, &shown, &mut lines);
    lines
}

/// What is shown of the part of a plan that finds documents.
pub struct Shown<'s> {
    /// Where they come from.
    pub access: &'s Access<'s>,
    /// Whether any number may be read.
    pub scan: bool,
    /// The limits in force.
    pub limits: &'s Limits,
    /// What each step came to, where it was run.
    pub profile: Option<&'s Profile>,
}

fn head(collection: &Collection, find: &Find) -> String {
    match find.limit {
        None => format!("find {}, all rows", collection.name()),
        Some((0, count)) => format!("find {}, {count} rows", collection.name()),
        Some((offset, count)) => format!("find {}, {count} rows after {offset}", collection.name()),
    }
}

fn order_line(collection: &Collection, plan: &Plan<'_>) -> String {
    let word = |direction: &Direction| match direction {
        Direction::Ascending => "ascending",
        Direction::Descending => "descending",
    };
    match &plan.order {
        OrderPlan::Birth(Direction::Ascending) => "  in the order of birth".to_owned(),
        OrderPlan::Birth(Direction::Descending) => "  in the order of birth, last first".to_owned(),
        OrderPlan::Walk { index, direction, .. } => {
            format!(
                "  walk sorted index {} {}",
                collection.indexes()[*index].title(),
                word(direction)
            )
        }
        OrderPlan::Sort { keep } => {
            let paths: Vec<String> = plan
                .paths
                .iter()
                .map(|path| {
                    let from = if path.column.is_some() { " (column)" } else { " (document)" };
                    format!("{} {}{from}", path.subject, word(&path.direction))
                })
                .collect();
            let keep = keep.map_or_else(String::new, |keep| format!(", keep {keep}"));
            format!("  sort by {}{keep}", paths.join(", "))
        }
    }
}

/// The part of a plan that finds documents, and what all of it came to.
pub fn access_lines(collection: &Collection, shown: &Shown<'_>, lines: &mut Vec<String>) {
    step_lines(collection, shown, lines);
    if let Some(profile) = shown.profile {
        let Profile { checked, passed, examined, rows, elapsed_us, .. } = profile;
        lines.push(format!(
            "  {rows} rows of {passed} matches in {elapsed_us} us; {checked} candidates looked at, {examined} documents read"
        ));
    }
}

fn step_lines(collection: &Collection, shown: &Shown<'_>, lines: &mut Vec<String>) {
    let Shown { access, scan, limits, profile } = *shown;
    if let Some(filter) = access.filter {
        for node in &access.residual {
            lines.push(format!("  check {}", text_of(&filter.nodes, *node)));
            reason_lines((collection, access.hidden), filter, *node, lines);
        }
    }
    let Some(root) = access.root else {
        lines.push(scan_line(collection.live().len(), scan, limits.scan_max));
        return;
    };
    let mut open = vec![(root, 1)];
    while let Some((step, depth)) = open.pop() {
        let indent = "  ".repeat(depth);
        let count = access.counts[step];
        let about = if access.counted[step] { "" } else { "at most " };
        let line = match &access.steps[step] {
            Step::All => format!("all documents ({count})"),
            Step::Nothing => "nothing: no document can match".to_owned(),
            Step::Index { index, text, .. } => {
                let index = &collection.indexes()[*index];
                format!("{} index {}: {text} ({about}{count})", index.kind_name(), index.title())
            }
            Step::Born(test) => format!("order of birth: {} ({about}{count})", test.text),
            Step::Lapsing { text, .. } => format!("order of lapsing: {text} ({about}{count})"),
            Step::Intersect(_) => format!("intersect (at most {count})"),
            Step::Union(_) => format!("unite (at most {count})"),
            Step::Complement(_) => "all but".to_owned(),
            Step::Invalid => format!("those that break a rule ({count})"),
            Step::Deleted => format!("those marked as deleted ({count})"),
        };
        let spent = profile.and_then(|profile| profile.steps.get(step)?.as_ref());
        let came_to = spent.map_or_else(String::new, |Spent { rows, elapsed_us }| {
            format!(" -> {rows} in {elapsed_us} us")
        });
        lines.push(format!("{indent}{line}{came_to}"));
        let operands = access.steps[step].operands().iter().rev();
        open.extend(operands.map(|operand| (*operand, depth + 1)));
    }
}

/// Why what is checked at `node` is answered by no index: of a join, why its parts are not.
fn reason_lines(
    asked: (&Collection, Hidden<'_>),
    filter: &Filter,
    node: u32,
    lines: &mut Vec<String>,
) {
    const PARTS_SHOWN: usize = 8;
    if let Some(reason) = super::reason::reason(asked, filter, node) {
        lines.push(format!("    {reason}"));
        return;
    }
    let (mut open, mut shown) = (vec![node], 0);
    while let Some(at) = open.pop() {
        if let FilterNode::And(children) | FilterNode::Or(children) = &filter.nodes[at as usize] {
            open.extend(children.iter().rev());
        } else if let FilterNode::Not(child) = &filter.nodes[at as usize] {
            open.push(*child);
        } else if shown < PARTS_SHOWN
            && is_shown(&filter.nodes[at as usize])
            && let Some(reason) = super::reason::unanswered(asked, filter, at)
        {
            shown += 1;
            lines.push(format!("    {}: {reason}", text_of(&filter.nodes, at)));
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

/// A filter as text.
pub fn text(filter: &Filter) -> String {
    let text = text_of(&filter.nodes, filter.root());
    if is_joined(&filter.nodes, filter.root()) { text[1..text.len() - 1].to_owned() } else { text }
}

/// Whether a node shows several others, in parentheses.
fn is_joined(nodes: &[FilterNode], node: u32) -> bool {
    match &nodes[node as usize] {
        FilterNode::And(children) | FilterNode::Or(children) => {
            children.iter().filter(|child| is_shown(&nodes[**child as usize])).count() > 1
        }
        _ => false,
    }
}

/// Whether nothing beside it says what the node does.
fn is_shown(node: &FilterNode) -> bool {
    !matches!(node, FilterNode::Test(test) if test.is_told)
}

/// A node of a filter as text. Works bottom-up over the nodes below it, so nothing recurses.
fn text_of(nodes: &[FilterNode], node: u32) -> String {
    let mut below = vec![node];
    let mut seen = 0;
    while let Some(at) = below.get(seen) {
        below.extend_from_slice(nodes[*at as usize].children());
        seen += 1;
    }
    // Children stand before their parents.
    below.sort_unstable();
    let mut texts: HashMap<u32, String> = HashMap::with_capacity(below.len());
    for at in below {
        let text = node_text(nodes, &nodes[at as usize], &texts);
        texts.insert(at, text);
    }
    texts.remove(&node).unwrap_or_default()
}

/// A node as text, of the texts of its children.
fn node_text(nodes: &[FilterNode], node: &FilterNode, texts: &HashMap<u32, String>) -> String {
    let of = |child: &u32| texts.get(child).cloned().unwrap_or_default();
    let join = |children: &[u32], join: Join| {
        let part = |child: &u32| match &nodes[*child as usize] {
            FilterNode::Test(test) => test.text.within(join),
            _ => of(child),
        };
        let shown = children.iter().filter(|child| is_shown(&nodes[**child as usize]));
        let parts: Vec<String> = shown.map(part).collect();
        match parts.as_slice() {
            [only] => only.clone(),
            parts => format!("({})", parts.join(join.word())),
        }
    };
    match node {
        FilterNode::All => "everything".to_owned(),
        FilterNode::Nothing => "nothing".to_owned(),
        FilterNode::Test(test) => test.text.to_string(),
        FilterNode::Text(test) => test.text.to_string(),
        FilterNode::HasAll(test) => test.text.to_string(),
        FilterNode::Kind(test) => test.text.to_string(),
        FilterNode::Computed(test) => test.text.to_string(),
        FilterNode::Called(test) => test.text.to_string(),
        FilterNode::Elements(test) => {
            let (quantifier, body) = (test.quantifier.name(), of(&test.body));
            if is_joined(nodes, test.body) {
                format!("{quantifier} {} WHERE {body}", test.text)
            } else {
                format!("{quantifier} {} WHERE ({body})", test.text)
            }
        }
        FilterNode::Not(child) => match &nodes[*child as usize] {
            FilterNode::Test(test) => test.text.turned().to_string(),
            _ => format!("NOT {}", of(child)),
        },
        FilterNode::And(children) => join(children, Join::And),
        FilterNode::Or(children) => join(children, Join::Or),
    }
}
