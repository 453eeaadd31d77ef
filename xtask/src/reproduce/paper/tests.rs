//! What can be checked of the transcription by arithmetic.

use super::*;

fn rows(name: &str) -> Vec<Row> {
    let paper = Paper::read().unwrap();
    paper.tables.into_iter().find(|table| table.name == name).unwrap().rows
}

/// The accuracy from scratch that a row implies, in hundredths.
fn scratch(row: &Row) -> Option<i64> {
    let (accuracy, delta) = row.paper.accuracy.zip(row.paper.delta)?;
    Some((100.0 * (accuracy - delta)).round() as i64)
}

fn depth_of(row: &Row) -> Option<Depth> {
    match &row.method {
        Method::Grow(_) => row.paper.found.clone(),
        Method::Scratch(scratch) => Some(scratch.depth.clone()),
        Method::Morph(morph) => Some(morph.deep.clone()),
    }
}

#[test]
fn every_row_names_what_there_is() {
    let paper = Paper::read().unwrap();
    for table in &paper.tables {
        for row in &table.rows {
            let set = paper.set(&row.data).unwrap();
            paper.recipe(set).unwrap();
            paper.recipe(paper.set(&set.stand_in).unwrap()).unwrap();
            assert!(["paper", "code"].contains(&&*row.compat));
            assert!(row.fraction > 0.0 && row.fraction <= 1.0);
            let numbers = &row.paper;
            for percent in [numbers.accuracy, numbers.top5].into_iter().flatten() {
                assert!((0.0..=100.0).contains(&percent), "{}: {percent}", table.number);
            }
            assert!(numbers.top5.is_none_or(|top5| Some(top5) > numbers.accuracy));
            if let Some(depth) = depth_of(row) {
                assert_eq!(depth.0.len(), row.sub_networks(), "{}: {depth}", table.number);
            }
            if let Method::Grow(grow) = &row.method {
                assert!(["periodic", "convergent"].contains(&grow.policy.as_str()));
                assert!(["zero", "adam", "uniform", "gaussian"].contains(&&*grow.initializer));
                assert!(["constant", "staircase"].contains(&grow.schedule.as_str()));
            }
        }
    }
    let counts: Vec<_> = paper.tables.iter().map(|table| table.rows.len()).collect();
    assert_eq!(counts, [6, 12, 12, 8, 4, 6, 20, 16, 6, 2, 2, 4, 1, 3, 24, 8, 2, 17]);
}

#[test]
fn the_same_net_from_scratch_has_one_accuracy_in_a_table() {
    for name in ["table2", "table3", "table8", "table10", "figure5"] {
        let rows = rows(name);
        assert!(rows.iter().all(|row| scratch(row).is_some()), "{name} tells every delta");
        for (a, b) in rows.iter().flat_map(|a| rows.iter().map(move |b| (a, b))) {
            if (&a.network, &a.data, depth_of(a)) == (&b.network, &b.data, depth_of(b)) {
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
        let row = table.iter().find(|row| row.network == network && row.data == data);
        scratch(row.unwrap()).unwrap()
    };
    let captions: Vec<_> = rows("figure5").iter().map(|row| scratch(row).unwrap()).collect();
    assert_eq!(captions, [9045, 8433, 8848]);
    assert_eq!(find("Plain3Net", "cifar10"), 8433);
    assert_eq!(find("Plain4Net", "cifar10"), 8848);
    assert_eq!(find("Plain3Net", "svhn"), (10_000.0_f64 * 5_099.0 / 26_032.0).round() as i64);
    let pairs: Vec<_> = rows("table2").iter().map(|row| scratch(row).unwrap()).collect();
    assert_eq!(pairs, [9348, 9348, 9391, 9391, 9533, 9533]);
}

#[test]
fn what_several_tables_print_is_the_same_in_all() {
    let paper = Paper::read().unwrap();
    let mut seen: BTreeMap<String, (Option<Depth>, Option<f64>, &str)> = BTreeMap::new();
    let mut shared = 0;
    for table in &paper.tables {
        for row in &table.rows {
            let key = format!("{} {} {} {:?}", row.network, row.data, row.fraction, row.method);
            let now = (row.paper.found.clone(), row.paper.accuracy, table.name);
            let before = seen.entry(key).or_insert_with(|| now.clone());
            if before.2 != table.name {
                assert_eq!((&before.0, before.1), (&now.0, now.1), "{}: {row:?}", table.name);
                shared += 1;
            }
        }
    }
    assert!(shared >= 20, "{shared}");
}

#[test]
fn layers_of_table_7_are_those_it_prints() {
    let table = rows("table7");
    // Sum + 2 of plain nets, 2 sum + 2 of residual ones.
    let layers: Vec<_> = table
        .iter()
        .map(|row| {
            let convolutions = if row.network.starts_with("Plain") { 1 } else { 2 };
            convolutions * depth_of(row).unwrap().sub_modules() + 2
        })
        .collect();
    assert_eq!(layers, [26, 26, 26, 34, 34, 36]);
}

#[test]
fn periodic_growth_found_no_net_below_its_floor() {
    // K, and what is found with J = 100 if accuracy never improves, worked out by Algorithm 1.
    let floors = [(3, 38, 40), (4, 30, 32), (6, 21, 23), (12, 13, 15)];
    for row in rows("table9") {
        let Method::Grow(grow) = &row.method else { panic!("Table 9 grows") };
        let (_, three, four) = floors.into_iter().find(|floor| floor.0 == grow.interval).unwrap();
        let floor = if row.sub_networks() == 3 { three } else { four };
        assert!(row.paper.found.unwrap().sub_modules() >= floor, "{floor}");
    }
}
