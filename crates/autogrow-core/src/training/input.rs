//! [`Input`]: how the images of a pass get to a device. One that computes beside the host is given the
//! bytes of which they are made, with the classes behind them in one array, and normalises them itself.

use super::objective::TargetTensor;
use crate::data::{Normalisation, Pass, RawBatch, RawBatches, RawImages, Split, Targets};
use crate::transfer::upload;
use autogrow_kernels::is_flex;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// How images get to a device.
pub(super) struct Input {
    device: Device,
    /// `[channels, height, width]` of each.
    image: [usize; 3],
    /// How they are normalised there.
    normaliser: Option<Normaliser>,
}

impl Input {
    /// Of images that come normalised.
    pub(super) fn normalised(image: [usize; 3], device: &Device) -> Self {
        Self { device: device.clone(), image, normaliser: None }
    }

    /// The batches of a pass over images of this size, and how they get to a device. Where
    /// `is_normalised`, somebody wants to work on normalised images before that.
    pub(super) fn of<'a>(
        split: &'a dyn Split,
        pass: Pass,
        image: [usize; 3],
        device: &Device,
        is_normalised: bool,
    ) -> (RawBatches<'a>, Self) {
        let input = Self::normalised(image, device);
        if !is_normalised
            && !is_flex(device)
            && let Some((normalisation, batches)) = split.raw_batches(pass)
        {
            let normaliser = Some(Normaliser::new(&normalisation, device));
            return (batches, Self { normaliser, ..input });
        }
        (Box::new(split.batches(pass).map(|batch| batch.map(RawBatch::from))), input)
    }

    /// The images `[batch, channels, height, width]` and the targets of a batch, on the device.
    pub(super) fn take(&self, batch: RawBatch) -> (Tensor<4>, TargetTensor) {
        let count = batch.len();
        let [channels, height, width] = self.image;
        let shape = [count, channels, height, width];
        match (batch.images, &self.normaliser) {
            (RawImages::Bytes(bytes), Some(normaliser)) => {
                let (bytes, targets) = self.unpacked(bytes, &batch.targets);
                (normaliser.normalise(bytes.float().reshape(shape)), targets)
            }
            (RawImages::Bytes(bytes), None) => {
                // Nobody asks for bytes without a way to normalise them.
                let pixels: Vec<f32> = bytes.into_iter().map(f32::from).collect();
                (upload(TensorData::new(pixels, shape), &self.device), self.targets(&batch.targets))
            }
            (RawImages::Normalised(pixels), _) => {
                (upload(TensorData::new(pixels, shape), &self.device), self.targets(&batch.targets))
            }
        }
    }

    fn targets(&self, targets: &Targets) -> TargetTensor {
        TargetTensor::new(targets, &self.device)
    }

    /// The bytes as numbers, and the targets. Devices know no bytes, so four of them travel as a word;
    /// classes are words behind them.
    fn unpacked(&self, mut bytes: Vec<u8>, targets: &Targets) -> (Tensor<1, Int>, TargetTensor) {
        let pixels = bytes.len();
        bytes.resize(pixels.next_multiple_of(4), 0);
        let mut words: Vec<i32> =
            bytes.as_chunks().0.iter().map(|&four| i32::from_le_bytes(four)).collect();
        let of_pixels = words.len();
        if let Targets::Classes(classes) = targets {
            words.extend(classes.iter().map(|&class| class as i32));
        }
        let all = words.len();
        let words: Tensor<1, Int> = upload(TensorData::new(words, [all]), &self.device);
        let targets = match targets {
            Targets::Classes(classes) => {
                let classes = words.clone().narrow(0, of_pixels, classes.len());
                TargetTensor::Classes(classes.reshape([-1, 1]))
            }
            Targets::Numbers { .. } => self.targets(targets),
        };
        let shape = [of_pixels, 4];
        let words = words.narrow(0, 0, of_pixels).reshape([of_pixels, 1]).expand(shape);
        let shifts = Tensor::<1, Int>::arange(0..4, &self.device) * 8;
        let shifts = shifts.reshape([1, 4]).expand(shape);
        let bytes = words.bitwise_right_shift(shifts).bitwise_and_scalar(255);
        (bytes.reshape([4 * of_pixels]).narrow(0, 0, pixels), targets)
    }
}

/// Normalises on a device, by the same operations in the same order as the host.
struct Normaliser {
    white: f32,
    /// `[1, channels, 1, 1]`.
    mean: Tensor<4>,
    std: Tensor<4>,
}

