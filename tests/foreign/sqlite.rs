//! `SQLite`, in process.

use rusqlite::Connection;

use super::grouped::Row;
use super::sql::Engine;
use folio_tests::naive::Json;

/// What each statement gives over these documents.
pub fn ask(documents: &[Json], statements: &[String]) -> Vec<Vec<Row>> {
    let connection = Connection::open_in_memory().expect("memory is there");
    connection.pragma_update(None, "case_sensitive_like", true).expect("a setting of SQLite");
    let tables = Engine::Sqlite.tables(documents);
    connection.execute_batch(&tables).unwrap_or_else(|error| panic!("{error}: {tables}"));
    let answer = |statement: &String| -> rusqlite::Result<Vec<Row>> {
        let mut prepared = connection.prepare(statement)?;
        let columns = prepared.column_count();
        let rows = prepared.query_map((), |row| (0..columns).map(|at| row.get(at)).collect())?;
        rows.collect()
    };
    let ask = |text: &String| answer(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    statements.iter().map(ask).collect()
}
