//! Writes `report.html` and `tensorboard/` into run folders, or one page that compares them:
//!
//! ```console
//! $ cargo run -p autogrow-report --example page -- runs/a runs/b
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks for itself")]

use autogrow_base::Result;
use autogrow_report::{Report, Run, tensorboard};
use autogrow_run::storage;
use std::path::PathBuf;

fn main() -> Result<()> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    for folder in &folders {
        let run = Run::read(folder)?;
        println!("{}", Report::new().write(&run)?.display());
        println!("{}", tensorboard::write(&run)?.display());
    }
    if folders.len() > 1 {
        let page = PathBuf::from("comparison.html");
        storage::publish_derived(&page, Report::new().compare(&folders)?.as_bytes())?;
        println!("{}", page.display());
    }
    Ok(())
}
