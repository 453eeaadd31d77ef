//! The growing and stopping rule of a run in a sentence, by its policy and its mode, and what
//! would lower its floor.

use crate::rule::Rule;
use autogrow_base::registry;
use autogrow_growth::{Mode, PolicyKind};
use maud::{Markup, html};

/// The words in which the modes of growing differ.
struct Words {
    /// What grows, at the beginning of the sentence.
    grows: String,
    /// Which of it at a check, after a comma; empty: all of it.
    which: String,
    /// What a check at which growth has not paid does.
    ends: &'static str,
    /// The same of a single growth.
    ends_own: &'static str,
}

impl Words {
    fn of(mode: &Mode) -> Self {
        let network = |which: &str, ends, ends_own| Self {
            grows: "The network".into(),
            which: format!(", {which}"),
            ends,
            ends_own,
        };
        let (out, out_own) = (
            "takes the sub-network that grew last out of the turn",
            "takes its sub-network out of the turn",
        );
        let (all, all_own) = ("ends the growth of all that grew last", "is the last one");
        match mode {
            Mode::Turn => network("each sub-network in turn", out, out_own),
            Mode::All => network("all sub-networks at once", all, all_own),
            Mode::Only(index) => Self {
                grows: format!("Sub-network {index} alone"),
                which: String::new(),
                ends: "ends its growth",
                ends_own: "is the last one",
            },
            Mode::Random(rate) => network(
                &format!("each sub-network by chance, with a probability of {rate}"),
                "takes the sub-networks that grew last out of the draw",
                "takes its sub-networks out of the draw",
            ),
            Mode::Rate(rate) => network(
                &format!("by {rate} times its sub-modules at once, on the sub-networks in turn"),
                "takes the sub-networks that grew last out of the turn",
                "takes its sub-networks out of the turn",
            ),
            Mode::Sub(amounts) => network(
                &format!("all sub-networks at once, by {amounts} sub-modules"),
                all,
                all_own,
            ),
        }
    }
}

/// The rule in a sentence or two.
pub(super) fn sentence(rule: &Rule) -> Markup {
    let (k, tau) = (rule.config.interval, rule.config.threshold);
    let every = if k == 1 { "every epoch".into() } else { format!("every {k} epochs") };
    let Words { grows, which, ends, ends_own } = Words::of(&rule.config.mode);
    html! {
        @match (rule.config.policy.as_str(), rule.length) {
            ("periodic", Some(j)) => {
                (grows) " grows " (every) " (K = " (k) ")" (which) ". A check at which the last J = "
                (j) " epochs have brought less than τ = " (tau) " points of " (guide(rule)) " "
                (ends) "."
            }
            ("convergent", Some(_)) => {
                (grows) " grows whenever K = " (k) " epochs have brought less than τ = " (tau)
                " points of " (guide(rule)) (which) ". A growth that brought no more than that in \
                 the K epochs after it " (ends_own) "."
            }
            ("worth", _) => {
                (grows) " grows" (which) " once a growth of all at once has not paid. Each growth is on \
                 trial: it begins from the seed as it was after K = " (k) " epochs, is trained for as many \
                 epochs in all as the seed took to settle, and is kept if it brings "
                (rule.config.price) " points of " (rule.words.guide()) " " (rule.words.score())
                " for each doubling of the cost."
            }
            (policy, _) => {
                "The policy " code { (policy) }
                @if let Some(summary) = summary(policy) { " (" (summary) ")" }
                " decides " (every) "."
            }
        }
    }
}

/// What a policy says of itself, where it is linked.
fn summary(policy: &str) -> Option<&'static str> {
    let kind = registry::find::<PolicyKind>(policy).ok()?;
    Some(kind.summary).filter(|summary| !summary.is_empty())
}

/// What is compared.
fn guide(rule: &Rule) -> String {
    let kind = if rule.is_maximum() { "the best" } else { "averaged" };
    format!("{kind} {} {}", rule.words.guide(), rule.words.score())
}

/// What lowers the floor under the policy of `rule`; nothing of policies that are not known here.
pub(super) fn lower_floor(rule: &Rule) -> Markup {
    // Nothing stops before it has grown, and the first growth is at K epochs: a window that is
    // over by the next check stops it there, and a shorter one can do no better.
    let waits = rule.length.is_some_and(|length| length / 2 >= rule.config.interval);
    html! {
        @match rule.config.policy.as_str() {
            "periodic" if waits => {
                " A smaller " code { "growth.patience" } " lowers the floor."
            }
            "periodic" | "convergent" => {
                " What grows stops after its first growth at the earliest, so that a shallower \
                 seed (" code { "network.depth" } ") lowers the floor."
            }
            _ => {}
        }
    }
}
