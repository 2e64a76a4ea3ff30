//! What evaluate-canary does in one look beside its statistics: what it confirms, checks, repeats
//! and leaves to the next look.

use emulator::Aws;
use emulator::client::Throttle;
use emulator::cloudwatch::set_alarm;
use harness::driver::{Driver, Fault, Faults, run};
use serde_json::{Value, json};

use super::{
    ago, calls, changed, common, definitions, edit, going, half, open, overtaken, report, shifted,
    timeless, unconfirmed,
};
use behaviour::pair::{secs, weights};
use behaviour::{deny, invoke, pass};

const STEP: &str = "evaluate-canary";

/// One look of an action that began at `since`, with what the look before passed on.
async fn judge_since(driver: &Driver, since: &Value, more: Value, payload: &Value) -> Value {
    let [new, _] = definitions(&driver.world.aws());
    let mut parameters = more;
    parameters["task_definition"] = json!(new);
    let token = json!({"v": 1, "step": STEP, "since": since, "payload": payload}).to_string();
    let event = json!({"parameters": common(&parameters), "continuationToken": token});
    invoke(driver, STEP, event).await.expect("an answer")
}

async fn judge(driver: &Driver, more: Value) -> Value {
    let since = ago(&driver.world.aws(), 0);
    judge_since(driver, &since, more, &json!(null)).await
}

#[test]
fn a_shift_that_was_announced_and_made_is_confirmed_before_anything_is_judged() {
    let aws = unconfirmed();
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&judge(&driver, json!({})).await),
            going("weights are blue 50 / green 50", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);
        let shift = timeless(&aws, &open(&aws)["shift"]);
        assert_eq!(
            (&shift["made"], &shift["at"]),
            (&json!(true), &json!("now"))
        );
    });
}

