//! Pictures in place of ImageNet where nothing is downloaded: a folder of JPEGs for each class, of
//! sizes of their own, so that decoding, scaling and cropping to 224x224 are those of photographs.

use autogrow_base::{Error, Result};
use autogrow_run::storage::{create_folder, failed};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;

/// The data set that they are.
pub(crate) const NAME: &str = "folder";

/// From the folder in which all run folders lie.
pub(crate) const DIR: &str = "../pictures";

/// What the pictures of a class have in common.
struct Class {
    name: &'static str,
    /// Across the stripes.
    direction: [f32; 2],
    /// Between which the stripes alternate.
    colours: [[f32; 3]; 2],
}

const CLASSES: [Class; 4] = [
    Class {
        name: "across",
        direction: [0.0, 1.0],
        colours: [[200.0, 60.0, 40.0], [240.0, 200.0, 90.0]],
    },
    Class {
        name: "down",
        direction: [1.0, 0.0],
        colours: [[30.0, 80.0, 160.0], [120.0, 200.0, 230.0]],
    },
    Class {
        name: "falling",
        direction: [0.7, 0.7],
        colours: [[40.0, 120.0, 50.0], [190.0, 220.0, 120.0]],
    },
    Class {
        name: "rising",
        direction: [0.7, -0.7],
        colours: [[90.0, 40.0, 120.0], [230.0, 170.0, 220.0]],
    },
];

/// Pictures of each class to train on, and to test on.
const COUNTS: [(&str, u32); 2] = [("train", 24), ("val", 6)];

/// Draws them into the folder of results, unless they are there.
pub(crate) fn draw(out: &Path) -> Result<()> {
    let folder = out.join("pictures");
    if folder.is_dir() {
        return Ok(());
    }
    let part = out.join(format!("pictures.{}.part", std::process::id()));
    let mut number = 0;
    for (split, count) in COUNTS {
        for class in &CLASSES {
            let of_class = part.join(split).join(class.name);
            create_folder(&of_class)?;
            for index in 0..count {
                number += 1;
                let picture = picture(number, class);
                write(&of_class.join(format!("{index:02}.jpg")), &picture)?;
            }
        }
    }
    match fs::rename(&part, &folder) {
        // Another process has drawn the same ones meanwhile.
        Err(_) if folder.is_dir() => {
            fs::remove_dir_all(&part).map_err(|error| failed(&part, "cannot be removed", &error))
        }
        moved => moved.map_err(|error| failed(&folder, "cannot be made", &error)),
    }
}

fn write(path: &Path, picture: &RgbImage) -> Result<()> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85)
        .encode_image(picture)
        .map_err(|error| Error::run(path, format!("cannot be drawn ({error})")))?;
    fs::write(path, bytes).map_err(|error| failed(path, "cannot be written", &error))
}

/// Stripes with noise; the picture's size, and the width and place of the stripes, follow from
/// `number`.
fn picture(number: u32, class: &Class) -> RgbImage {
    let Class { direction, colours, .. } = class;
    let mut state = number.wrapping_mul(0x9e37_79b9) | 1;
    let mut draw = || {
        // Xorshift (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let [width, height] = [0, 1].map(|_| 230 + (draw() * 110.0) as u32);
    let (wave, start) = (0.12 + 0.15 * draw(), 6.3 * draw());
    RgbImage::from_fn(width, height, |x, y| {
        let along = x as f32 * direction[0] + y as f32 * direction[1];
        let part = 0.5 + 0.5 * (start + wave * along).sin();
        let noise = 60.0 * (draw() - 0.5);
        let channel = |c: usize| {
            let value = colours[0][c] + part * (colours[1][c] - colours[0][c]) + noise;
            value.clamp(0.0, 255.0) as u8
        };
        Rgb([channel(0), channel(1), channel(2)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sets::Sets;

    #[test]
    fn they_are_jpegs_as_the_data_files_say() {
        let folder = tempfile::tempdir().unwrap();
        draw(folder.path()).unwrap();
        let sets = Sets::read().unwrap();
        let set = sets.named(NAME).unwrap();
        for ((split, count), expected) in COUNTS.into_iter().zip([set.train, set.test]) {
            assert_eq!(count as usize * set.classes, expected);
            let classes = fs::read_dir(folder.path().join("pictures").join(split)).unwrap();
            let classes: Vec<_> = classes.map(|class| class.unwrap().path()).collect();
            assert_eq!(classes.len(), set.classes);
            for class in classes {
                assert_eq!(fs::read_dir(&class).unwrap().count() as u32, count);
            }
        }
        let one = folder.path().join("pictures/train/rising/00.jpg");
        let bytes = fs::read(&one).unwrap();
        let size = image::load_from_memory(&bytes).unwrap().into_rgb8().dimensions();
        assert!(size.0 >= 230 && size.1 >= 230 && bytes.starts_with(&[0xff, 0xd8]));
        // A second time nothing is drawn; elsewhere, the same.
        fs::write(&one, "kept").unwrap();
        draw(folder.path()).unwrap();
        assert_eq!(fs::read(&one).unwrap(), b"kept");
        let other = tempfile::tempdir().unwrap();
        draw(other.path()).unwrap();
        assert_eq!(fs::read(other.path().join("pictures/train/rising/00.jpg")).unwrap(), bytes);
    }
}
