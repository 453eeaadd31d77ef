//! Picture files of any content: decoded, a random part and the middle scaled.
#![no_main]

use autogrow_formats::geometry::{Crop, Scaler};
use autogrow_formats::picture;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|content: &[u8]| {
    let path = Path::new("picture");
    let Ok(picture) = picture::decode(path, content) else { return };
    let pixels = picture.width as usize * picture.height as usize;
    assert!(pixels > 0 && picture.pixels.samples().len() == 3 * pixels);
    let mut draws = content.iter().cycle().map(|&byte| f64::from(byte) / 256.0);
    let size = [picture.width, picture.height];
    let crop = Crop::random(size, || draws.next().unwrap_or_default());
    let mut scaler = Scaler::default();
    assert!(scaler.crop(path, &picture, crop, 16).is_ok());
    assert!(scaler.centre(path, &picture, 18, [16, 16]).is_ok());
});
