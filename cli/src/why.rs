//! `slipway why`: the whole story of a push, from its event to the outcome with the reason.

use clap::Args;
use serde_json::{Value, json};
use slipway::aws::Pipelines;
use slipway::observed::pipeline::ActionRun;
use slipway::observed::service::revision;
use slipway::release::{Prior, Push, Record};
use slipway::timestamp::readable;

use crate::words::{ending, instant, optional};
use crate::{Answer, Block, Cell, Failed, Session, Table, Tone, find, pushes};

/// How many stories of one digest are shown, the newest ones.
const STORIES: usize = 5;

/// Tells why a release ended as it did: the push, the actions with their messages, the outcome with
/// its reason, and the reports of the judge.
///
/// A digest is looked for in the whole ledger; its first seven digits are enough.
#[derive(Debug, Args)]
pub struct Why {
    /// The id of an execution, or the digest of an image.
    #[arg(value_name = "EXECUTION|DIGEST")]
    pub what: String,
}

/// What is known of one push, or of one execution.
struct Story {
    push: Option<Push>,
    record: Option<Record>,
    runs: Vec<ActionRun>,
}

impl Why {
    /// # Errors
    /// When a call fails, or nothing is known of it.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let what = &self.what;
        if find::is_execution(what) {
            return of_execution(session, what).await;
        }
        match find::digest_prefix(what) {
            Some(digest) => of_digest(session, &digest).await,
            None => Err(Failed::Refused(format!(
                "`{what}` is neither the id of an execution nor a digest; expected 36 characters \
                 such as 0b6f9c1e-5f0c-4c56-9f5e-2f1f3f0a7c11, or sha256: and hexadecimal digits"
            ))),
        }
    }
}

async fn of_execution(session: &Session, execution: &str) -> Result<Answer, Failed> {
    let ledger = session.ledger();
    let Some(record) = ledger.record(execution).await? else {
        return Err(Failed::Refused(format!(
            "the ledger has no record of execution {execution}: no push started it, and it began \
             no release"
        )));
    };
    let push = match &record.digest {
        Some(digest) => ledger.push(&record.pipeline, digest).await?,
        None => None,
    };
    let mut warnings = Vec::new();
    let runs = runs(session, &record, &mut warnings).await;
    let story = Story {
        push,
        record: Some(record),
        runs,
    };
    Ok(answer(&[story], warnings))
}

async fn of_digest(session: &Session, digest: &str) -> Result<Answer, Failed> {
    let found = session.ledger().of_digest(digest).await?;
    let mut warnings: Vec<String> = found
        .unreadable
        .iter()
        .map(|item| item.error.to_string())
        .collect();
    let known = found.pushes.iter().map(|push| &push.digest);
    let digests = known.chain(found.records.iter().filter_map(|it| it.digest.as_ref()));
    let mut digests: Vec<&String> = digests.collect();
    digests.sort();
    digests.dedup();
    match digests.as_slice() {
        [_] => {}
        [] => {
            return Err(Failed::Refused(format!(
                "the ledger has neither a push nor a release of {digest}"
            )));
        }
        several => {
            return Err(Failed::Refused(format!(
                "{digest} is the beginning of {} digests; expected more digits",
                several.len()
            )));
        }
    }

    warnings.extend(untold(found.records.len()));
    let mut stories = Vec::new();
    for record in found.records.iter().rev().take(STORIES) {
        let mut pushes = found.pushes.iter();
        let push = pushes.find(|push| push.pipeline == record.pipeline);
        stories.push(Story {
            push: push.cloned(),
            runs: runs(session, record, &mut warnings).await,
            record: Some(record.clone()),
        });
    }
    // What started nothing has a claim and no record.
    let has_record = |push: &&Push| found.records.iter().any(|it| it.pipeline == push.pipeline);
    let alone = found.pushes.iter().filter(|push| !has_record(push));
    stories.extend(alone.map(|push| Story {
        push: Some(push.clone()),
        record: None,
        runs: Vec::new(),
    }));
    Ok(answer(&stories, warnings))
}

/// That a digest has more executions than are shown.
fn untold(executions: usize) -> Option<String> {
    let more = executions.saturating_sub(STORIES);
    (more > 0).then(|| format!("{more} earlier executions of the digest are not shown"))
}

/// What CodePipeline knows of an execution, which it forgets after a year, and never knew of one
/// that was begun by hand.
async fn runs(session: &Session, record: &Record, warnings: &mut Vec<String>) -> Vec<ActionRun> {
    let pipelines = Pipelines::new(&session.sdk);
    match pipelines.runs(&record.pipeline, &record.execution).await {
        Ok(runs) => runs,
        Err(error) => {
            warnings.push(format!("the actions are not shown: {error}"));
            Vec::new()
        }
    }
}

fn answer(stories: &[Story], warnings: Vec<String>) -> Answer {
    let mut blocks = Vec::new();
    for story in stories {
        blocks.push(Block::Fields(story.fields()));
        blocks.push(Block::Table(story.actions()));
    }
    let json: Vec<Value> = stories.iter().map(Story::json).collect();
    Answer::new(blocks, json!({ "stories": json })).warning(warnings)
}

