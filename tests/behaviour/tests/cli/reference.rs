//! docs/reference/cli.md, whose commands are those of the command line itself.

use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};
use harness::demo::root;
use slipway_cli::Slipway;

const PAGE: &str = "docs/reference/cli.md";

/// What is between these two is generated.
const START: &str = "<!-- commands -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_page_of_the_commands_is_what_they_show() {
    let path: PathBuf = root().join(PAGE);
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(START).expect("where the commands begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    let filled = format!("{before}{START}{}{END}{after}", commands());

    if std::env::var_os("SLIPWAY_WRITE_DOCS").is_some() {
        std::fs::write(&path, &filled).expect("the page is written");
        return;
    }
    assert!(
        filled == page,
        "{PAGE} is not what the commands show; run SLIPWAY_WRITE_DOCS=1 cargo test --package \
         behaviour --test cli"
    );
}

fn commands() -> String {
    let command = Slipway::command();
    let global: Vec<&Arg> = command.get_arguments().filter(|it| is_shown(it)).collect();
    let exit_codes = command.get_after_help().map(ToString::to_string);
    let exit_codes = exit_codes.expect("the exit codes");

    let mut text = format!("\n## Options of every command\n\n{}", table(&global));
    text += &format!("\n## Output and exit codes\n\n```\n{exit_codes}\n```\n");
    for command in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
    {
        text += &section(command);
    }
    text + "\n"
}

/// A command with its texts and its own arguments.
fn section(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|it| is_shown(it) && !it.is_global_set())
        .collect();

    let mut text = format!("\n## slipway {}\n\n{about}\n", command.get_name());
    for alias in command.get_visible_aliases() {
        text += &format!("\nThe same as `slipway {alias}`.\n");
    }
    if !own.is_empty() {
        text += "\n";
        text += &table(&own);
    }
    text
}

/// `--help` and `--version` are those of every program.
fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
}

fn table(arguments: &[&Arg]) -> String {
    let mut text = "| argument | meaning |\n| --- | --- |\n".to_owned();
    for argument in arguments {
        text += &format!(
            "| `{}` | {} |\n",
            cell(&name(argument)),
            cell(&meaning(argument))
        );
    }
    text
}

fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let id = argument.get_id().as_str().to_uppercase();
    let value = values.first().map_or(id, ToString::to_string);
    match argument.get_long() {
        Some(long) if argument.get_action().takes_values() => format!("--{long} <{value}>"),
        Some(long) => format!("--{long}"),
        None if argument.is_required_set() => value,
        None => format!("[{value}]"),
    }
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string);
    let mut parts: Vec<String> = help.into_iter().collect();

    if argument.get_action().takes_values() {
        for value in argument.get_possible_values() {
            let help = value.get_help().map(ToString::to_string);
            let help = help.map(|help| format!(": {help}")).unwrap_or_default();
            parts.push(format!("`{}`{help}", value.get_name()));
        }
        for value in argument.get_default_values() {
            parts.push(format!("without it: {}", value.to_string_lossy()));
        }
    }
    parts.join("; ")
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
