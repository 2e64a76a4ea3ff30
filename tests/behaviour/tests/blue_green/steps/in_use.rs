//! What keeps the old colour from being stopped: an alarm of the action, requests of clients that
//! still reach it, and failures of the new one.

use emulator::Aws;
use emulator::cloudwatch::set_alarm;
use emulator::ecr::{self, Answers, Behaviour, Profile};
use emulator::elb::{self, Elb};
use emulator::traffic::{self, Incident};
use harness::demo::SHOP;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::retire::{due, left};
use super::swap::make_unhealthy;
use super::{
    calls, changed, definitions, filled, going, look, look_after, report, retire, through, to_all,
};
use behaviour::pair::{self, PIPELINE, counts, secs, shop};
use behaviour::{deny, ends, pass};

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

#[test]
fn an_alarm_that_was_deleted_keeps_the_old_colour_and_fails_no_release() {
    let look_at = |aws: Aws| {
        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let mut parameters = retire(&new);
            parameters["alarms"] = json!(["errors"]);
            let since = calls(&driver);
            let answer = report(&look(&driver, STEP, &parameters).await);
            let aws = driver.world.snapshot();
            (answer, counts(&aws), changed(&aws, since))
        })
    };
    // What does not stop the colour goes on.
    let (answer, ..) = look_at(left(900));
    assert_eq!(answer, going("scale-in re-enabled for both colours", 40));

    let (answer, tasks, writes) = look_at(due(900));
    let found = "100% to blue; alarm errors does not exist any more, so green is not stopped; ";
    let text = answer[1].as_str().unwrap_or_default();
    assert_eq!(
        (&answer[0], &answer[2]),
        (&json!("in-progress"), &json!(60))
    );
    assert!(text.starts_with(&format!("{found}15m0")), "{text}");
    assert_eq!((tasks, writes), ([2, 2], Vec::new()));

    let (answer, tasks, _) = look_at(due(3_900));
    let end = format!("{found}it keeps its tasks, which the next release replaces");
    assert_eq!((&answer[0], &answer[1]), (&json!("done"), &json!(end)));
    assert_eq!(tasks, [2, 2]);

    // One that exists is heard beside it.
    let mut aws = due(900);
    set_alarm(&mut aws, "latency", "ALARM");
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let mut parameters = retire(&new);
        parameters["alarms"] = json!(["errors", "latency"]);
        let answer = report(&look(&driver, STEP, &parameters).await);
        let text = answer[2].as_str().unwrap_or_default();
        assert!(text.starts_with("alarm latency is in ALARM: "), "{answer}");
    });
}

/// The rule of tests that forwards to green alone.
fn test_rule(aws: &Aws) -> String {
    let [_, green] = pair::groups(aws);
    let production = pair::rule(aws);
    let of_green = aws.elb.rules.values().find(|rule| {
        let forwards = Elb::forwards(aws.elb.actions_of(&rule.arn));
        rule.arn != production && forwards.iter().any(|(group, _)| *group == green)
    });
    of_green.expect("a test rule").arn.clone()
}

/// A rule that forwards a path to green alone was added while the release ran.
fn path_rule(aws: &mut Aws, tags: &Value) -> String {
    let [_, green] = pair::groups(aws);
    let rule = json!({
        "ListenerArn": pair::listener(aws), "Priority": 500,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": green}],
        "Tags": tags,
    });
    let created = elb::create_rule(aws, &rule).expect("legal");
    created["RuleArn"].as_str().expect("an ARN").to_owned()
}

/// Such a rule that clients use.
fn requested_by_clients(aws: &mut Aws) -> String {
    let rule = path_rule(aws, &json!([]));
    traffic::set(aws, &rule, 2.0);
    rule
}

#[test]
fn an_old_colour_that_gets_requests_by_another_rule_is_not_stopped() {
    let mut aws = due(900);
    let test = test_rule(&aws);
    let rule = requested_by_clients(&mut aws);
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
            " requests in the last 5 minutes although its weight is 0, possibly by {rule}, {test}; \
             20m0"
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
fn requests_of_tests_keep_no_old_colour() {
    let by_condition = |aws: &mut Aws| test_rule(aws);
    let by_tag = |aws: &mut Aws| {
        path_rule(
            aws,
            &json!([{"Key": "slipway:test-route", "Value": "true"}]),
        )
    };
    let rules: [&dyn Fn(&mut Aws) -> String; 2] = [&by_condition, &by_tag];
    for rule in rules {
        let mut aws = due(900);
        let rule = rule(&mut aws);
        traffic::set(&mut aws, &rule, 2.0);
        run(aws, Fault::None, async |driver| {
            pass(&driver, secs(300)).await;
            let [new, _] = definitions(&driver.world.aws());
            assert_eq!(
                report(&look(&driver, STEP, &retire(&new)).await),
                going("stopping the tasks of green", 75)
            );
        });
    }
}

/// Status and summary of a look at a colour with requests of clients, this many seconds after its
/// drain, of an action that began this many seconds ago.
fn requested_for(drained: i64, began: i64) -> [String; 2] {
    let mut aws = due(drained);
    requested_by_clients(&mut aws);
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(300)).await;
        let [new, _] = definitions(&driver.world.aws());
        let answer = report(&look_after(&driver, STEP, &retire(&new), began).await);
        assert_eq!(counts(&driver.world.aws()), [2, 2], "{answer}");
        [0_usize, 1].map(|at| answer[at].as_str().unwrap_or_default().to_owned())
    })
}

