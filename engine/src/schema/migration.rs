//! Schema versions: the one in force, and the functions that bring a document from one to the next, or back.
//!
//! Migration `n` leads from version `n - 1` to `n` and, if it has a function for that, back. Those that are declared follow
//! each other without a gap; old ones may be dropped when no document needs them any more.

use super::Callee;
use crate::doc::SCHEMA_MAX;
use crate::error::{Code, Error, Result};

/// Migrations of a collection: old ones are dropped some day.
const MIGRATIONS_MAX: usize = 256;

/// A step between two schema versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The version that it leads to, from the one before.
    pub number: u16,
    /// Called with a document of the version before; what it gives is merged (RFC 7396).
    pub up: Callee,
    /// Called with a document of this version, to bring it back; none where there is no way back.
    pub down: Option<Callee>,
}

/// The schema version of a collection, and its migrations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Migrations {
    /// The version in force: what is written whole has it.
    pub version: u16,
    /// Only documents that are written are brought there.
    pub is_lazy: bool,
    /// By ascending numbers.
    pub steps: Vec<Migration>,
}

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::new(Code::Schema, what))
}

impl Migrations {
    /// Declares one more, in its place. One of its number is none that [`Definition::validate`](super::Definition::validate)
    /// lets pass.
    pub fn add(&mut self, migration: Migration) {
        let at = self.steps.partition_point(|held| held.number <= migration.number);
        self.steps.insert(at, migration);
    }

    /// Errors: `SCHEMA`, `LIMITED`.
    pub(super) fn validate(&self) -> Result<()> {
        let Migrations { version, steps, .. } = self;
        if *version > SCHEMA_MAX {
            return refuse(format!("schema version {version} exceeds the limit of {SCHEMA_MAX}"));
        }
        if steps.len() > MIGRATIONS_MAX {
            let what = format!("{} migrations exceed the limit of {MIGRATIONS_MAX}", steps.len());
            return Err(Error::new(Code::Limited, what));
        }
        for step in steps {
            if !(1..=SCHEMA_MAX).contains(&step.number) {
                let what = format!("MIGRATION {} is not from 1 to {SCHEMA_MAX}", step.number);
                return refuse(what);
            }
        }
        for pair in steps.windows(2) {
            let (before, after) = (pair[0].number, pair[1].number);
            if after != before + 1 {
                let what =
                    format!("MIGRATION {after} follows {before}: they have no gap, and ascend");
                return refuse(what);
            }
        }
        match (steps.first(), steps.last()) {
            (Some(first), Some(last)) if !(first.number - 1..=last.number).contains(version) => {
                refuse(format!(
                    "no migration leads to schema version {version}, which is in force: they are {} to {}",
                    first.number, last.number
                ))
            }
            _ => Ok(()),
        }
    }

    /// The functions that bring a document of version `from` to the one in force, in order; none where it has that, or the
    /// collection has no migrations. Error: `SCHEMA`, where no way leads there.
    pub fn way(&self, from: u16) -> Result<Vec<&Callee>> {
        if self.steps.is_empty() {
            return Ok(Vec::new());
        }
        self.way_to(from, self.version)
    }

    /// The functions that lead from a version to another, in order. Error: `SCHEMA`, where one is missing.
    pub fn way_to(&self, from: u16, to: u16) -> Result<Vec<&Callee>> {
        let first = self.steps.first().map_or(0, |first| first.number);
        let step = |number: u16| {
            let found = number.checked_sub(first).and_then(|at| self.steps.get(usize::from(at)));
            let missing = || {
                let what = format!("no MIGRATION {number} is declared");
                Error::new(Code::Schema, format!("{what}: version {to} is not reached from {from}"))
            };
            found.ok_or_else(missing)
        };
        if from <= to {
            return (from + 1..=to).map(|number| step(number).map(|it| &it.up)).collect();
        }
        let down = |number: u16| {
            let none = || {
                let what = format!("MIGRATION {number} has no DOWN");
                Error::new(Code::Schema, format!("{what}: version {to} is not reached from {from}"))
            };
            step(number)?.down.as_ref().ok_or_else(none)
        };
        (to + 1..=from).rev().map(down).collect()
    }

    /// The version that an updated document has: the one in force, to which it was brought; where there are no migrations its
    /// own, which was another collection's.
    pub(crate) fn of_updated(&self, held: u16) -> u16 {
        if self.steps.is_empty() { held } else { self.version }
    }

