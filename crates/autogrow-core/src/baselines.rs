//! What can be had without a network: scores that a network has to beat.

use serde::{Deserialize, Serialize};

/// Scores of simple models on the test images, in percent, as the objective judges them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// Always the same answer: the biggest class, the mean of each value, the more frequent of each
    /// label, among the training images.
    pub constant: f64,
    /// Name of the biggest class, where that is the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// A linear model, where the data are not too many for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Linear>,
    /// Test images that they are judged on.
    pub tested: usize,
}

/// A linear model: logistic regression for classes and labels, least squares for values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Its score.
    pub score: f64,
    /// Training images that it was fitted on.
    pub trained: usize,
    /// Numbers of an image that it looks at: pixels, of large images the means of squares of them, or
    /// the features of a row.
    pub features: usize,
}
