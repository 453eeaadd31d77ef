//! Contour charts of a loss surface, with the trajectories of training on it: the paper's Figures
//! 2, 3 and 5. Lines of equal loss are found by marching squares.

use super::Size;
use super::axis::{Axis, linear};
use super::frame::{Entry, Frame, Plan, stroke};
use super::palette::{self, sequential};
use super::svg::{INK, Svg, number, path, width};
use std::collections::BTreeMap;

/// Contours at most.
const LEVELS: u32 = 12;

/// Values over a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surface {
    /// Columns' places, rising.
    pub x: Vec<f64>,
    /// Rows' places, rising.
    pub y: Vec<f64>,
    /// Row after row, `x.len() * y.len()` values; what is not finite is a hole.
    pub z: Vec<f64>,
}

/// A way over the surface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Its name.
    pub name: String,
    /// Its points in order.
    pub points: Vec<[f64; 2]>,
    /// Points with something to say, such as `growth`.
    pub marks: Vec<(usize, String)>,
}

/// A surface and ways over it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContourChart {
    /// Above the chart.
    pub title: String,
    /// Horizontal, such as `first principal component`.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// What the contours are of.
    pub surface: Surface,
    /// Values at which to draw contours; none: chosen from the surface.
    pub levels: Vec<f64>,
    /// Ways over it.
    pub trajectories: Vec<Trajectory>,
}

impl ContourChart {
    /// The chart as an SVG document.
    pub fn svg(&self, size: Size) -> String {
        let surface = &self.surface;
        let points = || self.trajectories.iter().flat_map(|way| &way.points);
        let extents = [
            self.x.extent(surface.x.iter().copied().chain(points().map(|p| p[0])), 0.0),
            self.y.extent(surface.y.iter().copied().chain(points().map(|p| p[1])), 0.0),
        ];
        let mut svg = Svg::open(size.width, size.height, &self.title, "");
        let named = self.trajectories.iter().enumerate().filter(|(_, way)| !way.name.is_empty());
        let legend = named.map(|(index, way)| Entry {
            name: way.name.clone(),
            sample: Box::new(move |svg: &mut Svg, [x, y]: [f64; 2]| {
                let class = format!("line {}", palette::class(index));
                svg.line([x, y], [x + 16.0, y], &class, &stroke(index, 1.6, ""));
            }),
        });
        let plan = Plan {
            title: &self.title,
            axes: [&self.x, &self.y],
            extents,
            legend: legend.collect(),
            size,
            lanes: 0.0,
            lane_label: 0.0,
        };
        let frame = plan.draw(&mut svg);
        // What the ways have to say comes first; contours find room for their numbers around it.
        let mut labels = Labels::default();
        self.trajectories.iter().for_each(|way| labels.place_marks(way, &frame));
        self.trajectories.iter().for_each(|way| labels.keep_clear_of(way, &frame));
        let levels = match &self.levels[..] {
            [] => levels(surface.z.iter().copied()),
            chosen => chosen.to_vec(),
        };
        for (index, level) in levels.iter().enumerate() {
            let part = index as f64 / (levels.len().max(2) - 1) as f64;
            draw_level(&mut svg, &frame, surface, *level, part, &mut labels);
        }
        for (index, way) in self.trajectories.iter().enumerate() {
            draw_way(&mut svg, &frame, way, index);
        }
        labels.draw(&mut svg);
        svg.close()
    }
}

fn draw_level(
    svg: &mut Svg,
    frame: &Frame,
    surface: &Surface,
    level: f64,
    part: f64,
    labels: &mut Labels,
) {
    let lines = contours(surface, level);
    let to_pixels = |line: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        line.iter().map(|[x, y]| [frame.x.pixel(*x), frame.y.pixel(*y)]).collect()
    };
    let lines: Vec<_> = lines.iter().map(to_pixels).collect();
    let colour = sequential(part * 0.85).0;
    svg.raw(&format!(
        "<path d=\"{}\" class=\"contour\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.1\"/>",
        path(&lines)
    ));
    // The longest line carries the number, where it has room for it.
    if let Some(longest) = lines.iter().max_by_key(|line| line.len()).filter(|l| l.len() > 8) {
        let text = label(level);
        let places = (1..8).map(|eighth| longest[longest.len() * eighth / 8]);
        let half = width(&text) * 0.42;
        labels.place(places.map(|[x, y]| [x - half, y + 4.0]), text, frame, true);
    }
}

fn draw_way(svg: &mut Svg, frame: &Frame, way: &Trajectory, index: usize) {
    let pixel = |point: &[f64; 2]| [frame.x.pixel(point[0]), frame.y.pixel(point[1])];
    let finite = way.points.iter().filter(|point| point.iter().all(|value| value.is_finite()));
    let points: Vec<_> = finite.map(pixel).collect();
    let (class, colour) = (palette::class(index), palette::series(index));
    svg.raw(&format!(
        "<path d=\"{}\" class=\"line {class}\" {}/>",
        path(std::slice::from_ref(&points)),
        stroke(index, 1.6, "")
    ));
    for [x, y] in points.iter().map(|point| point.map(number)) {
        svg.raw(&format!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" class=\"dot {class}\" fill=\"{colour}\"/>"
        ));
    }
    for ([x, y], _) in marks(way, frame) {
        let [cx, cy] = [x, y].map(number);
        svg.raw(&format!(
            "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"4.5\" class=\"ring {class}\" fill=\"#ffffff\" \
             stroke=\"{colour}\" stroke-width=\"1.8\"/>"
        ));
    }
}

