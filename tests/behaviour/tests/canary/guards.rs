//! What ends a judgement beside its statistics, what holds it for an operator, and what must not
//! disturb it.

use std::time::Duration;

use emulator::cloudwatch::set_alarm;
use emulator::ecr::Answers;
use emulator::{Aws, elb, lambda};
use harness::demo::canary::{ask, become_canary};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{FUNCTIONS_STACK, record, text};
use serde_json::{Value, json};

use behaviour::pair::{self, until_action};
use behaviour::shop::{SHORT, messages, push, release, reports, shop};
use behaviour::{assert_outcome, ends, outcome, pass, reason, settled};

const ALARM: &str = "shop-errors";
const HOLD: &str = "30";

/// The shop with other parameters of its pipeline.
fn shop_with(changes: &[(&str, &str)]) -> Aws {
    let mut aws = shop();
    become_canary(&mut aws, &[&SHORT[..], changes].concat()).expect("the template deploys");
    aws
}

/// The same without requests, so that nothing can be shown, and a hold of this many minutes.
fn quiet_shop(hold: &str) -> Aws {
    let mut aws = shop_with(&[("HoldMinutes", hold)]);
    ask(&mut aws, 0.0).expect("there is a shop");
    aws
}

/// Invokes the judge as an operator does who decides: with the parameters of the job that holds.
fn decide(aws: &mut Aws, decision: &str) {
    let function = format!("{FUNCTIONS_STACK}-evaluate-canary");
    let parameters = aws
        .lambda
        .invocations
        .iter()
        .rev()
        .filter(|one| one.function == function)
        .find_map(|one| {
            one.payload
                .pointer("/CodePipeline.job/data/actionConfiguration/configuration/UserParameters")?
                .as_str()
        });
    let mut parameters: Value =
        serde_json::from_str(parameters.expect("it was judged")).expect("JSON");
    parameters["decision"] = json!(decision);
    lambda::invoke_async(aws, &function, json!({ "parameters": parameters })).expect("accepted");
}

/// Pushes a good image without traffic, lets an operator decide while it holds, and returns how it
/// ended.
fn decided(decision: Option<&str>) -> (String, String, Vec<String>, [i64; 2]) {
    run(quiet_shop(HOLD), Fault::None, async |driver| {
        let pushed = push(&driver, "2.3.0", Answers::GOOD);
        if let Some(decision) = decision {
            until_action(&driver, &pushed, "judge", 99)
                .await
                .expect("it holds");
            decide(&mut driver.world.aws(), decision);
            driver.world.touch();
        }

        let execution = settled(&driver, pair::PIPELINE, &pushed).await;
        let aws = driver.world.snapshot();

        (
            outcome(&driver, &execution),
            reason(&driver, &execution),
            messages(&aws, "judge"),
            pair::weights(&aws),
        )
    })
}

#[test]
fn without_traffic_it_holds_and_the_traffic_goes_back_without_a_decision() {
    let (outcome, reason, messages, weights) = decided(None);
    assert_eq!((outcome.as_str(), weights), ("held", [0, 100]), "{reason}");
    assert!(
        reason.contains("no decision within 30m00s")
            && reason.contains("no request to the new colour"),
        "{reason}"
    );

    let early = messages
        .iter()
        .find(|message| message.contains("no request"))
        .expect("a message before the bake ends");
    assert!(!early.starts_with("waiting for a decision"), "{early}");
    assert!(
        messages
            .iter()
            .any(|message| message.starts_with("waiting for a decision: keeping 5% on blue")),
        "{messages:#?}"
    );
}

#[test]
fn an_operator_who_decides_ends_the_hold_either_way() {
    let (outcome, reason, messages, weights) = decided(Some("roll-back"));
    assert_eq!(
        (outcome.as_str(), weights),
        ("rolled-back", [0, 100]),
        "{reason}"
    );
    assert!(reason.contains("rolled back by an operator"), "{reason}");

    let (_, reason, first, _) = decided(Some("promote"));
    assert!(
        first.last().expect("a summary").starts_with("inconclusive"),
        "{first:#?}: {reason}"
    );
    assert_ne!(messages.last(), first.last());
}

