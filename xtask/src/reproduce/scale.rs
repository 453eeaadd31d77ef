//! How large: the paper's hyper-parameters, or all of them reduced by one rule that is told.

use super::config::{Config, Data, FineTune, Growth, Network, Run, Training};
use super::depth::Depth;
use super::paper::{Grow, Paper, Recipe, Row, Set};
use super::pictures;
use anyhow::{Result, ensure};
use clap::ValueEnum;

/// tau, percentage points (section 2.3 of the paper).
const THRESHOLD: f64 = 0.05;

/// The step size while nothing but the depth is to change.
const STANDSTILL: f64 = 1e-9;

/// How large a reproduction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scale {
    /// The paper's hyper-parameters, all of them
    Paper,
    /// A tenth of the epochs and of the images, narrower networks: hours
    Small,
    /// Next to nothing, on images that are built in: minutes
    Smoke,
}

/// What a scale does to the paper's settings.
#[derive(Debug)]
struct Rule {
    /// K, J and N are divided by this, rounded, and are at least 1.
    epochs_by: f64,
    /// Part of the training images that is left of what a row takes; of ImageNet less, but of the
    /// few pictures that are drawn in its place all.
    images: f64,
    images_of_imagenet: f64,
    /// Widths of networks with three and with four sub-networks.
    widths: [u32; 2],
    stand_ins: bool,
    select_on: &'static str,
}

const PAPER: Rule = Rule {
    epochs_by: 1.0,
    images: 1.0,
    images_of_imagenet: 1.0,
    widths: [16, 64],
    stand_ins: false,
    select_on: "test",
};

const SMALL: Rule = Rule {
    epochs_by: 10.0,
    images: 0.1,
    images_of_imagenet: 0.01,
    widths: [8, 16],
    stand_ins: false,
    select_on: "val",
};

const SMOKE: Rule = Rule {
    epochs_by: 50.0,
    images: 0.1,
    images_of_imagenet: 0.001,
    widths: [4, 4],
    stand_ins: true,
    select_on: "val",
};

/// Makes configurations of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings<'a> {
    pub(super) paper: &'a Paper,
    pub(super) scale: Scale,
    /// The data set that takes the place of the paper's, in all rows.
    pub(super) data: Option<&'a Set>,
    pub(super) device: &'a str,
}

impl Scale {
    /// As the command line spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Small => "small",
            Self::Smoke => "smoke",
        }
    }

    fn rule(self) -> &'static Rule {
        match self {
            Self::Paper => &PAPER,
            Self::Small => &SMALL,
            Self::Smoke => &SMOKE,
        }
    }

    /// What is left of the training images of a set that a row takes all of.
    fn images(self, set: &Set) -> f64 {
        match set.name.as_str() {
            "folder" => 1.0,
            _ if set.is_large() => self.rule().images_of_imagenet,
            _ => self.rule().images,
        }
    }

    /// K, J or N at this scale.
    pub(super) fn epochs(self, of_paper: u32) -> u32 {
        ((f64::from(of_paper) / self.rule().epochs_by).round() as u32).max(1)
    }
}

