//! Questions in SQL, so written that Folio's semantics hold whatever the engine makes of JSON.
//!
//! Each engine first takes its documents apart with its own JSON functions, into tables that look the same in both. A
//! predicate then compares a column only where the rank says that the value is of the literal's kind; so it is true or false,
//! never unknown, and NOT is the complement.
//!
//! ```text
//! values    id, and for each path of one value  "n rank", "n number", "n text";
//!           for a path with [*] the same of its least value and of its greatest, "a[*] greatest rank", for ORDER
//! elements  id, path, rank, number, text        a row for each value that a path with [*] leads to
//!
//! rank      0 missing   1 null   2 false   3 true   4 number   5 string   6 array   7 object
//! number, text                                  null but for that rank
//! ```

use std::fmt::Write;

use folio_tests::naive::{Comparison, Filter, Json, Literal, OrderBy, Path, TextTest};

use super::draw::Question;

/// A foreign engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    DuckDb,
}

/// Writes SQL for an engine.
#[derive(Clone, Copy)]
pub struct Translation {
    pub engine: Engine,
    /// What it gets wrong.
    pub fault: Option<Fault>,
}

/// A planted fault, which has to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `<=` is written as `<`.
    LessForLessOrEqual,
    /// Ties follow birth upwards after a descending path too.
    TiesAscending,
    /// A null counts among the values of a group.
    CountsNulls,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Fault; 3] =
        [Fault::LessForLessOrEqual, Fault::TiesAscending, Fault::CountsNulls];
}

/// All paths of one value that are asked for.
const PATHS: [&str; 9] = ["n", "x", "s", "b", "o.n", "o.s", "a", "a[1]", "none"];
/// All paths with `[*]`: the array, and what stands within each element.
const ELEMENTS: [(&str, &str, &str); 2] = [("a[*]", "a", ""), ("o.l[*].k", "o.l", ".k")];

const MISSING: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const NUMBER: u8 = 4;
const STRING: u8 = 5;
const ARRAY: u8 = 6;

impl Engine {
    /// Each of them.
    pub const ALL: [Engine; 2] = [Engine::Sqlite, Engine::DuckDb];

    /// Makes the tables of documents whose place is their id.
    pub fn tables(self, documents: &[Json]) -> String {
        let rows = documents.iter().enumerate();
        let rows = rows.map(|(id, document)| format!("({id}, {})", quoted(&document.print())));
        let rows = rows.collect::<Vec<_>>().join(",\n");
        let mut sql = format!(
            "CREATE TABLE documents(id INTEGER, document JSON);\n\
             INSERT INTO documents VALUES {rows};\n"
        );
        let selects: Vec<String> = ELEMENTS.iter().map(|element| self.elements(*element)).collect();
        let elements = selects.join(" UNION ALL ");
        let _ =
            writeln!(sql, "CREATE TABLE elements AS SELECT * FROM ({elements}) WHERE rank > 0;");
        let mut columns = String::new();
        for path in PATHS {
            for (name, value) in self.parts("document", &format!("'$.{path}'")) {
                let _ = write!(columns, ", {value} AS \"{path} {name}\"");
            }
        }
        for (path, ..) in ELEMENTS {
            for (of, direction) in [("", "ASC"), ("greatest ", "DESC")] {
                for name in ["rank", "number", "text"] {
                    let order = directed("", direction);
                    let missing = if name == "rank" { "0" } else { "NULL" };
                    let _ = write!(
                        columns,
                        ", coalesce((SELECT {name} FROM elements WHERE id = documents.id AND path = '{path}' \
                         ORDER BY {order} LIMIT 1), {missing}) AS \"{path} {of}{name}\""
                    );
                }
            }
        }
        let _ = writeln!(sql, "CREATE TABLE \"values\" AS SELECT id{columns} FROM documents;");
        sql
    }

    /// The rows of `elements` for one path.
    fn elements(self, (path, array, member): (&str, &str, &str)) -> String {
        let (from, parts) = match self {
            // An object has members too, and a scalar is its own only one.
            Self::Sqlite => (
                format!(
                    "documents, json_each(document, '$.{array}') AS element \
                     WHERE json_type(document, '$.{array}') = 'array'"
                ),
                self.parts("document", &format!("(element.fullkey || '{member}')")),
            ),
            Self::DuckDb => (
                format!(
                    "(SELECT id, unnest(json_extract(document, '$.{array}[*]{member}')) AS element \
                     FROM documents) AS documents"
                ),
                self.parts("element", "'$'"),
            ),
        };
        let [rank, number, text] = parts.map(|(name, value)| format!("{value} AS {name}"));
        format!("SELECT documents.id, '{path}' AS path, {rank}, {number}, {text} FROM {from}")
    }

