//! `autogrow` with this crate's plugins in it.

use autogrow_gated as _; // Linked, or nothing would be registered.

fn main() -> std::process::ExitCode {
    autogrow_cli::main()
}
