//! Changes from outside while a release bakes: none is fought over, the job and the record name it,
//! and scale-in is given back.

use emulator::{Aws, ecs, elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use invariants::ledger_reader::{flag, holder, record};
use serde_json::json;

use behaviour::pair::{
    self, COLOURS, HALVES, PIPELINE, counts, definitions, set, set_weights, shop, stop,
    suspensions, until_weights, weights,
};
use behaviour::{assert_outcome, failure, jobs, newest, outcome, push, reason, settled};

/// How a release ended during whose bake something was changed.
struct Ended {
    /// The account when the change had been made, and at the end.
    changed: Aws,
    aws: Aws,
    outcome: String,
    reason: String,
    needs_operator: bool,
    /// The failure of swap-target-groups, if it failed.
    failure: Option<(String, String)>,
}

/// Releases to blue while green is live; when both have half of the traffic, `change` is made.
fn while_it_bakes(change: impl FnOnce(&mut Aws)) -> Ended {
    run(shop(&HALVES), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        change(&mut driver.world.aws());
        driver.world.touch();
        let changed = driver.world.snapshot();
        let execution = settled(&driver, PIPELINE, &pushed).await;
        let aws = driver.world.snapshot();
        let swaps = jobs(&aws, &execution, "swap-target-groups");
        let failure = failure(swaps.last().expect("a job"))
            .map(|(kind, text)| (kind.to_owned(), text.to_owned()));
        let (outcome, reason) = (outcome(&driver, &execution), reason(&driver, &execution));
        let record = record(&aws, &execution).expect("a record");
        let needs_operator = flag(&record, "needs_operator");

        assert_eq!(holder(&aws, CLUSTER, SHOP), None);

        Ended {
            changed,
            aws: aws.clone(),
            outcome,
            reason,
            needs_operator,
            failure,
        }
    })
}

/// Registers another revision in the family of a colour and deploys it.
fn deploy_another(aws: &mut Aws, colour: &str) {
    let runs = behaviour::service(aws, CLUSTER, colour)["taskDefinition"]
        .as_str()
        .expect("an ARN")
        .to_owned();
    let mut request = aws.ecs.request_of(&runs).expect("registered").clone();
    request["containerDefinitions"][0]["image"] = json!("public.ecr.aws/nginx/nginx:1");

    let answer = ecs::call(aws, "RegisterTaskDefinition", &request).expect("legal");
    set(
        aws,
        colour,
        json!({"taskDefinition": answer["taskDefinition"]["taskDefinitionArn"]}),
    );
}

#[test]
fn weights_set_outside_the_release_stay() {
    for by_hand in [[10, 90], [0, 100], [0, 0]] {
        let ended = while_it_bakes(|aws| set_weights(aws, by_hand));
        let (kind, message) = ended.failure.expect("the job fails");
        let shown = format!("blue {} / green {}", by_hand[0], by_hand[1]);

        assert_eq!(kind, "JobFailed");
        assert!(
            message.starts_with("overridden: the weights are ") && message.contains(&shown),
            "{message}"
        );
        assert!(ended.reason.contains(&shown), "{}", ended.reason);
        assert_eq!(
            (weights(&ended.aws), suspensions(&ended.aws)),
            (by_hand, [false, false])
        );

        // That all of the traffic goes to the old colour is what a rollback would do too.
        let outcome = if by_hand == [0, 100] {
            "rolled-back"
        } else {
            "superseded"
        };
        assert_eq!(ended.outcome, outcome, "{}", ended.reason);
    }
}

#[test]
fn an_external_deployment_to_the_new_colour_stays_and_gets_no_traffic() {
    let ended = while_it_bakes(|aws| deploy_another(aws, "shop-blue"));
    let (kind, message) = ended.failure.expect("the job fails");
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("it was deployed outside this release")
            && message.contains("traffic restored"),
        "{message}"
    );
    assert_eq!(ended.outcome, "superseded", "{}", ended.reason);
    assert!(
        ended
            .reason
            .contains("was deployed to blue outside this release"),
        "{}",
        ended.reason
    );
    assert_eq!(definitions(&ended.aws), definitions(&ended.changed));
    assert_eq!(
        (weights(&ended.aws), suspensions(&ended.aws)),
        ([0, 100], [false, false])
    );
}

#[test]
fn an_external_deployment_to_the_old_colour_stays() {
    let ended = while_it_bakes(|aws| deploy_another(aws, "shop-green"));
    assert_eq!(definitions(&ended.aws), definitions(&ended.changed));
    assert_eq!(suspensions(&ended.aws), [false, false]);

    // The new version is fit and gets the traffic: the old colour is not what the release is about.
    assert_eq!(ended.outcome, "deployed", "{}", ended.reason);
    assert_eq!(
        (weights(&ended.aws), counts(&ended.aws)),
        ([100, 0], [2, 0])
    );
}

