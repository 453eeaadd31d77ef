//! What all charts share: title, legend, axes with their ticks, and the place for the data.

use super::axis::{Axis, Map, ticks};
use super::svg::{AXIS, Anchor, GRID, Svg, fit, width};
use super::{Size, palette};

/// Height of a line of text.
const LINE: f64 = 17.0;
/// Width of the sample in front of a name.
const SAMPLE: f64 = 22.0;
const GAP: f64 = 16.0;

/// Draws a sample of a series in a box of 16 x 10 pixels whose left middle is here.
type Sample = Box<dyn Fn(&mut Svg, [f64; 2])>;

/// One entry of a legend.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) sample: Sample,
}

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) x: Map,
    pub(super) y: Map,
    /// Top of what comes beneath the data.
    pub(super) below: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// What a frame is laid out for.
pub(super) struct Plan<'a> {
    pub(super) title: &'a str,
    pub(super) axes: [&'a Axis; 2],
    pub(super) extents: [[f64; 2]; 2],
    pub(super) legend: Vec<Entry>,
    pub(super) size: Size,
    /// Room beneath the data, above the ticks.
    pub(super) lanes: f64,
    /// Width to keep free at the left of the lanes.
    pub(super) lane_label: f64,
}

impl Plan<'_> {
    /// Lays the chart out, and draws what does not depend on the data.
    pub(super) fn draw(self, svg: &mut Svg) -> Frame {
        let Size { width: w, height: h } = self.size;
        let [x_axis, y_axis] = self.axes;
        let mut top = 8.0;
        if !self.title.is_empty() {
            svg.text([10.0, top + 11.0], Anchor::Start, "title", &fit(self.title, w - 20.0));
            top += LINE + 3.0;
        }
        top = legend(svg, &self.legend, top, w);
        // The label of the vertical axis lies above it, so that nobody has to turn their head.
        if !y_axis.label.is_empty() {
            svg.text([10.0, top + 10.0], Anchor::Start, "muted", &fit(&y_axis.label, w - 20.0));
            top += LINE - 2.0;
        }
        top += 6.0;
        let below_data = 20.0 + if x_axis.label.is_empty() { 4.0 } else { LINE };
        let bottom = (h - below_data - self.lanes).max(top + 20.0);
        let y_ticks = ticks(y_axis, self.extents[1], ((bottom - top) / 30.0) as usize);
        let widest = y_ticks.iter().map(|(_, text)| width(text)).fold(0.0, f64::max);
        let left = 10.0 + widest.max(self.lane_label) + 6.0;
        let right = w - 14.0;
        let x = Map { scale: x_axis.scale, values: self.extents[0], pixels: [left, right] };
        let y = Map { scale: y_axis.scale, values: self.extents[1], pixels: [bottom, top] };
        for (value, text) in &y_ticks {
            let at = y.pixel(*value);
            svg.line(
                [left, at],
                [right, at],
                "grid",
                &format!("stroke=\"{GRID}\" stroke-width=\"1\""),
            );
            svg.text([left - 6.0, at + 4.0], Anchor::End, "muted", text);
        }
        let below = bottom + self.lanes;
        let axis = format!("stroke=\"{AXIS}\" stroke-width=\"1\"");
        svg.line([left, below], [right, below], "axis", &axis);
        for (value, text) in x_ticks(x_axis, &x) {
            let at = x.pixel(value);
            svg.line([at, below], [at, below + 4.0], "axis", &axis);
            let half = width(&text) / 2.0;
            let at = at.clamp(half + 2.0, (w - half - 2.0).max(half + 2.0));
            svg.text([at, below + 16.0], Anchor::Middle, "muted", &text);
        }
        if !x_axis.label.is_empty() {
            let middle = f64::midpoint(left, right);
            let label = fit(&x_axis.label, right - left);
            svg.text([middle, below + 18.0 + LINE - 2.0], Anchor::Middle, "muted", &label);
        }
        Frame { x, y, below, left, right, top, bottom }
    }
}

/// As many ticks as have room side by side.
fn x_ticks(axis: &Axis, map: &Map) -> Vec<(f64, String)> {
    let room = map.pixels[1] - map.pixels[0];
    for most in (2..=10).rev() {
        let found = ticks(axis, map.values, most);
        let place = |(value, text): &(f64, String)| (map.pixel(*value), width(text));
        let apart = |pair: &[(f64, String)]| {
            let ((a, a_width), (b, b_width)) = (place(&pair[0]), place(&pair[1]));
            b - a >= f64::midpoint(a_width, b_width) + 12.0
        };
        if found.len() as f64 * 14.0 <= room && found.windows(2).all(apart) {
            return found;
        }
    }
    Vec::new()
}

/// Entries one after the other, in as many lines as they need; returns what is below them.
fn legend(svg: &mut Svg, entries: &[Entry], top: f64, w: f64) -> f64 {
    let (mut x, mut y) = (10.0, top);
    for entry in entries {
        let name = fit(&entry.name, w - 20.0 - SAMPLE);
        let needed = SAMPLE + width(&name);
        if x > 10.0 && x + needed > w - 10.0 {
            (x, y) = (10.0, y + LINE);
        }
        (entry.sample)(svg, [x, y + 7.0]);
        svg.text([x + SAMPLE, y + 11.0], Anchor::Start, "ink", &name);
        x += needed + GAP;
    }
    if entries.is_empty() { top } else { y + LINE + 5.0 }
}

/// Colour attributes of a line of series `index`.
pub(super) fn stroke(index: usize, width: f64, dashes: &str) -> String {
    let dashes =
        if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let colour = palette::series(index);
    format!(
        "fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"{dashes}"
    )
}
