//! Writing SVG: numbers without noise, text that is escaped, and how wide it will be.

use std::fmt::Write;

/// Inter where it is installed (and in PNG, where it is built in), else what the reader's machine
/// has.
pub(crate) const FONT: &str =
    "Inter, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

pub(crate) const INK: &str = "#1a1d21";
pub(crate) const MUTED: &str = "#5c636b";
pub(crate) const GRID: &str = "#e4e7ea";
pub(crate) const AXIS: &str = "#9aa1a9";

/// Where text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A document that grows.
#[derive(Debug, Default)]
pub(crate) struct Svg(String);

impl Svg {
    /// Opens a document of this size that says `title` to who cannot see it. `extra` are further
    /// attributes.
    pub(crate) fn open(width: f64, height: f64, title: &str, extra: &str) -> Self {
        let (width, height) = (number(width), number(height));
        let label = escape(title);
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{label}\" \
             font-family=\"{FONT}\" font-size=\"12\"{extra}>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        ))
    }

    /// The finished document.
    pub(crate) fn close(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    /// What was written so far, to be put into another document.
    pub(crate) fn fragment(self) -> String {
        self.0
    }

    /// Appends an element as it is.
    pub(crate) fn raw(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2], class: &str, style: &str) {
        let [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(number);
        self.raw(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\" {style}/>"
        ));
    }

    pub(crate) fn rect(&mut self, at: [f64; 2], size: [f64; 2], class: &str, style: &str) {
        let [x, y, width, height] = [at[0], at[1], size[0], size[1]].map(number);
        self.raw(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" class=\"{class}\" \
             {style}/>"
        ));
    }

    /// Text in one of the three inks, by class: `ink`, `muted`, `title`.
    pub(crate) fn text(&mut self, at: [f64; 2], anchor: Anchor, class: &str, text: &str) {
        let style = match class {
            "title" => format!("fill=\"{INK}\" font-weight=\"600\""),
            "ink" => format!("fill=\"{INK}\""),
            "small" => format!("fill=\"{MUTED}\" font-size=\"10.5\""),
            _ => format!("fill=\"{MUTED}\""),
        };
        let [x, y] = at.map(number);
        let (anchor, text) = (anchor.name(), escape(text));
        self.raw(&format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\" {style}>{text}</text>"
        ));
    }
}

/// A length with at most two decimals, none where they are zero.
pub(crate) fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let mut text = format!("{value:.2}");
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    if text == "-0" { "0".into() } else { text }
}

/// Text for between tags and in attributes. Control characters, which XML forbids, are dropped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// About how wide text is at 12 pixels; the real font is the reader's.
pub(crate) fn width(text: &str) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 3.6,
        'f' | 'r' | 't' | 'I' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 4.9,
        'm' | 'w' | 'M' | 'W' | '%' => 10.6,
        'A'..='Z' => 8.6,
        c if (c as u32) > 0x2e80 => 12.0,
        _ => 7.3,
    };
    text.chars().map(of).sum()
}

/// `text`, shortened to `most` pixels with an ellipsis.
pub(crate) fn fit(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.into();
    }
    let mut fitted = String::new();
    for c in text.chars() {
        if width(&fitted) + width("…") + 7.0 > most {
            break;
        }
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

/// Path data of a line through `points`, a new one after each gap.
pub(crate) fn path(pieces: &[Vec<[f64; 2]>]) -> String {
    let mut data = String::new();
    for piece in pieces {
        for (index, point) in piece.iter().enumerate() {
            let [x, y] = point.map(number);
            // Writing to a string cannot fail.
            let _ = write!(data, "{}{x} {y}", if index == 0 { "M" } else { "L" });
        }
        if let [[x, y]] = piece[..] {
            // A point on its own: a dot, with round caps.
            let _ = write!(data, "L{} {}", number(x), number(y));
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_noise() {
        let shown = [0.0, -0.001, 3.0, 3.25, 2.999, f64::NAN, f64::INFINITY].map(number);
        assert_eq!(shown, ["0", "0", "3", "3.25", "3", "0", "0"]);
    }

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("<a href=\"'\">&\u{0}\u{ffff}"), "&lt;a href=&quot;&#39;&quot;&gt;&amp;");
    }
}
