//! The command line of Slipway: what people read of releases, and what they decide about them.
//!
//! A command reads the ledger and AWS through the adapters of `slipway::aws`, and acts by the calls
//! that the documents give for the AWS CLI: it has no power that those do not have. Each command is
//! a file: its arguments, what it does, and its answer. It never prints, but for the judge and a
//! watch: `main` does.

mod again;
mod answer;
mod approve;
mod arguments;
mod aws;
mod completions;
mod decide;
mod deploy;
mod doctor;
mod figures;
mod find;
mod history;
mod init;
mod inspect;
mod judge;
mod page;
mod past;
mod pipeline;
mod plan;
mod pushes;
mod report;
mod rollback;
mod status;
mod stop;
mod table;
mod wait;
mod watch;
mod why;
mod words;

use serde_json::Value;

pub use again::Again;
pub use answer::{Answer, Block, Exit, Failed, lines};
pub use approve::{Approve, Reject, Waits};
pub use arguments::{Command, Global, Slipway};
pub use aws::Session;
pub use completions::{Completions, Shell};
pub use decide::{Decide, Decision};
pub use deploy::{Deploy, Waiting};
pub use doctor::Doctor;
pub use figures::Figures;
pub use history::History;
pub use init::{Init, ReleaseStrategy, ServiceName};
pub use inspect::Inspect;
pub use judge::{Judge, judge};
pub use page::Page;
pub use plan::Plan;
pub use pushes::Pushes;
pub use report::Report;
pub use rollback::Rollback;
pub use status::Status;
pub use stop::Stop;
pub use table::{Cell, Look, Table, Tone};
pub use wait::{Limit, Wait};
pub use watch::{Painter, Size};
pub use why::Why;

/// Runs the command of the arguments.
///
/// # Errors
/// What kept it from an answer.
pub async fn run(arguments: &Slipway) -> Result<Answer, Failed> {
    // These call nothing.
    match &arguments.command {
        Command::Inspect(inspect) => return inspect.run(),
        Command::Completions(completions) => return Ok(completions.run()),
        Command::Judge(given) => {
            judge(given).map_err(Failed::NotJudged)?;
            return Ok(Answer::new(Vec::new(), Value::Null));
        }
        _ => {}
    }

    let session = aws::connect(&arguments.global).await?;
    match &arguments.command {
        Command::Status(status) if status.watch => {
            let mut screen = watch::Screen::of_stdout(arguments.global.json);
            let mut show = |answer: &Answer, at| screen.show(answer, at);
            status.watch(&session, &mut show).await
        }
        Command::Status(status) => status.run(&session).await,
        Command::History(history) => history.run(&session).await,
        Command::Why(why) => why.run(&session).await,
        Command::Pushes(pushes) => pushes.run(&session).await,
        Command::Report(report) => report.run(&session).await,
        Command::Figures(figures) => figures.run(&session).await,
        Command::Page(page) => page.run(&session).await,
        Command::Deploy(deploy) => deploy.run(&session).await,
        Command::Wait(wait) => wait.run(&session).await,
        Command::Stop(stop) => stop.run(&session).await,
        Command::Approve(approve) => approve.run(&session).await,
        Command::Reject(reject) => reject.run(&session).await,
        Command::Decide(decide) => decide.run(&session).await,
        Command::Again(again) => again.run(&session).await,
        Command::Rollback(rollback) => rollback.run(&session).await,
        Command::Plan(plan) => plan.run(&session).await,
        Command::Doctor(doctor) => doctor.run(&session).await,
        Command::Init(init) => init.run(&session).await,
        Command::Inspect(_) | Command::Judge(_) | Command::Completions(_) => {
            unreachable!("they have returned")
        }
    }
}
