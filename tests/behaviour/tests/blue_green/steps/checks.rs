//! HTTP checks of the idle colour through its test rule, before it gets production traffic.

use emulator::{Aws, ecs, elb};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::{
    calls, changed, common, definitions, failed, filled, look, open, report, revision, to_half,
};
use behaviour::pair::{self, secs};
use behaviour::{invoke, pass};

const STEP: &str = "run-checks";

/// The page of a load balancer whose target refuses the connection, as a result shows it.
const REFUSED: &str = "found status 502 with body \"<html>\\r\\n<head><title>502 Bad Gateway\
                       </title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway";

fn url(aws: &Aws) -> String {
    let listener = &aws.elb.listeners[&pair::listener(aws)];
    let balancer = &aws.elb.load_balancers[&listener.load_balancer_arn];
    format!("http://{}/health", balancer.dns_name)
}

/// A check through the test rule of blue, the idle colour.
fn check(aws: &Aws, name: &str, more: Value) -> Value {
    let mut check = json!({
        "name": name, "url": url(aws), "headers": {"x-slipway-colour": "blue"},
    });
    let members = more.as_object().expect("an object").clone();
    check.as_object_mut().expect("an object").extend(members);
    check
}

async fn looked(driver: &Driver, checks: Value) -> Value {
    look(driver, STEP, &json!({ "http_checks": checks })).await
}

/// All tasks of blue answer their load balancer, or none does.
fn set_answering(aws: &mut Aws, answers: bool) {
    let blue = aws.ecs.service_named(CLUSTER, "shop-blue");
    let blue = blue.expect("a colour").arn.clone();
    let tasks = aws.ecs.tasks_of(&blue).map(|task| task.arn.clone());
    let tasks: Vec<String> = tasks.collect();
    for task in &tasks {
        ecs::set_answering(aws, task, answers);
    }
}

/// The results of a report, each without the time that it took.
fn results(answer: &Value) -> Vec<String> {
    let text = answer["summary"].as_str().or(answer["message"].as_str());
    let results = text.expect("a text").split("; ");
    let without_time = |text: &str| match text.split_once(" in ") {
        Some((before, time)) if time.ends_with("ms") => before.to_owned(),
        _ => text.to_owned(),
    };
    results.map(without_time).collect()
}

#[test]
fn the_idle_colour_responds_through_its_test_rule_and_the_live_one_without() {
    run(filled(), Fault::None, async |driver| {
        let aws = driver.world.snapshot();
        let [new, old] = definitions(&aws);
        let since = calls(&driver);
        let idle = json!({
            "body_contains": revision(&new), "max_latency_ms": 1000,
            "response_header": {"name": "content-type", "value": "text/plain"},
        });
        let live = json!({"body_contains": revision(&old), "headers": {}});
        let checks = json!([check(&aws, "idle", idle), check(&aws, "live", live)]);
        let answer = looked(&driver, checks).await;

        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(
            results(&answer),
            ["OK idle: status 200", "OK live: status 200"]
        );
        assert!(changed(&driver.world.aws(), since).is_empty());
    });
}

#[test]
fn another_revision_behind_the_test_rule_fails_the_release_with_what_was_found() {
    run(filled(), Fault::None, async |driver| {
        let aws = driver.world.snapshot();
        let [new, old] = definitions(&aws);
        let wrong = check(&aws, "idle", json!({"body_contains": revision(&old)}));
        let answer = looked(&driver, json!([wrong])).await;

        let (found, expected) = (revision(&new), revision(&old));
        let message = format!("NG idle: found body \"{found}\"; expected \"{expected}\"");
        assert_eq!(report(&answer), failed(&message));
    });
}

#[test]
fn nothing_is_requested_for_a_revision_that_the_live_colour_already_runs() {
    run(filled(), Fault::None, async |driver| {
        // Nothing would respond for the idle colour, as when no release has filled it.
        set_answering(&mut driver.world.aws(), false);
        let aws = driver.world.snapshot();
        let [new, old] = definitions(&aws);
        let of = |definition: &str| {
            let checks = json!([check(&aws, "idle", json!({}))]);
            json!({"task_definition": definition, "http_checks": checks})
        };
        let requests = || {
            let aws = driver.world.aws();
            let calls = aws.calls.iter();
            calls.filter(|call| call.service == "http").count()
        };

        let live = look(&driver, STEP, &of(&old)).await;
        let nothing = format!(
            "nothing to do: live colour green already runs {}",
            revision(&old)
        );
        assert_eq!(report(&live), json!(["done", nothing, {}]));
        assert_eq!(requests(), 0);

        let idle = look(&driver, STEP, &of(&new)).await;
        assert_eq!(idle["status"], "failed", "{idle}");
        assert_eq!(requests(), 1);
    });
}

#[test]
fn a_check_that_fails_ends_the_release_before_traffic_moves() {
    run(filled(), Fault::None, async |driver| {
        set_answering(&mut driver.world.aws(), false);
        let aws = driver.world.snapshot();
        let checks = json!([
            check(&aws, "live", json!({"headers": {}})),
            check(&aws, "later", json!({"attempts": 3})),
            check(&aws, "idle", json!({})),
        ]);
        let answer = looked(&driver, checks).await;

        let message = answer["message"].as_str().expect("a message");
        let ng = format!("NG idle: {REFUSED}");
        assert!(message.starts_with(&ng), "{message}");
        let rest = [
            "expected status 200",
            "SKIP later: not decided after 1 of 3 attempts, because another result is NG",
            "OK live: status 200",
        ];
        assert_eq!(results(&answer)[1..], rest);

        let aws = driver.world.snapshot();
        let recorded = open(&aws)["failure"]["message"].clone();
        assert!(
            recorded.as_str().is_some_and(|text| text.starts_with(&ng)),
            "{recorded}"
        );
        let [new, _] = definitions(&aws);
        let swap = look(&driver, "swap-target-groups", &to_half(&new)).await;
        assert_eq!(swap["status"], "failed", "{swap}");
        assert_eq!(pair::weights(&driver.world.aws()), [0, 100]);
    });
}

