//! Is the found depth worth it? The network as growth left it, one level shallower and one deeper, each
//! trained to the end on the same batches as the found one, and compared on the test images.

mod trial;

use crate::cancel::Cancel;
use crate::device;
use crate::found::{Found, OnEpoch, Progress, progress};
use crate::settings_by_key::open_data;
use crate::threads;
use autogrow_core::data::DataSet;
use autogrow_core::growth::Depth;
use autogrow_core::network::Network;
use autogrow_core::ranks::Ranks;
use autogrow_core::run::certificate::Certificate;
use autogrow_core::run::{Checkpoint, Event, ModelFile, Outcome, RunFolder, Watch};
use autogrow_core::training::{precision_on, set_precision, use_convolution};
use autogrow_core::{Error, Job, Resolved, Result};
use burn::tensor::Device;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
pub use trial::Trial;

/// What errors name where there is no run folder.
const PLACE: &str = "the run";

/// A run that has ended, whose depth is to be set beside one level less and one more.
pub struct Certifier {
    config: Resolved,
    device: Device,
    grown: Checkpoint,
    /// The network of the run.
    network: Network,
    outcome: Outcome,
    /// Where the run is.
    place: PathBuf,
    price: f64,
    orders: usize,
    on_epoch: Option<OnEpoch>,
    cancel: Cancel,
}

impl Found {
    /// What certifies the depth. It needs the data of the run again.
    ///
    /// # Errors
    /// [`Error::Run`] where the run was cancelled.
    pub fn certifier(&self) -> Result<Certifier> {
        let Some(grown) = self.grown.as_ref().filter(|_| self.is_complete) else {
            return Err(Error::run(PLACE, "was interrupted, so there is nothing to certify")
                .with_hint("let it come to its end"));
        };
        Ok(Certifier {
            config: self.config.clone(),
            device: self.device.clone(),
            grown: grown.clone(),
            network: self.network.clone(),
            outcome: self.outcome.clone(),
            place: PLACE.into(),
            price: self.config.growth.price,
            orders: 1,
            on_epoch: None,
            cancel: Cancel::default(),
        })
    }
}

impl Certifier {
    /// Of the run in a folder, with the price that it was grown at (`growth.price`) and one order of the
    /// images.
    ///
    /// # Errors
    /// [`Error::Run`] where there is no run, it is not finished, or it is damaged; [`Error::Device`] where
    /// its device is not there.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let outcome = RunFolder::finished(folder)?;
        let config = Resolved::of(RunFolder::config(folder)?)?;
        let device = device::of_rank(&config.run.device, 0)?;
        let (network, _) = ModelFile::read(folder)?.build(&device)?;
        Ok(Self {
            grown: RunFolder::grown(folder)?,
            network,
            outcome,
            place: folder.into(),
            price: config.growth.price,
            orders: 1,
            on_epoch: None,
            cancel: Cancel::default(),
            config,
            device,
        })
    }

    /// Percentage points that a doubling of the multiply-accumulate operations has to bring.
    pub fn price(self, price: f64) -> Self {
        Self { price, ..self }
    }

    /// In how many orders of the images each network is trained. The scatter between them counts as error.
    pub fn orders(self, orders: NonZeroUsize) -> Self {
        Self { orders: orders.get(), ..self }
    }

    /// Called after each epoch of each network.
    pub fn on_epoch(self, call: impl FnMut(&Progress) + Send + 'static) -> Self {
        Self { on_epoch: Some(Box::new(call)), ..self }
    }

    /// A handle that ends the training from another thread.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The run's data set, where it has a registered name.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be used, or the run was trained on data in memory.
    pub fn open(&self) -> Result<DataSet> {
        open_data(&self.config)
    }

    /// Trains the networks and compares them on the test images of `data`, which are those of the run.
    ///
    /// # Errors
    /// [`Error::Config`] where the price makes no sense; [`Error::Run`] where the data are others;
    /// [`Error::Cancelled`] after [`Cancel::cancel`]; whatever ends training.
    pub fn run(self, data: &DataSet) -> Result<Certificate> {
        let Self { config, device, grown, network, outcome, place, price, orders, .. } = self;
        if !(price.is_finite() && price >= 0.0) {
            return Err(Error::config("price", format!("= {price} is out of range"))
                .with_hint("it is 0 or more"));
        }
        let (config, ranks) = (&config, &Ranks::single());
        let job = Job { config, data, device: &device, ranks };
        let trial = Trial { job, grown: &grown, outcome: &outcome, price, orders };
        trial.check_data(&place)?;
        let precision = precision_on(&device, config.training.precision)?;
        let mut told = Told { on_epoch: self.on_epoch, cancel: self.cancel };
        threads::pool(config.run.threads)?.install(move || {
            use_convolution(config.training.convolution);
            set_precision(precision);
            let found = network.depth().clone();
            trial.certificate(&found, &mut |depth, order| match *depth == found {
                true if trial.is_the_run(order) => Ok(network.clone()),
                _ => trained(&trial, depth, order, &mut told),
            })
        })
    }
}

/// The network at this depth, trained to its end.
fn trained(trial: &Trial<'_>, depth: &Depth, order: usize, told: &mut Told) -> Result<Network> {
    let (config, checkpoint) = trial.begin(depth, order)?;
    let job = Job { config: &config, ..trial.job };
    let found = autogrow_core::autogrow(job, told, Some(checkpoint));
    found.map(|found| found.network).map_err(crate::found::without_folder)
}

/// Tells the caller of epochs, and training that it is cancelled.
struct Told {
    on_epoch: Option<OnEpoch>,
    cancel: Cancel,
}

impl Watch for Told {
    fn event(&mut self, event: &Event) -> Result<()> {
        if let (Some(call), Some(progress)) = (&mut self.on_epoch, progress(event)) {
            call(&progress);
        }
        Ok(())
    }

    fn stop(&self) -> Option<(u8, PathBuf)> {
        self.cancel.stop(Path::new(""))
    }
}
