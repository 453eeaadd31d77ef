//! `autogrow suite` and `autogrow reproduce`.

use crate::output::Output;
use crate::settings::resolve;
use autogrow::Result;
use autogrow_suite::{Answer, Host, ReproduceArgs, SuiteArgs};

pub(crate) fn run(args: &SuiteArgs, output: &Output) -> Result<u8> {
    answer(output, |host| autogrow_suite::suite(args, host))
}

pub(crate) fn reproduce(args: &ReproduceArgs, output: &Output) -> Result<u8> {
    answer(output, |host| autogrow_suite::reproduce(args, host))
}

/// Prints what comes back. That a run failed is part of it, and tells in the exit code.
fn answer(output: &Output, ask: impl FnOnce(&Host<'_>) -> Result<Answer>) -> Result<u8> {
    let host = Host { resolve: &resolve, note: &|line| output.note(line) };
    let Answer { document, text, exit_code } = ask(&host)?;
    output.result(&document, || text)?;
    Ok(exit_code)
}
