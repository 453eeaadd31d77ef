//! Models go out and come in: what PyTorch trained is evaluated here image for image, a model file
//! alone is enough for everything, and files that are damaged or hostile end with exit code 4.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{DataConfig, NetworkConfig};
use autogrow_core::data::{DataRequest, DataSet, Task};
use autogrow_core::network::{Blueprint, Network, StateDict};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::run::ModelFile;
use autogrow_core::training::infer;
use autogrow_tests as _;
use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use zip::CompressionMethod;
use zip::write::FileOptions;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn autogrow(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autogrow-tests")).args(arguments).output().unwrap()
}

fn succeeds(arguments: &[&str]) -> String {
    let output = autogrow(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(&[arguments, &["--json"]].concat())).unwrap()
}

/// Runs what must fail; checks the exit code and that there is no panic; returns the message.
fn fails(code: i32, arguments: &[&str]) -> String {
    let output = autogrow(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(message.contains("error: ") && !message.contains("panicked"), "{message}");
    message
}

/// A short run.
fn train(place: &Path, data: &str) -> PathBuf {
    let folder = place.join("run");
    let settings = ["data.fraction=0.1", "network.width=4", "growth.interval=1"];
    let more = ["growth.patience=2", "fine_tune.epochs=1"];
    let settings: Vec<_> = settings.iter().chain(&more).flat_map(|set| ["--set", set]).collect();
    let run = ["train", folder.to_str().unwrap(), "--quiet", "--data", data];
    succeeds(&[&run, &settings[..]].concat());
    folder
}

/// The test images of `synthetic` as pictures, a folder a class, named in their order.
fn pictures(place: &Path) -> PathBuf {
    let folder = place.join("pictures");
    let set = open("synthetic");
    let pass = autogrow_core::data::Pass { batch_size: 1, ..Default::default() };
    for (index, batch) in set.test.batches(pass).map(Result::unwrap).enumerate() {
        let class = batch.targets.classes().unwrap()[0];
        let class = folder.join(set.outputs.names()[class]);
        std::fs::create_dir_all(&class).unwrap();
        // Back from the normalised pixel to its byte.
        let byte = |pixel: &f32| (255.0 * (pixel * 0.25 + 0.5)).round() as u8;
        let pixels: Vec<u8> = batch.images.iter().map(byte).collect();
        std::fs::write(class.join(format!("{index:03}.bmp")), bmp(32, &pixels)).unwrap();
    }
    folder
}

/// A BMP file of a square of `[3, size, size]` pixels; `size` is a multiple of 4.
fn bmp(size: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    let mut word = |value: usize| file.extend((value as u32).to_le_bytes());
    let bytes = 3 * size * size;
    [54 + bytes, 0, 54, 40, size, size, 1 | 24 << 16, 0, bytes, 0, 0, 0, 0]
        .into_iter()
        .for_each(&mut word);
    // From the last row to the first, blue before green before red.
    for (y, x) in (0..size * size).map(|place| (size - 1 - place / size, place % size)) {
        file.extend([2, 1, 0].map(|channel| pixels[(channel * size + y) * size + x]));
    }
    file
}

fn open(data: &str) -> DataSet {
    let config = DataConfig { name: data.into(), ..DataConfig::default() };
    let request = DataRequest {
        config: &config,
        compat: Default::default(),
        plugins: &Default::default(),
        task: Task::Classes,
        seed: 0,
        size: 32,
    };
    DataSet::open(&request).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn what_pytorch_trained_is_evaluated_image_for_image() {
    use autogrow_data as _;
    use autogrow_export as _;
    use autogrow_models as _;
    let want: Value =
        serde_json::from_slice(&std::fs::read(fixture("imported.json")).unwrap()).unwrap();
    let (device, set) = (Device::flex(), open("digits"));
    for (name, logits) in want["logits"].as_object().unwrap() {
        let path = fixture(&format!("imported/{name}.pt"));
        let mut file = ModelFile::read(&path).unwrap();
        file.assume(&NetworkConfig::default(), [8, 8]).unwrap();
        let (network, info) = file.build(&device).unwrap();
        assert_eq!(info.architecture.depth.to_string(), "1-1-1");
        let mut got = Vec::new();
        infer(&network, &*set.test, None, &device, &mut |scores, _| {
            got.extend(scores.iter().map(|&score| f64::from(score)));
            Ok(())
        })
        .unwrap();
        for (got, want) in got.chunks(10).zip(logits.as_array().unwrap()) {
            for (got, want) in got.iter().zip(numbers(want)) {
                assert!((got - want).abs() < 1e-4, "{name}: {got}, not {want}");
            }
        }
        // Rounded to half precision, an image may just fall to another class.
        if !["half", "bfloat16"].contains(&name.as_str()) {
            let best = |row: &[f64]| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            let predicted: Vec<_> = got.chunks(10).map(best).collect();
            let wanted: Vec<_> =
                numbers(&want["predicted"]).iter().map(|&class| class as usize).collect();
            assert_eq!(predicted, wanted, "{name}");
        }
    }
    for file in ["imported/float32.pt", "imported/float32.safetensors", "imported/wrapped.pt"] {
        let file = fixture(file);
        let named = ["--network", "basic3resnet", "--data", "digits"];
        let evaluated = json(&[&["evaluate", file.to_str().unwrap()], &named[..]].concat());
        assert_eq!(evaluated["top1"], want["accuracy"], "{}", file.display());
    }
}

#[test]
fn a_run_begins_with_the_weights_of_pytorch() {
    let place = tempfile::tempdir().unwrap();
    let init = format!("training.init_from={}", fixture("imported/float32.pt").display());
    let run = place.path().join("run");
    let settings = [&init, "network.width=4", "growth.policy=none", "fine_tune.epochs=1"];
    let settings: Vec<_> = settings.iter().flat_map(|set| ["--set", set]).collect();
    let more = ["--set", "training.learning_rate=0.0001"];
    let result =
        json(&[&["train", run.to_str().unwrap(), "--quiet"], &settings[..], &more].concat());
    assert!(result["test_accuracy"].as_f64().unwrap() > 97.0, "{result}");
    let legacy = format!("training.init_from={}", fixture("imported/legacy.pt").display());
    let other = place.path().join("other");
    let message = fails(4, &["train", other.to_str().unwrap(), "--set", &legacy]);
    assert!(message.contains("1.6"), "{message}");
}

/// Three classes, then two: all but the classifier is taken over.
#[test]
fn a_seed_takes_over_all_but_a_classifier_of_other_classes() {
    let place = tempfile::tempdir().unwrap();
    let train = |name: &str, classes: usize, more: &[&str]| {
        let (table, run) = (place.path().join(format!("{name}.csv")), place.path().join(name));
        let rows = (0..60).map(|i| format!("{i},{},c{}\n", (7 * i) % 60, i % classes));
        std::fs::write(&table, format!("a,b,label\n{}", rows.collect::<String>())).unwrap();
        let [table, run] = [&table, &run].map(|path| path.to_str().unwrap());
        let network = ["--network", "mlp1net", "--depth", "2", "--policy", "none"];
        // The weights as they are: an averaged guide measures the statistics of batch norms anew.
        let data = ["--data", "csv", "--dir", table, "--batch-size", "16"];
        let network = [&network[..], &["--set", "growth.guide=raw"]].concat();
        let output = autogrow(&[&["train", run], &network[..], &data, more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let file = ModelFile::read(Path::new(run)).unwrap();
        (said, StateDict::of(&file.build(&Device::flex()).unwrap().0).unwrap())
    };
    let (_, three) = train("three", 3, &["--epochs", "2"]);
    let init =
        format!("training.init_from={}", place.path().join("three/model.safetensors").display());
    let (said, two) = train("two", 2, &["--epochs", "0", "--set", &init]);
    assert!(said.contains("has 3 outputs and the data ask for 2"), "{said}");
    for (name, entry) in &two.0 {
        let is_head = name.starts_with("linear.");
        assert_eq!(three.0[name].values == entry.values, !is_head, "{name}");
    }
}

#[test]
fn a_model_file_alone_is_enough() {
    let place = tempfile::tempdir().unwrap();
    let run = train(place.path(), "digits");
    let result: Value =
        serde_json::from_slice(&std::fs::read(run.join("result.json")).unwrap()).unwrap();
    let alone = place.path().join("alone.safetensors");
    std::fs::copy(run.join("model.safetensors"), &alone).unwrap();
    let alone = alone.to_str().unwrap();

    // The data set, the classes and the architecture are those of the run.
    let evaluated = json(&["evaluate", alone]);
    assert_eq!(
        (&evaluated["top1"], &evaluated["data"], &evaluated["found"]),
        (&result["test_accuracy"], &"digits".into(), &result["found"])
    );
    let sum = |value: &Value| numbers(value).iter().sum::<f64>();
    let confusion = evaluated["confusion"].as_array().unwrap();
    assert_eq!(confusion.iter().map(sum).sum::<f64>(), 360.0);
    assert!(evaluated["classes"].as_array().unwrap().iter().all(|class| class["images"] == 36));
    let ece = evaluated["ece"].as_f64().unwrap();
    assert!((0.0..1.0).contains(&ece) && evaluated["loss"].as_f64().unwrap() > 0.0, "{evaluated}");

    // Exports are models again, and say what they are; so does the card beside them.
    let copy = place.path().join("copy.safetensors");
    let exported = json(&["export", alone, copy.to_str().unwrap(), "--pytorch"]);
    assert_eq!(exported["parameters"], result["parameters"]);
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(alone).unwrap());
    let card = std::fs::read_to_string(place.path().join("copy.md")).unwrap();
    assert!(card.contains("basic3resnet") && card.contains("evaluate it on images"), "{card}");
    let of_run = std::fs::read_to_string(run.join("README.md")).unwrap();
    let accuracy = format!("{:.2} %", result["test_accuracy"].as_f64().unwrap());
    assert!(of_run.contains(&accuracy) && of_run.contains("K = 1 epochs"), "{of_run}");
    let script = std::fs::read_to_string(place.path().join("copy.py")).unwrap();
    assert!(
        script.contains("class Basic(nn.Module)") && script.contains("strict=True"),
        "{script}"
    );
    let out = place.path().join("x.onnx");
    assert_eq!(json(&["export", alone, out.to_str().unwrap()])["format"], "onnx");
    let burnpack = place.path().join("x.bpk");
    json(&["export", alone, burnpack.to_str().unwrap()]);
    let architecture = std::fs::read(place.path().join("x.json")).unwrap();
    assert_eq!(weights_of_burnpack(&architecture, &burnpack), weights_of(Path::new(alone)));

    // Evaluations are kept in run folders only.
    succeeds(&["evaluate", run.to_str().unwrap(), "--save"]);
    let saved: Value =
        serde_json::from_slice(&std::fs::read(run.join("evaluation.json")).unwrap()).unwrap();
    assert_eq!(saved["top1"], result["test_accuracy"]);
    fails(4, &["evaluate", alone, "--save"]);
    fails(4, &["evaluate", alone, "--network", "plain3net"]);
    fails(4, &["evaluate", alone, "--depth", "9-9-9"]);
    fails(4, &["evaluate", alone, "--data", "synthetic"]);

    // A folder of an earlier version: network.json beside weights that say nothing.
    let old = place.path().join("old");
    std::fs::create_dir(&old).unwrap();
    for file in ["network.json", "config.toml"] {
        std::fs::copy(run.join(file), old.join(file)).unwrap();
    }
    std::fs::write(old.join("model.safetensors"), without_metadata(&copy)).unwrap();
    assert_eq!(json(&["evaluate", old.to_str().unwrap()])["top1"], result["test_accuracy"]);
    let picture = &pictures(place.path()).join("tee and ell");
    let predicted = json(&["predict", old.to_str().unwrap(), picture.to_str().unwrap()]);
    assert_eq!(predicted["images"].as_array().unwrap().len(), 100);
    std::fs::remove_file(old.join("network.json")).unwrap();
    let message = fails(4, &["evaluate", old.to_str().unwrap()]);
    assert!(message.contains("--network"), "{message}");
}

fn weights_of(model: &Path) -> StateDict {
    let (network, _) = ModelFile::read(model).unwrap().build(&Device::flex()).unwrap();
    StateDict::of(&network).unwrap()
}

/// As a program that knows Burn alone reads them.
fn weights_of_burnpack(architecture: &[u8], record: &Path) -> StateDict {
    let blueprint: Blueprint = serde_json::from_slice(architecture).unwrap();
    let mut rng = generator(1, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, &Device::flex()).unwrap();
    let record = ModuleRecord::load(record).unwrap();
    StateDict::of(&network.try_load_record(record).unwrap()).unwrap()
}

/// A safetensors file without what it says of itself.
fn without_metadata(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert!(header.as_object_mut().unwrap().remove("__metadata__").is_some());
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + length..]].concat()
}

#[test]
fn pictures_are_classified_as_the_images_they_were_made_of() {
    let place = tempfile::tempdir().unwrap();
    let run = train(place.path(), "synthetic");
    let (run, pictures) = (run.to_str().unwrap(), pictures(place.path()));
    let pictures = pictures.to_str().unwrap();
    let evaluated = json(&["evaluate", run]);
    let of_pictures = json(&["evaluate", run, "--dir", pictures]);
    for key in ["images", "top1", "confusion"] {
        assert_eq!(of_pictures[key], evaluated[key], "{key}");
    }
    assert_eq!(of_pictures["split"], "all");

    let predicted = json(&["predict", run, pictures, "--batch", "70"]);
    let images = predicted["images"].as_array().unwrap();
    assert_eq!(images.len(), 1000);
    let right = images.iter().filter(|image| {
        let path = image["image"].as_str().unwrap();
        Path::new(path).parent().unwrap().ends_with(image["class"].as_str().unwrap())
    });
    assert_eq!(100.0 * right.count() as f64 / 1000.0, evaluated["top1"].as_f64().unwrap());
    for image in images {
        let probabilities = numbers(&image["probabilities"]);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(image["probability"], image["top"][0]["probability"]);
        assert_eq!(image["top"].as_array().unwrap().len(), 5);
    }

    // The same in other clothes: lines, CSV, raw outputs, standard input.
    let first = images[0]["image"].as_str().unwrap();
    let line = succeeds(&["predict", run, first, "--top", "1"]);
    assert!(line.starts_with(&format!("{first}: {}", images[0]["class"].as_str().unwrap())));
    let csv = succeeds(&["predict", run, first, "--csv", "--top", "2", "--logits"]);
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!((rows.len(), rows[0]), (3, "image,rank,class,logit"));
    let raw = json(&["predict", run, first, "--logits"]);
    assert_eq!(numbers(&raw["images"][0]["logits"]).len(), 10);
    let stdin = Stdio::from(std::fs::File::open(first).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
    let output = command.args(["predict", run, "-", "--json"]).stdin(stdin).output().unwrap();
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(piped["images"][0]["probabilities"], images[0]["probabilities"]);

    let text = place.path().join("text.png");
    std::fs::write(&text, "no picture").unwrap();
    assert!(fails(3, &["predict", run, text.to_str().unwrap()]).contains("text.png"));
    fails(3, &["predict", run, "no-such.png"]);
    std::fs::create_dir(place.path().join("empty")).unwrap();
    fails(3, &["predict", run, place.path().join("empty").to_str().unwrap()]);
    fails(2, &["predict", run]);
}

#[test]
fn options_that_do_not_suit_the_format_are_told() {
    let place = tempfile::tempdir().unwrap();
    let model = fixture("imported/float32.pt");
    let export = |out: &str, more: &[&str]| {
        let out = place.path().join(out);
        let named = ["--network", "basic3resnet", "--data", "digits"];
        fails(
            2,
            &[&["export", model.to_str().unwrap(), out.to_str().unwrap()], &named[..], more]
                .concat(),
        )
    };
    assert!(export("model", &[]).contains("--format"));
    assert!(export("model.onnx", &["--pytorch"]).contains("--format safetensors"));
    assert!(export("model.bpk", &["--fold-bn"]).contains("--format onnx"));
    assert!(export("model.md", &["--format", "onnx"]).contains("another ending"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

/// Model files that are damaged or made to harm. `evaluate` must end with 4 on each of them, in an
/// address space that a model of this size fills to a small part.
#[test]
fn hostile_model_files_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let run = train(place.path(), "digits");
    let whole = std::fs::read(run.join("model.safetensors")).unwrap();
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let text = String::from_utf8(whole[8..8 + header].to_vec()).unwrap();
    let with_header = |header: String| {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &whole[8 + text.len()..]].concat()
    };
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        with_header(text.replacen(from, to, 1))
    };
    let mut not_a_number = whole.clone();
    let end = not_a_number.len();
    not_a_number[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let huge_header = [&u64::MAX.to_le_bytes()[..], &whole[8..]].concat();
    let long_header = [&99_000_000_u64.to_le_bytes()[..], &whole[8..]].concat();
    let mut files = vec![
        ("nothing", Vec::new()),
        ("a huge header", huge_header),
        ("a long header", long_header),
        ("other bytes", b"\x00\x01".repeat(5_000)),
        ("a number that is none", not_a_number),
        ("another shape", replaced("\"shape\":[4,1,3,3]", "\"shape\":[1,4,3,3]")),
        ("a shape without end", replaced("[4,1,3,3]", "[4294967296,4294967296,3,3]")),
        ("another name", replaced("\"conv1.weight\"", "\"conv9.weight\"")),
        ("another network", replaced("basic3resnet", "plain3net")),
        ("no network", replaced("basic3resnet", "nothing3net")),
        ("too many sub-networks", replaced(r#"\"depth\":\""#, r#"\"depth\":\"1-1-1-1-1-"#)),
        ("a depth without end", replaced(r#"\"depth\":\""#, r#"\"depth\":\"4000000000"#)),
        ("a width without end", replaced(r#"\"width\":4"#, r#"\"width\":4000000000000"#)),
        ("a great width", replaced(r#"\"width\":4"#, r#"\"width\":16000"#)),
        ("no width", replaced(r#"\"width\":4"#, r#"\"width\":0"#)),
        ("great images", replaced(r#"[1,8,8]"#, r#"[1,8,8000000]"#)),
        ("a newer format", replaced(r#"\"format\":1"#, r#"\"format\":4"#)),
        ("classes without names", replaced(r#"\"classes\":10"#, r#"\"classes\":11"#)),
        ("no deviation", replaced(r#"\"std\":[0.3759]"#, r#"\"std\":[0.0]"#)),
    ];
    let step = (whole.len() / 40).max(1);
    files.extend((0..whole.len()).step_by(step).map(|end| ("cut off", whole[..end].to_vec())));
    let archive = std::fs::read(fixture("imported/float32.pt")).unwrap();
    let step = (archive.len() / 40).max(1);
    files.extend(
        (0..archive.len()).step_by(step).map(|end| ("a cut archive", archive[..end].to_vec())),
    );
    files.push(("a module", std::fs::read(fixture("imported/module.pt")).unwrap()));
    let system = b"\x80\x02cposix\nsystem\nX\x07\0\0\0touch x\x85R.";
    files.push(("a command", archive_of(&[("data.pkl", system)], CompressionMethod::Stored)));
    let zeros = vec![0; 200 << 20];
    files.push(("a bomb", archive_of(&[("data.pkl", &zeros)], CompressionMethod::Deflated)));
    let file = place.path().join("hostile");
    for (what, bytes) in files {
        std::fs::write(&file, &bytes).unwrap();
        let message = evaluate_within(&file, 1_500_000, bytes.starts_with(b"PK"));
        assert!(message.contains("error: ") && !message.contains("panicked"), "{what}: {message}");
    }
    assert!(!Path::new("x").exists());
    // The weights are good, but of another network than the one that is named.
    let other = fixture("imported/float32.pt");
    let message = fails(
        4,
        &["evaluate", other.to_str().unwrap(), "--network", "basic4resnet", "--depth", "1-1-1-1"],
    );
    assert!(message.contains("sub-modules"), "{message}");
}

/// An archive as PyTorch lays it out.
fn archive_of(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = FileOptions::default().compression_method(method);
        writer.start_file(format!("model/{name}"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Evaluates in so many kilobytes of address space, as the network that the file names or, where
/// none can be named in it, as one that is; checks for exit code 4; returns the message.
fn evaluate_within(file: &Path, kilobytes: usize, named: bool) -> String {
    let name = if named { "--network basic3resnet" } else { "" };
    let evaluate = format!("exec \"$0\" evaluate \"$1\" {name} --data digits --threads 2");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {kilobytes}; {evaluate}")]);
    let output = command.arg(env!("CARGO_BIN_EXE_autogrow-tests")).arg(file).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{message}");
    message
}

#[test]
fn completions_pages_and_the_version_tell_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeds(&["completions", shell]);
        assert!(script.contains("predict") && script.contains("fold-bn"), "{shell}");
    }
    let page = succeeds(&["man"]);
    assert!(page.starts_with(".ie") && page.contains("autogrow\\-export"), "{page}");
    let page = json(&["man", "bench", "step"]);
    assert_eq!(page["page"], "autogrow-bench-step.1");
    assert!(fails(2, &["man", "exprot"]).contains("did you mean `export`?"));
    let version = succeeds(&["--version"]);
    assert!(version.contains("features: flex, ndarray\nbackends: flex, ndarray"), "{version}");
    assert_eq!(succeeds(&["-V"]).lines().count(), 1);
}
