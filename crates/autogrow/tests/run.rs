//! A run by the library: data in memory in, a network out; runs side by side, and cancelled ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow::data::DataSet;
use autogrow::network::StateDict;
use autogrow::{AutoGrow, Dataset, Error};

/// Bright or dark images, a pixel of noise in each.
fn data() -> DataSet {
    let pixel =
        |image: usize, place: usize| if place == image % 16 { 128 } else { image % 2 * 255 };
    let pixels: Vec<u8> =
        (0..60).flat_map(|image| (0..16).map(move |place| pixel(image, place) as u8)).collect();
    let labels = (0..60).map(|image| image % 2);
    Dataset::from_arrays(pixels, [1, 4, 4], labels).unwrap().split(0.2, 0).unwrap()
}

fn run(seed: u64) -> AutoGrow {
    AutoGrow::new("basic3resnet").width(2).interval(1).patience(1).epochs(2).seed(seed)
}

#[test]
fn runs_side_by_side_find_what_each_finds_alone() {
    let data = data();
    let weights = |seed| StateDict::of(&run(seed).run(&data).unwrap().network).unwrap();
    let alone = weights(1);
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| weights(2));
        (weights(1), other.join().unwrap())
    });
    assert!(one == alone && one != other);
}

#[test]
fn what_is_found_is_a_value() {
    let found = run(0).run(&data()).unwrap();
    assert_eq!(found.history.len(), found.outcome.growing_epochs + 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    found.save(&path).unwrap();
    assert!(path.is_file());
}

#[test]
fn a_run_is_cancelled_from_outside() {
    let run = run(0);
    let cancel = run.cancel();
    cancel.cancel();
    assert!(matches!(run.run(&data()), Err(Error::Cancelled)));
}
