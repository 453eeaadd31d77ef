//! Batch norm over the batches of all ranks.

use super::Ranks;
use crate::{Error, Result};
use autogrow_kernels::Peers;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The sums of batch norms over all ranks, while one pass goes forward and backward.
#[derive(Debug)]
pub(crate) struct NormSums {
    ranks: Ranks,
    /// Whether this rank has no image in the pass: it goes along with a stand-in that nobody
    /// counts, because all ranks have to take part in every sum.
    absent: bool,
    /// Layers cannot fail, so a lost rank is kept here, and whoever has asked for the pass looks.
    lost: Mutex<Option<Error>>,
    is_lost: AtomicBool,
}

impl NormSums {
    pub(crate) fn new(ranks: Ranks, absent: bool) -> Arc<Self> {
        Arc::new(Self { ranks, absent, lost: Mutex::new(None), is_lost: AtomicBool::new(false) })
    }

    /// Whether all sums so far are whole.
    pub(crate) fn check(&self) -> Result<()> {
        match self.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Peers for NormSums {
    fn gather(&self, own: &[f64]) -> Vec<Vec<f64>> {
        let own = if self.absent { vec![0.0; own.len()] } else { own.to_vec() };
        if self.is_lost.load(Ordering::Relaxed) {
            return vec![own];
        }
        self.ranks.gather(&own).unwrap_or_else(|error| {
            self.is_lost.store(true, Ordering::Relaxed);
            *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            vec![own]
        })
    }
}
