//! [`Readback`]: what a step asks of the device, read in one go. Each read waits until the device
//! has done all that it was asked for, so a step has one.

use burn::tensor::Tensor;

/// Numbers that are still on the device.
#[derive(Default)]
pub(super) struct Readback(Vec<Tensor<1>>);

impl Readback {
    /// Adds numbers to what will be read.
    pub(super) fn add(&mut self, numbers: impl IntoIterator<Item = Tensor<1>>) {
        self.0.extend(numbers);
    }

    /// All of them, in order.
    pub(super) fn read(self) -> Vec<f32> {
        if self.0.is_empty() {
            return Vec::new();
        }
        #[cfg(test)]
        tests::READS.set(tests::READS.get() + 1);
        Tensor::cat(self.0, 0).into_data().iter::<f32>().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Compat, Shortcut, TrainingConfig};
    use crate::data::{Batch, Pass, Split, Targets};
    use crate::growth::Depth;
    use crate::network::{AnySubModule, Blueprint, Network, SeedNetwork, SubModule, SubModuleKind};
    use crate::random::{Purpose, generator};
    use crate::settings::PluginSettings;
    use crate::training::{Epoch, Learner};
    use autogrow_kernels::{Activation, FeatureMap, Skip};
    use burn::module::Module;
    use burn::nn::{BatchNorm, conv::Conv2d};
    use burn::tensor::Device;
    use std::cell::Cell;
    use std::ops::ControlFlow;

    thread_local! {
        /// Reads from the device by this thread so far.
        pub(super) static READS: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Module, Debug)]
    struct Layer {
        conv: Conv2d,
        bn: BatchNorm,
    }

    impl SubModule for Layer {
        fn forward(&self, input: FeatureMap) -> FeatureMap {
            input.conv(&self.conv).norm(&self.bn, Skip::None, Activation::Relu)
        }
    }

    crate::register! {
        SubModuleKind {
            name: "layer",
            origin: "this-crate",
            summary: "a convolution",
            residual: false,
            channels: |width, _| width,
            layers: 1,
            build: |builder| {
                let (channels, width) = (builder.channels_in, builder.width);
                let conv = builder.conv([channels, width], 3, builder.stride);
                Ok(AnySubModule::new(Layer { conv, bn: builder.norm(width) }))
            },
        },
        SeedNetwork {
            name: "layers",
            origin: "this-crate",
            summary: "a test's",
            sub_module: "layer",
            sub_networks: 1,
            width: 4,
            stem: "small",
            head: "linear",
            image: 8,
            recipe: None,
        },
    }

    /// Eight images in batches of four.
    struct Eight;

    impl Split for Eight {
        fn len(&self) -> usize {
            8
        }

        fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = crate::Result<Batch>> + '_> {
            let images: Vec<f32> = (0..4 * 64).map(|pixel| (pixel as f32).sin()).collect();
            let batch = move |_| {
                Ok(Batch { images: images.clone(), targets: Targets::Classes(vec![0, 1, 0, 1]) })
            };
            Box::new((0..2).map(batch))
        }
    }

    fn reads_of_an_epoch(depth: usize, training: &TrainingConfig) -> usize {
        let device = Device::flex().autodiff();
        let blueprint = Blueprint {
            network: "layers".into(),
            depth: Depth::uniform(1, depth),
            width: 4,
            image: [1, 8, 8],
            classes: 2,
            shortcut: Shortcut::Projection,
            compat: Compat::Paper,
        };
        let network =
            Network::new(blueprint, &mut generator(1, Purpose::Seed, 0), &device).unwrap();
        let plugins = PluginSettings::default();
        let learner = Learner::new(network, training, &plugins, device).unwrap();
        let before = READS.get();
        let (_, scores) = learner
            .epoch(&mut Epoch {
                split: &Eight,
                number: 1,
                seed: 0,
                learning_rate: 0.1,
                resumed: Default::default(),
                most_steps: None,
                on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
            })
            .unwrap();
        assert_eq!(scores.images, 8);
        READS.get() - before
    }

    #[test]
    fn a_step_reads_once() {
        let training = TrainingConfig { batch_size: 4, ..TrainingConfig::default() };
        assert_eq!(reads_of_an_epoch(1, &training), 2);
        assert_eq!(reads_of_an_epoch(5, &training), 2, "deeper");
        let in_parts = TrainingConfig { micro_batch: 2, clip_norm: 0.1, ..training };
        assert_eq!(reads_of_an_epoch(2, &in_parts), 2, "in parts, clipped");
    }
}
