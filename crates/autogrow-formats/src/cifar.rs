//! The binary form of CIFAR-10 and CIFAR-100: records of one or two bytes of labels and the red,
//! green and blue planes of an image of 32x32 pixels, one behind the other, without a header.

use crate::{Input, Result};

/// Bytes of an image.
pub const PIXELS: usize = 3 * 32 * 32;
/// More images than any file of this format has: beyond it, a compressed file is a bomb.
const MOST_IMAGES: usize = 1_000_000;

/// Appends the images of a file to `pixels` and their classes to `labels`. Each byte of label in
/// front of an image must be below the number in `below`; the last one is the class.
///
/// # Errors
/// [`Error`](crate::Error) where the file is anything but whole records of such images.
pub fn records(
    mut input: Input<'_>,
    below: &[u8],
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> Result<()> {
    let mut record = vec![0; below.len() + PIXELS];
    pixels.reserve(input.plausible((MOST_IMAGES * PIXELS) as u64));
    let mut records = 0;
    while input.record(&mut record, &format!("record {records}"))? {
        let (classes, image) = record.split_at(below.len());
        for (byte, (label, below)) in classes.iter().zip(below).enumerate() {
            if label >= below {
                let start = input.offset() - (record.len() - byte) as u64;
                return Err(input.problem(format!(
                    "label {label} of record {records} at {} is not below {below}",
                    input.at(start)
                )));
            }
        }
        if records == MOST_IMAGES {
            return Err(input.problem("more images than any such file has"));
        }
        labels.extend(classes.last().map(|&label| u16::from(label)));
        pixels.extend_from_slice(image);
        records += 1;
    }
    if records == 0 {
        return Err(input.problem("no images at all: the file is empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{damaged, problem};

    /// `images` records whose labels and pixels count up.
    fn file(images: usize, labels: usize) -> Vec<u8> {
        let record = |image: usize| {
            let labels = (0..labels).map(move |label| (image + label) as u8);
            labels.chain((0..PIXELS).map(move |pixel| (image + pixel) as u8))
        };
        (0..images).flat_map(record).collect()
    }

    fn read(bytes: &[u8], below: &[u8]) -> Result<(Vec<u8>, Vec<u16>)> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        records(Input::embedded("file.bin", bytes), below, &mut pixels, &mut labels)?;
        Ok((pixels, labels))
    }

    #[test]
    fn the_last_label_is_the_class() {
        let (pixels, labels) = read(&file(3, 1), &[10]).unwrap();
        assert_eq!((pixels.len(), labels), (3 * PIXELS, vec![0, 1, 2]));
        let (pixels, labels) = read(&file(3, 2), &[20, 100]).unwrap();
        assert_eq!((pixels[2 * PIXELS], labels), (2, vec![1, 2, 3]));
    }

    #[test]
    fn cut_short_anywhere_but_between_records_the_error_says_what_is_missing() {
        for below in [&[10][..], &[20, 100]] {
            let whole = file(2, below.len());
            for length in (0..whole.len()).filter(|length| length % (below.len() + PIXELS) != 0) {
                let (found, hint) = problem(read(&whole[..length], below));
                assert!(found.starts_with("truncated: "), "{length}: {found}");
                assert!(hint.contains("get it again"));
            }
            let half = whole.len() / 2;
            assert_eq!(read(&whole[..half], below).unwrap().1.len(), 1);
            assert_eq!(problem(read(&[], below)).0, "no images at all: the file is empty");
        }
    }

    #[test]
    fn random_damage_is_an_error_or_harmless_never_a_panic() {
        for below in [&[10][..], &[20, 100]] {
            let whole = file(2, below.len());
            for round in 0..10_000 {
                let reach = if round % 2 == 0 { 3 } else { whole.len() };
                if let Ok((pixels, labels)) = read(&damaged(&whole, reach, round), below) {
                    assert_eq!((pixels.len(), labels.len()), (2 * PIXELS, 2));
                    assert!(labels.iter().all(|label| *label < u16::from(*below.last().unwrap())));
                }
            }
        }
    }
}