    /// The columns of the value to which a path leads within JSON.
    fn parts(self, json: &str, path: &str) -> [(&'static str, String); 3] {
        let ty = format!("json_type({json}, {path})");
        match self {
            Self::Sqlite => {
                let value = format!("json_extract({json}, {path})");
                let rank = format!(
                    "CASE {ty} WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 \
                     WHEN 'integer' THEN 4 WHEN 'real' THEN 4 WHEN 'text' THEN 5 \
                     WHEN 'array' THEN 6 WHEN 'object' THEN 7 ELSE 0 END"
                );
                let number = format!("CASE WHEN {ty} IN ('integer', 'real') THEN {value} END");
                let text = format!("CASE WHEN {ty} = 'text' THEN {value} END");
                [("rank", rank), ("number", number), ("text", text)]
            }
            Self::DuckDb => {
                let value = format!("json_extract_string({json}, {path})");
                let rank = format!(
                    "CASE {ty} WHEN 'NULL' THEN 1 \
                     WHEN 'BOOLEAN' THEN CASE {value} WHEN 'true' THEN 3 ELSE 2 END \
                     WHEN 'UBIGINT' THEN 4 WHEN 'BIGINT' THEN 4 WHEN 'DOUBLE' THEN 4 \
                     WHEN 'VARCHAR' THEN 5 WHEN 'ARRAY' THEN 6 WHEN 'OBJECT' THEN 7 ELSE 0 END"
                );
                let number = format!(
                    "CASE WHEN {ty} IN ('UBIGINT', 'BIGINT', 'DOUBLE') \
                     THEN CAST({value} AS {DECIMAL}) END"
                );
                let text = format!("CASE WHEN {ty} = 'VARCHAR' THEN {value} END");
                [("rank", rank), ("number", number), ("text", text)]
            }
        }
    }
}

/// The type in which `DuckDB` compares numbers exactly: it compares an integer with a double as doubles.
const DECIMAL: &str = "DECIMAL(38, 9)";

/// The columns of one value.
pub struct Columns {
    pub rank: String,
    pub number: String,
    pub text: String,
}

impl Columns {
    /// Those whose names begin so.
    pub fn of(prefix: &str) -> Self {
        let name = |part: &str| format!("\"{prefix}{part}\"");
        Self { rank: name("rank"), number: name("number"), text: name("text") }
    }
}

impl Translation {
    /// The statement that gives the ids of all that match, in order; none where the engine cannot express the question.
    pub fn question(self, question: &Question) -> Option<String> {
        let filter = self.filter(&question.filter)?;
        let order = self.order(&question.order);
        Some(format!("SELECT CAST(id AS VARCHAR) FROM \"values\" WHERE {filter} ORDER BY {order};"))
    }

    /// The condition; none where the engine cannot express it.
    pub fn filter(self, filter: &Filter) -> Option<String> {
        let parts = |parts: &[Filter], join: &str| -> Option<String> {
            let parts: Option<Vec<String>> = parts.iter().map(|part| self.filter(part)).collect();
            Some(format!("({})", parts?.join(join)))
        };
        let one_of = |path: &Path, literals: &[Literal]| {
            any(path, |value| {
                let each = literals.iter().map(|x| self.compare(value, Comparison::Equal, x));
                let each: Vec<String> = each.collect();
                // An empty list is no SQL.
                Some(format!("({})", [vec!["FALSE".to_owned()], each].concat().join(" OR ")))
            })
        };
        match filter {
            Filter::And(of) => parts(of, " AND "),
            Filter::Or(of) => parts(of, " OR "),
            Filter::Not(of) => Some(format!("(NOT {})", self.filter(of)?)),
            Filter::Compare(path, Comparison::NotEqual, literal) => {
                let equal =
                    any(path, |value| Some(self.compare(value, Comparison::Equal, literal)));
                Some(format!("(NOT {})", equal?))
            }
            Filter::Compare(path, comparison, literal) => {
                any(path, |value| Some(self.compare(value, *comparison, literal)))
            }
            Filter::Between(path, least, greatest) => any(path, |value| {
                let from = self.compare(value, Comparison::GreaterOrEqual, least);
                let to = self.compare(value, Comparison::LessOrEqual, greatest);
                Some(format!("({from} AND {to})"))
            }),
            Filter::In(path, literals) => one_of(path, literals),
            Filter::Has(path, literal) => one_of(&path.every(), std::slice::from_ref(literal)),
            Filter::HasAny(path, literals) => one_of(&path.every(), literals),
            Filter::HasAll(path, literals) => {
                let is_array = any(path, |value| Some(format!("{} = {ARRAY}", value.rank)))?;
                let each = literals.iter().map(|x| one_of(&path.every(), std::slice::from_ref(x)));
                let each: Option<Vec<String>> = each.collect();
                Some(format!("({})", [vec![is_array], each?].concat().join(" AND ")))
            }
            Filter::Text(path, test, Literal::String(operand)) => any(path, |value| {
                let holds = self.asks(path, &value.text, *test, operand)?;
                Some(format!("({} = {STRING} AND {holds})", value.rank))
            }),
            Filter::IsNull(path) => any(path, |value| Some(format!("{} = {NULL}", value.rank))),
            Filter::IsMissing(path) if path.is_multiple() => {
                Some(format!("(NOT {})", any(path, |value| Some(format!("{} > 0", value.rank)))?))
            }
            Filter::IsMissing(path) => {
                any(path, |value| Some(format!("{} = {MISSING}", value.rank)))
            }
            Filter::IsBool(path, truth) => {
                any(path, |value| Some(format!("{} = {}", value.rank, rank(*truth))))
            }
            Filter::Bare(path) => any(path, |value| Some(format!("{} = {TRUE}", value.rank))),
            other => unreachable!("{other:?} is of Folio alone"),
        }
    }

