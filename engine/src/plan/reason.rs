//! Why a predicate is checked on each candidate and not answered by an index, in a few words for EXPLAIN.

use crate::collection::{Collection, Hidden};
use crate::query::{Filter, FilterNode, Meta, Place, Quantifier, Test, TextTest};
use crate::schema::Scalar;
use crate::schema::definition::Typing;

/// What is said of an index that could answer.
const TOO_MANY: &str = "yields more than the candidates: each is checked";

/// Why no index can answer the predicate at `node`; none of one that an index could answer.
pub fn unanswered(
    (collection, hidden): (&Collection, Hidden<'_>),
    filter: &Filter,
    node: u32,
) -> Option<String> {
    reason((collection, hidden), filter, node).filter(|reason| !reason.ends_with(TOO_MANY))
}

/// Why no index answers the predicate at `node`; none for a join, each part of which has its own reason.
pub fn reason(
    (collection, hidden): (&Collection, Hidden<'_>),
    filter: &Filter,
    node: u32,
) -> Option<String> {
    match &filter.nodes[node as usize] {
        FilterNode::Test(test) => Some(of_test(collection, hidden, test)),
        FilterNode::Text(test) => of_text(collection, test),
        FilterNode::HasAll(_) => Some("no index tells one array from another".to_owned()),
        FilterNode::Kind(_) => {
            Some("a number and a string may have the same key: each is checked".to_owned())
        }
        FilterNode::Computed(_) => {
            Some("computed: an index answers a path alone against constants".to_owned())
        }
        FilterNode::Called(_) => Some("a function is asked about each".to_owned()),
        FilterNode::Elements(test) => Some(match test.quantifier {
            Quantifier::Any => "no index ties conditions to one element".to_owned(),
            Quantifier::All => {
                "an array without elements satisfies ALL: no index has few candidates".to_owned()
            }
        }),
        FilterNode::Not(_)
        | FilterNode::All
        | FilterNode::Nothing
        | FilterNode::And(_)
        | FilterNode::Or(_) => None,
    }
}

fn of_test(collection: &Collection, hidden: Hidden<'_>, test: &Test) -> String {
    let path = match &test.place {
        Place::Path(path) => path,
        Place::Element(_) => return "no index begins at an element".to_owned(),
        Place::Meta(Meta::Key | Meta::Id) => {
            return "no index over keys: DOC.GET finds a document by its key".to_owned();
        }
        Place::Meta(meta) => return format!("no index over {}", meta.name()),
    };
    let over = |index: &&crate::index::Index| {
        index.source().parts().first().is_some_and(|part| part.path == *path)
    };
    let Some(index) = collection.indexes().iter().find(over) else {
        let each = path.each();
        let is_each =
            |index: &crate::index::Index| index.source().parts().iter().any(|it| it.path == each);
        if collection.indexes().iter().any(is_each) {
            return format!("the index is over its elements: {path} HAS, or {each}");
        }
        return match collection.definition().typing(path) {
            Typing::Undeclared => format!("no field {path} is declared, and no index is over it"),
            _ => format!("no index over {path}"),
        };
    };
    let kind = index.kind_name();
    if !hidden.leaves_whole(index) {
        return format!("the {kind} index over {path} is unique: it has no deleted documents");
    }
    if index.source().parts()[0].scalar != test.scalar {
        let name = match index.source().parts()[0].scalar {
            Scalar::Json => "any value",
            scalar => scalar.name(),
        };
        return format!("the index over {path} holds it as {name}");
    }
    if index.source().filter().is_some() {
        return format!("the {kind} index over {path} has only some documents");
    }
    if index.is_of_parts() {
        return format!("the index over {path} is of parts of strings");
    }
    let answers_rest = || !path.is_multi() && index.answers(&test.keys.complement());
    if !index.answers(&test.keys) && !answers_rest() {
        return format!("the {kind} index over {path} knows no order: INDEX SORTED does");
    }
    format!("the {kind} index over {path} {TOO_MANY}")
}

/// None where an index of parts gives the candidates that are checked.
fn of_text(collection: &Collection, test: &TextTest) -> Option<String> {
    let Place::Path(path) = &test.place else {
        return Some("no index over it".to_owned());
    };
    let over = |index: &crate::index::Index| {
        index.is_of_parts() && index.source().parts()[0].path == *path
    };
    if !collection.indexes().iter().any(over) {
        return Some(format!("no index over parts of {path}: INDEX SUBSTRING is one"));
    }
    let is_asked = test.pattern.need().is_some();
    (!is_asked).then(|| "the pattern requires no part of three bytes".to_owned())
}
