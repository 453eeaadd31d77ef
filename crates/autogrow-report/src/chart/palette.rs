//! Colours that readers of every kind of colour vision tell apart.

/// The palette of M. Okabe and K. Ito without its yellow, which white paper swallows.
const SERIES: [&str; 7] =
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
    let light = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    (format!("#{r:02x}{g:02x}{b:02x}"), light < 140.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequential_map_grows_lighter() {
        let light = |part: f64| {
            let colour = u32::from_str_radix(&sequential(part).0[1..], 16).unwrap();
            let [_, r, g, b] = colour.to_be_bytes().map(f64::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for step in 1..=50 {
            let (before, now) = (f64::from(step - 1) / 50.0, f64::from(step) / 50.0);
            assert!(light(before) < light(now), "at {now}");
        }
        assert_eq!(sequential(f64::NAN).0, sequential(-3.0).0);
    }
}
