//! Images that answer well and badly, judged to the end.

use emulator::Aws;
use emulator::ecr::Answers;
use harness::driver::{Fault, run};
use slipway::judge::report::{Judgement, replay};

use super::{GOOD, Released};
use behaviour::shop::{attempts_with, judged, messages, release, reports, shop};
use behaviour::{outcome, pair, reason, recorded};

/// Each judgement has a page that promotes, and JSON from which the same decision follows.
fn check_reports(aws: &Aws, judged: &[(String, String)]) {
    let reports = reports(aws);
    assert_eq!(reports.len(), 2, "a page and its JSON");

    for (_, report) in judged {
        let key = report
            .split_once("/slipway-shop/")
            .expect("below the pipeline")
            .1;
        assert!(
            reports
                .iter()
                .any(|(found, page)| found.ends_with(key) && page.contains("Promote")),
            "{report}"
        );
    }
    for (_, json) in reports.iter().filter(|(key, _)| key.ends_with(".json")) {
        let judgement = Judgement::from_json(json).expect("a judgement");
        assert_eq!(replay(&judgement).decision, judgement.verdict().decision);
    }
}

#[test]
fn a_healthy_image_gets_the_last_share_is_promoted_and_gets_all_of_the_traffic() {
    let Released { aws, execution } = &*GOOD;
    let first = messages(aws, "judge");

    let [outcome, reason] = ["outcome", "reason"].map(|name| recorded(aws, execution, name));
    assert_eq!(
        outcome.as_deref(),
        Some("deployed"),
        "{reason:?}: {first:#?}"
    );
    assert_eq!(pair::weights(aws), [100, 0], "green was live before");
    assert!(
        first[0].contains("measured green over the hour before: p90 ")
            && first[0].contains("5% to blue")
            && first[0].contains("is expected to be promoted after about"),
        "{first:#?}"
    );
    let raises = first
        .iter()
        .filter(|message| message.starts_with("25% to blue, the judgement goes on"));
    assert_eq!(raises.count(), 1, "{first:#?}");

    let last = first.last().expect("a summary");
    assert!(
        last.starts_with("promote: ") && last.contains("report: https://eu-west-1.console.aws"),
        "{last}"
    );

    let judged = judged(aws, execution);
    assert_eq!(
        judged
            .iter()
            .map(|(verdict, _)| verdict.as_str())
            .collect::<Vec<_>>(),
        ["promote"]
    );

    check_reports(aws, &judged);
}

#[test]
fn no_look_requests_metrics_more_than_three_times() {
    let looks = attempts_with(&GOOD.aws, "GetMetricData");

    assert!(looks.len() > 10, "{}", looks.len());

    for calls in looks {
        let reads = calls
            .iter()
            .filter(|call| call.operation == "GetMetricData")
            .count();
        assert!(reads <= 3, "{reads} calls");
    }
}

#[test]
fn one_percent_of_errors_is_rolled_back_by_the_invocation_that_saw_it() {
    run(shop(), Fault::None, async |driver| {
        let before = pair::state(&driver.world.aws());
        let execution = release(&driver, "2.1.0", Answers::GOOD.failing(0.01)).await;
        let aws = driver.world.snapshot();
        let messages = messages(&aws, "judge");

        assert_eq!(
            outcome(&driver, &execution),
            "rolled-back",
            "{}: {messages:#?}",
            reason(&driver, &execution)
        );
        assert_eq!(pair::state(&aws), before);

        let message = messages.last().expect("a message");
        assert!(
            message.starts_with("requests without a good answer ")
                && message.contains("traffic restored to blue 0 / green 100"),
            "{message}"
        );
        assert!(message.contains("; report: https://"), "{message}");

        let restoring = attempts_with(&aws, "ModifyRule");
        let made: Vec<&str> = restoring
            .last()
            .expect("it gave the traffic back")
            .iter()
            .map(|call| call.operation.as_str())
            .collect();
        let at = |operation: &str| {
            made.iter()
                .position(|made| *made == operation)
                .unwrap_or_else(|| panic!("{operation}: {made:?}"))
        };
        assert!(
            at("GetMetricData") < at("ModifyRule")
                && at("ModifyRule") < at("PutObject")
                && at("PutObject") < at("PutJobFailureResult")
        );

        let page = reports(&aws)
            .into_iter()
            .find(|(key, _)| key.ends_with(".html"))
            .expect("a page")
            .1;
        assert!(page.contains("Roll back"));
        assert_eq!(judged(&aws, &execution).len(), 1);
    });
}
