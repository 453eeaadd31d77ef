//! `evaluation.json`: what the best model does on images it was not trained on, class by class.
//!
//! ```json
//! {
//!   "network": "basic3resnet", "found": "3-2-2", "data": "cifar10",
//!   "split": "test", "images": 10000, "top1": 93.1, "top5": 99.8, "loss": 0.21,
//!   "classes": [{"class": "t-shirt"}, {"class": "trouser"}],
//!   "confusion": [[980, 20], [15, 985]],
//!   "calibration": [{"confidence": 0.95, "accuracy": 0.93, "images": 1200}],
//!   "worst": [{"image": "data:image/png;base64,...", "truth": 0, "predicted": 1,
//!              "probability": 0.99, "index": 17}]
//! }
//! ```
//!
//! `network` and `found` are the model, `data` the data set or the folder that the images are of.
//! `top1` and `top5` are percent. `confusion[t][p]` counts images of class `t` that were taken for
//! class `p`; of very many classes there is none. A bin of `calibration` holds the mean of the
//! greatest probability and the part that was right, both from 0 to 1. `worst` lists the most
//! confident mistakes, the worst first, with the probability the model gave its answer and the
//! image's place in the split; of rows of a table there is no picture.

use super::Depth;
use super::number::{self, float, maybe};
use serde::{Deserialize, Deserializer};

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
    #[serde(deserialize_with = "float")]
    pub top1: f64,
    /// Percent whose class is among the five most probable.
    #[serde(default, deserialize_with = "maybe")]
    pub top5: Option<f64>,
    /// Mean cross entropy.
    #[serde(default, deserialize_with = "maybe")]
    pub loss: Option<f64>,
    /// Names of the classes.
    #[serde(deserialize_with = "names")]
    pub classes: Vec<String>,
    /// `[truth][predicted]`: number of images; empty where there are very many classes.
    #[serde(default, deserialize_with = "or_empty")]
    pub confusion: Vec<Vec<u64>>,
    /// How far probabilities are to be believed.
    #[serde(default)]
    pub calibration: Vec<Bin>,
    /// The most confident mistakes, the worst first.
    #[serde(default)]
    pub worst: Vec<Mistake>,
}

/// The images whose greatest probability falls between two bounds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Bin {
    /// Mean of the greatest probability, 0 to 1.
    #[serde(deserialize_with = "float")]
    pub confidence: f64,
    /// The part that was right, 0 to 1.
    #[serde(deserialize_with = "float")]
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
    #[serde(deserialize_with = "float")]
    pub probability: f64,
    /// Its place in the split.
    pub index: u64,
}

impl Evaluation {
    /// Reads the file's text; none where there are more classes than a page has room for.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut read: Self = number::read(text).map_err(|error| format!("is damaged ({error})"))?;
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

    /// The same, if it is of the model with the depth `found`, as far as it says of which it is.
    ///
    /// # Errors
    /// That it is not, in words.
    pub(super) fn of_depth(self, found: Option<&Depth>) -> Result<Self, String> {
        match (&self.found, found) {
            (Some(own), Some(found)) if *own != found.to_string() => {
                Err(format!("is of another model ({own})"))
            }
            _ => Ok(self),
        }
    }

    /// Expected calibration error, percentage points: how far confidence is from accuracy on
    /// average.
    pub fn calibration_error(&self) -> Option<f64> {
        let images: f64 = self.calibration.iter().map(|bin| bin.images as f64).sum();
        let off = |bin: &Bin| (bin.confidence - bin.accuracy).abs() * bin.images as f64;
        let sum: f64 = self.calibration.iter().map(off).sum();
        (images > 0.0 && sum.is_finite()).then(|| 100.0 * sum / images)
    }
}

fn names<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Named {
        class: String,
    }
    let classes = Vec::<Named>::deserialize(input)?;
    Ok(classes.into_iter().map(|named| named.class).collect())
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
            r#"{{"split":"test","images":4,"top1":75.0,"classes":[{{"class":"a"}},{{"class":"b"}}],"confusion":{confusion},
               "calibration":[{{"confidence":0.9,"accuracy":0.7,"images":3}},
                              {{"confidence":0.5,"accuracy":0.6,"images":1}}],
               "worst":[{{"image":"{image}","truth":0,"predicted":1,"probability":0.9,"index":3}}]}}"#
        )
    }

    fn parse(text: &str) -> Evaluation {
        Evaluation::parse(text).unwrap().unwrap()
    }

    #[test]
    fn a_good_file() {
        let read = parse(&with("[[2,1],[0,1]]", "data:image/png;base64,AA+/="));
        assert_eq!((read.worst.len(), read.confusion[0][1]), (1, 1));
        // (3 x 0.2 + 1 x 0.1) / 4
        assert!((read.calibration_error().unwrap() - 17.5).abs() < 1e-9);
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
            assert!(Evaluation::parse(&with(confusion, "x")).is_err(), "{confusion}");
        }
    }

    #[test]
    fn more_classes_than_a_page_has_room_for_are_no_damage() {
        let of = |count: usize| {
            let classes = vec![r#"{"class":"a"}"#; count].join(",");
            let text = format!(r#"{{"split":"test","images":1,"top1":1.0,"classes":[{classes}]}}"#);
            Evaluation::parse(&text)
        };
        assert_eq!(of(MAX_CLASSES).unwrap().unwrap().classes.len(), MAX_CLASSES);
        assert_eq!(of(MAX_CLASSES + 1), Ok(None));
        assert!(of(0).is_err());
    }

    #[test]
    fn an_evaluation_belongs_to_the_model_that_it_names() {
        let read = |found: Option<&str>| {
            let found = found.map(String::from);
            Evaluation { found, ..parse(&with("null", "x")) }
        };
        let depth: Depth = "3-2-2".parse().unwrap();
        for own in [None, Some("3-2-2")] {
            assert!(read(own).of_depth(Some(&depth)).is_ok(), "{own:?}");
        }
        assert!(read(Some("1-1-1")).of_depth(None).is_ok());
        let told = read(Some("1-1-1")).of_depth(Some(&depth));
        assert_eq!(told, Err("is of another model (1-1-1)".into()));
    }

    #[test]
    fn counts_that_overflow_together_are_borne() {
        let whole = with("null", "x").replace("\"images\":3", &format!("\"images\":{}", u64::MAX));
        assert!((parse(&whole).calibration_error().unwrap() - 20.0).abs() < 1e-9);
    }
}
