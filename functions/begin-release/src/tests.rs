mod external_deployments;
mod records;

use std::sync::OnceLock;

use serde_json::{Value, json};
use slipway::freeze::Guards;
use slipway::job::{ActionKind, parse_parameters};
use slipway::observed::percentages::Percentages;
use slipway::release::{Phase, PriorService};
use slipway::strategy::StrategyName;

use super::*;

const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
const ROLE: &str = "arn:aws:iam::444455556666:role/slipway-web-DeployRole-1A2B";
const RULE: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/3";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

/// A job of a rolling release with more parameters, or others.
fn job(more: Value, waited: i64) -> Job<Parameters> {
    let mut all = json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web",
        "strategy": "rolling",
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());

    let (release, parameters) = parse_parameters(Some(&all.to_string())).expect("valid");
    Job {
        id: None,
        release,
        parameters,
        since: at(0),
        now: at(waited),
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload: None,
        kept: OnceLock::new(),
        artifacts: Vec::new(),
        credentials: None,
        origin: Origin::Job,
    }
}

fn parameters(more: Value) -> Parameters {
    job(more, 0).parameters
}

fn validated(more: Value) -> Result<(), Failure> {
    job(more, 0).parameters.validate()
}

/// Parameters of a pair with services of these names.
fn of_pair(blue: &str, green: &str) -> Value {
    json!({
        "strategy": "blue-green", "rule": RULE, "blue_service": blue, "green_service": green,
    })
}

fn release() -> Release {
    open_release(&job(json!({}), 0), None)
}

#[test]
fn valid_parameters_are_accepted() {
    for more in [
        json!({}),
        json!({"desired_count": 1, "initial_count": 1}),
        json!({"deploy_role": ROLE}),
        json!({"strategy": "make-room", "minimum_healthy_percent": 50}),
        json!({"base": "newest"}),
        json!({"strategy": "blue-green", "rule": RULE, "initial_count": 3}),
        json!({"strategy": "blue-green", "rule": RULE.replace("listener-rule", "listener")}),
        of_pair("Shop-ServiceA1B2-x", "Shop-Green-y"),
        of_pair("a", &"b".repeat(255)),
    ] {
        assert_eq!(validated(more.clone()), Ok(()), "{more}");
    }
}

#[test]
fn parameters_that_cannot_work_are_refused_by_field() {
    let cases = [
        (
            json!({"deploy_role": "x"}),
            "`deploy_role` is `x`; expected",
        ),
        (
            json!({"strategy": "doubling", "maximum_percent": 150}),
            "strategy `doubling`",
        ),
        (json!({"desired_count": 0}), "`desired_count` is 0"),
        (json!({"initial_count": 0}), "`initial_count` is 0"),
        (json!({"rule": RULE}), "`rule` is given"),
        (json!({"strategy": "blue-green"}), "`rule` is missing"),
        (
            json!({"strategy": "blue-green", "rule": "shop"}),
            "`rule` is `shop`",
        ),
        (
            json!({"strategy": "blue-green", "rule": RULE.replace("/app/", "/net/")}),
            "`rule` is `arn:",
        ),
        (
            json!({"strategy": "blue-green", "rule": RULE.replace("arn:", "urn:")}),
            "`rule` is `urn:",
        ),
        (
            json!({"strategy": "blue-green", "rule": RULE.replace("eu-west-1", "Ireland")}),
            "`rule` is `arn:aws:elasticloadbalancing:Ireland:111122223333:listener-rule/app/",
        ),
        (
            json!({"strategy": "blue-green", "rule": RULE, "desired_count": 3}),
            "`desired_count` is given",
        ),
        (
            json!({"taskdef": "Config::taskdef.json", "family": "web"}),
            "`taskdef` and `family` are both given",
        ),
    ];

    assert_refused(cases);
}

fn assert_refused(cases: impl IntoIterator<Item = (Value, &'static str)>) {
    for (more, why) in cases {
        let refusal = validated(more.clone()).expect_err("refused");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.contains(why), "{more}: {}", refusal.message);
    }
}

#[test]
fn the_services_of_a_pair_are_two_names_or_none() {
    assert_refused([
        (
            json!({"strategy": "blue-green", "rule": RULE, "blue_service": "a"}),
            "`blue_service` is given alone",
        ),
        (
            json!({"strategy": "blue-green", "rule": RULE, "green_service": "b"}),
            "`green_service` is given alone",
        ),
        (
            json!({"blue_service": "a", "green_service": "b"}),
            "expected with strategy `blue-green` only",
        ),
        (of_pair("", "b"), "`blue_service` is ``; expected the name"),
        (of_pair("apps/a", "b"), "`blue_service` is `apps/a`;"),
        (of_pair("a", &"b".repeat(256)), "`green_service` is `bbb"),
        (of_pair("a", "ä"), "`green_service` is `ä`;"),
        (of_pair("a", "a"), "are both `a`; expected two services"),
    ]);
}

#[test]
fn the_services_of_a_pair_are_those_given_or_follow_from_its_name() {
    let given = parameters(of_pair("Shop-ServiceA1B2-x", "Shop-Green-y"));
    let names = given.services("shop");
    assert_eq!(names.as_array(), ["Shop-ServiceA1B2-x", "Shop-Green-y"]);
    assert_eq!(given.given_services(), Some(names));

    let derived = parameters(json!({"strategy": "blue-green", "rule": RULE}));
    let names = derived.services("shop");
    assert_eq!(names.as_array(), ["shop-blue", "shop-green"]);
    assert_eq!(derived.given_services(), None);
}

