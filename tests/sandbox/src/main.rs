//! `cargo sandbox`: plays the main job of Slipway end to end on an in-memory AWS.

mod judge;
mod serve;
mod show;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sandbox::driver::Fault;
use sandbox::story::{CHAPTERS, Release, deployed, play};
use serde::Serialize;

use crate::judge::Judge;
use crate::serve::Serve;
use crate::show::Show;
use crate::simulate::Simulate;

/// A third of a simulated release is allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays Slipway's main job on an in-memory AWS: deploys two applications and their pipelines from the project's own
/// templates, pushes images, and lets the real functions release them.
///
/// Needs no network and no account. The same seed gives the same story to the byte.
#[derive(Debug, Parser)]
#[command(name = "cargo sandbox", bin_name = "cargo sandbox", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON object with the releases instead of the story.
    #[arg(long)]
    json: bool,
    /// What chance is drawn from: latencies, health delays, and the rules of AWS that nobody could confirm.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the in-memory AWS on loopback, for the AWS CLI, boto3 and other clients.
    Serve(Serve),
    Simulate(Simulate),
    /// Judges recorded canaries, or metric pairs by a canary config of Kayenta, from standard input; writes reports and replays them.
    Judge(Judge),
}

const EXIT_CODES: &str = "Exit codes: 0 every release ended as the story says; 1 one did not; 2 wrong arguments.";

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
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
        Some(Command::Judge(arguments)) => return exit_code(judge::judge(arguments)),
        None => {}
    }
    let show = if arguments.json { Show::silent() } else { Show::for_terminal() };
    let mut releases = Vec::new();
    let ended = story(arguments.seed, show, &mut releases);
    if arguments.json {
        let told = Told { seed: arguments.seed, releases: &releases, error: ended.as_ref().err().map(String::as_str) };
        show::print(&serde_json::to_string_pretty(&told).expect("texts and numbers always serialize"));
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

fn story(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note("deploying template.yaml, infra/service.yaml and infra/pipelines/ into an empty account");
    let mut aws = deployed(seed)?;
    for chapter in &CHAPTERS {
        show.begin(chapter, &aws);
        let played = play(aws, chapter, Fault::None, &mut |aws| show.look(aws))?;
        show.end(&played.release);
        releases.push(played.release);
        aws = played.aws;
    }
    show.finish(releases);
    Ok(())
}
