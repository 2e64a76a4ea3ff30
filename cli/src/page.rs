//! `slipway page`: all that the ledger has of releases, as a page for browsers.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use slipway::page::{Contents, html};
use slipway::release::start_of;

use crate::past::{Past, days, pipelines};
use crate::{Answer, Block, Failed, Session, report};

/// Writes a page with services, open releases, delivery figures, weights and history.
///
/// The page is one file of HTML without scripts, which loads nothing; its links open the reports of
/// canaries in the console. The figures are those of `slipway figures`. It reads what each pipeline
/// released in the period.
#[derive(Debug, Args)]
pub struct Page {
    /// Save it as this file, in place of printing it.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show so many days until now, at most 400.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = days())]
    pub days: u32,
}

impl Page {
    /// # Errors
    /// When a call fails, or the file cannot be written.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let listing = session.ledger().leases().await?;
        let names = pipelines(session, &listing).await?;
        let now = session.sdk.now();
        let past = Past::read(session, &names, start_of(self.days, now)).await?;
        let page = html(&Contents {
            leases: &listing.leases,
            started: &listing.started,
            records: &past.records,
            pushes: &past.pushes,
            days: self.days,
            now,
            address: &|judgement| report::address(session, judgement),
        });

        let answer = match &self.output {
            Some(file) => {
                let name = file.display().to_string();
                std::fs::write(file, page)
                    .map_err(|error| Failed::Unknown(format!("failed to write {name}: {error}")))?;
                Answer::line(format!("saved as {name}"), json!({"saved": name}))
            }
            None => Answer::new(vec![Block::Text(page.clone())], json!({"page": page})),
        };
        Ok(answer
            .warning_of(&listing.unreadable)
            .warning_of(&past.unreadable))
    }
}