#[test]
fn an_open_release_names_its_execution_its_pipeline_and_its_digest() {
    let expected = Release {
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        brings_back: false,
        earlier: Vec::new(),
        began_at: at(9),
        origin: Some(Origin::Job),
        deploy_role: None,
        pipeline_role: None,
        phase: Phase::Beginning,
        role_proof: None,
        warning: None,
        registering: None,
        registered: None,
        guards: Guards::default(),
        repaired: None,
        failure: None,
        succeeded_at: None,
        role_refused_since: None,
        unread_since: None,
    };
    let begun = open_release(&job(json!({"digest": "sha256:00"}), 9), None);
    assert_eq!(begun, expected);

    let without = Release {
        digest: None,
        ..expected
    };
    assert_eq!(open_release(&job(json!({"digest": ""}), 9), None), without);
    let role = DeployRole {
        arn: ROLE.to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    };
    let under_role = open_release(&job(json!({}), 9), Some(&role));
    assert_eq!(under_role.deploy_role, Some(role));
}

#[test]
fn every_bound_of_the_parameters_reaches_the_strategy() {
    let given =
        parameters(json!({"minimum_healthy_percent": 40, "maximum_percent": 130})).strategy();
    assert_eq!(
        given.percentages(7),
        Percentages {
            minimum_healthy: 40,
            maximum: 130
        }
    );

    let tasks = parameters(json!({"minimum_healthy_tasks": 2, "maximum_tasks": 4})).strategy();
    assert_eq!(
        tasks.percentages(3),
        Percentages {
            minimum_healthy: 66,
            maximum: 166
        }
    );
    assert_eq!(
        parameters(json!({"strategy": "make-room"}))
            .strategy()
            .rules,
        StrategyName::MakeRoom.rules()
    );
}

#[test]
fn the_planned_count_is_the_given_one_or_the_live_one() {
    let planned = |more: Value, live| parameters(more).planned_count(live);
    assert_eq!(
        planned(json!({"desired_count": 5, "initial_count": 3}), 2),
        5
    );
    assert_eq!(
        planned(json!({"desired_count": 5, "initial_count": 3}), 0),
        5
    );
    assert_eq!(planned(json!({"initial_count": 3}), 2), 2);
    assert_eq!(
        [
            planned(json!({"initial_count": 3}), 0),
            planned(json!({}), 0)
        ],
        [3, 1]
    );
}

#[test]
fn a_release_begins_with_the_bounds_of_its_rollout() {
    let prior = PriorService {
        task_definition: OLD.to_owned(),
        desired_count: 4,
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        early_success: None,
        found: None,
        recorded_at: at(0),
    };
    let begun = |more: Value| begun_in_place(&job(more, 0), prior.clone());
    let written = |text: &str| JobReport::done(text, [("PriorTaskDefinitionArn", OLD.to_owned())]);
    let kept =
        "web runs web:1 with 4 tasks; the rollout keeps at least 3 healthy and at most 4 running";

    assert_eq!(begun(json!({"strategy": "make-room"})), written(kept));

    let larger =
        "web runs web:1 with 4 tasks; the rollout keeps at least 6 healthy and at most 12 running";
    assert_eq!(begun(json!({"desired_count": 6})), written(larger));
}

#[test]
fn the_report_of_a_held_lease_names_its_holder() {
    let summary = |origin, phase| match waiting(
        &Release {
            origin,
            phase,
            ..release()
        },
        at(252),
    ) {
        JobReport::InProgress {
            summary,
            percent: 0,
            external_id: None,
            payload: None,
        } => summary,
        other => panic!("{other:?} does not wait"),
    };
    let open = "waiting for release e-1 of slipway-web, which has held this service for 4m12s";
    assert_eq!(summary(Some(Origin::Job), Phase::Beginning), open);
    assert_eq!(summary(None, Phase::Beginning), open);
    assert_eq!(
        summary(Some(Origin::Operator), Phase::Beginning),
        format!(
            "{open}; it was begun by hand: end it with finish-release, or invoke roll-back with \
             {{\"parameters\":{{\"execution\":\"e-1\"}}}}"
        )
    );

    let rolling_back = Phase::RollingBack {
        since: at(9),
        target: None,
    };
    assert_eq!(
        summary(Some(Origin::Operator), rolling_back),
        "waiting for release e-1 of slipway-web, which is being rolled back and has held this \
         service for 4m12s"
    );
}

#[test]
fn the_report_of_a_held_lease_names_a_role_that_is_refused() {
    let role = DeployRole {
        arn: ROLE.to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    };
    let other = Release {
        deploy_role: Some(role),
        role_refused_since: Some(at(12)),
        ..release()
    };
    let JobReport::InProgress { summary, .. } = waiting(&other, at(252)) else {
        panic!("does not wait")
    };

    assert_eq!(
        summary,
        format!(
            "waiting for release e-1 of slipway-web, which has held this service for 4m12s; its \
             role {ROLE} has been refused for 4m00s, as after the deletion of its pipeline's \
             stack: roll-back ends it after 1h00m, unless the role is there again before"
        )
    );
}

#[test]
fn of_two_roles_the_one_that_reads_the_pipeline_is_named_as_refused() {
    let role = |arn: &str| DeployRole {
        arn: arn.to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    };
    let reading = "arn:aws:iam::111122223333:role/slipway-web-PipelineRole-3C4D";
    let other = Release {
        deploy_role: Some(role(ROLE)),
        pipeline_role: Some(role(reading)),
        role_refused_since: Some(at(12)),
        ..release()
    };

    let refused = without_role(&other, at(252)).expect("a role is refused");
    let start = format!("; its role {reading} has been refused for 4m00s, ");
    assert!(refused.starts_with(&start), "{refused}");
}

#[test]
fn a_service_without_a_deployment_is_refused_by_name() {
    let refusal = no_deployment("web");
    assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
    assert!(
        refusal.message.contains("service `web` has no deployment"),
        "{}",
        refusal.message
    );
}
