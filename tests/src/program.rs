//! The program as tests of the command line start it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::process::{Command, Output};

/// The binary at this path: `env!("CARGO_BIN_EXE_autogrow-tests")`, which tests alone know.
#[derive(Clone, Copy, Debug)]
pub struct Program(pub &'static str);

impl Program {
    /// A call that hears nothing from this process's environment that is meant for `autogrow`.
    pub fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AUTOGROW_")) {
            command.env_remove(name);
        }
        command.args(arguments);
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn run(self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs what must succeed; returns the one JSON document that it prints.
    ///
    /// # Panics
    /// Where it fails or prints anything else.
    pub fn json(self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a JSON document")
    }

    /// Runs what must fail with this exit code, a message, with `--json` a document of
    /// the error as well, and nothing else; returns the message.
    ///
    /// # Panics
    /// Where it ends in any other way.
    pub fn fails(self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(message.starts_with("error: ") && !message.contains("panicked"), "{message}");
        assert!(!message.contains('\x1b'), "{message}");
        if arguments.contains(&"--json") {
            let said: Value = serde_json::from_slice(&output.stdout).expect("a JSON document");
            assert_eq!(said["error"]["code"], code, "{said}");
        } else {
            assert!(output.stdout.is_empty(), "{message}");
        }
        message
    }
}
