//! What is recorded of a network, held against what the network computes.

use super::interpreter::{Array, evaluate};
use super::{BATCH, Failure, Kit, same};
use crate::config::Shortcut;
use crate::network::graph::Unrecorded;
use crate::network::{Blueprint, Network, StateDict};
use crate::random::{Purpose, generator};
use burn::tensor::Device;
use std::collections::BTreeSet;
use std::path::Path;

/// How far a score may be off, as a part of the largest one.
const TOLERANCE: f64 = 1e-5;

impl Kit<'_> {
    /// The graph computes what the network does, by all of its tensors and in as many operations as
    /// are told. A sub-module that computes what graphs have no operation for has none.
    pub(super) fn is_its_graph(&self) -> Result<(), Failure> {
        self.is_left_alone_by_recording()?;
        for shortcut in [Shortcut::Projection, Shortcut::Padding] {
            let blueprint = Blueprint { shortcut, ..self.blueprint()? };
            let network = perturbed(&blueprint, self.device)?;
            let recording = network.record()?;
            if let Some(gap) = recording.gaps.first() {
                return match &gap.why {
                    Unrecorded::Unknown(_) => Ok(()),
                    Unrecorded::Mismatch(why) => Err(Failure(format!("{}: {why}", gap.name))),
                };
            }
            let (graph, state) = (recording.graph, StateDict::of(&network)?);
            let used: BTreeSet<_> = graph.stored().map(|stored| stored.name).collect();
            if let Some(unused) = state.0.keys().find(|name| !used.contains(*name)) {
                return Err(Failure(format!("its graph does without {unused}")));
            }
            // The last image of a batch: none may see another.
            let images = self.images(self.device);
            let pixels = images.clone().narrow(0, BATCH - 1, 1).into_data();
            let image = Array {
                shape: graph.nodes[0].shape.clone(),
                values: pixels.iter::<f32>().map(f64::from).collect(),
            };
            let scores = network.forward(images).narrow(0, BATCH - 1, 1).into_data();
            let scores: Vec<_> = scores.iter::<f32>().map(f64::from).collect();
            let (told, products) = evaluate(&graph, &state, &image)?;
            let largest = scores.iter().fold(0.0, |largest: f64, score| largest.max(score.abs()));
            let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < TOLERANCE * largest;
            same(scores.len() == told.len() && scores.iter().zip(&told).all(is_near), || {
                format!("its graph computes something else: {told:?}, not {scores:?}")
            })?;
            let macs = network.macs()?;
            same(macs == products, || {
                format!("it counts {macs} multiply-accumulate operations, there are {products}")
            })?;
        }
        Ok(())
    }

    fn is_left_alone_by_recording(&self) -> Result<(), Failure> {
        let learner = self.learner()?;
        let before = StateDict::of(learner.network())?;
        learner.network().record()?;
        same(StateDict::of(learner.network())? == before, || {
            "recording its graph changes what it has learnt".into()
        })
    }
}

/// A network whose vectors are all different from what they are when drawn, running statistics
/// above all: in one that was just built, many layers have no effect.
///
/// # Errors
/// As [`Network::new`].
pub fn perturbed(blueprint: &Blueprint, device: &Device) -> crate::Result<Network> {
    let build = || Network::new(blueprint.clone(), &mut generator(7, Purpose::Seed, 0), device);
    let mut state = StateDict::of(&build()?)?;
    for (name, entry) in state.0.iter_mut().filter(|(_, entry)| entry.shape.len() == 1) {
        let positive = name.ends_with("weight") || name.ends_with("running_var");
        for (index, value) in entry.values.iter_mut().enumerate() {
            let wave = ((name.len() * 31 + index * 17) as f32).sin();
            *value = if positive { 1.0 + 0.5 * wave } else { 0.3 * wave };
        }
    }
    state.load_into(build()?, Path::new("perturbed"))
}
