//! The conformance kit: what networks of a sub-module must do so that they grow, train, and are
//! kept and taken up again. A plugin's test of it is one line:
//!
//! ```text
//! autogrow_core::testing::conform("gated3net", &Device::flex()).unwrap();
//! ```

mod gradients;
mod graph;
mod interpreter;

use crate::config::{Compat, NetworkConfig, Shortcut, TrainingConfig};
use crate::data::{Batch, Pass, Split, Targets};
use crate::growth::Depth;
use crate::initializer::InitializerKind;
use crate::network::{Blueprint, Initializer, Network, SeedNetwork, StateDict, SubModuleKind};
use crate::random::{Purpose, generator};
use crate::registry::find;
use crate::settings::PluginSettings;
use crate::training::{Epoch, Learner};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
pub use graph::perturbed;
use std::ops::ControlFlow;
use std::path::Path;

/// Channels of the first sub-network in all checks: the fewest that every family can do with.
const WIDTH: usize = 8;
const CLASSES: usize = 3;
const BATCH: usize = 4;

/// What a network does not do as it must, in a sentence.
#[derive(Debug)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Checks a registered seed network and its sub-module on a plain `device` (not its autodiff twin):
///
/// - every sub-module gives the channels it is registered with, at half the size where it reduces;
/// - gradients of its input and of each parameter agree with differences;
/// - the same seed gives the same network, and its state dict all that it has learnt;
/// - its graph, if it has one, computes what it computes, in as many operations as are counted;
/// - where a sub-module has gates or adds channels, ZeroInit preserves the network's function bit
///   for bit, in training and evaluation mode, on top of every sub-network;
/// - a run that is resumed right after a growth goes on as one that was not interrupted.
///
/// # Errors
/// The first check that fails.
pub fn conform(network: &str, device: &Device) -> Result<(), Failure> {
    let seed = find::<SeedNetwork>(network)?;
    let kit = Kit { seed, kind: seed.sub_module_kind()?, device };
    kit.shapes_and_gradients()?;
    kit.is_determined_by_its_seed()?;
    kit.is_its_state_dict()?;
    kit.is_its_graph()?;
    for sub_network in 0..seed.sub_networks {
        if kit.claims_to_preserve(sub_network)? {
            kit.preserves_the_function(sub_network)?;
        }
        for initializer in ["zero", "gaussian"] {
            kit.resumes_after_a_growth(sub_network, initializer)?;
        }
    }
    Ok(())
}

/// What is checked, and where.
struct Kit<'a> {
    seed: &'static SeedNetwork,
    kind: &'static SubModuleKind,
    device: &'a Device,
}

