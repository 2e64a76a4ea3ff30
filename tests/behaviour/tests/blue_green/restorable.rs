//! What a rollback deploys to the idle colour is proven when a release begins: that its roles may
//! be passed.

use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::dry_run::denied;
use behaviour::pair::{self, SHORT, definitions, shop};
use behaviour::{assert_outcome, by_hand, ecs_state, failure, jobs, pass, reason};

const ROLE: &str = "arn:aws:iam::111122223333:role/shop-task";

/// The idle colour runs a revision with a role that the pipeline does not list.
fn with_unlisted_idle() -> (Aws, String) {
    let mut aws = shop(&SHORT);
    let [idle, _] = definitions(&aws);
    let mut request = aws.ecs.request_of(&idle).expect("registered").clone();
    request["taskRoleArn"] = json!(ROLE);
    let answer = ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
    let revision = answer["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned();

    pair::set(&mut aws, "shop-blue", json!({"taskDefinition": revision}));
    let aws = run(aws, Fault::None, async |driver| {
        pass(&driver, pair::secs(300)).await;
        driver.world.snapshot()
    });
    (aws, revision)
}

/// The response to a release of the shop that begins by hand, without a deploy role.
fn begun_by_hand(aws: Aws) -> Value {
    run(aws, Fault::None, async |driver| {
        let rule = pair::rule(&driver.world.aws());
        let begin = json!({
            "pipeline": "slipway-by-hand", "execution": "jane-1", "cluster": CLUSTER,
            "service": SHOP, "strategy": "blue-green", "rule": rule,
        });
        by_hand(&driver, "begin-release", begin).await
    })
}

#[test]
fn by_hand_roles_of_the_idle_colour_are_those_that_the_operator_may_pass() {
    let (aws, _) = with_unlisted_idle();
    let begun = begun_by_hand(aws);
    assert_eq!(begun["status"], "done", "{begun}");
}

#[test]
fn roles_of_an_idle_revision_that_was_deregistered_refuse_nothing() {
    let (mut aws, revision) = with_unlisted_idle();
    let gone = json!({"taskDefinition": revision});
    ecs::call(&mut aws, "DeregisterTaskDefinition", &gone).expect("it is there");
    run(aws, Fault::None, async |driver| {
        let execution = pair::release(&driver, "2.0.0").await;
        assert_outcome(&driver, &execution, "deployed");
    });
}

#[test]
fn roles_of_the_idle_colour_that_a_rollback_may_not_pass_are_refused() {
    let (aws, revision) = with_unlisted_idle();
    let (_, name) = revision.split_once('/').expect("an ARN");
    run(aws, Fault::None, async |driver| {
        let before = ecs_state(&driver.world.aws());
        let execution = pair::release(&driver, "2.0.0").await;
        let aws = driver.world.snapshot();
        assert_eq!(ecs_state(&aws), before);

        let denial = denied(&aws, "iam:PassRole");
        assert_eq!(denial.resource, ROLE);
        let message = format!(
            "the prior release {name} cannot be restored: ecs:UpdateService failed: \
             AccessDeniedException: {}; allow iam:PassRole in role {} (parameter TaskRoleArns of \
             the pipeline's stack), then retry the release",
            denial.message, denial.role
        );
        let jobs = jobs(&aws, &execution, "begin-release");
        let last = jobs.last().expect("a job");
        assert_eq!(failure(last), Some(("PermissionError", message.as_str())));
        assert_eq!(
            reason(&driver, &execution),
            format!("{message}; nothing had been changed")
        );
    });
}
