//! `cargo sandbox`: plays the main job of Slipway end to end on an in-memory AWS.

mod judge;
mod serve;
mod show;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use emulator::Aws;
use harness::demo::{
    CHAPTERS, Chapter, Release, SHOP, canary, custom_actions, deployed, dns, freeze, play,
};
use harness::driver::Fault;
use serde::Serialize;

use crate::judge::Judge;
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
    /// Play only releases of this kind of pipeline; in-place and blue/green ones unless given.
    #[arg(long, value_enum)]
    pipeline: Option<Pipeline>,
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

/// What a release does to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Pipeline {
    /// The tasks of one service are replaced.
    InPlace,
    /// A second colour is filled and gets the traffic.
    BlueGreen,
    /// The same, judged by metrics at a small share of the traffic first: images that answer well,
    /// badly and not at all.
    Canary,
    /// The traffic goes to a second colour by two weighted records of Route 53.
    Dns,
    /// Releases are held back: by a window that begins in mid-shift, by one of 62 hours, and by a
    /// line that a failed one stops until an operator lets it go on.
    Freeze,
    /// A service and a pair whose pipelines are of custom actions with named properties.
    CustomActions,
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
        Some(Command::Judge(arguments)) => return exit_code(judge::judge(arguments)),
        None => {}
    }

    let show = if arguments.json {
        Show::silent()
    } else {
        Show::for_terminal()
    };
    let mut releases = Vec::new();
    let ended = match arguments.pipeline {
        Some(Pipeline::Canary) => canaries(arguments.seed, show, &mut releases),
        Some(Pipeline::Dns) => by_records(arguments.seed, show, &mut releases),
        Some(Pipeline::Freeze) => frozen(arguments.seed, show, &mut releases),
        Some(Pipeline::CustomActions) => by_worker(arguments.seed, show, &mut releases),
        kind => demo(arguments.seed, kind, show, &mut releases),
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

fn demo(
    seed: u64,
    kind: Option<Pipeline>,
    mut show: Show,
    releases: &mut Vec<Release>,
) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml and infra/pipelines/ into an empty account",
    );
    let mut aws = deployed(seed)?;
    let is_output = |chapter: &&Chapter| match kind {
        Some(Pipeline::InPlace) => chapter.application != SHOP,
        Some(Pipeline::BlueGreen) => chapter.application == SHOP,
        Some(Pipeline::Canary | Pipeline::Dns | Pipeline::Freeze | Pipeline::CustomActions)
        | None => true,
    };

    for chapter in CHAPTERS.iter().filter(is_output) {
        aws = tell(aws, chapter, &mut show, releases)?;
    }

    show.finish(releases);
    Ok(())
}

fn canaries(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml and infra/pipelines/canary.yaml; an hour of \
        requests passes",
    );
    let mut aws = canary::opened(seed, &[])?;
    for case in &canary::CASES {
        case.prepare(&mut aws)?;
        aws = tell(aws, &case.chapter(), &mut show, releases)?;
    }

    show.finish(releases);
    Ok(())
}

fn by_records(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml twice, two weighted records and \
        infra/pipelines/dns.yaml",
    );
    let mut aws = dns::opened(seed, &[], &[])?;
    for chapter in &dns::CHAPTERS {
        aws = tell(dns::all_follow(aws)?, chapter, &mut show, releases)?;
    }

    show.finish(releases);
    Ok(())
}

fn frozen(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml and infra/pipelines/blue-green.yaml; the \
        shop is released once",
    );
    let mut aws = freeze::opened(seed)?;
    for case in &freeze::CASES {
        case.prepare(&mut aws)?;
        aws = tell(aws, &case.chapter, &mut show, releases)?;
    }

    show.finish(releases);
    Ok(())
}

fn by_worker(seed: u64, mut show: Show, releases: &mut Vec<Release>) -> Result<(), String> {
    show.note(
        "deploying template.yaml, infra/service.yaml, infra/action-types.yaml and \
        infra/pipelines/custom-actions.yaml",
    );
    let mut aws = custom_actions::opened(seed)?;
    for chapter in &custom_actions::CHAPTERS {
        aws = tell(aws, chapter, &mut show, releases)?;
    }

    show.note(&format!(
        "\na misspelt property is refused: {}",
        custom_actions::misspelt(&aws)?
    ));
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
