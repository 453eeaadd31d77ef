//! Models of tables: whatever further rows look like, they are read with the columns, means,
//! deviations and classes of the rows that the model was trained on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::{Path, PathBuf};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Rows of two columns far apart for `no` and `yes`: `a,b,label`.
fn blobs(rows: u32, phase: f64) -> Vec<(f64, f64, &'static str)> {
    let blob = |row: u32| {
        let noise = |step: f64| (step * f64::from(row) + phase).sin();
        let (centre, class) = if row.is_multiple_of(2) { (-2.0, "no") } else { (2.0, "yes") };
        (centre + noise(1.7), 10.0 * centre + noise(2.9), class)
    };
    (0..rows).map(blob).collect()
}

fn csv(rows: &[(f64, f64, &str)]) -> String {
    let row = |(a, b, class): &(f64, f64, &str)| format!("{a},{b},{class}\n");
    format!("a,b,label\n{}", rows.iter().map(row).collect::<String>())
}

/// A place with a trained run, `run`, and how to name files in it.
struct Place(tempfile::TempDir);

impl Place {
    fn trained() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path("t")).unwrap();
        place.write("t/train.csv", &csv(&blobs(80, 0.0)));
        place.write("t/test.csv", &csv(&blobs(40, 1.0)));
        let (run, table) = (place.text("run"), place.text("t"));
        let set = ["run.threads=1", "training.batch_size=16", "training.learning_rate=0.01"];
        let set: Vec<_> = set.iter().flat_map(|set| ["--set", set]).collect();
        let arguments = ["train", &run, "--quiet", "--data", "csv", "--dir", &table];
        let network =
            ["--network", "mlp1net", "--policy", "none", "--depth", "1", "--epochs", "20"];
        PROGRAM.json(&[&arguments, &network[..], &set].concat());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().into()
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.text(name)
    }

    fn evaluate(&self, file: &str) -> Value {
        PROGRAM.json(&["evaluate", &self.text("run"), "--dir", file])
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

#[test]
fn further_tables_are_not_scaled_by_themselves() {
    let place = Place::trained();
    let rows = blobs(60, 2.0);
    let new = place.evaluate(&place.write("new.csv", &csv(&rows)));
    assert_eq!((&new["top1"], &new["images"]), (&100.0.into(), &60.into()), "{new}");
    let swapped: String = rows.iter().map(|(a, b, class)| format!("{class};{b};{a}\n")).collect();
    let other = place.evaluate(&place.write("other.csv", &format!("label;b;a\n{swapped}")));
    assert_eq!(other["loss"], new["loss"]);
    // In another unit they are other rows.
    let unit: Vec<_> = rows
        .iter()
        .map(|(a, b, class)| ((a + 50.0) * 1000.0, (b + 50.0) * 1000.0, *class))
        .collect();
    let unit = place.evaluate(&place.write("unit.csv", &csv(&unit)));
    assert!(unit["top1"].as_f64().unwrap() < 60.0, "{unit}");
    let yes: Vec<_> = rows.iter().filter(|row| row.2 == "yes").copied().collect();
    let yes = place.evaluate(&place.write("yes.csv", &csv(&yes)));
    assert_eq!((&yes["top1"], &yes["images"]), (&100.0.into(), &30.into()));
    // The run's own test rows, read anew.
    let own = PROGRAM.json(&["evaluate", &place.text("run")]);
    assert_eq!((&own["top1"], &own["images"]), (&100.0.into(), &40.into()));
}

#[test]
fn other_classes_and_columns_are_refused() {
    let place = Place::trained();
    let new = csv(&blobs(20, 2.0));
    let refused = |command: &str, content: String| {
        let file = place.write("refused.csv", &content);
        let run = place.text("run");
        match command {
            "predict" => PROGRAM.fails(4, &["predict", &run, &file]),
            _ => PROGRAM.fails(4, &["evaluate", &run, "--dir", &file]),
        }
    };
    let malign = refused("evaluate", new.replace("no", "malign"));
    assert!(malign.contains("the classes here are malign, yes, those of the model no, yes"));
    for command in ["evaluate", "predict"] {
        let missing = refused(command, new.replace("b,label", "c,label"));
        assert!(missing.contains("its columns are a, c, label; the model takes a, b"), "{missing}");
    }
}

#[test]
fn each_row_is_predicted_with_or_without_its_class() {
    let place = Place::trained();
    let rows = blobs(30, 3.0);
    let labelled = place.write("labelled.csv", &csv(&rows));
    let bare: String = rows.iter().map(|(a, b, _)| format!("{b},{a}\n")).collect();
    let bare = place.write("bare.csv", &format!("b,a\n{bare}"));
    let run = place.text("run");
    let [first, second] = [&labelled, &bare].map(|file| PROGRAM.json(&["predict", &run, file]));
    let images = first["images"].as_array().unwrap();
    assert_eq!((images.len(), &images[0]["image"]), (30, &format!("{labelled}:2").into()));
    for ((one, two), row) in images.iter().zip(second["images"].as_array().unwrap()).zip(&rows) {
        assert_eq!((&one["class"], &one["probabilities"]), (&row.2.into(), &two["probabilities"]));
    }
    let table = PROGRAM.run(&["predict", &run, &bare, "--csv"]).stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with(&format!("row,rank,class,probability\n{bare}:2,1,no,")), "{table}");
    assert_eq!(table.lines().count(), 31);
}