#[test]
fn a_stopped_release_gives_its_traffic_back_beside_an_external_deployment() {
    for colour in COLOURS {
        run(shop(&HALVES), Fault::None, async |driver| {
            let pushed = push(&driver, SHOP, "2.0.0");
            until_weights(&driver, [50, 50]).await;
            deploy_another(&mut driver.world.aws(), colour);
            driver.world.touch();
            let deployed = definitions(&driver.world.aws());

            let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
            stop(&driver, &execution);
            settled(&driver, PIPELINE, &pushed).await;
            assert_outcome(&driver, &execution, "superseded");
            let reason = reason(&driver, &execution);

            let aws = driver.world.snapshot();
            assert_eq!(
                (weights(&aws), suspensions(&aws)),
                ([0, 100], [false, false]),
                "{colour}: {reason}"
            );
            assert_eq!(definitions(&aws), deployed, "{colour}: {reason}");
        });
    }
}

#[test]
fn a_deleted_rule_is_reported_and_scale_in_is_enabled_again() {
    let ended = while_it_bakes(|aws| {
        let rule = pair::rule(aws);
        elb::delete_rule(aws, &rule).expect("it was there");
    });
    let (kind, message) = ended.failure.expect("the job fails");

    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("listener-rule/app/") && message.contains("is gone"),
        "{message}"
    );
    assert_eq!(ended.outcome, "failed", "{}", ended.reason);
    assert!(
        ended.reason.contains("is gone") && ended.needs_operator,
        "{}",
        ended.reason
    );
    assert_eq!(suspensions(&ended.aws), [false, false]);
    assert_eq!(
        (definitions(&ended.aws), counts(&ended.aws)),
        (definitions(&ended.changed), counts(&ended.changed))
    );
}

#[test]
fn a_deleted_colour_is_reported_and_the_other_one_scales_again() {
    for name in pair::COLOURS {
        let ended = while_it_bakes(|aws| {
            let gone = json!({"cluster": CLUSTER, "service": name, "force": true});
            ecs::call(aws, "DeleteService", &gone).expect("it was there");
        });
        let (kind, message) = ended.failure.expect("the job fails");

        assert_eq!(kind, "JobFailed");
        assert!(
            message.contains(&format!("service `{name}` is gone")),
            "{message}"
        );
        assert_eq!(ended.outcome, "failed", "{}", ended.reason);
        assert!(
            ended.reason.contains("is gone") && ended.needs_operator,
            "{}",
            ended.reason
        );

        for other in pair::COLOURS.into_iter().filter(|other| *other != name) {
            let target = ended
                .aws
                .autoscaling
                .target_of(CLUSTER, other)
                .expect("it scales");
            assert!(!target.suspended.dynamic_in, "{other}");
        }
    }
}

#[test]
fn a_new_colour_stopped_from_outside_loses_its_traffic() {
    let ended = while_it_bakes(|aws| set(aws, "shop-blue", json!({"desiredCount": 0})));
    let (kind, message) = ended.failure.expect("the job fails");
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("0 healthy targets in blue")
            || message.contains("1 healthy targets in blue"),
        "{message}"
    );
    assert_eq!(ended.outcome, "rolled-back", "{}", ended.reason);
    assert_eq!(
        (weights(&ended.aws), counts(&ended.aws)),
        ([0, 100], [0, 2])
    );
    assert_eq!(suspensions(&ended.aws), [false, false]);
}

#[test]
fn a_new_colour_enlarged_from_outside_is_retired_to_what_it_was() {
    let ended = while_it_bakes(|aws| {
        set(aws, "shop-blue", json!({"desiredCount": 5}));
        let execution = newest(aws, PIPELINE).id.clone();
        let stop = json!({
            "pipelineName": PIPELINE,
            "pipelineExecutionId": execution,
            "abandon": true,
            "reason": "doubts",
        });
        emulator::codepipeline::call(aws, "StopPipelineExecution", &stop).expect("it goes on");
    });
    assert_eq!(ended.outcome, "rolled-back", "{}", ended.reason);
    assert_eq!(
        (weights(&ended.aws), suspensions(&ended.aws)),
        ([0, 100], [false, false])
    );

    let [blue, green] = counts(&ended.aws);
    assert_eq!(blue, 0);
    assert!(green >= 2, "{green} tasks");
}
