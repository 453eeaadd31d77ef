//! What pages say in words follows from the run's settings.

use crate::common::{amend, configure, fixture, page, run_folder};
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
