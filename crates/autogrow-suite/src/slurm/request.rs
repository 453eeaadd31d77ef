//! What a run asks Slurm for, from what it is estimated to cost.
//!
//! Both are rounded up to few steps, so that runs that ask for the same can be one array.

use crate::estimate::Cost;
use serde::Serialize;

/// Minutes a job may ask for. A run that needs more than the last is saved at its end, queued again
/// and goes on: as long a job as most clusters allow would wait for most of them to be free.
const MINUTES: [u32; 6] = [30, 60, 120, 240, 480, 1_440];

/// Minutes for starting up and for the warning before the end.
const AROUND: f64 = 15.0;

/// Time that is asked for, times the estimate: a growing run goes on beyond its floor, and nodes
/// are not all as fast as where it was measured.
const TIMES: f64 = 2.0;

/// Memory that is asked for, times the estimate: nets grow, and what is too little ends a run.
const MEMORIES: f64 = 2.0;

/// Time and memory of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Request {
    pub(crate) minutes: u32,
    pub(crate) gigabytes: u32,
}

impl Request {
    /// For writing tables, and charts of what runs have written.
    pub(crate) const TABLES: Self = Self { minutes: 30, gigabytes: 1 };

    /// For drawing loss surfaces of the nets of these runs: the memory of the largest, and a day.
    pub(crate) fn surfaces(runs: &[Self]) -> Self {
        let gigabytes = runs.iter().map(|run| run.gigabytes).max();
        let gigabytes = gigabytes.unwrap_or(Self::TABLES.gigabytes);
        Self { minutes: MINUTES[MINUTES.len() - 1], gigabytes }
    }

    /// For a run of this cost.
    pub(crate) fn of(cost: &Cost) -> Self {
        let wanted = AROUND + TIMES * cost.seconds / 60.0;
        let minutes = MINUTES.into_iter().find(|&minutes| f64::from(minutes) >= wanted);
        let gigabytes = (MEMORIES * cost.memory_bytes / 1e9).max(1.0).ceil() as u32;
        Self {
            minutes: minutes.unwrap_or(MINUTES[MINUTES.len() - 1]),
            gigabytes: gigabytes.next_power_of_two(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_growth::Depth;

    fn request(seconds: f64, memory_bytes: f64) -> (u32, u32) {
        let depth = Depth::uniform(3, 1);
        let (growing_epochs, fine_tuning_epochs, macs) = (1, 1, 1.0);
        let cost = Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds, memory_bytes };
        let Request { minutes, gigabytes } = Request::of(&cost);
        (minutes, gigabytes)
    }

    #[test]
    fn time_is_twice_the_estimate_and_some_rounded_up() {
        for (estimate, minutes) in [
            (0.0, 30),
            (7.5 * 60.0, 30),
            (7.6 * 60.0, 60),
            (3_600.0, 240),
            (3.8 * 3_600.0, 480),
            (4.0 * 3_600.0, 1_440),
            // Three weeks, a day at a time.
            (21.0 * 86_400.0, 1_440),
        ] {
            assert_eq!(request(estimate, 0.0).0, minutes, "{estimate} s");
        }
    }

    #[test]
    fn memory_is_twice_the_estimate_rounded_up() {
        for (estimate, gigabytes) in
            [(0.0, 1), (0.5e9, 1), (0.6e9, 2), (2.0e9, 4), (2.1e9, 8), (40e9, 128)]
        {
            assert_eq!(request(0.0, estimate).1, gigabytes, "{estimate} B");
        }
    }
}
