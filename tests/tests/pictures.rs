//! Pictures of people's own: right, or refused with a word that helps, from the command line.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

const RED: [u8; 3] = [200, 40, 30];
const GREEN: [u8; 3] = [40, 190, 60];
/// Settings under which a run takes less than a second.
const TINY: [&str; 7] = [
    "--policy=none",
    "--set=network.width=4",
    "--set=fine_tune.epochs=2",
    "--set=run.threads=1",
    "--set=training.batch_size=16",
    "--data=folder",
    "--quiet",
];

/// Writes a BMP file of 8x8 pixels of about this colour, no two of them alike.
fn picture(path: &Path, colour: [u8; 3], number: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut bytes = b"BM".to_vec();
    let words: [u32; 12] = [246, 0, 54, 40, 8, 8, 1 | 24 << 16, 0, 192, 0, 0, 0];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend([0; 4]);
    for pixel in 0..64 {
        let noise = (pixel * 7 + number * 31) % 40;
        bytes.extend(colour.iter().rev().map(|&value| value - 20 + noise as u8));
    }
    fs::write(path, bytes).unwrap();
}

/// A folder for everything of a test.
struct Place(tempfile::TempDir);

impl Place {
    /// With `pets`: fifteen pictures of cats, which are red, and of dogs, which are green.
    fn with_pets() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.two("pets", 15);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().into()
    }

    fn two(&self, folder: &str, count: usize) {
        for (class, colour) in [("cat", RED), ("dog", GREEN)] {
            self.coloured(&format!("{folder}/{class}"), count, colour);
        }
    }

    fn coloured(&self, folder: &str, count: usize, colour: [u8; 3]) {
        for number in 0..count {
            picture(&self.path(&format!("{folder}/{number}.bmp")), colour, number);
        }
    }

    /// Trains `run` on `pets`.
    fn train(&self) -> String {
        let (run, dir) = (self.text("run"), self.text("pets"));
        PROGRAM.json(&[&["train", &run, "--dir", &dir][..], &TINY].concat());
        run
    }

    /// The error of `autogrow data` on a folder.
    fn refused(&self, folder: &str) -> String {
        let dir = self.text(folder);
        PROGRAM.fails(3, &["data", "folder", "--threads", "1", "--quiet", "--dir", &dir])
    }

    /// Pictures of each class in training, validation and test parts of a folder.
    fn counts(&self, folder: &str) -> Vec<[u64; 3]> {
        let dir = self.text(folder);
        let data = PROGRAM.json(&["data", "folder", "--threads", "1", "--dir", &dir]);
        let classes = data["classes"].as_array().unwrap();
        let count = |class: &serde_json::Value| {
            ["train", "val", "test"].map(|part| class[part].as_u64().unwrap())
        };
        classes.iter().map(count).collect()
    }
}

#[test]
fn parts_are_found_by_their_usual_names() {
    let place = Place::with_pets();
    for (train, val, test) in [("Training", "valid", "Testing"), ("TRAIN", "validation", "TEST")] {
        let folder = format!("of-{train}");
        for (part, count) in [(train, 12), (val, 6), (test, 4)] {
            place.two(&format!("{folder}/{part}"), count);
        }
        assert_eq!(place.counts(&folder), [[12, 6, 4], [12, 6, 4]]);
    }
}

