//! `slipway`: reads the arguments, runs one command, prints its answer, and ends with its code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use slipway_cli::{Answer, Exit, Failed, Look, Slipway, lines};

fn main() -> ExitCode {
    let arguments = match Slipway::try_parse() {
        Ok(arguments) => arguments,
        Err(shown) => {
            // A reader that has gone is not a reason for another code.
            let _ = shown.print();
            let exit = if shown.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };

    let answer = run(&arguments);
    match &answer {
        Ok(answer) => print(answer, arguments.global.json),
        Err(failed) => complain(&format!("error: {failed}")),
    }
    answer
        .map_or_else(|failed| failed.exit(), |answer| answer.exit)
        .into()
}

fn run(arguments: &Slipway) -> Result<Answer, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::Unknown(format!("failed to start: {error}")))?;
    runtime.block_on(slipway_cli::run(arguments))
}

fn print(answer: &Answer, as_json: bool) {
    for warning in &answer.warnings {
        complain(&format!("warning: {warning}"));
    }
    // The judge has printed its lines.
    if answer.json.is_null() && answer.blocks.is_empty() {
        return;
    }
    let text = if as_json {
        answer.json_text()
    } else {
        answer.text(Look::of_stdout())
    };
    // As above.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    // As above.
    let _ = std::io::stderr().write_all(lines(text).as_bytes());
}
