//! Tables, as they are printed and as Markdown.

use std::fmt::Write;

use comfy_table::Table;

use super::Run;
use super::sizes::{self, SIZES};
use super::table::{Cost, Figure, Part, Who};

/// By how much a steady ratio may grow from the smallest number of documents to the largest.
pub const GROWTH_GOAL: f64 = 1.3;

/// A table before it has a form.
pub struct Grid {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// For a terminal.
    pub fn printed(&self) -> String {
        let mut table = Table::new();
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        format!("{}\n{table}\n", self.title)
    }

    fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let mut line = |cells: &[&str]| {
            writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes everything");
        };
        line(&self.header.iter().map(String::as_str).collect::<Vec<_>>());
        line(&vec!["---"; self.header.len()]);
        for row in &self.rows {
            line(&row.iter().map(String::as_str).collect::<Vec<_>>());
        }
        text
    }
}

/// The tables of one number of documents; those without figures are left out.
pub fn grids(run: &Run) -> Vec<Grid> {
    let tables = [commands(run), layers(run), by_size(run), tool(run)];
    tables.into_iter().filter(|grid| !grid.rows.is_empty()).collect()
}

/// All of a report.
pub fn markdown(runs: &[Run]) -> String {
    let mut parts = Vec::new();
    for run in runs {
        parts.push(format!("## {} documents\n", grouped(run.documents)));
        parts.extend(grids(run).iter().map(Grid::markdown));
    }
    parts.extend(growth(runs).iter().map(Grid::markdown));
    parts.join("\n")
}

fn of_part(run: &Run, part: Part) -> impl Iterator<Item = &Figure> {
    run.rows.iter().filter(move |row| row.what.part == part)
}

fn commands(run: &Run) -> Grid {
    let has_peer = run.rows.iter().any(|row| row.peer.is_some());
    let mut header = words(&["what", "us, or bytes", "ratio", "of", "goal", "by hand"]);
    header.extend(has_peer.then(|| "peer".to_owned()));
    header.push(String::new());
    let row = |figure: &Figure| {
        let Figure { what, own, by_hand, peer } = figure;
        let mut cells = vec![
            what.name.clone(),
            format!("{:.2}", own.value),
            ratio(Some(*own)),
            what.yard.clone().unwrap_or_default(),
            what.goal.map_or_else(String::new, |goal| format!("{goal}")),
            ratio(*by_hand),
        ];
        if has_peer {
            cells.push(ratio(*peer));
        }
        cells.push(verdict(figure.is_met()));
        cells
    };
    let rows = of_part(run, Part::Commands).map(row).collect();
    Grid { title: "What commands cost".into(), header, rows }
}

fn layers(run: &Run) -> Grid {
    let row = |figure: &Figure| {
        let goal = figure.what.goal.map_or_else(String::new, |goal| format!("{goal}"));
        let by_hand = figure.by_hand.map_or_else(String::new, |cost| bytes(cost.value));
        let name = figure.what.name.clone();
        vec![name, bytes(figure.own.value), goal, by_hand, verdict(figure.is_met())]
    };
    Grid {
        title: "Memory by layer".into(),
        header: words(&["what", "bytes a document", "goal", "by hand", ""]),
        rows: of_part(run, Part::Layers).map(row).collect(),
    }
}

fn by_size(run: &Run) -> Grid {
    let row = |size: &str| {
        let cost = |verb| {
            let name = sizes::name(verb, size);
            run.rows.iter().find(|row| row.what.name == name).map(|row| row.own)
        };
        let (set, get) = (cost("SET")?, cost("GET")?);
        let (doc_set, doc_get) = (cost("DOC.SET")?, cost("DOC.GET")?);
        let us = |cost: Cost| format!("{:.2}", cost.value);
        Some(vec![
            size.to_owned(),
            us(set),
            us(doc_set),
            ratio(Some(doc_set)),
            us(get),
            us(doc_get),
            ratio(Some(doc_get)),
        ])
    };
    Grid {
        title: "Documents by size, without an index, in us".into(),
        header: words(&["size", "SET", "DOC.SET", "ratio", "GET", "DOC.GET", "ratio"]),
        rows: SIZES.iter().filter_map(|(_, size)| row(size)).collect(),
    }
}