    /// Whether a document of this version is to be migrated.
    pub(crate) fn awaits(&self, of: u16) -> bool {
        !self.steps.is_empty() && of != self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::schema::Definition;

    fn step(number: u16, has_down: bool) -> Migration {
        let up = Callee::new(&format!("up{number}"));
        Migration { number, up, down: has_down.then(|| Callee::new(&format!("down{number}"))) }
    }

    fn steps(numbers: std::ops::RangeInclusive<u16>, version: u16) -> Migrations {
        let steps = numbers.map(|number| step(number, number != 2)).collect();
        Migrations { version, is_lazy: false, steps }
    }

    fn way(migrations: &Migrations, from: u16) -> String {
        match migrations.way(from) {
            Ok(way) => way.iter().map(|callee| callee.name()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_way_leads_step_by_step() {
        let up = steps(1..=4, 4);
        assert_eq!(way(&up, 4), "");
        assert_eq!(way(&up, 0), "up1 up2 up3 up4");
        assert_eq!(way(&up, 3), "up4");
        assert_eq!(way(&steps(1..=4, 2), 4), "down4 down3");
        let none = "SCHEMA MIGRATION 2 has no DOWN: version 1 is not reached from 3";
        assert_eq!(way(&steps(1..=4, 1), 3), none);
        let none = "SCHEMA no MIGRATION 2 is declared: version 4 is not reached from 1";
        assert_eq!(way(&steps(3..=4, 4), 1), none);
        assert_eq!(
            way(&up, 9),
            "SCHEMA no MIGRATION 9 is declared: version 4 is not reached from 9"
        );
        assert_eq!(way(&Migrations { version: 3, ..Migrations::default() }, 9), "");
        assert!(steps(1..=4, 3).way_to(3, 4).is_ok());
        assert!(steps(1..=4, 2).way_to(2, 1).is_err());
        assert!(Migrations::default().way_to(0, 1).is_err());
        let own = |migrations: &Migrations| (migrations.of_updated(3), migrations.awaits(3));
        assert_eq!(own(&steps(1..=4, 4)), (4, true));
        assert_eq!(own(&Migrations::default()), (3, false));
    }

    #[test]
    fn a_definition_holds_them() {
        let json = r#"{"collection":"u","prefix":"u:","mode":"open","fields":[],"schema":1,"lazy":true,"migrations":[{"to":1,"up":"a","down":"b"},{"to":2,"up":"c"}]}"#;
        let read = |json: &str| Definition::from_json(json.as_bytes(), &Limits::default());
        let definition = read(json).unwrap();
        assert_eq!(definition.to_json(), json);
        let named: Vec<String> =
            definition.callees().map(|(at, callee)| format!("{at} {}", callee.name())).collect();
        assert_eq!(named, ["MIGRATION 1 a", "MIGRATION 1 b", "MIGRATION 2 c"]);
        assert!(!definition.asks_functions());
        let refused = |members: &str| {
            read(&format!(r#"{{"collection":"u",{members}}}"#)).unwrap_err().to_string()
        };
        for (members, told) in [
            (
                r#""schema":3,"migrations":[{"to":1,"up":"a"},{"to":2,"up":"a"}]"#,
                "SCHEMA no migration leads to schema version 3, which is in force: they are 1 to 2",
            ),
            (
                r#""schema":1,"migrations":[{"to":3,"up":"a"}]"#,
                "SCHEMA no migration leads to schema version 1, which is in force: they are 3 to 3",
            ),
            (
                r#""migrations":[{"to":1,"up":"a"},{"to":3,"up":"a"}]"#,
                "SCHEMA MIGRATION 3 follows 1: they have no gap, and ascend",
            ),
            (
                r#""migrations":[{"to":1,"up":"a"},{"to":1,"up":"a"}]"#,
                "SCHEMA MIGRATION 1 follows 1: they have no gap, and ascend",
            ),
            (r#""migrations":[{"to":0,"up":"a"}]"#, "SCHEMA MIGRATION 0 is not from 1 to 16383"),
            (r#""schema":16384"#, "SCHEMA schema version 16384 exceeds the limit of 16383"),
            (
                r#""schema":70000"#,
                "SCHEMA definition: schema: invalid value: integer `70000`, expected u16",
            ),
        ] {
            let error = refused(members);
            assert!(error.starts_with(told), "{error}");
        }
        assert_eq!(read(r#"{"collection":"u","schema":7}"#).unwrap().migrations.version, 7);
    }
}
