//! Picture files (JPEG, PNG, WebP, BMP, GIF, TIFF), decoded to red, green and blue.
//!
//! What a file is, its content says, not its name. Grey becomes colour, what is transparent is put on
//! white, 16 bits stay 16, the colours of print (CMYK, also Adobe's inverted ones) become those of a
//! screen, and a picture that was taken with the camera turned is put upright. Of several pictures in a
//! file, the first is read. A header that promises more than its file can hold is refused before memory
//! is taken for it.

mod jpeg_layout;
mod pixels;

use crate::{Error, Result};
use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use jpeg_layout::Layout;
pub use pixels::{Pixels, Samples};
use std::io::Cursor;
use std::path::Path;

/// Endings of the names of files that are taken for pictures without a look at them, in lower case.
pub const EXTENSIONS: [&str; 12] =
    ["jpg", "jpeg", "jpe", "jfif", "jfi", "png", "webp", "bmp", "dib", "gif", "tif", "tiff"];
/// Bytes at the beginning of a file that tell whether it is a picture.
pub const SIGNATURE: usize = 32;
/// Most pixels of a picture.
const MOST_PIXELS: u64 = 100_000_000;
/// Bytes of a decoded picture at most.
const MEMORY: u64 = 512 << 20;
/// Most bytes that a byte of a PNG file stands for: deflate's best ratio.
const DEFLATE_LIMIT: u64 = 1032;
/// A WebP file of any size may have so many pixels: large areas of one colour take next to nothing.
const CHEAP_PIXELS: u64 = 16 << 20;
/// Beyond those, most pixels that a byte of a WebP file stands for.
const CHEAP_PIXELS_PER_BYTE: u64 = 16 * 16 * 16;
/// Most pixels that a byte of a JPEG file stands for: a bit for a block of 8x8.
const PIXELS_PER_BYTE: u64 = 8 * 64;

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue of each pixel, row by row.
    pub pixels: Pixels,
}

/// Whether the first [`SIGNATURE`] bytes of a file are those of a picture that [`decode`] reads.
pub fn is_picture(start: &[u8]) -> bool {
    image::guess_format(start).is_ok_and(|format| format.reading_enabled())
}

/// Decodes the content of a file; `path` is what errors call it.
///
/// # Errors
/// [`Error`] where that is no picture, only a part of one, or one that is too large.
pub fn decode(path: &Path, content: &[u8]) -> Result<Picture> {
    let decoded = match image::guess_format(content) {
        Ok(ImageFormat::Jpeg) => jpeg(content),
        Ok(format) => other(content, format),
        Err(cause) => Err(Refused::Broken(cause)),
    };
    let image = decoded.map_err(|refused| {
        let problem = match refused {
            Refused::Broken(cause) => format!("is not an image that can be decoded: {cause}"),
            Refused::Truncated => "is truncated: the end of the JPEG data is missing".into(),
            Refused::Large([width, height]) => format!(
                "has {width}x{height} pixels; the limits are 1 and {} million, and {} MB",
                MOST_PIXELS / 1_000_000,
                MEMORY >> 20
            ),
            Refused::Promise([width, height]) => format!(
                "is damaged: {} bytes cannot hold the {width}x{height} pixels of the header",
                content.len()
            ),
        };
        Error::new(path, problem).with_hint("replace the file or take it out of the folder")
    })?;
    let (width, height) = (image.width(), image.height());
    Ok(Picture { width, height, pixels: Pixels::of(image) })
}

/// Width and height as the header of a file has them.
///
/// # Errors
/// [`Error`] where that is no header of a picture.
pub fn size(path: &Path, content: &[u8]) -> Result<[u32; 2]> {
    let reader = ImageReader::new(Cursor::new(content)).with_guessed_format();
    let size = reader.map_err(ImageError::IoError).and_then(ImageReader::into_dimensions);
    let (width, height) = size.map_err(|cause| {
        Error::new(path, format!("is not an image that can be decoded: {cause}"))
            .with_hint("replace the file or take it out of the folder")
    })?;
    Ok([width, height])
}

/// Why a file is not decoded.
enum Refused {
    Broken(ImageError),
    Truncated,
    Large([u32; 2]),
    Promise([u32; 2]),
}

impl From<ImageError> for Refused {
    fn from(cause: ImageError) -> Self {
        Self::Broken(cause)
    }
}

fn jpeg(content: &[u8]) -> Result<DynamicImage, Refused> {
    let layout = Layout::of(content);
    let mut decoder = JpegDecoder::new(Cursor::new(content))?;
    let (width, height) = decoder.dimensions();
    let pixels = checked([width, height])?;
    if pixels > content.len() as u64 * PIXELS_PER_BYTE {
        return Err(Refused::Promise([width, height]));
    }
    // The decoder fills up what is missing with grey.
    if !layout.ends && !layout.is_whole(content) {
        return Err(Refused::Truncated);
    }
    let orientation = layout.exif.then(|| decoder.orientation()).transpose()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn other(content: &[u8], format: ImageFormat) -> Result<DynamicImage, Refused> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = checked([width, height])?;
    if decoder.total_bytes() > MEMORY {
        return Err(Refused::Large([width, height]));
    }
    let bytes = content.len() as u64;
    let most = match format {
        // At least a bit for a pixel.
        ImageFormat::Png => bytes * DEFLATE_LIMIT * 8,
        // Runs of up to 255 pixels in two bytes.
        ImageFormat::Bmp => bytes * 128,
        // A code of twelve bits for at most as many pixels as there are codes.
        ImageFormat::Gif => bytes * 4096,
        ImageFormat::Tiff => bytes * DEFLATE_LIMIT * 8,
        _ => CHEAP_PIXELS.max(bytes * CHEAP_PIXELS_PER_BYTE),
    };
    if pixels > most {
        return Err(Refused::Promise([width, height]));
    }
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn checked([width, height]: [u32; 2]) -> Result<u64, Refused> {
    match u64::from(width) * u64::from(height) {
        pixels @ 1..=MOST_PIXELS => Ok(pixels),
        _ => Err(Refused::Large([width, height])),
    }
}

#[cfg(test)]
mod tests;
