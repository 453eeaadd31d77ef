//! What can be named in a configuration: everything that any linked crate registered.
//!
//! Built-ins come through the same door as plugins. `inventory` promises no order, so every
//! listing is sorted by name; two entries of one kind with the same name are an error that names
//! both crates. A crate registers only if the binary references it: `use my_plugin as _;`.
//!
//! A crate that defines a kind of thing to be registered declares it with [`kind!`](crate::kind);
//! a plugin registers with [`register!`](crate::register).

use crate::{Error, Result};

/// A kind of thing that is registered by name.
pub trait Entry: Sized + 'static {
    /// What a user calls it: "network", "policy".
    const KIND: &'static str;
    /// Key of the configuration that names one; empty where none does.
    const KEY: &'static str;
    /// Name in the configuration.
    fn name(&self) -> &'static str;
    /// Crate that registers it.
    fn origin(&self) -> &'static str;
    /// One line of description.
    fn summary(&self) -> &'static str;
    /// Everything registered, in no particular order.
    fn registered() -> Vec<&'static Self>;
}

/// A kind of entry that some linked crate has declared, for [`check`].
#[doc(hidden)]
pub struct Declared(pub fn() -> Result<()>);

inventory::collect!(Declared);

/// Declares a type with the fields `name`, `origin` and `summary` as something that is registered:
/// what a user calls it, and the key of the configuration that names one (empty for none).
#[macro_export]
macro_rules! kind {
    ($type:ty, $kind:literal, $key:literal) => {
        $crate::inventory::collect!($type);
        $crate::inventory::submit! {
            $crate::registry::Declared(|| $crate::registry::all::<$type>().map(drop))
        }
        impl $crate::registry::Entry for $type {
            const KIND: &'static str = $kind;
            const KEY: &'static str = $key;
            fn name(&self) -> &'static str {
                self.name
            }
            fn origin(&self) -> &'static str {
                self.origin
            }
            fn summary(&self) -> &'static str {
                self.summary
            }
            fn registered() -> Vec<&'static Self> {
                $crate::inventory::iter::<Self>.into_iter().collect()
            }
        }
    };
}

/// Registers what a plugin brings, in one statement:
///
/// ```text
/// autogrow_core::register! { SubModuleKind { .. }, SeedNetwork { .. } }
/// ```
#[macro_export]
macro_rules! register {
    ($($entry:expr),+ $(,)?) => {
        $($crate::inventory::submit! { $entry })+
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
    entries.iter().copied().find(|entry| entry.name() == name).ok_or_else(|| {
        Error::unknown(E::KIND, E::KEY, name, entries.iter().map(|entry| entry.name()))
    })
}

/// Checks that no two crates claim one name, of any kind that a linked crate has declared.
///
/// # Errors
/// [`Error::Duplicate`].
pub fn check() -> Result<()> {
    inventory::iter::<Declared>.into_iter().try_for_each(|declared| (declared.0)())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing {
        name: &'static str,
        origin: &'static str,
        summary: &'static str,
    }

    crate::kind!(Thing, "thing", "things.name");

    crate::register! { Thing { name: "one", origin: "this-crate", summary: "the only one" } }

    #[test]
    fn duplicates_are_refused_by_name_and_crate() {
        let thing = |origin| Thing { name: "mine", origin, summary: "" };
        let (one, two) = (thing("first-crate"), thing("second-crate"));
        let error = sorted(vec![&two, &one]).err().unwrap().to_string();
        assert_eq!(
            error,
            "two thing plugins are named `mine`: one from first-crate, one from second-crate"
        );
    }

    #[test]
    fn what_is_registered_is_found_by_name() {
        assert_eq!(find::<Thing>("one").unwrap().summary(), "the only one");
        let error = find::<Thing>("won").err().unwrap();
        assert_eq!(error.hint().unwrap(), "did you mean `one`?");
        assert!(check().is_ok());
    }
}
