//! `evaluation.json` of a network that tells classes apart: what the best model does on images it
//! was not trained on, class by class.
//!
//! ```json
//! {
//!   "network": "basic3resnet", "found": "3-2-2", "data": "cifar10",
//!   "split": "test", "images": 10000, "top1": 93.1, "top5": 99.8, "loss": 0.21, "ece": 0.02,
//!   "classes": [{"class": "t-shirt", "accuracy": 98.0}, {"class": "trouser", "accuracy": 98.5}],
//!   "confusion": [[980, 20], [15, 985]],
//!   "calibration": [{"confidence": 0.95, "accuracy": 0.93, "images": 1200}],
//!   "worst": [{"image": "data:image/png;base64,...", "truth": 0, "predicted": 1,
//!              "probability": 0.99, "index": 17, "name": "cifar/7.png"}],
//!   "baselines": {"constant": 10.0, "class": "t-shirt", "tested": 10000,
//!                 "linear": {"score": 39.5, "trained": 2184, "features": 3072}}
//! }
//! ```
//!
//! `network` and `found` are the model, `data` the data set or the folder that the images are of.
//! `top1`, `top5` and the accuracies of the classes are percent, `ece` (the expected calibration
//! error) is from 0 to 1. `confusion[t][p]` counts images of class `t` that were taken for
//! class `p`; of very many classes there is none. A bin of `calibration` holds the mean of the
//! greatest probability and the part that was right, both from 0 to 1. `worst` lists the most
//! confident mistakes, the worst first, with the probability the model gave its answer and the
//! image's place in the split and its file; of rows of a table there is no picture. `baselines` are
//! scores of models without a network on the test images, in percent.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Most of each kind that is read: enough for ImageNet, little enough for a page.
const MAX_CLASSES: usize = 2000;
const MAX_WORST: usize = 100;
const MAX_IMAGE: usize = 200_000;
const PNG: &str = "data:image/png;base64,";

/// What a model does on a split.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Evaluation {
    /// The kind of network.
    #[serde(default)]
    pub network: Option<String>,
    /// Its depth.
    #[serde(default)]
    pub found: Option<String>,
    /// The data set, or the folder, that the images are of.
    #[serde(default)]
    pub data: Option<String>,
    /// `test`, `val`, `train`, or `all` of a folder.
    pub split: String,
    /// How many images it has.
    pub images: u64,
    /// Percent whose class has the greatest probability.
    pub top1: f64,
    /// Percent whose class is among the five most probable.
    #[serde(default)]
    pub top5: Option<f64>,
    /// Mean cross entropy.
    #[serde(default)]
    pub loss: Option<f64>,
    /// Expected calibration error: how far confidence is from accuracy on average, 0 to 1.
    #[serde(default)]
    pub ece: Option<f64>,
    /// The classes.
    pub classes: Vec<Class>,
    /// `[truth][predicted]`: number of images; empty where there are very many classes.
    #[serde(default, deserialize_with = "or_empty")]
    pub confusion: Vec<Vec<u64>>,
    /// How far probabilities are to be believed.
    #[serde(default)]
    pub calibration: Vec<Bin>,
    /// The most confident mistakes, the worst first.
    #[serde(default)]
    pub worst: Vec<Mistake>,
    /// Scores of simple models on the same images.
    #[serde(default)]
    pub baselines: Option<Baselines>,
}

/// What can be had without a network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Baselines {
    /// Percent that always the same answer, the biggest class, has right.
    pub constant: f64,
    /// Its name.
    #[serde(default)]
    pub class: Option<String>,
    /// Logistic regression.
    #[serde(default)]
    pub linear: Option<Linear>,
}

/// A linear model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Linear {
    /// Percent that it has right.
    pub score: f64,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Class {
    /// Its name.
    #[serde(rename = "class")]
    pub name: String,
    /// Percent of its images that were recognised; none where it has no images.
    #[serde(default)]
    pub accuracy: Option<f64>,
}

/// The images whose greatest probability falls between two bounds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Bin {
    /// Mean of the greatest probability, 0 to 1.
    pub confidence: f64,
    /// The part that was right, 0 to 1.
    pub accuracy: f64,
    /// How many images there are in it.
    pub images: u64,
}

