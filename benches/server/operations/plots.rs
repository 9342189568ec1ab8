//! Figures as drawings: SVG, with the fonts of whoever looks at it.
//!
//! ```text
//! throughput.svg   bars: operations a second of processor time, by hand and by Folio and of plain strings
//! sizes.svg        lines: time by the size of a document
//! layers.svg       stacked bars: what a document and each index take of memory
//! growth.svg       bars: how ratios grow with the number of documents, where several were measured
//! ```
//! Everything is placed by pixels: there are no fonts to measure texts with, so that none may depend on another's length.

use std::error::Error;
use std::path::Path;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

use super::Run;
use super::report::{self, GROWTH_GOAL};
use super::sizes::{self, SIZES, VERBS};
use super::table::{Figure, MICROS, Part, Who};
use super::writes::{LAYER_ALL, STRING};

type Drawn = Result<(), Box<dyn Error>>;

const WHITE: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(34, 40, 49);
const PALE: RGBColor = RGBColor(108, 117, 125);
const GRID: RGBColor = RGBColor(226, 230, 234);
const BLUE: RGBColor = RGBColor(43, 108, 176);
const SKY: RGBColor = RGBColor(116, 172, 223);
const GREY: RGBColor = RGBColor(160, 170, 180);
const ORANGE: RGBColor = RGBColor(221, 132, 82);
const GREEN: RGBColor = RGBColor(72, 152, 104);
const RED: RGBColor = RGBColor(192, 57, 43);
/// A document, and each of its indexes.
const LAYERS: [RGBColor; 7] = [
    RGBColor(190, 198, 206),
    RGBColor(38, 70, 119),
    BLUE,
    SKY,
    RGBColor(42, 124, 111),
    RGBColor(118, 184, 160),
    RGBColor(231, 184, 96),
];

const WIDTH: i32 = 1_000;
/// Where bars begin: names stand before, at their right.
const LEFT: i32 = 310;
/// Where bars end at most: figures stand behind.
const RIGHT: i32 = 900;
/// Where the first bar begins: the title, what is shown and the legend stand above.
const TOP: i32 = 110;

/// Draws all of the last number of documents, and growth over all.
pub fn draw(folder: &Path, runs: &[Run]) -> Drawn {
    let Some(last) = runs.last() else { return Ok(()) };
    throughput(&folder.join("throughput.svg"), last)?;
    by_size(&folder.join("sizes.svg"), last)?;
    layers(&folder.join("layers.svg"), last)?;
    if runs.len() > 1 {
        growth(&folder.join("growth.svg"), runs)?;
    }
    Ok(())
}

/// What is drawn on.
struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    fn new(path: &'a Path, height: i32, title: &str, shown: &str) -> Result<Self, Box<dyn Error>> {
        let area = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let canvas = Canvas { area };
        canvas.text((24, 30), title, 24, INK, HPos::Left)?;
        canvas.text((24, 56), shown, 16, PALE, HPos::Left)?;
        Ok(canvas)
    }

    fn text(&self, at: (i32, i32), text: &str, size: i32, color: RGBColor, anchor: HPos) -> Drawn {
        let font = ("sans-serif", size).into_font();
        let style = TextStyle::from(font).pos(Pos::new(anchor, VPos::Center)).color(&color);
        Ok(self.area.draw(&Text::new(text.to_owned(), at, style))?)
    }

    fn bar(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
        Ok(self.area.draw(&Rectangle::new([from, to], color.filled()))?)
    }

    fn line(&self, points: Vec<(i32, i32)>, color: RGBColor, width: u32) -> Drawn {
        Ok(self.area.draw(&PathElement::new(points, color.stroke_width(width)))?)
    }

    /// Colours and what they stand for, side by side.
    fn legend(&self, y: i32, entries: &[(RGBColor, &str)]) -> Drawn {
        let each = (WIDTH - 48) / (entries.len().max(4) as i32);
        for (n, (color, name)) in entries.iter().enumerate() {
            let x = 24 + n as i32 * each;
            self.bar((x, y - 6), (x + 14, y + 6), *color)?;
            self.text((x + 21, y), name, 15, INK, HPos::Left)?;
        }
        Ok(())
    }

    /// Upright lines with names beneath.
    fn uprights(&self, from: i32, to: i32, lines: &[(i32, String)]) -> Drawn {
        for (x, name) in lines {
            self.line(vec![(*x, from), (*x, to)], GRID, 1)?;
            self.text((*x, to + 18), name, 14, PALE, HPos::Center)?;
        }
        Ok(())
    }
}

