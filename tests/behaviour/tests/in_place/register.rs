//! Which revision a release gets: the one that is live, one that it registered before, or a new
//! one.

use emulator::ecs;
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};
use slipway::release::{Event, Registering};

use super::bench::*;
use behaviour::{push, released, without_mark};

const OTHER_IMAGE: &str = "public.ecr.aws/nginx/nginx:1";

async fn register(driver: &Driver, image: &str) -> Value {
    look(
        driver,
        "register-task-definition",
        json!({"images": {"web": image}}),
    )
    .await
}

#[test]
fn the_image_that_is_live_changes_nothing_whatever_the_family_has_since() {
    run(released(), Fault::None, async |driver| {
        assert_eq!(register_by_hand(&driver, OTHER_IMAGE), arn("web:3"));

        begun(&driver, json!({})).await;
        let since = calls(&driver);
        let answer = register(&driver, &image("1.0.0")).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:2"),
            "{answer}"
        );

        let summary = answer["summary"].as_str().expect("a summary");
        assert!(
            summary.starts_with("web:2: the service's own, nothing changed; web="),
            "{summary}"
        );

        let live = json!({"task_definition": arn("web:2"), "strategy": "rolling"});
        let answer = look(&driver, "update-service", live).await;
        assert_eq!(answer["status"], "done", "{answer}");

        let answer = ended(
            &driver,
            "finish-release",
            json!({"task_definition": arn("web:2")}),
        )
        .await;
        assert_eq!(
            answer["outputVariables"],
            json!({"Outcome": "unchanged"}),
            "{answer}"
        );

        for function in ["register-task-definition", "update-service"] {
            assert_eq!(operations(&driver, since, function), [""; 0], "{function}");
        }
        assert_eq!(
            operations(&driver, since, "finish-release"),
            ["TransactWriteItems"]
        );

        let found = record(&driver);
        assert_eq!(
            (&found["outcome"], found.get("change")),
            (&json!("unchanged"), None)
        );
    });
}

#[test]
fn a_revision_that_an_operator_registered_is_not_taken_although_it_is_the_wanted_one() {
    run(released(), Fault::None, async |driver| {
        let digest = push(&driver, WEB, "2.0.0");
        assert_eq!(register_by_hand(&driver, &pinned(&digest)), arn("web:3"));

        begun(&driver, json!({ "digest": digest })).await;
        let answer = register(&driver, &image("2.0.0")).await;

        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:4"),
            "{answer}"
        );
        rolled_back(&driver, "STOPPED").await;

        let aws = driver.world.aws();
        assert!(aws.ecs.is_active("web:3") && !aws.ecs.is_active("web:4"));
    });
}

/// The release as if the invocation that registered its revision had died before it recorded it.
async fn unrecorded(driver: &Driver) {
    edit(driver, WEB, |lease| {
        with_release(lease, |release| release.registered = None)
    })
    .await;
}

#[test]
fn a_revision_that_an_earlier_invocation_registered_is_written_down() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        unrecorded(&driver).await;

        let since = calls(&driver);
        let answer = register(&driver, &image("2.0.0")).await;
        let summary = answer["summary"].as_str().expect("a summary");
        assert!(summary.starts_with("web:3: registered; web="), "{summary}");
        assert_eq!(
            operations(&driver, since, "register-task-definition"),
            ["PutItem"]
        );
        assert_eq!(lease(&driver)["release"]["registered"], arn("web:3"));

        // A second delivery finds it written down.
        let since = calls(&driver);
        let answer = register(&driver, &image("2.0.0")).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:3"),
            "{answer}"
        );
        assert_eq!(
            operations(&driver, since, "register-task-definition"),
            [""; 0]
        );
    });
}

#[test]
fn a_registration_that_was_announced_and_is_not_found_is_waited_for_and_then_made() {
    run(released(), Fault::None, async |driver| {
        let digest = push(&driver, WEB, "2.0.0");
        begun(&driver, json!({ "digest": digest })).await;
        edit(&driver, WEB, |lease| {
            after(
                lease,
                Event::RegistrationAnnounced(Registering {
                    family: "web".to_owned(),
                    newest: Some(arn("web:1")),
                }),
            )
        })
        .await;

        let since = calls(&driver);
        let answer = register(&driver, &image("2.0.0")).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        let summary = answer["summary"].as_str().expect("a summary");
        assert!(summary.contains("is not found; waiting"), "{summary}");
        assert_eq!(
            operations(&driver, since, "register-task-definition"),
            [""; 0]
        );

        pass(&driver, 60).await;
        let images = json!({"images": {"web": image("2.0.0")}});
        let answer = again(&driver, "register-task-definition", images, &answer).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:3"),
            "{answer}"
        );

        // What came after the first announcement may still be this release's.
        assert_eq!(
            lease(&driver)["release"]["registering"],
            json!({"family": "web", "newest": arn("web:1")})
        );
    });
}

