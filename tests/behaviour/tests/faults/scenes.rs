//! The chapters of the demo with the accounts that they begin on, and what their undisturbed runs
//! did.

use std::sync::OnceLock;

use emulator::codepipeline::ReportContent;
use emulator::{Aws, ecs};
use harness::demo::{CHAPTERS, Chapter, Played, deployed, play};
use harness::driver::{Fault, Ran};
use serde_json::json;

/// The chapter of a new version of `web`, deployed in place.
pub(crate) const IN_PLACE: usize = 1;

pub(crate) struct Scene {
    pub(crate) chapter: &'static Chapter,
    pub(crate) before: Aws,
    pub(crate) attempts: Vec<Attempt>,
}

/// An attempt of a function and the operations that it called, in order.
pub(crate) struct Attempt {
    pub(crate) function: String,
    pub(crate) operations: Vec<String>,
}

impl Attempt {
    fn of(aws: &Aws, ran: &Ran) -> Self {
        let calls = ran.called(aws).into_iter();
        Self {
            function: ran.function.clone(),
            operations: calls.map(|call| call.operation.clone()).collect(),
        }
    }
}

/// All chapters, in order.
pub(crate) fn scenes() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(|| {
        let mut aws = deployed(1).expect("the stacks deploy");
        CHAPTERS
            .iter()
            .map(|chapter| {
                let before = aws.clone();
                let played = play(aws.clone(), chapter, Fault::None, &mut |_| {})
                    .expect("the demo goes as written");
                aws = played.aws;
                let attempts = played
                    .ran
                    .iter()
                    .map(|ran| Attempt::of(&aws, ran))
                    .collect();

                Scene {
                    chapter,
                    before,
                    attempts,
                }
            })
            .collect()
    })
}

/// Plays the chapters that are wanted on accounts that `change` has changed; fails with all that do
/// not end as written.
pub(crate) fn ends_alike(wanted: fn(&Chapter) -> bool, change: impl Fn(&mut Aws)) {
    let wrong = unlike(wanted, change, &mut |_| {});
    assert!(
        wrong.is_empty(),
        "{} chapters:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// How those of the chapters end that do not end as written; `alike` sees the others.
pub(crate) fn unlike(
    wanted: fn(&Chapter) -> bool,
    change: impl Fn(&mut Aws),
    alike: &mut dyn FnMut(&Aws),
) -> Vec<String> {
    let mut wrong = Vec::new();
    for scene in scenes().iter().filter(|scene| wanted(scene.chapter)) {
        let mut aws = scene.before.clone();
        change(&mut aws);
        match play(aws, scene.chapter, Fault::None, &mut |_| {}) {
            Ok(played) => alike(&played.aws),
            Err(error) => wrong.push(format!("{}: {error}", scene.chapter.title)),
        }
    }
    wrong
}

/// The revisions of a family that are still active.
pub(crate) fn active(aws: &Aws, family: &str) -> Vec<String> {
    let input = json!({"familyPrefix": family, "status": "ACTIVE"});
    let listed = ecs::call(&mut aws.clone(), "ListTaskDefinitions", &input).expect("a family");
    let arns = listed["taskDefinitionArns"]
        .as_array()
        .expect("a list")
        .iter();
    arns.filter_map(|arn| arn.as_str().map(ToOwned::to_owned))
        .collect()
}

/// The messages of jobs that failed in the release of a chapter.
pub(crate) fn failures(played: &Played, since: usize) -> Vec<String> {
    let jobs = &played.aws.codepipeline.jobs[since..];
    let reports = jobs
        .iter()
        .flat_map(|job| &job.reports)
        .filter(|report| report.refused.is_none());
    let failed = reports.filter_map(|report| match &report.content {
        ReportContent::Failure { message, .. } => Some(message.clone()),
        ReportContent::Success { .. } => None,
    });
    failed.collect()
}
