//! Colours that readers of every kind of colour vision tell apart.

/// Colours until they repeat.
pub(crate) const COUNT: usize = 7;

/// The palette of M. Okabe and K. Ito without its yellow, which white paper swallows.
const SERIES: [&str; COUNT] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/// The colour of the series with this number; they repeat after seven.
pub(crate) fn series(index: usize) -> &'static str {
    SERIES[index % SERIES.len()]
}

/// Its class in a page.
pub(crate) fn class(index: usize) -> String {
    format!("s{}", index % SERIES.len())
}

/// Anchors of a sequential map from dark blue over green to yellow, whose lightness rises evenly:
/// order can be seen without seeing colour.
const SEQUENTIAL: [[f64; 3]; 6] = [
    [65.0, 50.0, 125.0],
    [52.0, 96.0, 141.0],
    [34.0, 138.0, 141.0],
    [53.0, 178.0, 121.0],
    [140.0, 209.0, 78.0],
    [240.0, 226.0, 60.0],
];

/// A colour of the sequential map, `#rrggbb`, for `part` from 0 to 1, and whether it is dark.
pub(crate) fn sequential(part: f64) -> (String, bool) {
    let last = (SEQUENTIAL.len() - 1) as f64;
    let place = if part.is_finite() { part.clamp(0.0, 1.0) * last } else { 0.0 };
    let index = (place.floor() as usize).min(SEQUENTIAL.len() - 2);
    let share = place - index as f64;
    let [r, g, b] = [0, 1, 2].map(|channel| {
        let (from, to) = (SEQUENTIAL[index][channel], SEQUENTIAL[index + 1][channel]);
        (from + (to - from) * share).round() as u8
    });
    // White is read better than black on what is darker than this (WCAG's relative luminance).
    (format!("#{r:02x}{g:02x}{b:02x}"), luminance([r, g, b]) < 0.18)
}

/// Relative luminance of an sRGB colour, 0 to 1.
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let part = f64::from(channel) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = rgb.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequential_map_grows_lighter() {
        let of = |part: f64| {
            let (colour, is_dark) = sequential(part);
            let number = u32::from_str_radix(&colour[1..], 16).unwrap();
            let [_, r, g, b] = number.to_be_bytes();
            (luminance([r, g, b]), is_dark)
        };
        for step in 1..=50 {
            let (before, now) = (f64::from(step - 1) / 50.0, f64::from(step) / 50.0);
            let ((darker, _), (lighter, is_dark)) = (of(before), of(now));
            assert!(darker < lighter, "at {now}");
            // Its letters, white or black, can be read (WCAG AA).
            let contrast = if is_dark { 1.05 / (lighter + 0.05) } else { (lighter + 0.05) / 0.05 };
            assert!(contrast > 4.5, "{contrast} at {now}");
        }
        assert_eq!(sequential(f64::NAN).0, sequential(-3.0).0);
    }
}
