//! [`Answers`]: what is right for each image in memory.

use super::PLACE;
use super::pixels::mean_and_deviation;
use autogrow_core::data::{Outputs, Targets, ValueOutput};
use autogrow_core::{Error, Result};

/// What is right for each image.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers {
    /// The class of each, from 0, and the names of the classes.
    Classes(Vec<u16>, Vec<String>),
    /// Numbers `[images, width]`, row-major, and the names of the columns.
    Values(Vec<f64>, Vec<String>),
}

impl Answers {
    pub(super) fn classes(labels: impl IntoIterator<Item = usize>) -> Result<Self> {
        let labels = labels.into_iter().map(class).collect::<Result<Vec<_>>>()?;
        let classes = labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
        Ok(Self::Classes(labels, (0..classes).map(|class| class.to_string()).collect()))
    }

    pub(super) fn values(width: usize, values: Vec<f64>) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let problem = format!("{} values are not {width} an image", values.len());
            return Err(Error::data(PLACE, problem).with_hint("give as many values for each image"));
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let problem = format!("a value of image {} is {}", place / width, values[place]);
            return Err(Error::data(PLACE, problem).with_hint("leave such images out"));
        }
        let names = match width {
            1 => vec!["y".to_string()],
            _ => (0..width).map(|column| format!("y{column}")).collect(),
        };
        Ok(Self::Values(values, names))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Classes(labels, _) => labels.len(),
            Self::Values(values, names) => values.len() / names.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn names(&mut self) -> &mut Vec<String> {
        match self {
            Self::Classes(_, names) | Self::Values(_, names) => names,
        }
    }

    pub(super) fn name(&mut self, names: Vec<String>) -> Result<()> {
        let own = self.names().len();
        let fits = match self {
            // There may be classes without an image.
            Self::Classes(..) => names.len() >= own,
            Self::Values(..) => names.len() == own,
        };
        if !fits {
            let kind = if matches!(self, Self::Classes(..)) { "classes" } else { "values" };
            let problem = format!("{} names for {own} {kind}", names.len());
            return Err(Error::data(PLACE, problem).with_hint("give every one a name"));
        }
        *self.names() = names;
        Ok(())
    }

    /// Whether a network of these can be tested on the others.
    pub(super) fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Classes(_, own), Self::Classes(_, other)) => other.len() <= own.len(),
            (Self::Values(_, own), Self::Values(_, other)) => own.len() == other.len(),
            _ => false,
        }
    }

    /// Those of the images at these places.
    pub(super) fn take(&self, images: &[usize]) -> Self {
        match self {
            Self::Classes(labels, names) => {
                Self::Classes(images.iter().map(|&image| labels[image]).collect(), names.clone())
            }
            Self::Values(values, names) => {
                let width = names.len();
                let row = |&image: &usize| &values[image * width..][..width];
                Self::Values(images.iter().flat_map(row).copied().collect(), names.clone())
            }
        }
    }

    /// Divides images in random order: so many that are held out, spread evenly over the classes, and
    /// the rest, in which every class has an image.
    pub(super) fn spread(
        &self,
        mut order: Vec<usize>,
        held_out: usize,
    ) -> (Vec<usize>, Vec<usize>) {
        let Self::Classes(labels, names) = self else {
            let rest = order.split_off(held_out.min(order.len()));
            return (order, rest);
        };
        order.sort_by_key(|&image| labels[image]);
        let (count, mut trained) = (order.len(), vec![0_usize; names.len()]);
        labels.iter().for_each(|&label| trained[usize::from(label)] += 1);
        let (mut validation, mut rest) = (Vec::new(), Vec::new());
        for (place, image) in order.into_iter().enumerate() {
            let class = usize::from(labels[image]);
            // How many are to be held out of the first places rises evenly.
            let wanted = ((place + 1) * held_out + count / 2) / count.max(1);
            if wanted > validation.len() && trained[class] > 1 {
                trained[class] -= 1;
                validation.push(image);
            } else {
                rest.push(image);
            }
        }
        (validation, rest)
    }

    /// What the columns are called that a table would have for them.
    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            Self::Classes(..) => vec!["class".into()],
            Self::Values(_, names) => names.clone(),
        }
    }

    /// What a network is asked for that is trained on these images.
    pub(super) fn outputs(&self) -> Result<Outputs> {
        Ok(match self {
            Self::Classes(_, names) => Outputs::Classes(names.clone()),
            Self::Values(values, names) => {
                let value = |(column, name): (usize, &String)| {
                    let of_column = || values.iter().skip(column).step_by(names.len()).copied();
                    let (mean, deviation) = mean_and_deviation(of_column);
                    let name = name.clone();
                    if mean.is_finite() && deviation.is_finite() {
                        return Ok(ValueOutput { name, mean, deviation });
                    }
                    let problem = format!("values of {name} are too large for a mean");
                    Err(Error::data(PLACE, problem).with_hint("give them in another unit"))
                };
                Outputs::Values(names.iter().enumerate().map(value).collect::<Result<_>>()?)
            }
        })
    }

    /// As what a network of these outputs is trained on.
    pub(super) fn targets(&self, outputs: &Outputs) -> Targets {
        match (self, outputs) {
            (Self::Values(values, names), Outputs::Values(of)) => {
                let rows = values.chunks_exact(names.len());
                let scaled = rows.flat_map(|row| {
                    row.iter().zip(of).map(|(value, of)| ((value - of.mean) / of.deviation) as f32)
                });
                Targets::Numbers { width: names.len(), values: scaled.collect() }
            }
            (Self::Values(values, names), _) => {
                let values = values.iter().map(|&value| value as f32).collect();
                Targets::Numbers { width: names.len(), values }
            }
            (Self::Classes(labels, _), _) => {
                Targets::Classes(labels.iter().copied().map(usize::from).collect())
            }
        }
    }
}

fn class(label: usize) -> Result<u16> {
    u16::try_from(label).map_err(|_| {
        Error::data(PLACE, format!("a label is {label}"))
            .with_hint("labels are classes: whole numbers from 0 to 65535")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_out_is_spread_over_the_classes() {
        let labels: Vec<usize> = (0..40).map(|image| usize::from(image >= 30)).collect();
        let answers = Answers::classes(labels.clone()).unwrap();
        let (validation, rest) = answers.spread((0..40).rev().collect(), 8);
        let of_class = |class| validation.iter().filter(|&&image| labels[image] == class).count();
        assert_eq!((of_class(0), of_class(1), rest.len()), (6, 2, 32));
        // Of a class with one image nothing is held out.
        let rare = Answers::classes([0, 1, 2, 2]).unwrap();
        let (validation, rest) = rare.spread(vec![3, 2, 1, 0], 2);
        assert_eq!((validation, rest), (vec![3], vec![0, 1, 2]));
    }

    #[test]
    fn values_are_standardised_over_the_training_images() {
        let answers = Answers::values(2, vec![1.0, 5.0, 3.0, 5.0]).unwrap();
        let outputs = answers.outputs().unwrap();
        let Targets::Numbers { width, values } = answers.targets(&outputs) else { panic!() };
        assert_eq!((width, values), (2, vec![-1.0, 0.0, 1.0, 0.0]));
        let later = Answers::values(2, vec![4.0, 6.0]).unwrap();
        assert_eq!(later.targets(&outputs), Targets::Numbers { width: 2, values: vec![2.0, 1.0] });
        let error = Answers::values(1, vec![0.0, f64::NAN]).unwrap_err();
        assert!(error.to_string().contains("image 1 is NaN"), "{error}");
        assert!(Answers::values(2, vec![0.0]).is_err());
    }
}