/// An image that was taken for something else.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Mistake {
    /// A small PNG as a data URL, where it is a picture.
    #[serde(default)]
    pub image: Option<String>,
    /// What it shows.
    pub truth: usize,
    /// What it was taken for.
    pub predicted: usize,
    /// The probability given to that, 0 to 1.
    pub probability: f64,
    /// Its place in the split.
    pub index: u64,
    /// Its file, or its line in one.
    #[serde(default)]
    pub name: Option<String>,
}

impl Evaluation {
    /// Reads a document; none where there are more classes than a page has room for.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn of(document: Map<String, Value>) -> Result<Option<Self>, String> {
        let read = Self::deserialize(Value::Object(document));
        let mut read = read.map_err(|error| format!("is damaged ({error})"))?;
        let classes = read.classes.len();
        if classes == 0 {
            return Err("is damaged (it has no classes)".into());
        }
        if classes > MAX_CLASSES {
            return Ok(None);
        }
        let is_square = read.confusion.iter().all(|row| row.len() == classes);
        if !(read.confusion.is_empty() || read.confusion.len() == classes && is_square) {
            return Err(format!(
                "is damaged (`confusion` is not {classes} rows of {classes} counts)"
            ));
        }
        // An address of any other kind would make the page ask the network for it.
        let is_png = |image: &String| {
            image.len() <= MAX_IMAGE
                && image.strip_prefix(PNG).is_some_and(|data| data.bytes().all(is_base64))
        };
        read.worst.retain(|mistake| {
            mistake.truth < classes
                && mistake.predicted < classes
                && mistake.image.as_ref().is_none_or(is_png)
        });
        read.worst.truncate(MAX_WORST);
        Ok(Some(read))
    }
}

fn or_empty<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Vec<u64>>, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(confusion: &str, image: &str) -> String {
        format!(
            r#"{{"split":"test","images":4,"top1":75.0,"ece":0.175,"confusion":{confusion},
               "classes":[{{"class":"a","accuracy":null}},{{"class":"b","accuracy":100.0}}],
               "calibration":[{{"confidence":0.9,"accuracy":0.7,"images":3}},
                              {{"confidence":0.5,"accuracy":0.6,"images":1}}],
               "worst":[{{"image":"{image}","truth":0,"predicted":1,"probability":0.9,"index":3}}]}}"#
        )
    }

    fn of(text: &str) -> Result<Option<Evaluation>, String> {
        Evaluation::of(serde_json::from_str(text).unwrap())
    }

    fn parse(text: &str) -> Evaluation {
        of(text).unwrap().unwrap()
    }

    #[test]
    fn a_good_file() {
        let read = parse(&with("[[2,1],[0,1]]", "data:image/png;base64,AA+/="));
        assert_eq!((read.worst.len(), read.confusion[0][1]), (1, 1));
        assert_eq!((read.ece, read.classes[1].accuracy), (Some(0.175), Some(100.0)));
    }

    #[test]
    fn images_from_elsewhere_are_left_out() {
        for image in ["https://example.org/a.png", "data:image/png;base64,A' onload='x", "x"] {
            let read = parse(&with("[[2,1],[0,1]]", image));
            assert!(read.worst.is_empty(), "{image}");
        }
    }

    #[test]
    fn counts_that_do_not_fit() {
        for confusion in ["[[1,2]]", "[[1,2],[3]]", "[[1,2],[3,-4]]"] {
            assert!(of(&with(confusion, "x")).is_err(), "{confusion}");
        }
    }

    #[test]
    fn more_classes_than_a_page_has_room_for_are_no_damage() {
        let with = |count: usize| {
            let classes = vec![r#"{"class":"a"}"#; count].join(",");
            let text = format!(r#"{{"split":"test","images":1,"top1":1.0,"classes":[{classes}]}}"#);
            of(&text)
        };
        assert_eq!(with(MAX_CLASSES).unwrap().unwrap().classes.len(), MAX_CLASSES);
        assert_eq!(with(MAX_CLASSES + 1), Ok(None));
        assert!(with(0).is_err());
    }
}