/// Where a value stands between two others, the distances those of their logarithms.
fn logarithmic(value: f64, (low, high): (f64, f64), (from, to): (i32, i32)) -> i32 {
    let part = (value.max(low) / low).ln() / (high / low).ln();
    from + (part * f64::from(to - from)).round() as i32
}

fn linear(value: f64, high: f64, (from, to): (i32, i32)) -> i32 {
    from + (value / high * f64::from(to - from)).round() as i32
}

/// The powers of ten from below all values to above them.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let high = values.fold(0.0, f64::max).log10().ceil();
    (10f64.powf(low), 10f64.powf(high.max(low + 1.0)))
}

fn powers((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(low), |power| Some(power * 10.0))
        .take_while(move |power| *power <= high * 1.001)
}

/// A number as short as it can be read.
fn short(value: f64) -> String {
    let text = match value {
        1e6.. => format!("{:.1} M", value / 1e6),
        1e4.. => format!("{:.0} k", value / 1e3),
        1e3.. => format!("{:.1} k", value / 1e3),
        10.0.. => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    };
    text.replace(".0", "")
}

fn color_of(who: Who) -> (RGBColor, &'static str) {
    match who {
        Who::Folio => (BLUE, "Folio"),
        Who::ByHand => (ORANGE, "kept by hand"),
        Who::Peer => (GREEN, "another server's modules"),
    }
}

/// The bars of a row: plain strings, and whoever does the same with documents.
fn rates(run: &Run, figure: &Figure) -> Vec<(RGBColor, f64)> {
    let plain = report::plain(run, figure).map(|yard| (GREY, 1e6 / yard.own.value));
    let of = |who| Some((color_of(who).0, 1e6 / figure.cost(who)?.value));
    plain.into_iter().chain(report::shown(run).into_iter().filter_map(of)).collect()
}

fn throughput(path: &Path, run: &Run) -> Drawn {
    const BAR: i32 = 14;
    const GAP: i32 = 14;
    let is_shown = |figure: &&Figure| {
        let what = &figure.what;
        what.part == Part::Commands && what.unit == MICROS && what.yard.is_some()
    };
    let rows: Vec<(&Figure, Vec<(RGBColor, f64)>)> =
        run.rows.iter().filter(is_shown).map(|figure| (figure, rates(run, figure))).collect();
    let scale = decades(rows.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.1)));
    let heights: i32 = rows.iter().map(|(_, bars)| bars.len() as i32 * BAR + GAP).sum();
    let bottom = TOP + heights;
    let shown = format!(
        "operations in a second of the server's processor time, {} documents; longer is better, the scale is logarithmic",
        report::grouped(run.documents)
    );
    let canvas = Canvas::new(path, bottom + 40, "Throughput by operation", &shown)?;
    let mut legend = vec![(GREY, "plain SET or GET")];
    legend.extend(report::shown(run).into_iter().map(color_of));
    canvas.legend(84, &legend)?;
    let x = |value| logarithmic(value, scale, (LEFT, RIGHT));
    let lines: Vec<_> = powers(scale).map(|power| (x(power), short(power))).collect();
    canvas.uprights(TOP - 4, bottom, &lines)?;
    let mut y = TOP + GAP / 2;
    for (figure, bars) in rows {
        let height = bars.len() as i32 * BAR;
        canvas.text((LEFT - 12, y + height / 2), &figure.what.name, 15, INK, HPos::Right)?;
        for (color, value) in bars {
            canvas.bar((LEFT, y + 1), (x(value), y + BAR - 1), color)?;
            canvas.text((x(value) + 6, y + BAR / 2), &short(value), 13, INK, HPos::Left)?;
            y += BAR;
        }
        y += GAP;
    }
    Ok(canvas.area.present()?)
}

