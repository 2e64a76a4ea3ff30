//! The shop with a canary pipeline, and the results of its judgements.

use std::sync::OnceLock;

use emulator::codepipeline::{Job, ReportContent};
use emulator::ecr::{self, Answers, Behaviour, Profile};
use emulator::{Aws, Call};
use harness::demo::SHOP;
use harness::demo::canary::opened;
use harness::driver::Driver;
use serde_json::Value;

use crate::{jobs, newest, pair, settled};

/// Parameters with which a release takes minutes.
pub const SHORT: [(&str, &str); 4] = [
    ("LastPercent", "25"),
    ("JudgeMinutes", "30"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];

/// An hour of requests behind it, and nothing judged yet.
pub fn shop() -> Aws {
    static SHOP: OnceLock<Aws> = OnceLock::new();
    SHOP.get_or_init(|| opened(1, &SHORT).expect("the shop opens"))
        .clone()
}

/// Pushes an image that answers requests like this.
pub fn push(driver: &Driver, tag: &str, answers: Answers) -> String {
    let pushed = ecr::push_with(
        &mut driver.world.aws(),
        SHOP,
        tag,
        Behaviour::Healthy,
        Profile::of(answers),
    );
    driver.world.touch();
    pushed.expect("the repository is there")
}

/// Pushes it and lets its release end; returns its execution.
pub async fn release(driver: &Driver, tag: &str, answers: Answers) -> String {
    let pushed = push(driver, tag, answers);
    settled(driver, pair::PIPELINE, &pushed).await
}

/// The messages of the jobs of an action, in order: the summary, or that of the failure.
pub fn messages(aws: &Aws, action: &str) -> Vec<String> {
    let execution = newest(aws, pair::PIPELINE).id.clone();
    jobs(aws, &execution, action)
        .into_iter()
        .filter_map(message)
        .collect()
}

fn message(job: &Job) -> Option<String> {
    let mut taken = job.reports.iter().filter(|report| report.refused.is_none());
    taken.next().map(|report| match &report.content {
        ReportContent::Success { summary, .. } => summary.clone().unwrap_or_default(),
        ReportContent::Failure { message, .. } => message.clone(),
    })
}

/// Successful calls of the attempts of evaluate-canary that made one of this name, by attempt.
pub fn attempts_with<'a>(aws: &'a Aws, operation: &str) -> Vec<Vec<&'a Call>> {
    let of_judge = |call: &&Call| call.caller.ends_with("evaluate-canary") && call.error.is_none();
    let all: Vec<&Call> = aws.calls.iter().filter(of_judge).collect();
    let mut attempts: Vec<u64> = all
        .iter()
        .filter(|call| call.operation == operation)
        .filter_map(|call| call.attempt)
        .collect();
    attempts.dedup();

    let of = |attempt: u64| {
        all.iter()
            .copied()
            .filter(|call| call.attempt == Some(attempt))
            .collect()
    };
    attempts.into_iter().map(of).collect()
}

/// The objects in the bucket of reports, by key.
pub fn reports(aws: &Aws) -> Vec<(String, String)> {
    let bucket = crate::reports_bucket(aws);
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    aws.s3
        .objects(&bucket)
        .map(|(key, object)| (key.to_owned(), text(&object.body)))
        .collect()
}

/// The verdicts and links that the ledger's record of an execution has.
pub fn judged(aws: &Aws, execution: &str) -> Vec<(String, String)> {
    let record = invariants::ledger_reader::record(aws, execution).expect("a record");
    let text =
        |item: &Value, name: &str| item["M"][name]["S"].as_str().unwrap_or_default().to_owned();
    let all = record["judged"]["L"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    all.iter()
        .map(|item| (text(item, "verdict"), text(item, "report")))
        .collect()
}
