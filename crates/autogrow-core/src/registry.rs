//! What can be named in a configuration: everything that any linked crate registered.
//!
//! Built-ins come through the same door as plugins. `inventory` promises no order, so every
//! listing is sorted by name; two entries of one kind with the same name are an error that names
//! both crates. A crate registers only if the binary references it: `use my_plugin as _;`.

use crate::data::DataSetKind;
use crate::growth::PolicyKind;
use crate::initializer::InitializerKind;
use crate::network::{SeedNetwork, SubModuleKind, WeightFormat};
use crate::{Error, Result};

/// A kind of thing that is registered by name.
pub trait Entry: Sized + 'static {
    /// What a user calls it: "network", "policy".
    const KIND: &'static str;
    /// Name in the configuration.
    fn name(&self) -> &'static str;
    /// Crate that registers it.
    fn origin(&self) -> &'static str;
    /// One line of description.
    fn summary(&self) -> &'static str;
    /// Everything registered, in no particular order.
    fn registered() -> Vec<&'static Self>;
}

macro_rules! entry {
    ($($type:ty => $kind:literal),* $(,)?) => {$(
        impl Entry for $type {
            const KIND: &'static str = $kind;
            fn name(&self) -> &'static str { self.name }
            fn origin(&self) -> &'static str { self.origin }
            fn summary(&self) -> &'static str { self.summary }
            fn registered() -> Vec<&'static Self> {
                inventory::iter::<Self>.into_iter().collect()
            }
        }
    )*};
}

entry! {
    SeedNetwork => "network",
    SubModuleKind => "sub-module",
    InitializerKind => "initializer",
    PolicyKind => "policy",
    DataSetKind => "data set",
    WeightFormat => "weight format",
}

/// Registers what a plugin brings, in one statement:
///
/// ```text
/// autogrow_core::register! { SubModuleKind { .. }, SeedNetwork { .. } }
/// ```
#[macro_export]
macro_rules! register {
    ($($kind:ident { $($body:tt)* }),+ $(,)?) => {
        $($crate::inventory::submit! { $kind { $($body)* } })+
    };
}

/// Everything of one kind, sorted by name.
///
/// # Errors
/// [`Error::Duplicate`] where two crates claim one name.
pub fn all<E: Entry>() -> Result<Vec<&'static E>> {
    sorted(E::registered())
}

fn sorted<E: Entry>(mut entries: Vec<&E>) -> Result<Vec<&E>> {
    entries.sort_by_key(|entry| (entry.name(), entry.origin()));
    for pair in entries.windows(2) {
        if pair[0].name() == pair[1].name() {
            return Err(Error::Duplicate {
                kind: E::KIND,
                name: pair[0].name().into(),
                crates: [pair[0].origin().into(), pair[1].origin().into()],
            });
        }
    }
    Ok(entries)
}

/// The entry with this name.
///
/// # Errors
/// [`Error::Unknown`] with every valid name, [`Error::Duplicate`] as [`all`].
pub fn find<E: Entry>(name: &str) -> Result<&'static E> {
    let entries = all::<E>()?;
    entries.iter().copied().find(|entry| entry.name() == name).ok_or_else(|| Error::Unknown {
        kind: E::KIND.into(),
        name: name.into(),
        known: entries.iter().map(|entry| entry.name().into()).collect(),
        origin: None,
    })
}

/// Checks that no two crates claim one name, of any kind.
///
/// # Errors
/// [`Error::Duplicate`].
pub fn check() -> Result<()> {
    all::<SeedNetwork>()?;
    all::<SubModuleKind>()?;
    all::<InitializerKind>()?;
    all::<PolicyKind>()?;
    all::<DataSetKind>()?;
    all::<WeightFormat>()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::Periodic;

    #[test]
    fn duplicates_are_refused_by_name_and_crate() {
        let policy = |origin| PolicyKind {
            name: "mine",
            origin,
            summary: "",
            build: |_| Box::new(Periodic { patience: 1, threshold: 0.0 }),
        };
        let (one, two) = (policy("first-crate"), policy("second-crate"));
        let error = sorted(vec![&two, &one]).err().unwrap().to_string();
        assert_eq!(
            error,
            "two policy plugins are named `mine`: one from first-crate, one from second-crate"
        );
    }
}
