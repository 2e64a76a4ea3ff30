//! Where tasks may run: zones that ECS rebalances.

use super::rollouts::update;
use super::*;

/// The request for the service with other members.
fn request(world: &World, more: &Value) -> Value {
    let mut request = world.balanced(2);
    let given = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(given);
    request
}

fn created(more: &Value) -> Result<String, String> {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    world
        .aws
        .settle_quirk(crate::Quirk::RebalancesByDefault, false);
    let request = request(&world, more);
    let answer = world
        .call("CreateService", request)
        .map_err(|error| error.to_string())?;
    Ok(text(&answer["service"]["availabilityZoneRebalancing"]))
}

fn maximum(percent: u32) -> Value {
    json!({"deploymentConfiguration": {"maximumPercent": percent}})
}

const REFUSED: &str = "InvalidParameterException: The service couldn't be updated because \
    Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment \
    configuration.";

#[test]
fn a_new_service_is_rebalanced_where_it_can_be() {
    let zone = "attribute:ecs.availability-zone";
    let spread = json!({"type": "spread", "field": zone});
    let binpack = json!({"type": "binpack", "field": "memory"});
    let cases = [
        (json!({}), "ENABLED"),
        (maximum(101), "ENABLED"),
        (maximum(100), "DISABLED"),
        (
            json!({"availabilityZoneRebalancing": "DISABLED"}),
            "DISABLED",
        ),
        (json!({"placementStrategy": [spread, binpack]}), "ENABLED"),
        (json!({"placementStrategy": [binpack]}), "DISABLED"),
        (
            json!({"placementConstraints": [
                {"type": "memberOf", "expression": format!("{zone} == eu-west-1a")},
            ]}),
            "DISABLED",
        ),
    ];

    for (more, expected) in cases {
        assert_eq!(created(&more), Ok(expected.to_owned()), "{more}");
    }
}

#[test]
fn a_service_that_is_rebalanced_may_run_more_than_its_count() {
    let mut both = maximum(100);
    both["availabilityZoneRebalancing"] = json!("ENABLED");
    assert_eq!(created(&both), Err(REFUSED.replace("updated", "created")));

    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = request(&world, &json!({}));
    world.ok("CreateService", request);
    world.run(180, |_| {});

    let asked = |more: &Value| {
        let mut asked = more.clone();
        (asked["cluster"], asked["service"]) = (json!("main"), json!("web"));
        asked
    };
    assert_eq!(world.err("UpdateService", asked(&maximum(100))), REFUSED);
    assert_eq!(
        world.service()["deploymentConfiguration"]["maximumPercent"],
        200
    );

    // Both at once are no contradiction, and neither starts a deployment.
    let mut off = maximum(100);
    off["availabilityZoneRebalancing"] = json!("DISABLED");
    world.ok("UpdateService", asked(&off));
    assert_eq!(
        world.service()["deployments"].as_array().map(Vec::len),
        Some(1)
    );

    let on = json!({"availabilityZoneRebalancing": "ENABLED"});
    assert_eq!(world.err("UpdateService", asked(&on)), REFUSED);
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"maximumPercent": 150}),
    );
    world.ok("UpdateService", asked(&on));
}

#[test]
fn whether_rebalancing_is_on_where_the_percentages_exclude_it_differs_by_seed() {
    let answers = |seed| {
        let mut world = World::new(seed);
        world.fargate("nginx:1");
        let request = request(&world, &maximum(100));
        world.call("CreateService", request).is_ok()
    };
    let created = (0..20).filter(|seed| answers(*seed)).count();
    assert!((1..20).contains(&created), "{created} of 20");
}
