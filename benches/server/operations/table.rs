//! Figures, their yardsticks and goals, and the same done otherwise.

use std::collections::BTreeMap;

use folio_benches::median;
use serde_json::{Value as Json, json};

/// Who does what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Folio; and what both are set against, plain strings on the same server.
    Folio,
    /// Scripts that keep indexes as sets, sorted sets and hashes.
    ByHand,
    /// A server with other modules.
    Peer,
}

/// Which table a figure stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What commands cost.
    Commands,
    /// What a document and each index take of memory.
    Layers,
    /// How cost goes with the size of documents.
    Sizes,
    /// What redis-benchmark sees.
    Tool,
}

/// A thing that is measured.
#[derive(Debug, Clone)]
pub struct What {
    /// What is done.
    pub name: String,
    /// The name of the figure that it is set against; a yardstick has none.
    pub yard: Option<String>,
    /// What is not to be exceeded: by the ratio, or by the figure itself if it has none.
    pub goal: Option<f64>,
    /// Whether the ratio is not to grow with the number of documents.
    pub is_steady: bool,
    /// Where it stands.
    pub part: Part,
    /// What is counted.
    pub unit: &'static str,
}

/// Microseconds of processor time, bytes of memory: what most figures are.
pub const MICROS: &str = "us";
/// The other.
pub const BYTES: &str = "bytes";

/// A yardstick.
pub fn yardstick(name: &str) -> What {
    let name = name.to_owned();
    let part = Part::Commands;
    What { name, yard: None, goal: None, is_steady: false, part, unit: MICROS }
}

/// A figure that is set against another.
pub fn against(name: &str, yard: &str) -> What {
    What { yard: Some(yard.to_owned()), ..yardstick(name) }
}

impl What {
    /// With a goal.
    pub fn goal(self, goal: f64) -> Self {
        What { goal: Some(goal), ..self }
    }

    /// Whose ratio is not to grow with the number of documents.
    pub fn steady(self) -> Self {
        What { is_steady: true, ..self }
    }

    /// In another table than that of commands.
    pub fn part(self, part: Part) -> Self {
        What { part, ..self }
    }

    /// In another unit than microseconds.
    pub fn unit(self, unit: &'static str) -> Self {
        What { unit, ..self }
    }
}

/// All figures of all rounds.
#[derive(Default)]
pub struct Figures {
    order: Vec<What>,
    values: BTreeMap<(Who, String), Vec<f64>>,
}

impl Figures {
    /// Takes a figure of one round.
    pub fn take(&mut self, what: What, value: f64) {
        let values = self.values.entry((Who::Folio, what.name.clone())).or_default();
        if values.is_empty() {
            self.order.push(what);
        }
        values.push(value);
    }

    /// Takes what the same costs someone else.
    ///
    /// # Panics
    /// No figure has this name: twins are taken after what they are twins of.
    pub fn twin(&mut self, who: Who, name: &str, value: f64) {
        assert!(self.order.iter().any(|what| what.name == name), "there is no figure '{name}'");
        self.values.entry((who, name.to_owned())).or_default().push(value);
    }

    fn value(&self, who: Who, name: &str) -> Option<f64> {
        let values = self.values.get(&(who, name.to_owned()))?;
        Some(median(values.iter().copied()))
    }

    /// What someone's figure comes to. A peer is another server and has yardsticks of its own.
    fn cost(&self, who: Who, what: &What) -> Option<Cost> {
        let value = self.value(who, &what.name)?;
        let of = |yard: &String| self.value(who, yard).or_else(|| self.value(Who::Folio, yard));
        let yard = what.yard.as_ref().and_then(of);
        Some(Cost { value, ratio: yard.map(|yard| value / yard) })
    }

    /// Each figure's median, and its ratio to that of its yardstick.
    pub fn rows(&self) -> Vec<Figure> {
        let row = |what: &What| {
            let own = self.cost(Who::Folio, what).expect("a figure that has a place has a value");
            let (by_hand, peer) = (self.cost(Who::ByHand, what), self.cost(Who::Peer, what));
            Figure { what: what.clone(), own, by_hand, peer }
        };
        self.order.iter().map(row).collect()
    }
}

/// What something costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// In its unit.
    pub value: f64,
    /// To the yardstick.
    pub ratio: Option<f64>,
}

/// A row of a table.
pub struct Figure {
    /// What is measured.
    pub what: What,
    /// What it costs Folio, or plain strings.
    pub own: Cost,
    /// What the same costs who keeps indexes by hand.
    pub by_hand: Option<Cost>,
    /// What it costs a server with other modules.
    pub peer: Option<Cost>,
}

impl Figure {
    /// The cost to someone, if it was measured.
    pub fn cost(&self, who: Who) -> Option<Cost> {
        match who {
            Who::Folio => Some(self.own),
            Who::ByHand => self.by_hand,
            Who::Peer => self.peer,
        }
    }

    /// Whether the goal is met, if there is one.
    pub fn is_met(&self) -> Option<bool> {
        let judged = self.own.ratio.unwrap_or(self.own.value);
        self.what.goal.map(|goal| judged <= goal)
    }

    /// As a member of the report.
    pub fn json(&self, documents: u64) -> Json {
        let ratio = |cost: Option<Cost>| cost.and_then(|cost| cost.ratio);
        json!({
            "documents": documents,
            "figure": self.what.name,
            "value": self.own.value,
            "unit": self.what.unit,
            "yardstick": self.what.yard,
            "ratio": self.own.ratio,
            "goal": self.what.goal,
            "by_hand": self.by_hand.map(|cost| cost.value),
            "by_hand_ratio": ratio(self.by_hand),
            "peer": self.peer.map(|cost| cost.value),
            "peer_ratio": ratio(self.peer),
        })
    }
}
