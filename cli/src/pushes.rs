//! `slipway pushes`: what became of the pushes of a pipeline, refused ones too.

use clap::Args;
use serde_json::json;
use slipway::release::Push;

use crate::arguments::most;
use crate::words::{digest, instant, optional};
use crate::{Answer, Block, Cell, Failed, Session, Table, Tone};

/// Shows what became of the pushes of a pipeline: started, waiting or refused, the newest first.
///
/// Fields: pushed, claimed, tag, digest, state, execution or reason.
#[derive(Debug, Args)]
pub struct Pushes {
    /// The name of the pipeline, such as slipway-web.
    pub pipeline: String,
    /// Show at most so many.
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = most())]
    pub most: u32,
}

impl Pushes {
    /// # Errors
    /// When a call fails, or the ledger has no push of such a pipeline.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let found = session.ledger().pushes(&self.pipeline).await?;
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let newest: Vec<&Push> = found.pushes.iter().rev().take(most).collect();
        if newest.is_empty() && found.unreadable.is_empty() {
            return Err(Failed::Refused(format!(
                "the ledger has no push of pipeline `{}`",
                self.pipeline
            )));
        }

        let mut table = Table::new(vec!["pushed", "claimed", "tag", "digest", "state", "by"]);
        for push in &newest {
            let (state, why) = state(push);
            table.push(vec![
                instant(push.pushed_at),
                instant(Some(push.claimed_at)),
                optional(push.tag.as_deref()),
                digest(Some(&push.digest)),
                state,
                why.into(),
            ]);
        }
        let json = json!({"pipeline": self.pipeline, "pushes": newest});
        Ok(Answer::new(vec![Block::Table(table)], json).warning_of(&found.unreadable))
    }
}

/// What became of a push, and by which execution or for which reason.
pub(crate) fn state(push: &Push) -> (Cell, &str) {
    let started = push.execution.as_deref();
    if let Some(refusal) = &push.refusal {
        return (Cell::new("refused", Tone::Bad), refusal);
    }
    if let Some(execution) = started {
        return (Cell::new("started", Tone::Good), execution);
    }
    let cause = push.waiting.as_deref().unwrap_or("being started");
    (Cell::new("waiting", Tone::Waiting), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(execution: Option<&str>, refusal: Option<&str>, waiting: Option<&str>) -> Push {
        let value = json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:0a", "event": "event-1",
            "claimed_at": "2026-01-05T09:00:00Z", "execution": execution, "refusal": refusal,
            "waiting": waiting,
        });
        serde_json::from_value(value).expect("a push")
    }

    #[test]
    fn a_refusal_is_shown_before_the_execution_that_it_refers_to() {
        let seen = |push: &Push| {
            let (cell, why) = state(push);
            format!("{} {why}", cell.shown(crate::Look::Pipe))
        };
        assert_eq!(seen(&push(Some("e-1"), None, None)), "started e-1");
        assert_eq!(
            seen(&push(Some("e-1"), Some("rolled back before"), None)),
            "refused rolled back before"
        );
        assert_eq!(seen(&push(None, None, Some("e-0"))), "waiting e-0");
        assert_eq!(seen(&push(None, None, None)), "waiting being started");
    }
}
