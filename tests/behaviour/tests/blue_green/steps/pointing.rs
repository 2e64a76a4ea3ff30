//! What points at a colour beside the route of its pair: a release does not begin.

use emulator::Aws;
use emulator::ecs;
use emulator::elb::{self, Elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use invariants::ledger_reader::holder;
use serde_json::{Value, json};

use super::{free, look};
use behaviour::pair::{self, groups, listener, weights};
use behaviour::service;

/// The message with which a release is refused, after a check that it did not begin.
fn refusal(aws: Aws) -> String {
    let begin = json!({"strategy": "blue-green", "rule": pair::rule(&aws)});
    let before = weights_of(&aws);
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin).await;
        assert_eq!(answer["type"], "ConfigurationError", "{answer}");

        let aws = driver.world.snapshot();
        assert_eq!(holder(&aws, CLUSTER, SHOP), None);
        assert_eq!(weights_of(&aws), before);
        answer["message"].as_str().expect("a message").to_owned()
    })
}

/// The weights of all groups of the rule.
fn weights_of(aws: &Aws) -> Vec<(String, i64)> {
    Elb::forwards(aws.elb.actions_of(&pair::rule(aws)))
}

fn create_group(aws: &mut Aws) -> Value {
    let group = json!({"Name": "third", "Port": 80, "Protocol": "HTTP", "TargetType": "ip"});
    elb::create_target_group(aws, &group).expect("legal")["TargetGroupArn"].clone()
}

/// Another listener of the load balancer forwards to a group.
fn listen(aws: &mut Aws, group: &Value) {
    let balancer = aws.elb.listeners[&listener(aws)].load_balancer_arn.clone();
    let second = json!({
        "LoadBalancerArn": balancer, "Port": 8080, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    elb::create_listener(aws, &second).expect("legal");
}

/// Another rule of the listener forwards to green, which is live, under one condition.
fn add_rule(aws: &mut Aws, condition: &Value) {
    let [_, green] = groups(aws);
    let second = json!({
        "ListenerArn": listener(aws), "Priority": 500, "Conditions": [condition],
        "Actions": [{"Type": "forward", "TargetGroupArn": green}],
    });
    elb::create_rule(aws, &second).expect("legal");
}

#[test]
fn a_colour_with_a_target_group_beside_that_of_the_rule_is_refused() {
    for name in pair::COLOURS {
        let mut aws = free();
        let group = create_group(&mut aws);
        listen(&mut aws, &group);
        let mut balancers = service(&aws, CLUSTER, name)["loadBalancers"].clone();
        let mut another = balancers[0].clone();
        another["targetGroupArn"] = group.clone();
        balancers.as_array_mut().expect("a list").push(another);
        pair::set(&mut aws, name, json!({ "loadBalancers": balancers }));

        let group = group.as_str().expect("an ARN");
        let message = refusal(aws);
        let start = format!("service `{name}` is reached by target group {group} too; ");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn a_colour_that_is_discovered_is_refused() {
    let registry = "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1";
    let lattice = "arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1";
    let connect = json!({"enabled": true, "services": [{"portName": "http"}]});
    let ways = [
        (
            json!({"serviceRegistries": [{ "registryArn": registry }]}),
            format!("service registry {registry}"),
        ),
        (
            json!({ "serviceConnectConfiguration": connect }),
            "Service Connect service `http`".to_owned(),
        ),
        (
            json!({"vpcLatticeConfigurations": [{
                "roleArn": "arn:aws:iam::111122223333:role/lattice", "portName": "http",
                "targetGroupArn": lattice,
            }]}),
            format!("VPC Lattice target group {lattice}"),
        ),
    ];

    for name in pair::COLOURS {
        for (change, found) in &ways {
            let mut aws = free();
            for (setting, value) in change.as_object().expect("an object") {
                ecs::set_shown(&mut aws, (CLUSTER, name), setting, value.clone());
            }
            let message = refusal(aws);
            let start = format!("service `{name}` is reached by {found} too; ");
            assert!(message.starts_with(&start), "{message}");
        }
    }
}

#[test]
fn another_listener_or_rule_that_sends_every_client_to_a_colour_is_refused() {
    let start = "another rule or default action forwards to one colour: ";
    for group in groups(&free()) {
        let mut aws = free();
        listen(&mut aws, &json!(group));
        let message = refusal(aws);
        assert!(message.starts_with(start), "{message}");
    }

    let mut aws = free();
    let path = json!({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}});
    add_rule(&mut aws, &path);
    let message = refusal(aws);
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn another_rule_for_tests_or_for_another_group_stays() {
    let mut aws = free();
    let header = json!({"HttpHeaderName": "x-test", "Values": ["yes"]});
    add_rule(
        &mut aws,
        &json!({"Field": "http-header", "HttpHeaderConfig": header}),
    );
    let group = create_group(&mut aws);
    listen(&mut aws, &group);

    let begin = json!({"strategy": "blue-green", "rule": pair::rule(&aws)});
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn a_third_group_whose_share_would_change_is_refused() {
    let mut aws = free();
    let group = create_group(&mut aws);
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 7]));
    let named = actions[0]["ForwardConfig"]["TargetGroups"].as_array_mut();
    let third = json!({"TargetGroupArn": group, "Weight": 7});
    named.expect("a list").push(third);
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");

    let group = group.as_str().expect("an ARN");
    let start = format!(
        "the rule forwards to {group}, too, with weight 7, and the weights of the colours are 7 \
         together; expected 100, "
    );
    let message = refusal(aws);
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn a_rule_that_binds_clients_for_longer_than_a_retirement_waits_is_refused() {
    let sticky = |secs: u32| {
        let mut aws = free();
        let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
        actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
            json!({"Enabled": true, "DurationSeconds": secs});
        elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
        aws
    };
    let message = refusal(sticky(86_400));
    let start = "the rule binds clients to their target group for 24h00m; expected up to 1h00m, ";
    assert!(message.starts_with(start), "{message}");

    let aws = sticky(3_600);
    let begin = json!({"strategy": "blue-green", "rule": pair::rule(&aws)});
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}