impl Normaliser {
    fn new(normalisation: &Normalisation, device: &Device) -> Self {
        let statistics = &normalisation.statistics;
        let tensor = |values: Vec<f32>| {
            let shape = [1, values.len(), 1, 1];
            upload(TensorData::new(values, shape), device)
        };
        Self {
            white: f32::from(normalisation.white),
            mean: tensor(statistics.iter().map(|of| of.mean).collect()),
            std: tensor(statistics.iter().map(|of| of.std).collect()),
        }
    }

    fn normalise(&self, bytes: Tensor<4>) -> Tensor<4> {
        (bytes / self.white - self.mean.clone()) / self.std.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Batch, Statistics};
    use crate::transfer::Transfers;
    use proptest::prelude::*;

    /// Images as bytes or normalised by the host.
    struct Bytes {
        bytes: Vec<u8>,
        targets: Targets,
        normalisation: Normalisation,
    }

    impl Split for Bytes {
        fn len(&self) -> usize {
            self.targets.len()
        }

        fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = crate::Result<Batch>> + '_> {
            let Normalisation { white, statistics } = &self.normalisation;
            let size = self.bytes.len() / self.len() / statistics.len();
            let planes = self.bytes.chunks(size).zip(statistics.iter().cycle());
            let pixels = planes.flat_map(|(plane, of)| {
                let white = f32::from(*white);
                plane.iter().map(move |&byte| (f32::from(byte) / white - of.mean) / of.std)
            });
            let batch = Batch { images: pixels.collect(), targets: self.targets.clone() };
            Box::new(std::iter::once(Ok(batch)))
        }

        fn raw_batches(&self, _: Pass) -> Option<(Normalisation, RawBatches<'_>)> {
            let images = RawImages::Bytes(self.bytes.clone());
            let batch = RawBatch { images, targets: self.targets.clone() };
            Some((self.normalisation.clone(), Box::new(std::iter::once(Ok(batch)))))
        }
    }

    #[expect(deprecated, reason = "a second opinion, which is not Flex")]
    fn ndarray() -> Device {
        Device::ndarray()
    }

    fn numbers(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    proptest! {
        #[test]
        fn bytes_become_what_the_host_makes_of_them(
            bytes in prop::collection::vec(any::<u8>(), 1..50),
            (count, white) in (1_usize..5, 1_u8..=255),
            of_classes: bool,
        ) {
            let of = |mean, std| Statistics { mean, std };
            let statistics = vec![of(0.4914, 0.2023), of(0.1, 0.7)];
            let image = [2, 1, bytes.len()];
            let bytes = bytes.repeat(2 * count);
            let classes = Targets::Classes((0..count).map(|image| image * 70_000).collect());
            let values = (0..count).map(|image| image as f32).collect();
            let targets = if of_classes { classes } else { Targets::Numbers { width: 1, values } };
            let normalisation = Normalisation { white, statistics };
            let split = Bytes { bytes, targets: targets.clone(), normalisation };
            let taken = |is_normalised| {
                let device = ndarray();
                let (mut batches, input) =
                    Input::of(&split, Pass::default(), image, &device, is_normalised);
                let batch = batches.next().unwrap().unwrap();
                let is_raw = matches!(batch.images, RawImages::Bytes(_));
                let before = Transfers::so_far();
                let (images, targets) = input.take(batch);
                let uploads = Transfers::since(before).uploads;
                (numbers(images), targets.numbers(1), uploads, is_raw)
            };
            let (theirs, ours) = (taken(true), taken(false));
            prop_assert_eq!((theirs.2, theirs.3), (2, false));
            prop_assert_eq!((ours.2, ours.3), (if of_classes { 1 } else { 2 }, true));
            prop_assert_eq!(theirs.0.len(), ours.0.len());
            for (theirs, ours) in theirs.0.iter().zip(&ours.0) {
                prop_assert!((theirs - ours).abs() <= 1e-6 * theirs.abs().max(1.0));
            }
            let device = Device::flex();
            let (_, input) = Input::of(&split, Pass::default(), image, &device, false);
            prop_assert!(input.normaliser.is_none(), "on Flex nothing changes");
            let classes = |targets: &Targets| match targets {
                Targets::Classes(classes) => classes.iter().map(|&class| class as i64).collect(),
                Targets::Numbers { .. } => Vec::new(),
            };
            let input = Input::normalised(image, &ndarray());
            let (_, ours) = input.unpacked(split.bytes.clone(), &targets);
            if let TargetTensor::Classes(ours) = ours {
                prop_assert_eq!(ours.into_data().iter::<i64>().collect::<Vec<_>>(), classes(&targets));
            }
        }
    }
}
