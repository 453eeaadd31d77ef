//! The command `autogrow`.

fn main() -> std::process::ExitCode {
    autogrow_cli::main()
}
