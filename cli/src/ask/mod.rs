//! Questions to the server: from the words of the command line or a sentence of the shell to a command, and from its answer to
//! what is shown.
//!
//! ```text
//! find users where age > $min order by age desc limit 10 select name, age
//!   token      words, strings and signs, each with its place
//!   sentence   the clauses between them
//!   question   DOC.FIND users WHERE "age > $min" PARAMS 1 min 18 ORDER 1 age DESC ..
//!   show       rows as a table, records or JSON
//! ```

pub mod question;
pub mod sentence;
pub mod show;
pub mod token;

pub use question::Parameters;
pub use show::{Answer, Style};
