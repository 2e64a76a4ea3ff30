//! What follows from a judgement that showed nothing, what warm-up leaves out, and how a release
//! ends without a judgement or without its report.

use emulator::Aws;
use emulator::client::Throttle;
use emulator::codepipeline::ReportContent;
use emulator::ecr::{self, Answers, Behaviour, Profile};
use harness::demo::SHOP;
use harness::demo::canary::{ask, become_canary};
use harness::driver::{Fault, Faults, run};
use serde_json::{Value, json};
use slipway::judge::report::Judgement;

use behaviour::shop::{SHORT, judged, messages, release, reports, shop};
use behaviour::{action, jobs, outcome, pair, reason, settled, update_pipeline};

/// The shop with other parameters of its pipeline, and with this many requests per second.
fn shop_with(changes: &[(&str, &str)], requests_per_second: f64) -> Aws {
    let mut aws = shop();
    become_canary(&mut aws, &[&SHORT[..], changes].concat()).expect("the template deploys");
    ask(&mut aws, requests_per_second).expect("there is a shop");
    aws
}

/// Output variables of the last job of an action.
pub(super) fn outputs(aws: &Aws, execution: &str, action: &str) -> Vec<(String, String)> {
    let jobs = jobs(aws, execution, action);
    let taken = jobs
        .last()
        .expect("it had a job")
        .reports
        .iter()
        .find(|report| report.refused.is_none());

    match &taken.expect("it was reported").content {
        ReportContent::Success { outputs, .. } => outputs.clone().into_iter().collect(),
        ReportContent::Failure { message, .. } => panic!("{message}"),
    }
}

#[test]
fn what_is_inconclusive_is_rolled_back_where_that_is_configured() {
    run(
        shop_with(&[("Inconclusive", "roll-back")], 0.0),
        Fault::None,
        async |driver| {
            let before = pair::state(&driver.world.aws());
            let execution = release(&driver, "2.3.0", Answers::GOOD).await;
            let aws = driver.world.snapshot();
            let reason = reason(&driver, &execution);

            assert_eq!(
                (outcome(&driver, &execution).as_str(), pair::weights(&aws)),
                ("rolled-back", [0, 100]),
                "{reason}"
            );
            assert!(
                reason.starts_with(
                    "inconclusive, rolled back as configured: no request to the new colour "
                ),
                "{reason}"
            );
            assert_eq!(pair::state(&aws), before);
            assert_eq!(
                judged(&aws, &execution)
                    .iter()
                    .map(|(verdict, _)| verdict.as_str())
                    .collect::<Vec<_>>(),
                ["rollback"]
            );

            let (_, json) = reports(&aws)
                .into_iter()
                .find(|(key, _)| key.ends_with(".json"))
                .expect("a report");
            let judgement = Judgement::from_json(&json).expect("a judgement");
            assert_eq!(
                judgement.verdict().decision,
                slipway::judge::Decision::Inconclusive
            );
            assert_eq!(
                judgement.ending().map(|ending| ending.decision),
                Some(slipway::judge::Decision::Rollback)
            );
        },
    );
}

#[test]
fn what_is_inconclusive_goes_on_where_that_is_configured() {
    run(
        shop_with(&[("Inconclusive", "promote")], 0.0),
        Fault::None,
        async |driver| {
            let execution = release(&driver, "2.3.0", Answers::GOOD).await;
            let aws = driver.world.snapshot();
            let reason = reason(&driver, &execution);

            assert_eq!(
                (outcome(&driver, &execution).as_str(), pair::weights(&aws)),
                ("deployed", [100, 0]),
                "{reason}"
            );

            let verdicts = judged(&aws, &execution);
            let verdicts: Vec<&str> = verdicts
                .iter()
                .map(|(verdict, _)| verdict.as_str())
                .collect();
            assert_eq!(verdicts, ["inconclusive"]);

            let last = messages(&aws, "judge").pop().expect("a summary");
            assert!(
                last.starts_with(
                    "inconclusive: promoted as configured: no request to the new colour "
                ),
                "{last}"
            );

            let outputs = outputs(&aws, &execution, "judge");
            assert!(
                outputs.contains(&("Verdict".to_owned(), "inconclusive".to_owned())),
                "{outputs:?}"
            );
            assert!(
                outputs.contains(&("CanaryRequests".to_owned(), "0".to_owned())),
                "{outputs:?}"
            );
        },
    );
}

