//! Pictures that cannot be read: all of them in one error, or in one warning.

use autogrow_core::Error;

/// Pictures that are named one by one at most.
const NAMED: usize = 20;

/// What is wrong with pictures, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Bad(Vec<Error>);

impl Bad {
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as one error, where there is one: the first with its reason, and the others' names.
    pub(crate) fn error(self) -> Option<Error> {
        let count = self.0.len();
        let mut all = self.0.into_iter();
        let first = all.next()?;
        let Error::Data { path, problem, hint } = first else { return Some(first) };
        let names: Vec<_> = all.take(NAMED - 1).map(|error| name(&error)).collect();
        let problem = match count {
            1 => problem,
            2..=NAMED => format!("{problem}; nor can {}", names.join(", ")),
            _ => format!("{problem}; nor can {} more, such as {}", count - 1, names.join(", ")),
        };
        let hint = match (count, hint) {
            // What is wrong is no broken file.
            (1, Some(hint)) if !hint.contains("replace the file") => hint,
            _ => "replace the files or take them out of the folder; or leave them out with \
                  `--set data.on_bad_image=skip`"
                .into(),
        };
        Some(Error::data(path, problem).with_hint(hint))
    }

    /// What is left out, of so many pictures.
    pub(crate) fn left_out(&self, of: usize) -> String {
        let count = self.0.len();
        // Some decoders end their words with a line's end.
        let told = self.0.iter().take(NAMED).map(|error| error.to_string().trim_end().to_string());
        let first = told.collect::<Vec<_>>().join("; ");
        let more = if count > NAMED { "; ..." } else { "" };
        format!("left out {count} of {of} pictures, which cannot be read: {first}{more}")
    }
}

/// The file that an error is about.
fn name(error: &Error) -> String {
    match error {
        Error::Data { path, .. } => path.display().to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_named_in_one_error() {
        let mut bad = Bad::default();
        assert!(bad.is_empty());
        for index in 0..3 {
            bad.push(Error::data(format!("{index}.png"), "is empty").with_hint("replace the file"));
        }
        assert!(bad.left_out(9).starts_with("left out 3 of 9 pictures"));
        let error = bad.error().unwrap();
        assert_eq!(error.to_string(), "0.png: is empty; nor can 1.png, 2.png");
        assert!(error.hint().unwrap().contains("data.on_bad_image=skip"));
        assert!(Bad::default().error().is_none());
    }
}
