//! A picture of samples: a row an image, first as it is evaluated, then as epochs augment it.

use autogrow_core::data::{DataSet, Pass, Split};
use autogrow_core::{Error, Result};
use image::{Rgb, RgbImage};
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
            let corner = [cell[0] * column as u32 + GAP, cell[1] * row as u32 + GAP];
            for y in 0..height * scale {
                for x in 0..width * scale {
                    let pixel = pixel(data, &pixels, y / scale, x / scale);
                    sheet.put_pixel(corner[0] + x as u32, corner[1] + y as u32, Rgb(pixel));
                }
            }
        }
    }
    let cannot = |cause: image::ImageError| {
        Error::config("--out", format!("{} cannot be written: {cause}", path.display()))
            .with_hint("name a file that ends in .png, in a folder that is there")
    };
    sheet.save_with_format(path, image::ImageFormat::Png).map_err(cannot)
}

/// One image of a split; none where it is left out because it cannot be read.
fn sample(split: &dyn Split, index: usize, seed: Option<u64>) -> Result<Option<Vec<f32>>> {
    let batch = split.batches(Pass { batch_size: 1, seed, skip: index, ..Pass::default() }).next();
    let images = batch.transpose()?.map(|batch| batch.images);
    Ok(images.filter(|images| !images.is_empty()))
}

/// The colour of a pixel, back from its normalised values.
fn pixel(data: &DataSet, values: &[f32], y: usize, x: usize) -> [u8; 3] {
    let [channels, height, width] = data.image;
    std::array::from_fn(|channel| {
        let channel = channel.min(channels - 1);
        let value = values[(channel * height + y) * width + x];
        let shown = match &data.preprocessing {
            Some(of) => value * of.std[channel] + of.mean[channel],
            None => value,
        };
        (255.0 * shown).round().clamp(0.0, 255.0) as u8
    })
}
