//! Training on several ranks, here threads of one process: the same as on one, the same from run to
//! run, and resumed on any number of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::Config;
use autogrow_core::data::{Batch, DataRequest, DataSet, Pass, Split, Task};
use autogrow_core::growth::Depth;
use autogrow_core::network::{Blueprint, Network, StateDict};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::ranks::{Ranks, in_process};
use autogrow_core::run::{Event, Outcome, RunFolder, Watch};
use autogrow_core::training::{Epoch, Learner, evaluate};
use autogrow_core::{Error, Found, Job, Resolved, Result, autogrow};
use burn::tensor::Device;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use {autogrow_data as _, autogrow_models as _};

/// What each of `size` ranks returns, in their order.
fn on_each<T: Send>(size: usize, work: impl Fn(&Ranks) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let ranks = if size == 1 { vec![Ranks::single()] } else { in_process(size) };
        let threads: Vec<_> =
            ranks.into_iter().map(|ranks| scope.spawn(move || work(&ranks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn config(set: impl FnOnce(&mut Config)) -> Resolved {
    let mut config = Config::default();
    config.network.width = 2;
    config.training.batch_size = 16;
    config.training.learning_rate = 0.02;
    config.data.fraction = 0.2164;
    set(&mut config);
    Resolved::of(config).unwrap()
}

fn digits(config: &Config) -> DataSet {
    let (compat, plugins, seed) = (config.compat, &config.plugin, config.run.seed);
    let task = Task::Classes;
    let request = DataRequest { config: &config.data, compat, plugins, task, seed, size: 8 };
    DataSet::open(&request).unwrap()
}

/// All that an epoch or two make of a network: parameters and statistics, losses, scores.
struct Trained {
    state: StateDict,
    losses: Vec<f64>,
    accuracy: f64,
}

/// More than 20 steps, the last of each epoch on a batch of 7 images.
fn train(config: &Config, data: &DataSet, ranks: &Ranks) -> Trained {
    let device = Device::flex();
    let blueprint = Blueprint::seed(&config.network, config.compat, data.image, data.outputs.len());
    let mut rng = generator(1, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, &device.clone().autodiff()).unwrap();
    let learner =
        Learner::new(network, &config.training, &config.plugin, device.clone().autodiff());
    let mut learner = learner.unwrap().with_ranks(ranks);
    let mut losses = Vec::new();
    for number in 1..=2 {
        let mut epoch = Epoch {
            split: &*data.train,
            number,
            seed: number as u64,
            learning_rate: config.training.learning_rate,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, step| {
                losses.push(step.loss);
                Ok(ControlFlow::Continue(()))
            },
        };
        (learner, _) = learner.epoch(&mut epoch).unwrap();
    }
    let network = learner.evaluated();
    let (objective, split) = (learner.objective(), &*data.validation);
    let scores =
        evaluate(&network, objective, split, &device, ranks, &mut || Ok(())).unwrap().scores;
    assert_eq!(scores.images, data.validation.len());
    Trained { state: StateDict::of(&network).unwrap(), losses, accuracy: scores.score }
}

fn gap(a: &StateDict, b: &StateDict) -> f32 {
    let values = |state: &StateDict| -> Vec<f32> {
        state.0.values().flat_map(|entry| entry.values.clone()).collect()
    };
    values(a).into_iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn is_parameter(name: &str) -> bool {
    !name.contains("running")
}

fn parameters(state: &StateDict) -> StateDict {
    let own = state.0.iter().filter(|(name, _)| is_parameter(name));
    StateDict(own.map(|(name, entry)| (name.clone(), entry.clone())).collect())
}

/// With the batch norm of all ranks, any number of them trains what one process does.
fn agrees_with_one_process(network: &str, drop_path: f64) {
    let config = config(|config| {
        config.network.name = network.into();
        config.training.drop_path = drop_path;
        config.training.sync_batch_norm = true;
    });
    let data = digits(&config);
    assert_eq!(data.train.len() % 16, 7);
    let alone = train(&config, &data, &Ranks::single());
    assert!(alone.losses.len() >= 20);
    for size in [2, 4] {
        let all = on_each(size, |ranks| train(&config, &data, ranks));
        let again = on_each(size, |ranks| train(&config, &data, ranks));
        for (trained, again) in all.iter().zip(&again) {
            let off = gap(&trained.state, &alone.state);
            assert!(off < 1e-4, "{network} on {size} ranks is {off:.1e} off");
            for (loss, expected) in trained.losses.iter().zip(&alone.losses) {
                assert!((loss - expected).abs() < 1e-4, "{network}: {loss} against {expected}");
            }
            assert_eq!(trained.losses.len(), alone.losses.len());
            // Not a bit is different on another rank or in another run.
            assert_eq!(trained.state, all[0].state, "{network} on {size} ranks");
            assert_eq!((&trained.state, &trained.losses), (&again.state, &again.losses));
            assert_eq!(trained.accuracy, all[0].accuracy);
        }
    }
}

#[test]
fn fused_layers_agree_with_one_process() {
    agrees_with_one_process("basic3resnet", 0.0);
}

/// Branches are left out of the same images, whoever has them.
#[test]
fn stochastic_depth_agrees_with_one_process() {
    agrees_with_one_process("basic3resnet", 0.4);
}

/// Norms without a convolution before them.
#[test]
fn norms_of_their_own_agree_with_one_process() {
    agrees_with_one_process("preact3resnet", 0.0);
}

/// The last batch of 7 images is 4 passes on one rank and 3 on another: who has no image goes along.
#[test]
fn ranks_without_images_take_part() {
    let config = config(|config| {
        config.training.sync_batch_norm = true;
        config.training.micro_batch = 1;
        config.training.drop_path = 0.2;
        config.data.fraction = 0.03;
    });
    let data = digits(&config);
    for size in [2, 4] {
        let all = on_each(size, |ranks| train(&config, &data, ranks));
        assert!(all.iter().all(|trained| trained.state == all[0].state));
        assert!(all[0].losses.iter().all(|loss| loss.is_finite()));
    }
}

/// By default each rank has the statistics of its own images, and only parameters are shared.
#[test]
fn parameters_are_the_same_on_all_ranks_and_from_run_to_run() {
    let config = config(|_| {});
    let data = digits(&config);
    let [first, second] = [(); 2].map(|()| on_each(3, |ranks| train(&config, &data, ranks)));
    for (trained, again) in first.iter().zip(&second) {
        assert_eq!(parameters(&trained.state), parameters(&first[0].state));
        assert_eq!(trained.state, again.state);
        assert_eq!(trained.losses, first[0].losses);
    }
    assert_ne!(first[1].state, first[0].state);
}

/// 16 images on 3 ranks, 7 on 8: gradients count by images, not by ranks.
#[test]
fn gradients_are_weighted_by_images() {
    let config = config(|config| {
        config.network.name = "plainbias3net".into();
        config.training.sync_batch_norm = true;
    });
    let data = digits(&config);
    let alone = train(&config, &data, &Ranks::single());
    for size in [3, 8] {
        for trained in on_each(size, |ranks| train(&config, &data, ranks)) {
            let off = gap(&trained.state, &alone.state);
            assert!(off < 1e-4, "{size} ranks are {off:.1e} off");
        }
    }
}

/// A run with at least six growths, then one epoch of fine-tuning.
fn growing() -> Resolved {
    config(|config| {
        config.training.sync_batch_norm = true;
        config.data.fraction = 0.05;
        config.growth.interval = 1;
        config.growth.max_depth = Some(Depth::uniform(3, 3));
        config.fine_tune.epochs = 1;
        config.run.log_steps = true;
    })
}

/// Whoever keeps everything to himself, or asks to stop after so many steps.
struct Quiet {
    steps_left: usize,
}

impl Watch for Quiet {
    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, _: usize, _: usize, _: usize, _: f64) -> Result<()> {
        self.steps_left = self.steps_left.saturating_sub(1);
        Ok(())
    }

    fn stop(&self) -> Option<(u8, PathBuf)> {
        (self.steps_left == 0).then(|| (15, PathBuf::from("the run")))
    }
}

/// Goes on with the run in `folder` on each rank, for so many steps at most.
fn outcome(found: Result<Found>) -> Result<Outcome> {
    found.map(|found| found.outcome)
}

fn go_on(config: &Resolved, folder: &Path, size: usize, steps_left: usize) -> Vec<Result<Outcome>> {
    let data = digits(config);
    on_each(size, |ranks| {
        let mut quiet = Quiet { steps_left };
        if !ranks.is_first() {
            return outcome(autogrow(
                Job { config, data: &data, device: &Device::flex(), ranks },
                &mut quiet,
                None,
            ));
        }
        let (mut folder, checkpoint) = if folder.exists() {
            let resumed = RunFolder::resume(folder, config).unwrap();
            (resumed.folder, resumed.checkpoint)
        } else {
            (RunFolder::create(folder, config).unwrap(), None)
        };
        let mut watchers: Vec<&mut dyn Watch> = vec![&mut folder, &mut quiet];
        let job = Job { config, data: &data, device: &Device::flex(), ranks };
        outcome(autogrow(job, &mut watchers, checkpoint))
    })
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What a journal tells, without times.
fn journal(folder: &Path) -> Vec<(String, String)> {
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let kind = event["event"].as_str().unwrap().to_string();
        let what = format!("{} {} {}", event["epoch"], event["depth"], event["subnet"]);
        (kind != "resumed").then_some((kind, what))
    };
    read(folder.join("journal.jsonl")).lines().filter_map(event).collect()
}

/// All bits of a finished run.
fn bits(folder: &Path) -> (Vec<u8>, String, Vec<(String, String)>) {
    let model = std::fs::read(folder.join("model.safetensors")).unwrap();
    (model, read(folder.join("steps.csv")), journal(folder))
}

#[test]
fn a_growing_run_is_the_same_on_any_number_of_ranks() {
    let (place, config) = (tempfile::tempdir().unwrap(), growing());
    let run = |name: &str, size| {
        let folder = place.path().join(name);
        for outcome in go_on(&config, &folder, size, usize::MAX) {
            assert_eq!(outcome.unwrap().found, Depth::uniform(3, 3));
        }
        bits(&folder)
    };
    let alone = run("1", 1);
    let grown = alone.2.iter().filter(|(kind, _)| kind == "grew").count();
    assert!(grown >= 6, "{grown}");
    for size in [2, 4] {
        let first = run(&format!("{size}"), size);
        assert_eq!(first.2, alone.2, "{size} ranks");
        assert!(first == run(&format!("{size} again"), size), "{size} ranks, run again");
    }
}

#[test]
fn an_interrupted_run_goes_on_on_another_number_of_ranks() {
    let (place, config) = (tempfile::tempdir().unwrap(), growing());
    let whole = place.path().join("whole");
    go_on(&config, &whole, 2, usize::MAX).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    let (whole, folder) = (bits(&whole), place.path().join("parts"));
    // On as many ranks it ends in the same bits.
    for steps in [9, 7, usize::MAX] {
        for ended in go_on(&config, &folder, 2, steps) {
            match ended {
                Err(Error::Interrupted { signal, .. }) => assert_eq!(signal, 15),
                ended => assert_eq!(ended.unwrap().found, Depth::uniform(3, 3)),
            }
        }
    }
    assert!(bits(&folder) == whole);
    // On others it takes the same decisions.
    let folder = place.path().join("others");
    for (size, steps) in [(4, 9), (1, 9), (3, usize::MAX)] {
        go_on(&config, &folder, size, steps);
    }
    assert_eq!(bits(&folder).2, whole.2);
}

/// A split whose third batch cannot be read on one rank.
struct Broken<'a>(&'a DataSet, usize);

impl Split for Broken<'_> {
    fn len(&self) -> usize {
        self.0.train.len()
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        let is_broken = move |number| number == 2 && pass.share.index == self.1;
        let batches = self.0.train.batches(pass).enumerate();
        Box::new(batches.map(move |(number, batch)| {
            if is_broken(number) { Err(Error::data("shard", "is torn")) } else { batch }
        }))
    }
}

#[test]
fn an_error_of_one_rank_ends_all_with_its_exit_code() {
    let config = config(|_| {});
    let data = digits(&config);
    let errors = on_each(3, |ranks| {
        let device = Device::flex().autodiff();
        let blueprint = Blueprint::seed(&config.network, config.compat, data.image, 10);
        let mut rng = generator(1, Purpose::Seed, 0);
        let network = Network::new(blueprint, &mut rng, &device).unwrap();
        let mut epoch = Epoch {
            split: &Broken(&data, 1),
            number: 1,
            seed: 1,
            learning_rate: 0.1,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
        };
        let learner = Learner::new(network, &config.training, &config.plugin, device).unwrap();
        let learner = learner.with_ranks(ranks);
        let error = learner.epoch(&mut epoch).err().unwrap();
        assert!(ranks.all_end_with(&error));
        error
    });
    for error in errors {
        assert_eq!(error.to_string(), "rank 1: shard: is torn");
        assert_eq!(error.exit_code(), 3);
    }
}

#[test]
fn ranks_with_other_settings_do_not_start() {
    let config = growing();
    let data = digits(&config);
    let errors = on_each(2, |ranks| {
        let mut config = config.config().clone();
        config.run.threads = ranks.rank();
        config.training.momentum = 0.9 - 0.1 * ranks.rank() as f64;
        let mut quiet = Quiet { steps_left: usize::MAX };
        let config = Resolved::of(config).unwrap();
        let job = Job { config: &config, data: &data, device: &Device::flex(), ranks };
        autogrow(job, &mut quiet, None).unwrap_err()
    });
    for error in errors {
        assert_eq!(error.to_string(), "settings of rank 1 are not those of rank 0");
        assert_eq!(error.exit_code(), 1);
    }
}
