//! The same for a blue/green pair: parameters that do not fit it, accounts in which it is
//! incomplete, and steps in another order.

use emulator::elb::{self, Elb};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::Wrong::{Account, Change, Missing, Set};
use super::{Bench, Wrong, release};
use behaviour::pair::{self, PIPELINE, SHORT, weights};
use behaviour::{account, failure, invoke, jobs, newest, pass, push, service, writes};

const PAIR: Bench = Bench {
    pipeline: PIPELINE,
    repository: SHOP,
    prepare: |_| {},
};

/// Checks every case of an action of the pair's pipeline: refused at once and so, and in the end
/// all is as it was.
fn check(bench: Bench, action: &str, function: &str, kind: &str, cases: &[(Wrong, &[&str])]) {
    let before = {
        let mut aws = account();
        (bench.prepare)(&mut aws);
        aws
    };
    let mut failed = Vec::new();
    for (wrong, fragments) in cases {
        let after = release(bench, action, wrong);
        let jobs = jobs(&after, &newest(&after, PIPELINE).id, action);
        let (found, message) = jobs
            .first()
            .and_then(|job| failure(job))
            .unwrap_or(("no failure", ""));
        let missing: Vec<_> = fragments
            .iter()
            .filter(|fragment| !message.contains(**fragment))
            .collect();

        if jobs.len() != 1 || found != kind || !missing.is_empty() {
            failed.push(format!(
                "{} jobs, {found}, not in the message {missing:?}: {message}",
                jobs.len()
            ));
        }

        let own = format!("of slipway-{function}");
        let changes = writes(&after, before.calls.len());
        let at_once = function != "update-service" || action != "retire";

        if at_once
            && changes
                .iter()
                .any(|write| write.ends_with(&own) && !is_ledgers(write))
            && action != "fill"
        {
            failed.push(format!("{fragments:?}: {changes:?}"));
        }
        if action == "fill"
            && changes
                .iter()
                .any(|write| write.starts_with("UpdateService"))
        {
            failed.push(format!("{fragments:?}: {changes:?}"));
        }
        if weights(&after) != weights(&before) || described(&after) != described(&before) {
            failed.push(format!(
                "{fragments:?}: {} was {}",
                described(&after),
                described(&before)
            ));
        }
    }

    assert!(failed.is_empty(), "{action}:\n{}", failed.join("\n"));
}

fn is_ledgers(write: &str) -> bool {
    ["PutItem", "TransactWriteItems"]
        .iter()
        .any(|known| write.starts_with(known))
}

/// State of the pair, as far as it is there.
fn described(aws: &Aws) -> Value {
    let whole = pair::COLOURS
        .iter()
        .all(|name| !service(aws, CLUSTER, name)["taskDefinition"].is_null());
    // What a rollback sets a rule to is written another way than what CloudFormation did: its
    // weights are compared.
    if whole {
        json!([
            pair::definitions(aws),
            pair::counts(aws),
            pair::suspensions(aws)
        ])
    } else {
        json!(null)
    }
}

