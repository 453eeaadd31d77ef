//! Least squares with few coefficients, none of them negative: times of computers and networks.

/// Coefficients `c` for which `rows[i] . c` is closest to `values[i]`, by the sum of squared
/// relative errors; a coefficient that would be negative is zero. None where the rows do not
/// determine them.
pub(super) fn fit<const N: usize>(rows: &[[f64; N]], values: &[f64]) -> Option<[f64; N]> {
    let mut used = [true; N];
    loop {
        let coefficients = least_squares(rows, values, &used)?;
        let negative = (0..N).filter(|&i| coefficients[i] < 0.0);
        match negative.min_by(|&a, &b| coefficients[a].total_cmp(&coefficients[b])) {
            None => return Some(coefficients),
            Some(worst) => used[worst] = false,
        }
    }
}

/// By the normal equations of the coefficients that are used.
fn least_squares<const N: usize>(
    rows: &[[f64; N]],
    values: &[f64],
    used: &[bool; N],
) -> Option<[f64; N]> {
    // Coefficients are of very different size; each is measured by its largest influence.
    let mut size = [0.0_f64; N];
    let relative = rows.iter().zip(values).map(|(row, value)| row.map(|entry| entry / value));
    let relative: Vec<_> = relative.collect();
    for row in &relative {
        (0..N).for_each(|i| size[i] = size[i].max(row[i].abs()));
    }
    let (mut matrix, mut right) = ([[0.0; N]; N], [0.0; N]);
    for row in &relative {
        for i in 0..N {
            right[i] += row[i] / size[i];
            (0..N).for_each(|j| matrix[i][j] += row[i] / size[i] * row[j] / size[j]);
        }
    }
    for i in (0..N).filter(|&i| !used[i]) {
        (matrix[i], right[i]) = ([0.0; N], 0.0);
        matrix[i][i] = 1.0;
    }
    let solved = solve(matrix, right)?;
    let mut coefficients = [0.0; N];
    (0..N).filter(|&i| used[i]).for_each(|i| coefficients[i] = solved[i] / size[i]);
    Some(coefficients)
}

/// Gaussian elimination with the largest pivot of each column.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        let largest = matrix[pivot][column].abs();
        if largest.is_nan() || largest < 1e-9 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in (0..N).filter(|&row| row != column) {
            let factor = matrix[row][column] / matrix[column][column];
            let pivot = matrix[column];
            (0..N).for_each(|j| matrix[row][j] -= factor * pivot[j]);
            right[row] -= factor * right[column];
        }
    }
    let mut solution = [0.0; N];
    (0..N).for_each(|i| solution[i] = right[i] / matrix[i][i]);
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_the_values_is_found() {
        let made = [2e-3, 5e-5, 4e-8];
        let rows = [[2.0, 2.0, 1e3], [2.0, 2.0, 1e6], [2.0, 6.0, 1e4], [2.0, 14.0, 1e7]];
        let values = rows.map(|row| (0..3).map(|i| row[i] * made[i]).sum());
        let found = fit(&rows, &values).unwrap();
        for (found, made) in found.iter().zip(made) {
            assert!((found / made - 1.0).abs() < 1e-9, "{found} {made}");
        }
    }

    #[test]
    fn nothing_is_negative() {
        // The line through these has a negative beginning.
        let found = fit(&[[1.0, 1.0], [1.0, 2.0], [1.0, 4.0]], &[0.9, 2.0, 4.2]).unwrap();
        assert_eq!(found[0], 0.0);
        assert!((found[1] - 1.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn too_little_to_go_by_is_no_fit() {
        assert_eq!(fit(&[[1.0, 2.0]], &[3.0]), None);
        assert_eq!(fit(&[[1.0, 2.0], [2.0, 4.0]], &[3.0, 6.0]), None);
        assert_eq!(fit::<2>(&[], &[]), None);
    }
}