/// A check that passes only if the header decides which colour responds.
fn decided(aws: &Aws) -> Value {
    json!([check(
        aws,
        "idle",
        json!({"decided_by": "x-slipway-colour"})
    )])
}

/// The load balancer refuses the header where no test rule takes it.
fn refuse_header(aws: &mut Aws) {
    let header = json!({"HttpHeaderName": "x-slipway-colour", "Values": ["*"]});
    let refusal = json!({
        "ListenerArn": pair::listener(aws), "Priority": 999,
        "Conditions": [{"Field": "http-header", "HttpHeaderConfig": header}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}],
    });
    elb::create_rule(aws, &refusal).expect("the priority is free");
}

#[test]
fn a_response_proves_nothing_while_the_live_colour_takes_the_header_too() {
    for is_outside in [false, true] {
        run(filled(), Fault::None, async |driver| {
            driver.world.aws().elb.sources_unlisted = is_outside;
            let aws = driver.world.snapshot();
            let [_, old] = definitions(&aws);
            let answer = looked(&driver, decided(&aws)).await;

            let message = format!(
                "NG idle: not proven which version responded: with x-slipway-colour \"neither\" \
                 found status 200 with body \"{}\"; expected status 403, 404",
                revision(&old)
            );
            assert_eq!(report(&answer), failed(&message));
        });
    }
}

#[test]
fn a_response_is_that_of_the_idle_colour_where_no_other_takes_its_header() {
    let not_matched = "NG idle: found status 403 with body \"\"";
    for (is_outside, expected) in [(false, "OK idle: status 200"), (true, not_matched)] {
        run(filled(), Fault::None, async |driver| {
            refuse_header(&mut driver.world.aws());
            driver.world.aws().elb.sources_unlisted = is_outside;
            let aws = driver.world.snapshot();
            let answer = looked(&driver, decided(&aws)).await;
            assert_eq!(results(&answer)[0], expected, "{answer}");
        });
    }
}

#[test]
fn several_checks_have_a_proof_each() {
    run(filled(), Fault::None, async |driver| {
        refuse_header(&mut driver.world.aws());
        let aws = driver.world.snapshot();
        let [new, old] = definitions(&aws);
        let plain = json!({"headers": {}, "body_contains": revision(&old)});
        let idle = json!({"decided_by": "x-slipway-colour", "body_contains": revision(&new)});
        let checks = json!([
            check(&aws, "live", plain),
            check(&aws, "one", idle.clone()),
            check(&aws, "two", idle),
        ]);
        let answer = looked(&driver, checks).await;
        let passed = ["live", "one", "two"].map(|name| format!("OK {name}: status 200"));
        assert_eq!(results(&answer), passed);
    });
}

#[test]
fn one_attempt_is_made_a_job_until_enough_have_passed() {
    run(filled(), Fault::None, async |driver| {
        set_answering(&mut driver.world.aws(), false);
        let aws = driver.world.snapshot();
        let more = json!({"attempts": 4, "required": 2});
        let parameters = json!({"http_checks": [check(&aws, "idle", more)]});
        let mut answer = look(&driver, STEP, &parameters).await;

        for counts in ["0 of 1", "1 of 2"] {
            assert_eq!(answer["status"], "in-progress", "{answer}");
            let counts = format!("{counts} attempts passed, 2 of 4 required");
            assert_eq!(results(&answer).last(), Some(&counts), "{answer}");

            set_answering(&mut driver.world.aws(), true);
            pass(&driver, secs(30)).await;
            let event = json!({
                "parameters": common(&parameters),
                "continuationToken": answer["continuationToken"],
            });
            answer = invoke(&driver, STEP, event).await.expect("an answer");
        }

        assert_eq!(answer["status"], "done", "{answer}");
        let expected = [
            "OK idle: status 200",
            "2 of 3 attempts passed, 2 of 4 required",
        ];
        assert_eq!(results(&answer), expected);
    });
}

#[test]
fn a_response_that_takes_too_long_fails_the_check() {
    run(filled(), Fault::None, async |driver| {
        let aws = driver.world.snapshot();
        let slow = check(&aws, "idle", json!({"max_latency_ms": 1}));
        let answer = looked(&driver, json!([slow])).await;

        let results = results(&answer);
        assert!(results[0].starts_with("NG idle: found "), "{answer}");
        assert_eq!(results[1], "expected at most 1ms");
    });
}

#[test]
fn the_functions_own_addresses_are_not_requested() {
    run(filled(), Fault::None, async |driver| {
        let url = "http://169.254.169.254/latest/meta-data/";
        let check = json!({"name": "idle", "url": url});
        let answer = looked(&driver, json!([check])).await;

        assert_eq!(answer["type"], "ConfigurationError", "{answer}");
        let expected = format!("`http_checks[0].url` is `{url}`; expected a host outside the");
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|text| text.starts_with(&expected))
        );
        let aws = driver.world.aws();
        assert!(aws.calls.iter().all(|call| call.service != "http"));
    });
}
