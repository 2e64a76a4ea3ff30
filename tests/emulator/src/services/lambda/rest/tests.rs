//! The functions over HTTP.

use std::time::Duration;

use super::super::{create_function, finished};
use super::*;
use crate::client::World;

fn world() -> Aws {
    let mut aws = Aws::new(1);
    for name in ["one", "two"] {
        let role = "arn:aws:iam::111122223333:role/slipway/of-a-test".to_owned();
        let function = Function {
            name: name.to_owned(),
            role,
            timeout: Duration::from_secs(9),
            ..Function::default()
        };
        create_function(&mut aws, function).unwrap();
    }
    aws
}

fn request(method: &str, path: &str, kind: &str, body: &str) -> Request {
    let credential = "AWS4-HMAC-SHA256 Credential=A/20260105/eu-west-1/lambda/aws4_request, x";
    Request {
        caller: "operator".to_owned(),
        method: method.to_owned(),
        path_and_query: path.to_owned(),
        headers: vec![
            ("authorization".to_owned(), credential.to_owned()),
            ("x-amz-invocation-type".to_owned(), kind.to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        ..Request::default()
    }
}

fn send(aws: &mut Aws, method: &str, path: &str, kind: &str, body: &str) -> (u16, Value) {
    let response = aws.call(&request(method, path, kind, body));
    (
        response.status,
        serde_json::from_slice(&response.body).unwrap_or_default(),
    )
}

#[test]
fn an_event_is_accepted_and_a_dry_run_does_nothing() {
    let mut aws = world();
    let invoke = "/2015-03-31/functions/one/invocations";
    assert_eq!(send(&mut aws, "POST", invoke, "DryRun", "").0, 204);
    assert_eq!(send(&mut aws, "POST", invoke, "Event", "{}").0, 202);
    assert_eq!(
        (aws.lambda.invocations.len(), aws.lambda.take_awaited()),
        (1, None)
    );
    assert_eq!(send(&mut aws, "POST", invoke, "Event", "{").0, 400);

    let missing = invoke.replace("one", "three");
    assert_eq!(send(&mut aws, "POST", &missing, "Event", "{}").0, 404);
}

#[test]
fn a_synchronous_invocation_is_tried_once_and_returns_its_error() {
    let mut aws = world();
    assert_eq!(
        send(
            &mut aws,
            "POST",
            "/2015-03-31/functions/one/invocations",
            "RequestResponse",
            "{}"
        )
        .0,
        200
    );

    let id = aws.lambda.take_awaited().unwrap();
    assert!(result(&aws, id).is_none());

    aws.now += 1000;
    aws.run_due();
    let attempt = aws.lambda.take_ready().unwrap();
    finished(&mut aws, attempt.id, Outcome::Failed("no".to_owned()));
    let answer = result(&aws, id).unwrap();

    for (name, value) in [
        ("x-amz-function-error", "Unhandled"),
        ("x-amz-executed-version", "$LATEST"),
    ] {
        let header = (name.to_owned(), value.to_owned());
        assert!(answer.headers.contains(&header), "{name}");
    }
    assert!(
        String::from_utf8(answer.body)
            .unwrap()
            .contains("\"errorMessage\":\"no\"")
    );

    aws.now += 3_600_000;
    aws.run_due();
    assert!(aws.lambda.take_ready().is_none() && aws.lambda.dead_letters.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_wire_has_each_header_once() {
    let world = World::new(world());
    let path = "/2015-03-31/functions/one/invocations";
    let request = request("POST", path, "RequestResponse", "{}");
    let caller = world.clone();
    let exchange = tokio::spawn(async move { caller.exchange(&request).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let attempt = world.aws().lambda.take_ready().unwrap();
    finished(&mut world.aws(), attempt.id, Outcome::Succeeded(json!({})));

    let answer = exchange.await.unwrap().response;
    let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert!(names.len() == count && count >= 3, "{:?}", answer.headers);
}

#[test]
fn an_attempt_that_is_stopped_names_its_request_and_the_time() {
    let mut aws = world();
    let mut stopped = |outcome: Outcome| {
        let path = "/2015-03-31/functions/one/invocations";
        send(&mut aws, "POST", path, "RequestResponse", "{}");
        let id = aws.lambda.take_awaited().unwrap();
        aws.now += 1000;
        aws.run_due();
        let attempt = aws.lambda.take_ready().unwrap();
        finished(&mut aws, attempt.id, outcome);
        let body = result(&aws, id).unwrap().body;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = body["errorMessage"].as_str().unwrap().to_owned();
        message.replace(&attempt.request_id, "<id>")
    };
    assert_eq!(
        stopped(Outcome::TimedOut),
        "RequestId: <id> Error: Task timed out after 9.00 seconds"
    );
    assert_eq!(
        stopped(Outcome::Crashed),
        "RequestId: <id> Error: Runtime exited without providing a reason"
    );
}

#[test]
fn a_version_that_is_not_there_is_named_with_the_function() {
    let mut aws = world();
    let mut refused = |path: &str| {
        let path = format!("/2015-03-31/functions/{path}");
        let (status, body) = send(&mut aws, "POST", &path, "DryRun", "");
        (status, body["Message"].clone())
    };
    assert_eq!(refused("one/invocations?Qualifier=%24LATEST").0, 204);
    for (path, name) in [
        ("one/invocations?Qualifier=live", "one:live"),
        ("one:live/invocations", "one:live"),
        ("gone/invocations?Qualifier=%24LATEST", "gone:$LATEST"),
        ("gone/invocations", "gone"),
    ] {
        let message =
            format!("Function not found: arn:aws:lambda:eu-west-1:111122223333:function:{name}");
        assert_eq!(refused(path), (404, json!(message)), "{path}");
    }
}

#[test]
fn an_unknown_path_is_an_unknown_operation() {
    let mut aws = world();
    assert_eq!(send(&mut aws, "GET", "/2018-10-31/layers", "", "").0, 404);
    let call = aws.calls.last().unwrap();
    assert_eq!(
        (call.operation.as_str(), call.error.as_deref()),
        ("GET /2018-10-31/layers", Some("UnknownOperationException"))
    );
}
