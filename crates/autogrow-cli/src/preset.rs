//! The quick preset: a depth and a network in about two minutes on two cores.

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};

/// Settings sized for `digits`.
const QUICK: &str = r#"
[growth]
interval = 2
patience = 8

[training]
batch_size = 64

[fine_tune]
epochs = 16
"#;

/// The preset as a layer of the configuration.
pub(crate) struct Quick;

impl Provider for Quick {
    fn metadata(&self) -> Metadata {
        Metadata::named("--quick")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Toml::string(QUICK).data()
    }
}