impl Story {
    fn json(&self) -> Value {
        json!({"push": self.push, "record": self.record, "actions": self.runs})
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields: Vec<(&'static str, Cell)> = Vec::new();
        if let Some(push) = &self.push {
            let (state, why) = pushes::state(push);
            fields.extend([
                ("pipeline", push.pipeline.as_str().into()),
                ("digest", push.digest.as_str().into()),
                ("tag", optional(push.tag.as_deref())),
                ("pushed", instant(push.pushed_at)),
                ("claimed", instant(Some(push.claimed_at))),
                ("push", state),
                ("push by", why.into()),
            ]);
        }
        if let Some(record) = &self.record {
            if self.push.is_none() {
                fields.push(("pipeline", record.pipeline.as_str().into()));
                fields.push(("digest", optional(record.digest.as_deref())));
            }
            fields.extend(of_record(record));
        }
        fields
    }

    fn actions(&self) -> Table {
        let mut table = Table::new(vec!["started", "took", "action", "status", "message"]);
        for run in &self.runs {
            let took = run.started_at.zip(run.ended_at);
            let took = took.map(|(from, to)| readable(to.since(from)));
            let tone = match run.status.as_str() {
                "Succeeded" => Tone::Good,
                "Failed" => Tone::Bad,
                _ => Tone::Waiting,
            };
            table.push(vec![
                instant(run.started_at),
                optional(took.as_deref()),
                format!("{}/{}", run.stage, run.name).into(),
                Cell::new(&run.status, tone),
                optional(run.message.as_deref()),
            ]);
        }
        table
    }
}

fn of_record(record: &Record) -> Vec<(&'static str, Cell)> {
    let cluster = record.cluster.as_deref().unwrap_or("-");
    let service = record.service.as_deref().unwrap_or("-");
    let mut fields = vec![
        ("execution", record.execution.as_str().into()),
        ("service", format!("{cluster}/{service}").into()),
        ("started", instant(Some(record.started_at))),
        ("ended", instant(record.ended_at)),
        ("outcome", ending(record)),
        ("reason", optional(record.reason.as_deref())),
    ];
    if let Some(prior) = record.prior.as_ref().map(prior_revision) {
        fields.push(("ran before", prior.into()));
    }
    if let Some(change) = &record.change {
        fields.push(("revision", revision(&change.task_definition).into()));
    }
    if let Some(shift) = &record.shift {
        fields.push(("weights", shift.to.to_string().into()));
    }
    for judgement in &record.judgements {
        let judged = format!("{}: {}", judgement.verdict, judgement.summary);
        fields.push(("judged", judged.into()));
        fields.push(("report", judgement.report.as_str().into()));
    }
    if record.needs_operator {
        let needed = Cell::new("manual intervention required", Tone::Bad);
        fields.push(("operator", needed));
    }
    fields
}

/// What a service ran before a release, or the live colour of a pair.
fn prior_revision(prior: &Prior) -> &str {
    let arn = match prior {
        Prior::Service(service) => &service.task_definition,
        Prior::Pair { pair, .. } => &pair.of(pair.live).task_definition,
    };
    revision(arn)
}

#[cfg(test)]
mod tests {
    use slipway::timestamp::Timestamp;

    use super::*;
    use crate::Look;

    #[test]
    fn the_story_of_a_refused_push_has_its_reason_and_no_execution() {
        let push = serde_json::from_value(json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:0a", "tag": "1.2.0",
            "event": "event-1", "claimed_at": "2026-01-05T09:00:00Z",
            "refusal": "this digest was rolled-back before (unhealthy)",
        }));
        let story = Story {
            push: Some(push.expect("a push")),
            record: None,
            runs: Vec::new(),
        };
        assert_eq!(
            answer(&[story], Vec::new()).text(Look::Pipe),
            "pipeline\tslipway-web\ndigest\tsha256:0a\ntag\t1.2.0\npushed\t-\n\
             claimed\t2026-01-05T09:00:00Z\npush\trefused\n\
             push by\tthis digest was rolled-back before (unhealthy)\n"
        );
    }

    #[test]
    fn executions_that_are_not_shown_are_counted() {
        assert_eq!(untold(STORIES), None);
        assert_eq!(
            untold(STORIES + 2).as_deref(),
            Some("2 earlier executions of the digest are not shown")
        );
    }

    #[test]
    fn actions_are_shown_with_how_long_they_took() {
        let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).ok();
        let story = Story {
            push: None,
            record: None,
            runs: vec![ActionRun {
                stage: "Release".to_owned(),
                name: "update-service".to_owned(),
                status: "Failed".to_owned(),
                started_at: at(0),
                ended_at: at(75),
                message: Some("unhealthy".to_owned()),
            }],
        };
        assert_eq!(
            answer(&[story], Vec::new()).text(Look::Pipe),
            "2026-01-05T09:00:00Z\t1m15s\tRelease/update-service\tFailed\tunhealthy\n"
        );
    }
}