#[test]
fn a_model_file_and_its_card_tell_of_the_columns() {
    let place = Place::trained();
    let (run, out) = (place.text("run"), place.text("model.onnx"));
    PROGRAM.run(&["export", &run, &out]);
    let card = read(&place.path("model.md"));
    assert!(card.contains("A classifier of rows") && card.contains("| `b` | numbers"), "{card}");
    assert!(!card.contains("image classifier") && !card.contains("not known"), "{card}");
    assert!(read(&place.path("model.onnx")).contains("images.standardised"));
    let weights = place.text("model.safetensors");
    PROGRAM.run(&["export", &run, &weights, "--pytorch"]);
    assert!(read(&place.path("model.py")).contains("FEATURES = [\"a\",\"b\"]"));
    // The file alone is enough.
    let new = place.write("new.csv", &csv(&blobs(20, 2.0)));
    let alone = PROGRAM.json(&["evaluate", &weights, "--dir", &new]);
    assert_eq!((&alone["top1"], &alone["images"]), (&100.0.into(), &20.into()));
}

/// What a model makes of a row is in its file: the same scores from it alone, of a cell that is missing too.
#[test]
fn numbers_in_pieces_are_evaluated_predicted_and_told() {
    let place = Place::trained();
    let (run, table) = (place.text("pieces"), place.text("t"));
    let network = ["--network", "mlp1net", "--policy", "none", "--depth", "1", "--epochs", "4"];
    let train = ["train", &run, "--data", "csv", "--dir", &table, "--set", "data.numbers=pieces"];
    let result = PROGRAM.json(&[&train, &network[..]].concat());
    let evaluated = PROGRAM.json(&["evaluate", &run]);
    let gap = result["test_accuracy"].as_f64().unwrap() - evaluated["top1"].as_f64().unwrap();
    assert!(gap.abs() < 1e-9, "{result} {evaluated}");
    let file = place.write("new.csv", "a,b\n1.5,0.5\n,0.5\n");
    let told = PROGRAM.json(&["predict", &place.text("pieces/model.safetensors"), &file]);
    assert_eq!(told["images"].as_array().unwrap().len(), 2);
    assert!(read(&place.path("pieces/README.md")).contains(", and in pieces between "));
    let data = ["data", "csv", "--dir", &table, "--set", "data.numbers=pieces"];
    let shown = String::from_utf8(PROGRAM.run(&data).stdout).unwrap();
    assert!(shown.contains("rows of 18 features from 2 columns"), "{shown}");
    assert!(shown.contains(", 8 pieces"), "{shown}");
}

