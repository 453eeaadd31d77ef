//! The command as the tests run it: `autogrow` with a plugin linked, as a user's own binary.

use autogrow_tests as _;

fn main() -> std::process::ExitCode {
    autogrow_cli::main()
}
