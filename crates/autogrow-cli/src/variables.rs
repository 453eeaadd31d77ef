//! Variables of the environment that begin like those of the configuration and are none.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Whether the name of a variable, `run_sede`, is likely to be one of `keys` that is not spelt right.
/// Others belong to other programs: services and modules that are called autogrow have variables, too.
pub(crate) fn is_misspelt<'a>(name: &str, keys: impl IntoIterator<Item = &'a String>) -> bool {
    keys.into_iter().any(|key| {
        let key = key.replace('.', "_");
        strsim::damerau_levenshtein(name, &key) <= 1 + key.len().min(name.len()) / 8
    })
}

/// Says once that a variable is passed over.
pub(crate) fn warn_of_variable(name: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // A thread that panicked with the lock has lost no more than a warning.
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.insert(name.into()) {
        tracing::warn!(
            "environment variable {name} is no key of the configuration; it is passed over"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::keys;
    use autogrow::config::Config;

    #[test]
    fn variables_of_others_are_told_from_misspelt_keys() {
        let known = keys(&Config::default()).unwrap();
        let is_misspelt = |name| is_misspelt(name, known.keys());
        for name in ["run_sede", "data_dri", "training_batchsize", "run_see", "growth_intervall"] {
            assert!(is_misspelt(name), "{name}");
        }
        for name in [
            "port",
            "service_host",
            "port_80_tcp_proto",
            "root",
            "version",
            "home",
            "prefix",
            "lib",
        ] {
            assert!(!is_misspelt(name), "{name}");
        }
    }
}
