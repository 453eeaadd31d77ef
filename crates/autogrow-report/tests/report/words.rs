//! What pages say in words follows from the run's settings.

use crate::common::{amend, configure, fixture, page, run_folder};
use autogrow_report::rule::Rule;
use autogrow_report::{Report, Run, figures};
use serde_json::json;
use std::fs;

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
        assert!(page.contains("The result is the depth floor"));
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
            "rate:0.5",
            ", by 0.5 times its sub-modules at once, on the sub-networks in turn.",
            "takes the sub-networks that grew last out of the turn.",
            "takes its sub-networks out of the turn.",
        ),
        (
            "sub:2-1-1",
            ", all sub-networks at once, by 2-1-1 sub-modules.",
            "ends the growth of all that grew last.",
            "is the last one.",
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

/// What is seen of a page: without scripts, styles and the table of the configuration.
fn seen(page: &str) -> String {
    let (_, main) = page.split_once("<main>").unwrap();
    main.split_once("<section id=\"settings\"").unwrap().0.to_string()
}

#[test]
fn a_run_guided_by_the_test_images_says_so() {
    const NOTE: &str = "Guided by the test images:</strong> growth and the choice of the model are \
                        made on them, so that the accuracy on them is optimistic.";
    let folder = run_folder();
    assert!(!page(folder.path()).contains("optimistic"));
    configure(folder.path(), &[("select_on = \"val\"", "select_on = \"test\"")]);
    for name in ["result.json", "journal.jsonl"] {
        let page = page(folder.path());
        assert!(seen(&page).contains(NOTE), "before {name} is gone");
        assert!(!seen(&page).contains("validation"), "before {name} is gone");
        assert!(page.contains("\"guide\":\"test\"") && page.contains("\"name\":\"test\""));
        let figures = figures(&[Run::read(folder.path()).unwrap()]);
        assert!(figures.iter().all(|figure| !figure.svg.contains("validation")));
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    configure(folder.path(), &[("\"periodic\"", "\"none\"")]);
    assert!(page(folder.path()).contains("</strong> the choice of the model is made on them"));
}

#[test]
fn runs_guided_by_other_images_are_told_apart() {
    let parent = tempfile::tempdir().unwrap();
    let own = parent.path().join("on-test");
    fs::rename(run_folder().keep(), &own).unwrap();
    configure(&own, &[("select_on = \"val\"", "select_on = \"test\"")]);
    let compare = |folders: &[_]| Report::new().compare(folders).unwrap();
    let mixed = compare(&[fixture("run"), own.clone()]);
    assert!(mixed.contains("is optimistic: on-test.") && mixed.contains("guiding accuracy, %"));
    assert!(!seen(&mixed).contains("validation"));
    assert!(compare(&[own]).contains(">test accuracy, %"));
    let plain = compare(&[fixture("run")]);
    assert!(plain.contains(">validation accuracy, %") && !plain.contains("optimistic"));
}

#[test]
fn an_evaluation_says_of_what_model_and_images_it_is() {
    let folder = run_folder();
    let write = |found: &str, classes: usize| {
        let evaluation = json!({
            "network": "basic3resnet", "found": found, "data": "digits", "split": "val",
            "images": 9, "top1": 50.0, "classes": vec![json!({"class": "a"}); classes],
        });
        fs::write(folder.path().join("evaluation.json"), evaluation.to_string()).unwrap();
        let run = Run::read(folder.path()).unwrap();
        (Report::new().page(&run), run.damage)
    };
    const SECTION: &str = "<section id=\"classes\"";
    let (page, damage) = write("4-4-4", 2);
    assert_eq!(damage, [""; 0]);
    let (_, section) = page.split_once(SECTION).unwrap();
    assert!(section.contains("<dt>model</dt><dd>basic3resnet 4-4-4</dd>"));
    assert!(section.contains("<dt>data set</dt><dd>digits<span class=\"unit\">val</span></dd>"));

    let (page, damage) = write("1-1-1", 2);
    assert_eq!(damage, ["evaluation.json is of another model (1-1-1); left out"]);
    assert!(!page.contains(SECTION) && page.contains(&damage[0]));

    let (page, damage) = write("4-4-4", 2001);
    assert_eq!(damage, [""; 0]);
    assert!(!page.contains(SECTION));
}

/// The policy of a plugin that is not linked: the page is there, with what the journal tells.
#[test]
fn decisions_of_an_unknown_policy_are_told_as_recorded() {
    let own = Rule::of(&Run::read(&fixture("run")).unwrap());
    let folder = run_folder();
    configure(folder.path(), &[("\"periodic\"", "\"own\"")]);
    let run = Run::read(folder.path()).unwrap();
    let rule = Rule::of(&run);
    assert!(!rule.is_replayed);
    assert_eq!(rule.guiding, own.guiding);
    assert!(rule.checks.iter().all(|check| check.window.is_none()));
    for (check, replayed) in rule.checks.iter().zip(&own.checks) {
        let told = |check: &autogrow_report::rule::Check| -> Vec<_> {
            check.decisions.iter().map(|d| (d.kind, d.subnet, d.depth.clone())).collect()
        };
        assert_eq!((check.epoch, told(check)), (replayed.epoch, told(replayed)));
    }
    let page = Report::new().page(&run);
    assert!(page.contains("The policy <code>own</code> decides every 2 epochs."));
    assert!(page.contains("its decisions are shown as they were recorded"));
    assert!(page.contains("what the policy waits for") && page.contains("8 epochs brought +13.65"));
    assert!(!page.contains("class=\"formula\""));
}

/// As after a run was resumed with other settings.
#[test]
fn scores_that_do_not_lead_to_the_recorded_network_have_no_windows() {
    let folder = run_folder();
    configure(folder.path(), &[("interval = 2", "interval = 4")]);
    let run = Run::read(folder.path()).unwrap();
    let rule = Rule::of(&run);
    assert!(!rule.is_replayed && rule.checks.iter().all(|check| check.window.is_none()));
    assert!(Report::new().page(&run).contains("Scores alone do not lead to these decisions"));
}

#[test]
fn a_floor_is_told_only_where_the_policy_has_one() {
    let folder = run_folder();
    assert!(seen(&page(folder.path())).contains("The depth floor of these settings is"));
    amend(folder.path(), "floor", json!(null));
    let journal = fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    let journal = journal.replace("\"floor\":\"3-3-3\"", "\"floor\":null");
    fs::write(folder.path().join("journal.jsonl"), journal).unwrap();
    assert!(!seen(&page(folder.path())).contains("floor"));
}

#[test]
fn a_run_that_learns_values_says_so() {
    let folder = run_folder();
    configure(folder.path(), &[("[training]\n", "[training]\nobjective = \"values\"\n")]);
    let measures = json!({
        "network": "basic3resnet", "found": "4-4-4", "data": "csv", "split": "test", "rmse": 54.25,
        "targets": [{"target": "y", "r2": 0.5}],
    });
    fs::write(folder.path().join("evaluation.json"), measures.to_string()).unwrap();
    let page = page(folder.path());
    assert!(page.contains("test variance explained (R²)"));
    // But for the names that programs read.
    assert!(!seen(&page).replace("_accuracy\"", "").contains("accuracy"));
    assert!(page.contains("<dt>rmse</dt><dd>54.250</dd>") && page.contains("<td>0.5000</td>"));
    assert!(page.contains("10 values"));
}
