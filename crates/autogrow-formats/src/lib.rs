//! Published file formats, read without trusting them, and the geometry of pictures.
//!
//! Whatever bytes a file holds, a reader ends: with what the file says, or with an [`Error`] that
//! names the file and the place. Memory is taken for what a file can hold, never for what its
//! header promises. Nothing here knows of networks, so that the readers can be tested, and fuzzed,
//! on their own.

pub mod cifar;
mod error;
pub mod geometry;
pub mod idx;
mod input;
pub mod matlab;
pub mod picture;
pub mod tar;

pub use error::{Error, Result};
pub use input::Input;
pub use positioned_io::ReadAt;

#[cfg(test)]
mod testing;