/// A hold must not wait for metrics: they may be what is broken. The hold is longer than a step may
/// learn nothing.
#[test]
fn a_hold_ends_also_while_metrics_cannot_be_read() {
    for (decision, expected) in [(Some("roll-back"), "rolled-back"), (None, "held")] {
        run(quiet_shop("90"), Fault::None, async |driver| {
            let pushed = push(&driver, "2.3.0", Answers::GOOD);
            until_action(&driver, &pushed, "judge", 99)
                .await
                .expect("it holds");
            let (from, hours) = (driver.world.aws().now, 3);
            driver
                .world
                .aws()
                .cloudwatch
                .faults
                .throttled
                .push((from, from + hours * 3_600_000));

            if let Some(decision) = decision {
                decide(&mut driver.world.aws(), decision);
            }

            driver.world.touch();
            let execution = settled(&driver, pair::PIPELINE, &pushed).await;
            let aws = driver.world.snapshot();

            assert_outcome(&driver, &execution, expected);
            assert_eq!(pair::weights(&aws), [0, 100]);
            let record = record(&aws, &execution).expect("a record");
            let revision = text(&record, "change.task_definition").expect("it was filled");
            assert!(!aws.ecs.is_active(revision), "{revision}");
            assert!(
                aws.now - from < hours * 3_600_000,
                "it did not wait for CloudWatch"
            );
        });
    }
}

/// A bake whose metrics cannot be read has an end too, from its first look on: a step that learns
/// nothing for an hour fails, and the traffic goes back.
#[test]
fn a_bake_ends_also_while_metrics_cannot_be_read() {
    for from_the_first_look in [true, false] {
        run(shop(), Fault::None, async |driver| {
            let pushed = push(&driver, "2.3.0", Answers::GOOD);
            if !from_the_first_look {
                until_action(&driver, &pushed, "judge", 1)
                    .await
                    .expect("it is judged");
            }
            let (from, hour) = (driver.world.aws().now, 3_600_000);
            let throttled = (from, from + 4 * hour);
            driver
                .world
                .aws()
                .cloudwatch
                .faults
                .throttled
                .push(throttled);

            driver.world.touch();
            let execution = settled(&driver, pair::PIPELINE, &pushed).await;
            let aws = driver.world.snapshot();
            assert_outcome(&driver, &execution, "rolled-back");
            assert_eq!(pair::weights(&aws), [0, 100]);
            assert!(aws.now - from < 2 * hour, "{} ms", aws.now - from);
        });
    }
}

/// A decision is refused to the operator who takes it while nothing holds, and does the release no
/// harm.
#[test]
fn a_decision_that_comes_too_early_changes_nothing() {
    run(quiet_shop(HOLD), Fault::None, async |driver| {
        let pushed = push(&driver, "2.3.0", Answers::GOOD);
        until_action(&driver, &pushed, "judge", 1)
            .await
            .expect("it is judged");
        decide(&mut driver.world.aws(), "roll-back");
        driver.world.touch();

        ends(&driver, pair::PIPELINE, &pushed, "held").await;
    });
}

