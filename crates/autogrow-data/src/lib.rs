//! Data sets for AutoGrow: readers of the published files, augmentation, and the pipeline that
//! turns images into batches.
//!
//! Linking this crate registers its sets with `autogrow-core`: `use autogrow_data as _;`. A plugin
//! that brings a set of its own gets the same pipeline: it fills [`Images`] (or implements
//! [`Source`] where images do not fit into memory) and calls [`Parts::open`].

mod archives;
mod augment;
mod bad;
mod baseline;
mod by_content;
mod cifar;
mod class_folders;
mod content;
mod csv;
mod digits;
mod entries;
mod error;
mod folder;
mod imagenet;
mod images;
mod layout;
mod listing;
mod locate;
mod loose;
mod marks;
mod mnist;
mod parts;
mod picture_set;
mod pictures;
mod planes;
mod prefetch;
mod random;
mod subset;
mod survey;
mod svhn;
mod synthetic;
mod transform;
mod waiting;

pub use baseline::baselines;
pub use content::Content;
pub use csv::{Table, open_table};
pub use images::{Images, Source, SourceTargets};
pub use loose::{Picture, Pictures, is_class_folder, pictures_in};
pub use parts::Parts;
pub use random::Draws;
pub use survey::{Survey, survey};
pub use transform::Transform;
pub use waiting::{Passed, Waiting, with_listener};

#[cfg(test)]
mod testing;
