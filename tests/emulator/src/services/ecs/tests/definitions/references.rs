use super::details::refused;
use super::*;

fn three(of_each: [Value; 3]) -> Value {
    let mut definition = plain();
    let names = ["a", "b", "c"].into_iter();
    let containers = names.zip(of_each).map(|(name, more)| {
        let mut container = json!({ "name": name, "image": "nginx:1", "memory": 64 });
        let members = container.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("members").clone());
        container
    });
    definition["containerDefinitions"] = Value::from_iter(containers);
    definition
}

fn after(other: &str) -> Value {
    json!({ "dependsOn": [{ "containerName": other, "condition": "START" }] })
}

#[test]
fn volumes_come_from_a_container_of_the_task() {
    let from = json!({ "volumesFrom": [{ "sourceContainer": "other" }] });
    assert_eq!(
        refused(plain(), json!({}), from),
        client("Invalid 'volumesFrom' setting. Unknown container: 'other'")
    );
}

#[test]
fn containers_wait_for_each_other_in_no_circle() {
    let circle = "Container dependencies should not have a cycle";
    for definition in [
        three([after("a"), json!({}), json!({})]),
        three([after("b"), after("c"), after("b")]),
    ] {
        let refused = World::new(1).err("RegisterTaskDefinition", definition);
        assert_eq!(refused, client(circle));
    }

    let chain = three([after("b"), after("c"), json!({})]);
    World::new(1).ok("RegisterTaskDefinition", chain);
}

#[test]
fn containers_are_linked_in_no_circle() {
    let to = |other: &str| json!({ "links": [other] });
    let circle = three([to("b:alias"), to("a"), json!({})]);
    assert_eq!(
        World::new(1).err("RegisterTaskDefinition", circle),
        client("Container links should not have a cycle")
    );
    let chain = three([to("b:alias"), to("c"), json!({})]);
    World::new(1).ok("RegisterTaskDefinition", chain);
}

#[test]
fn what_is_waited_for_can_come_about() {
    let on = |condition: &str| {
        let dependency = json!({ "containerName": "b", "condition": condition });
        json!({ "dependsOn": [dependency] })
    };
    for (condition, words) in [
        (
            "SUCCESS",
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential \
             container",
        ),
        (
            "COMPLETE",
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential \
             container",
        ),
        (
            "HEALTHY",
            "A dependency container with HEALTHY condition must have health check configured",
        ),
        (
            "DONE",
            "DONE is not a valid value for condition. The value must be one of \
             [START,COMPLETE,SUCCESS,HEALTHY]",
        ),
    ] {
        let definition = three([on(condition), json!({}), json!({})]);
        let refused = World::new(1).err("RegisterTaskDefinition", definition);
        assert_eq!(refused, client(words));
    }

    let not_essential = json!({ "essential": false });
    let definition = three([on("SUCCESS"), not_essential, json!({})]);
    World::new(1).ok("RegisterTaskDefinition", definition);
}