#[test]
fn a_table_has_no_pictures_to_change_and_few_rows_take_small_batches() {
    let place = Place::trained();
    let (run, table) = (place.text("small"), place.text("t"));
    let network = ["--network", "mlp1net", "--policy", "none", "--depth", "1", "--epochs", "1"];
    let train = [&["train", &run, "--data", "csv", "--dir", &table], &network[..]].concat();
    for (setting, what) in [
        ("data.augment=trivial", "works on pictures"),
        ("data.augment=rand", "works on pictures"),
        ("data.erasing=0.5", "one pixel"),
        ("training.cutmix=1", "one pixel"),
    ] {
        let message = PROGRAM.fails(2, &[&train, &["--set", setting][..]].concat());
        assert!(message.contains(setting.split('=').next().unwrap()), "{message}");
        assert!(message.contains(what) && message.contains("hint: --set"), "{message}");
    }
    let digits = ["train", &run, "--policy", "none", "--set", "data.numbers=pieces"];
    let message = PROGRAM.fails(2, &digits);
    assert!(message.contains("no column of the data set digits can be cut"), "{message}");
    // 80 rows of which 20 are held out.
    let output = PROGRAM.run(&[&train, &["--set", "training.mixup=0.2"][..]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("batches of 16"), "{told}");
    assert!(read(&place.path("small/config.toml")).contains("batch_size = 16"));
    let paper = PROGRAM.json(&["config", "--data", "csv", "--preset", "paper"]);
    assert_eq!(paper["training.batch_size"]["value"], 128);
}

#[test]
fn what_was_done_to_a_table_is_shown() {
    let place = Place::trained();
    let rows: String = blobs(40, 0.0)
        .iter()
        .zip(0..)
        .map(|((a, _, class), row)| format!("{row};{a};{};3;{class}\n", ["red", ""][row % 2]))
        .collect();
    let file = place.write("found.csv", &format!(";a;colour;three;kind\n{rows}"));
    let arguments = ["data", "csv", "--dir", &file, "--network", "mlp1net", "--depth", "1"];
    let shown = String::from_utf8(PROGRAM.run(&arguments).stdout).unwrap();
    for said in [
        "rows of 3 features from 2 columns",
        "columns are parted by semicolons",
        "the last column, `kind`",
        "left out: `` has no name",
        "left out: `three` is 3 in all rows",
        "one of red; or missing",
    ] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
    let table = &PROGRAM.json(&arguments)["table"];
    assert_eq!(table["columns"][1]["words"][0], "red");
}

/// The screen says so, not the model card alone.
#[test]
fn a_network_that_is_no_better_than_without_one_is_told_where_it_ends() {
    let place = Place::trained();
    let train = |name: &str, epochs: &str| {
        let (run, table) = (place.text(name), place.text("t"));
        let arguments = ["train", &run, "--quiet", "--data", "csv", "--dir", &table];
        let settings = ["--policy", "none", "--epochs", epochs, "--set", "run.threads=1"];
        let output = PROGRAM.run(&[&arguments[..], &settings].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let untrained = train("untrained", "0");
    let said = "no better than logistic regression, 100.00 %";
    assert!(untrained.contains(said) || untrained.contains("no better than always"), "{untrained}");
    let row = |row: u32| format!("{},{}\n", row % 3, ["no", "yes", "no", "no"][row as usize % 4]);
    let random = format!("a,label\n{}", (0..160).map(row).collect::<String>());
    for part in ["t/train.csv", "t/test.csv"] {
        place.write(part, &random);
    }
    let nothing = train("nothing", "2");
    assert!(nothing.contains("no better than always `no`, 75.00 %"), "{nothing}");
}

/// Neither is a damaged file of the other kind.
#[test]
fn a_table_for_a_model_of_pictures_and_a_picture_for_one_of_tables_are_told_so() {
    let place = Place::trained();
    let (rows, pictures) = (place.text("run"), place.text("pictures"));
    let network = ["--quiet", "--policy", "none", "--width", "4", "--epochs", "0"];
    PROGRAM.json(&[&["train", &pictures, "--fraction", "0.1"], &network[..]].concat());
    let table = place.text("t/train.csv");
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/autogrow-data/fixtures/folder/test");
    let [folder, picture] =
        [folder.clone(), folder.join("ant/h.png")].map(|path| path.to_str().unwrap().to_string());
    for (model, given, takes, what) in [
        (&rows, &picture, "takes rows of a table with the columns a, b", "is a picture"),
        (&rows, &folder, "takes rows of a table with the columns a, b", "is a folder"),
        (&pictures, &table, "takes pictures, which it sees as 1x8x8", "looks like a table"),
    ] {
        let message = PROGRAM.fails(4, &["predict", model, given]);
        assert!(message.contains(takes) && message.contains(what), "{message}");
        assert!(message.contains(given.as_str()) && message.contains("hint: name"), "{message}");
    }
    // A table among pictures does not keep them from being looked at.
    let mixed = PROGRAM.run(&["predict", &pictures, &picture, &table]);
    assert_eq!(mixed.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&mixed.stdout).starts_with(&picture));
    assert!(String::from_utf8_lossy(&mixed.stderr).contains("looks like a table"));
}

/// ONNX takes numbers of single precision: seconds since 1970 differ by more than it keeps.
#[test]
fn columns_that_single_precision_rounds_are_told_when_exported() {
    let place = Place::trained();
    let late: Vec<_> = blobs(80, 0.0).iter().map(|(a, b, class)| (1.7e9 + a, *b, *class)).collect();
    let (table, run) = (place.write("late.csv", &csv(&late)), place.text("late"));
    let train = ["train", &run, "--quick", "--threads", "1", "--quiet", "--data", "csv", "--dir"];
    PROGRAM.json(&[&train[..], &[&table]].concat());
    let warned = |run: &str, out: &str| {
        let output = PROGRAM.run(&["export", &place.text(run), &place.text(out)]);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let message = warned("late", "late.onnx");
    assert!(message.contains("`a` is further from 0 than 10000 deviations"), "{message}");
    assert!(!warned("run", "run.onnx").contains("deviations"));
}