#[test]
fn an_old_colour_that_gets_requests_for_an_hour_keeps_its_tasks() {
    let [status, text] = requested_for(3_600, 0);
    assert_eq!(status, "done", "{text}");
    let end = "; it keeps its tasks, which the next release replaces";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn requests_to_the_old_colour_run_no_action_into_its_time_out() {
    let status = |began| requested_for(900, began)[0].clone();
    let hours = [22, 23].map(|hours| status(hours * 3_600));
    assert_eq!(hours, ["in-progress", "done"]);
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
    let test = test_rule(&aws);

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
        let ways =
            format!(" although its weight is 0, possibly by clients that the rule binds, {test}; ");
        assert!(text.contains(&ways), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

/// Most requests fail once blue has all of the traffic; green is stopped next, unless that keeps
/// it. The new revision.
async fn failing_after_the_swap(driver: &Driver) -> String {
    let [new, _] = definitions(&driver.world.aws());
    through(driver, "swap-target-groups", to_all(&new)).await;
    let from = driver.world.aws().now;
    let incident = Incident {
        from,
        to: from + 3_600_000,
        errors: 0.9,
        slower: 1.0,
    };
    driver.world.aws().traffic.incidents.push(incident);
    pass(driver, secs(600)).await;
    let scale_in = report(&look(driver, STEP, &retire(&new)).await);
    assert_eq!(scale_in, going("scale-in re-enabled for both colours", 40));

    pass(driver, secs(61)).await;
    new
}

#[test]
fn failures_while_the_old_colour_fails_its_checks_too_fail_no_release() {
    run(filled(), Fault::None, async |driver| {
        let new = failing_after_the_swap(&driver).await;
        make_unhealthy(&mut driver.world.aws(), "shop-green");
        pass(&driver, secs(35)).await;
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[1].as_str().unwrap_or_default();
        assert_eq!(answer[0], "in-progress", "{answer}");
        let found = "100% to blue, which fails most requests; 0 of 2 targets of green are healthy, \
                     so it fails too; ";
        assert!(text.starts_with(found), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

#[test]
fn the_old_colour_is_kept_while_the_new_one_fails_most_requests() {
    run(filled(), Fault::None, async |driver| {
        let new = failing_after_the_swap(&driver).await;
        let answer = report(&look(&driver, STEP, &retire(&new)).await);
        let text = answer[2].as_str().unwrap_or_default();
        assert_eq!(answer[0], "failed", "{answer}");
        let end = " requests to blue failed, by 5XX or a refused connection; expected fewer than \
                   50% in one of the last minutes; green keeps its tasks";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

#[test]
fn an_alarm_that_was_deleted_hides_no_failures_of_the_new_colour() {
    run(filled(), Fault::None, async |driver| {
        let new = failing_after_the_swap(&driver).await;
        let mut parameters = retire(&new);
        parameters["alarms"] = json!(["errors"]);
        let answer = report(&look(&driver, STEP, &parameters).await);
        let text = answer[2].as_str().unwrap_or_default();
        assert_eq!(answer[0], "failed", "{answer}");
        let found = " requests to blue failed, by 5XX or a refused connection; ";
        assert!(text.contains(found), "{text}");
        assert_eq!(counts(&driver.world.aws()), [2, 2]);
    });
}

#[test]
fn a_release_with_which_clients_begin_to_open_sockets_is_deployed() {
    let long = [
        ("Shift", "all-at-once"),
        ("BakeMinutes", "8"),
        ("DrainMinutes", "0"),
    ];
    run(shop(&long), Fault::None, async |driver| {
        let profile = Profile::of(Answers {
            sockets: 0.9,
            ..Answers::GOOD
        });
        let healthy = Behaviour::Healthy;
        let pushed = ecr::push_with(&mut driver.world.aws(), SHOP, "2.0.0", healthy, profile);
        driver.world.touch();

        let pushed = pushed.expect("the repository is there");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_deploy_role_that_may_not_read_metrics_fails_no_retirement() {
    run(due(900), Fault::None, async |driver| {
        pass(&driver, secs(61)).await;
        deny(&driver, "cloudwatch:GetMetricData");
        let [new, _] = definitions(&driver.world.aws());
        let done = through(&driver, STEP, retire(&new)).await;
        let remark = "requests were not looked at before the old colour was stopped: the deploy \
                      role may not call cloudwatch:GetMetricData; update the pipeline's stack";
        assert_eq!(
            report(&done),
            json!([
                "done",
                format!("green is retired, blue serves with 2 tasks; {remark}"),
                {"TaskDefinitionArn": new},
            ])
        );
    });
}
