//! `svhn`: house numbers from street views, 73,257 and 26,032 colour images of 32x32 pixels in two
//! MAT-files (the `extra` images are not used). Digit 0 has the label 10 there.

use crate::error::of_file;
use crate::images::{Images, Source};
use crate::locate::{self, Places};
use crate::parts::Parts;
use crate::transform::Transform;
use autogrow_core::config::DataConfig;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_core::{Error, Result};
use autogrow_formats::Input;
use autogrow_formats::matlab::{self, Variable};
use std::path::Path;
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "svhn",
        origin: env!("CARGO_PKG_NAME"),
        summary: "house numbers (Netzer et al.), 32x32 colour, 99,289 images",
        open: |request| open(&Places::new(&request.config.dir), request),
    }
}

const TRAIN: &str = "train_32x32.mat";
const TEST: &str = "test_32x32.mat";
const HOW_TO_GET: &str = "`autogrow download svhn`; or put the published files train_32x32.mat and \
                          test_32x32.mat into one folder and name it with `data.dir`";
/// Height and width.
const SIZE: usize = 32;
/// Bytes of an image.
const PIXELS: usize = 3 * SIZE * SIZE;

fn open(places: &Places, request: &DataRequest<'_>) -> Result<DataSet> {
    let folders = places.candidates("svhn", &[], &[]);
    let folder = locate::folder("svhn", &folders, &[TRAIN.into()], HOW_TO_GET)?;
    let outputs = Outputs::Classes((0..10).map(|digit| digit.to_string()).collect());
    let part =
        |name: &str| read(&locate::file(&folder, &[name.into()], HOW_TO_GET)?, request.config);
    let (train, test) = (part(TRAIN)?, part(TEST)?);
    Ok(Parts { outputs, train, validation: None, test }.open(request))
}

fn read(path: &Path, config: &DataConfig) -> Result<Arc<dyn Source>> {
    read_from(Input::open(path).map_err(of_file)?, path, config)
}

/// Reads what is, or is called, the file at `path`.
fn read_from(input: Input<'_>, path: &Path, config: &DataConfig) -> Result<Arc<dyn Source>> {
    let (mut pixels, mut labels) = (None, None);
    matlab::variables(input, |variable| {
        match variable.name.as_str() {
            "X" => pixels = Some(images(variable)?),
            "y" => labels = Some(digits(variable)?),
            _ => {}
        }
        Ok(())
    })
    .map_err(of_file)?;
    let missing =
        |name| Error::data(path, format!("there is no variable `{name}`")).with_hint(HOW_TO_GET);
    let pixels = pixels.ok_or_else(|| missing("X"))?;
    let labels = labels.ok_or_else(|| missing("y"))?;
    let transform =
        Transform::new([SIZE, SIZE], 255, statistics()).shift([4, 4]).configured(config);
    Ok(Arc::new(Images::new(path, pixels, labels, transform)?))
}

fn statistics() -> [Statistics; 3] {
    Statistics::channels([0.4377, 0.4438, 0.4728], [0.1980, 0.2010, 0.1970])
}

/// The images of `[height, width, channels, images]`, the height fastest, as
/// `[images, channels, height, width]`, the width fastest.
fn images(variable: &mut Variable<'_, '_>) -> autogrow_formats::Result<Vec<u8>> {
    let expected = match variable.dimensions[..] {
        // The last dimension is left out where it is 1.
        [SIZE, SIZE, 3] => PIXELS,
        [SIZE, SIZE, 3, images] => images.saturating_mul(PIXELS),
        _ => {
            let found = format!("{:?} instead of [32, 32, 3, images]", variable.dimensions);
            return Err(variable.problem(&found));
        }
    };
    let mut pixels = Vec::with_capacity(variable.plausible());
    variable.blocks(PIXELS, |image| {
        for plane in image.chunks_exact(SIZE * SIZE) {
            for y in 0..SIZE {
                pixels.extend((0..SIZE).map(|x| plane[x * SIZE + y]));
            }
        }
    })?;
    if pixels.len() != expected || pixels.is_empty() {
        let found = format!("{} bytes for dimensions {:?}", pixels.len(), variable.dimensions);
        return Err(variable.problem(&found));
    }
    Ok(pixels)
}

