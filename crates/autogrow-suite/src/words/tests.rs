//! Words for rows and scales.

use super::*;
use crate::sets::Sets;
use crate::suite::Suite;
use crate::testing::{plan, plan_of, resolve};

fn settings(sets: &Sets, scale: Scale) -> Settings<'_> {
    Settings { sets, scale, data: None, device: None, resolve: &resolve }
}

fn of_suite(scale: Scale, suite: &str) -> (Vec<String>, Vec<Vec<String>>, String) {
    let sets = Sets::read().unwrap();
    let settings = settings(&sets, scale);
    let plan = plan(scale, &[suite], 1);
    let entries = &plan.pages[0].entries;
    let words = entries.iter().map(|entry| setting(&entry.row, &entry.written)).collect();
    let differences = entries.iter().map(|entry| differences(entry, &settings)).collect();
    (words, differences, rule(&settings, plan.pages.iter()))
}

#[test]
fn rows_are_told_in_the_papers_words() {
    let row = |suite, row: usize| of_suite(Scale::Smoke, suite).0.swap_remove(row);
    assert_eq!(row("table3", 0), "Basic3ResNet, c-AutoGrow, K = 100, ZeroInit, staircase; cifar10");
    assert_eq!(row("table2", 2), "Basic3ResNet-5-5-5 to 9-9-9, ZeroInit; cifar10");
    assert_eq!(row("figure7", 1), "Basic4ResNet-3-4-6-3, from scratch; imagenet");
    assert_eq!(
        row("claims", 8),
        "Basic3ResNet-3-3-3, p-AutoGrow, K = 30, GauInit, constant; fashion-mnist"
    );
    let part = row("table9", 1);
    assert_eq!(part, "Basic3ResNet, p-AutoGrow, K = 4, GauInit, constant; cifar10 (75 %)");
    assert!(row("claims", 7).contains("constant, as the released code; "));
}

#[test]
fn what_a_row_of_ones_own_sets_is_told_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let text = "title = 't'\n[axes]\ntraining.momentum = [0.5]\ngrowth.interval = [2]\n\
                [[row]]\nset.network.width = 4\n[[row]]\nlabel = 'mine'";
    std::fs::write(&path, text).unwrap();
    let plan = plan_of(Scale::Paper, &[Suite::read(&path).unwrap()], None);
    let words = plan.pages[0].entries.iter().map(|entry| setting(&entry.row, &entry.written));
    assert_eq!(
        words.collect::<Vec<_>>(),
        [
            "Basic3ResNet, p-AutoGrow, K = 2, GauInit, constant; digits; network.width = 4; \
         training.momentum = 0.5",
            "mine"
        ]
    );
}

#[test]
fn differences_are_those_of_the_scale() {
    for row in of_suite(Scale::Paper, "table10").1 {
        assert!(row.is_empty(), "{row:?}");
    }
    assert_eq!(
        of_suite(Scale::Small, "table9").1[3].join("; "),
        "10 % of the training images; width 8, not 16; K = 1, not 12; J = 10, not 100; \
         N = 20, not 200; held-out images guide growth and choose the best epoch"
    );
    let smoke = &of_suite(Scale::Smoke, "table10").1[4];
    assert_eq!(smoke[0], "generated JPEG images in place of ImageNet");
    assert_eq!(smoke[2..5], ["K = 1, not 2", "J = 1, not 30", "N = 2, not 90"]);
    let morph = &of_suite(Scale::Paper, "table2").1[2];
    assert!(morph[0].contains("1e-9") && morph[0].contains("4 stackings"), "{morph:?}");
}

#[test]
fn the_words_for_a_scale_fit_the_suite() {
    let smoke = |suite| of_suite(Scale::Smoke, suite).2;
    assert!(smoke("table3").contains("no result") && smoke("table3").contains("baseline"));
    assert!(smoke("table4").contains("no result") && !smoke("table4").contains("baseline"));
    let sets = Sets::read().unwrap();
    let plan = plan(Scale::Smoke, &["imagenet"], 1);
    let entries = plan.pages.iter().flat_map(|page| &page.entries);
    let common = common(&settings(&sets, Scale::Smoke), entries).join("; ");
    assert!(common.contains("in place of ImageNet") && !common.contains("MNIST"), "{common}");
    assert!(of_suite(Scale::Paper, "table4").2.contains("the paper's"));
}
