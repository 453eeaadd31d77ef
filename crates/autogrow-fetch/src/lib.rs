//! Data sets from where they are published: which there are ([`Catalogue`]), whether they are here
//! ([`states`]), and how they come here ([`get`]).
//!
//! Nothing that this crate puts under its final name is partial or wrong. A download goes into a
//! `.part` file, is gone on with after a cut, and is compared with the published length and
//! checksums before it gets its name; an archive is unpacked beside its folder, with everything
//! refused that could leave it ([`Refusal`]).
//!
//! ```no_run
//! use autogrow_fetch::{Catalogue, Options, get};
//!
//! # fn main() -> Result<(), autogrow_fetch::FetchError> {
//! let catalogue = Catalogue::built_in()?;
//! for outcome in get(&catalogue, &["mnist", "svhn"], &Options::default(), &mut ())? {
//!     assert!(outcome.folder.is_dir());
//! }
//! # Ok(())
//! # }
//! ```

mod catalogue;
mod digest;
mod download;
mod error;
mod get;
mod http;
mod mismatch;
mod part;
mod places;
mod refusal;
mod state;
mod unpack;
mod watch;

pub use catalogue::{Catalogue, File, Set, Unpacks};
pub use error::{Failure, FetchError};
pub use get::{How, Options, Outcome, get};
pub use http::{Patience, Problem};
pub use mismatch::Mismatch;
pub use places::Places;
pub use refusal::Refusal;
pub use state::{Presence, State, states};
pub use watch::{Event, Watch};