/// The digits that labels from 1 to 10 stand for.
fn digits(variable: &mut Variable<'_, '_>) -> autogrow_formats::Result<Vec<u16>> {
    let numbers = variable.numbers()?;
    let digit = |(index, &number): (usize, &f64)| match number {
        10.0 => Ok(0),
        1.0..10.0 if number.fract() == 0.0 => Ok(number as u16),
        _ => Err(variable.problem(&format!("record {index}: label {number} is not 1 to 10"))),
    };
    numbers.iter().enumerate().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::SourceTargets;
    use crate::random::{Draws, Purpose};
    use crate::testing::{self, assert_as_written, data_problem, fixture};
    use std::fs;

    fn read_bytes(bytes: &[u8]) -> Result<Arc<dyn Source>> {
        let config = DataConfig::default();
        read_from(Input::embedded("file.mat", bytes), Path::new("file.mat"), &config)
    }

    #[test]
    fn packed_and_plain_files_are_read_as_written() {
        for file in ["svhn/train_32x32.mat", "svhn/test_32x32.mat", "svhn/plain_32x32.mat"] {
            let source = read(&fixture(file), &DataConfig::default()).unwrap();
            assert_as_written(source.as_ref(), &[file], statistics());
        }
    }

    #[test]
    fn ten_is_zero_and_nothing_is_mirrored() {
        let dir = fixture("");
        let config = DataConfig { name: "svhn".into(), dir, ..DataConfig::default() };
        let set = testing::open(&config, 0).unwrap();
        assert_eq!((set.image, set.train.len(), set.test.len()), ([3, 32, 32], 9, 3));
        assert_eq!(testing::labels(set.test.as_ref()), [0, 9, 1]);
    }

    #[test]
    fn cut_short_anywhere_is_an_error() {
        for file in ["svhn/test_32x32.mat", "svhn/plain_32x32.mat"] {
            let whole = fs::read(fixture(file)).unwrap();
            for length in (0..whole.len()).step_by(3).chain(whole.len() - 50..whole.len()) {
                assert!(read_bytes(&whole[..length]).is_err(), "{length} of {}", whole.len());
            }
        }
    }

    #[test]
    fn random_damage_is_an_error_or_harmless_never_a_panic() {
        let files = ["svhn/test_32x32.mat", "svhn/plain_32x32.mat"]
            .map(|file| fs::read(fixture(file)).unwrap());
        for round in 0..2_000 {
            let mut draws = Draws::new(2, Purpose::Order, round);
            let mut bytes = files[round % 2].clone();
            // Most of a file is pixels: damage what describes them half of the time.
            let reach = if draws.coin() { bytes.len() } else { 250 };
            bytes[draws.below(reach)] ^= 1 << draws.below(8);
            if let Ok(source) = read_bytes(&bytes) {
                let SourceTargets::Classes(labels) = source.targets() else {
                    panic!("not classes")
                };
                assert!(labels.iter().all(|&label| label < 10));
            }
        }
    }

    #[test]
    fn damage_is_named() {
        let whole = fs::read(fixture("svhn/plain_32x32.mat")).unwrap();
        let damaged = |at: usize, value| {
            let mut bytes = whole.clone();
            bytes[at] = value;
            data_problem(read_bytes(&bytes)).0
        };
        assert_eq!(damaged(125, 2), "is a MAT-file of version 7.3 instead of version 5");
        assert_eq!(damaged(124, 9), "offset 124: not the mark of a MAT-file of version 5");
        assert_eq!(damaged(160, 31), "variable `X`: [31, 32, 3, 2] instead of [32, 32, 3, images]");
        assert_eq!(damaged(172, 3), "variable `X`: 6144 bytes for dimensions [32, 32, 3, 3]");
        // The last label, a double: 10 becomes 10.000002.
        let at = whole.len() - 5;
        assert!(damaged(at, 1).starts_with("variable `y`: record 1: label 10.00"));
        assert_eq!(damaged(180, b'Z'), "there is no variable `X`");
    }
}