#[test]
fn begin_release_of_a_pair_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    let nowhere = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/\
        app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";
    let test_rule = |name: &str| {
        let aws = account();
        let stack = aws.cloudformation.stack(SHOP).expect("the story's stack");
        json!(stack.resource(name).expect("a rule").physical_id)
    };
    let cases: [(Wrong, &[&str]); 12] = [
        (
            Missing("rule"),
            &["`rule` is missing", "expected", "listener rule"],
        ),
        (
            Set("rule", json!("shop")),
            &["`rule` is `shop`", "expected", "arn:…:listener-rule/app/…"],
        ),
        (Set("rule", json!(7)), &["`rule` (found 7)", fix]),
        (
            Set("rule", json!(nowhere)),
            &[
                "`rule` is `arn:",
                "which does not exist",
                "expected an existing",
            ],
        ),
        (
            Set("rule", test_rule("BlueTestRule")),
            &[
                "no target group of service `shop-green`",
                "expected a forward action",
                "add the group",
            ],
        ),
        (
            Set("rule", test_rule("GreenTestRule")),
            &[
                "no target group of service `shop-blue`",
                "expected a forward action",
                "add the group",
            ],
        ),
        (
            Set("rule", test_rule("Listener")),
            &[
                "no target group of service `shop-blue`",
                "expected a forward action",
                "add the group",
            ],
        ),
        (
            Set("strategy", json!("blue_green")),
            &["`strategy`", "`blue_green`", "`blue-green`", fix],
        ),
        (
            Set("strategy", json!("rolling")),
            &[
                "`rule` is given",
                "expected with strategy `blue-green` only",
                "remove it",
            ],
        ),
        (
            Set("desired_count", json!(3)),
            &[
                "`desired_count` is given",
                "with strategy `blue-green`",
                "remove it",
            ],
        ),
        (
            Set("maximum_percent", json!(150)),
            &[
                "`maximum_percent` is given",
                "strategy `blue-green`",
                "remove it",
            ],
        ),
        (
            Set("service", json!("shpo")),
            &[
                "service `shpo-blue`",
                "cluster `apps`",
                "expected an existing service",
                "change `service`",
            ],
        ),
    ];
    check(
        PAIR,
        "begin-release",
        "begin-release",
        "ConfigurationError",
        &cases,
    );
}

/// The rule forwards to one colour only, as after a change from outside.
fn one_colour(aws: &mut Aws) {
    let (rule, [blue, _]) = (pair::rule(aws), pair::groups(aws));
    let actions = json!([{"Type": "forward", "TargetGroupArn": blue}]);
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("legal");
}

fn same_group(aws: &mut Aws) {
    let balancers = service(aws, CLUSTER, "shop-blue")["loadBalancers"].clone();
    pair::set(aws, "shop-green", json!({ "loadBalancers": balancers }));
}

fn no_green(aws: &mut Aws) {
    let gone = json!({"cluster": CLUSTER, "service": "shop-green", "force": true});
    ecs::call(aws, "DeleteService", &gone).expect("it was there");
}

fn no_tag(aws: &mut Aws) {
    let arn = aws
        .ecs
        .service_named(CLUSTER, "shop-green")
        .expect("a colour")
        .arn
        .clone();
    aws.ecs
        .services
        .get_mut(&arn)
        .expect("a colour")
        .tags
        .retain(|tag| tag["key"] != "slipway:service");
}

