use super::*;

#[test]
fn traffic_is_shifted_on_the_rule_or_on_the_listener_and_described_on_everything() {
    let mut aws = Aws::new(1);
    let (rule, listener) = (
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3",
        "arn:l",
    );

    for (operation, input, resource) in [
        ("ModifyRule", json!({"RuleArn": rule}), rule),
        ("ModifyListener", json!({"ListenerArn": listener}), listener),
        ("DescribeRules", json!({"RuleArns.member.1": rule}), "*"),
    ] {
        let service = "elasticloadbalancing".to_owned();
        let request = IamRequest {
            service,
            operation: operation.to_owned(),
            input,
        };
        let demands = actions::demands(&mut aws, &request).unwrap();
        let demanded: Vec<_> = demands
            .iter()
            .map(|demand| (demand.action.as_str(), demand.resource.as_str()))
            .collect();
        assert_eq!(
            demanded,
            [(
                format!("elasticloadbalancing:{operation}").as_str(),
                resource
            )]
        );
    }
}

/// What an operation of Application Auto Scaling demands first.
fn demand_of_scaling(operation: &str, input: Value) -> Demand {
    let request = IamRequest {
        service: "application-autoscaling".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    let mut aws = Aws::new(1);
    actions::demands(&mut aws, &request).unwrap().remove(0)
}

fn scalable_target() -> Value {
    json!({
        "ServiceNamespace": "ecs",
        "ResourceId": "service/apps/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    })
}

#[test]
fn scaling_is_registered_on_the_target_with_its_namespace() {
    let register = demand_of_scaling("RegisterScalableTarget", scalable_target());

    assert_eq!(
        (
            register.resource.as_str(),
            register.context["application-autoscaling:service-namespace"].as_str()
        ),
        (
            "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/*",
            "ecs"
        )
    );

    let of_namespace = |namespace: &str| {
        json!({
            "Effect": "Allow", "Action": "application-autoscaling:RegisterScalableTarget",
            "Resource": "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/*",
            "Condition": {"StringEquals": {"application-autoscaling:service-namespace": namespace}},
        })
    };
    assert_eq!(
        access_of(&[of_namespace("ecs")], &register),
        Access::Allowed
    );
    assert_eq!(
        access_of(&[of_namespace("dynamodb")], &register),
        Access::NotAllowed
    );
    assert_eq!(
        demand_of_scaling(
            "DescribeScalableTargets",
            json!({"ServiceNamespace": "ecs"})
        )
        .resource,
        "*"
    );
}

#[test]
fn metrics_and_alarms_are_asked_for_on_everything_and_put_by_namespace() {
    let mut aws = Aws::new(1);
    let mut demand = |operation: &str, input: Value| {
        let request = IamRequest {
            service: "monitoring".to_owned(),
            operation: operation.to_owned(),
            input,
        };
        actions::demands(&mut aws, &request).map(|mut demands| demands.remove(0))
    };
    for operation in ["GetMetricData", "DescribeAlarms", "ListMetrics"] {
        let demand = demand(operation, json!({})).unwrap();
        assert_eq!(demand, Demand::anywhere(format!("cloudwatch:{operation}")));
        let of_alarm = allow(
            &format!("cloudwatch:{operation}"),
            "arn:aws:cloudwatch:*:*:alarm:web",
        );
        assert_eq!(access_of(&[of_alarm], &demand), Access::NotAllowed);
    }

    let put = demand("PutMetricData", json!({"Namespace": "Shop"})).unwrap();
    let mut of_namespace = allow("cloudwatch:PutMetricData", "*");
    of_namespace["Condition"] = json!({"StringEquals": {"cloudwatch:namespace": "Shop"}});

    assert_eq!(
        access_of(std::slice::from_ref(&of_namespace), &put),
        Access::Allowed
    );

    let other = demand("PutMetricData", json!({"Namespace": "Other"})).unwrap();
    assert_eq!(access_of(&[of_namespace], &other), Access::NotAllowed);
    assert!(
        demand("DeleteAlarms", json!({})).is_none(),
        "an operation that IAM does not know is refused"
    );
}

#[test]
fn a_transaction_needs_what_it_consists_of() {
    let mut aws = Aws::new(1);
    let request = IamRequest {
        service: "dynamodb".to_owned(),
        operation: "TransactWriteItems".to_owned(),
        input: json!({"TransactItems": [
            {"Put": {"TableName": "t"}}, {"Delete": {"TableName": "u"}},
        ]}),
    };
    let demands = actions::demands(&mut aws, &request).unwrap();
    let demanded: Vec<_> = demands
        .iter()
        .map(|demand| (demand.action.as_str(), demand.resource.as_str()))
        .collect();

    assert_eq!(
        demanded,
        [
            (
                "dynamodb:PutItem",
                "arn:aws:dynamodb:eu-west-1:111122223333:table/t"
            ),
            (
                "dynamodb:DeleteItem",
                "arn:aws:dynamodb:eu-west-1:111122223333:table/u"
            ),
        ]
    );
}

/// The reference and AWS's own errors disagree about the resource.
#[test]
fn registering_is_asked_for_on_the_family_or_on_everything() {
    let request = IamRequest {
        service: "ecs".to_owned(),
        operation: "RegisterTaskDefinition".to_owned(),
        input: json!({
            "family": "web",
            "taskRoleArn": "plain",
            "tags": [{"key": "a", "value": "b"}],
        }),
    };
    let mut seen = BTreeSet::new();
    for seed in 0..20 {
        let mut aws = Aws::new(seed);
        let demands = actions::demands(&mut aws, &request).unwrap();
        let actions: Vec<_> = demands
            .iter()
            .map(|demand| demand.action.as_str())
            .collect();

        assert_eq!(
            actions,
            [
                "ecs:RegisterTaskDefinition",
                "iam:PassRole",
                "ecs:TagResource"
            ]
        );
        assert_eq!(demands[1].resource, "arn:aws:iam::111122223333:role/plain");
        assert_eq!(
            demands[1].context["iam:passedtoservice"],
            "ecs-tasks.amazonaws.com"
        );
        assert_eq!(
            demands[2].context["ecs:createaction"],
            "RegisterTaskDefinition"
        );
        assert_eq!(demands[2].context["aws:requesttag/a"], "b");

        seen.insert(demands[0].resource.clone());
    }

    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        [
            "*",
            "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*"
        ]
    );
}

#[test]
fn a_service_deployment_is_described_on_itself_and_on_its_service() {
    let of = |kind: &str| format!("arn:aws:ecs:eu-west-1:111122223333:{kind}");
    let deployment = of("service-deployment/apps/web/0a1b");
    let request = IamRequest {
        service: "ecs".to_owned(),
        operation: "DescribeServiceDeployments".to_owned(),
        input: json!({"serviceDeploymentArns": [deployment]}),
    };
    let demands = actions::demands(&mut Aws::new(1), &request).unwrap();
    let resources: Vec<&str> = demands
        .iter()
        .map(|demand| demand.resource.as_str())
        .collect();

    assert_eq!(resources, [deployment, of("service/apps/web")]);
}

#[test]
fn tasks_are_listed_on_everything_unless_on_an_instance() {
    let mut aws = Aws::new(1);
    let mut resource = |input: Value| {
        let request = IamRequest {
            service: "ecs".to_owned(),
            operation: "ListTasks".to_owned(),
            input,
        };
        let demand = actions::demands(&mut aws, &request).unwrap().remove(0);

        assert_eq!(
            demand.context["ecs:cluster"],
            "arn:aws:ecs:eu-west-1:111122223333:cluster/apps"
        );

        demand.resource
    };

    assert_eq!(
        resource(json!({"cluster": "apps", "serviceName": "web"})),
        "*"
    );
    assert_eq!(
        resource(json!({"cluster": "apps", "containerInstance": "0a1b"})),
        "arn:aws:ecs:eu-west-1:111122223333:container-instance/apps/0a1b"
    );
}

#[test]
fn a_task_is_run_on_its_revision_and_stopped_in_its_cluster() {
    let mut aws = Aws::new(1);
    let revision = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";
    let task = "arn:aws:ecs:eu-west-1:111122223333:task/apps/0a1b";
    let run = json!({"cluster": "apps", "taskDefinition": revision});

    for (operation, input, resource) in [
        ("RunTask", run, revision),
        ("StopTask", json!({"cluster": "apps", "task": task}), task),
        ("StopTask", json!({"cluster": "apps", "task": "0a1b"}), task),
    ] {
        let request = IamRequest {
            service: "ecs".to_owned(),
            operation: operation.to_owned(),
            input,
        };
        let demand = actions::demands(&mut aws, &request).unwrap().remove(0);
        assert_eq!(demand.action, format!("ecs:{operation}"));
        assert_eq!(demand.resource, resource);
        assert_eq!(
            demand.context["ecs:cluster"],
            "arn:aws:ecs:eu-west-1:111122223333:cluster/apps"
        );
    }
}

#[test]
fn scalable_targets_are_asked_for_by_their_arn_with_namespace_and_dimension() {
    assert_eq!(
        demand_of_scaling("DescribeScalableTargets", scalable_target()),
        Demand::anywhere("application-autoscaling:DescribeScalableTargets")
    );

    let register = demand_of_scaling("RegisterScalableTarget", scalable_target());
    assert_eq!(
        register.resource,
        "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/*"
    );

    let of = |namespace: &str| {
        let mut statement = allow("application-autoscaling:RegisterScalableTarget", "*");
        statement["Condition"] =
            json!({"StringEquals": {"application-autoscaling:service-namespace": namespace}});
        access_of(&[statement], &register)
    };
    assert_eq!(
        (of("ecs"), of("rds")),
        (Access::Allowed, Access::NotAllowed)
    );
}

#[test]
fn changes_of_rules_and_listeners_are_asked_for_on_them() {
    let listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/web/1/2";
    let scope = "AWS4-HMAC-SHA256 \
                 Credential=AKIA/20260105/eu-west-1/elasticloadbalancing/aws4_request, \
                 SignedHeaders=host, Signature=0";
    let body = format!(
        "Action=ModifyListener&Version=2015-12-01&ListenerArn={}",
        listener.replace(':', "%3A")
    );
    let request = Request {
        headers: vec![("authorization".to_owned(), scope.to_owned())],
        body: body.into_bytes(),
        ..Request::default()
    };
    let request = read(&request).unwrap();
    let demands = actions::demands(&mut Aws::new(1), &request).unwrap();

    assert_eq!(
        demands,
        [Demand::new("elasticloadbalancing:ModifyListener", listener)]
    );

    let request = IamRequest {
        operation: "ModifyRule".to_owned(),
        input: json!({"RuleArn": "arn:rule"}),
        ..request
    };
    let demands = actions::demands(&mut Aws::new(1), &request).unwrap();
    assert_eq!(
        demands,
        [Demand::new("elasticloadbalancing:ModifyRule", "arn:rule")]
    );
}

#[test]
fn a_change_of_a_service_carries_its_tags() {
    let mut aws = Aws::new(1);
    let container = json!({"name": "web", "image": "busybox", "memory": 64});
    for (operation, input) in [
        ("CreateCluster", json!({"clusterName": "apps"})),
        (
            "RegisterTaskDefinition",
            json!({"family": "web", "containerDefinitions": [container]}),
        ),
        (
            "CreateService",
            json!({
                "cluster": "apps", "serviceName": "web", "taskDefinition": "web",
                "desiredCount": 1, "tags": [{"key": "slipway:service", "value": "shop"}],
            }),
        ),
    ] {
        crate::ecs::call(&mut aws, operation, &input).unwrap();
    }

    let request = IamRequest {
        service: "ecs".to_owned(),
        operation: "UpdateService".to_owned(),
        input: json!({"cluster": "apps", "service": "web"}),
    };
    let demand = actions::demands(&mut aws, &request).unwrap().remove(0);
    assert_eq!(demand.context["aws:resourcetag/slipway:service"], "shop");
}
