//! What every string that fits a pattern must hold: pieces of text, folded, in a tree.
//!
//! ```text
//!   ^Jo(hn|seph) Smith.*   ->   ANY("john", "joseph") AND "smith", each as long as it can be made out for certain
//! ```
//! Of an expression that says no such thing for certain nothing is needed. Sets of letters that are one letter folded, as
//! those of `(?i)k`, count as that letter; so nothing here has to know how the expression folds case.

use std::convert::Infallible;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Visitor, visit};

use super::grams::PART_BYTES;
use crate::value::case::{folded, folded_letter};

/// Pieces and joins of one expression; beyond that nothing is made of it.
const NODES_MAX: usize = 256;
/// Letters of a set that is looked at: no more fold to the same one.
const CLASS_MAX: usize = 8;

/// What a string must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeedNode {
    /// This text, folded; long enough to have a part.
    Piece(String),
    /// All of them.
    All(Vec<u32>),
    /// One of them.
    Any(Vec<u32>),
}

/// What a string must hold, children before parents, the root last; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The nodes; children are places among them.
    pub nodes: Vec<NeedNode>,
}

impl Need {
    /// What a string that holds `text` must hold; none for a short one.
    pub fn of_text(text: &str) -> Option<Need> {
        let piece = folded(text);
        (piece.len() >= PART_BYTES).then(|| Need { nodes: vec![NeedNode::Piece(piece)] })
    }

    /// What a string must hold in which `expression` matches somewhere; none where that is not certain.
    pub fn of_expression(expression: &str, ignores_case: bool) -> Option<Need> {
        let mut parser = ParserBuilder::new();
        let parser = parser.case_insensitive(ignores_case).dot_matches_new_line(true);
        let hir = parser.build().parse(expression).ok()?;
        let reader = Reader { nodes: Vec::new(), found: Vec::new() };
        let Ok(need) = visit(&hir, reader);
        need
    }

    /// Whether a text holds it.
    pub fn is_met_by(&self, text: &str) -> bool {
        let text = folded(text);
        let mut met: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            met.push(match node {
                NeedNode::Piece(piece) => text.contains(piece),
                NeedNode::All(children) => children.iter().all(|child| met[*child as usize]),
                NeedNode::Any(children) => children.iter().any(|child| met[*child as usize]),
            });
        }
        met.pop().unwrap_or(true)
    }
}

/// What is known of a part of an expression.
enum Found {
    /// It matches this text alone, folded.
    Text(String),
    /// Where it matches, this node is needed; nothing, without one.
    Need(Option<u32>),
}

struct Reader {
    nodes: Vec<NeedNode>,
    /// Of the parts that have been read, whose whole has not.
    found: Vec<Found>,
}

impl Reader {
    fn push(&mut self, node: NeedNode) -> u32 {
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    fn piece(&mut self, text: String) -> Option<u32> {
        (text.len() >= PART_BYTES).then(|| self.push(NeedNode::Piece(text)))
    }

    fn need_of(&mut self, found: Found) -> Option<u32> {
        match found {
            Found::Text(text) => self.piece(text),
            Found::Need(need) => need,
        }
    }

    /// Parts one after the other: what is certain side by side is one piece.
    fn concat(&mut self, parts: Vec<Found>) -> Found {
        let (mut run, mut needs, mut is_text) = (String::new(), Vec::new(), true);
        for part in parts {
            match part {
                Found::Text(text) => run += &text,
                Found::Need(need) => {
                    is_text = false;
                    needs.extend(self.piece(std::mem::take(&mut run)));
                    needs.extend(need);
                }
            }
        }
        if is_text {
            return Found::Text(run);
        }
        needs.extend(self.piece(run));
        Found::Need(match needs.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.push(NeedNode::All(needs))),
        })
    }

    /// One part or another: something is needed where each of them needs something.
    fn alternation(&mut self, parts: Vec<Found>) -> Found {
        let needs: Vec<Option<u32>> = parts.into_iter().map(|part| self.need_of(part)).collect();
        let needs: Option<Vec<u32>> = needs.into_iter().collect();
        Found::Need(needs.map(|needs| self.push(NeedNode::Any(needs))))
    }
}

impl Visitor for Reader {
    type Output = Option<Need>;
    type Err = Infallible;

    fn finish(mut self) -> Result<Option<Need>, Infallible> {
        let found = self.found.pop();
        let root = found.and_then(|found| self.need_of(found));
        Ok(root.filter(|_| self.nodes.len() <= NODES_MAX).map(|root| {
            // What stands behind the root belongs to nothing.
            self.nodes.truncate(root as usize + 1);
            Need { nodes: self.nodes }
        }))
    }

    fn visit_post(&mut self, hir: &Hir) -> Result<(), Infallible> {
        let parts = self.found.split_off(self.found.len() - hir.kind().subs().len());
        let found = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Found::Text(String::new()),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Found::Text(folded(text)),
                Err(_) => Found::Need(None),
            },
            HirKind::Class(class) => {
                one_letter(class).map_or(Found::Need(None), |one| Found::Text(one.into()))
            }
            HirKind::Capture(_) | HirKind::Concat(_) => self.concat(parts),
            HirKind::Alternation(_) => self.alternation(parts),
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                let mut needs = parts.into_iter().map(|part| self.need_of(part));
                Found::Need(needs.next().flatten())
            }
            HirKind::Repetition(_) => Found::Need(None),
        };
        self.found.push(found);
        Ok(())
    }
}

/// The letter to which every letter of a set folds, if it is one.
fn one_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut letters = class.iter().flat_map(|range| range.start()..=range.end());
    let first = folded_letter(letters.next()?);
    let others = letters.take(CLASS_MAX).enumerate();
    let mut is_one = true;
    for (at, letter) in others {
        is_one &= at + 1 < CLASS_MAX && folded_letter(letter) == first;
    }
    is_one.then_some(first)
}

#[cfg(test)]
#[path = "need_tests.rs"]
mod tests;
