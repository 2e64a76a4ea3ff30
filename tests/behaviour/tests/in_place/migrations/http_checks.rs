//! HTTP checks beside a one-off task.

use super::*;

/// How many requests of HTTP checks were made.
fn requests(driver: &Driver) -> usize {
    let aws = driver.world.aws();
    let calls = aws.calls.iter();
    calls.filter(|call| call.service == "http").count()
}

/// A check of the load balancer of web.
fn health(driver: &Driver, more: Value) -> Value {
    let group = web(driver)["loadBalancers"][0]["targetGroupArn"].clone();
    let aws = driver.world.aws();
    let balancers = aws
        .elb
        .load_balancers_of(group.as_str().expect("a target group"));
    let name = &aws.elb.load_balancers[&balancers[0]].dns_name;
    let mut check = json!({"name": "health", "url": format!("http://{name}/")});
    let members = more.as_object().expect("an object").clone();
    check.as_object_mut().expect("an object").extend(members);
    check
}

#[test]
fn an_http_check_is_made_beside_the_task_and_listed_with_it() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 0);
        let checks = json!([health(&driver, json!({"body_contains": "web:2"}))]);
        let parameters = migrate(json!({"http_checks": checks}));
        let first = look(&driver, STEP, parameters.clone()).await;
        let begun = text(&first, "summary");
        assert!(
            begun.starts_with("migrate: started web:3 as task "),
            "{begun}"
        );
        assert!(begun.contains("; OK health: status 200 in "), "{begun}");

        pass(&driver, 240).await;
        let answer = again(&driver, STEP, parameters, &first).await;
        let summary = text(&answer, "summary");
        assert!(
            summary.starts_with("OK migrate: web:3 ended with exit code 0"),
            "{summary}"
        );
        assert!(summary.contains("; OK health: status 200 in "), "{summary}");
        assert_eq!((made(&driver, "RunTask"), requests(&driver)), (1, 1));
    });
}

#[test]
fn a_check_that_fails_waits_for_the_end_of_the_task_and_fails_the_release_then() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 0);
        let checks = json!([health(&driver, json!({"status": 204}))]);
        let answer = ended(&driver, STEP, migrate(json!({"http_checks": checks}))).await;

        let ng = "NG health: found status 200 with body ";
        fails(
            &answer,
            "JobFailed",
            &[ng, "; OK migrate: web:3 ended with exit code 0"],
        );
        assert_eq!(only_task(&driver).state, TaskState::Stopped);
        assert_eq!((made(&driver, "RunTask"), requests(&driver)), (1, 1));
    });
}
