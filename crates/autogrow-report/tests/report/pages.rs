//! Pages: their numbers are those of the files, and no run folder, however damaged or hostile,
//! brings one down or puts anything into it.

use crate::common::{amend, fixture, page, result, run_folder};
use autogrow_report::rule::Rule;
use autogrow_report::run::Status;
use autogrow_report::{Report, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};

/// The exact values of a page by their names.
fn values(page: &str) -> BTreeMap<String, String> {
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_string()
    };
    let tags = page.split("<data ").skip(1).map(|rest| rest.split_once('>').unwrap().0);
    tags.map(|tag| (attribute(tag, "data-name"), attribute(tag, "value"))).collect()
}

#[test]
fn shown_numbers_are_those_of_the_result() {
    let folder = fixture("run");
    let (shown, result) = (values(&page(&folder)), result(&folder));
    for key in ["val_accuracy", "test_accuracy", "growing_seconds", "fine_tuning_seconds"] {
        assert_eq!(shown[key].parse::<f64>().unwrap(), result[key].as_f64().unwrap(), "{key}");
    }
    for key in ["parameters", "macs", "growing_epochs", "fine_tuning_epochs"] {
        assert_eq!(shown[key].parse::<u64>().unwrap(), result[key].as_u64().unwrap(), "{key}");
    }
    for key in ["found", "floor"] {
        assert_eq!(shown[key], result[key].as_str().unwrap());
    }
}

#[test]
fn compared_numbers_are_those_of_the_results() {
    let other = run_folder();
    amend(other.path(), "test_accuracy", json!(12.5));
    amend(other.path(), "found", json!("7-6-5"));
    let folders = [fixture("run"), other.path().to_path_buf()];
    let shown = values(&Report::new().compare(&folders).unwrap());
    assert_eq!((&*shown["1.found"], &*shown["1.test_accuracy"]), ("7-6-5", "12.5"));
    assert_eq!(shown["0.found"], result(&folders[0])["found"].as_str().unwrap());
    assert!(Report::new().compare(&[]).is_err());
}