#[test]
fn a_colour_that_is_judged_must_have_its_part_of_the_filled_tasks() {
    let mut aws = half();
    edit(&mut aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(4)
    });
    run(aws, Fault::None, async |driver| {
        let judged = judge(&driver, json!({"minimum_healthy_percent": 50})).await;
        let summary = judged["summary"].as_str().unwrap_or_default();
        assert!(
            summary.ends_with("; 2 healthy targets in blue, at least 2 needed"),
            "{judged}"
        );
        assert_eq!(weights(&driver.world.aws()), [50, 50]);

        // One look ends nothing, and the next ones know what it saw.
        let few = "2 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4)";
        let since = calls(&driver);
        let first = report(&judge(&driver, json!({})).await);
        assert_eq!(first, going(&format!("{few}; 0s of 2m00s"), 0));
        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);
        assert_eq!(weights(&aws), [50, 50]);

        let began = ago(&aws, 125);
        edit(&mut driver.world.aws(), |lease| {
            lease["release"]["health"]["loss"]["since"] = began
        });
        let (kind, back) = {
            let answer = report(&judge(&driver, json!({})).await);
            (answer[0].clone(), answer[2].clone())
        };
        let back = back.as_str().unwrap_or_default();
        assert_eq!(kind, "failed");
        assert!(back.starts_with(&format!("{few}, for 2m0")), "{back}");
        assert!(
            back.ends_with("; traffic restored to blue 0 / green 100"),
            "{back}"
        );
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

/// The alarms of a release are heard although its new colour lacks health.
#[test]
fn an_alarm_ends_a_judgement_that_waits_for_health() {
    let mut aws = half();
    edit(&mut aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(4)
    });
    set_alarm(&mut aws, "errors", "ALARM");
    run(aws, Fault::None, async |driver| {
        let answer = report(&judge(&driver, json!({"alarms": ["errors"]})).await);
        let back = answer[2].as_str().unwrap_or_default();
        assert!(back.starts_with("alarm errors is in ALARM"), "{answer}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn a_judgement_that_has_ended_is_reported_again_as_it_ended() {
    let mut aws = half();
    let began = ago(&aws, 60);
    edit(&mut aws, |lease| {
        lease["release"]["judged"] = json!([{
            "since": began, "verdict": "promote", "summary": "promote: as many errors",
            "outputs": {"Verdict": "promote"}, "report": "s3://reports/page.html",
        }])
    });
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let answer = judge_since(&driver, &began, json!({}), &json!(null)).await;
        assert_eq!(
            report(&answer),
            json!(["done", "promote: as many errors", {"Verdict": "promote"}])
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_look_that_another_invocation_overtook_fails_nothing() {
    run(half(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let of_new = json!({ "task_definition": new });
        let answer = overtaken(&driver, STEP, &of_new, |aws| shifted(aws, [70, 30])).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");

        let aws = driver.world.snapshot();
        assert_eq!(
            (&open(&aws)["failure"], weights(&aws)),
            (&json!(null), [70, 30])
        );
    });
}

/// A look at a bake of three minutes that ended before the new colour got its first traffic; what
/// is inconclusive is promoted.
async fn promotes(driver: &Driver) -> Value {
    let (since, first) = {
        let aws = driver.world.aws();
        (ago(&aws, 0), aws.now / 60_000 - 6)
    };
    let more = json!({"bake_minutes": 3, "inconclusive": "promote"});
    judge_since(driver, &since, more, &bake_from(first)).await
}

/// What the look before passed on in a bake whose first judged minute is this one.
fn bake_from(first: i64) -> Value {
    json!({"f": first, "x": [], "h": ["5xx", null, []], "p": [0, "", "", "", null]})
}

/// How often a look requests metrics whose first judged minute is this many before the current one.
async fn metric_requests(driver: &Driver, before: i64) -> usize {
    let (since, first) = {
        let aws = driver.world.aws();
        (ago(&aws, 0), aws.now / 60_000 - before)
    };
    let from = calls(driver);
    let answer = judge_since(driver, &since, json!({}), &bake_from(first)).await;
    assert_eq!(answer["status"], "in-progress", "{answer}");

    let aws = driver.world.snapshot();
    let requests = aws.calls[from..].iter();
    requests
        .filter(|call| call.operation == "GetMetricData")
        .count()
}

#[test]
fn no_metrics_are_requested_before_the_first_judged_minute_is_over() {
    run(half(), Fault::None, async |driver| {
        // Five seconds into a minute: no look of a few seconds ends in the next one.
        let past = driver.world.aws().now / 1_000 % 60;
        pass(&driver, secs(65 - past.unsigned_abs())).await;

        for (before, requests) in [(-1, 0), (0, 0), (1, 1)] {
            let found = metric_requests(&driver, before).await;
            assert_eq!(found, requests, "{before} minutes before");
        }
    });
}

/// The judgements that the release has recorded.
fn judged(aws: &Aws) -> Value {
    open(aws)["judged"].clone()
}

#[test]
fn a_promotion_waits_for_its_report_while_s3_throttles() {
    let aws = half();
    let throttles = vec![Throttle {
        service: "s3",
        from: aws.now,
        until: aws.now + 3_600_000,
    }];
    let faults = Faults {
        throttles,
        ..Faults::default()
    };
    run(aws, faults, async |driver| {
        let answer = promotes(&driver).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(judged(&driver.world.aws()), json!(null));
    });
}

#[test]
fn a_report_that_s3_refuses_does_not_keep_a_release_from_its_promotion() {
    run(half(), Fault::None, async |driver| {
        deny(&driver, "s3:PutObject");
        let answer = promotes(&driver).await;
        assert_eq!(answer["status"], "done", "{answer}");

        let judged = judged(&driver.world.aws());
        assert_eq!(judged[0]["verdict"], "inconclusive", "{judged}");
        let summary = judged[0]["summary"].as_str().unwrap_or_default();
        assert!(
            summary.starts_with("inconclusive: promoted as configured: no request to the new ")
                && summary.contains("; failed to write the report: s3:PutObject"),
            "{summary}"
        );
    });
}
