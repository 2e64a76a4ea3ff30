//! Releases of the web service that run a command once before they update it.

use slipway::release::Outcome;

use emulator::Aws;
use emulator::ecr::Behaviour;
use emulator::ecs::CommandEnd;

use super::stacks::{WEB, change};
use super::{Chapter, Image, Operator, deployed};

/// The command's words, as the pipeline's parameter has them and as the container gets them.
const PARAMETER: &str = "migrate,up";
const COMMAND: &str = "migrate up";

/// The chapters, in order, each with the exit code of its command.
pub const CHAPTERS: [(Chapter, i32); 3] = [
    (
        Chapter {
            title: "the first release, with its migration",
            application: WEB,
            tag: "1.0.0",
            image: Image::New(Behaviour::Healthy),
            operator: Operator::Watches,
            outcome: Outcome::Deployed,
            reason: "2 targets healthy",
        },
        0,
    ),
    (
        Chapter {
            title: "one whose migration fails: the service is left alone",
            application: WEB,
            tag: "1.1.0",
            image: Image::New(Behaviour::Healthy),
            operator: Operator::Watches,
            outcome: Outcome::Failed,
            reason: "exited with 1",
        },
        1,
    ),
    (
        Chapter {
            title: "the next one, whose migration ends well",
            application: WEB,
            tag: "1.2.0",
            image: Image::New(Behaviour::Healthy),
            operator: Operator::Watches,
            outcome: Outcome::Deployed,
            reason: "it ran web:2 before",
        },
        0,
    ),
];

/// The demo's account, in which the pipeline of web runs the command.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(seed: u64) -> Result<Aws, String> {
    let mut aws = deployed(seed)?;
    let changes = [
        ("MigrationCommand", PARAMETER),
        ("MigrationFamily", WEB),
        ("MigrationMinutes", "15"),
    ];
    change(&mut aws, "web-pipeline", &changes)?;
    Ok(aws)
}

/// From now on the command ends with this exit code after 20 seconds.
pub fn exits_with(aws: &mut Aws, exit_code: i32) {
    let end = CommandEnd {
        after_secs: 20,
        exit_code,
    };
    aws.ecs.commands.insert(COMMAND.to_owned(), end);
}