#[test]
fn an_alarm_in_alarm_ends_the_judgement_at_once() {
    let mut aws = shop_with(&[("Alarms", ALARM)]);
    set_alarm(&mut aws, ALARM, "OK");
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        until_action(&driver, &pushed, "judge", 1)
            .await
            .expect("it is judged");
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
        driver.world.touch();

        let execution = ends(&driver, pair::PIPELINE, &pushed, "rolled-back").await;
        let reason = reason(&driver, &execution);
        assert!(reason.contains("alarm shop-errors is in ALARM"), "{reason}");

        let reports = reports(&driver.world.aws());
        let page = &reports
            .iter()
            .find(|(key, _)| key.ends_with(".html"))
            .expect("a page")
            .1;
        assert!(
            page.contains("Roll back")
                && page.contains("<p class=\"lead\">alarm shop-errors is in ALARM: ")
        );
        assert_eq!(pair::weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn an_alarm_ends_a_judgement_although_the_rule_reads_as_before_the_shift() {
    let mut aws = shop_with(&[("Alarms", ALARM)]);
    set_alarm(&mut aws, ALARM, "OK");
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        until_action(&driver, &pushed, "judge", 0)
            .await
            .expect("it is judged");
        pair::set_weights(&mut driver.world.aws(), [0, 100]);
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
        driver.world.touch();

        let execution = ends(&driver, pair::PIPELINE, &pushed, "rolled-back").await;
        let reason = reason(&driver, &execution);
        assert!(reason.contains("alarm shop-errors is in ALARM"), "{reason}");
    });
}

#[test]
fn a_judgement_looks_again_while_the_rule_may_be_read_from_before_the_shift() {
    run(shop(), Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        until_action(&driver, &pushed, "judge", 0)
            .await
            .expect("it is judged");
        pair::set_weights(&mut driver.world.aws(), [0, 100]);
        pass(&driver, Duration::from_secs(90)).await;

        let waited = messages(&driver.world.aws(), "judge");
        let expected =
            "waiting for the rule to show blue 5 / green 95; it shows blue 0 / green 100 as before";
        assert!(
            waited.iter().any(|message| message == expected),
            "{waited:#?}"
        );

        pair::set_weights(&mut driver.world.aws(), [5, 95]);
        ends(&driver, pair::PIPELINE, &pushed, "deployed").await;
    });
}

/// Lets a release of a good image end while CloudWatch is disturbed so, and returns how, and what
/// its first judgement reported.
fn disturbed(disturb: impl Fn(&mut Aws)) -> (String, Vec<String>) {
    run(
        shop_with(&[("HoldMinutes", HOLD)]),
        Fault::None,
        async |driver: Driver| {
            disturb(&mut driver.world.aws());
            let execution = release(&driver, "2.0.0", Answers::GOOD).await;
            let aws = driver.world.snapshot();
            (outcome(&driver, &execution), messages(&aws, "judge"))
        },
    )
}

#[test]
fn a_throttled_cloudwatch_delays_a_judgement_and_fails_nothing() {
    let (outcome, messages) = disturbed(|aws| {
        let from = aws.now + 5 * 60_000;
        aws.cloudwatch
            .faults
            .throttled
            .push((from, from + 5 * 60_000));
    });
    assert_eq!(outcome, "deployed", "{messages:#?}");
    assert!(
        messages
            .iter()
            .any(|message| message.contains("Throttling") && message.contains("retrying")),
        "{messages:#?}"
    );
}

#[test]
fn late_and_lost_points_and_internal_errors_do_not_roll_a_healthy_image_back() {
    let (outcome, messages) =
        disturbed(|aws| (aws.cloudwatch.faults.lost, aws.cloudwatch.faults.late) = (0.01, 0.1));
    assert_eq!(outcome, "deployed", "{messages:#?}");

    let (outcome, messages) = disturbed(|aws| {
        (
            aws.cloudwatch.faults.internal_errors,
            aws.cloudwatch.faults.most_points,
        ) = (0.05, Some(70))
    });
    assert!(
        ["deployed", "held"].contains(&outcome.as_str()),
        "{outcome}: {messages:#?}"
    );
}

#[test]
fn a_sticky_rule_is_named_in_the_report() {
    let mut aws = shop();
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 600});
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("the rule is there");
    run(aws, Fault::None, async |driver| {
        release(&driver, "2.1.0", Answers::GOOD.failing(0.02)).await;
        let reports = reports(&driver.world.aws());
        let page = reports
            .iter()
            .find(|(key, _)| key.ends_with(".html"))
            .expect("a page");

        assert!(
            page.1
                .contains("sessions move, not requests: the two sides are not alike"),
            "{}",
            page.0
        );
    });
}
