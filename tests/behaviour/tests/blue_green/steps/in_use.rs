//! What keeps the old colour from being stopped: an alarm of the action, requests that still reach
//! it, and failures of the new one.

use emulator::Aws;
use emulator::cloudwatch::set_alarm;
use emulator::elb::{self, Elb};
use emulator::traffic::{self, Incident};
use harness::driver::{Fault, run};
use serde_json::json;

use super::retire::{due, left};
use super::{calls, changed, definitions, filled, going, look, report, retire, through, to_all};
use behaviour::pair::{self, counts, secs};
use behaviour::pass;

const STEP: &str = "update-service";

#[test]
fn an_alarm_of_the_action_keeps_the_old_colour() {
    for mut aws in [left(10), left(900), due(900)] {
        set_alarm(&mut aws, "errors", "ALARM");
        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let mut parameters = retire(&new);
            parameters["alarms"] = json!(["errors"]);
            let since = calls(&driver);
            let answer = report(&look(&driver, STEP, &parameters).await);

            let text = answer[2].as_str().unwrap_or_default();
            assert_eq!(answer[0], "failed", "{answer}");
            assert!(text.starts_with("alarm errors is in ALARM: "), "{text}");
            assert!(text.ends_with("; green keeps its tasks"), "{text}");
            let aws = driver.world.snapshot();
            assert_eq!(
                (counts(&aws), changed(&aws, since)),
                ([2, 2], vec!["PutItem".to_owned()])
            );
        });
    }

    let mut aws = left(900);
    set_alarm(&mut aws, "errors", "OK");
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let mut parameters = retire(&new);
        parameters["alarms"] = json!(["errors"]);
        assert_eq!(
            report(&look(&driver, STEP, &parameters).await),
            going("scale-in re-enabled for both colours", 40)
        );
    });
}

/// The rule of tests that forwards to green alone gets requests.
fn requested_by_rule(aws: &mut Aws) -> String {
    let [_, green] = pair::groups(aws);
    let production = pair::rule(aws);
    let of_green = aws.elb.rules.values().find(|rule| {
        let forwards = Elb::forwards(aws.elb.actions_of(&rule.arn));
        rule.arn != production && forwards.iter().any(|(group, _)| *group == green)
    });
    let rule = of_green.expect("a test rule").arn.clone();
    traffic::set(aws, &rule, 2.0);
    rule
}

#[test]
fn an_old_colour_that_gets_requests_by_another_rule_is_not_stopped() {
    let mut aws = due(900);
    let rule = requested_by_rule(&mut aws);
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(300)).await;
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[1].as_str().unwrap_or_default();
        assert_eq!(
            (&answer[0], &answer[2]),
            (&json!("in-progress"), &json!(60))
        );
        assert!(text.starts_with("100% to blue; green got "), "{text}");
        let way = format!(
            " requests in the last 5 minutes although its weight is 0, possibly by {rule}; 20m0"
        );
        assert!(text.contains(&way), "{text}");
        let aws = driver.world.snapshot();
        assert_eq!(
            (counts(&aws), changed(&aws, since)),
            ([2, 2], Vec::<String>::new())
        );

        traffic::set(&mut driver.world.aws(), &rule, 0.0);
        pass(&driver, secs(420)).await;
        assert_eq!(
            report(&look(&driver, STEP, &retire(&new)).await),
            going("stopping the tasks of green", 75)
        );
    });
}

#[test]
fn an_old_colour_that_gets_requests_for_an_hour_keeps_its_tasks() {
    let mut aws = due(3_600);
    requested_by_rule(&mut aws);
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(300)).await;
        let [new, _] = definitions(&driver.world.aws());
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[1].as_str().unwrap_or_default();
        assert_eq!(answer[0], "done", "{answer}");
        let end = "; it keeps its tasks, which the next release replaces";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

#[test]
fn clients_that_renew_their_cookies_keep_the_old_colour() {
    let mut aws = filled();
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 120});
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
    traffic::set_sticky(&mut aws, &rule, 0.2);
    traffic::renew_cookies(&mut aws, &rule);

    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        through(&driver, "swap-target-groups", to_all(&new)).await;
        pass(&driver, secs(600)).await;
        let scale_in = report(&look(&driver, STEP, &retire(&new)).await);
        assert_eq!(scale_in, going("scale-in re-enabled for both colours", 40));

        pass(&driver, secs(61)).await;
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[1].as_str().unwrap_or_default();
        assert_eq!(answer[0], "in-progress", "{answer}");
        assert!(
            text.contains(" although its weight is 0, possibly by "),
            "{text}"
        );
        assert!(text.contains(", clients that the rule binds; "), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

#[test]
fn the_old_colour_is_kept_while_the_new_one_fails_most_requests() {
    let mut aws = due(900);
    let (from, to) = (aws.now, aws.now + 3_600_000);
    let incident = Incident {
        from,
        to,
        errors: 0.9,
        slower: 1.0,
    };
    aws.traffic.incidents.push(incident);
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(540)).await;
        let [new, _] = definitions(&driver.world.aws());
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[2].as_str().unwrap_or_default();
        assert_eq!(answer[0], "failed", "{answer}");
        let end = " requests to blue had no good answer since it has all of the traffic; expected \
                   fewer than 50% in one of the last minutes; green keeps its tasks";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}