#[test]
fn incomplete_pairs_are_refused_at_once() {
    type Case<'a> = (fn(&mut Aws), &'a [&'a str]);

    let cases: [Case; 5] = [
        (
            same_group,
            &[
                "both colours register with arn:",
                "expected a separate target group for each",
            ],
        ),
        (
            no_green,
            &["`shop-green` is DRAINING", "expected ACTIVE for a release"],
        ),
        (
            no_tag,
            &[
                "`shop-green` is missing the tag `slipway:service`",
                "aws ecs tag-resource",
            ],
        ),
        (
            |aws| pair::set_weights(aws, [50, 50]),
            &[
                "blue 50 / green 50",
                "no earlier release recorded",
                "weight",
            ],
        ),
        (
            |aws| pair::set_weights(aws, [0, 0]),
            &["blue 0 / green 0", "no earlier release recorded", "weight"],
        ),
    ];
    for (prepare, fragments) in cases {
        let bench = Bench { prepare, ..PAIR };
        check(
            bench,
            "begin-release",
            "begin-release",
            "ConfigurationError",
            &[(Account, fragments)],
        );
    }

    let mut aws = account();
    one_colour(&mut aws);
    assert_eq!(
        Elb::forwards(aws.elb.actions_of(&pair::rule(&aws))).len(),
        1
    );

    run(aws, Fault::None, async |driver| {
        let rule = pair::rule(&driver.world.aws());
        let begin = common(json!({"strategy": "blue-green", "rule": rule}));
        refuses(
            &driver,
            "begin-release",
            begin,
            "ConfigurationError",
            &["no target group of service `shop-green`"],
        )
        .await;
    });
}

#[test]
fn update_service_of_a_pair_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    let given = "with strategy `blue-green`";
    let fill: [(Wrong, &[&str]); 9] = [
        (
            Missing("mode"),
            &["`mode` is missing", "expected `fill`, `size` or `retire`"],
        ),
        (
            Set("mode", json!("filll")),
            &["`mode`", "`filll`", "`fill`, `size`, `retire`", fix],
        ),
        (
            Set("drain_minutes", json!(5)),
            &[
                "`drain_minutes` is given",
                "expected with mode `retire` only",
                "remove it",
            ],
        ),
        (
            Set("drain_minutes", json!(-1)),
            &["`drain_minutes` (found -1)", fix],
        ),
        (
            Set("desired_count", json!(3)),
            &["`desired_count` is given", given, "remove it"],
        ),
        (
            Set("initial_count", json!(0)),
            &["`initial_count` is 0", "expected 1 or more"],
        ),
        (
            Set("deadline_minutes", json!(0)),
            &["`deadline_minutes` is 0", "expected 1 to"],
        ),
        (
            Set("strategy", json!("rolling")),
            &[
                "`mode` is given",
                "expected with strategy `blue-green` only",
                "remove it",
            ],
        ),
        (
            Change(json!({"strategy": "rolling", "mode": null})),
            &[
                "`strategy` does not fit",
                "a blue/green pair",
                "expected `blue-green`",
                "same strategy",
            ],
        ),
    ];
    check(PAIR, "fill", "update-service", "ConfigurationError", &fill);

    let retire: [(Wrong, &[&str]); 2] = [
        (
            Set("drain_minutes", json!(1381)),
            &["`drain_minutes` is 1381", "expected 0 to 1380"],
        ),
        (
            Set("drain_minutes", json!("5")),
            &["`drain_minutes` (found \"5\")", fix],
        ),
    ];
    let short = Bench {
        prepare: |aws| pair::configure(aws, &SHORT),
        ..PAIR
    };
    check(
        short,
        "retire",
        "update-service",
        "ConfigurationError",
        &retire,
    );
}

