//! `docs/commands.md`, generated from the definitions of the commands.

use crate::pages::assert_generated;
use clap::{Arg, Command};
use std::fmt::Write;

/// What the options of a configuration stand under in every help.
const CONFIGURATION: &str = "Configuration";

#[test]
fn the_page_says_what_can_be_typed() {
    let command = autogrow_cli::command();
    let mut page = String::new();
    let globals = command.get_arguments().filter(|argument| argument.is_global_set());
    let _ = writeln!(page, "## Options of every command\n\n{}", table(globals));
    let train = command.find_subcommand("train").unwrap();
    let settings = train.get_arguments().filter(|argument| is_setting(argument));
    let _ = writeln!(page, "## Options of a configuration\n\n{}", table(settings));
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        describe(command, &mut page);
    }
    assert_generated("docs/commands.md", "commands", &page);
}

fn describe(command: &Command, page: &mut String) {
    let mut parts = command.get_subcommands().filter(|part| part.get_name() != "help").peekable();
    if parts.peek().is_some() {
        parts.for_each(|part| describe(part, page));
        return;
    }
    let name = command.get_bin_name().unwrap();
    let about = command.get_about().unwrap();
    let mut usage = String::from(name);
    for argument in command.get_positionals() {
        let _ = write!(usage, " {argument}");
    }
    let _ = writeln!(page, "## `{usage}`\n\n{about}.\n");
    let own = |argument: &&Arg| {
        !argument.is_global_set() && !is_setting(argument) && argument.get_id() != "help"
    };
    if command.get_arguments().any(|argument| own(&argument)) {
        let _ = writeln!(page, "{}", table(command.get_arguments().filter(own)));
    }
    if command.get_arguments().any(is_setting) {
        page.push_str("Takes the [options of a configuration](#options-of-a-configuration).\n\n");
    }
}

fn is_setting(argument: &Arg) -> bool {
    argument.get_help_heading() == Some(CONFIGURATION)
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut table = String::from("| | |\n|---|---|\n");
    for argument in arguments {
        let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let _ = writeln!(table, "| {short}`{argument}` | {} |", meaning(argument));
    }
    table
}

/// Its help, its values, its default.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).unwrap().to_string();
    let mut meaning = help.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    // Angle brackets would be tags.
    meaning = meaning.replace('<', "&lt;").replace('>', "&gt;");
    let values = argument.get_possible_values();
    if !values.is_empty() && argument.get_action().takes_values() {
        let values: Vec<_> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(meaning, " ({})", values.join(", "));
    }
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        let _ = write!(meaning, " [default: {}]", defaults.join(", "));
    }
    meaning
}
