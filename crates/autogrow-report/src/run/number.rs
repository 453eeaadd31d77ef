//! Numbers of JSON to the last bit. The parser at hand is fast and may be one bit off; the standard
//! library's is not, so numbers with a point or an exponent are handed to that as text.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};

/// Reads JSON whose floating-point fields are read by [`float`] and [`float_or_nan`].
pub(super) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(&quoted(json))
}

/// The same JSON with quotes around every number that is no integer.
fn quoted(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 8);
    let (mut in_text, mut escaped) = (false, false);
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        if !in_text && (c == '-' || c.is_ascii_digit()) {
            let belongs = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
            let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            let quote = if number.contains(['.', 'e', 'E']) { "\"" } else { "" };
            out.extend([quote, number, quote]);
            rest = after;
            continue;
        }
        in_text ^= c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(f64),
}

impl Written {
    fn value<E: Error>(self) -> Result<f64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(|_| E::custom("a number was expected")),
        }
    }
}

/// A number.
pub(super) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Written::deserialize(deserializer)?.value()
}

/// A number, or NaN for `null`: JSON has no word for it.
pub(super) fn float_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::<Written>::deserialize(deserializer)?.map_or(Ok(f64::NAN), Written::value)
}

/// A number, or none.
pub(super) fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Option::<Written>::deserialize(deserializer)?.map(Written::value).transpose()
}

/// What a number is where nothing is said.
pub(super) fn nan() -> f64 {
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Field {
        name: String,
        #[serde(deserialize_with = "float")]
        value: f64,
    }

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        // The first is one that the fast parser reads one bit off.
        for value in [99.166_666_666_666_67_f64, 0.1 + 0.2, 1e-310, 100.0 / 14.0, -2.5e17, 99.0] {
            let json = format!("{{\"name\": \"1.5 \\\" -2e3\", \"value\": {value}}}");
            let field: Field = read(&json).unwrap();
            assert_eq!(field.value.to_bits(), value.to_bits(), "{json}");
            assert_eq!(field.name, "1.5 \" -2e3");
        }
        assert!(read::<Field>("{\"name\": \"\", \"value\": 1.2.3}").is_err());
        assert!(read::<Field>("{\"name\": \"\", \"value\": \"x\"}").is_err());
    }
}
