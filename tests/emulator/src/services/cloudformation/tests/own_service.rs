//! The project's own template of a service: what runs until the first release, and what protects
//! the service and its images.

use serde_json::Value;

use super::own_choices::properties;
use super::own_templates::{CERTIFICATE, account, deploy_service};
use super::*;

const PAIR: [(&str, &str); 1] = [("BlueGreen", "yes")];

fn deployed(choices: &[(&str, &str)]) -> Aws {
    let mut aws = account(1);
    deploy_service(&mut aws, choices).unwrap();
    aws
}

/// The properties of a resource of a single service, and of that of each colour of a pair.
fn of_service_and_colours(choices: &[(&str, &str)], kind: &str) -> Vec<Value> {
    let single = deployed(choices);
    let pair = deployed(&[&PAIR[..], choices].concat());
    let colours = ["Blue", "Green"].map(|colour| format!("{colour}{kind}"));
    let colours = colours.iter().map(|name| properties(&pair, "web", name));
    let mut all = vec![properties(&single, "web", kind).clone()];
    all.extend(colours.cloned());
    all
}

#[test]
fn a_tag_means_one_image_and_images_are_scanned_and_kept() {
    let aws = deployed(&[]);
    let stack = aws.cloudformation.stack("web").unwrap();
    let repository = stack.resource("Repository").unwrap();
    let found = &repository.properties;
    assert_eq!(found["ImageTagMutability"], "IMMUTABLE");
    assert_eq!(
        found["ImageScanningConfiguration"],
        json!({"ScanOnPush": true})
    );
    assert_eq!(found["LifecyclePolicy"], Value::Null);
    assert!(repository.retained && repository.retained_on_replace);
    assert!(!repository.retained_on_create);

    let aws = deployed(&[("KeepImages", "50")]);
    let policy = &properties(&aws, "web", "Repository")["LifecyclePolicy"]["LifecyclePolicyText"];
    let policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    let [rule] = items(&policy["rules"]) else {
        panic!("{policy}");
    };
    assert_eq!(rule["action"], json!({"type": "expire"}));
    assert_eq!(
        rule["selection"],
        json!({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50})
    );
}

#[test]
fn services_have_a_circuit_breaker_the_chosen_bounds_and_their_tags_on_tasks() {
    let chosen = [
        ("MinimumHealthyPercent", "50"),
        ("MaximumPercent", "150"),
        ("HealthCheckGraceSeconds", "5"),
    ];
    for (choices, bounds, grace) in [(&[][..], (100, 200), 60), (&chosen[..], (50, 150), 5)] {
        for service in of_service_and_colours(choices, "Service") {
            assert_eq!(
                service["DeploymentConfiguration"],
                json!({
                    "MinimumHealthyPercent": bounds.0, "MaximumPercent": bounds.1,
                    "DeploymentCircuitBreaker": {"Enable": true, "Rollback": true},
                })
            );
            assert_eq!(service["HealthCheckGracePeriodSeconds"], grace);
            assert_eq!(service["EnableECSManagedTags"], true);
            assert_eq!(service["PropagateTags"], "SERVICE");
            assert_eq!(service["DesiredCount"], Value::Null);
        }
    }

    let counted = deployed(&[("DesiredCount", "3")]);
    assert_eq!(properties(&counted, "web", "Service")["DesiredCount"], 3);
}

#[test]
fn tasks_run_in_the_chosen_subnets_and_take_requests_from_the_load_balancer_only() {
    let choices = [("AssignPublicIp", "ENABLED"), ("ContainerPort", "3000")];
    let aws = deployed(&choices);
    let group = physical_id(&aws, "web", "TaskSecurityGroup");
    assert_eq!(
        properties(&aws, "web", "Service")["NetworkConfiguration"],
        json!({"AwsvpcConfiguration": {
            "AssignPublicIp": "ENABLED", "SecurityGroups": [group],
            "Subnets": ["subnet-1", "subnet-2"],
        }})
    );

    let balancer = physical_id(&aws, "web", "LoadBalancerSecurityGroup");
    let [open] = items(&properties(&aws, "web", "TaskSecurityGroup")["SecurityGroupIngress"])
    else {
        panic!("one rule");
    };
    assert_eq!(open["SourceSecurityGroupId"], balancer);
    assert_eq!(
        (&open["FromPort"], &open["ToPort"]),
        (&json!(3000), &json!(3000))
    );
    assert_eq!(
        (&open["IpProtocol"], &open["CidrIp"]),
        (&json!("tcp"), &Value::Null)
    );

    let default = deployed(&[]);
    let network = &properties(&default, "web", "Service")["NetworkConfiguration"];
    assert_eq!(network["AwsvpcConfiguration"]["AssignPublicIp"], "DISABLED");
}

