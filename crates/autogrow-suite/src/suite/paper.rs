//! What can be checked of the paper's numbers by arithmetic.

use super::*;
use crate::file::Printed;
use crate::keys::get;
use crate::scale::Scale;
use crate::testing::plan;
use autogrow_growth::Depth;
use std::collections::BTreeMap;

fn rows(name: &str) -> Vec<Row> {
    Suite::named(name).unwrap().rows
}

fn text<'a>(row: &'a Row, key: &str) -> &'a str {
    get(&row.settings, key).and_then(Value::as_str).unwrap_or_default()
}

/// The accuracy from scratch that a row implies, in hundredths.
fn scratch(row: &Row) -> Option<i64> {
    let (accuracy, delta) = row.paper.accuracy.zip(row.paper.delta)?;
    Some((100.0 * (accuracy - delta)).round() as i64)
}

fn grows(row: &Row) -> bool {
    text(row, "growth.policy") != "none"
}

/// The depth that a row ends with in the paper.
fn depth_of(row: &Row) -> Option<Depth> {
    if grows(row) { row.paper.found.clone() } else { text(row, "network.depth").parse().ok() }
}

#[test]
fn every_row_is_of_a_net_that_there_is() {
    let plan = plan(Scale::Paper, &["all"], 1);
    let mut counts = Vec::new();
    for page in &plan.pages[..18] {
        for entry in &page.entries {
            let (row, config, name) = (&entry.row, &entry.written, &page.name);
            let sub_networks = if config.network.name.contains('4') { 4 } else { 3 };
            assert_eq!(config.network.depth.sub_networks(), sub_networks, "{name}");
            assert_eq!(config.network.name.ends_with("-imagenet"), config.data.name == "imagenet");
            let depth = depth_of(row);
            assert!(depth.is_none_or(|depth| depth.sub_networks() == sub_networks), "{name}");
            let Printed { accuracy, top5, delta, .. } = &row.paper;
            for percent in [accuracy, top5].into_iter().flatten() {
                assert!((0.0..=100.0).contains(percent), "{name}: {percent}");
            }
            assert!(top5.is_none_or(|top5| Some(top5) > *accuracy));
            assert_eq!(delta.is_some(), row.baseline.is_some(), "{name}");
        }
        counts.push(page.entries.len());
    }
    assert_eq!(counts, [6, 12, 12, 8, 4, 6, 20, 16, 6, 2, 2, 4, 1, 3, 24, 8, 2, 17]);
}

#[test]
fn the_same_net_from_scratch_has_one_accuracy_in_a_table() {
    for name in ["table2", "table3", "table8", "table10", "figure5"] {
        let rows = rows(name);
        assert!(rows.iter().all(|row| scratch(row).is_some()), "{name} tells every delta");
        let what = |row: &Row| {
            let [network, data] = ["network.name", "data.name"].map(|key| text(row, key).into());
            let key: (String, String, _) = (network, data, depth_of(row));
            key
        };
        for (a, b) in rows.iter().flat_map(|a| rows.iter().map(move |b| (a, b))) {
            if what(a) == what(b) {
                assert_eq!(scratch(a), scratch(b), "{name}: {a:?}, {b:?}");
            }
        }
    }
}

#[test]
fn accuracies_from_scratch_that_the_paper_names_elsewhere() {
    // Captions of Figure 5; the share of SVHN's largest class among 26032 test images.
    let table = rows("table8");
    let find = |network: &str, data: &str| {
        let is =
            |row: &&Row| text(row, "network.name") == network && text(row, "data.name") == data;
        scratch(table.iter().find(is).unwrap()).unwrap()
    };
    let captions: Vec<_> = rows("figure5").iter().map(|row| scratch(row).unwrap()).collect();
    assert_eq!(captions, [9045, 8433, 8848]);
    assert_eq!(find("plain3net", "cifar10"), 8433);
    assert_eq!(find("plain4net", "cifar10"), 8848);
    assert_eq!(find("plain3net", "svhn"), (10_000.0_f64 * 5_099.0 / 26_032.0).round() as i64);
    let pairs: Vec<_> = rows("table2").iter().map(|row| scratch(row).unwrap()).collect();
    assert_eq!(pairs, [9348, 9348, 9391, 9391, 9533, 9533]);
}

#[test]
fn what_several_tables_print_is_the_same_in_all() {
    let mut seen: BTreeMap<String, (Option<Depth>, Option<f64>, String)> = BTreeMap::new();
    let mut shared = 0;
    for suite in &Suite::built_in().unwrap()[..18] {
        for row in &suite.rows {
            let mut settings = row.settings.clone();
            crate::keys::remove(&mut settings, "run.snapshots");
            let key = format!("{settings} {:?}", row.morph);
            let now = (row.paper.found.clone(), row.paper.accuracy, suite.name.clone());
            let before = seen.entry(key).or_insert_with(|| now.clone());
            if before.2 != suite.name {
                assert_eq!((&before.0, before.1), (&now.0, now.1), "{}: {row:?}", suite.name);
                shared += 1;
            }
        }
    }
    assert!(shared >= 20, "{shared}");
}

#[test]
fn layers_of_table_7_are_those_it_prints() {
    // Sum + 2 of plain nets, 2 sum + 2 of residual ones.
    let layers = |row: &Row| {
        let convolutions = if text(row, "network.name").starts_with("plain") { 1 } else { 2 };
        convolutions * depth_of(row).unwrap().sub_modules() + 2
    };
    let layers: Vec<_> = rows("table7").iter().map(layers).collect();
    assert_eq!(layers, [26, 26, 26, 34, 34, 36]);
}

#[test]
fn periodic_growth_found_no_net_below_its_floor() {
    // K, and what is found with J = 100 if accuracy never improves, worked out by Algorithm 1.
    let floors = [(3, 38, 40), (4, 30, 32), (6, 21, 23), (12, 13, 15)];
    for row in rows("table9") {
        let interval = get(&row.settings, "growth.interval").and_then(Value::as_integer).unwrap();
        let (_, three, four) = floors.into_iter().find(|floor| floor.0 == interval).unwrap();
        let found = row.paper.found.unwrap();
        let floor = if found.sub_networks() == 3 { three } else { four };
        assert!(found.sub_modules() >= floor, "{floor}");
    }
}
