//! Scratch: stages of an image.
#![allow(clippy::print_stdout)]
use autogrow_formats::geometry::*;
use autogrow_formats::picture::decode;
use std::path::Path;
use std::time::Instant;
fn main() {
    let mut files = vec![];
    for c in ["class0", "class1"] {
        for e in std::fs::read_dir(format!("/dev/shm/pictures/train/{c}")).unwrap() {
            files.push(std::fs::read(e.unwrap().path()).unwrap());
        }
    }
    let p = Path::new("x");
    let mut scaler = Scaler::default();
    let tables = [[0.5; 256]; 3];
    let mut out = vec![0.0; 3 * 224 * 224];
    let mut seed = 1u64;
    let mut best = [f64::MAX; 3];
    for _ in 0..5 {
        let mut t = [0.0; 3];
        for f in &files {
            let a = Instant::now();
            let pic = decode(p, f).unwrap();
            t[0] += a.elapsed().as_secs_f64();
            let a = Instant::now();
            let crop = Crop::random([pic.width, pic.height], || { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; (seed >> 11) as f64 / (1u64 << 53) as f64 });
            let sq = scaler.crop(p, &pic, crop, 224).unwrap();
            t[1] += a.elapsed().as_secs_f64();
            let a = Instant::now();
            fill_planes(sq, 224, true, &tables, &mut out);
            t[2] += a.elapsed().as_secs_f64();
        }
        for i in 0..3 { best[i] = best[i].min(t[i]); }
    }
    let n = files.len() as f64;
    println!("decode {:.3} ms, crop+scale {:.3} ms, planes {:.3} ms", 1e3 * best[0] / n, 1e3 * best[1] / n, 1e3 * best[2] / n);
}
