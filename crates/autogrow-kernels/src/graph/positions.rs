//! Where the pixels of a map are, as numbers that attention can tell them apart by.

/// Sines and cosines of row and column in turn, `[height x width, channels]`, waves of 2 pi to
/// 20,000 pi pixels: the fixed encoding of DETR (Carion et al. 2020).
pub fn positions([height, width]: [usize; 2], channels: usize) -> Vec<f32> {
    let waves = channels.div_ceil(4) as f32;
    let mut values = Vec::with_capacity(channels * height * width);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        values.extend((0..channels).map(|channel| {
            let place = if channel % 2 == 0 { y } else { x } as f32;
            let angle = place / 10_000f32.powf((channel / 4) as f32 / waves);
            if channel % 4 < 2 { angle.sin() } else { angle.cos() }
        }));
    }
    values
}
