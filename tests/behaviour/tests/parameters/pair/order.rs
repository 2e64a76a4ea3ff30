//! Steps of a pair on a single service, and in another order.

use emulator::Aws;
use harness::demo::{SHOP, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use behaviour::pair;
use behaviour::{account, by_hand, pass, push, settled};

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

fn retire(definition: &str) -> Value {
    json!({
        "task_definition": definition,
        "strategy": "blue-green",
        "mode": "retire",
    })
}

fn swap(definition: &str) -> Value {
    json!({"task_definition": definition, "shift": "all-at-once"})
}

fn finish(definition: &str) -> Value {
    json!({ "task_definition": definition })
}

/// A step that comes before the one that it needs.
struct Early {
    is_filled: bool,
    step: &'static str,
    /// Its parameters for a revision.
    parameters: fn(&str) -> Value,
    kind: &'static str,
    fragments: [&'static str; 2],
}

const EARLY: [Early; 4] = [
    Early {
        is_filled: false,
        step: "swap-target-groups",
        parameters: swap,
        kind: "JobFailed",
        fragments: ["green is not ready for traffic", "no traffic was moved"],
    },
    Early {
        is_filled: false,
        step: "update-service",
        parameters: retire,
        kind: "JobFailed",
        fragments: ["blue cannot be retired", "run swap-target-groups"],
    },
    Early {
        is_filled: true,
        step: "update-service",
        parameters: retire,
        kind: "JobFailed",
        fragments: ["blue cannot be retired", "run swap-target-groups"],
    },
    Early {
        is_filled: true,
        step: "finish-release",
        parameters: finish,
        kind: "ConfigurationError",
        fragments: [
            "scale-in is still suspended",
            "run update-service with mode `retire`",
        ],
    },
];

/// Lets the tasks of the pair pull from every repository.
fn let_every_image_be_pulled(aws: &mut Aws) {
    let stack = aws.cloudformation.stack(SHOP).expect("the demo's stack");
    let role = stack.resource("ExecutionRole").expect("a role");
    let name = role.physical_id.clone();
    let statement = json!({"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.policies.insert("pull".to_owned(), document);
}

/// Begins a release of a pair by hand and registers its revision; returns its ARN.
async fn registered(driver: &Driver) -> String {
    let_every_image_be_pulled(&mut driver.world.aws());
    let pushed = push(driver, "page-counter", "0.0.0");
    settled(driver, "slipway-page-counter", &pushed).await;
    let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/page-counter@{pushed}");
    let rule = pair::rule(&driver.world.aws());
    let begin = common(json!({"strategy": "blue-green", "rule": rule}));

    assert_eq!(
        by_hand(driver, "begin-release", begin).await["status"],
        "done"
    );

    let register = common(json!({"images": {"web": image}}));
    let registered = by_hand(driver, "register-task-definition", register).await;
    registered["outputVariables"]["TaskDefinitionArn"]
        .as_str()
        .expect("registered")
        .to_owned()
}

#[test]
fn steps_of_a_pair_are_refused_in_another_order() {
    for early in EARLY {
        run(account(), Fault::None, async |driver| {
            let definition = registered(&driver).await;
            if early.is_filled {
                let fill = common(json!({
                    "task_definition": definition,
                    "strategy": "blue-green",
                    "mode": "fill",
                }));
                let filled = by_hand(&driver, "update-service", fill).await;
                assert_eq!(filled["status"], "done", "{filled}");
            }

            pass(&driver, pair::secs(90)).await;
            refuses(
                &driver,
                early.step,
                common((early.parameters)(&definition)),
                early.kind,
                &early.fragments,
            )
            .await;
        });
    }
}
