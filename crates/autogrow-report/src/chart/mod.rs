//! Charts as SVG, written by hand: a paper's look on white paper, colours that colour-blind readers
//! tell apart, text that does not overlap. Every part has a class as well, so that a page's style
//! sheet may repaint it for a dark screen.

mod axis;
mod contour;
mod frame;
mod line;
mod palette;
mod panels;
mod path;
mod png;
mod svg;

pub use axis::{Axis, Format, Scale};
pub use contour::{ContourChart, Surface, Trajectory, levels};
pub use line::{Band, Dot, Lane, LineChart, Series, Stroke};
pub(crate) use palette::{COUNT as COLOURS, sequential};
pub use panels::side_by_side;
pub use png::png;

/// Width and height of a chart, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Size {
    /// A figure of a paper's column.
    pub const FIGURE: Self = Self { width: 640.0, height: 400.0 };
}
