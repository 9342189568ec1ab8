//! What UNIQUE binds: a field's values, or the values at all paths of an index that is declared by itself.

use super::{
    filter::Filter,
    json::Json,
    meta::{Facts, Scope},
    order::compare,
    path::Path,
    schema::{Kind, NaiveSchema},
};

/// The values at the paths, one for each; none where it is missing.
pub type Held = Vec<Option<Json>>;

/// A rule that no two documents hold the same.
#[derive(Clone, Debug)]
pub struct Unique<'a> {
    paths: Vec<(Path, Option<Kind>)>,
    /// Whether null and missing are held as values are.
    holds_nothing: bool,
    filter: Option<&'a Filter>,
    schema: &'a NaiveSchema,
}

impl<'a> Unique<'a> {
    /// The rules of a declaration.
    pub fn all(schema: &'a NaiveSchema) -> Vec<Self> {
        let fields = schema.fields.iter().filter(|field| field.unique).map(|field| Self {
            paths: vec![schema.indexed(&field.path)],
            holds_nothing: false,
            filter: None,
            schema,
        });
        let indexes = schema.indexes.iter().filter(|index| index.unique).map(|index| Self {
            paths: index.on.iter().map(|on| schema.indexed(&on.path)).collect(),
            holds_nothing: index.nulls_not_distinct,
            filter: index.filter.as_ref(),
            schema,
        });
        fields.chain(indexes).collect()
    }

    /// What a document holds: once for each value of the path that leads to several.
    pub fn held(&self, json: &Json) -> Vec<Held> {
        let facts = Facts::default();
        let scope = Scope::document(json, self.schema, &facts, 0);
        if self.filter.is_some_and(|filter| !filter.holds_in(&scope)) {
            return Vec::new();
        }
        let mut found: Vec<Held> = vec![Vec::new()];
        for (path, _) in &self.paths {
            let values: Vec<Option<Json>> =
                self.schema.values(path, json).into_iter().map(Some).collect();
            let values = if values.is_empty() { vec![None] } else { values };
            let with = |before: &Held| -> Vec<Held> {
                let one = |value: &Option<Json>| {
                    [before.as_slice(), std::slice::from_ref(value)].concat()
                };
                values.iter().map(one).collect()
            };
            found = found.iter().flat_map(with).collect();
        }
        let is_nothing = |value: &Option<Json>| matches!(value, None | Some(Json::Null));
        found.retain(|held| self.holds_nothing || !held.iter().any(is_nothing));
        found
    }

    /// Whether two documents that hold these share something.
    pub fn share(&self, left: &[Held], right: &[Held]) -> bool {
        left.iter().any(|left| right.iter().any(|right| self.is_equal(left, right)))
    }

    /// Whether the values are equal, under the types of their paths.
    pub fn is_equal(&self, left: &Held, right: &Held) -> bool {
        let mut pairs = left.iter().zip(right).zip(&self.paths);
        pairs.all(|((left, right), (_, kind))| {
            compare(left.as_ref(), right.as_ref(), kind.as_ref()).is_eq()
        })
    }
}
