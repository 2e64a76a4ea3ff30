//! `cargo sandbox`: plays the main job of Slipway end to end on an in-memory AWS.

mod serve;
mod show;
mod simulate;

use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Parser, Subcommand};
use emulator::Aws;
use harness::demo::{CHAPTERS, Chapter, DEMOS, Demo, Release, deployed, play};
use harness::driver::Fault;
use serde::Serialize;
use slipway_cli::Judge;

use crate::serve::Serve;
use crate::show::Show;
use crate::simulate::Simulate;

/// Plays Slipway's main job on an in-memory AWS: deploys three applications and their pipelines
/// from the project's own templates, pushes images, and lets the real functions release them.
///
/// Needs no network and no account. The same seed gives the same output to the byte.
#[derive(Debug, Parser)]
#[command(name = "cargo sandbox", bin_name = "cargo sandbox", version)]
#[command(after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Play the releases of one kind of pipeline; in-place and blue/green ones unless given.
    #[arg(long, value_name = "NAME", value_parser = names())]
    pipeline: Option<String>,
    /// Explain what --pipeline plays, and play nothing.
    #[arg(long, conflicts_with = "pipeline")]
    list: bool,
    /// Print one JSON object with the releases instead of the lines of the demo.
    #[arg(long)]
    json: bool,
    /// What chance is drawn from: latencies, health delays, and the unconfirmed rules of AWS.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the in-memory AWS on loopback, for the AWS CLI, boto3 and other clients.
    Serve(Serve),
    Simulate(Simulate),
    /// Judges recorded canaries, or metric pairs by a canary config of Kayenta, from standard
    /// input; writes reports and replays them.
    Judge(Judge),
}

/// The names that --pipeline takes.
fn names() -> PossibleValuesParser {
    let values = DEMOS.iter().map(|demo| PossibleValue::new(demo.name));
    PossibleValuesParser::new(values)
}

const EXIT_CODES: &str =
    "Exit codes: 0 every release ended as expected; 1 one did not; 2 wrong arguments.";

/// What `--json` prints.
#[derive(Serialize)]
struct JsonOutput<'a> {
    seed: u64,
    releases: &'a [Release],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Serve(arguments)) => return exit_code(serve::serve(arguments)),
        Some(Command::Simulate(arguments)) => return exit_code(simulate::simulate(arguments)),
        Some(Command::Judge(arguments)) => return exit_code(slipway_cli::judge(arguments)),
        None => {}
    }

    if arguments.list {
        list();
        return ExitCode::SUCCESS;
    }

    let show = if arguments.json {
        Show::silent()
    } else {
        Show::for_terminal()
    };
    let mut releases = Vec::new();
    let ended = match arguments.pipeline.as_deref().and_then(Demo::named) {
        Some(demo) => one(demo, arguments.seed, show, &mut releases),
        None => all(arguments.seed, show, &mut releases),
    };

    if arguments.json {
        let output = JsonOutput {
            seed: arguments.seed,
            releases: &releases,
            error: ended.as_ref().err().map(String::as_str),
        };
        show::print(
            &serde_json::to_string_pretty(&output).expect("texts and numbers always serialize"),
        );
    }
    exit_code(ended)
}

fn exit_code(ended: Result<(), String>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what each name of --pipeline plays.
fn list() {
    let widest = DEMOS.iter().map(|demo| demo.name.len()).max();
    let widest = widest.unwrap_or_default();
    for Demo { name, about, .. } in &DEMOS {
        show::print(&format!("{name:<widest$}  {about}"));
    }
}

/// Plays the demo without a name: releases in place and of the shop.
fn all(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml and infra/pipelines/ into an empty account",
    );
    let mut aws = deployed(seed)?;
    for chapter in &CHAPTERS {
        aws = tell(aws, chapter, &mut show, releases)?;
    }

    show.finish(releases);
    Ok(())
}

/// Plays the demo of one name.
fn one(demo: &Demo, seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(&format!("deploying template.yaml and {}", demo.deploys));
    let mut aws = demo.open(seed)?;
    for scene in demo.scenes() {
        aws = tell(scene.prepared(aws)?, &scene.chapter, &mut show, releases)?;
    }

    if let Some(refused) = demo.refused {
        show.note(&format!("\n{}", refused(&aws)?));
    }
    show.finish(releases);
    Ok(())
}

/// Plays a chapter and shows it; returns the account at its end.
fn tell(
    aws: Aws,
    chapter: &Chapter,
    show: &mut Show,
    releases: &mut Vec<Release>,
) -> Result<Aws, String> {
    show.begin(chapter, &aws);
    let played = play(aws, chapter, Fault::None, &mut |aws| show.look(aws))?;
    show.end(&played.release);
    releases.push(played.release);
    Ok(played.aws)
}
