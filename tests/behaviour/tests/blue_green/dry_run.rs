//! A dry run of a pair: its rule, the owner of it, and other rules that forward to the colours.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::pair::{self, SHORT, groups, listener, shop};
use behaviour::{ecs_state, invoke, writes};

fn dry_run(aws: Aws) -> Value {
    dry_run_with(aws, &json!({}))
}

/// The response of a dry run of the shop with more parameters, after a check that nothing was
/// written.
fn dry_run_with(aws: Aws, more: &Value) -> Value {
    run(aws, Fault::None, async |driver| {
        let before = driver.world.snapshot();
        let mut parameters = json!({
            "pipeline": "slipway-by-hand", "execution": "jane-1", "cluster": CLUSTER,
            "service": SHOP, "strategy": "blue-green", "rule": pair::rule(&before),
            "dry_run": true,
        });
        let all = parameters.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        let event = json!({ "parameters": parameters });
        let answer = invoke(&driver, "begin-release", event)
            .await
            .expect("an answer");

        let after = driver.world.snapshot();
        assert_eq!(
            writes(&after, before.calls.len()),
            Vec::<String>::new(),
            "{answer}"
        );
        assert_eq!(ecs_state(&after), ecs_state(&before));
        answer
    })
}

/// A check of a group.
fn found<'a>(answer: &'a Value, group: &str, name: &str) -> &'a Value {
    let groups = answer["checks"]["checks"].as_array().expect("groups");
    let group = groups.iter().find(|found| found["name"] == group);
    let mut checks = group.expect("a group")["checks"]
        .as_array()
        .expect("checks")
        .iter();
    let found = checks.find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}: {answer}"))
}

/// A check of the group `rule`: state and reason.
fn check<'a>(answer: &'a Value, name: &str) -> (&'a str, &'a str) {
    let found = found(answer, "rule", name);
    let text = |name: &str| found[name].as_str().expect("a text");
    (text("state"), text("reason"))
}

#[test]
fn a_pair_of_the_template_has_nothing_that_is_ng() {
    let mut aws = shop(&SHORT);
    let rule = pair::rule(&aws);
    let tags = json!([{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]);
    let found = aws.elb.rules.get_mut(&rule).expect("the rule is there");
    found.properties.insert("Tags".to_owned(), tags);

    let answer = dry_run(aws);
    assert_eq!(answer["status"], "done", "{answer}");
    assert_eq!(check(&answer, "exists"), ("OK", rule.as_str()));
    let (state, owner) = check(&answer, "owner");
    assert_eq!(state, "OK");
    assert!(owner.starts_with("stack shop of CloudFormation"), "{owner}");
    let (state, tests) = check(&answer, "other-rules");
    assert_eq!(state, "SKIP", "its test rules");
    assert!(tests.contains(" forward to one colour only"), "{tests}");
    let (state, change) = check(&answer, "permission");
    assert_eq!(state, "SKIP");
    let unknown = format!("whether elasticloadbalancing:ModifyRule is allowed on {rule} is not");
    assert!(change.starts_with(&unknown), "{change}");
}

#[test]
fn a_rule_that_does_not_forward_to_both_groups_is_named() {
    let mut aws = shop(&SHORT);
    let [_, green] = groups(&aws);
    let rule = pair::rule(&aws);
    let actions = json!([{"Type": "forward", "TargetGroupArn": green}]);
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");

    let answer = dry_run(aws);
    assert_eq!(answer["type"], "ConfigurationError", "{answer}");
    let (state, why) = check(&answer, "target-groups");
    assert_eq!(state, "NG");
    assert!(
        why.starts_with("the rule forwards to no target group of service `shop-blue`"),
        "{why}"
    );
}

#[test]
fn a_second_rule_that_forwards_to_the_pair_is_named() {
    let mut aws = shop(&SHORT);
    let second = json!({
        "ListenerArn": listener(&aws), "Priority": 500,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": pair::actions(&aws, [100, 0]),
    });
    elb::create_rule(&mut aws, &second).expect("legal");

    let answer = dry_run(aws);
    assert_eq!(answer["type"], "ConfigurationError", "{answer}");
    let message = answer["message"].as_str().expect("a message");
    assert!(
        message.contains("are NG: other-rules: other-rules (rule): another rule forwards to both"),
        "{message}"
    );
    assert_eq!(check(&answer, "other-rules").0, "NG");
}

#[test]
fn a_colour_that_is_missing_is_named_and_the_other_is_checked() {
    let mut aws = shop(&SHORT);
    let mut services = aws.ecs.services.values_mut();
    let blue = services.find(|service| service.name == "shop-blue");
    blue.expect("a colour").name = "moved-away".to_owned();

    let answer = dry_run(aws);
    assert_eq!(answer["type"], "ConfigurationError", "{answer}");
    let text = answer["text"].as_str().expect("a text");
    for line in [
        "NG   apps/shop",
        "  NG   service shop-blue",
        "  OK   service shop-green",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[test]
fn a_revision_of_the_idle_colour_is_compared_with_what_the_live_one_runs() {
    let mut aws = shop(&SHORT);
    ecr::push(&mut aws, SHOP, "2.0.0", Behaviour::Healthy).expect("the repository is there");
    let [_, live] = pair::definitions(&aws);
    let live = live.rsplit('/').next().expect("a revision").to_owned();

    let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:2.0.0";
    let more = json!({"containers": ["web"], "image": image});
    let answer = dry_run_with(aws, &more);

    let found = found(&answer, "new revision", "difference");
    assert_eq!(found["reason"], format!("1 member differs from {live}"));
    assert_eq!(found["changes"][0]["path"], "containers.web.image");
}
