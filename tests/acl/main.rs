//! What users may touch: every command by every kind of user, and the decision whether a key pattern covers a
//! collection, held to rules that are written here anew and to the server's own judgement of keys.

mod changes;
mod commands;
mod covers;
mod glob;
mod matrix;
mod users;
