//! What a run is trained with where nobody says, and what of it is refused.

use autogrow_tests::program::Program;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

#[test]
fn a_network_brings_its_recipe_unless_the_optimiser_or_the_paper_is_chosen() {
    let config = |arguments: &[&str]| {
        let config = PROGRAM.json(&[&["config", "--depth", "1"], arguments].concat());
        let of = |key: &str| config[key].clone();
        let [optimizer, rate] = ["training.optimizer", "training.learning_rate"].map(of);
        let source = optimizer["source"].as_str().unwrap().to_string();
        (optimizer["value"].as_str().unwrap().to_string(), rate["value"].as_f64().unwrap(), source)
    };
    let encoder = ["--network", "encoder1net"];
    let (optimizer, rate, source) = config(&encoder);
    assert_eq!((&optimizer[..], &source[..]), ("adamw", "recipe of encoder1net"));
    assert!(rate < 0.1);
    let chosen = config(&[&encoder[..], &["--lr", "0.5"]].concat());
    assert_eq!((&chosen.0[..], chosen.1), ("adamw", 0.5));
    for more in [&["--set", "training.optimizer=sgd"][..], &["--preset", "paper"]] {
        let (optimizer, rate, _) = config(&[&encoder[..], more].concat());
        assert_eq!((&optimizer[..], rate), ("sgd", 0.1), "{more:?}");
    }
    let network = ["--network", "mlp1net"];
    assert_eq!(config(&network).2, "preset standard");
    let adam = config(&[&network[..], &["--set", "training.optimizer=adam"]].concat());
    assert_eq!((&adam.0[..], adam.1), ("adam", 0.001));
}

#[test]
fn targets_that_are_numbers_are_not_mixed() {
    for key in ["training.mixup", "training.cutmix"] {
        let set = format!("{key}=0.2");
        let values = ["config", "--set", "training.objective=values", "--set", &set];
        let message = PROGRAM.fails(2, &values);
        assert!(message.contains(key) && message.contains("hint: "), "{message}");
        PROGRAM.json(&["config", "--set", "training.objective=labels", "--set", &set]);
    }
}
