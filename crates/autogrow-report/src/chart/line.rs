//! Line and scatter charts: curves of training with growths marked beneath them (the paper's
//! Figures 4 and 8), accuracy against parameters or multiply-accumulates (Figures 6 and 7).

use super::axis::Axis;
use super::frame::{Entry, Frame, Plan, stroke};
use super::path::pieces;
use super::svg::{Anchor, Svg, escape, number, path, width};
use super::{Size, palette};

/// How a series is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// A line.
    #[default]
    Solid,
    /// A dashed line.
    Dashed,
    /// Nothing: points alone.
    None,
}

/// How a point is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dot {
    /// Not at all.
    #[default]
    None,
    /// A disc.
    Disc,
    /// A ring.
    Ring,
    /// A square.
    Square,
    /// A diamond.
    Diamond,
}

/// A series of points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend; empty: not there.
    pub name: String,
    /// Its colour, by number; none: its place among the series.
    pub colour: Option<usize>,
    /// Values; what is not finite is a gap.
    pub points: Vec<[f64; 2]>,
    /// A text beside each point, as many as there are.
    pub labels: Vec<String>,
    /// Area of each dot in square pixels, as many as there are; else all are alike.
    pub areas: Vec<f64>,
    /// How far an error bar reaches from each point, up and down; as many as there are, 0 for none.
    pub errors: Vec<f64>,
    /// How points are connected.
    pub stroke: Stroke,
    /// How points are drawn.
    pub dot: Dot,
}

impl Series {
    /// A solid line.
    pub fn line(name: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        Self { name: name.into(), points, ..Self::default() }
    }

    /// Discs, not connected.
    pub fn scatter(name: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        Self { stroke: Stroke::None, dot: Dot::Disc, ..Self::line(name, points) }
    }

    /// The same with this dot.
    #[must_use]
    pub fn dotted(mut self, dot: Dot) -> Self {
        self.dot = dot;
        self
    }

    /// The same with this line.
    #[must_use]
    pub fn stroked(mut self, stroke: Stroke) -> Self {
        self.stroke = stroke;
        self
    }

    /// The ends of its error bars.
    fn bars(&self) -> impl Iterator<Item = [[f64; 2]; 2]> {
        let both = self.points.iter().zip(&self.errors).filter(|(_, error)| **error > 0.0);
        both.map(|(&[x, y], error)| [[x, y - error], [x, y + error]])
    }

    /// Everything that has to be on the chart: points and the ends of their bars.
    fn reach(&self) -> impl Iterator<Item = [f64; 2]> {
        self.points.iter().copied().chain(self.bars().flatten())
    }

    /// The same in this colour.
    #[must_use]
    pub fn coloured(mut self, colour: usize) -> Self {
        self.colour = Some(colour);
        self
    }
}

/// A sub-network's growths, beneath the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Where it grew.
    pub grown: Vec<f64>,
    /// Where growing it stopped.
    pub stopped: Option<f64>,
}

/// A part of the horizontal axis that is shaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// From where to where.
    pub from_to: [f64; 2],
    /// What it is.
    pub label: String,
}

/// A chart of lines and points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// Above the chart; also what is said to who cannot see it, unless `description` says more.
    pub title: String,
    /// What is said to who cannot see it.
    pub description: String,
    /// Horizontal.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// What is drawn, the first undermost.
    pub series: Vec<Series>,
    /// Growths beneath the data.
    pub lanes: Vec<Lane>,
    /// Shaded parts.
    pub bands: Vec<Band>,
}

const LANE: f64 = 11.0;

