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

/// The two methods of a class: `__init__` and `forward`.
pub(super) type Methods = (Template, Template);

/// Several classes of one text, as one class with arguments.
pub(super) struct Class {
    /// Names of the arguments of `__init__`.
    pub(super) arguments: Vec<String>,
    /// Those of them that `forward` needs, as attributes.
    pub(super) attributes: Vec<String>,
    /// What `__init__` does.
    pub(super) init: String,
    /// What `forward` does.
    pub(super) forward: String,
    /// The values of the arguments for each of the classes.
    pub(super) values: Vec<Vec<usize>>,
}

/// The class of classes that are alike. `known` are columns of numbers, one for each of them, that
/// have a name.
pub(super) fn class(alike: &[&Methods], known: &[(&str, Vec<usize>)]) -> Class {
    let mut columns: Vec<(String, Vec<usize>)> = Vec::new();
    let inits: Vec<_> = alike.iter().map(|(init, _)| init).collect();
    let forwards: Vec<_> = alike.iter().map(|(_, forward)| forward).collect();
    let init = merge(&inits, known, &mut columns);
    let forward = merge(&forwards, known, &mut columns);
    let mut attributes: Vec<String> = Vec::new();
    let of_self = |text: Text| match text {
        Text::Number(number) => number,
        Text::Argument(name) => {
            if !attributes.contains(&name) {
                attributes.push(name.clone());
            }
            format!("self.{name}")
        }
    };
    let forward: Vec<_> = forward.into_iter().map(of_self).collect();
    let bare = |text: Text| match text {
        Text::Number(text) | Text::Argument(text) => text,
    };
    let init: Vec<_> = init.into_iter().map(bare).collect();
    let fill = |templates: &[&Template], texts: &[String]| {
        templates.first().map(|template| template.fill(texts)).unwrap_or_default()
    };
    let row = |row: usize| columns.iter().map(|(_, column)| column[row]).collect();
    Class {
        attributes,
        init: fill(&inits, &init),
        forward: fill(&forwards, &forward),
        values: (0..alike.len()).map(row).collect(),
        arguments: columns.into_iter().map(|(name, _)| name).collect(),
    }
}

/// What comes into a hole.
enum Text {
    Number(String),
    Argument(String),
}

/// What comes into the holes of templates that are alike; numbers in which they differ are added
/// to `columns`.
fn merge(
    templates: &[&Template],
    known: &[(&str, Vec<usize>)],
    columns: &mut Vec<(String, Vec<usize>)>,
) -> Vec<Text> {
    let holes = templates.first().map_or(&[][..], |template| &template.holes);
    let text = |(hole, (label, number)): (usize, &(&str, usize))| {
        let column: Vec<_> = templates.iter().map(|template| template.holes[hole].1).collect();
        if column.iter().all(|other| other == number) {
            return Text::Number(number.to_string());
        }
        if let Some((name, _)) = columns.iter().find(|(_, other)| *other == column) {
            return Text::Argument(name.clone());
        }
        let given = known.iter().find(|(_, other)| *other == column);
        let wanted = given.map_or(*label, |(name, _)| *name);
        let taken = |name: &str| columns.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{wanted}{number}"));
        let mut names = std::iter::once(wanted.to_string()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        columns.push((name.clone(), column));
        Text::Argument(name)
    };
    holes.iter().enumerate().map(text).collect()
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
        let pad = |out| Template::text("pad(x, ").number("padding", out).and(", 1)");
        let methods = |channels_in, out| (conv(channels_in, out, 2), pad(out / 4));
        let (one, two) = (methods(16, 32), methods(32, 64));
        let class = class(&[&one, &two], &[("channels_in", vec![16, 32])]);
        assert_eq!(class.init, "Conv(channels_in, channels, 3, 2); Norm(channels)");
        assert_eq!(class.forward, "pad(x, self.padding, 1)");
        assert_eq!(class.arguments, ["channels_in", "channels", "padding"]);
        assert_eq!(class.attributes, ["padding"]);
        assert_eq!(class.values, [[16, 32, 8], [32, 64, 16]]);
        assert_eq!(one.0.filled(), "Conv(16, 32, 3, 2); Norm(32)");
    }
}