/// The words of the algorithm itself are in the journal: "8 epochs brought +1.25, stops below ...".
#[test]
fn the_window_is_what_the_algorithm_saw() {
    let run = Run::read(&fixture("run")).unwrap();
    let rule = Rule::of(&run);
    let told: BTreeMap<usize, String> = fs::read_to_string(fixture("run/journal.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "epoch")
        .map(|event| {
            let epoch = event["epoch"].as_u64().unwrap();
            (usize::try_from(epoch).unwrap(), event["waiting"].as_str().unwrap().to_string())
        })
        .collect();
    assert!(rule.is_replayed);
    let checks = &rule.checks;
    let mut compared = 0;
    // Each epoch tells what the policy waited for when its own accuracy was not counted yet.
    for check in &checks[..checks.len() - 1] {
        let words = &told[&(check.epoch + 1)];
        assert_eq!(*words, check.waiting, "after epoch {}", check.epoch);
        let Some(window) = check.window else { continue };
        let expected = format!("{} epochs brought {:+.2}", rule.length.unwrap(), window.gained);
        assert!(words.starts_with(&expected), "after epoch {}: {words}", check.epoch);
        compared += 1;
    }
    assert!(compared >= 3, "{compared} windows compared");
    for check in checks.iter().filter(|check| check.stops()) {
        assert!(check.window.unwrap().gained < rule.config.threshold);
    }
    assert_eq!(checks.iter().filter(|check| check.stops()).count(), 3);
}

#[test]
fn growths_tell_what_they_brought() {
    let run = Run::read(&fixture("run")).unwrap();
    let rule = Rule::of(&run);
    let growths: Vec<_> = rule.checks.iter().filter(|check| check.growth().is_some()).collect();
    let seed = run.epochs[0].depth.sub_modules();
    assert_eq!(growths.len(), run.depth().unwrap().sub_modules() - seed);
    for growth in growths {
        assert!(growth.parameters.is_some());
        let until = |epoch: usize| {
            let before = run.epochs.iter().filter(|own| own.number <= epoch);
            before.map(|own| own.record.val_accuracy).fold(0.0, f64::max)
        };
        let expected = until(growth.epoch + rule.config.interval) - until(growth.epoch);
        assert!((growth.brought.unwrap() - expected).abs() < 1e-9);
    }
}

#[test]
fn a_page_of_a_run_that_is_running_refreshes_itself_and_others_do_not() {
    let folder = run_folder();
    fs::remove_file(folder.path().join("result.json")).unwrap();
    let lock = File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert_eq!(run.status, Status::Training);
    let page = Report::new().page(&run);
    assert!(page.contains("http-equiv=\"refresh\"") && page.contains("data-written"));
    lock.unlock().unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert_eq!(run.status, Status::Interrupted);
    let page = Report::new().page(&run);
    assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("data-written"));
    assert!(page.contains("autogrow resume"));
}

/// The script tells in it that there has been no news for long.
#[test]
fn every_page_of_a_run_that_is_running_has_a_place_for_no_news() {
    let folder = run_folder();
    fs::remove_file(folder.path().join("result.json")).unwrap();
    let lock = File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(page(folder.path()).matches("<span id=\"stale\" hidden>").count(), 1);
    for name in ["journal.jsonl", "metrics.csv"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let page = page(folder.path());
    assert!(page.contains("No epoch is over yet.<span id=\"stale\" hidden>"));
}

#[test]
fn every_missing_file_but_one_is_borne() {
    for name in ["journal.jsonl", "metrics.csv", "network.json", "result.json"] {
        let folder = run_folder();
        fs::remove_file(folder.path().join(name)).unwrap();
        assert!(page(folder.path()).contains("</html>"), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let problem = || Run::read(folder.path()).unwrap_err().to_string();
    assert!(problem().contains("is not a run folder"));
    fs::write(folder.path().join("config.toml"), "").unwrap();
    assert!(page(folder.path()).contains("No epoch is over yet"));
    fs::write(folder.path().join("config.toml"), "= 3").unwrap();
    assert!(problem().contains("config.toml: is damaged"));
}

#[test]
fn a_log_cut_off_anywhere_is_borne() {
    for name in ["journal.jsonl", "metrics.csv"] {
        let folder = run_folder();
        let file = folder.path().join(name);
        let whole = fs::read(&file).unwrap();
        for length in (0..whole.len()).step_by(97) {
            fs::write(&file, &whole[..length]).unwrap();
            let run = Run::read(folder.path()).unwrap();
            assert_eq!(run.damage, [""; 0], "{name} cut to {length} bytes");
            assert!(Report::new().page(&run).contains("</html>"));
        }
    }
}

#[test]
fn damage_is_told() {
    let folder = run_folder();
    fs::write(folder.path().join("result.json"), "{\"found\": \"0-1\"}").unwrap();
    fs::write(folder.path().join("network.json"), [0xff, 0xfe, 0]).unwrap();
    fs::write(folder.path().join("evaluation.json"), "[]").unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert_eq!(run.damage.len(), 3, "{:?}", run.damage);
    assert!(Report::new().page(&run).contains("damaged"));
}

#[test]
fn numbers_that_are_not_finite_are_borne() {
    let folder = run_folder();
    fs::remove_file(folder.path().join("journal.jsonl")).unwrap();
    let header = "epoch,phase,depth,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,\
                  seconds";
    for row in ["NaN", "inf", "-inf", "0", "-1", "1e308", "-1e308", "1e-308"] {
        let numbers = [row; 6].join(",");
        let rows = (1..=3).map(|epoch| format!("{epoch},growing,1-1,{numbers}\n"));
        let text = format!("{header}\n{}", rows.collect::<String>());
        fs::write(folder.path().join("metrics.csv"), text).unwrap();
        let page = page(folder.path());
        assert!(page.contains("</html>"), "{row}");
        for svg in page.split("<svg ").skip(1) {
            let svg = svg.split("</svg>").next().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{row}: {svg}");
        }
    }
}

#[test]
fn epochs_that_make_no_sense_are_borne() {
    let folder = run_folder();
    fs::remove_file(folder.path().join("journal.jsonl")).unwrap();
    let metrics = "epoch,phase,depth,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,\
                   seconds\n0,fine-tuning,1-1,0.1,1,10,1,10,1\n1,fine-tuning,1-1,0.1,1,10,1,10,1\n";
    fs::write(folder.path().join("metrics.csv"), metrics).unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert_eq!(run.damage, ["metrics.csv, line 2 is damaged; left out"]);
    assert_eq!(run.epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), [1]);
    assert!(Report::new().page(&run).contains("</html>"));
    fs::remove_file(folder.path().join("result.json")).unwrap();
    let epoch = json!({"event": "epoch", "epoch": 1, "depth": "1-1-1", "seconds": 1.0,
        "metrics": {"phase": "growing"}, "epochs_left": u64::MAX});
    fs::write(folder.path().join("journal.jsonl"), format!("{epoch}\n")).unwrap();
    let page = page(folder.path());
    assert!(page.contains(&format!("<progress max=\"{}\" value=\"1\"", u64::MAX)));
}

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";

/// Nothing of a run folder becomes markup.
#[test]
fn hostile_text_stays_text() {
    let parent = run_folder();
    let folder = parent.path().join("<script>alert(3)<");
    fs::create_dir(&folder).unwrap();
    let config = format!(
        "[network]\nname = {0:?}\ndepth = \"1-1-1\"\n[growth]\npolicy = {0:?}\n\
                          [data]\nname = {0:?}\n[{0:?}]\n{0:?} = {0:?}\n",
        HOSTILE
    );
    fs::write(folder.join("config.toml"), config).unwrap();
    for name in ["journal.jsonl", "metrics.csv", "network.json"] {
        fs::copy(parent.path().join(name), folder.join(name)).unwrap();
    }
    let line = json!({"event": HOSTILE, "epoch": 1});
    let waiting = json!({"event": "epoch", "epoch": 99, "depth": "9-9-9", "seconds": 1.0,
        "metrics": {"phase": "growing"}, "waiting": HOSTILE, "epochs_left": 3});
    let journal = format!("{line}\n{HOSTILE}\n{waiting}\n");
    fs::write(folder.join("journal.jsonl"), journal).unwrap();
    let evaluation = json!({
        "network": HOSTILE, "found": HOSTILE, "data": HOSTILE, "split": HOSTILE, "images": 2, "top1": 50.0, "classes": [{"class": HOSTILE}, {"class": "b"}],
        "confusion": [[1, 1], [0, 0]],
        "worst": [{"image": "data:image/png;base64,AAAA", "truth": 0, "predicted": 1,
                   "probability": 0.9, "index": 0},
                  {"image": "https://example.org/", "truth": 0, "predicted": 1,
                   "probability": 0.9, "index": 0}],
    });
    let comparison = Report::new().compare(&[folder.clone(), fixture("run")]).unwrap();
    let measures = json!({HOSTILE: HOSTILE, "found": HOSTILE, "rows": [{HOSTILE: HOSTILE}]});
    let pages = [evaluation, measures].map(|document| {
        fs::write(folder.join("evaluation.json"), document.to_string()).unwrap();
        page(&folder)
    });
    let pages = pages.into_iter().chain([comparison]);
    let plain = page(&fixture("run"));
    for page in pages {
        assert_eq!(page.matches("<script").count(), plain.matches("<script").count());
        assert_eq!(page.matches("</script").count(), plain.matches("</script").count());
        for element in ["<img src=\"x", "<img src=x", "example.org"] {
            assert!(!page.contains(element), "{element}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)"));
    }
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = page(&fixture("run"));
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    for address in ["http:", "https:", "src=\"/", "@import", "url("] {
        assert!(!elsewhere.contains(address), "{address}");
    }
}

#[test]
fn a_million_sub_modules_do_not_fill_the_memory() {
    let folder = run_folder();
    let mut journal = String::new();
    let depth = ["10000"; 64].join("-");
    journal.push_str(
        &json!({"event": "started", "epoch": 0, "seconds": 0.0, "depth": depth, "network": "n",
        "data": "d", "seed": 0, "parameters": 1, "macs": 1, "floor": null})
        .to_string(),
    );
    fs::write(folder.path().join("journal.jsonl"), journal).unwrap();
    assert!(page(folder.path()).len() < 30_000_000);
}

#[test]
fn reports_are_published_whole() {
    let folder = run_folder();
    let run = Run::read(folder.path()).unwrap();
    let path = Report::new().write(&run).unwrap();
    assert_eq!(path, folder.path().join("report.html"));
    let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names().all(|name| !name.to_string_lossy().contains(".part")));
    // A folder in its place.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Report::new().write(&run).unwrap_err().to_string().contains("cannot be written"));
    assert!(names().all(|name| !name.to_string_lossy().contains(".part")));
}
