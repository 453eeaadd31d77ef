//! Several charts in one document.

use super::Size;
use super::svg::{Svg, number};

/// Charts of one size, as many beside each other as leave about as many rows as columns.
pub fn side_by_side(charts: &[String], panel: Size) -> String {
    let columns = (charts.len() as f64).sqrt().ceil().max(1.0) as usize;
    let rows = charts.len().div_ceil(columns);
    let (width, height) = (panel.width * columns as f64, panel.height * rows as f64);
    let mut svg = Svg::open(width, height, "", "");
    for (index, chart) in charts.iter().enumerate() {
        let x = number(panel.width * (index % columns) as f64);
        let y = number(panel.height * (index / columns) as f64);
        svg.raw(&format!("<g transform=\"translate({x} {y})\">\n{}</g>", chart.trim_end()));
    }
    svg.close()
}
