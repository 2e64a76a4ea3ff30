//! Traffic moved, confirmed, watched and given back by swap-target-groups.

mod give_back;
mod growth;
mod last_bake;
mod parts;
mod sticky;

use emulator::cloudwatch::set_alarm;
use emulator::{Aws, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::{
    ago, calls, changed, definitions, edit, failed, filled, going, half, lease, look, look_after,
    open, overtaken, report, revision, shifted, timeless, to_half, unconfirmed, whole,
};
use behaviour::pair::{set_weights, weights};

const STEP: &str = "swap-target-groups";

fn weighted(blue: i64, green: i64) -> Value {
    json!({"blue": blue, "green": green})
}

async fn swap(driver: &Driver, more: Value) -> Value {
    let [new, _] = definitions(&driver.world.aws());
    let mut parameters = to_half(&new);
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    look(driver, STEP, &parameters).await
}

/// All of a colour's tasks stop answering their load balancer.
pub(super) fn make_unhealthy(aws: &mut Aws, colour: &str) {
    let service = aws
        .ecs
        .service_named(CLUSTER, colour)
        .expect("a colour")
        .arn
        .clone();
    let tasks: Vec<String> = aws
        .ecs
        .tasks_of(&service)
        .map(|task| task.arn.clone())
        .collect();
    tasks
        .iter()
        .for_each(|task| ecs::set_answering(aws, task, false));
}

#[test]
fn weights_are_announced_then_set_then_known_to_be_set() {
    run(filled(), Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("50% to blue, baking begins", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "ModifyRule", "PutItem"]);
        assert_eq!(weights(&aws), [50, 50]);

        let shift =
            json!({"from": weighted(0, 100), "to": weighted(50, 50), "at": "now", "made": true});
        assert_eq!(timeless(&aws, &open(&aws)["shift"]), shift);
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

#[test]
fn the_first_shift_waits_for_what_an_earlier_step_may_still_do() {
    let after = |secs| {
        let mut aws = filled();
        let at = ago(&aws, secs);
        edit(&mut aws, |lease| lease["changed_at"] = at);

        run(aws, Fault::None, async |driver| {
            let since = calls(&driver);
            let answer = swap(&driver, json!({})).await;
            (report(&answer), changed(&driver.world.aws(), since).len())
        })
    };
    let waits = |left: &str| {
        let why = format!("waiting {left} for earlier invocations to time out");
        going(
            &format!("0% to blue, {why}; 2 healthy targets in blue, at least 2 needed"),
            0,
        )
    };

    assert_eq!(after(0), (waits("1m00s"), 0));
    assert_eq!(after(59), (waits("1s"), 0));
    assert_eq!(after(60), (going("50% to blue, baking begins", 0), 3));
}

#[test]
fn a_shift_that_was_announced_and_made_is_confirmed_and_bakes_from_then_on() {
    let aws = unconfirmed();
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("weights are blue 50 / green 50", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);

        let shift =
            json!({"from": weighted(0, 100), "to": weighted(50, 50), "at": "now", "made": true});
        assert_eq!(timeless(&aws, &open(&aws)["shift"]), shift);
    });
}

#[test]
fn a_shift_that_was_announced_and_not_made_is_made() {
    let mut aws = unconfirmed();
    set_weights(&mut aws, [0, 100]);
    run(aws, Fault::None, async |driver| {
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("50% to blue, baking begins", 0)
        );
        assert_eq!(weights(&driver.world.aws()), [50, 50]);
    });
}

