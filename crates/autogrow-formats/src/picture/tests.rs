//! Pictures decode as Pillow decodes them; damaged ones are refused, or differ in pixels alone.

use super::*;
use crate::testing::{damaged, expected, expected_pixels, fixture, in_bytes, problem};
use image::{Luma, Rgb, RgbImage};
use std::fs;

fn read(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

fn decoded(content: &[u8]) -> Result<Picture> {
    decode(Path::new("picture"), content)
}

/// One of each format, and of each way of JPEG.
const SMALL: [&str; 9] = [
    "baseline-420.jpg",
    "progressive-420.jpg",
    "restarts.jpg",
    "print.jpg",
    "turned-6.jpg",
    "palette.png",
    "lossless.webp",
    "lossy.webp",
    "grey.bmp",
];

#[test]
fn every_kind_is_decoded_as_pillow_does() {
    let pictures = expected()["pictures"].as_object().unwrap().clone();
    assert!(pictures.len() > 30);
    for (name, seen) in &pictures {
        let found = decode(&fixture(name), &read(name)).unwrap();
        let [width, height] = ["width", "height"].map(|side| seen[side].as_u64().unwrap() as u32);
        assert_eq!([found.width, found.height], [width, height], "{name}");
        let mut stored = size(&fixture(name), &read(name)).unwrap();
        if ["turned-5", "turned-6", "turned-7", "turned-8"]
            .iter()
            .any(|turned| name.contains(turned))
        {
            stored.reverse();
        }
        assert_eq!(stored, [width, height], "{name}");
        if name.contains("alpha") {
            // Pillow drops what says how transparent they are.
            continue;
        }
        let pixels = in_bytes(found.pixels.samples());
        let off: Vec<_> =
            pixels.iter().zip(expected_pixels(seen)).map(|(a, b)| a.abs_diff(b)).collect();
        let mean = off.iter().map(|&off| f64::from(off)).sum::<f64>() / off.len() as f64;
        let most = match Path::new(name).extension().unwrap().to_str().unwrap() {
            "png" if name.contains("16") => 1,
            "png" | "bmp" => 0,
            "webp" if name.contains("lossy") => 2,
            "webp" => 0,
            // Colours of half the resolution are rounded once more on their way to the full one.
            _ if name.contains("42") || name.contains("restarts") => 4,
            // Of three columns, the last is made of one that the picture does not have.
            _ if name.contains("narrow") => 11,
            _ => 2,
        };
        assert!(off.iter().all(|&off| off <= most), "{name}: {:?}", off.iter().max());
        assert!(mean < 0.5 || name.contains("narrow"), "{name}: {mean}");
    }
}

#[test]
fn cut_short_anywhere_is_an_error_or_all_is_there() {
    for name in SMALL.into_iter().chain(["colour.png", "grey.jpg"]) {
        let content = read(name);
        let whole = decoded(&content).unwrap();
        for length in 0..content.len() {
            match decoded(&content[..length]) {
                Ok(picture) => {
                    assert!(picture == whole, "{name} cut to {length} of {}", content.len());
                }
                Err(error) => assert!(error.to_string().starts_with("picture: is "), "{error}"),
            }
        }
        // Only what is behind the pixels may be missing: a checksum, a mark of the end.
        assert!(decoded(&content[..content.len() - 24]).is_err(), "{name}");
    }
}

#[test]
fn random_damage_is_an_error_or_in_the_pixels_never_a_panic() {
    for name in SMALL {
        let content = read(name);
        for round in 0..10_000 {
            let reach = if round % 2 == 0 { content.len() } else { 700 };
            if let Ok(picture) = decoded(&damaged(&content, reach, round)) {
                let pixels = u64::from(picture.width) * u64::from(picture.height);
                assert_eq!(picture.pixels.samples().len() as u64, 3 * pixels);
            }
        }
    }
}

#[test]
fn a_header_is_no_reason_to_take_memory() {
    // A JPEG of 2,000 bytes that says it has 9,999 x 9,999 pixels.
    let mut content = read("progressive-420.jpg");
    let frame = content.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    content[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x0f, 0x27, 0x0f]);
    let (found, hint) = problem(decoded(&content));
    assert!(found.ends_with("cannot hold the 9999x9999 pixels of the header"), "{found}");
    assert!(hint.contains("replace the file"));
    content[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    let (found, _) = problem(decoded(&content));
    assert_eq!(found, "has 65535x65535 pixels; the limits are 1 and 100 million, and 512 MB");
    let mut content = read("colour.bmp");
    content[18..22].copy_from_slice(&9_999_u32.to_le_bytes());
    content[22..26].copy_from_slice(&9_999_u32.to_le_bytes());
    assert!(problem(decoded(&content)).0.contains("cannot hold"));
    // A lossy WebP file, found by fuzzing: 605 bytes that asked for 200 million.
    let mut content = read("lossy.webp");
    let size = content.windows(3).position(|start| start == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    content[size..size + 4].copy_from_slice(&[0x45, 0x28, 0xed, 0x18]);
    assert!(problem(decoded(&content)).0.contains("cannot hold the 10309x6381 pixels"));
}

#[test]
fn what_is_no_picture_is_said_to_be_none() {
    for content in [&b""[..], b"GIF89a", b"text", b"II*\0", &[0xff; 40]] {
        let (found, _) = problem(decoded(content));
        assert!(found.starts_with("is not an image that can be decoded: "), "{found}");
    }
}

/// A picture of 16 bits keeps them: the values of a dark one differ in their lower half alone.
#[test]
fn sixteen_bits_are_kept() {
    let image = image::ImageBuffer::from_fn(4, 1, |x, _| Luma([x as u16 * 50]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(image.clone()).write_to(&mut file, format).unwrap();
        let picture = decoded(file.get_ref()).unwrap();
        let expected = [0, 0, 0, 50, 50, 50, 100, 100, 100, 150, 150, 150];
        assert_eq!(picture.pixels, Pixels::Words(expected.to_vec()), "{format:?}");
    }
}

#[test]
fn gif_and_tiff_are_read() {
    let image = RgbImage::from_fn(9, 7, |x, _| if x < 4 { Rgb([250, 0, 0]) } else { Rgb([0; 3]) });
    for format in [ImageFormat::Gif, ImageFormat::Tiff] {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::from(image.clone()).write_to(&mut file, format).unwrap();
        assert!(is_picture(&file.get_ref()[..SIGNATURE]), "{format:?}");
        let picture = decoded(file.get_ref()).unwrap();
        assert_eq!(picture.pixels, Pixels::Bytes(image.as_raw().clone()), "{format:?}");
        for length in 0..file.get_ref().len() {
            let _ = decoded(&file.get_ref()[..length]);
        }
        for round in 0..2_000 {
            let _ = decoded(&damaged(file.get_ref(), file.get_ref().len(), round));
        }
    }
    assert!(!is_picture(b"text"));
}

/// Cameras and phones are known to leave out the two bytes at the end.
#[test]
fn a_jpeg_without_its_end_is_read_where_all_pixels_are_there() {
    let read_at_least = ["baseline-420.jpg", "grey.jpg", "restarts.jpg", "print.jpg"];
    for name in read_at_least {
        let content = read(name);
        let whole = decoded(&content).unwrap();
        for missing in [1, 2] {
            assert!(decoded(&content[..content.len() - missing]).unwrap() == whole, "{name}");
        }
        let (found, _) = problem(decoded(&content[..content.len() - 40]));
        assert!(found.starts_with("is truncated"), "{name}: {found}");
    }
    let content = read("progressive-420.jpg");
    assert!(decoded(&content[..content.len() - 2]).is_err());
}
