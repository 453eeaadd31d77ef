//! A choice that was a switch before: `true` and `false` stay names of two of its values, in TOML and
//! in text such as that of `--set`.

use crate::config::Augment;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IntoDeserializer, Visitor};
use std::fmt;

/// Reads `data.augment`.
///
/// # Errors
/// Where it is neither a switch nor a name.
pub(crate) fn augment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Augment, D::Error> {
    deserializer.deserialize_any(SwitchOrName)
}

struct SwitchOrName;

impl Visitor<'_> for SwitchOrName {
    type Value = Augment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an augmentation")
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<Augment, E> {
        Ok(if is_on { Augment::Standard } else { Augment::None })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Augment, E> {
        match text.parse() {
            Ok(is_on) => self.visit_bool(is_on),
            Err(_) => Augment::deserialize(text.into_deserializer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DataConfig;

    #[test]
    fn switches_and_names_are_read_and_names_written() {
        for (text, augment) in [
            ("true", Augment::Standard),
            ("false", Augment::None),
            ("\"false\"", Augment::None),
            ("\"standard\"", Augment::Standard),
            ("\"trivial\"", Augment::Trivial),
            ("\"rand\"", Augment::Rand),
        ] {
            let data: DataConfig = toml::from_str(&format!("augment = {text}")).unwrap();
            assert_eq!(data.augment, augment, "{text}");
            assert!(toml::to_string(&data).unwrap().contains("augment = \""));
        }
        let error = toml::from_str::<DataConfig>("augment = \"perhaps\"").unwrap_err();
        assert!(error.to_string().contains("`trivial`"), "{error}");
        assert!(toml::from_str::<DataConfig>("augment = 1").is_err());
    }
}
