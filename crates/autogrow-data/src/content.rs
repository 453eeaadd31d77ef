//! What a file is, as far as its beginning tells: a picture, a table, something else.

use autogrow_formats::Input;
use autogrow_formats::picture::is_picture;
use std::path::Path;

/// Bytes of a file that tell whether it is a table: its first line.
const BEGINNING: u64 = 1 << 16;
/// What the columns of tables are parted by.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A picture, whole or not.
    Picture,
    /// Text in columns.
    Table,
    /// Anything else, and what cannot be read.
    Other,
}

impl Content {
    /// Of a file, packed with gzip or not.
    pub fn of_file(path: &Path) -> Self {
        let beginning = Input::open(path).and_then(|mut input| input.up_to(BEGINNING));
        beginning.map_or(Self::Other, |beginning| Self::of_beginning(&beginning))
    }

    /// Of the bytes of a file.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let beginning = Input::embedded("a file", bytes).up_to(BEGINNING);
        beginning.map_or(Self::Other, |beginning| Self::of_beginning(&beginning))
    }

    fn of_beginning(beginning: &[u8]) -> Self {
        if is_picture(beginning) {
            return Self::Picture;
        }
        let line = beginning.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let is_text = |text: &str| !text.contains(|c: char| c.is_control() && !"\t\r".contains(c));
        // Not HTML, SVG or JSON.
        let is_markup = |text: &str| text.starts_with(['<', '{', '[']);
        match std::str::from_utf8(line) {
            Ok(line) if line.contains(SEPARATORS) && is_text(line) && !is_markup(line) => {
                Self::Table
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixture, gzip};

    #[test]
    fn pictures_and_tables_are_told_apart_by_content() {
        let picture = std::fs::read(fixture("folder/test/ant/h.png")).unwrap();
        assert_eq!(Content::of_bytes(&picture), Content::Picture);
        assert_eq!(Content::of_file(&fixture("folder/test/bee/i.jpeg")), Content::Picture);
        for table in ["a,b\n1,2\n", "größe;b\r\n1;2\r\n", "\u{feff}a\tb\n"] {
            assert_eq!(Content::of_bytes(table.as_bytes()), Content::Table, "{table}");
            assert_eq!(Content::of_bytes(&gzip(table.as_bytes())), Content::Table, "{table}");
        }
        for other in [&b""[..], b"text", b"<svg a,b>", b"\0,\x01", b"\x1f\x8b,", b"PK\x03\x04,\n"] {
            assert_eq!(Content::of_bytes(other), Content::Other, "{other:?}");
        }
        assert_eq!(Content::of_file(Path::new("/no/such/file")), Content::Other);
        assert_eq!(Content::of_file(&fixture("folder")), Content::Other);
    }
}