#[test]
fn what_is_no_data_set_is_refused_with_the_way_out() {
    let place = Place::with_pets();
    place.two("zip/pets", 3);
    let message = place.refused("zip");
    assert!(message.contains("one class, `pets`") && message.contains("did you mean"), "{message}");
    place.two("flat/train", 3);
    place.coloured("flat/test", 2, RED);
    let message = place.refused("flat");
    assert!(message.contains("no folders of classes") && message.contains("predict"), "{message}");
    place.coloured("one/a", 1, RED);
    place.coloured("one/b", 1, GREEN);
    let message = place.refused("one");
    assert!(message.contains("`a`, `b`") && message.contains("at least 2"), "{message}");
    fs::write(place.path("pets/cat/bad.bmp"), "").unwrap();
    fs::write(place.path("pets/dog/worse.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let message = place.refused("pets");
    assert!(message.contains("bad.bmp") && message.contains("worse.png"), "{message}");
    assert!(message.contains("data.on_bad_image=skip"), "{message}");
}

#[test]
fn every_file_is_listed_once_and_stays_where_it_is() {
    let place = Place::with_pets();
    let list = || -> BTreeSet<(String, String)> {
        let dir = place.text("pets");
        let list = PROGRAM.json(&["data", "folder", "--list", "--threads", "1", "--dir", &dir]);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
        let images = list["images"].as_array().unwrap();
        images.iter().map(|image| (text(&image["name"]), text(&image["part"]))).collect()
    };
    let before = list();
    assert_eq!(before.len(), 30);
    fs::remove_file(place.path("pets/cat/3.bmp")).unwrap();
    fs::remove_file(place.path("pets/dog/11.bmp")).unwrap();
    let after = list();
    assert_eq!(after.len(), 28);
    let tests = |list: &BTreeSet<(String, String)>| -> BTreeSet<String> {
        list.iter().filter(|(_, part)| part == "test").map(|(name, _)| name.clone()).collect()
    };
    assert!(tests(&after).is_subset(&tests(&before)));
}

#[test]
fn classes_are_known_by_name() {
    let place = Place::with_pets();
    let run = place.train();
    place.coloured("names/ant", 10, GREEN);
    place.coloured("names/zebra", 10, RED);
    let message =
        PROGRAM.fails(4, &["evaluate", &run, "--threads=1", "--dir", &place.text("names")]);
    assert!(message.contains("cat, dog") && message.contains("ant, zebra"), "{message}");
}

#[test]
fn pictures_around_a_broken_one_are_predicted() {
    let place = Place::with_pets();
    let run = place.train();
    place.coloured("mix", 6, RED);
    fs::write(place.path("mix/3.bmp"), "").unwrap();
    let (mix, skip) = (place.text("mix"), "--set=data.on_bad_image=skip");
    let ended = PROGRAM.run(&["predict", &run, &mix, "--threads=1"]);
    assert_eq!(ended.status.code(), Some(3));
    let said = String::from_utf8(ended.stdout).unwrap();
    let names: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = [0, 1, 2, 4, 5].map(|number| place.text(&format!("mix/{number}.bmp")));
    assert_eq!(names, expected);
    assert!(String::from_utf8(ended.stderr).unwrap().contains("3.bmp"));
    let predicted = PROGRAM.json(&["predict", &run, &mix, "--threads=1", skip]);
    assert_eq!(predicted["images"].as_array().unwrap().len(), 5);

    place.two("bad", 5);
    fs::write(place.path("bad/dog/1.bmp"), "").unwrap();
    let bad = place.text("bad");
    let evaluated = PROGRAM.json(&["evaluate", &run, "--dir", &bad, "--threads=1", skip]);
    assert_eq!(evaluated["images"], 9);
    let message = PROGRAM.fails(3, &["evaluate", &run, "--dir", &bad, "--threads=1"]);
    assert!(message.contains("1.bmp"), "{message}");
}

/// Else its folders would be classes from then on.
#[test]
fn a_run_does_not_begin_among_pictures() {
    let place = Place::with_pets();
    let dir = place.text("pets");
    for run in ["pets", "pets/run", "pets/cat/deep/run"] {
        let run = place.text(run);
        let arguments = [&["train", &run, "--dir", &dir][..], &TINY].concat();
        let message = PROGRAM.fails(2, &arguments);
        assert!(message.contains("lies among the pictures"), "{message}");
    }
    // Nor among those of others.
    place.two("others", 3);
    let (run, digits) = (place.text("others"), ["--data=digits", "--quick", "--threads=1"]);
    let message = PROGRAM.fails(4, &[&["train", &run][..], &digits].concat());
    assert!(message.contains("others: holds the folder `"), "{message}");
    for folder in ["pets", "others"] {
        let mut names: Vec<_> = fs::read_dir(place.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["cat", "dog"]);
    }
}

/// A broken picture may be left out; a path that somebody typed and is not there may not.
#[test]
fn a_path_that_is_not_there_fails_whatever_is_skipped() {
    let place = Place::with_pets();
    let run = place.train();
    let (there, missing) = (place.text("pets/cat/0.bmp"), place.text("nowhere.bmp"));
    let skip = ["--set", "data.on_bad_image=skip"];
    let output = PROGRAM.run(&[&["predict", &run, &there, &missing][..], &skip].concat());
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("nowhere.bmp") && !output.stdout.is_empty(), "{message}");
    place.two("broken", 0);
    fs::create_dir_all(place.path("broken")).unwrap();
    fs::write(place.path("broken/half.bmp"), "BM, and no more").unwrap();
    let broken = place.text("broken/half.bmp");
    let said = PROGRAM.json(&[&["predict", &run, &there, &broken][..], &skip].concat());
    assert_eq!(said["images"].as_array().unwrap().len(), 1);
}

#[test]
fn what_can_be_had_without_a_network_is_told() {
    let place = Place::with_pets();
    let run = PathBuf::from(place.train());
    let card = fs::read_to_string(run.join("README.md")).unwrap();
    assert!(card.contains("| without a network, logistic regression | 100.00 % |"), "{card}");
    assert!(card.contains("put on white"), "{card}");
    let evaluation: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("evaluation.json")).unwrap()).unwrap();
    assert_eq!(evaluation["baselines"]["linear"]["score"], 100.0);
    let data = PROGRAM.json(&["data", "folder", "--threads", "1", "--dir", &place.text("pets")]);
    assert_eq!(data["baselines"]["linear"]["score"], 100.0);
    assert_eq!(data["baselines"]["linear"]["features"], 3 * 32 * 32);
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("logistic regression"));
}

