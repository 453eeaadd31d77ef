//! Random erasing (Zhong et al. 2020): a box of random area and shape becomes 0, the mean colour of the
//! set, as torchvision's recipes have it behind normalisation.

use crate::random::Draws;

/// Part of the area that a box has.
const SCALE: [f64; 2] = [0.02, 0.33];
/// Height by width that a box has.
const RATIO: [f64; 2] = [0.3, 3.3];
/// Boxes that are drawn before the image stays as it is.
const TRIES: usize = 10;

/// A box of an image, in pixels.
#[derive(Debug, PartialEq, Eq)]
struct Area {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Area {
    /// One in an image of `[height, width]`, smaller than it in both directions; each call of `uniform`
    /// draws a number from 0 to below 1. None where no box fits.
    fn random(size: [usize; 2], mut uniform: impl FnMut() -> f64) -> Option<Self> {
        let between = |[low, high]: [f64; 2], part: f64| low + part * (high - low);
        let (all, logarithms) = ((size[0] * size[1]) as f64, RATIO.map(f64::ln));
        for _ in 0..TRIES {
            let area = all * between(SCALE, uniform());
            let ratio = between(logarithms, uniform()).exp();
            let [height, width] =
                [area * ratio, area / ratio].map(|square| square.sqrt().round_ties_even() as usize);
            if height < size[0] && width < size[1] {
                let mut place = |free: usize| (uniform() * (free + 1) as f64) as usize;
                let (top, left) = (place(size[0] - height), place(size[1] - width));
                return Some(Self { top, left, height, width });
            }
        }
        None
    }
}

/// Blanks a box in a part of all images; `pixels` are normalised, `[channels, height, width]`.
pub(crate) fn erase(
    part: f64,
    draws: &mut Draws,
    [_, height, width]: [usize; 3],
    pixels: &mut [f32],
) {
    if draws.uniform() >= part {
        return;
    }
    let Some(area) = Area::random([height, width], || draws.uniform()) else { return };
    for plane in pixels.chunks_exact_mut(height * width) {
        for row in plane.chunks_exact_mut(width).skip(area.top).take(area.height) {
            row[area.left..area.left + area.width].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::tests::{fixture, number};
    use crate::random::Purpose;

    #[test]
    fn boxes_are_torchvisions() {
        let fixture = fixture();
        let cases = fixture["erasing"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let list = |key: &str| -> Vec<f64> {
                case[key].as_array().unwrap().iter().map(number).collect()
            };
            let (size, area) = (list("size"), list("area"));
            let mut draws = list("draws").into_iter();
            let got = Area::random([size[0] as usize, size[1] as usize], || draws.next().unwrap());
            let [top, left, height, width] = [0, 1, 2, 3].map(|at| area[at] as usize);
            assert_eq!(got, Some(Area { top, left, height, width }), "{case}");
        }
    }

    #[test]
    fn so_many_images_get_a_box_of_the_mean_colour() {
        let mut erased = 0;
        for index in 0..400 {
            let mut pixels = [1.0; 2 * 12 * 10];
            let mut draws = Draws::new(3, Purpose::Augmentation, index);
            erase(0.25, &mut draws, [2, 12, 10], &mut pixels);
            let blank = pixels.iter().filter(|&&pixel| pixel == 0.0).count();
            let (first, second) = pixels.split_at(120);
            assert_eq!(first, second);
            assert!(blank == 0 || (2..=2 * 60).contains(&blank), "{blank}");
            erased += usize::from(blank > 0);
        }
        assert!((70..130).contains(&erased), "{erased}");
        let mut one = [1.0];
        erase(1.0, &mut Draws::new(0, Purpose::Augmentation, 0), [1, 1, 1], &mut one);
        assert_eq!(one, [1.0]);
    }
}