impl Kit<'_> {
    /// Two sub-modules each, on the smallest image that is not square and has odd sides.
    fn blueprint(&self) -> Result<Blueprint, Failure> {
        let config = NetworkConfig {
            name: self.seed.name.into(),
            depth: Depth::uniform(self.seed.sub_networks, 2),
            width: WIDTH,
            shortcut: Shortcut::Projection,
        };
        let blueprint = Blueprint::seed(&config, Compat::Paper, [2, 1, 1], CLASSES);
        let smallest = blueprint.smallest_image()?;
        Ok(Blueprint { image: [2, smallest + 1, smallest + 3], ..blueprint })
    }

    fn network(&self, device: &Device) -> Result<Network, Failure> {
        Ok(Network::new(self.blueprint()?, &mut generator(1, Purpose::Seed, 0), device)?)
    }

    /// One that is no longer as it was drawn: running statistics and gates have moved.
    fn learner(&self) -> Result<Learner, Failure> {
        let training = TrainingConfig { batch_size: BATCH, ..TrainingConfig::default() };
        let device = self.device.clone().autodiff();
        let network = self.network(&device)?;
        trained(Learner::new(network, &training, &PluginSettings::default(), device)?)
    }

    fn shapes_and_gradients(&self) -> Result<(), Failure> {
        let blueprint = self.blueprint()?;
        let device = self.device.clone().autodiff();
        let [_, height, width] = blueprint.image;
        for (i, &count) in blueprint.depth.as_slice().iter().enumerate() {
            for j in 0..count {
                let stem = self.seed.stem_kind()?;
                let mut rng = generator(2, Purpose::Seed, 10 * i + j);
                let mut builder = blueprint.builder(i, j, (stem, self.kind), &mut rng, &device);
                let stride = builder.stride;
                let mut sub_module = (self.kind.build)(&mut builder)?;
                let rows =
                    if stem.input(blueprint.image)[1] == 1 { [1, 1] } else { [height, width] };
                let [height, width] = rows.map(|size| size.min(7));
                let input = [BATCH, blueprint.channels(i, j, self.kind), height, width];
                let channels = (self.kind.channels)(blueprint.width << i, j + 1);
                let expected = [BATCH, channels, height.div_ceil(stride), width.div_ceil(stride)];
                gradients::check(&mut sub_module, input, expected, &device).map_err(|failure| {
                    Failure(format!("sub-module {j} of sub-network {i}: {}", failure.0))
                })?;
            }
        }
        Ok(())
    }

    fn is_determined_by_its_seed(&self) -> Result<(), Failure> {
        let build = || Ok::<_, Failure>(StateDict::of(&self.network(self.device)?)?);
        same(build()? == build()?, || {
            "the same seed gives other weights: draw all of them from \
                                       `builder.rng`"
                .into()
        })
    }

    fn is_its_state_dict(&self) -> Result<(), Failure> {
        let learner = self.learner()?;
        let trained = learner.network().valid();
        let path = Path::new("state dict");
        let bytes = StateDict::of(&trained)?.to_safetensors()?;
        let mut rng = generator(3, Purpose::Seed, 0);
        let other = Network::new(self.blueprint()?, &mut rng, self.device)?;
        let read = StateDict::from_safetensors(&bytes, path)?.load_into(other, path)?;
        let scores = |network: &Network| bits(network.forward(self.images(self.device)));
        same(scores(&trained) == scores(&read), || {
            "read from its state dict it computes something else: all that it learns has to be in \
             parameters and batch norms"
                .into()
        })
    }

    /// Whether ZeroInit is expected to change nothing on top of a sub-network.
    fn claims_to_preserve(&self, sub_network: usize) -> Result<bool, Failure> {
        let has_gates = !self.network(self.device)?.gates(sub_network, 1).is_empty();
        let channels = self.kind.channels;
        Ok(has_gates || channels(WIDTH, 1) != channels(WIDTH, 2))
    }

    fn preserves_the_function(&self, sub_network: usize) -> Result<(), Failure> {
        let training = self.device.clone().autodiff();
        // `valid` and `train` make a copy: clones share running statistics.
        let before = self.learner()?.network().valid().train();
        let mut after = before.valid().train();
        let mut rng = generator(4, Purpose::Growth, sub_network);
        after.stack(sub_network, &*initializer("zero")?, &mut rng, &training)?;
        let evaluated = |network: &Network| bits(network.valid().forward(self.images(self.device)));
        let trained = |network: &Network| bits(network.forward(self.images(&training)).inner());
        for (mode, before, after) in [
            ("evaluation", evaluated(&before), evaluated(&after)),
            ("training", trained(&before), trained(&after)),
        ] {
            same(before == after, || {
                format!(
                    "stacked on sub-network {sub_network} with ZeroInit, it changes the network's \
                     function in {mode} mode: with all gates 0 a sub-module must give its input"
                )
            })?;
        }
        Ok(())
    }

    fn resumes_after_a_growth(&self, sub_network: usize, name: &str) -> Result<(), Failure> {
        let training = TrainingConfig { batch_size: BATCH, ..TrainingConfig::default() };
        let device = self.device.clone().autodiff();
        let mut learner = self.learner()?;
        let mut rng = generator(5, Purpose::Growth, sub_network);
        learner.stack(sub_network, &*initializer(name)?, &mut rng)?;
        let record = learner.record()?;
        let blueprint = learner.network().blueprint().clone();
        let rebuilt = Network::new(blueprint, &mut generator(6, Purpose::Seed, 0), &device)?;
        let resumed =
            Learner::restore(rebuilt, record, None, &training, &PluginSettings::default(), device)?;
        let end = |learner| Ok::<_, Failure>(StateDict::of(trained(learner)?.network())?);
        same(end(learner)? == end(resumed)?, || {
            format!("resumed after a growth of sub-network {sub_network} it learns something else")
        })
    }

    fn images(&self, device: &Device) -> Tensor<4> {
        let [channels, height, width] =
            self.blueprint().map_or([1; 3], |blueprint| blueprint.image);
        waves([BATCH, channels, height, width], 0.4, device)
    }
}

/// Numbers without a pattern that a layer could hide behind, from -1 to 1.
fn waves<const D: usize>(shape: [usize; D], phase: f32, device: &Device) -> Tensor<D> {
    let numbers: Vec<f32> = numbers(shape.iter().product(), phase);
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn numbers(count: usize, phase: f32) -> Vec<f32> {
    (0..count).map(|i| (1.7 * i as f32 + phase).sin() * (0.9 * i as f32).cos()).collect()
}

/// Two steps further.
fn trained(learner: Learner) -> Result<Learner, Failure> {
    let image = learner.network().blueprint().image;
    let mut epoch = Epoch {
        split: &Waves { image },
        number: 1,
        seed: 0,
        learning_rate: 0.02,
        resumed: Default::default(),
        most_steps: None,
        on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
    };
    Ok(learner.epoch(&mut epoch)?.0)
}

/// Two batches of made-up images.
struct Waves {
    image: [usize; 3],
}

impl Split for Waves {
    fn len(&self) -> usize {
        2 * BATCH
    }

    fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = crate::Result<Batch>> + '_> {
        let pixels = BATCH * self.image.iter().product::<usize>();
        let batch = move |part| Batch {
            images: numbers(pixels, part as f32),
            targets: Targets::Classes((0..BATCH).map(|image| (image + part) % CLASSES).collect()),
        };
        Box::new((0..2).map(batch).map(Ok))
    }
}

fn initializer(name: &str) -> Result<Box<dyn Initializer>, Failure> {
    Ok((find::<InitializerKind>(name)?.build)(Compat::Paper, &PluginSettings::default())?)
}

fn bits(scores: Tensor<2>) -> Vec<u32> {
    scores.into_data().iter::<f32>().map(f32::to_bits).collect()
}

fn same(equal: bool, failure: impl FnOnce() -> String) -> Result<(), Failure> {
    if equal { Ok(()) } else { Err(Failure(failure())) }
}
