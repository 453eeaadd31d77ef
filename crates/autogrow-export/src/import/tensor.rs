//! Tensors as PyTorch writes them: views of storages, with strides.

use autogrow_core::network::TensorEntry;
use autogrow_core::network::floats::{self, Float};
use std::rc::Rc;

/// Axes of a tensor; no layer has more.
pub(super) const MOST_AXES: usize = 8;

/// A member of the archive.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) float: Option<Float>,
    pub(super) key: Rc<str>,
    pub(super) numbers: usize,
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) storage: Rc<Storage>,
    /// First number, in the storage.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Numbers from one place of an axis to the next.
    pub(super) strides: Vec<usize>,
}

impl Tensor {
    /// The tensor with the numbers of its storage's bytes, row-major.
    pub(super) fn fill(&self, float: Float, bytes: &[u8]) -> Result<TensorEntry, String> {
        let stored = self.storage.numbers;
        if stored.checked_mul(float.bytes()) != Some(bytes.len()) {
            return Err(format!("needs {stored} numbers, its storage has {} bytes", bytes.len()));
        }
        let count = self.shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        // Fewer than are stored: none twice, as where an axis is stretched.
        let count = count.filter(|&count| count <= stored);
        let steps = self.shape.iter().zip(&self.strides);
        let last = steps.clone().try_fold(self.offset, |at, (&size, &stride)| {
            at.checked_add(size.saturating_sub(1).checked_mul(stride)?)
        });
        let (Some(count), Some(last)) = (count, last) else {
            return Err("is larger than its storage".into());
        };
        if count > 0 && last >= stored {
            return Err("goes beyond its storage".into());
        }
        let all = floats::decode(float, bytes);
        let values = if self.is_contiguous() {
            all[self.offset.min(stored)..][..count].to_vec()
        } else {
            (0..count).map(|index| all[self.place(index)]).collect()
        };
        Ok(TensorEntry { shape: self.shape.clone(), values })
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size <= 1 || stride == expected;
            expected *= size;
            fits
        })
    }

    /// Where in the storage the `index`-th number is.
    fn place(&self, mut index: usize) -> usize {
        let mut place = self.offset;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            place += index % size * stride;
            index /= size;
        }
        place
    }
}
