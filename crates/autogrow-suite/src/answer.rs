//! What a command answers: a document for programs, text for people, an exit code.

use serde::Serialize;
use serde_json::Value;

/// Of every document.
const SCHEMA: u64 = 1;

/// The answer of a command that did what it was asked for.
#[derive(Debug)]
pub struct Answer {
    /// For `--json`.
    pub document: Value,
    /// The same for people.
    pub text: String,
    /// 1 where a run or a figure failed, 130 or 143 where a signal ended it, else 0.
    pub exit_code: u8,
}

impl Answer {
    pub(crate) fn new(document: &impl Serialize, text: String) -> Self {
        // Fails for no type of this crate: keys are strings.
        let mut document = serde_json::to_value(document).unwrap_or_default();
        if let Value::Object(fields) = &mut document {
            fields.insert("schema".into(), SCHEMA.into());
        }
        Self { document, text, exit_code: 0 }
    }

    pub(crate) fn ended_with(self, exit_code: u8) -> Self {
        Self { exit_code, ..self }
    }
}
