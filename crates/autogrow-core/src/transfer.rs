//! What goes between the host and a device: uploads and reads of a training step are made here, and counted
//! (but for the factors of stochastic depth, which are a number an image and branch).
//!
//! A read waits until the device has done all that it was asked for; a device that waits for the host
//! has nothing to do. So a step has one of them, which [`Readback`] gathers.

use crate::Error;
use burn::tensor::kind::Basic;
use burn::tensor::{Device, Tensor, TensorData, Transaction};
use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// How often this thread has gone to devices, and how much it took there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Times that it waited for numbers.
    pub reads: u64,
    /// Arrays taken to a device.
    pub uploads: u64,
    /// Their bytes.
    pub uploaded_bytes: u64,
}

thread_local! {
    static TRANSFERS: Cell<Transfers> =
        const { Cell::new(Transfers { reads: 0, uploads: 0, uploaded_bytes: 0 }) };
}

impl Transfers {
    /// Those of this thread so far.
    pub fn so_far() -> Self {
        TRANSFERS.get()
    }

    /// Those since `before`.
    pub fn since(before: Self) -> Self {
        let now = Self::so_far();
        Self {
            reads: now.reads - before.reads,
            uploads: now.uploads - before.uploads,
            uploaded_bytes: now.uploaded_bytes - before.uploaded_bytes,
        }
    }
}

fn count(add: impl FnOnce(&mut Transfers)) {
    let mut transfers = TRANSFERS.get();
    add(&mut transfers);
    TRANSFERS.set(transfers);
}

/// Takes numbers to a device.
pub(crate) fn upload<const D: usize, K: Basic>(data: TensorData, device: &Device) -> Tensor<D, K> {
    count(|transfers| {
        transfers.uploads += 1;
        transfers.uploaded_bytes += data.as_bytes().len() as u64;
    });
    Tensor::from_data(data, device)
}

/// Waits for numbers, and for all that the device was asked for before them.
pub(crate) fn read<const D: usize, K: Basic>(tensor: Tensor<D, K>) -> TensorData {
    count(|transfers| transfers.reads += 1);
    tensor.into_data()
}

/// Numbers on their way from a device.
pub(crate) struct Readback {
    /// `None` where there is nothing to read, or where it was read.
    reading: Option<Reading>,
    numbers: Vec<f32>,
    device: String,
}

type Reading = Pin<Box<dyn Future<Output = Result<Vec<TensorData>, String>>>>;

impl Readback {
    /// Of these, in order, all in one go.
    pub(crate) fn of(parts: Vec<Tensor<1>>) -> Self {
        let Some(first) = parts.first() else {
            return Self { reading: None, numbers: Vec::new(), device: String::new() };
        };
        count(|transfers| transfers.reads += 1);
        let device = format!("{:?}", first.device());
        // Not `into_data_async`, which asks when the numbers are looked at.
        let all = Transaction::default().register(Tensor::cat(parts, 0));
        let reading = async { all.execute_async().await.map_err(|error| error.to_string()) };
        Self { reading: Some(Box::pin(reading)), numbers: Vec::new(), device }
    }

    /// Asks the device, so that whatever it is asked for later does not have to be done first. Nobody
    /// waits, but on CUDA: Burn 0.22.1 waits there for all that the device was asked for before.
    pub(crate) fn ask(&mut self) {
        // A future does nothing before it is polled.
        let poll =
            |reading: &mut Reading| reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Some(Poll::Ready(read)) = self.reading.as_mut().map(poll) {
            self.reading = Some(Box::pin(std::future::ready(read)));
        }
    }

    /// The numbers. The first time, waits for them.
    ///
    /// # Errors
    /// [`Error::Device`] where the device has failed.
    pub(crate) fn numbers(&mut self) -> crate::Result<&[f32]> {
        if let Some(reading) = self.reading.take() {
            let read = wait_for(reading).map_err(|problem| Error::Device {
                device: self.device.clone(),
                problem,
                origin: None,
                hint: Some("where memory is short, a smaller `training.micro_batch` helps".into()),
            })?;
            self.numbers = read.iter().flat_map(|data| data.iter::<f32>()).collect();
        }
        Ok(&self.numbers)
    }
}

/// What a future comes to; the thread sleeps until it does.
fn wait_for<T>(mut future: Pin<Box<dyn Future<Output = T>>>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(std::thread::current())).into();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_another_thread_completes_is_waited_for() {
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let mut polls = 0;
        let future = std::future::poll_fn(move |context| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(polls);
            }
            sender.send(context.waker().clone()).ok();
            Poll::Pending
        });
        let waking = std::thread::spawn(move || receiver.into_iter().for_each(Waker::wake));
        assert_eq!(wait_for(Box::pin(future)), 3);
        waking.join().unwrap();
    }

    #[test]
    fn numbers_come_in_order_by_one_read() {
        let device = Device::flex();
        let tensor = |numbers: &[f32]| Tensor::<1>::from_data(TensorData::from(numbers), &device);
        let before = Transfers::so_far();
        let mut readback = Readback::of(vec![tensor(&[1.0, 2.0]), tensor(&[3.0])]);
        readback.ask();
        assert_eq!(readback.numbers().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(readback.numbers().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(Transfers::since(before).reads, 1);
        assert!(Readback::of(Vec::new()).numbers().unwrap().is_empty());
        assert_eq!(Transfers::since(before).reads, 1);
    }
}