/// Its figures come in pairs: requests a second, and the median time of one.
fn tool(run: &Run) -> Grid {
    let figures: Vec<&Figure> = of_part(run, Part::Tool).collect();
    let name = |name: &str| name.trim_start_matches("redis-benchmark: ").to_owned();
    let row = |pair: &[&Figure]| {
        let [rate, median] = pair else { panic!("a rate comes with a median") };
        vec![
            name(&rate.what.name),
            grouped(rate.own.value as u64),
            ratio(Some(rate.own)),
            rate.what.yard.as_deref().map(name).unwrap_or_default(),
            format!("{:.3}", median.own.value),
        ]
    };
    Grid {
        title: "What redis-benchmark sees (by the clock: for orientation)".into(),
        header: words(&["what", "requests/s", "ratio", "of", "median, ms"]),
        rows: figures.chunks(2).map(row).collect(),
    }
}

/// How ratios go with the number of documents, if there are several.
pub fn growth(runs: &[Run]) -> Option<Grid> {
    let (first, last) = (runs.first()?, runs.last()?);
    if runs.len() < 2 {
        return None;
    }
    let mut header = words(&["what"]);
    header.extend(runs.iter().map(|run| grouped(run.documents)));
    header.extend(words(&["growth", "goal", ""]));
    let row = |figure: &Figure| {
        let growth = grown(figure, last)?;
        let at = |run: &Run| ratio(find(run, &figure.what.name).map(|row| row.own));
        let is_steady = figure.what.is_steady;
        let mut cells = vec![figure.what.name.clone()];
        cells.extend(runs.iter().map(at));
        cells.push(format!("{growth:.2}"));
        cells.push(if is_steady { GROWTH_GOAL.to_string() } else { String::new() });
        cells.push(verdict(is_steady.then_some(growth <= GROWTH_GOAL)));
        Some(cells)
    };
    let rows = first.rows.iter().filter_map(row).collect();
    let title = "Growth: ratios by the number of documents, and the last to the first".into();
    Some(Grid { title, header, rows })
}

/// The ratio at the end to that at the beginning.
pub fn grown(figure: &Figure, last: &Run) -> Option<f64> {
    let end = find(last, &figure.what.name)?.own.ratio?;
    (figure.what.part == Part::Commands).then_some(end / figure.own.ratio?)
}

fn find<'a>(run: &'a Run, name: &str) -> Option<&'a Figure> {
    run.rows.iter().find(|row| row.what.name == name)
}

/// A figure's yardstick behind all others: plain strings.
pub fn plain<'a>(run: &'a Run, figure: &'a Figure) -> Option<&'a Figure> {
    let mut found = find(run, figure.what.yard.as_ref()?)?;
    while let Some(yard) = &found.what.yard {
        found = find(run, yard)?;
    }
    Some(found)
}

/// Who is to be shown: a peer only if it was measured.
pub fn shown(run: &Run) -> Vec<Who> {
    let is_measured = |who: &Who| run.rows.iter().any(|row| row.cost(*who).is_some());
    [Who::Folio, Who::ByHand, Who::Peer].into_iter().filter(is_measured).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn ratio(cost: Option<Cost>) -> String {
    let ratio = cost.and_then(|cost| cost.ratio);
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

fn bytes(value: f64) -> String {
    format!("{value:.1}")
}

fn verdict(is_met: Option<bool>) -> String {
    is_met.map_or("", |is_met| if is_met { "met" } else { "missed" }).to_owned()
}

/// A number whose thousands stand apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 34_006, 1_000_000].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "34,006", "1,000,000"]);
    }
}
