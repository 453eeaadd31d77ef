//! Cells as numbers: decimal points and commas, thousands, and cells without a value.

/// What programs write where there is no value.
const MISSING: [&str; 13] =
    ["", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None"];

/// Which character stands before the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decimal {
    /// `1,234.5`.
    Point,
    /// `1.234,5`.
    Comma,
}

impl Decimal {
    /// That of a table, from its cells: a comma where some are numbers only so, and none only with
    /// a point. `1,234` and `1.234` can be read in both ways; where a table has no other, the comma
    /// of a table with another separator is a decimal one.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str> + Clone, separator: u8) -> Self {
        let (mut points, mut commas, mut either) = (false, false, false);
        if !cells.clone().any(|cell| cell.contains(',')) {
            return Self::Point;
        }
        for cell in cells.filter(|cell| cell.contains(['.', ','])) {
            match (number(cell, Self::Point), number(cell, Self::Comma)) {
                (Some(_), None) => points = true,
                (None, Some(_)) => commas = true,
                (Some(_), Some(_)) => either |= cell.contains(','),
                (None, None) => {}
            }
        }
        match points {
            false if commas || either && separator != b',' => Self::Comma,
            _ => Self::Point,
        }
    }

    /// Before the fraction, and between thousands.
    fn marks(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }
}

/// Whether a cell says that there is no value.
pub(super) fn is_missing(cell: &str) -> bool {
    MISSING.contains(&cell)
}

/// A cell as a finite number; none where it is something else.
pub(super) fn number(cell: &str, decimal: Decimal) -> Option<f64> {
    let (mark, thousands) = decimal.marks();
    // Not the words that stand for numbers that are not finite.
    if !cell.ends_with(|last: char| last.is_ascii_digit() || last == mark) {
        return None;
    }
    let finite = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    if decimal == Decimal::Point
        && let Some(value) = finite(cell)
    {
        return Some(value);
    }
    let (whole, fraction) = cell.split_once(mark).unwrap_or((cell, ""));
    if fraction.contains([thousands, mark]) {
        return None;
    }
    let whole = ungrouped(whole, thousands)?;
    finite(&format!("{whole}.{fraction}"))
        .or_else(|| finite(&whole).filter(|_| fraction.is_empty()))
}

/// The digits of a whole number without what stands between its thousands, if that stands there
/// alone: `-1 234 567`, `1,234`.
fn ungrouped(whole: &str, thousands: char) -> Option<String> {
    let is_mark = |c: char| c == thousands || matches!(c, ' ' | '\'' | '\u{a0}' | '\u{202f}');
    let Some(mark) = whole.chars().find(|&c| is_mark(c)) else { return Some(whole.into()) };
    let digits = whole.trim_start_matches(['-', '+']);
    let all_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = digits.split(mark);
    let first = groups.next()?;
    let is_first = (1..=3).contains(&first.len()) && !first.starts_with('0') && all_digits(first);
    let is_grouped = is_first && groups.all(|group| group.len() == 3 && all_digits(group));
    is_grouped.then(|| whole.replace(mark, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_commas_and_thousands() {
        use Decimal::{Comma, Point};
        for (cell, decimal, expected) in [
            ("12", Point, Some(12.0)),
            ("-1.5e3", Point, Some(-1500.0)),
            (".5", Point, Some(0.5)),
            ("1,234", Point, Some(1234.0)),
            ("-1,234,567.25", Point, Some(-1_234_567.25)),
            ("1 234", Point, Some(1234.0)),
            ("1'234.5", Point, Some(1234.5)),
            ("0,5", Point, None),
            ("1,23", Point, None),
            ("1,234,56", Point, None),
            ("12", Comma, Some(12.0)),
            ("0,5", Comma, Some(0.5)),
            (",5", Comma, Some(0.5)),
            ("5,", Comma, Some(5.0)),
            ("1,5e-3", Comma, Some(0.0015)),
            ("1e5", Comma, Some(100_000.0)),
            ("-1.234.567,5", Comma, Some(-1_234_567.5)),
            ("1.5", Comma, None),
            ("1,2,3", Comma, None),
            ("1.2.2020", Comma, None),
            ("", Point, None),
            (".", Point, None),
            ("-", Comma, None),
            ("inf", Point, None),
            ("nan", Comma, None),
            ("1e999", Point, None),
            ("30+", Point, None),
        ] {
            assert_eq!(number(cell, decimal), expected, "{cell} {decimal:?}");
        }
    }

    #[test]
    fn a_table_has_one_kind_of_decimals() {
        let of = |cells: &[&str], separator| Decimal::of(cells.iter().copied(), separator);
        assert_eq!(of(&["1,5", "x", "1.234"], b';'), Decimal::Comma);
        assert_eq!(of(&["1.5", "1,234"], b';'), Decimal::Point);
        assert_eq!(of(&["1,234", "2"], b';'), Decimal::Comma);
        assert_eq!(of(&["1,234", "2"], b','), Decimal::Point);
        assert_eq!(of(&["0,5"], b','), Decimal::Comma);
        assert_eq!(of(&["1.234"], b';'), Decimal::Point);
    }
}
