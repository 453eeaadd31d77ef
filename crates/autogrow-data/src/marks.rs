//! `marks`: generated strips whose needed depth is known, to see whether growth finds it.
//!
//! A strip shows two marks, a plus or a cross each, so many columns apart; whether they are the same is
//! its class. Counting marks does not tell: a network has to look at both at once, so it must be
//! deep enough for its receptive field to hold them. `[plugin.marks]` says how far apart they are.

use crate::images::{Images, Source};
use crate::parts::Parts;
use crate::random::{Draws, Purpose};
use crate::transform::Transform;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_core::settings::SettingsKind;
use autogrow_core::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

const TRAIN_IMAGES: usize = 4_000;
const TEST_IMAGES: usize = 1_000;
const HEIGHT: usize = 8;
const WIDTH: usize = 64;
/// Height and width of a mark.
const MARK: usize = 3;
/// Its first row: in the middle.
const TOP: usize = (HEIGHT - MARK) / 2;
/// Rows of a plus and of a cross, a bit a pixel: five pixels each.
const MARKS: [[u8; MARK]; 2] = [[0b010, 0b111, 0b010], [0b101, 0b010, 0b101]];
/// Columns between the left edges of the marks: side by side, and at both ends of the strip.
const DISTANCES: std::ops::RangeInclusive<usize> = MARK..=WIDTH - MARK;
/// About those of the noise.
const STATISTICS: Statistics = Statistics { mean: 0.25, std: 0.15 };

autogrow_core::register! {
    DataSetKind {
        name: "marks",
        origin: env!("CARGO_PKG_NAME"),
        summary: "generated strips of two marks, alike or not, 8x64 grey, 5,000 images",
        open,
    },
    SettingsKind::of::<Settings>("marks", env!("CARGO_PKG_NAME"))
        .about("columns between the two marks"),
}

/// `[plugin.marks]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Columns between the left edges of the two marks.
    distance: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { distance: 26 }
    }
}

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let Settings { distance } = request.plugins.get("marks")?;
    if !DISTANCES.contains(&distance) {
        let (least, most) = DISTANCES.into_inner();
        let problem = format!("= {distance} is out of range");
        return Err(Error::config("plugin.marks.distance", problem)
            .with_hint(format!("it is from {least} to {most}")));
    }
    Ok(Parts {
        outputs: Outputs::Classes(["same", "different"].map(String::from).to_vec()),
        train: generate(TRAIN_IMAGES, distance, request, Purpose::MarksTrain)?,
        validation: None,
        test: generate(TEST_IMAGES, distance, request, Purpose::MarksTest)?,
    }
    .open(request))
}

/// Strips whose classes take turns; each is a function of seed, purpose and its index.
fn generate(
    images: usize,
    distance: usize,
    request: &DataRequest<'_>,
    purpose: Purpose,
) -> Result<Arc<dyn Source>> {
    let mut pixels = vec![0; images * HEIGHT * WIDTH];
    for (index, strip) in pixels.chunks_exact_mut(HEIGHT * WIDTH).enumerate() {
        draw(strip, index % 2 == 1, distance, &mut Draws::new(request.seed, purpose, index));
    }
    let labels = (0..images).map(|index| (index % 2) as u16).collect();
    let transform = Transform::new([HEIGHT, WIDTH], 255, [STATISTICS]).configured(request.config);
    Ok(Arc::new(Images::new(Path::new("marks"), pixels, labels, transform)?))
}

/// Draws a strip `[8, 64]`: two bright marks in grey noise.
fn draw(strip: &mut [u8], are_different: bool, distance: usize, draws: &mut Draws) {
    draws.fill(strip);
    strip.iter_mut().for_each(|pixel| *pixel /= 2);
    let first = draws.below(2);
    let left = draws.below(WIDTH - MARK - distance + 1);
    let places = [(first, left), (first ^ usize::from(are_different), left + distance)];
    for (mark, left) in places {
        for (row, bits) in MARKS[mark].into_iter().enumerate() {
            for column in 0..MARK {
                if bits >> (MARK - 1 - column) & 1 == 1 {
                    strip[(TOP + row) * WIDTH + left + column] = u8::MAX;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use autogrow_core::config::DataConfig;

    fn open(seed: u64) -> DataSet {
        let config = DataConfig { name: "marks".into(), ..DataConfig::default() };
        testing::open(&config, seed).unwrap()
    }

    /// Left edge, and which mark, of all marks in a strip, whose pixels are the brightest there are.
    fn marks(strip: &[f32]) -> Vec<(usize, usize)> {
        let brightest = strip.iter().copied().fold(f32::MIN, f32::max);
        let row_at = |row: usize, left: usize| {
            let pixels = &strip[row * WIDTH + left..][..MARK];
            pixels.iter().fold(0, |bits, &pixel| bits << 1 | u8::from(pixel == brightest))
        };
        let mark_at = |left: usize| {
            let rows: [u8; MARK] = std::array::from_fn(|row| row_at(TOP + row, left));
            Some((left, MARKS.iter().position(|&mark| mark == rows)?))
        };
        (0..=WIDTH - MARK).filter_map(mark_at).collect()
    }

    #[test]
    fn every_strip_has_two_marks_so_far_apart_and_its_class_says_whether_they_are_the_same() {
        let set = open(0);
        assert_eq!(set.image, [1, HEIGHT, WIDTH]);
        assert_eq!(set.outputs.names(), ["same", "different"]);
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (3_500, 500, 1_000));
        let labels = testing::labels(set.test.as_ref());
        let pixels = testing::pixels(set.test.as_ref());
        let mut kinds = [0; 2];
        for (strip, label) in pixels.chunks(HEIGHT * WIDTH).zip(labels) {
            let found = marks(strip);
            let [(left, first), (right, second)] = found[..] else { panic!("{found:?}") };
            assert_eq!((right - left, usize::from(first != second)), (26, label));
            kinds[first] += 1;
        }
        assert!(kinds.iter().all(|&count| count > 400), "{kinds:?}");
    }

    #[test]
    fn strips_are_a_function_of_the_seed() {
        let pixels = |seed| testing::pixels(open(seed).test.as_ref());
        assert_eq!(pixels(1), pixels(1));
        assert_ne!(pixels(1), pixels(2));
    }
}
