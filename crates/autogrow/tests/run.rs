//! A run by the library: data in memory in, a network or a model out; runs side by side, and cancelled
//! ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow::data::{DataSet, Outputs};
use autogrow::network::StateDict;
use autogrow::ranks::Ranks;
use autogrow::run::{RunFolder, Watch};
use autogrow::{AutoGrow, Certifier, Dataset, Error, Job, Model, Pixels, Resolved, Trial};
use std::num::NonZeroUsize;
use std::sync::mpsc::channel;

fn data() -> DataSet {
    data_of(60)
}

/// Bright or dark images, a pixel of noise in each.
fn data_of(images: usize) -> DataSet {
    let pixel =
        |image: usize, place: usize| if place == image % 16 { 128 } else { image % 2 * 255 };
    let pixels: Vec<u8> =
        (0..images).flat_map(|image| (0..16).map(move |place| pixel(image, place) as u8)).collect();
    let labels = (0..images).map(|image| image % 2);
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
fn data_in_memory_are_mixed_but_not_augmented() {
    for (key, value) in [("data.augment", "trivial".into()), ("data.erasing", 0.5.into())] {
        let value: toml::Value = value;
        let error = run(0).set(key, value).unwrap().run(&data()).err().unwrap();
        assert_eq!(error.key(), Some(key));
    }
    let mixed = run(0).set("training.mixup", 0.2).unwrap();
    let mixed = mixed.set("training.cutmix", 1.0).unwrap().run(&data()).unwrap();
    let plain = run(0).run(&data()).unwrap();
    let of = |found: autogrow::Found| StateDict::of(&found.network).unwrap();
    assert!(of(mixed) != of(plain));
}

#[test]
fn a_run_is_cancelled_from_outside() {
    let run = run(0);
    let cancel = run.cancel();
    cancel.cancel();
    assert!(matches!(run.run(&data()), Err(Error::Cancelled)));
}

#[test]
fn a_cancelled_run_gives_what_there_is() {
    let run = run(0).epochs(50);
    let cancel = run.cancel();
    let found = run
        .on_epoch(move |epoch| {
            if epoch.epoch == 3 {
                cancel.cancel();
            }
        })
        .run_or_part(&data())
        .unwrap();
    assert!(!found.is_complete);
    assert_eq!(found.history.len(), 3);
    let outcome = &found.outcome;
    assert_eq!(outcome.growing_epochs + outcome.fine_tuning_epochs, 3);
    assert_eq!(outcome.parameters, StateDict::of(&found.network).unwrap().parameters());
    assert_eq!(outcome.found, found.depth);
    // Before the first epoch there is nothing.
    let run = self::run(0);
    run.cancel().cancel();
    assert!(matches!(run.run_or_part(&data()), Err(Error::Cancelled)));
}

#[test]
fn a_depth_is_certified_in_memory_as_from_a_folder() {
    let (data, place) = (data(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let run = || AutoGrow::new("basic3resnet").width(2).policy("none").epochs(2);
    let run = |depth: &str| run().depth(depth.parse().unwrap());
    let found = run("2-1-1").folder(&folder).run(&data).unwrap();

    let (epochs, told) = channel();
    let certifier = found.certifier().unwrap().on_epoch(move |epoch| {
        epochs.send(epoch.depth.to_string()).unwrap();
    });
    let certificate = certifier.run(&data).unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), ["1-1-1", "1-1-1", "3-2-2", "3-2-2"]);
    assert_eq!(certificate.found.test_percent, [found.test_accuracy]);
    assert_eq!((certificate.images, certificate.price), (data.test.len(), 0.5));
    assert_eq!(Certifier::read(&folder).unwrap().run(&data).unwrap(), certificate);

    // More orders add to the first.
    let two = NonZeroUsize::new(2).unwrap();
    let twice = found.certifier().unwrap().orders(two).price(9.0).run(&data).unwrap();
    let [first, second] = [&certificate.deeper, &twice.deeper].map(|of| &of.contender.test_percent);
    assert_eq!((second.len(), second[0], twice.price), (2, first[0], 9.0));

    let refused = [
        found.certifier().unwrap().run(&data_of(61)).unwrap_err(),
        found.certifier().unwrap().price(f64::NAN).run(&data).unwrap_err(),
        Certifier::read(place.path()).err().unwrap(),
        Certifier::read(&folder).unwrap().open().unwrap_err(),
    ];
    assert_eq!(refused.each_ref().map(Error::exit_code), [4, 2, 4, 3]);
    assert!(refused.iter().all(|error| error.hint().is_some()), "{refused:?}");
    let certifier = found.certifier().unwrap();
    certifier.cancel().cancel();
    assert!(matches!(certifier.run(&data), Err(Error::Cancelled)));
}

/// Bit for bit, whatever the clock has done: which epochs there were, their step sizes, and after how many
/// steps the last one ended.
#[test]
fn the_found_network_of_a_certificate_is_trained_as_a_clock_let_the_run() {
    let (data, place) = (data_of(2000), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let run = AutoGrow::new("basic3resnet").width(2).policy("worth").epochs(1_000_000);
    let run = run.set("run.max_minutes", 0.02).unwrap().set("training.batch_size", 16_i64).unwrap();
    let found = run.folder(&folder).run(&data).unwrap();
    let outcome = &found.outcome;
    assert_eq!(outcome.timed.len(), outcome.fine_tuning_epochs);

    let config = Resolved::of(RunFolder::config(&folder).unwrap()).unwrap();
    let device = &autogrow::device::of_rank(&config.run.device, 0).unwrap();
    let (grown, ranks) = (&RunFolder::grown(&folder).unwrap(), &Ranks::single());
    let job = Job { config: &config, data: &data, device, ranks };
    let trial = Trial { job, grown, outcome, price: 0.5, orders: 1 };
    assert!(trial.is_the_run(0) && !trial.is_the_run(1));
    let (config, checkpoint) = trial.begin(&found.depth, 0).unwrap();
    let job = Job { config: &config, ..job };
    let mut nobody: Vec<&mut dyn Watch> = Vec::new();
    let again = autogrow::autogrow(job, &mut nobody, Some(checkpoint)).unwrap();
    assert_eq!(again.outcome.timed, outcome.timed);
    assert_eq!(again.outcome.val_accuracy, outcome.val_accuracy);
    let weights = |network| StateDict::of(network).unwrap();
    assert!(weights(&again.network) == weights(&found.network));
}

#[test]
fn a_cancelled_run_has_nothing_to_certify() {
    let run = run(0).epochs(50);
    let cancel = run.cancel();
    let run = run.on_epoch(move |epoch| {
        if epoch.epoch == 20 {
            cancel.cancel();
        }
    });
    let error = run.run_or_part(&data()).unwrap().certifier().err().unwrap();
    assert!(error.to_string().contains("was interrupted"), "{error}");
}

#[test]
fn a_model_computes_the_same_after_its_bytes() {
    let model = run(0).run(&data()).unwrap().model();
    let again = Model::from_bytes(&model.to_bytes().unwrap(), "flex").unwrap();
    let images = Pixels::from((0..48).map(|pixel| 5 * pixel).collect::<Vec<u8>>());
    let outputs = model.outputs(&images, [1, 4, 4], 1).unwrap();
    assert_eq!(outputs.len(), 6);
    assert_eq!(outputs, again.outputs(&images, [1, 4, 4], 2).unwrap());
    let error = model.outputs(&images, [1, 2, 2], 1).unwrap_err();
    assert!(error.to_string().contains("the model takes 1x4x4"), "{error}");
    assert!(Model::from_bytes(b"no model", "flex").is_err());
}

#[test]
fn values_of_rows_are_learnt_as_they_stand_in_the_data() {
    let rows: Vec<f64> = (0..80).flat_map(|row| [1e9 + f64::from(row), 7.0]).collect();
    let values = (0..80).map(|row| 1000.0 + 10.0 * f64::from(row)).collect();
    let data = Dataset::from_values(rows.clone(), [2, 1, 1], 1, values).unwrap();
    let data = data.with_columns(["time", "constant"]).unwrap().standardised();
    let data = data.hold_out(0.25, 0).unwrap();
    let run = AutoGrow::new("mlp1net").set("training.objective", "values").unwrap();
    let run = run.policy("none").set("training.batch_size", 16_i64).unwrap().epochs(30);
    let model = run.run(&data).unwrap().model();
    let info = model.info();
    let table = info.table.as_ref().unwrap();
    assert_eq!(table.columns[0].name, "time");
    let Outputs::Values(of) = &info.outputs else { unreachable!("{:?}", info.outputs) };
    let outputs = model.outputs(&rows.into(), [2, 1, 1], 1).unwrap();
    let error = |(row, &output): (usize, &f32)| of[0].in_units(output) - 1000.0 - 10.0 * row as f64;
    let squares: f64 = outputs.iter().enumerate().map(|of| error(of).powi(2)).sum();
    // A fifth of the deviation of the values.
    assert!((squares / 80.0).sqrt() < 0.2 * of[0].deviation, "{squares}");
}
