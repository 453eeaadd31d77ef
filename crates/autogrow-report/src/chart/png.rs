//! Charts as PNG. Letters come from a subset of Inter that is built in, so that a chart looks the
//! same on every machine, one without any font included.

use autogrow_base::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::Arc;

const REGULAR: &[u8] = include_bytes!("../../fonts/inter-regular.otf");
const SEMIBOLD: &[u8] = include_bytes!("../../fonts/inter-semibold.otf");

/// The most pixels of a PNG.
const MAX_PIXELS: f32 = 64e6;

/// An SVG chart as PNG, `scale` pixels for each of the SVG's.
///
/// # Errors
/// [`Error::Run`] where the SVG is none, or has no size that makes sense.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let wrong =
        |problem: String| Error::run("chart", format!("cannot be drawn as PNG ({problem})"));
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(SEMIBOLD.to_vec());
    for family in [
        fontdb::Database::set_sans_serif_family,
        fontdb::Database::set_serif_family,
        fontdb::Database::set_monospace_family,
    ] {
        family(&mut fonts, "Inter");
    }
    let options =
        Options { font_family: "Inter".into(), fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| wrong(error.to_string()))?;
    let size = tree.size();
    let (width, height) = ((size.width() * scale).ceil(), (size.height() * scale).ceil());
    if !(scale > 0.0 && width * height <= MAX_PIXELS) {
        return Err(wrong(format!("{width} x {height} pixels make no sense")));
    }
    let mut pixels = Pixmap::new(width as u32, height as u32)
        .ok_or_else(|| wrong(format!("{width} x {height} pixels make no sense")))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| wrong(error.to_string()))
}
