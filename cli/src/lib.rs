//! The command line of Slipway: what people read of releases, and what they decide about them.
//!
//! A command reads the ledger and AWS through the adapters of `slipway::aws`, and acts by the calls
//! that the documents give for the AWS CLI: it has no power that those do not have. Each command is
//! a file: its arguments, what it does, and its answer. It never prints: `main` does.

mod answer;
mod arguments;
mod aws;
mod find;
mod history;
mod pushes;
mod status;
mod table;
mod why;
mod words;

pub use answer::{Answer, Block, Exit, Failed};
pub use arguments::{Command, Global, Slipway};
pub use aws::Session;
pub use history::History;
pub use pushes::Pushes;
pub use status::Status;
pub use table::{Cell, Look, Table, Tone};
pub use why::Why;

/// Runs the command of the arguments.
///
/// # Errors
/// What kept it from an answer.
pub async fn run(arguments: &Slipway) -> Result<Answer, Failed> {
    let session = aws::connect(&arguments.global).await?;
    match &arguments.command {
        Command::Status(status) => status.run(&session).await,
        Command::History(history) => history.run(&session).await,
        Command::Why(why) => why.run(&session).await,
        Command::Pushes(pushes) => pushes.run(&session).await,
    }
}