/// The pixels of a way's marks, and what they say.
fn marks<'a>(
    way: &'a Trajectory,
    frame: &Frame,
) -> impl Iterator<Item = ([f64; 2], &'a str)> + use<'a> {
    let (x, y) = (frame.x, frame.y);
    let points = way.marks.iter().filter_map(|(place, text)| Some((way.points.get(*place)?, text)));
    let finite = points.filter(|(point, _)| point.iter().all(|value| value.is_finite()));
    finite.map(move |(point, text)| ([x.pixel(point[0]), y.pixel(point[1])], text.as_str()))
}

/// Texts that keep clear of each other.
#[derive(Default)]
struct Labels {
    taken: Vec<([f64; 4], String)>,
}

impl Labels {
    /// Puts what a way's marks say beside them.
    fn place_marks(&mut self, way: &Trajectory, frame: &Frame) {
        for ([x, y], text) in marks(way, frame) {
            let w = width(text) * 0.9;
            let beside = [
                [x + 9.0, y + 4.0],
                [x - w - 9.0, y + 4.0],
                [x - w / 2.0, y - 10.0],
                [x - w / 2.0, y + 18.0],
            ];
            self.taken.push(([x - 6.0, y - 6.0, x + 6.0, y + 6.0], String::new()));
            if !text.is_empty() {
                self.place(beside.into_iter(), text.into(), frame, false);
            }
        }
    }

    /// Lets nothing be put onto a way's points.
    fn keep_clear_of(&mut self, way: &Trajectory, frame: &Frame) {
        let finite = way.points.iter().filter(|point| point.iter().all(|value| value.is_finite()));
        self.taken.extend(finite.map(|&[x, y]| {
            let [x, y] = [frame.x.pixel(x), frame.y.pixel(y)];
            ([x - 2.0, y - 2.0, x + 2.0, y + 2.0], String::new())
        }));
    }

    /// Puts `text` at the first of `places` (left end of its base line) that is free.
    fn place(
        &mut self,
        places: impl Iterator<Item = [f64; 2]>,
        text: String,
        frame: &Frame,
        is_spaced: bool,
    ) {
        let gap = if is_spaced { 10.0 } else { 0.0 };
        for [left, base] in places {
            let own = [left - 2.0, base - 10.0, left + width(&text) * 0.9 + 2.0, base + 3.0];
            let inside = own[0] >= frame.left
                && own[2] <= frame.right
                && own[1] >= frame.top
                && own[3] <= frame.bottom;
            let apart = |(other, _): &([f64; 4], String)| {
                own[2] + gap < other[0]
                    || other[2] + gap < own[0]
                    || own[3] + gap < other[1]
                    || other[3] + gap < own[1]
            };
            if inside && self.taken.iter().all(apart) {
                self.taken.push((own, text));
                return;
            }
        }
    }

    /// With a halo, so that lines do not run through them.
    fn draw(&self, svg: &mut Svg) {
        for ([left, top, ..], text) in self.taken.iter().filter(|(_, text)| !text.is_empty()) {
            let at = [left + 2.0, top + 10.0];
            let [x, y] = at.map(number);
            let text = super::svg::escape(text);
            svg.raw(&format!(
                "<text x=\"{x}\" y=\"{y}\" class=\"halo\" font-size=\"10.5\" fill=\"#ffffff\" \
                 stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round\">{text}</text>\n\
                 <text x=\"{x}\" y=\"{y}\" class=\"ink\" font-size=\"10.5\" fill=\"{INK}\">{text}</text>"
            ));
        }
    }
}

/// A level with the digits that it has, six at most.
fn label(level: f64) -> String {
    let size = level.abs();
    if size == 0.0 || !(1e-4..1e5).contains(&size) {
        return format!("{level:.1e}").replace(".0e", "e");
    }
    let decimals = (5.0 - size.log10().floor()).max(0.0) as usize;
    let text = format!("{level:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// About a dozen values among those of a surface: close together where it is low and flat, by their
/// logarithm, where it is above zero everywhere and much higher in some places; else round and evenly
/// spaced.
pub fn levels(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let fold = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
    let finite = values.filter(|value| value.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], fold);
    if low >= high {
        return Vec::new();
    }
    if low > 0.0 && high / low > 5.0 {
        let at =
            |step: u32| rounded(low * (high / low).powf(f64::from(step) / f64::from(LEVELS + 1)));
        let mut levels: Vec<f64> = (1..=LEVELS).map(at).collect();
        levels.dedup();
        return levels;
    }
    linear(low, high, LEVELS as usize)
}

/// To two digits, so that a level can be written beside its line.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// An edge of the grid: that to the right of a node (`false`), or that above it.
type Edge = (usize, usize, bool);

/// The lines along which the surface has the value `level`; closed ones end where they began.
fn contours(surface: &Surface, level: f64) -> Vec<Vec<[f64; 2]>> {
    let (columns, rows) = (surface.x.len(), surface.y.len());
    if columns < 2 || rows < 2 || surface.z.len() != columns * rows {
        return Vec::new();
    }
    let z = |i: usize, j: usize| surface.z[j * columns + i];
    let mut next: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    let mut join = |a: Edge, b: Edge| {
        next.entry(a).or_default().push(b);
        next.entry(b).or_default().push(a);
    };
    for j in 0..rows - 1 {
        for i in 0..columns - 1 {
            let corners = [z(i, j), z(i + 1, j), z(i + 1, j + 1), z(i, j + 1)];
            if corners.iter().any(|value| !value.is_finite()) {
                continue;
            }
            let above = corners.map(|value| value >= level);
            let edges = [(i, j, false), (i + 1, j, true), (i, j + 1, false), (i, j, true)];
            let crossed: Vec<usize> = (0..4).filter(|k| above[*k] != above[(k + 1) % 4]).collect();
            match crossed[..] {
                [a, b] => join(edges[a], edges[b]),
                [_, _, _, _] => {
                    // A saddle: its middle says which corners belong together.
                    let middle = corners.iter().sum::<f64>() / 4.0 >= level;
                    let turn = if middle == above[0] { [(0, 1), (2, 3)] } else { [(3, 0), (1, 2)] };
                    for (a, b) in turn {
                        join(edges[a], edges[b]);
                    }
                }
                _ => {}
            }
        }
    }
    let point = |&(i, j, up): &Edge| {
        let (i2, j2) = if up { (i, j + 1) } else { (i + 1, j) };
        let (from, to) = (z(i, j), z(i2, j2));
        let part = if from == to { 0.5 } else { ((level - from) / (to - from)).clamp(0.0, 1.0) };
        let between = |a: f64, b: f64| a + (b - a) * part;
        [between(surface.x[i], surface.x[i2]), between(surface.y[j], surface.y[j2])]
    };
    chains(next).iter().map(|chain| chain.iter().map(point).collect()).collect()
}

/// Edges in the order in which lines pass them: open lines from their ends, then closed ones.
fn chains(mut next: BTreeMap<Edge, Vec<Edge>>) -> Vec<Vec<Edge>> {
    let ends = next.iter().filter(|(_, others)| others.len() == 1).map(|(edge, _)| *edge);
    let starts: Vec<Edge> = ends.chain(next.keys().copied()).collect();
    let mut chains = Vec::new();
    for start in starts {
        let mut chain = vec![start];
        let mut here = start;
        while let Some(there) = next.get_mut(&here).and_then(Vec::pop) {
            if let Some(back) = next.get_mut(&there)
                && let Some(place) = back.iter().position(|edge| *edge == here)
            {
                back.remove(place);
            }
            chain.push(there);
            here = there;
        }
        if chain.len() > 1 {
            chains.push(chain);
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bowl(n: usize) -> Surface {
        let places: Vec<f64> = (0..n).map(|i| -2.0 + 4.0 * i as f64 / (n - 1) as f64).collect();
        let z = places.iter().flat_map(|y| places.iter().map(move |x| x * x + y * y)).collect();
        Surface { x: places.clone(), y: places, z }
    }

    #[test]
    fn a_bowls_contour_is_a_circle() {
        let lines = contours(&bowl(81), 1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for [x, y] in &lines[0] {
            assert!((x.hypot(*y) - 1.0).abs() < 1e-3, "{x} {y}");
        }
    }

    #[test]
    fn levels_are_round_and_written_with_their_digits() {
        let texts = |values: [f64; 2]| levels(values.into_iter()).into_iter().map(label);
        let narrow: Vec<_> = texts([2.312, 2.404]).collect();
        assert_eq!(narrow[..3], ["2.32", "2.33", "2.34"]);
        assert_eq!((narrow.len(), narrow[8].as_str()), (9, "2.4"));
        assert_eq!(texts([-1.0, 1.0]).next().unwrap(), "-1");
        let wide: Vec<_> = texts([1e-4, 1e3]).collect();
        assert_eq!((wide.len(), wide[0].as_str(), wide[11].as_str()), (12, "0.00035", "290"));
        assert_eq!(texts([1.0, 1.0]).count(), 0);
        assert_eq!([3.5e-6, 2e7].map(label), ["3.5e-6", "2e7"]);
    }

    #[test]
    fn a_saddle_has_two_branches_and_holes_have_none() {
        let mut surface = bowl(40);
        let n = surface.x.len();
        for (place, z) in surface.z.iter_mut().enumerate() {
            *z = surface.x[place % n] * surface.y[place / n];
        }
        assert_eq!(contours(&surface, 0.5).len(), 2);
        assert_eq!(contours(&surface, -0.5).len(), 2);
        surface.z.fill(f64::NAN);
        assert!(contours(&surface, 0.5).is_empty());
        surface.z.truncate(3);
        assert!(contours(&surface, 0.5).is_empty());
    }
}
