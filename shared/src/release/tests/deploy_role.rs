//! The deploy role of a release: stored with it, and kept through its whole life.

use serde_json::json;

use super::*;

fn role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
        region: None,
    }
}

/// A release that has only begun, under the role.
fn under_role() -> Release {
    Release {
        deploy_role: Some(role()),
        pipeline_role: Some(pipeline_role()),
        ..release()
    }
}

/// The role under which the pipeline is read.
fn pipeline_role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/pipeline".to_owned(),
        ..role()
    }
}

fn role_of(lease: &Lease) -> Option<&DeployRole> {
    let release = lease.release.as_ref().expect("it is held");
    release.deploy_role.as_ref()
}

#[test]
fn the_role_of_a_release_is_stored_and_may_be_missing() {
    let lease = Lease {
        fence: 1,
        release: Some(under_role()),
        ..Lease::unwritten("apps", "web")
    };
    let mut stored = serde_json::to_value(&lease).expect("serializes");
    let expected = json!({
        "arn": "arn:aws:iam::111122223333:role/deploy",
        "external_id": "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web",
    });
    assert_eq!(stored["release"]["deploy_role"], expected);
    assert_eq!(
        stored["release"]["pipeline_role"]["arn"],
        "arn:aws:iam::111122223333:role/pipeline"
    );
    assert_eq!(
        serde_json::from_value::<Lease>(stored.clone()).expect("reads"),
        lease
    );

    // As an earlier version writes it.
    let members = stored["release"].as_object_mut().expect("an object");
    members.remove("deploy_role");
    members.remove("pipeline_role");
    let read: Lease = serde_json::from_value(stored.clone()).expect("reads");
    assert_eq!(role_of(&read), None);
    assert_eq!(serde_json::to_value(&read).expect("serializes"), stored);
}

#[test]
fn the_region_of_a_role_is_stored_with_it() {
    let elsewhere = Release {
        deploy_role: Some(role().in_region("eu-central-1")),
        ..under_role()
    };
    let lease = Lease {
        fence: 1,
        release: Some(elsewhere),
        ..Lease::unwritten("apps", "web")
    };

    let stored = serde_json::to_value(&lease).expect("serializes");
    assert_eq!(stored["release"]["deploy_role"]["region"], "eu-central-1");
    assert!(stored["release"]["pipeline_role"].get("region").is_none());
    assert_eq!(
        serde_json::from_value::<Lease>(stored).expect("reads"),
        lease
    );
}

#[test]
fn the_role_of_a_release_is_that_with_which_it_began_until_its_record() {
    let mut lease = Lease::unwritten("apps", "web");
    let prior = Prior::Service(prior_service());
    for event in [
        Event::Taken(Box::new(under_role())),
        Event::PriorRecorded(prior),
        change_announced(change()),
        Event::DeploymentRecorded {
            deployment: "ecs-svc/2".to_owned(),
        },
        Event::FailureRecorded(Failure::job("unhealthy")),
        Event::TakenOver,
        restoration_announced(),
    ] {
        lease = apply(&lease, event, now()).expect("legal");
        assert_eq!(role_of(&lease), Some(&role()));
    }

    let conclusion = Conclusion::new(Outcome::RolledBack, "because");
    let (free, record) = close(&lease, &conclusion, now()).expect("it is open");
    assert_eq!(free.release, None);
    assert_eq!(record.deploy_role, Some(role()));
}

#[test]
fn a_pair_leaves_its_role_with_its_rule_and_a_release_by_hand_keeps_it() {
    let conclusion = Conclusion::new(Outcome::Deployed, "because");
    let left = |lease: &Lease| {
        let (free, _) = close(lease, &conclusion, now()).expect("it is open");
        let rule = free.last_known.clone().and_then(|known| known.rule);
        (free, rule.expect("a rule").deploy_role)
    };

    let under_role = with_release(open_pair(), |release| release.deploy_role = Some(role()));
    let (free, known) = left(&under_role);
    assert_eq!(known, Some(role()));
    let stored = serde_json::to_value(&free).expect("serializes");
    let expected = json!({"arn": role().arn, "external_id": role().external_id});
    assert_eq!(stored["settled"]["rule"]["deploy_role"], expected);
    let read: Lease = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, free);

    let by_hand = Lease {
        release: open_pair().release,
        ..free
    };
    assert_eq!(left(&by_hand).1, Some(role()));
    assert_eq!(left(&open_pair()).1, None);
}
