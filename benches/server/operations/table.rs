//! Figures, their yardsticks and goals.

use std::collections::BTreeMap;

use comfy_table::Table;
use folio_benches::median;
use serde_json::{Value as Json, json};

/// What a figure is set against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yard {
    /// Nothing: it is a yardstick.
    Own,
    /// Another figure, by its name.
    Of(&'static str),
}

/// A thing that is measured.
#[derive(Debug, Clone, Copy)]
pub struct What {
    /// What is done.
    pub name: &'static str,
    /// What it is set against.
    pub yard: Yard,
    /// The ratio that is not to be exceeded.
    pub goal: Option<f64>,
}

/// A yardstick.
pub const fn yardstick(name: &'static str) -> What {
    What { name, yard: Yard::Own, goal: None }
}

/// A figure with a goal.
pub const fn against(name: &'static str, yard: &'static str, goal: f64) -> What {
    What { name, yard: Yard::Of(yard), goal: Some(goal) }
}

/// All figures of all rounds.
#[derive(Default)]
pub struct Figures {
    order: Vec<What>,
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Figures {
    /// Takes a figure of one round.
    pub fn take(&mut self, what: What, value: f64) {
        if !self.values.contains_key(what.name) {
            self.order.push(what);
        }
        self.values.entry(what.name).or_default().push(value);
    }

    /// Each figure's median, and its ratio to that of its yardstick.
    pub fn rows(&self) -> Vec<Figure> {
        let value = |name: &str| median(self.values[name].iter().copied());
        let row = |what: &What| {
            let ratio = match what.yard {
                Yard::Own => None,
                Yard::Of(yard) => Some(value(what.name) / value(yard)),
            };
            Figure { what: *what, value: value(what.name), ratio }
        };
        self.order.iter().map(row).collect()
    }
}

/// A row of the table.
pub struct Figure {
    what: What,
    value: f64,
    ratio: Option<f64>,
}

impl Figure {
    /// As a member of the report.
    pub fn json(&self, documents: u64) -> Json {
        let yard = match self.what.yard {
            Yard::Own => None,
            Yard::Of(yard) => Some(yard),
        };
        json!({
            "documents": documents,
            "figure": self.what.name,
            "value": self.value,
            "yardstick": yard,
            "ratio": self.ratio,
            "goal": self.what.goal,
        })
    }
}

/// The table as it is shown.
pub fn printed(rows: &[Figure]) -> Table {
    let mut table = Table::new();
    table.set_header(["", "us or bytes", "ratio", "of", "goal", ""]);
    for Figure { what, value, ratio } in rows {
        let yard = match what.yard {
            Yard::Own => "",
            Yard::Of(yard) => yard,
        };
        let is_met = what.goal.zip(*ratio).map(|(goal, ratio)| ratio <= goal);
        table.add_row([
            what.name.to_owned(),
            format!("{value:.3}"),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            yard.to_owned(),
            what.goal.map_or_else(String::new, |goal| format!("{goal}")),
            is_met.map_or("", |is_met| if is_met { "met" } else { "missed" }).to_owned(),
        ]);
    }
    table
}
