//! [`Recorder`]: writes down as a [`Graph`] what a forward pass does.

use crate::features::Features;
use crate::graph::{Graph, Tape, Unrecorded};
use crate::map::FeatureMap;
use burn::module::ParamId;
use burn::tensor::Device;
use std::collections::HashMap;

/// Records a network's forward pass, of one image. Its feature maps hold no numbers: nothing is
/// computed.
#[derive(Debug)]
pub struct Recorder(Tape);

impl Recorder {
    /// `names` are PyTorch's of every parameter that the network holds. A forward pass that asks
    /// for plain tensors gets zeros on `device`.
    pub fn new(names: HashMap<ParamId, String>, device: Device) -> Self {
        Self(Tape::new(names, device))
    }

    /// An image `[channels, height, width]`, as `[1, channels, height, width]`.
    pub fn input(&self, image: [usize; 3]) -> Features<4> {
        Features::recorded(self.0.input(&image))
    }

    /// What `forward` makes of `input`, as a block of this name whose sub-module is of this kind.
    ///
    /// # Errors
    /// What kept it from being recorded; the graph is then as it was before. A new
    /// [`input`](Self::input) can stand for its output.
    pub fn block(
        &self,
        (name, kind): (&str, &str),
        input: FeatureMap,
        forward: impl FnOnce(FeatureMap) -> FeatureMap,
    ) -> Result<FeatureMap, Unrecorded> {
        let start = self.0.len();
        let before = input.to_features().record(&self.0);
        let output = forward(input).to_features().record(&self.0);
        self.0.close_block((name, kind), start, [&before, &output])?;
        Ok(FeatureMap::from_features(Features::recorded(output)))
    }

    /// The graph that gives `output`.
    ///
    /// # Errors
    /// What kept anything outside of blocks from being recorded.
    pub fn finish(self, output: &Features<2>) -> Result<Graph, Unrecorded> {
        self.0.finish(&output.record(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Op;
    use crate::{Activation, Skip, batch_norm, conv, linear};
    use burn::nn::{BatchNorm, Linear, conv::Conv2d};
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    struct Layers {
        conv1: Conv2d,
        conv2: Conv2d,
        shortcut: Conv2d,
        norm: BatchNorm,
        linear: Linear,
    }

    impl Layers {
        fn new() -> Self {
            let (mut rng, device) = (ChaCha8Rng::seed_from_u64(1), Device::flex());
            Self {
                conv1: conv([3, 8], 3, 2, &mut rng, &device),
                conv2: conv([8, 8], 3, 1, &mut rng, &device),
                shortcut: conv([3, 8], 1, 2, &mut rng, &device),
                norm: batch_norm(8, &device),
                linear: linear([8, 5], &mut rng, &device),
            }
        }

        fn recorder(&self) -> Recorder {
            let names = [
                (self.conv1.weight.id, "conv1.weight"),
                (self.conv2.weight.id, "conv2.weight"),
                (self.shortcut.weight.id, "shortcut.0.weight"),
                (self.norm.gamma.id, "norm.weight"),
                (self.linear.weight.id, "linear.weight"),
            ];
            let names = names.map(|(id, name)| (id, name.to_string()));
            Recorder::new(names.into(), Device::flex())
        }

        fn block(&self, input: &FeatureMap) -> FeatureMap {
            let map = input.conv(&self.conv1).norm(&self.norm, Skip::None, Activation::Relu);
            let map = map.conv(&self.conv2);
            let skip = Skip::Projected(input.conv(&self.shortcut), &self.norm);
            map.norm(&self.norm, skip, Activation::Relu)
        }

        fn scores(&self, map: &FeatureMap) -> Features<2> {
            map.global_average().linear(&self.linear)
        }
    }

    #[test]
    fn a_block_is_recorded_layer_by_layer() {
        let layers = Layers::new();
        let recorder = layers.recorder();
        let image = FeatureMap::from_features(recorder.input([3, 7, 6]));
        let map = recorder.block(("layer1.0", "basic"), image, |map| layers.block(&map)).unwrap();
        assert_eq!(map.dims(), [1, 8, 4, 3]);
        let graph = recorder.finish(&layers.scores(&map)).unwrap();
        let names: Vec<_> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(
            names,
            ["", "conv1", "norm", "", "conv2", "norm", "shortcut.0", "norm", "", "", "", "linear"]
        );
        assert_eq!(graph.nodes[8].inputs, [5, 7]);
        assert_eq!((graph.nodes[8].op.clone(), graph.nodes[9].op.clone()), (Op::Add, Op::Relu));
        let block = &graph.blocks[0];
        assert_eq!((block.input, block.output, block.nodes.clone()), (0, 9, 1..10));
        assert_eq!((graph.output, &graph.nodes[11].shape[..]), (11, &[5][..]));
        let terms = [3 * 9 * 8, 8 * 9 * 8, 3 * 8].iter().sum::<u64>();
        assert_eq!(graph.macs(), terms * 12 + 8 * 5);
    }

    /// Each of these would have a graph but for one operation, and keeps its shape.
    #[test]
    fn what_cannot_be_recorded_is_told() {
        let layers = Layers::new();
        let conv = || Conv2d { stride: [1, 1], ..layers.shortcut.clone() };
        let act = |map: &FeatureMap, conv: &Conv2d| map.conv(conv).act(Activation::Identity);
        type Forward<'a> = &'a dyn Fn(FeatureMap) -> FeatureMap;
        let cases: [(Forward<'_>, &str, [usize; 3]); 6] = [
            (&|map| FeatureMap::from_nchw(map.to_nchw()), "plain tensors", [3, 7, 6]),
            (
                &|map| FeatureMap::concat(&[FeatureMap::from_nchw(map.to_nchw()), map]),
                "plain tensors",
                [6, 7, 6],
            ),
            (
                &|map| {
                    let rows = map.to_features().permute([2, 0, 3, 1]).reshape([7, 3, 6, 1]);
                    let back = rows.permute([3, 1, 0, 2]);
                    act(&FeatureMap::from_features(back), &conv())
                },
                "images that are not kept apart",
                [8, 7, 6],
            ),
            (
                &|map| act(&map, &Conv2d { dilation: [2, 2], ..layers.conv1.clone() }),
                "a dilated convolution",
                [8, 3, 2],
            ),
            (
                &|map| {
                    let (mut rng, device) = (ChaCha8Rng::seed_from_u64(2), Device::flex());
                    act(&map, &crate::conv([3, 4], 3, 1, &mut rng, &device))
                },
                "a parameter that the network does not hold",
                [4, 7, 6],
            ),
            (&|map| act(&map, &layers.conv2), "Conv", [3, 7, 6]),
        ];
        for (forward, why, shape) in cases {
            let recorder = layers.recorder();
            let image = FeatureMap::from_features(recorder.input([3, 7, 6]));
            let told = recorder.block(("layer1.0", "odd"), image.clone(), |map| {
                let map = forward(map);
                assert_eq!(map.dims()[1..], shape, "{why}");
                map
            });
            let told = told.unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
            // The rest is recorded as if nothing had been.
            let graph = recorder.finish(&layers.scores(&layers.block(&image))).unwrap();
            assert_eq!((graph.nodes.len(), graph.blocks.len()), (12, 0));
        }
    }
}
