//! A pair whose tasks hold a static port of instances, in a cluster of its own: its release counts
//! the instances, reads whether its capacity provider adds some, and finds its targets by instance.

use std::collections::BTreeMap;

use behaviour::pair::SHORT;
use emulator::cloudformation::deploy;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::{root, task_roles};
use harness::driver::{Fault, run};
use serde_json::json;

use super::scenes::PATIENCE;

/// The pair, its stack, and its repository.
pub(super) const WAREHOUSE: &str = "warehouse";
/// The stack of its pipeline.
pub(super) const ON_INSTANCES: &str = "warehouse-pipeline";
/// Its cluster, so that no other service has tasks on its instances.
pub(super) const CLUSTER: &str = "warehouses";

/// Two tasks of each colour and a new one of each find a free port.
const INSTANCES: u32 = 4;

fn stack(aws: &mut Aws, name: &str, template: &str, parameters: &[(&str, &str)]) {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let deployed = deploy(aws, name, &root().join(template), &parameters);
    deployed.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Adds the pair and its pipeline to an account, its services steady.
pub(super) fn with_pair_on_instances(mut aws: Aws) -> Aws {
    ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": CLUSTER})).expect("a new cluster");
    ecs::add_container_instances(&mut aws, CLUSTER, INSTANCES);
    let pair = [
        ("Name", WAREHOUSE),
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("Cluster", CLUSTER),
        ("BlueGreen", "yes"),
        ("LaunchType", "EC2"),
        ("HostPort", "8081"),
    ];
    stack(&mut aws, WAREHOUSE, "infra/service.yaml", &pair);
    use_capacity_provider(&mut aws);

    let rule = aws.cloudformation.export("warehouse-ProductionRuleArn");
    let rule = rule.expect("the pair exports it").to_owned();
    let roles = task_roles(&aws, WAREHOUSE).expect("the pair exports them");
    let pipeline = [
        ("PipelineName", "slipway-warehouse"),
        ("Cluster", CLUSTER),
        ("Service", WAREHOUSE),
        ("Rule", rule.as_str()),
        ("Repository", WAREHOUSE),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
    ];
    let parameters = [&pipeline[..], &SHORT[..]].concat();
    let template = "infra/pipelines/blue-green.yaml";
    stack(&mut aws, ON_INSTANCES, template, &parameters);
    steady(aws)
}

/// Moves both colours to a capacity provider that adds no instances.
fn use_capacity_provider(aws: &mut Aws) {
    let group = "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:2:\
                 autoScalingGroupName/warehouse";
    let provider = json!({
        "name": "warehouse",
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": group, "managedScaling": {"status": "DISABLED"},
        },
    });
    ecs::call(aws, "CreateCapacityProvider", &provider).expect("legal");

    for service in ["warehouse-blue", "warehouse-green"] {
        let moved = json!({
            "cluster": CLUSTER, "service": service,
            "capacityProviderStrategy": [{"capacityProvider": "warehouse", "weight": 1}],
        });
        ecs::call(aws, "UpdateService", &moved).expect("legal");
    }
}

fn steady(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        let is_steady = |aws: &Aws| {
            let mut services = aws.ecs.services.values();
            services.all(|service| !service.is_deploying())
        };
        let steady = driver.until(PATIENCE, &mut |_| Ok(()), is_steady).await;
        steady.expect("the pair becomes steady");
        driver.world.snapshot()
    })
}

/// Pushes an image to the pair.
pub(super) fn push(aws: &mut Aws) {
    ecr::push(aws, WAREHOUSE, "9.14.0", Behaviour::Healthy).expect("pushed");
}