#[test]
fn swap_target_groups_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    let listed =
        |steps: Value| Change(json!({"shift": "listed", "step_percent": null, "steps": steps}));
    let cases: [(Wrong, &[&str]); 25] = [
        (
            Set("colour", json!("blue")),
            &["`colour`", "expected one of", fix],
        ),
        (Missing("shift"), &["missing field `shift`", fix]),
        (
            Set("shift", json!("at-once")),
            &[
                "`shift`",
                "`at-once`",
                "`all-at-once`, `linear`, `listed`",
                fix,
            ],
        ),
        (
            Missing("step_percent"),
            &[
                "`step_percent` is missing",
                "expected 1 to 100 with shift `linear`",
            ],
        ),
        (
            Set("step_percent", json!(0)),
            &["`step_percent` (found 0)", "1 to 100", fix],
        ),
        (
            Set("step_percent", json!(101)),
            &["`step_percent` (found 101)", "1 to 100", fix],
        ),
        (
            Set("step_percent", json!("20")),
            &["`step_percent` (found \"20\")", fix],
        ),
        (
            Set("steps", json!([25, 100])),
            &[
                "`steps` is given",
                "expected with shift `listed` only",
                "remove it",
            ],
        ),
        (
            Set("shift", json!("listed")),
            &[
                "`step_percent` is given",
                "expected with shift `linear` only",
                "remove it",
            ],
        ),
        (
            Set("shift", json!("all-at-once")),
            &[
                "`step_percent` is given",
                "expected with shift `linear` only",
                "remove it",
            ],
        ),
        (
            Change(json!({"shift": "all-at-once", "step_percent": null})),
            &[
                "`step_minutes` is given",
                "`all-at-once`",
                "`bake_minutes`",
                "remove it",
            ],
        ),
        (
            listed(json!(null)),
            &[
                "`steps` is missing",
                "expected rising percentages such as [5, 25, 100]",
            ],
        ),
        (
            listed(json!([])),
            &["`steps` is []", "expected 1 to 20 rising percentages"],
        ),
        (
            listed(json!([50, 25, 100])),
            &[
                "`steps` is [50, 25, 100]",
                "expected 1 to 20 rising percentages",
            ],
        ),
        (
            listed(json!([50, 50])),
            &["`steps` is [50, 50]", "expected", "rising"],
        ),
        (
            listed(json!((1..=21).collect::<Vec<_>>())),
            &["`steps` is [1, 2", "expected 1 to 20 rising"],
        ),
        (
            listed(json!([0, 100])),
            &["`steps[0]`: 0 is out of range", "1 to 100", fix],
        ),
        (
            listed(json!([50, 101])),
            &["`steps[1]`: 101 is out of range", "1 to 100", fix],
        ),
        (
            Set("step_minutes", json!(-1)),
            &["`step_minutes` (found -1)", fix],
        ),
        (
            Set("step_minutes", json!(400)),
            &[
                "would bake for 1605 minutes",
                "`step_minutes`",
                "expected at most 1380",
                "24 hours",
            ],
        ),
        (
            Set("bake_minutes", json!(1381)),
            &[
                "would bake for 1389 minutes",
                "`bake_minutes`",
                "expected at most 1380",
                "24 hours",
            ],
        ),
        (
            Set("bake_minutes", json!(2.5)),
            &["`bake_minutes` (found 2.5)", fix],
        ),
        (
            Set("minimum_healthy_percent", json!(0)),
            &["`minimum_healthy_percent` (found 0)", "1 to 100", fix],
        ),
        (
            Set("minimum_healthy_percent", json!(101)),
            &["`minimum_healthy_percent` (found 101)", "1 to 100", fix],
        ),
        (
            Set("task_definition", json!("shop-green:2")),
            &["`task_definition` is `shop-green:2`", "expected the ARN"],
        ),
    ];
    check(
        PAIR,
        "swap-target-groups",
        "swap-target-groups",
        "ConfigurationError",
        &cases,
    );

    // Not the configuration but what the colour runs is wrong.
    let other = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-green:9";
    let cases: [(Wrong, &[&str]); 1] = [(
        Set("task_definition", json!(other)),
        &[
            "green is not ready for traffic as shop-green:9",
            "no traffic was moved",
        ],
    )];
    check(
        PAIR,
        "swap-target-groups",
        "swap-target-groups",
        "JobFailed",
        &cases,
    );
}