    /// Compares a value with a literal; false of a value of another kind.
    fn compare(self, value: &Columns, comparison: Comparison, literal: &Literal) -> String {
        let sign = match comparison {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessOrEqual if self.fault == Some(Fault::LessForLessOrEqual) => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::NotEqual => unreachable!("it is the complement of `=`"),
        };
        let Columns { rank, number, text } = value;
        match literal {
            Literal::Bool(truth) => {
                let least = self::rank(*truth);
                format!("({rank} IN ({FALSE}, {TRUE}) AND {rank} {sign} {least})")
            }
            Literal::Number(literal) => {
                let literal = match self.engine {
                    Engine::Sqlite => literal.clone(),
                    Engine::DuckDb => format!("CAST('{literal}' AS {DECIMAL})"),
                };
                format!("({rank} = {NUMBER} AND {number} {sign} {literal})")
            }
            Literal::String(literal) => {
                format!("({rank} = {STRING} AND {text} {sign} {})", quoted(literal))
            }
            Literal::Now | Literal::Time(_) | Literal::Duration(_) => {
                unreachable!("no instants are drawn")
            }
        }
    }

    fn order(self, order: &[OrderBy]) -> String {
        let mut terms = Vec::new();
        let mut last = "ASC";
        for by in order {
            last = if by.descending { "DESC" } else { "ASC" };
            let of = if by.path.is_multiple() && by.descending { "greatest " } else { "" };
            terms.push(directed(&format!("{} {of}", by.path.text()), last));
        }
        let ties = if self.fault == Some(Fault::TiesAscending) { "ASC" } else { last };
        terms.push(format!("id {ties}"));
        terms.join(", ")
    }

    /// What is asked of a string.
    fn asks(self, path: &Path, value: &str, test: TextTest, operand: &str) -> Option<String> {
        let operand = quoted(operand);
        Some(match (self.engine, test) {
            (_, TextTest::Like) => format!("{value} LIKE {operand} ESCAPE '\\'"),
            (Engine::DuckDb, TextTest::StartsWith) => format!("starts_with({value}, {operand})"),
            (Engine::DuckDb, TextTest::EndsWith) => format!("ends_with({value}, {operand})"),
            (Engine::DuckDb, TextTest::Contains) => format!("contains({value}, {operand})"),
            (Engine::DuckDb, TextTest::Ilike) => format!("{value} ILIKE {operand} ESCAPE '\\'"),
            (Engine::DuckDb, TextTest::Matches) => format!("regexp_matches({value}, {operand})"),
            (Engine::Sqlite, TextTest::StartsWith) => {
                format!("substr({value}, 1, length({operand})) = {operand}")
            }
            // From the place 0 on stands the whole string.
            (Engine::Sqlite, TextTest::EndsWith) => {
                format!("({operand} = '' OR substr({value}, -length({operand})) = {operand})")
            }
            (Engine::Sqlite, TextTest::Contains) => format!("instr({value}, {operand}) > 0"),
            // SQLite knows the cases of ASCII alone.
            (Engine::Sqlite, TextTest::Ilike) if path.text() == "o.s" => {
                format!("upper({value}) LIKE upper({operand}) ESCAPE '\\'")
            }
            (Engine::Sqlite, TextTest::Ilike | TextTest::Matches) => return None,
        })
    }
}

/// A predicate that holds of any value that the path leads to.
fn any(path: &Path, holds: impl Fn(&Columns) -> Option<String>) -> Option<String> {
    let name = path.text();
    if !path.is_multiple() {
        return holds(&Columns::of(&format!("{name} ")));
    }
    let holds = holds(&Columns::of(""))?;
    Some(format!("(id IN (SELECT id FROM elements WHERE path = '{name}' AND {holds}))"))
}

/// The order of values: by kind, then among their like. Where two ranks are equal, so is which column is null.
fn directed(prefix: &str, direction: &str) -> String {
    let Columns { rank, number, text } = Columns::of(prefix);
    format!("{rank} {direction}, {number} {direction}, {text} {direction}")
}

fn rank(truth: bool) -> u8 {
    if truth { TRUE } else { FALSE }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
