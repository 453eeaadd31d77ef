//! A data set in memory: stripes across or down an image of 8x8 pixels, in noise.

use autogrow_core::Result;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_data::{Images, Parts, Source, Transform};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Height and width of an image.
const SIZE: usize = 8;

/// Of pixels from 0 to 1, about half of which are white.
const STATISTICS: Statistics = Statistics { mean: 0.5, std: 0.5 };

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let outputs = Outputs::Classes(vec!["across".into(), "down".into()]);
    let (train, test) = (images(0..400)?, images(400..500)?);
    // It has no validation images: some of the training images are held out.
    Ok(Parts { outputs, train, validation: None, test }.open(request))
}

/// What each of them shows follows from its number. Training images are shifted by a pixel at most.
fn images(numbers: Range<usize>) -> Result<Arc<dyn Source>> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for number in numbers {
        let (class, start) = (number % 2, number / 2 % 4);
        for place in 0..SIZE * SIZE {
            let along = [place / SIZE, place % SIZE][class];
            let is_white = (along + start) % 4 < 2;
            let is_noise = (7_919 * number + 31 * place) % 11 == 0;
            pixels.push(if is_white != is_noise { 255 } else { 0 });
        }
        labels.push(class as u16);
    }
    let transform = Transform::new([SIZE, SIZE], 255, [STATISTICS]).shift([1, 1]);
    Ok(Arc::new(Images::new(Path::new("stripes"), pixels, labels, transform)?))
}

autogrow_core::register! {
    DataSetKind {
        name: "stripes",
        origin: env!("CARGO_PKG_NAME"),
        summary: "stripes across or down in noise, 8x8 grey, 500 images",
        open,
    },
}
