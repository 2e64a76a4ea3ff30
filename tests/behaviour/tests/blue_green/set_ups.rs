//! What a dry run names in set-ups of a pair that a release would refuse, or that an operator
//! should know: with the permissions of the templates, in the pipeline and by hand.

use emulator::{Aws, autoscaling, ecs, elb};
use harness::demo::{CLUSTER, SHOP};
use serde_json::{Value, json};

use super::authentication::{POOL, authenticate};
use super::overlap::begun_in_place;
use behaviour::dry_run::{SetUp, checked, denied, names_its_cause, no_more, nothing};
use behaviour::pair::{self, SHORT, groups, listener, shop};
use behaviour::service;

/// The rules of the pair's listener except for the production rule, in the order of their
/// priorities.
pub(super) fn others(aws: &Aws) -> Vec<String> {
    let (rule, listener) = (pair::rule(aws), listener(aws));
    let priority = |properties: &serde_json::Map<String, Value>| {
        let priority = &properties["Priority"];
        let text = priority.as_str().map(ToOwned::to_owned);
        let text = text.unwrap_or_else(|| priority.to_string());
        text.parse::<u32>().expect("a number")
    };
    let mut others: Vec<_> = aws
        .elb
        .rules
        .values()
        .filter(|other| other.listener_arn == listener && other.arn != rule)
        .map(|other| (priority(&other.properties), other.arn.clone()))
        .collect();
    others.sort();
    others.into_iter().map(|(_, arn)| arn).collect()
}

/// A rule that does not exist, of the same load balancer.
fn missing_rule(aws: &Aws) -> String {
    let rule = pair::rule(aws);
    let (start, _) = rule.rsplit_once('/').expect("the id of the rule");
    format!("{start}/0000000000000000")
}

/// The listener of another service, whose load balancer is another one.
fn other_listener(aws: &Aws) -> String {
    let own = listener(aws);
    let mut all = aws.elb.listeners.values();
    let other = all.find(|other| other.arn != own);
    other.expect("that of web").arn.clone()
}

/// Green does not scale.
fn only_blue_scales(aws: &mut Aws) {
    let target = json!({
        "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, "shop-green"),
    });
    autoscaling::call(aws, "DeregisterScalableTarget", &target).expect("it is registered");
}

/// The production rule forwards to the live colour only.
fn one_colour(aws: &mut Aws) {
    let (rule, [_, green]) = (pair::rule(aws), groups(aws));
    let actions = json!([{"Type": "forward", "TargetGroupArn": green}]);
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("legal");
}

/// Blue, which is idle, registers its tasks with the target group of green.
fn same_group(aws: &mut Aws) {
    let balancers = service(aws, CLUSTER, "shop-green")["loadBalancers"].clone();
    pair::set(aws, "shop-blue", json!({ "loadBalancers": balancers }));
}

/// Blue, which is idle, registers with AWS Cloud Map, and VPC Lattice reaches it.
fn discovered(aws: &mut Aws) {
    let registries = json!([{
        "registryArn": "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1",
    }]);
    let lattice = json!([{
        "roleArn": "arn:aws:iam::111122223333:role/lattice", "portName": "http",
        "targetGroupArn": "arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1",
    }]);
    for (setting, value) in [
        ("serviceRegistries", registries),
        ("vpcLatticeConfigurations", lattice),
    ] {
        ecs::set_shown(aws, (CLUSTER, "shop-blue"), setting, value);
    }
}

/// Blue, which is idle, is a client of Service Connect.
fn client(aws: &mut Aws) {
    let connect = json!({"enabled": true, "namespace": "apps"});
    let setting = "serviceConnectConfiguration";
    ecs::set_shown(aws, (CLUSTER, "shop-blue"), setting, connect);
}

