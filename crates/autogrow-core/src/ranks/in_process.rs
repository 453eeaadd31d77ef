//! Ranks that are threads of one process: what tests and programs without MPI use.

use super::{Ranks, Transport};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A rank among threads.
#[derive(Debug)]
pub struct InProcess {
    rank: usize,
    /// To each rank.
    senders: Vec<Sender<Vec<u8>>>,
    /// From each rank. A mutex, because a receiver may not be shared; one thread alone uses it.
    receivers: Mutex<Vec<Receiver<Vec<u8>>>>,
    patience: Mutex<Duration>,
}

/// `size` ranks, one for each thread that is going to train.
pub fn in_process(size: usize) -> Vec<Ranks> {
    let mut senders: Vec<Vec<_>> = (0..size).map(|_| Vec::new()).collect();
    let mut receivers: Vec<Vec<_>> = (0..size).map(|_| Vec::new()).collect();
    for from in &mut senders {
        for to in &mut receivers {
            let (sender, receiver) = channel();
            from.push(sender);
            to.push(receiver);
        }
    }
    let ranks = senders.into_iter().zip(receivers).enumerate();
    let rank = |(rank, (senders, receivers))| InProcess {
        rank,
        senders,
        receivers: Mutex::new(receivers),
        patience: Mutex::new(Duration::from_secs(60)),
    };
    ranks.map(rank).map(Ranks::new).collect()
}

impl Transport for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [Vec<u8>]) -> Result<()> {
        let gone = |rank| Error::ranks(format!("rank {rank} has ended"));
        for (rank, (sender, bytes)) in self.senders.iter().zip(outgoing).enumerate() {
            if rank != self.rank && !bytes.is_empty() {
                sender.send(bytes.to_vec()).map_err(|_| gone(rank))?;
            }
        }
        let patience = *self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        let receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        for (rank, (receiver, bytes)) in receivers.iter().zip(incoming).enumerate() {
            if rank == self.rank || bytes.is_empty() {
                continue;
            }
            let received = receiver.recv_timeout(patience).map_err(|error| match error {
                RecvTimeoutError::Timeout => Error::silent_rank(rank, patience),
                RecvTimeoutError::Disconnected => gone(rank),
            })?;
            if received.len() != bytes.len() {
                return Err(Error::ranks(format!("rank {rank} is doing something else")));
            }
            *bytes = received;
        }
        Ok(())
    }

    fn set_patience(&self, patience: Duration) {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = patience;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What every rank returns, in the order of ranks.
    fn on_each<T: Send>(size: usize, work: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                in_process(size).into_iter().map(|ranks| scope.spawn(|| work(ranks))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    proptest! {
        #[test]
        fn sums_are_those_in_the_order_of_ranks_to_the_last_bit(
            size in 1_usize..6,
            numbers in proptest::collection::vec(-1e9_f32..1e9, 0..50),
        ) {
            let of = |rank: usize| -> Vec<f32> {
                numbers.iter().map(|number| (number * (rank as f32 + 0.7)).sin()).collect()
            };
            let mut expected = vec![0.0_f32; numbers.len()];
            for rank in 0..size {
                expected.iter_mut().zip(of(rank)).for_each(|(sum, number)| *sum += number);
            }
            for (sums, sent) in on_each(size, |ranks| {
                let mut numbers = of(ranks.rank());
                ranks.sum(&mut numbers).unwrap();
                (numbers, ranks.sent() as usize)
            }) {
                let same = sums.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                prop_assert!(same || size == 1, "{sums:?} {expected:?}");
                // At most one number more a rank than the least, because parts are not equal.
                prop_assert!(sent <= 8 * numbers.len() * (size - 1) / size + 8 * size);
            }
        }
    }

    #[test]
    fn what_the_first_rank_has_arrives_everywhere() {
        for own in [vec![], vec![7], vec![1; 100_000]] {
            let all = on_each(3, |ranks| {
                let own = if ranks.is_first() { own.clone() } else { vec![9; ranks.rank()] };
                ranks.broadcast(own).unwrap()
            });
            assert!(all.iter().all(|received| *received == own));
        }
    }

    #[test]
    fn all_fail_with_the_first_one_that_fails() {
        let errors = on_each(4, |ranks| {
            let own = match ranks.rank() {
                2 | 3 => {
                    Err(Error::data("a", format!("bad {}", ranks.rank())).with_hint("mend it"))
                }
                rank => Ok(rank),
            };
            ranks.agree(own).unwrap_err()
        });
        for error in errors {
            assert_eq!(error.to_string(), "rank 2: a: bad 2");
            assert_eq!((error.exit_code(), error.hint().as_deref()), (3, Some("mend it")));
        }
        assert_eq!(on_each(2, |ranks| ranks.agree(Ok(ranks.rank())).unwrap()), [0, 1]);
    }

    #[test]
    fn what_differs_is_an_error_on_all() {
        let errors = on_each(3, |ranks| {
            ranks.check_same("settings", b"same").unwrap();
            ranks.check_same("parameters", &[u8::from(ranks.rank() == 1)]).unwrap_err()
        });
        for error in errors {
            assert_eq!(error.to_string(), "parameters of rank 1 are not those of rank 0");
            assert_eq!(error.exit_code(), 1);
        }
    }

    #[test]
    fn a_rank_that_ends_or_keeps_silent_is_an_error_for_the_others() {
        let errors = on_each(2, |ranks| match ranks.rank() {
            0 => ranks.barrier().unwrap_err().to_string(),
            _ => String::new(),
        });
        assert_eq!(errors[0], "rank 1 has ended");
        let mut ranks = in_process(2);
        let silent = ranks.pop();
        ranks[0].set_patience(Duration::from_millis(1));
        let error = ranks[0].barrier().unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().starts_with("rank 1 has not answered"), "{error}");
        drop(silent);
    }
}
