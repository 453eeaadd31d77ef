//! A picture of samples: a row an image, first as it is evaluated, then as epochs augment it.

use crate::commands::picture::{picture, sample};
use autogrow::data::DataSet;
use autogrow::{Error, Result};
use image::{Rgb, RgbImage, imageops};
use std::path::Path;

/// Images, spread evenly over the training images.
const ROWS: usize = 10;
/// Epochs.
const AUGMENTED: usize = 5;
/// Pixels between images.
const GAP: u32 = 4;
/// Images smaller than this are shown larger.
const SMALLEST: usize = 96;

/// Writes the sheet of `data`, whose training images must not be shuffled, as PNG.
pub(super) fn write(data: &DataSet, path: &Path) -> Result<()> {
    let [_, height, width] = data.image;
    let scale = SMALLEST.div_ceil(height.max(width)).max(1);
    let cell = [width * scale, height * scale].map(|side| side as u32 + GAP);
    let rows = ROWS.min(data.train.len());
    let size = [cell[0] * (1 + AUGMENTED) as u32 + GAP, cell[1] * rows as u32 + GAP];
    let mut sheet = RgbImage::from_pixel(size[0], size[1], Rgb([255; 3]));
    for row in 0..rows {
        let index = row * data.train.len() / rows;
        for column in 0..=AUGMENTED {
            let seed = column.checked_sub(1).map(|epoch| epoch as u64);
            let Some(pixels) = sample(&*data.train, index, seed)? else { continue };
            let shown = picture(&pixels, data.image, data.preprocessing.as_ref());
            let [across, down] = [shown.width(), shown.height()].map(|side| side * scale as u32);
            let shown = imageops::resize(&shown, across, down, imageops::FilterType::Nearest);
            let corner = [cell[0] * column as u32 + GAP, cell[1] * row as u32 + GAP];
            imageops::replace(&mut sheet, &shown, corner[0].into(), corner[1].into());
        }
    }
    let cannot = |cause: image::ImageError| {
        Error::config("--out", format!("{} cannot be written: {cause}", path.display()))
            .with_hint("name a file that ends in .png, in a folder that is there")
    };
    sheet.save_with_format(path, image::ImageFormat::Png).map_err(cannot)
}
