//! Data sets for AutoGrow: readers of the published files, augmentation, and the pipeline that
//! turns images into batches.
//!
//! Linking this crate registers its sets with `autogrow-core`: `use autogrow_data as _;`. A plugin
//! that brings a set of its own gets the same pipeline: it fills [`Images`] (or implements
//! [`Source`] where images do not fit into memory) and calls [`Parts::open`].

mod cifar;
mod class_folders;
mod csv;
mod decode;
mod digits;
mod folder;
mod idx;
mod images;
mod input;
mod locate;
mod matlab;
mod mnist;
mod parts;
mod prefetch;
mod random;
mod subset;
mod svhn;
mod synthetic;
mod transform;

pub use images::{Images, Source};
pub use parts::Parts;
pub use random::Draws;
pub use transform::{Statistics, Transform};

#[cfg(test)]
mod testing;
