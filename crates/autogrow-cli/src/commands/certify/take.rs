//! `autogrow certify --take`: the better network becomes the run's model.

use autogrow::Result;
use autogrow::growth::Depth;
use autogrow::run::publish;
use autogrow_run::{names, storage};
use std::path::{Path, PathBuf};

/// The files of a run that are about its model. The result comes last: as long as it is the old one, the
/// network is not taken.
const FILES: [&str; 5] =
    [names::MODEL, names::NETWORK, names::EVALUATION, names::CARD, names::RESULT];

/// Puts the model of `rival`, a run folder, into `run`, whose own of depth `found` is kept beside it.
///
/// # Errors
/// [`Error::Run`](autogrow::Error::Run) where a file cannot be read or written.
pub(super) fn take(run: &Path, found: &Depth, rival: &Path) -> Result<()> {
    for name in FILES {
        let (own, kept) = (run.join(name), run.join(kept(name, found)));
        // An attempt that was interrupted has kept it before.
        if own.exists() && !kept.exists() {
            publish(&kept, &storage::read(&own)?)?;
        }
    }
    for name in FILES {
        let path = rival.join(name);
        if path.exists() {
            publish(&run.join(name), &storage::read(&path)?)?;
        }
    }
    Ok(())
}

/// `model-2-2-1.safetensors`.
fn kept(name: &str, found: &Depth) -> PathBuf {
    let path = Path::new(name);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    format!("{stem}-{found}.{ending}").into()
}
