//! What pages say in words follows from the run's settings.

use crate::common::{amend, configure, page, run_folder};
use serde_json::json;

#[test]
fn what_lowers_the_floor_depends_on_the_policy() {
    let patience = "A smaller <code>growth.patience</code> lowers the floor";
    let seed = "a shallower seed (<code>network.depth</code>) lowers the floor";
    for (changes, advice) in [
        (&[][..], Some(patience)),
        // The floor is that of any shorter window: the first growth's check is the second one.
        (&[("patience = 8", "patience = 3")][..], Some(seed)),
        (&[("\"periodic\"", "\"convergent\"")][..], Some(seed)),
        (&[("\"periodic\"", "\"own\"")][..], None),
    ] {
        let folder = run_folder();
        amend(folder.path(), "at_floor", json!(true));
        configure(folder.path(), changes);
        let page = page(folder.path());
        for words in [patience, seed] {
            assert_eq!(page.contains(words), advice == Some(words), "{changes:?}: {words}");
        }
    }
}

#[test]
fn the_rule_is_told_by_policy_and_mode() {
    let told = |policy: &str, mode: &str| {
        let folder = run_folder();
        let (policy, mode) = (format!("policy = \"{policy}\""), format!("mode = \"{mode}\""));
        let changes = [("policy = \"periodic\"", &*policy), ("mode = \"turn\"", &*mode)];
        configure(folder.path(), &changes);
        let page = page(folder.path());
        let (_, rule) = page.split_once("id=\"why-heading\"").unwrap();
        rule.split_once("</p>").unwrap().0.rsplit_once("<p>").unwrap().1.to_string()
    };
    for (mode, grows, ends, ends_own) in [
        (
            "turn",
            ", each sub-network in turn.",
            "takes the sub-network that grew last out of the turn.",
            "takes its sub-network out of the turn.",
        ),
        (
            "all",
            ", all sub-networks at once.",
            "ends the growth of all that grew last.",
            "is the last one.",
        ),
        ("only:1", "Sub-network 1 alone grows ", "ends its growth.", "is the last one."),
        (
            "random:0.5",
            ", each sub-network by chance, with a probability of 0.5.",
            "takes the sub-networks that grew last out of the draw.",
            "takes its sub-networks out of the draw.",
        ),
        (
            "own",
            ", sub-networks by the mode own.",
            "ends the growth of the sub-networks that grew last.",
            "ends the growth of its sub-networks.",
        ),
    ] {
        let text = told("periodic", mode);
        assert!(text.contains("grows every 2 epochs (K = 2)"), "{text}");
        assert!(text.contains(grows) && text.ends_with(ends), "{text}");
        let text = told("convergent", mode);
        assert!(text.contains("grows whenever K = 2 epochs"), "{text}");
        assert!(text.contains(grows) && text.ends_with(ends_own), "{text}");
    }
}