impl<'a> Settings<'a> {
    fn rule(&self) -> &'static Rule {
        self.scale.rule()
    }

    /// The rule in words.
    pub(super) fn words(&self) -> String {
        let [three, four] = self.rule().widths;
        let images = self.words_of_images();
        match self.scale {
            Scale::Paper => format!(
                "The paper's hyper-parameters: K, J and N as printed, width 16 (three \
                 sub-networks) or 64 (four), {images}, and the test images guide \
                 growth and choose the best epoch, so that validation and test accuracy are one \
                 number."
            ),
            Scale::Small => format!(
                "K, J and N are a tenth of the paper's (rounded, at least 1), networks are \
                 {three} (three sub-networks) or {four} (four) channels wide in place of 16 or \
                 64, and {images}; \
                 held-out images guide growth and choose the best epoch, not the test images."
            ),
            Scale::Smoke => format!(
                "A check that everything runs, not a result: a baseline gets some sixteen steps and \
                 stays at chance while a growing net gets many times as many, so neither \
                 accuracies nor deltas mean anything. K, J and N are a fiftieth of the \
                 paper's (rounded, at least 1), networks are {three} channels wide, \
                 {images}; held-out images guide growth and choose the best epoch, not the test \
                 images."
            ),
        }
    }

    /// Which images are trained on, and how many.
    fn words_of_images(&self) -> String {
        if let Some(set) = self.data {
            let part = match self.scale.images(set) {
                1.0 => "all of its training images".to_string(),
                part => format!("{} % of its training images", 100.0 * part),
            };
            return format!(
                "all rows are trained on {} images in place of the paper's data sets ({part})",
                set.title
            );
        }
        match self.scale {
            Scale::Paper => "all training images",
            Scale::Small => "a tenth of the training images is used, of ImageNet a hundredth",
            Scale::Smoke => {
                "MNIST and \
                 FashionMNIST are replaced by a tenth of the built-in digits, ImageNet by a few \
                 JPEGs that are drawn for it, the other sets by a tenth of the built-in synthetic \
                 images"
            }
        }
        .into()
    }

    /// The data set that a row is trained on.
    ///
    /// # Errors
    /// Where the data files do not name it.
    pub(super) fn set(&self, row: &Row) -> Result<&'a Set> {
        let of_paper = self.paper.set(&row.data)?;
        match self.data {
            Some(set) => Ok(set),
            None if self.rule().stand_ins => self.paper.set(&of_paper.stand_in),
            None => Ok(of_paper),
        }
    }

    fn recipe(&self, row: &Row) -> Result<&'a Recipe> {
        self.paper.recipe(self.paper.set(&row.data)?)
    }

    fn width(&self, row: &Row) -> u32 {
        self.rule().widths[usize::from(row.sub_networks() == 4)]
    }

    /// Training a given depth from scratch, with all that a row says but how it grows.
    ///
    /// # Errors
    /// Where the data files do not name something, or there is no such network for images of the
    /// set's size.
    pub(super) fn scratch(&self, row: &Row, depth: &Depth, seed: u64) -> Result<Config> {
        let (set, recipe) = (self.set(row)?, self.recipe(row)?);
        ensure!(
            !set.is_large() || row.sub_networks() == 4,
            "{} takes images of about 32x32, those of `{}` are of {}x{}\n\
             hint: large images are for networks with four sub-networks, such as those of table10; \
             --data fashion-mnist is a set of small ones",
            row.network,
            set.name,
            set.image[1],
            set.image[2]
        );
        let stem = if set.is_large() { "-imagenet" } else { "" };
        Ok(Config {
            compat: row.compat.clone(),
            network: Network {
                name: format!("{}{stem}", row.network.to_lowercase()),
                depth: depth.clone(),
                width: self.width(row),
            },
            growth: Growth::none(),
            training: Training {
                batch_size: recipe.batch_size,
                optimizer: "sgd",
                learning_rate: if row.network.starts_with("Plain") { 0.01 } else { 0.1 },
                momentum: 0.9,
                weight_decay: recipe.weight_decay,
                schedule: None,
                init_from: None,
            },
            fine_tune: FineTune {
                epochs: self.scale.epochs(recipe.epochs),
                milestones: recipe.milestones.clone(),
            },
            data: Data {
                name: set.name.clone(),
                dir: (set.name == "folder").then_some(pictures::DIR),
                fraction: (row.fraction * self.scale.images(set) * 1e6).round() / 1e6,
                select_on: self.rule().select_on,
                difficulty: (set.name == "synthetic").then_some(0.2),
            },
            run: Run {
                seed,
                device: self.device.into(),
                snapshots: match row.snapshots {
                    0 => 0,
                    of_paper => self.scale.epochs(of_paper),
                },
            },
        })
    }

    /// AutoGrow.
    ///
    /// # Errors
    /// Where the data files do not name something.
    pub(super) fn grow(&self, row: &Row, grow: &Grow, seed: u64) -> Result<Config> {
        let depth = grow.seed.clone().unwrap_or_else(|| Depth::seed(row.sub_networks()));
        let mut config = self.scratch(row, &depth, seed)?;
        config.growth = Growth {
            policy: grow.policy.clone(),
            interval: Some(self.scale.epochs(grow.interval)),
            patience: Some(self.scale.epochs(self.recipe(row)?.patience)),
            threshold: Some(THRESHOLD),
            initializer: Some(grow.initializer.clone()),
            mode: Some("turn"),
            max_depth: None,
        };
        config.training.schedule = Some(grow.schedule.clone());
        Ok(config)
    }

    /// Network Morphism after the shallow net has converged: stacks sub-modules on its best model
    /// until it is as deep as `deep`, all sub-networks at once, and hardly trains meanwhile.
    ///
    /// # Errors
    /// Where the data files do not name something.
    pub(super) fn deepen(
        &self,
        row: &Row,
        from: (&Depth, &str),
        deep: &Depth,
        initializer: &str,
        seed: u64,
    ) -> Result<Config> {
        let (shallow, cell) = from;
        let mut config = self.scratch(row, shallow, seed)?;
        config.growth = Growth {
            policy: "periodic".into(),
            interval: Some(1),
            // Longer than deepening takes: the depth allowed ends it.
            patience: Some(10 * deep.sub_modules()),
            threshold: Some(THRESHOLD),
            initializer: Some(initializer.into()),
            mode: Some("all"),
            max_depth: Some(deep.clone()),
        };
        config.training.learning_rate = STANDSTILL;
        config.training.schedule = Some("constant".into());
        config.training.init_from = Some(model_of(cell));
        config.fine_tune.epochs = 0;
        Ok(config)
    }

    /// The last step of Network Morphism: the deepened net is trained in the standard way.
    ///
    /// # Errors
    /// Where the data files do not name something.
    pub(super) fn deepened(
        &self,
        row: &Row,
        deep: &Depth,
        cell: &str,
        seed: u64,
    ) -> Result<Config> {
        let mut config = self.scratch(row, deep, seed)?;
        config.training.init_from = Some(model_of(cell));
        Ok(config)
    }

    /// What differs from the paper's setting, in words.
    ///
    /// # Errors
    /// Where the data files do not name something.
    pub(super) fn differences(&self, row: &Row) -> Result<Vec<String>> {
        use super::paper::Method;
        let (set, of_paper, recipe) =
            (self.set(row)?, self.paper.set(&row.data)?, self.recipe(row)?);
        let mut words = Vec::new();
        if set.name != of_paper.name {
            words.push(format!("{} images in place of {}", set.title, of_paper.title));
        }
        let images = self.scale.images(set);
        if images < 1.0 {
            words.push(format!("{} % of the training images", 100.0 * images));
        }
        let mut changed = |what: &str, ours: u32, theirs: u32| {
            if ours != theirs {
                words.push(format!("{what} {ours}, not {theirs}"));
            }
        };
        changed("width", self.width(row), PAPER.widths[usize::from(row.sub_networks() == 4)]);
        let epochs = |of_paper| self.scale.epochs(of_paper);
        if let Method::Grow(grow) = &row.method {
            changed("K =", epochs(grow.interval), grow.interval);
            if grow.policy == "periodic" {
                changed("J =", epochs(recipe.patience), recipe.patience);
            }
        }
        changed("N =", epochs(recipe.epochs), recipe.epochs);
        if row.compat == "code" {
            words.push("initial values as the released code draws them".into());
        }
        if self.rule().select_on == "val" {
            words.push("held-out images guide growth and choose the best epoch".into());
        }
        if let Method::Morph(morph) = &row.method {
            let steps = morph.deep.steps_from(&morph.shallow);
            words.push(format!(
                "an epoch at step size {STANDSTILL:e} before and after each stacking{}",
                match steps {
                    1 => String::new(),
                    _ => format!(", {steps} stackings of one sub-module on each sub-network"),
                }
            ));
        }
        Ok(words)
    }
}

fn model_of(cell: &str) -> String {
    format!("{cell}/model.safetensors")
}

#[cfg(test)]
mod tests;
