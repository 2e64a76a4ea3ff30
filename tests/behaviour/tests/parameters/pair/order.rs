//! Steps of a pair on a single service, and in another order.

use harness::demo::WEB;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::pair;
use behaviour::{account, by_hand, pass, push};

use super::{common, refuses};

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
            ["`strategy` is `blue-green`", "a single service"],
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
