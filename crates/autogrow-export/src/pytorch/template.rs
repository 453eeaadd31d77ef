//! [`Template`]: Python text with holes for numbers. Sub-modules whose templates agree are one
//! class; numbers in which they differ become its arguments.

/// What marks a hole in the text.
const HOLE: char = '\u{0}';

/// Text with holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template {
    text: String,
    /// What each hole is for, and its number.
    holes: Vec<(&'static str, usize)>,
}

impl Template {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), holes: vec![] }
    }

    pub(super) fn and(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// A hole; `label` is the argument's name should the number become one.
    pub(super) fn number(mut self, label: &'static str, number: usize) -> Self {
        self.text.push(HOLE);
        self.holes.push((label, number));
        self
    }

    /// A height and a width: one number where they agree.
    pub(super) fn pair(self, label: &'static str, [height, width]: [usize; 2]) -> Self {
        if height == width {
            return self.number(label, height);
        }
        self.and("(").number(label, height).and(", ").number(label, width).and(")")
    }

    /// Numbers with commas between them.
    pub(super) fn list(mut self, label: &'static str, numbers: &[usize]) -> Self {
        for (index, &number) in numbers.iter().enumerate() {
            self = self.and(if index > 0 { ", " } else { "" }).number(label, number);
        }
        self
    }

    pub(super) fn append(mut self, other: &Self) -> Self {
        self.text.push_str(&other.text);
        self.holes.extend(&other.holes);
        self
    }

    /// About how long the text is.
    pub(super) fn length(&self) -> usize {
        self.text.chars().count()
    }

    /// Whether an operator stands outside of all brackets.
    pub(super) fn is_sum(&self) -> bool {
        let mut depth = 0;
        self.text.chars().any(|c| {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                _ => {}
            }
            depth == 0 && c == ' '
        })
    }

    /// Whether the text is the same, whatever the numbers.
    pub(super) fn alike(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// The text with its numbers in place.
    pub(super) fn filled(&self) -> String {
        let numbers = self.holes.iter().map(|(_, number)| number.to_string()).collect::<Vec<_>>();
        self.fill(&numbers)
    }

    fn fill(&self, texts: &[String]) -> String {
        let mut parts = self.text.split(HOLE);
        let first = parts.next().unwrap_or_default().to_string();
        parts.zip(texts).fold(first, |filled, (part, text)| filled + text + part)
    }
}

/// Several templates of one text, as one text with arguments.
pub(super) struct Class {
    /// Names of the arguments.
    pub(super) arguments: Vec<String>,
    /// The text.
    pub(super) text: String,
    /// The values of the arguments for each template.
    pub(super) values: Vec<Vec<usize>>,
}

/// The class of templates that are alike. `known` are columns of numbers, one for each template,
/// that have a name.
pub(super) fn class(templates: &[&Template], known: &[(&str, Vec<usize>)]) -> Class {
    let mut columns: Vec<(String, Vec<usize>)> = Vec::new();
    let holes = templates.first().map_or(&[][..], |template| &template.holes);
    let mut texts = Vec::new();
    for (hole, (label, number)) in holes.iter().enumerate() {
        let column: Vec<_> = templates.iter().map(|template| template.holes[hole].1).collect();
        if column.iter().all(|other| other == number) {
            texts.push(number.to_string());
        } else if let Some((name, _)) = columns.iter().find(|(_, other)| *other == column) {
            texts.push(name.clone());
        } else {
            let given = known.iter().find(|(_, other)| *other == column);
            let wanted = given.map_or(*label, |(name, _)| *name);
            let taken = |name: &str| columns.iter().any(|(other, _)| other == name);
            let numbered = (2..).map(|number| format!("{wanted}{number}"));
            let mut names = std::iter::once(wanted.to_string()).chain(numbered);
            let name = names.find(|name| !taken(name)).unwrap_or_default();
            texts.push(name.clone());
            columns.push((name, column));
        }
    }
    let text = templates.first().map(|template| template.fill(&texts)).unwrap_or_default();
    let rows = 0..templates.len();
    let values = rows.map(|row| columns.iter().map(|(_, column)| column[row]).collect()).collect();
    Class { arguments: columns.into_iter().map(|(name, _)| name).collect(), text, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_becomes_an_argument() {
        let conv = |channels_in, out, stride| {
            Template::text("Conv(")
                .list("channels", &[channels_in, out])
                .and(", 3, ")
                .number("stride", stride)
                .and("); Norm(")
                .number("channels", out)
                .and(")")
        };
        let (one, two) = (conv(16, 32, 2), conv(32, 64, 2));
        let class = class(&[&one, &two], &[("channels_in", vec![16, 32])]);
        assert_eq!(class.text, "Conv(channels_in, channels, 3, 2); Norm(channels)");
        assert_eq!(class.arguments, ["channels_in", "channels"]);
        assert_eq!(class.values, [[16, 32], [32, 64]]);
        assert_eq!(one.filled(), "Conv(16, 32, 3, 2); Norm(32)");
    }
}