#[test]
fn the_load_balancer_is_open_to_the_chosen_clients_in_the_chosen_subnets() {
    let choices = [
        ("ClientCidr", "10.0.0.0/8"),
        ("LoadBalancerSubnets", "subnet-3,subnet-4"),
        ("CertificateArn", CERTIFICATE),
    ];
    let aws = deployed(&choices);
    let group = properties(&aws, "web", "LoadBalancerSecurityGroup");
    assert_eq!(group["SecurityGroupIngress"][0]["CidrIp"], "10.0.0.0/8");
    assert_eq!(
        properties(&aws, "web", "RedirectIngress")["CidrIp"],
        "10.0.0.0/8"
    );
    let subnets = &properties(&aws, "web", "LoadBalancer")["Subnets"];
    assert_eq!(*subnets, json!(["subnet-3", "subnet-4"]));

    let listener = properties(&aws, "web", "Listener");
    assert_eq!(
        (&listener["Port"], &listener["Protocol"]),
        (&json!(443), &json!("HTTPS"))
    );
    assert_eq!(
        listener["Certificates"],
        json!([{ "CertificateArn": CERTIFICATE }])
    );
    assert_eq!(listener["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-2021-06");
}

#[test]
fn requests_that_no_rule_of_a_pair_takes_get_a_404() {
    let aws = deployed(&PAIR);
    assert_eq!(
        properties(&aws, "web", "Listener")["DefaultActions"],
        json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
    );
}

#[test]
fn targets_are_checked_on_the_chosen_path_and_finish_their_requests() {
    let chosen = [
        ("LaunchType", "EC2"),
        ("HealthCheckPath", "/up"),
        ("DeregistrationDelaySeconds", "5"),
    ];
    for (choices, kind, path, delay) in [
        (&[][..], "ip", "/", "30"),
        (&chosen[..], "instance", "/up", "5"),
    ] {
        for group in of_service_and_colours(choices, "TargetGroup") {
            assert_eq!(group["TargetType"], kind);
            assert_eq!(group["HealthCheckPath"], path);
            assert_eq!(group["Matcher"], json!({"HttpCode": "200"}));
            assert_eq!(
                group["TargetGroupAttributes"],
                json!([{"Key": "deregistration_delay.timeout_seconds", "Value": delay}])
            );
            for (member, value) in [
                ("HealthCheckIntervalSeconds", 10),
                ("HealthCheckTimeoutSeconds", 5),
                ("HealthyThresholdCount", 2),
                ("UnhealthyThresholdCount", 3),
            ] {
                assert_eq!(group[member], value, "{member}");
            }
        }
    }
}

#[test]
fn services_scale_by_their_processors_within_the_chosen_counts() {
    let choices = [
        ("MinCapacity", "2"),
        ("MaxCapacity", "8"),
        ("TargetCpuPercent", "40"),
    ];
    for target in of_service_and_colours(&choices, "ScalableTarget") {
        let found = (&target["MinCapacity"], &target["MaxCapacity"]);
        assert_eq!(found, (&json!(2), &json!(8)));
        // A release suspends scale-in, and an update of the stack must not end that.
        assert_eq!(target["SuspendedState"], Value::Null);
    }
    for policy in of_service_and_colours(&choices, "ScalingPolicy") {
        let tracked = &policy["TargetTrackingScalingPolicyConfiguration"];
        assert_eq!(
            tracked["PredefinedMetricSpecification"]["PredefinedMetricType"],
            "ECSServiceAverageCPUUtilization"
        );
        assert_eq!(tracked["TargetValue"].as_f64(), Some(40.0));
    }
}

#[test]
fn a_placeholder_is_marked_and_logs_to_the_group_of_the_service() {
    let chosen = [
        ("CpuArchitecture", "ARM64"),
        ("Cpu", "512"),
        ("Memory", "1024"),
    ];
    let names = ["web", "web-blue", "web-green"];
    let made = of_service_and_colours(&chosen, "PlaceholderTaskDefinition");
    for (name, definition) in names.into_iter().zip(made) {
        let size = (&definition["Cpu"], &definition["Memory"]);
        assert_eq!(size, (&json!("512"), &json!("1024")));
        assert_eq!(
            definition["RuntimePlatform"],
            json!({"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"})
        );
        let [container] = items(&definition["ContainerDefinitions"]) else {
            panic!("one container");
        };
        assert_eq!(
            container["DockerLabels"],
            json!({"slipway.placeholder": "command"})
        );
        assert_eq!(
            container["LogConfiguration"],
            json!({"LogDriver": "awslogs", "Options": {
                "awslogs-group": "/slipway/web", "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": name,
            }})
        );
    }

    let on_instances = deployed(&[("LaunchType", "EC2"), ("HostPort", "80")]);
    let definition = properties(&on_instances, "web", "PlaceholderTaskDefinition");
    assert_eq!(definition["NetworkMode"], "bridge");
    assert_eq!(definition["RuntimePlatform"], Value::Null);
    let container = &definition["ContainerDefinitions"][0];
    assert_eq!(container["PortMappings"][0]["HostPort"], 80);
}