fn by_size(path: &Path, run: &Run) -> Drawn {
    const BOTTOM: i32 = 520;
    const SIDES: (i32, i32) = (90, 900);
    let cost = |verb: &str, size: &str| {
        let name = sizes::name(verb, size);
        run.rows.iter().find(|row| row.what.name == name).map(|row| row.own.value)
    };
    let lines: Vec<(&str, Vec<(usize, f64)>)> = VERBS
        .iter()
        .map(|(verb, _)| {
            let point = |&(bytes, size): &(usize, &str)| Some((bytes, cost(verb, size)?));
            (*verb, SIZES.iter().filter_map(point).collect())
        })
        .collect();
    if lines.iter().all(|(_, points)| points.is_empty()) {
        return Ok(());
    }
    let values = || lines.iter().flat_map(|(_, points)| points.iter().map(|point| point.1));
    let scale = (decades(values()).0, values().fold(0.0, f64::max) * 1.2);
    let shown = "microseconds of the server's processor time for a document of this size, no index; both scales are logarithmic";
    let canvas = Canvas::new(path, BOTTOM + 50, "Time by size of a document", shown)?;
    let ends = (SIZES[0].0 as f64, SIZES[SIZES.len() - 1].0 as f64);
    let x = |bytes: usize| logarithmic(bytes as f64, ends, SIDES);
    let y = |value| logarithmic(value, scale, (BOTTOM, TOP));
    let names: Vec<_> = SIZES.iter().map(|(bytes, size)| (x(*bytes), (*size).to_owned())).collect();
    canvas.uprights(TOP, BOTTOM, &names)?;
    for power in powers(scale) {
        canvas.line(vec![(SIDES.0, y(power)), (SIDES.1, y(power))], GRID, 1)?;
        canvas.text((SIDES.0 - 10, y(power)), &format!("{power} us"), 14, PALE, HPos::Right)?;
    }
    let colors = [GREY, PALE, BLUE, SKY];
    let legend: Vec<_> = colors.into_iter().zip(lines.iter().map(|line| line.0)).collect();
    canvas.legend(84, &legend)?;
    let mut labels: Vec<(i32, &str)> = Vec::new();
    for ((verb, points), color) in lines.iter().zip(colors) {
        let points: Vec<_> = points.iter().map(|(bytes, us)| (x(*bytes), y(*us))).collect();
        labels.extend(points.last().map(|end| (end.1, *verb)));
        for point in &points {
            canvas.area.draw(&Circle::new(*point, 4, color.filled()))?;
        }
        canvas.line(points, color, 2)?;
    }
    labels.sort_unstable();
    let mut free = i32::MIN;
    for (y, verb) in labels {
        // Names of lines that end close together are moved apart.
        let y = y.max(free);
        free = y + 17;
        canvas.text((SIDES.1 + 12, y), verb, 15, INK, HPos::Left)?;
    }
    Ok(canvas.area.present()?)
}

