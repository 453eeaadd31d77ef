//! From values to lines on paper: gaps where there is no value, and no more points than pixels
//! can show.

use super::axis::{Axis, Map};

/// The pixels of `points`, in pieces between the values that have no place.
pub(super) fn pieces(points: &[[f64; 2]], axes: [&Axis; 2], maps: [&Map; 2]) -> Vec<Vec<[f64; 2]>> {
    let mut pieces = vec![Vec::new()];
    for &[x, y] in points {
        let (x_holds, y_holds) = (axes[0].holds(x), axes[1].holds(y));
        match pieces.last_mut() {
            Some(piece) if x_holds && y_holds => piece.push([maps[0].pixel(x), maps[1].pixel(y)]),
            Some(piece) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces.iter().map(|piece| thinned(piece)).collect()
}

/// At most four points a column of pixels: first, lowest, highest, last. The line looks the same.
fn thinned(piece: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut kept: Vec<[f64; 2]> = Vec::new();
    for column in piece.chunk_by(|a, b| a[0].floor() == b[0].floor()) {
        if column.len() <= 4 {
            kept.extend(column);
            continue;
        }
        let by_height = |a: &usize, b: &usize| column[*a][1].total_cmp(&column[*b][1]);
        let places = 0..column.len();
        let low = places.clone().min_by(by_height).unwrap_or(0);
        let high = places.max_by(by_height).unwrap_or(0);
        let mut four = [0, low.min(high), low.max(high), column.len() - 1].to_vec();
        four.dedup();
        kept.extend(four.into_iter().map(|place| column[place]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::Scale;
    use super::*;

    #[test]
    fn gaps_and_crowds() {
        let axis = Axis::new("");
        let map = |to| Map { scale: Scale::Linear, values: [0.0, 1e6], pixels: [0.0, to] };
        let (x, y) = (map(100.0), map(50.0));
        let mut points: Vec<[f64; 2]> =
            (0..1_000_000).map(|i| [f64::from(i), f64::from(i % 1000)]).collect();
        points[500_000][1] = f64::NAN;
        points[700_000][1] = 1e6;
        let pieces = pieces(&points, [&axis, &axis], [&x, &y]);
        assert_eq!(pieces.len(), 2);
        let all: Vec<_> = pieces.concat();
        assert!(all.len() <= 2 * 101 * 4);
        assert!(all.iter().any(|point| point[1] == 50.0), "the peak is kept");
    }
}
