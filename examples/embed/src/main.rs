//! Finds a depth for images that exist in memory alone: stripes across or down, in noise.

use autogrow::{AutoGrow, Dataset};
use burn::tensor::{Device, Tensor, TensorData};

/// Height and width of an image.
const SIZE: usize = 8;

fn main() -> autogrow::Result<()> {
    let (pixels, labels) = stripes(600);
    let data = Dataset::from_arrays(pixels, [1, SIZE, SIZE], labels)?
        .with_classes(["across", "down"])?
        .split(0.2, 0)?;
    let run = AutoGrow::new("basic3resnet").width(4).interval(1).patience(2).epochs(4);
    let found = run.on_epoch(|epoch| println!("{epoch}")).run(&data)?;
    println!("found {}: {:.2} % of the test images", found.depth, found.test_accuracy);

    let image = TensorData::new(vec![0.5_f32; SIZE * SIZE], [1, 1, SIZE, SIZE]);
    let scores = found.network.forward(Tensor::from_data(image, &Device::flex()));
    let scores: Vec<f32> = scores.into_data().iter::<f32>().collect();
    println!("scores of a grey image: {scores:?}");
    found.save("net.safetensors")
}

/// Pixels and labels: what each image shows follows from its number.
fn stripes(images: usize) -> (Vec<u8>, Vec<usize>) {
    let pixel = |number: usize, place: usize| {
        let along = [place / SIZE, place % SIZE][number % 2];
        let is_white = (along + number / 2) % 4 < 2;
        let is_noise = (7_919 * number + 31 * place) % 11 == 0;
        if is_white != is_noise { 255 } else { 0 }
    };
    let places = |number| (0..SIZE * SIZE).map(move |place| pixel(number, place));
    ((0..images).flat_map(places).collect(), (0..images).map(|number| number % 2).collect())
}
