//! Image files (JPEG, PNG, WebP, BMP) as bytes of one size.
//!
//! What a file is, its content says, not its name. A header that promises a huge image is refused
//! before memory is taken for it.

use autogrow_core::{Error, Result};
use image::imageops::FilterType;
use image::{ImageReader, Limits};
use std::path::Path;

/// Endings of the names of files that are taken for images, in lower case.
pub(crate) const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "bmp"];
/// Largest height or width.
const LONGEST_SIDE: u32 = 20_000;
/// Bytes that decoding one image may take.
const MEMORY: u64 = 512 << 20;

/// Writes the image, scaled so that its shorter side fits and cut to a square around its middle,
/// to `out`: `[3, size, size]`, red, green and blue.
///
/// # Errors
/// [`Error::Data`] where the file cannot be read, decoded, or is too large.
pub(crate) fn decode(path: &Path, size: u32, out: &mut [u8]) -> Result<()> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    let decoded = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(image::ImageError::IoError)
        .and_then(|mut reader| {
            reader.limits(limits);
            reader.decode()
        })
        .map_err(|cause| {
            Error::data(path, format!("is not an image that can be decoded: {cause}"))
                .with_hint("replace the file or take it out of the folder")
        })?;
    let square = decoded.resize_to_fill(size, size, FilterType::Triangle).into_rgb8();
    for (channel, plane) in out.chunks_exact_mut((size * size) as usize).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(square.pixels()) {
            *value = pixel.0[channel];
        }
    }
    Ok(())
}
