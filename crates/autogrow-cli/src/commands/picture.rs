//! An image as a network sees it, made visible again.

use autogrow::Result;
use autogrow::data::{Pass, Preprocessing, Split};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{ImageFormat, Rgb, RgbImage, imageops};
use std::io::Cursor;

/// Pixels of the longer side of a picture within a page.
const SMALL: u32 = 96;

/// One image of a split, in stored order, augmented if `seed` is given; none where it is left out
/// because it cannot be read.
pub(super) fn sample(
    split: &dyn Split,
    index: usize,
    seed: Option<u64>,
) -> Result<Option<Vec<f32>>> {
    let batch = split.batches(Pass { batch_size: 1, seed, skip: index, ..Pass::default() }).next();
    let images = batch.transpose()?.map(|batch| batch.images);
    Ok(images.filter(|images| !images.is_empty()))
}

/// Normalised values `[channels, height, width]` as colours: the first three channels, or the only
/// one as grey.
pub(super) fn picture(
    values: &[f32],
    [channels, height, width]: [usize; 3],
    preprocessing: Option<&Preprocessing>,
) -> RgbImage {
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        Rgb(std::array::from_fn(|channel| {
            let channel = channel.min(channels - 1);
            let value = values[(channel * height + y as usize) * width + x as usize];
            let shown = match preprocessing {
                Some(of) => value * of.std[channel] + of.mean[channel],
                None => value,
            };
            (255.0 * shown).round().clamp(0.0, 255.0) as u8
        }))
    })
}

/// A picture as an address that holds it, smaller where it is large: for pages that need no other
/// file.
pub(super) fn data_url(picture: &RgbImage) -> String {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    let small = match longer > SMALL {
        true => imageops::thumbnail(
            picture,
            (width * SMALL / longer).max(1),
            (height * SMALL / longer).max(1),
        ),
        false => picture.clone(),
    };
    let mut png = Vec::new();
    // Writing into memory does not fail.
    let _ = small.write_to(&mut Cursor::new(&mut png), ImageFormat::Png);
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png))
}