impl LineChart {
    /// The chart as an SVG document.
    pub fn svg(&self, size: Size) -> String {
        let said = if self.description.is_empty() { &self.title } else { &self.description };
        let values = |axis: usize| {
            let all = self.series.iter().flat_map(Series::reach);
            let both = all.filter(|[x, y]| self.x.holds(*x) && self.y.holds(*y));
            both.map(move |point| point[axis])
        };
        let has_dots = self.series.iter().any(|series| series.dot != Dot::None);
        let extents = [
            self.x.extent(values(0), if has_dots { 0.05 } else { 0.0 }),
            self.y.extent(values(1), 0.06),
        ];
        let named = self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty());
        let mut legend: Vec<Entry> = named.map(|(index, series)| entry(series, index)).collect();
        if self.lanes.iter().any(|lane| !lane.grown.is_empty()) {
            legend.push(Entry {
                name: "growth".into(),
                sample: Box::new(|svg, at| grown(svg, [at[0] + 8.0, at[1] + 4.0])),
            });
        }
        if self.lanes.iter().any(|lane| lane.stopped.is_some()) {
            legend.push(Entry {
                name: "growth stopped".into(),
                sample: Box::new(|svg, at| stopped(svg, [at[0] + 8.0, at[1]])),
            });
        }
        let plan = Plan {
            title: &self.title,
            axes: [&self.x, &self.y],
            extents,
            legend,
            size,
            lanes: if self.lanes.is_empty() { 0.0 } else { self.lanes.len() as f64 * LANE + 8.0 },
            lane_label: self.lanes.iter().map(|lane| width(&lane.name)).fold(0.0, f64::max),
        };
        // The page finds the data's place by these, after the frame is laid out.
        let mut body = Svg::default();
        let frame = plan.draw(&mut body);
        let place = [frame.left, frame.right, frame.top, frame.below].map(number).join(" ");
        let [[x0, x1], [y0, y1]] = extents;
        let extra = format!(
            " data-place=\"{place}\" data-x=\"{x0} {x1} {:?}\" data-y=\"{y0} {y1} {:?} {}\"",
            self.x.scale,
            self.y.scale,
            number(frame.bottom)
        );
        let mut svg = Svg::open(size.width, size.height, said, &extra);
        self.draw_bands(&mut svg, &frame);
        svg.raw(body.fragment().trim_end());
        self.draw_lanes(&mut svg, &frame);
        self.draw_series(&mut svg, &frame);
        svg.close()
    }

    fn draw_bands(&self, svg: &mut Svg, frame: &Frame) {
        for band in &self.bands {
            let [from, to] = band.from_to.map(|x| frame.x.pixel(x).clamp(frame.left, frame.right));
            if to - from < 1.0 {
                continue;
            }
            let size = [to - from, frame.below - frame.top];
            svg.rect([from, frame.top], size, "band", "fill=\"#f3f5f7\"");
            if width(&band.label) + 8.0 <= to - from {
                svg.text([to, frame.top - 5.0], Anchor::End, "small", &band.label);
            }
        }
    }

    fn draw_lanes(&self, svg: &mut Svg, frame: &Frame) {
        for (index, lane) in self.lanes.iter().enumerate() {
            let middle = frame.bottom + 9.0 + (index as f64 + 0.5) * LANE;
            let style = "stroke=\"#e4e7ea\" stroke-width=\"1\"";
            let end = lane.stopped.map_or(frame.right, |stop| frame.x.pixel(stop));
            svg.line(
                [frame.left, middle + 4.0],
                [end.clamp(frame.left, frame.right), middle + 4.0],
                "grid",
                style,
            );
            svg.text([frame.left - 6.0, middle + 4.0], Anchor::End, "small", &lane.name);
            for &at in lane.grown.iter().filter(|at| self.x.holds(**at)) {
                grown(svg, [frame.x.pixel(at), middle + 4.0]);
            }
            if let Some(at) = lane.stopped.filter(|at| self.x.holds(*at)) {
                stopped(svg, [frame.x.pixel(at), middle + 1.0]);
            }
        }
    }

    fn draw_series(&self, svg: &mut Svg, frame: &Frame) {
        // A document of its own clips what the range leaves out.
        let (w, h) = (frame.right - frame.left, frame.bottom - frame.top);
        let pad = if self.series.iter().any(|series| series.dot != Dot::None) { 12.0 } else { 1.0 };
        let [x, y, w, h] =
            [frame.left - pad, frame.top - pad, w + 2.0 * pad, h + 2.0 * pad].map(number);
        svg.raw(&format!(
            "<svg x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" viewBox=\"{x} {y} {w} {h}\">"
        ));
        for (index, series) in self.series.iter().enumerate() {
            let colour = series.colour.unwrap_or(index);
            if series.stroke != Stroke::None {
                let pieces = pieces(&series.points, [&self.x, &self.y], [&frame.x, &frame.y]);
                svg.raw(&format!(
                    "<path d=\"{}\" class=\"line {}\" {}/>",
                    path(&pieces),
                    palette::class(colour),
                    stroke(colour, 1.8, dashes(series.stroke))
                ));
            }
            for [from, to] in series.bars() {
                let ends = [from, to].map(|[x, y]| [frame.x.pixel(x), frame.y.pixel(y)]);
                let class = format!("line {}", palette::class(colour));
                svg.line(ends[0], ends[1], &class, &stroke(colour, 1.2, ""));
            }
            for (place, &[x, y]) in series.points.iter().enumerate() {
                if series.dot != Dot::None && self.x.holds(x) && self.y.holds(y) {
                    let radius = radius(series, place);
                    dot(svg, series.dot, [frame.x.pixel(x), frame.y.pixel(y)], radius, colour);
                }
            }
        }
        svg.raw("</svg>");
        self.draw_labels(svg, frame);
    }

    /// Beside, above or beneath each point, where neither a line nor another label is; where there
    /// is no such place, not at all.
    fn draw_labels(&self, svg: &mut Svg, frame: &Frame) {
        let mut taken: Vec<[f64; 4]> = self.obstacles(frame);
        for series in &self.series {
            for (place, (label, &[x, y])) in series.labels.iter().zip(&series.points).enumerate() {
                if label.is_empty() || !self.x.holds(x) || !self.y.holds(y) {
                    continue;
                }
                let (x, y, w) = (frame.x.pixel(x), frame.y.pixel(y), width(label) * 0.9);
                let gap = radius(series, place) + 5.0;
                let (beside, over, under) = (y + 4.0, y - gap, y + gap + 8.0);
                let lefts = [x + gap, x - w - gap, x - w / 2.0];
                let places = [
                    [lefts[0], beside],
                    [lefts[1], beside],
                    [lefts[2], over],
                    [lefts[2], under],
                    [lefts[0] - 4.0, under],
                    [lefts[1] + 4.0, over],
                ];
                let area = |[left, base]: [f64; 2]| [left, base - 9.0, left + w, base + 2.0];
                let is_free = |place: &[f64; 2]| {
                    let own = area(*place);
                    own[0] >= frame.left - 2.0
                        && own[2] <= frame.right + 10.0
                        && own[1] >= frame.top - 8.0
                        && own[3] <= frame.bottom
                        && taken.iter().all(|other| apart(&own, other))
                };
                if let Some(free) = places.into_iter().find(is_free) {
                    taken.push(area(free));
                    svg.text(free, Anchor::Start, "small", label);
                }
            }
        }
    }

    /// Small areas along every line and around every dot.
    fn obstacles(&self, frame: &Frame) -> Vec<[f64; 4]> {
        const STEP: f64 = 5.0;
        let mut areas = Vec::new();
        let labelled = self.series.iter().any(|series| !series.labels.is_empty());
        for series in self.series.iter().filter(|_| labelled) {
            let pieces = pieces(&series.points, [&self.x, &self.y], [&frame.x, &frame.y]);
            for pair in pieces.iter().flat_map(|piece| piece.windows(2)) {
                let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
                let steps = ((x1 - x0).hypot(y1 - y0) / STEP).ceil().clamp(1.0, 400.0) as u32;
                let connected = series.stroke != Stroke::None;
                areas.extend((0..=steps).filter(|_| connected).map(|step| {
                    let part = f64::from(step) / f64::from(steps);
                    let (x, y) = (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
                    [x - 1.0, y - 1.0, x + 1.0, y + 1.0]
                }));
            }
            let dots = series.points.iter().enumerate().filter(|_| series.dot != Dot::None);
            areas.extend(dots.map(|(place, &[x, y])| {
                let (x, y, r) = (frame.x.pixel(x), frame.y.pixel(y), radius(series, place));
                [x - r, y - r, x + r, y + r]
            }));
        }
        areas
    }
}

