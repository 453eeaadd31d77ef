//! What a page calls the scores of a run: by what the network learns (`training.objective`) and by
//! the images that guide it (`data.select_on`).

use autogrow_run::config::SelectOn;

/// The words for a run's scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    objective: Objective,
    guide: Option<SelectOn>,
}

/// What a network learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Objective {
    /// One class an image.
    Classes,
    /// Numbers.
    Values,
    /// Several labels an image.
    Labels,
    /// A plugin's objective, or several runs of different ones.
    Other,
}

impl Words {
    /// For a run with this `training.objective`; without one it learns classes.
    pub(crate) fn of(objective: Option<&str>, guide: SelectOn) -> Self {
        let objective = match objective {
            None | Some("classes") => Objective::Classes,
            Some("values") => Objective::Values,
            Some("labels") => Objective::Labels,
            Some(_) => Objective::Other,
        };
        Self { objective, guide: Some(guide) }
    }

    /// Those that fit all of several runs.
    pub(crate) fn common(mut runs: impl Iterator<Item = Self>) -> Self {
        let first = runs.next().unwrap_or_else(|| Self::of(None, SelectOn::default()));
        runs.fold(first, |common, own| {
            let is_same = common.objective == own.objective;
            let objective = if is_same { own.objective } else { Objective::Other };
            Self { objective, guide: common.guide.filter(|guide| Some(*guide) == own.guide) }
        })
    }

    /// The score in percent, the same at the beginning of a line and in names for programs, and what
    /// the network answers with.
    fn all(self) -> [&'static str; 4] {
        match self.objective {
            Objective::Classes => ["accuracy", "Accuracy", "accuracy", "classes"],
            Objective::Values => {
                ["variance explained (R²)", "Variance explained (R²)", "r2", "values"]
            }
            Objective::Labels => ["label accuracy", "Label accuracy", "label_accuracy", "labels"],
            Objective::Other => ["score", "Score", "score", "outputs"],
        }
    }

    /// The score in percent: `accuracy`.
    pub fn score(self) -> &'static str {
        self.all()[0]
    }

    /// The same at the beginning of a line.
    pub fn score_capitalised(self) -> &'static str {
        self.all()[1]
    }

    /// The same in names for programs.
    pub(crate) fn score_tag(self) -> &'static str {
        self.all()[2]
    }

    /// What the network answers with: `classes`.
    pub fn outputs(self) -> &'static str {
        self.all()[3]
    }

    /// The images whose score guides growth and selects the model: `validation` or `test`.
    /// `guiding` of several runs that differ in this.
    pub fn guide(self) -> &'static str {
        match self.guide {
            Some(SelectOn::Val) => "validation",
            Some(SelectOn::Test) => "test",
            None => "guiding",
        }
    }

    /// Whether the test images guide the run, so that the score on them is optimistic.
    pub fn is_guided_by_test(self) -> bool {
        self.guide == Some(SelectOn::Test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_differ_share_the_general_word() {
        let words = |objective, guide| Words::of(Some(objective), guide);
        let (val, test) = (SelectOn::Val, SelectOn::Test);
        let common = |runs: &[Words]| Words::common(runs.iter().copied());
        let own = common(&[words("values", test), words("values", test)]);
        assert_eq!((own.guide(), own.score()), ("test", "variance explained (R²)"));
        let guides = common(&[words("labels", val), words("labels", test), words("labels", val)]);
        assert_eq!((guides.guide(), guides.score()), ("guiding", "label accuracy"));
        let objectives = common(&[words("values", val), Words::of(None, val)]);
        assert_eq!((objectives.guide(), objectives.score()), ("validation", "score"));
        assert_eq!(words("plugin's own", val).outputs(), "outputs");
    }
}
