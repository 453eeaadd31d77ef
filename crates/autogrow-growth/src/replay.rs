//! The policies played over evidence that is recorded or made up: `replay`, the depth floor, the
//! epochs that are left at least.

use crate::{Decision, Depth, Evidence, Growth, Rules};
use autogrow_base::Result;
use serde::{Deserialize, Serialize};

/// What the policies make of recorded evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Whether growth came to its end before the evidence did.
    pub finished: bool,
    /// The depth reached.
    pub found: Depth,
    /// Epochs of growing.
    pub growing_epochs: usize,
    /// Every decision.
    pub events: Vec<Decision>,
}

/// Runs Algorithm 1 over recorded evidence, that of one epoch after the other. What networks cost,
/// and so `growth.max_macs` and `growth.max_parameters`, is not known here.
///
/// # Errors
/// As [`Growth::new`].
pub fn replay(rules: &Rules<'_>, evidence: impl IntoIterator<Item = Evidence>) -> Result<Replayed> {
    let mut growth = Growth::new(rules)?;
    let events = evidence.into_iter().flat_map(|evidence| growth.epoch(evidence)).collect();
    Ok(Replayed {
        finished: growth.finished(),
        found: growth.depth().clone(),
        growing_epochs: growth.epochs(),
        events,
    })
}

/// The depth floor: the shallowest net that these rules can return, which is what is found when
/// scores never improve. None for policies of which that is not so, where the cost of networks
/// limits growth, and where growth would never end.
///
/// # Errors
/// As [`Growth::new`].
pub fn floor(rules: &Rules<'_>) -> Result<Option<Replayed>> {
    if rules.growth.limits_cost() || !Growth::new(rules)?.policy().has_floor() {
        return Ok(None);
    }
    // After `patience` (or 2K) epochs every check deletes a sub-network, so this is long enough
    // for the built-in policies with any mode but an unlucky random one.
    let growth = rules.growth;
    let checks = growth.patience / growth.interval + 4 * rules.depth.sub_networks() + 100;
    let flat = std::iter::repeat_n(Evidence::of_score(0.0), checks * growth.interval);
    let floor = replay(rules, flat)?;
    Ok(floor.finished.then_some(floor))
}

/// Growing epochs that are left at least after `scores`, the guiding scores so far: those until the
/// end if they never improve again. None where the policy does not promise to end then, and where the
/// cost of networks limits growth.
///
/// # Errors
/// As [`Growth::new`].
pub fn epochs_left(rules: &Rules<'_>, scores: &[f64]) -> Result<Option<usize>> {
    if rules.growth.limits_cost() || !Growth::new(rules)?.policy().has_floor() {
        return Ok(None);
    }
    let horizon = 2 * rules.growth.patience + 100 * rules.growth.interval;
    let flat = std::iter::repeat_n(0.0, horizon);
    let ended = replay(rules, scores.iter().copied().chain(flat).map(Evidence::of_score))?;
    Ok(ended.finished.then(|| ended.growing_epochs.saturating_sub(scores.len())))
}