/// Parameters of a step by hand.
fn common(more: Value) -> Value {
    let mut all = json!({
        "pipeline": "slipway-by-hand",
        "execution": "jane-1",
        "cluster": CLUSTER,
        "service": SHOP,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// Runs a step by hand until it is done or failed.
async fn by_hand(driver: &Driver, step: &str, parameters: Value) -> Value {
    let mut event = json!({ "parameters": parameters });
    loop {
        let answer = invoke(driver, step, event.clone())
            .await
            .expect("an answer");
        if answer["status"] != "going" {
            return answer;
        }
        event["continuationToken"] = answer["continuationToken"].clone();
        pass(driver, pair::secs(30)).await;
    }
}

/// A step by hand is refused at its first look, and changes nothing but the ledger.
async fn refuses(driver: &Driver, step: &str, parameters: Value, kind: &str, fragments: &[&str]) {
    let since = driver.world.aws().calls.len();
    let answer = invoke(driver, step, json!({ "parameters": parameters }))
        .await
        .expect("an answer");
    assert_eq!(
        (&answer["status"], &answer["type"]),
        (&json!("failed"), &json!(kind)),
        "{step}: {answer}"
    );

    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        fragments.iter().all(|fragment| message.contains(fragment)),
        "{step}: {message}"
    );

    let mut changes = writes(&driver.world.aws(), since);
    changes.retain(|write| !is_ledgers(write));
    assert_eq!(changes, Vec::<String>::new(), "{step}");
}

const IN_PLACE_DEFINITION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

#[test]
fn steps_of_a_pair_are_refused_on_a_single_service() {
    let of_web = |more: Value| {
        let mut all = common(more);
        all["service"] = json!(WEB);
        all
    };
    let wrong = [
        (
            "swap-target-groups",
            json!({"task_definition": IN_PLACE_DEFINITION, "shift": "all-at-once"}),
            [
                "a single service",
                "`strategy` to `blue-green` in begin-release",
            ],
        ),
        (
            "update-service",
            json!({
                "task_definition": IN_PLACE_DEFINITION,
                "strategy": "blue-green",
                "mode": "fill",
            }),
            ["`strategy` does not fit", "a single service"],
        ),
    ];

    for (step, parameters, fragments) in wrong {
        run(account(), Fault::None, async |driver| {
            let begun = by_hand(
                &driver,
                "begin-release",
                of_web(json!({"strategy": "rolling"})),
            )
            .await;
            assert_eq!(begun["status"], "done", "{begun}");

            refuses(
                &driver,
                step,
                of_web(parameters),
                "ConfigurationError",
                &fragments,
            )
            .await;
        });
    }
}

#[test]
fn steps_of_a_pair_are_refused_in_another_order() {
    let fill = |definition: &str| {
        json!({
            "task_definition": definition,
            "strategy": "blue-green",
            "mode": "fill",
        })
    };
    let retire = |definition: &str| {
        json!({
            "task_definition": definition,
            "strategy": "blue-green",
            "mode": "retire",
        })
    };
    let swap = |definition: &str| json!({"task_definition": definition, "shift": "all-at-once"});
    type Case<'a> = (
        bool,
        &'a str,
        &'a dyn Fn(&str) -> Value,
        &'a str,
        [&'a str; 2],
    );

    let cases: [Case; 4] = [
        (
            false,
            "swap-target-groups",
            &swap,
            "JobFailed",
            ["green is not ready for traffic", "no traffic was moved"],
        ),
        (
            false,
            "update-service",
            &retire,
            "JobFailed",
            ["blue cannot be retired", "run swap-target-groups"],
        ),
        (
            true,
            "update-service",
            &retire,
            "JobFailed",
            ["blue cannot be retired", "run swap-target-groups"],
        ),
        (
            true,
            "finish-release",
            &|definition| json!({ "task_definition": definition }),
            "ConfigurationError",
            [
                "scale-in is still suspended",
                "run update-service with mode `retire`",
            ],
        ),
    ];
    for (fills, step, parameters, kind, fragments) in cases {
        run(account(), Fault::None, async |driver| {
            let pushed = push(&driver, "page-counter", "0.0.0");
            let image =
                format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/page-counter@{pushed}");
            let rule = pair::rule(&driver.world.aws());
            let begin = common(json!({"strategy": "blue-green", "rule": rule}));

            assert_eq!(
                by_hand(&driver, "begin-release", begin).await["status"],
                "done"
            );

            let register = common(json!({"images": {"web": image}}));
            let registered = by_hand(&driver, "register-task-definition", register).await;
            let definition = registered["outputVariables"]["TaskDefinitionArn"]
                .as_str()
                .expect("registered")
                .to_owned();

            if fills {
                let filled = by_hand(&driver, "update-service", common(fill(&definition))).await;
                assert_eq!(filled["status"], "done", "{filled}");
            }

            pass(&driver, pair::secs(90)).await;
            refuses(
                &driver,
                step,
                common(parameters(&definition)),
                kind,
                &fragments,
            )
            .await;
        });
    }
}
