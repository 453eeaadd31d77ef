//! The line of an epoch on the screen: as many of its columns as the terminal is wide for.

use crate::output::{DIM, RESET};

/// What an epoch came to, in words.
pub(crate) struct EpochLine<'a> {
    pub(crate) epoch: usize,
    pub(crate) depth: &'a str,
    pub(crate) loss: f64,
    /// Scores on the training and on the validation images.
    pub(crate) train: String,
    pub(crate) val: String,
    /// Time that it took.
    pub(crate) time: String,
    /// What is behind all others, may be nothing.
    pub(crate) note: &'a str,
}

impl EpochLine<'_> {
    /// All columns, or in a terminal of `width` columns those that fit: which epoch it was and what the
    /// validation images say are always there.
    pub(crate) fn text(&self, width: Option<usize>) -> String {
        let Self { epoch, depth, loss, train, val, time, note } = self;
        let begin = format!("epoch {epoch:>3}  {depth:<10}");
        let loss = format!("  loss {loss:<7.4}");
        let (train, val) = (format!(" train {train:>8}"), format!("  val {val:>8}"));
        // Each with how much it is needed.
        let columns = [(begin, 4), (loss, 1), (train, 3), (val, 4), (format!("  {time:>8}"), 2)];
        let length = |least: usize| {
            let shown = columns.iter().filter(|(_, need)| *need >= least);
            shown.map(|(text, _)| text.chars().count()).sum::<usize>()
        };
        let width = width.unwrap_or(usize::MAX);
        let least = (1..4).find(|&least| length(least) <= width).unwrap_or(4);
        let shown = columns.iter().filter(|(_, need)| *need >= least);
        let mut line: String = shown.map(|(text, _)| &**text).collect();
        if !note.is_empty() && length(1) + 2 + note.chars().count() <= width {
            line += &format!("  {DIM}{note}{RESET}");
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_no_wider_than_the_terminal() {
        let line = |depth: &str, note: &str, width: Option<usize>| {
            let [train, val] = ["47.22 %", "84.40 %"].map(String::from);
            let (time, loss) = ("0.2 s".into(), 1.9196);
            EpochLine { epoch: 1, depth, loss, train, val, time, note }.text(width)
        };
        let whole = "epoch   1  1-1-1       loss 1.9196  train  47.22 %  val  84.40 %     0.2 s";
        assert_eq!(line("1-1-1", "", None), whole);
        let noted = format!("{whole}  {DIM}grows soon{RESET}");
        assert_eq!(line("1-1-1", "grows soon", None), noted);
        assert_eq!(line("1-1-1", "grows soon", Some(80)), whole);
        for (width, expected) in [
            (60, "epoch   1  1-1-1      train  47.22 %  val  84.40 %     0.2 s"),
            (59, "epoch   1  1-1-1      train  47.22 %  val  84.40 %"),
            (40, "epoch   1  1-1-1       val  84.40 %"),
            (20, "epoch   1  1-1-1       val  84.40 %"),
        ] {
            assert_eq!(line("1-1-1", "", Some(width)), expected, "{width}");
        }
        for width in 37..100 {
            let shown = line("12-12-11-10", "grows soon", Some(width));
            let length = shown.replace(DIM, "").replace(RESET, "").chars().count();
            assert!(length <= width, "{length} in {width}: {shown}");
        }
    }
}