/// Whether two areas (left, top, right, bottom) have nothing in common.
fn apart(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1]
}

/// Of a dot, pixels.
fn radius(series: &Series, place: usize) -> f64 {
    let area = series.areas.get(place).copied().unwrap_or(38.0);
    (area.max(4.0) / std::f64::consts::PI).sqrt()
}

fn dashes(stroke: Stroke) -> &'static str {
    if stroke == Stroke::Dashed { "5 4" } else { "" }
}

fn entry(series: &Series, index: usize) -> Entry {
    let (colour, line, shape) = (series.colour.unwrap_or(index), series.stroke, series.dot);
    let sample = move |svg: &mut Svg, [x, y]: [f64; 2]| {
        if line != Stroke::None {
            let class = format!("line {}", palette::class(colour));
            svg.line([x, y], [x + 16.0, y], &class, &stroke(colour, 1.8, dashes(line)));
        }
        if shape != Dot::None {
            dot(svg, shape, [x + 8.0, y], 3.5, colour);
        }
    };
    Entry { name: series.name.clone(), sample: Box::new(sample) }
}

fn dot(svg: &mut Svg, shape: Dot, [x, y]: [f64; 2], radius: f64, colour: usize) {
    let class = palette::class(colour);
    let fill = palette::series(colour);
    let points = |corners: &[[f64; 2]]| {
        let texts = corners
            .iter()
            .map(|[dx, dy]| format!("{},{}", number(x + dx * radius), number(y + dy * radius)));
        texts.collect::<Vec<_>>().join(" ")
    };
    let polygon = |corners: &[[f64; 2]]| {
        format!("<polygon points=\"{}\" class=\"dot {class}\" fill=\"{fill}\"/>", points(corners))
    };
    let (cx, cy, r) = (number(x), number(y), number(radius));
    svg.raw(&match shape {
        Dot::None => return,
        Dot::Disc => format!(
            "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{r}\" class=\"dot {class}\" fill=\"{fill}\"/>"
        ),
        Dot::Ring => format!(
            "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{r}\" class=\"ring {class}\" fill=\"#ffffff\" \
             stroke=\"{fill}\" stroke-width=\"1.8\"/>"
        ),
        Dot::Square => polygon(&[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]),
        Dot::Diamond => polygon(&[[0.0, -1.25], [1.25, 0.0], [0.0, 1.25], [-1.25, 0.0]]),
    });
}

/// A small triangle that stands here.
fn grown(svg: &mut Svg, [x, y]: [f64; 2]) {
    let points = [[x, y - 7.0], [x + 3.6, y], [x - 3.6, y]];
    let points = points.map(|[x, y]| format!("{},{}", number(x), number(y))).join(" ");
    svg.raw(&format!("<polygon points=\"{points}\" class=\"grown\" fill=\"#3d454d\"/>"));
}

/// A small cross.
fn stopped(svg: &mut Svg, [x, y]: [f64; 2]) {
    let [l, r, t, b] = [x - 3.2, x + 3.2, y - 3.2, y + 3.2].map(number);
    let title = escape("growth stopped");
    svg.raw(&format!(
        "<path d=\"M{l} {t}L{r} {b}M{l} {b}L{r} {t}\" class=\"stopped\" fill=\"none\" \
         stroke=\"#b3261e\" stroke-width=\"1.8\" stroke-linecap=\"round\"><title>{title}</title></path>"
    ));
}
