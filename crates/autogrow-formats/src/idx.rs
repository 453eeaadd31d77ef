//! IDX, the format of MNIST: a magic number that names element type and dimensions, the sizes, the
//! elements. <http://yann.lecun.com/exdb/mnist> described it.

use crate::Input;
use crate::Result;

/// Unsigned bytes in three dimensions.
const IMAGES: u32 = 0x0803;
/// Unsigned bytes in one dimension.
const LABELS: u32 = 0x0801;
/// More images than any set of this format has: beyond it, a header is damaged.
const MOST_IMAGES: u32 = 1_000_000;

/// Reads the pixels `[images, height, width]` of a file whose images must have this size.
///
/// # Errors
/// [`Error`](crate::Error) where the file is anything but a whole file of such images.
pub fn images(mut input: Input<'_>, [height, width]: [u32; 2]) -> Result<Vec<u8>> {
    let count = header(&mut input, IMAGES, "images")?;
    let size = [input.u32_be("the height")?, input.u32_be("the width")?];
    if size != [height, width] {
        return Err(input.problem(format!(
            "offset 8: images of {}x{} pixels instead of {height}x{width}",
            size[0], size[1]
        )));
    }
    let pixels = u64::from(count) * u64::from(height) * u64::from(width);
    let pixels = input.bytes(pixels, "pixels")?;
    input.end()?;
    Ok(pixels)
}

/// Reads the labels of a file, each below `classes`.
///
/// # Errors
/// As [`images`].
pub fn labels(mut input: Input<'_>, classes: u8) -> Result<Vec<u16>> {
    let count = header(&mut input, LABELS, "labels")?;
    let start = input.offset();
    let labels = input.bytes(u64::from(count), "labels")?;
    input.end()?;
    if let Some(index) = labels.iter().position(|&label| label >= classes) {
        return Err(input.problem(format!(
            "label {} at offset {} (record {index}) is not below {classes}",
            labels[index],
            start + index as u64
        )));
    }
    Ok(labels.into_iter().map(u16::from).collect())
}

/// Checks the magic number and reads how many `what` there are.
fn header(input: &mut Input<'_>, magic: u32, what: &str) -> Result<u32> {
    let found = input.u32_be("the magic number")?;
    if found != magic {
        return Err(input.problem(format!(
            "offset 0: the magic number is {found:#010x}, that of IDX {what} is {magic:#010x}"
        )));
    }
    match input.u32_be(&format!("the number of {what}"))? {
        0 => Err(input.problem(format!("offset 4: no {what} at all"))),
        count if count > MOST_IMAGES => Err(input.problem(format!(
            "offset 4: the header declares {count} {what}, more than any such file has"
        ))),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{damaged, gzip, problem};

    const SIZE: [u32; 2] = [2, 3];
    const IMAGES_FILE: [u8; 28] = *b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03abcdefABCDEF";
    const LABELS_FILE: [u8; 11] = *b"\0\0\x08\x01\0\0\0\x03\x09\0\x01";

    fn read_images(bytes: &[u8]) -> Result<Vec<u8>> {
        images(Input::embedded("images", bytes), SIZE)
    }

    fn read_labels(bytes: &[u8]) -> Result<Vec<u16>> {
        labels(Input::embedded("labels", bytes), 10)
    }

    fn with(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        changed[at] = value;
        changed
    }

    #[test]
    fn plain_and_compressed_files_read_the_same() {
        for bytes in [IMAGES_FILE.to_vec(), gzip(&IMAGES_FILE)] {
            assert_eq!(read_images(&bytes).unwrap(), b"abcdefABCDEF");
        }
        for bytes in [LABELS_FILE.to_vec(), gzip(&LABELS_FILE)] {
            assert_eq!(read_labels(&bytes).unwrap(), [9, 0, 1]);
        }
    }

    #[test]
    fn cut_short_anywhere_the_error_says_what_is_missing() {
        for length in 0..IMAGES_FILE.len() {
            let (found, hint) = problem(read_images(&IMAGES_FILE[..length]));
            assert!(found.starts_with("truncated: "), "{length}: {found}");
            assert!(hint.contains("get it again"));
        }
        let (found, _) = problem(read_images(&IMAGES_FILE[..25]));
        assert_eq!(found, "truncated: 3 of 12 bytes of pixels (from offset 16) are missing");
        for length in 0..LABELS_FILE.len() {
            problem(read_labels(&LABELS_FILE[..length]));
        }
        let (packed_images, packed_labels) = (gzip(&IMAGES_FILE), gzip(&LABELS_FILE));
        for length in 0..packed_images.len() {
            problem(read_images(&packed_images[..length]));
        }
        for length in 0..packed_labels.len() {
            problem(read_labels(&packed_labels[..length]));
        }
    }

    #[test]
    fn damage_is_named_with_its_offset() {
        let images = |at, value| problem(read_images(&with(&IMAGES_FILE, at, value))).0;
        assert_eq!(
            images(3, 1),
            "offset 0: the magic number is 0x00000801, that of IDX images is 0x00000803"
        );
        assert_eq!(images(7, 0), "offset 4: no images at all");
        assert!(images(4, 255).starts_with("offset 4: the header declares 4278190082 images"));
        assert_eq!(images(11, 9), "offset 8: images of 9x3 pixels instead of 2x3");
        assert_eq!(images(7, 1), "6 bytes of trailing garbage from offset 22");

        let labels = |at, value| problem(read_labels(&with(&LABELS_FILE, at, value))).0;
        assert_eq!(labels(9, 10), "label 10 at offset 9 (record 1) is not below 10");
        assert!(labels(3, 3).contains("that of IDX labels is 0x00000801"));
    }

    #[test]
    fn random_damage_is_an_error_or_harmless_never_a_panic() {
        let files = [IMAGES_FILE.to_vec(), LABELS_FILE.to_vec(), gzip(&IMAGES_FILE)];
        for round in 0..30_000 {
            let file = &files[round as usize % 3];
            let bytes = damaged(file, file.len(), round);
            if let Ok(pixels) = read_images(&bytes) {
                assert_eq!(pixels.len(), 12);
            }
            if let Ok(labels) = read_labels(&bytes) {
                assert!(labels.iter().all(|&label| label < 10));
            }
        }
    }
}