#[test]
fn letters_need_not_be_mirrored() {
    let place = Place::with_pets();
    let dir = place.text("pets");
    let arguments = ["config", "--data=folder", "--dir", &dir];
    let config =
        PROGRAM.json(&[&arguments[..], &["--set=data.flip=false", "--set=data.shift=2"]].concat());
    let value = |key: &str| config[key]["value"].clone();
    assert_eq!((value("data.flip"), value("data.shift")), (false.into(), 2.into()));
    let config = PROGRAM.json(&arguments);
    assert_eq!(config["data.flip"]["value"], "auto");
    let message = PROGRAM.fails(2, &[&arguments[..], &["--set=data.flip=perhaps"]].concat());
    assert!(message.contains("`data.flip`"), "{message}");
}

#[test]
fn pictures_of_ones_own_need_no_other_setting() {
    let place = Place::with_pets();
    let dir = place.text("pets");
    let all = ["--data=folder", "--dir", &dir];
    let keys = ["network.name", "network.depth", "data.size", "training.batch_size", "preset"];
    let chosen = |more: &[&str]| {
        let config = PROGRAM.json(&[&["config"][..], &all, more].concat());
        keys.map(|key| config[key]["value"].to_string().trim_matches('"').to_string())
    };
    assert_eq!(chosen(&[]), ["basic3resnet", "1-1-1", "32", "16", "standard"]);
    let large = ["basic4resnet-imagenet", "1-1-1-1", "224", "16", "quick"];
    assert_eq!(chosen(&["--set=data.size=224"]), large);
    let named = ["basic4resnet-imagenet", "1-1-1-1", "0", "128", "standard"];
    assert_eq!(chosen(&["--network=basic4resnet-imagenet"]), named);
    let set = ["--batch-size=5", "--preset=paper", "--width=4"];
    assert_eq!(chosen(&set), ["basic3resnet", "1-1-1", "32", "5", "paper"]);

    let tiny = ["--width=4", "--threads=1", "--minutes=0.02"];
    let plan = PROGRAM.json(&[&["plan"][..], &all, &tiny].concat());
    assert_eq!((&plan["network"], &plan["preset"]), (&"basic3resnet".into(), &"standard".into()));
    let run = place.text("own");
    let trained = PROGRAM.run(&[&["train", &run][..], &all, &tiny].concat());
    let said = String::from_utf8(trained.stderr).unwrap();
    assert!(trained.status.success(), "{said}");
    for part in ["30 training pictures", "at 32x32", "choose otherwise", "In 0.02 minutes"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let kept = fs::read_to_string(place.path("own/config.toml")).unwrap();
    assert!(kept.contains("batch_size = 16") && kept.contains("size = 32"), "{kept}");
}

#[test]
fn a_run_says_which_files_are_which_and_which_were_mistaken() {
    let place = Place::with_pets();
    let (run, dir) = (place.text("run"), place.text("pets"));
    PROGRAM.json(&[&["train", &run, "--dir", &dir, "--epochs=20"][..], &TINY].concat());
    let files = fs::read_to_string(place.path("run/files.csv")).unwrap();
    let rows: Vec<Vec<_>> = files.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["part", "class", "file"]);
    assert_eq!(rows.len(), 31);
    for row in &rows[1..] {
        assert!(
            Path::new(row[2]).is_file() && row[2].contains(&format!("/{}/", row[1])),
            "{row:?}"
        );
    }
    let data = PROGRAM.json(&["data", "folder", "--threads=1", "--dir", &dir]);
    for part in ["train", "val", "test"] {
        let count = rows.iter().filter(|row| row[0] == part).count();
        assert_eq!(data["images"][part], count, "{part}");
    }
    let mistakes = fs::read_to_string(place.path("run/mistakes.csv")).unwrap();
    assert!(mistakes.starts_with("file,class,predicted,probability\n"), "{mistakes}");

    place.coloured("odd/cat", 2, RED);
    place.coloured("odd/dog", 3, RED);
    let evaluated = PROGRAM.json(&["evaluate", &run, "--threads=1", "--dir", &place.text("odd")]);
    let mistakes = evaluated["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    for mistake in mistakes {
        assert!(mistake["name"].as_str().unwrap().contains("odd/dog/"), "{mistake}");
        assert_eq!((&mistake["class"], &mistake["predicted"]), (&"dog".into(), &"cat".into()));
    }
}

#[test]
fn every_export_says_how_pictures_are_prepared() {
    let place = Place::with_pets();
    let run = place.train();
    let (onnx, weights) = (place.text("net.onnx"), place.text("net.safetensors"));
    PROGRAM.json(&["export", &run, &onnx, "--threads=1"]);
    PROGRAM.json(&["export", &run, &weights, "--pytorch", "--threads=1"]);
    let texts = ["net.onnx", "net.py", "net.md", "run/README.md"]
        .map(|name| String::from_utf8_lossy(&fs::read(place.path(name)).unwrap()).into_owned());
    for text in texts {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "What is transparent is put on white",
            "the smallest size, in proportion and rounded down, that covers 32x32",
            "bilinear with antialiasing, as Pillow's `BILINEAR`",
            "(value - mean) / std with mean [",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