#[test]
fn parameters_of_the_action_decide_how_long_and_how_healthy_a_bake_must_be() {
    let mut aws = half();
    let set_at = ago(&aws, 100);
    edit(&mut aws, |lease| lease["release"]["shift"]["at"] = set_at);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let all = |more: Value| {
            let mut all = json!({"steps": [50, 100]});
            all.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("an object").clone());
            all
        };
        let summary = |answer: &Value| answer["summary"].as_str().unwrap_or_default().to_owned();
        let found = summary(&swap(&driver, all(json!({}))).await);

        assert!(
            found.ends_with("of 2m00s baked; 2 healthy targets in blue, at least 2 needed"),
            "{found}"
        );

        let found = summary(
            &swap(
                &driver,
                all(json!({"step_minutes": 3, "minimum_healthy_percent": 50})),
            )
            .await,
        );
        assert!(
            found.ends_with("of 3m00s baked; 2 healthy targets in blue, at least 1 needed"),
            "{found}"
        );

        let found = summary(&swap(&driver, json!({"bake_minutes": 4})).await);
        assert!(found.contains("of 4m00s baked"), "{found}");
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_shift_that_has_baked_is_done_and_names_the_colour_that_is_live_now() {
    let mut aws = half();
    let set_at = ago(&aws, 600);
    edit(&mut aws, |lease| lease["release"]["shift"]["at"] = set_at);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let summary = "50% to blue, baked 10m00s; 2 healthy targets in blue, at least 2 needed";
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            json!(["done", summary, {"LiveColour": "blue"}])
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_colour_that_is_not_fit_is_waited_for_since_the_action_began() {
    let mut aws = filled();
    edit(&mut aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(3)
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let waits = look_after(&driver, STEP, &to_half(&new), 599).await;
        let lacks = "desired count is 2, expected 3 or more; 2 of 3 targets healthy";
        let text = format!(
            "0% to blue, blue is not ready for 50%: {lacks}; 9m59s of 10m00s; 2 healthy targets \
            in blue, at least 3 needed"
        );

        assert_eq!(report(&waits), going(&text, 0));
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());

        let fails = look_after(&driver, STEP, &to_half(&new), 600).await;
        let text = format!(
            "blue is not ready for traffic as {} after 10m00s: {lacks}; no traffic was moved; \
            check the tasks and targets of blue",
            revision(&new)
        );
        assert_eq!(report(&fails), failed(&text));

        let aws = driver.world.snapshot();
        assert_eq!(
            open(&aws)["failure"],
            json!({"type": "JobFailed", "message": text})
        );
        assert_eq!(weights(&aws), [0, 100]);
    });
}

#[test]
fn weights_of_another_writer_fail_the_action_for_good() {
    let mut aws = half();
    set_weights(&mut aws, [10, 90]);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let text = "overridden: the weights are blue 10 / green 90, expected blue 50 / green 50; \
            another writer changed the listener rule, find it, then retry the release";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(text));

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);
        assert_eq!(
            open(&aws)["failure"],
            json!({"type": "JobFailed", "message": text, "cause": "overridden"})
        );

        // Also when the weights are as before again.
        set_weights(&mut driver.world.aws(), [50, 50]);
        assert_eq!(report(&swap(&driver, json!({})).await), failed(text));
    });
}

#[test]
fn an_alarm_of_the_action_takes_all_of_the_traffic_back_and_lets_none_move() {
    let more = || json!({"alarms": ["errors"]});
    let why = "alarm errors is in ALARM: ";
    for (mut aws, ending) in [
        (half(), "; traffic restored to blue 0 / green 100"),
        (whole(), "; traffic restored to blue 0 / green 100"),
        (
            filled(),
            "; no traffic was moved; release again when it is OK",
        ),
    ] {
        set_alarm(&mut aws, "errors", "ALARM");
        run(aws, Fault::None, async |driver| {
            let answer = report(&swap(&driver, more()).await);
            let text = answer[2].as_str().unwrap_or_default();
            assert_eq!(answer[0], "failed", "{answer}");
            assert!(text.starts_with(why) && text.ends_with(ending), "{text}");
            assert_eq!(weights(&driver.world.aws()), [0, 100]);
        });
    }

    let mut aws = half();
    set_alarm(&mut aws, "errors", "OK");
    run(aws, Fault::None, async |driver| {
        let answer = report(&swap(&driver, more()).await);
        assert_eq!(answer[0], "in-progress", "{answer}");
        assert_eq!(weights(&driver.world.aws()), [50, 50]);

        let unknown = report(&swap(&driver, json!({"alarms": ["other"]})).await);
        assert_eq!(unknown[1], "ConfigurationError", "{unknown}");
    });
}

#[test]
fn a_look_that_another_invocation_overtook_fails_nothing() {
    run(half(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let answer = overtaken(&driver, STEP, &to_half(&new), |aws| shifted(aws, [70, 30])).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");

        let aws = driver.world.snapshot();
        assert_eq!(
            (&open(&aws)["failure"], weights(&aws)),
            (&json!(null), [70, 30])
        );
    });
}

#[test]
fn the_step_for_records_moves_no_traffic_behind_a_rule() {
    run(filled(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let refused = report(&look(&driver, "swap-records", &to_half(&new)).await);
        assert_eq!(refused[1], "ConfigurationError", "{refused}");

        let message = refused[2].as_str().unwrap_or_default();
        let remedy = "; run swap-target-groups in place of this action";
        assert!(message.ends_with(remedy), "{message}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}
