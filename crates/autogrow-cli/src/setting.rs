//! One key as a layer of the configuration, and its value as text gives it.

use autogrow::{Error, Result};
use figment::value::{Dict, Map, Num, Value};
use figment::{Metadata, Profile, Provider};

/// One key with its value, and what has set it.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) origin: String,
}

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut value = self.value.clone();
        for part in self.key.rsplit('.') {
            value = Value::from(Dict::from([(part.to_string(), value)]));
        }
        Ok(Map::from([(Profile::Default, value.into_dict().unwrap_or_default())]))
    }
}

/// Turns text into a value of the type that the key's default has.
pub(crate) fn parse(key: &str, text: &str, default: Option<&Value>, origin: &str) -> Result<Value> {
    let wrong = |wanted: &str| {
        Err(Error::config(key, format!("= {text} is not {wanted}")).with_origin(origin))
    };
    Ok(match default {
        Some(Value::Bool(..)) => match text.parse::<bool>() {
            Ok(value) => Value::from(value),
            Err(_) => return wrong("true or false"),
        },
        Some(Value::Num(_, Num::F64(_) | Num::F32(_))) => match text.parse::<f64>() {
            Ok(value) => Value::from(value),
            Err(_) => return wrong("a number"),
        },
        Some(Value::Num(..)) => match text.parse::<u64>() {
            Ok(value) => Value::from(value),
            Err(_) => return wrong("a whole number"),
        },
        Some(Value::Array(..)) => {
            let items = text.trim_matches(['[', ']']).split(',').map(str::trim);
            let items = items.filter(|item| !item.is_empty()).map(str::parse::<f64>);
            match items.collect::<std::result::Result<Vec<_>, _>>() {
                Ok(items) => Value::from(items),
                Err(_) => return wrong("a list of numbers"),
            }
        }
        _ => Value::from(text.trim_matches('"')),
    })
}
