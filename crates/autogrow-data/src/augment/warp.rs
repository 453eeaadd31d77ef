//! Shears, shifts and rotations of a plane: each pixel is the nearest one of the plane before, in
//! the fixed-point arithmetic of Pillow.

/// From the place of a pixel to where it comes from: `[xx, xy, x, yx, yy, y]`, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix([f64; 6]);

impl Matrix {
    /// Each row starts `x` columns further to the left than the one above, each column `y` rows further
    /// up than the one before; the first ones stay.
    pub(super) fn shear([x, y]: [f64; 2]) -> Self {
        Self([1.0, x, 0.0, y, 1.0, 0.0])
    }

    /// So many pixels to the right and down.
    pub(super) fn translation([right, down]: [f64; 2]) -> Self {
        Self([1.0, 0.0, -right, 0.0, 1.0, -down])
    }

    /// Counter-clockwise around the middle of `[height, width]`.
    pub(super) fn rotation(degrees: f64, [height, width]: [usize; 2]) -> Self {
        let [y, x] = [height, width].map(|length| length as f64 / 2.0);
        let (sin, cos) = (-degrees.to_radians()).sin_cos();
        let [sin, cos] = [sin, cos].map(|number| (number * 1e15).round_ties_even() / 1e15);
        Self([cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y])
    }
}

/// One pixel in fixed point.
const ONE: f64 = 65_536.0;

fn fixed(number: f64) -> i64 {
    (number * ONE + 0.5).floor() as i64
}

/// Moves a plane of `[height, width]`. What comes from outside of it is black.
pub(super) fn warp(plane: &mut [u8], [height, width]: [usize; 2], matrix: &Matrix) {
    let Matrix([xx, xy, x, yx, yy, y]) = *matrix;
    let before = plane.to_vec();
    let [across, down] = [[xx, yx], [xy, yy]].map(|steps| steps.map(fixed));
    // From the middle of the first pixel on.
    let mut row = [x + xx * 0.5 + xy * 0.5, y + yx * 0.5 + yy * 0.5].map(fixed);
    for out in plane.chunks_exact_mut(width) {
        let mut place = row;
        for out in out {
            let [x, y] = place.map(|along| usize::try_from(along >> 16).unwrap_or(usize::MAX));
            *out = if x < width && y < height { before[y * width + x] } else { 0 };
            place = [place[0] + across[0], place[1] + across[1]];
        }
        row = [row[0] + down[0], row[1] + down[1]];
    }
}