fn layers(path: &Path, run: &Run) -> Drawn {
    const BAR: i32 = 46;
    const GAP: i32 = 20;
    const START: i32 = 150;
    let of_layers =
        |figure: &&Figure| figure.what.part == Part::Layers && figure.what.name != LAYER_ALL;
    let figures: Vec<&Figure> = run.rows.iter().filter(of_layers).collect();
    let string = run.rows.iter().find(|row| row.what.name == STRING).map(|row| row.own.value);
    let mut bars: Vec<(&str, Vec<f64>)> = vec![("plain string", string.into_iter().collect())];
    for who in [Who::Folio, Who::ByHand] {
        let values = figures.iter().filter_map(|figure| Some(figure.cost(who)?.value)).collect();
        bars.push((color_of(who).1, values));
    }
    let total = |values: &[f64]| values.iter().sum::<f64>();
    let longest = bars.iter().map(|(_, values)| total(values)).fold(1.0, f64::max);
    let top = TOP + 36;
    let bottom = top + bars.len() as i32 * (BAR + GAP);
    let shown = format!(
        "bytes of memory for each of {} documents of 400 bytes with six indexes; beside the names: Folio / kept by hand",
        report::grouped(run.documents)
    );
    let canvas = Canvas::new(path, bottom + 40, "Memory by layer", &shown)?;
    let name = |figure: &&Figure| {
        let costs = [Who::Folio, Who::ByHand].map(|who| figure.cost(who).map(|cost| cost.value));
        let [own, by_hand] = costs.map(|bytes| bytes.map_or_else(String::new, short));
        format!("{}: {own} / {by_hand}", figure.what.name)
    };
    let names: Vec<String> = figures.iter().map(name).collect();
    let legend: Vec<_> = LAYERS.into_iter().zip(names.iter().map(String::as_str)).collect();
    let (first, second) = legend.split_at(legend.len().min(4));
    canvas.legend(86, first)?;
    canvas.legend(112, second)?;
    let x = |value| linear(value, longest, (START, RIGHT));
    let step = if longest > 1_000.0 { 250 } else { 100 };
    let lines: Vec<_> = (0..=longest as usize / step)
        .map(|n| (x((n * step) as f64), (n * step).to_string()))
        .collect();
    canvas.uprights(top, bottom, &lines)?;
    let mut y = top + GAP / 2;
    for (name, values) in &bars {
        canvas.text((START - 12, y + BAR / 2), name, 15, INK, HPos::Right)?;
        let mut sum = 0.0;
        for (value, color) in values.iter().zip(LAYERS) {
            canvas.bar((x(sum), y), (x(sum + value), y + BAR), color)?;
            if x(sum + value) - x(sum) > 32 {
                let middle = i32::midpoint(x(sum), x(sum + value));
                let is_dark = color == LAYERS[1] || color == LAYERS[2] || color == LAYERS[4];
                let ink = if is_dark { WHITE } else { INK };
                canvas.text((middle, y + BAR / 2), &short(*value), 13, ink, HPos::Center)?;
            }
            sum += value;
        }
        canvas.text((x(sum) + 8, y + BAR / 2), &format!("{sum:.0}"), 16, INK, HPos::Left)?;
        y += BAR + GAP;
    }
    Ok(canvas.area.present()?)
}

fn growth(path: &Path, runs: &[Run]) -> Drawn {
    const ROW: i32 = 26;
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(()) };
    // The aggregates grow as what they read: they would leave no room for the others.
    let rows: Vec<(&Figure, f64)> = first
        .rows
        .iter()
        .filter(|figure| figure.what.is_steady)
        .filter_map(|figure| Some((figure, report::grown(figure, last)?)))
        .collect();
    let high = rows.iter().map(|row| row.1).fold(2.0, f64::max);
    let bottom = TOP + rows.len() as i32 * ROW + 10;
    let [from, to] = [first, last].map(|run| report::grouped(run.documents));
    let shown = format!(
        "the ratio to SET or GET at {to} documents as parts of that at {from}; 1.0 is no growth at all, the goal {GROWTH_GOAL}"
    );
    let canvas = Canvas::new(path, bottom + 40, "Growth with the number of documents", &shown)?;
    let x = |value| linear(value, high, (LEFT, RIGHT));
    let step = match high {
        ..6.0 => 0.5,
        ..16.0 => 1.0,
        _ => (high / 10.0).ceil(),
    };
    let steps = (0..=(high / step) as u32).map(|n| f64::from(n) * step);
    let lines: Vec<_> = steps.map(|n| (x(n), format!("{n:.1}"))).collect();
    canvas.uprights(TOP, bottom, &lines)?;
    canvas.legend(84, &[(BLUE, "within the goal"), (RED, "beyond it")])?;
    for (n, (figure, grown)) in rows.into_iter().enumerate() {
        let y = TOP + 8 + n as i32 * ROW;
        let color = if grown <= GROWTH_GOAL { BLUE } else { RED };
        canvas.text((LEFT - 12, y + ROW / 2 - 3), &figure.what.name, 15, INK, HPos::Right)?;
        canvas.bar((LEFT, y), (x(grown), y + ROW - 8), color)?;
        let at = (LEFT + 8, y + ROW / 2 - 3);
        canvas.text(at, &format!("{grown:.2}"), 14, WHITE, HPos::Left)?;
    }
    canvas.line(vec![(x(GROWTH_GOAL), TOP), (x(GROWTH_GOAL), bottom)], INK, 2)?;
    Ok(canvas.area.present()?)
}