/// CloudFormation tags what it makes.
fn owned(aws: &mut Aws) {
    let rule = pair::rule(aws);
    let tags = json!([{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]);
    let found = aws.elb.rules.get_mut(&rule).expect("the rule is there");
    found.properties.insert("Tags".to_owned(), tags);
}

fn not_forwarded(service: &str) -> String {
    format!(
        "rule: NG target-groups: the rule forwards to no target group of service `{service}`; \
         expected a forward action that names the groups of both colours, at any weights; add the \
         group to the rule"
    )
}

/// What is not known of a rule that authenticates.
fn cognito_line(aws: &Aws) -> String {
    let role = aws.cloudformation.export("shop-pipeline-DeployRoleArn");
    format!(
        "rule: SKIP authentication: the rule authenticates with {POOL}; whether \
         cognito-idp:DescribeUserPoolClient is allowed on it is not known until a release changes \
         the rule; `UserPoolArn` of the pipeline's stack allows it; to find out: aws iam \
         simulate-principal-policy --policy-source-arn {} --action-names \
         cognito-idp:DescribeUserPoolClient --resource-arns {POOL}",
        role.expect("the stack exports it")
    )
}

const SET_UPS: [SetUp; 14] = [
    SetUp {
        make: authenticate,
        parameters: no_more,
        line: cognito_line,
    },
    SetUp {
        make: nothing,
        parameters: no_more,
        line: |_| "rule: OK authentication: no action authenticates with Amazon Cognito".to_owned(),
    },
    SetUp {
        make: nothing,
        parameters: no_more,
        line: |_| "release: OK overlap: no other open release changes its services".to_owned(),
    },
    SetUp {
        make: only_blue_scales,
        parameters: |_| json!({"scales": false}),
        line: |_| {
            "service shop-blue: NG scaling: service `shop-blue` scales automatically, and the \
             deploy role may not suspend its scale-in; expected the scalable targets of both \
             services in `ScalableTargetArns` of the pipeline's stack, which are printed by: aws \
             application-autoscaling describe-scalable-targets --service-namespace ecs \
             --resource-ids service/apps/shop-blue service/apps/shop-green --output text --query \
             \"join(',', ScalableTargets[].ScalableTargetARN)\""
                .to_owned()
        },
    },
    SetUp {
        make: only_blue_scales,
        parameters: no_more,
        line: |_| "service shop-green: OK scaling: no scalable target".to_owned(),
    },
    SetUp {
        make: nothing,
        parameters: no_more,
        line: |_| {
            "service shop-green: SKIP scaling: it scales automatically; whether its scale-in may \
             be suspended is not known until `fill` does that; `ScalableTargetArns` of the \
             pipeline's stack has the scalable targets of which it may be"
                .to_owned()
        },
    },
    SetUp {
        make: nothing,
        parameters: |aws| json!({"rule": missing_rule(aws)}),
        line: |aws| {
            format!(
                "rule: NG exists: `rule` is `{}`, which does not exist; expected an existing \
                 listener rule or listener",
                missing_rule(aws)
            )
        },
    },
    SetUp {
        make: nothing,
        // A rule of the listener that belongs to one colour only.
        parameters: |aws| json!({"rule": others(aws)[0]}),
        line: |_| not_forwarded("shop-green"),
    },
    SetUp {
        make: nothing,
        parameters: |aws| json!({"rule": other_listener(aws)}),
        line: |_| not_forwarded("shop-blue"),
    },
    SetUp {
        make: one_colour,
        parameters: no_more,
        line: |_| not_forwarded("shop-blue"),
    },
    SetUp {
        make: same_group,
        parameters: no_more,
        line: |aws| {
            format!(
                "rule: NG target-groups: both colours register with {}; expected a separate \
                 target group for each",
                groups(aws)[1]
            )
        },
    },
    SetUp {
        make: discovered,
        parameters: no_more,
        line: |_| {
            "service shop-blue: NG other-routes: service `shop-blue` is reached by service \
             registry arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1, VPC Lattice \
             target group \
             arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1 too; expected the \
             listener rule alone to lead to a colour, because its weights are the only ones that a \
             release moves; remove what else does: aws ecs update-service --cluster apps --service \
             shop-blue --service-registries '[]'"
                .to_owned()
        },
    },
    SetUp {
        make: client,
        parameters: no_more,
        line: |_| {
            "service shop-blue: OK other-routes: only the listener rule leads to it".to_owned()
        },
    },
    SetUp {
        make: owned,
        parameters: no_more,
        line: |_| {
            "rule: OK owner: stack shop of CloudFormation: an update of it that changes the rule \
             resets the weights"
                .to_owned()
        },
    },
];

#[test]
fn each_wrong_set_up_of_a_pair_is_named_by_the_line_of_its_cause() {
    let aws = shop(&SHORT);
    for set_up in &SET_UPS {
        names_its_cause(&aws, SHOP, set_up);
    }
}

#[test]
fn an_open_release_of_one_colour_under_its_own_name_is_named_by_its_line() {
    let set_up = SetUp {
        make: nothing,
        parameters: no_more,
        line: |_| {
            "release: NG overlap: service `shop-green` belongs to the open release jane-1 of \
             `shop-green`, by pipeline slipway-by-hand, too; expected one pipeline for each \
             service or pair; let that release end, and change one of the pipelines"
                .to_owned()
        },
    };
    names_its_cause(&begun_in_place(), SHOP, &set_up);
}

#[test]
fn services_of_a_pair_that_the_role_may_not_read_are_named_both() {
    let (aws, tree) = checked(&shop(&SHORT), SHOP, nothing, |_| json!({"service": "shpo"}));
    let denial = denied(&aws, "ecs:DescribeServices");
    let wrong: Vec<&String> = tree.iter().filter(|line| line.contains(": NG ")).collect();

    assert_eq!(wrong.len(), 2, "{tree:#?}");
    for (line, service) in wrong.into_iter().zip(["shpo-blue", "shpo-green"]) {
        let start = format!("service {service}: NG exists: ecs:DescribeServices failed: ");
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains(&denial.message), "{line}");
    }
}