/// Releases an image that answers so in the first three minutes after the traffic came, and as a
/// good one later. Returns how that ended.
fn warmed_up(answers: Answers, minutes: &str) -> String {
    run(
        shop_with(&[("WarmUpMinutes", minutes), ("HoldMinutes", "5")], 1_000.0),
        Fault::None,
        async |driver| {
            let profile = Profile::of(answers).then(3, Answers::GOOD);
            let pushed = ecr::push_with(
                &mut driver.world.aws(),
                SHOP,
                "2.4.0",
                Behaviour::Healthy,
                profile,
            );
            driver.world.touch();

            let pushed = pushed.expect("the repository is there");
            let execution = settled(&driver, pair::PIPELINE, &pushed).await;
            outcome(&driver, &execution)
        },
    )
}

#[test]
fn response_times_of_the_warm_up_are_not_judged_and_errors_are() {
    let slow = Answers::GOOD.slower(4.0);
    assert_eq!(warmed_up(slow, "0"), "rolled-back");
    assert_eq!(warmed_up(slow, "4"), "deployed");
    assert_eq!(warmed_up(Answers::GOOD.failing(0.3), "4"), "rolled-back");
}

#[test]
fn what_is_live_already_is_not_judged_against_itself() {
    let mut aws = shop();
    let live = pair::definitions(&aws)[1].clone();
    let changed = update_pipeline(&mut aws, pair::PIPELINE, |pipeline| {
        let text = &mut action(pipeline, "judge")["configuration"]["UserParameters"];
        let mut parameters: Value =
            serde_json::from_str(text.as_str().expect("a text")).expect("JSON");
        parameters["task_definition"] = json!(live);
        *text = json!(parameters.to_string());
    });
    changed.expect("a pipeline all the same");
    run(aws, Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0", Answers::GOOD).await;
        let aws = driver.world.snapshot();
        let revision = live.rsplit_once('/').expect("an ARN").1;

        assert_eq!(
            messages(&aws, "judge"),
            [format!(
                "nothing to do: live colour green already runs {revision}"
            )]
        );

        let expected = [("Verdict".to_owned(), "unchanged".to_owned())];
        assert_eq!(outputs(&aws, &execution, "judge"), expected);
        assert_eq!(judged(&aws, &execution).len(), 0, "nothing was judged");
    });
}

/// The traffic is back long before: the report is waited for ten minutes, and the release then ends
/// without it.
#[test]
fn a_report_that_cannot_be_written_does_not_keep_a_rollback_from_its_end() {
    let aws = shop();
    let (from, hour) = (aws.now, 3_600_000);
    let throttles = vec![Throttle {
        service: "s3",
        from,
        until: from + 4 * hour,
    }];
    run(
        aws,
        Faults {
            throttles,
            ..Faults::default()
        },
        async |driver| {
            let execution = release(&driver, "2.1.0", Answers::GOOD.failing(0.02)).await;
            let aws = driver.world.snapshot();
            let messages = messages(&aws, "judge");

            assert_eq!(
                (outcome(&driver, &execution).as_str(), pair::weights(&aws)),
                ("rolled-back", [0, 100]),
                "{messages:#?}"
            );

            let last = messages.last().expect("a message");
            assert!(
                last.starts_with("requests without a good answer ")
                    && last.contains("; failed to write the report: "),
                "{last}"
            );

            let waits = messages
                .iter()
                .filter(|message| message.contains("; its report: "))
                .count();
            assert!((5..40).contains(&waits), "{waits}: {messages:#?}");
            assert!(aws.now - from < 2 * hour, "it did not wait for S3");
            assert_eq!(
                (reports(&aws).len(), judged(&aws, &execution).len()),
                (0, 0)
            );
        },
    );
}