#[test]
fn a_new_revision_is_made_when_the_newest_of_the_family_is_another() {
    run(released(), Fault::None, async |driver| {
        let digest = push(&driver, WEB, "2.0.0");
        assert_eq!(register_by_hand(&driver, OTHER_IMAGE), arn("web:3"));

        begun(&driver, json!({ "digest": digest })).await;
        let answer = register(&driver, &image("2.0.0")).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:4"),
            "{answer}"
        );

        let release = lease(&driver)["release"].clone();
        assert_eq!(
            release["registering"],
            json!({"family": "web", "newest": arn("web:3")})
        );

        // The base is what serves, not what was registered last.
        let aws = driver.world.snapshot();
        let (mut expected, _) = without_mark(aws.ecs.request_of("web:2").expect("released"));
        expected["containerDefinitions"][0]["image"] = json!(pinned(&digest));
        let request = aws.ecs.request_of("web:4").expect("registered");
        assert_eq!(without_mark(request), (expected, Some(JANE.to_owned())));
    });
}

#[test]
fn a_revision_of_the_same_release_with_another_image_is_not_taken() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let digest = push(&driver, WEB, "3.0.0");
        pass(&driver, 61).await;

        let answer = register(&driver, &image("3.0.0")).await;
        let outputs = &answer["outputVariables"];
        assert_eq!(outputs["TaskDefinitionArn"], arn("web:4"), "{answer}");
        let images = outputs["ImageURIs"].as_str().expect("images");
        assert!(images.contains(&pinned(&digest)), "{images}");
    });
}

#[test]
fn the_newest_revision_of_a_named_family_is_the_base() {
    run(released(), Fault::None, async |driver| {
        let mut request = driver
            .world
            .aws()
            .ecs
            .request_of("web:2")
            .expect("released")
            .clone();
        request["family"] = json!("template");
        request["cpu"] = json!("512");
        request["memory"] = json!("1024");
        ecs::call(&mut driver.world.aws(), "RegisterTaskDefinition", &request).expect("legal");

        let digest = push(&driver, WEB, "2.0.0");
        begun(&driver, json!({})).await;
        let parameters = json!({"images": {"web": image("2.0.0")}, "family": "template"});
        let answer = look(&driver, "register-task-definition", parameters).await;

        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("template:2"),
            "{answer}"
        );

        request["containerDefinitions"][0]["image"] = json!(pinned(&digest));
        let aws = driver.world.aws();
        let registered = aws.ecs.request_of("template:2").expect("registered");
        assert_eq!(
            without_mark(registered),
            (without_mark(&request).0, Some(JANE.to_owned()))
        );
    });
}

#[test]
fn a_registration_in_another_family_is_announced_anew() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        {
            let mut aws = driver.world.aws();
            let mut request = aws.ecs.request_of("web:2").expect("released").clone();
            request["family"] = json!("template");
            ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
        }

        let parameters = json!({"images": {"web": image("2.0.0")}, "family": "template"});
        let answer = look(&driver, "register-task-definition", parameters).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("template:2"),
            "{answer}"
        );
        assert_eq!(
            lease(&driver)["release"]["registering"],
            json!({"family": "template", "newest": arn("template:1")})
        );
    });
}

#[test]
fn an_image_that_is_not_in_its_repository_is_refused_before_a_revision_is_made() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let since = calls(&driver);
        let answer = register(&driver, &image("9.9.9")).await;
        fails(&answer, "RevisionUnavailable", &["web:9.9.9"]);

        // The failure is kept in the lease, so that every later look is the same.
        assert_eq!(
            operations(&driver, since, "register-task-definition"),
            ["PutItem"]
        );

        let failure = json!({"type": "RevisionUnavailable", "message": answer["message"]});
        assert_eq!(lease(&driver)["release"]["failure"], failure);

        let later = look(
            &driver,
            "update-service",
            update(json!({"task_definition": arn("web:2")})),
        )
        .await;
        assert_eq!(
            (&later["type"], &later["message"]),
            (&answer["type"], &answer["message"])
        );
    });
}
