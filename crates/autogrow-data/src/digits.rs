//! `digits`: 1,797 handwritten digits of 8x8 pixels, in the binary itself, so that AutoGrow can be
//! tried without a download. The origin is in `assets/README.md`.
//!
//! There is no published split of this file. Of each digit, 36 images spread evenly over the file
//! (it is ordered by writer) are the test images: 360, the same for every seed.

use crate::error::of_file;
use crate::images::Images;
use crate::parts::{Parts, spread};
use crate::transform::Transform;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_core::{Error, Result};
use autogrow_formats::Input;
use std::path::Path;
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "digits",
        origin: env!("CARGO_PKG_NAME"),
        summary: "handwritten digits (UCI), 8x8 grey, 1,797 images, embedded: nothing to download",
        open,
    }
}

/// The file as published: a line an image, 64 pixels from 0 to 16, then the digit.
const FILE: &[u8] = include_bytes!("../assets/digits.csv.gz");
/// What errors call it.
const NAME: &str = "digits.csv.gz (embedded)";
const TEST_IMAGES_PER_DIGIT: usize = 36;
/// Of the 1,437 training images, measured.
const STATISTICS: Statistics = Statistics { mean: 0.3049, std: 0.3759 };

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let folder = &request.config.dir;
    if !folder.as_os_str().is_empty() {
        let problem = format!("= \"{}\" means nothing to the built-in digits", folder.display());
        return Err(Error::config("data.dir", problem)
            .with_hint("--data folder is for pictures of your own, --data csv for a table"));
    }
    let (pixels, labels) = read().map_err(of_file)?;
    let is_test = spread(&labels, |_| TEST_IMAGES_PER_DIGIT);
    // Digits fill all eight rows but leave columns free, so they have room to move sideways only.
    // Cross-validated (2-2-2, eight channels, 24 epochs), 16 of 1,797 are taken for another digit
    // with this shift, 21 without one, 25 with shifts in both directions.
    let transform = Transform::new([8, 8], 16, [STATISTICS]).shift([0, 1]);
    let transform = transform.configured(request.config);
    let (mut train, mut test) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for ((image, label), is_test) in pixels.chunks_exact(64).zip(labels).zip(is_test) {
        let part = if is_test { &mut test } else { &mut train };
        part.0.extend_from_slice(image);
        part.1.push(label);
    }
    let images = |(pixels, labels)| -> Result<_> {
        Ok(Arc::new(Images::new(Path::new(NAME), pixels, labels, transform.clone())?))
    };
    let outputs = Outputs::Classes((0..10).map(|digit| digit.to_string()).collect());
    Ok(Parts { outputs, train: images(train)?, validation: None, test: images(test)? }
        .open(request))
}

/// Pixels `[images, 8, 8]` and labels.
fn read() -> autogrow_formats::Result<(Vec<u8>, Vec<u16>)> {
    let mut input = Input::embedded(NAME, FILE);
    let text = input.rest(1 << 20)?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let numbers: Option<Vec<u8>> = line
            .split(|&byte| byte == b',')
            .map(|number| str::from_utf8(number).ok()?.parse().ok())
            .collect();
        match numbers.as_deref() {
            Some([image @ .., label @ 0..10])
                if image.len() == 64 && image.iter().all(|&pixel| pixel <= 16) =>
            {
                pixels.extend_from_slice(image);
                labels.push(u16::from(*label));
            }
            _ => {
                let record = labels.len();
                return Err(input.problem(format!("record {record} is not an image of a digit")));
            }
        }
    }
    Ok((pixels, labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use autogrow_core::config::DataConfig;
    use autogrow_core::config::SelectOn;

    #[test]
    fn the_file_is_the_published_one() {
        let (pixels, labels) = read().unwrap();
        assert_eq!(labels.len(), 1_797);
        assert_eq!(pixels.iter().map(|&pixel| u64::from(pixel)).sum::<u64>(), 561_718);
        assert_eq!(labels[..5], [0, 1, 2, 3, 4]);
        assert_eq!(pixels[..6], [0, 0, 5, 13, 9, 1]);
    }

    #[test]
    fn test_images_are_balanced_and_the_same_for_every_seed() {
        let config = DataConfig::default();
        let (one, two) = (testing::open(&config, 1).unwrap(), testing::open(&config, 2).unwrap());
        assert_eq!(one.image, [1, 8, 8]);
        assert_eq!((one.train.len(), one.validation.len(), one.test.len()), (1_078, 359, 360));
        assert_eq!(testing::pixels(one.test.as_ref()), testing::pixels(two.test.as_ref()));
        let labels = testing::labels(one.test.as_ref());
        for digit in 0..10 {
            assert_eq!(labels.iter().filter(|&&label| label == digit).count(), 36);
        }
    }

    #[test]
    fn training_pixels_have_mean_0_and_deviation_1() {
        let config = DataConfig { select_on: SelectOn::Test, ..DataConfig::default() };
        let pixels = testing::pixels(testing::open(&config, 0).unwrap().train.as_ref());
        let count = pixels.len() as f64;
        let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / count;
        let square = pixels.iter().map(|&pixel| f64::from(pixel).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-3 && (square - mean * mean - 1.0).abs() < 1e-3, "{mean} {square}");
    }
}
