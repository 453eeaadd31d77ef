//! What the scales make of the paper's settings.

use super::*;
use crate::reproduce::paper::Method;
use crate::reproduce::testing::with_plan;

fn row(suite: &str, index: usize) -> (Paper, Row) {
    let paper = Paper::read().unwrap();
    let table = paper.tables.iter().find(|table| table.name == suite).unwrap();
    let row = table.rows[index].clone();
    (paper, row)
}

fn grown(scale: Scale, suite: &str, index: usize) -> (Config, Vec<String>) {
    let (paper, row) = row(suite, index);
    let settings = Settings { paper: &paper, scale, data: None, device: "auto" };
    let Method::Grow(grow) = &row.method else { panic!("the row does not grow") };
    (settings.grow(&row, grow, 0).unwrap(), settings.differences(&row).unwrap())
}

#[test]
fn the_papers_settings_are_written_out() {
    let (config, differences) = grown(Scale::Paper, "table8", 0);
    assert_eq!(config.toml().unwrap(), include_str!("../../../expected/table8-paper.toml"));
    assert_eq!(differences, [""; 0]);
    let (config, differences) = grown(Scale::Paper, "table10", 4);
    assert_eq!(config.toml().unwrap(), include_str!("../../../expected/table10-paper.toml"));
    assert_eq!(differences, [""; 0]);
    let (config, _) = grown(Scale::Paper, "table9", 3);
    assert_eq!((config.growth.interval, config.data.fraction), (Some(12), 0.25));
    let (config, _) = grown(Scale::Paper, "table3", 0);
    assert_eq!((config.growth.interval, &*config.growth.policy), (Some(100), "convergent"));
}

#[test]
fn smaller_scales_follow_their_rule() {
    let (config, differences) = grown(Scale::Small, "table9", 3);
    assert_eq!((config.growth.interval, config.growth.patience), (Some(1), Some(10)));
    assert_eq!((config.fine_tune.epochs, config.data.fraction), (20, 0.025));
    assert_eq!(
        differences.join("; "),
        "10 % of the training images; width 8, not 16; K = 1, not 12; J = 10, not 100; \
         N = 20, not 200; held-out images guide growth and choose the best epoch"
    );
    let (config, differences) = grown(Scale::Smoke, "table10", 4);
    assert_eq!((&*config.network.name, config.network.width), ("plain4net-imagenet", 4));
    assert_eq!((&*config.data.name, config.data.fraction), ("folder", 1.0));
    assert_eq!(config.data.dir, Some("../pictures"));
    assert_eq!(differences[0], "generated JPEG images in place of ImageNet");
    assert_eq!(differences[2..5], ["K = 1, not 2", "J = 1, not 30", "N = 2, not 90"]);
    let (config, _) = grown(Scale::Smoke, "table8", 4);
    assert_eq!(config.data.name, "digits");
    for (scale, epochs) in [(Scale::Paper, [1, 3, 100]), (Scale::Small, [1, 1, 10])] {
        assert_eq!([1, 3, 100].map(|of_paper| scale.epochs(of_paper)), epochs);
    }
}

#[test]
fn another_data_set_takes_the_place_of_the_papers() {
    let (paper, row) = row("table10", 4);
    let data = Some(paper.set("fashion-mnist").unwrap());
    let settings = Settings { paper: &paper, scale: Scale::Small, data, device: "auto" };
    let config = settings.scratch(&row, &Depth::seed(4), 0).unwrap();
    assert_eq!((&*config.network.name, &*config.data.name), ("plain4net", "fashion-mnist"));
    assert_eq!((config.data.fraction, config.training.batch_size), (0.1, 256));
    let differences = settings.differences(&row).unwrap();
    assert_eq!(differences[0], "FashionMNIST images in place of ImageNet");
}

#[test]
fn what_is_left_of_a_large_set() {
    let paper = Paper::read().unwrap();
    let left = |scale: Scale, name: &str| scale.images(paper.set(name).unwrap());
    let scales = [Scale::Paper, Scale::Small, Scale::Smoke];
    assert_eq!(scales.map(|scale| left(scale, "imagenet")), [1.0, 0.01, 0.001]);
    // They are few, and would be too few.
    assert_eq!(scales.map(|scale| left(scale, "folder")), [1.0; 3]);
    assert_eq!(scales.map(|scale| left(scale, "cifar10")), [1.0, 0.1, 0.1]);
}

#[test]
fn a_network_that_does_not_exist_is_refused() {
    let (paper, row) = row("table3", 0);
    for name in ["imagenet", "folder"] {
        let data = Some(paper.set(name).unwrap());
        let settings = Settings { paper: &paper, scale: Scale::Smoke, data, device: "auto" };
        let error = settings.scratch(&row, &Depth::seed(3), 0).unwrap_err().to_string();
        assert!(error.contains("Basic3ResNet") && error.contains("hint: "), "{error}");
    }
}

#[test]
fn the_rule_says_which_images_are_trained_on() {
    let paper = Paper::read().unwrap();
    let words = |scale, data: Option<&str>| {
        let data = data.map(|name| paper.set(name).unwrap());
        Settings { paper: &paper, scale, data, device: "auto" }.words()
    };
    assert!(words(Scale::Smoke, None).contains("replaced by a tenth of the built-in digits"));
    assert!(words(Scale::Small, None).contains("of ImageNet a hundredth"));
    for scale in [Scale::Paper, Scale::Small, Scale::Smoke] {
        let words = words(scale, Some("fashion-mnist"));
        let own = "all rows are trained on FashionMNIST images in place of the paper's data sets";
        assert!(words.contains(own), "{words}");
        assert!(!words.contains("replaced by") && !words.contains("ImageNet"), "{words}");
    }
    assert!(words(Scale::Small, Some("mnist")).contains("(10 % of its training images)"));
    assert!(words(Scale::Small, Some("folder")).contains("(all of its training images)"));
}

#[test]
fn nothing_but_built_in_and_drawn_images_at_smoke() {
    with_plan(Scale::Smoke, &["all"], 1, |plan| {
        for cell in &plan.cells {
            let own = ["digits", "synthetic", "folder"];
            assert!(own.contains(&&*cell.config.data.name), "{}", cell.key);
        }
    });
}

#[test]
fn network_morphism_changes_the_depth_alone() {
    let (paper, row) = row("table2", 2);
    let settings = Settings { paper: &paper, scale: Scale::Paper, data: None, device: "auto" };
    let Method::Morph(morph) = &row.method else { panic!("the row is Network Morphism") };
    let deepen =
        settings.deepen(&row, (&morph.shallow, "shallow"), &morph.deep, "zero", 0).unwrap();
    assert_eq!((deepen.growth.mode, deepen.fine_tune.epochs), (Some("all"), 0));
    assert!(deepen.training.learning_rate < 1e-8);
    let deepened = settings.deepened(&row, &morph.deep, "deep", 0).unwrap();
    let mut scratch = settings.scratch(&row, &morph.deep, 0).unwrap();
    scratch.training.init_from = Some("deep/model.safetensors".into());
    assert_eq!(deepened, scratch);
    let differences = settings.differences(&row).unwrap();
    assert!(differences[0].contains("4 stackings"), "{differences:?}");
}
