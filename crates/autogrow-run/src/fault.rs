//! Where tests make a storage operation fail, or the process die.
//!
//! With the feature `faults`, `FAULT_AT=kill:7` kills the process at the seventh operation,
//! `fail:7` makes it fail as on a full disk, `fail-from:7` it and all later ones, and
//! `FAULT_COUNT=FILE` writes down how many there were.

#[cfg(not(feature = "faults"))]
#[expect(clippy::unnecessary_wraps, reason = "as it is with the feature `faults`")]
pub(crate) fn point() -> std::io::Result<()> {
    Ok(())
}

#[cfg(feature = "faults")]
pub(crate) fn point() -> std::io::Result<()> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static OPERATIONS: AtomicUsize = AtomicUsize::new(0);
    let number = OPERATIONS.fetch_add(1, Ordering::SeqCst) + 1;
    if let Ok(file) = std::env::var("FAULT_COUNT") {
        std::fs::write(file, number.to_string())?;
    }
    let Ok(fault) = std::env::var("FAULT_AT") else { return Ok(()) };
    let Some((what, at)) = fault.split_once(':') else { return Ok(()) };
    let at: usize = at.parse().unwrap_or(usize::MAX);
    match what {
        // As abrupt as a kill: no destructor runs, nothing is flushed.
        "kill" if number == at => std::process::abort(),
        "fail" if number == at => Err(std::io::ErrorKind::StorageFull.into()),
        "fail-from" if number >= at => Err(std::io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

/// Whether operations are counted or made to fail: then as many of them as can be are done.
pub fn is_tested() -> bool {
    cfg!(feature = "faults")
        && ["FAULT_AT", "FAULT_COUNT"].iter().any(|name| std::env::var_os(name).is_some())
}
