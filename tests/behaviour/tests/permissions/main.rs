//! The limits of the functions' roles, asked for at the door: what a role may do at all, but not to
//! this or not in this way.

mod policies;

use emulator::codepipeline::Job;
use emulator::{Aws, Request, Response};
use harness::demo::{CHAPTERS, CLUSTER, COUNTER, WEB, deployed, play};
use harness::driver::Fault;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

/// A request of a function that is signed with an access key id.
fn request(function: &str, key: &str, service: &str, path: &str) -> Request {
    let scope = format!("{key}/20260105/eu-west-1/{service}/aws4_request");
    Request {
        caller: format!("{FUNCTIONS_STACK}-{function}"),
        method: "GET".to_owned(),
        host: format!("{service}.eu-west-1.amazonaws.com"),
        path_and_query: path.to_owned(),
        headers: vec![(
            "authorization".to_owned(),
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )],
        body: Vec::new(),
    }
}

/// What a function is answered by a service that speaks JSON: the output, or the error's message.
fn ask(aws: &mut Aws, function: &str, target: &str, input: &Value) -> Result<Value, String> {
    let service = if target.starts_with("CodePipeline") {
        "codepipeline"
    } else {
        "ecs"
    };
    let mut request = request(function, "AKIAIOSFODNN7EXAMPLE", service, "/");
    "POST".clone_into(&mut request.method);
    request
        .headers
        .push(("x-amz-target".to_owned(), target.to_owned()));
    request.body = input.to_string().into_bytes();

    let Response { status, body, .. } = aws.call(&request);
    let body: Value = serde_json::from_slice(&body).expect("JSON");

    if status == 200 {
        Ok(body)
    } else {
        Err(format!("{}: {}", body["__type"], body["message"]))
    }
}

fn ecs(aws: &mut Aws, function: &str, operation: &str, input: &Value) -> Result<Value, String> {
    ask(
        aws,
        function,
        &format!("AmazonEC2ContainerServiceV20141113.{operation}"),
        input,
    )
}

/// That a call was denied for this action on this resource.
fn denied(answer: Result<Value, String>, action: &str, resource: &str) {
    let error = answer.expect_err("denied");
    assert!(error.contains("AccessDeniedException"), "{error}");
    assert!(
        error.contains(&format!(
            "is not authorized to perform: {action} on resource: {resource}"
        )),
        "{error}"
    );
    assert!(
        error.contains(&format!(
            "because no identity-based policy allows the {action} action"
        )),
        "{error}"
    );
}

#[test]
fn only_services_with_the_tag_are_changed() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let keep = json!({"cluster": CLUSTER, "service": WEB, "desiredCount": 2});

    for function in ["update-service", "roll-back"] {
        ecs(&mut aws, function, "UpdateService", &keep).expect("allowed");
    }

    let arn = aws
        .ecs
        .service_named(CLUSTER, WEB)
        .expect("a service")
        .arn
        .clone();
    aws.ecs
        .services
        .get_mut(&arn)
        .expect("a service")
        .tags
        .retain(|tag| tag["key"] != "slipway:service");

    for function in ["update-service", "roll-back"] {
        denied(
            ecs(&mut aws, function, "UpdateService", &keep),
            "ecs:UpdateService",
            &arn,
        );
    }

    denied(
        ecs(&mut aws, "finish-release", "UpdateService", &keep),
        "ecs:UpdateService",
        &arn,
    );
}

#[test]
fn only_roles_under_the_path_are_handed_to_tasks() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let definition = |role: &str| {
        json!({
            "family": WEB,
            "taskRoleArn": role,
            "containerDefinitions": [{"name": "web", "image": "busybox", "memory": 64}],
        })
    };
    let ours = "arn:aws:iam::111122223333:role/slipway/anything";
    let admin = "arn:aws:iam::111122223333:role/Admin";

    ecs(
        &mut aws,
        "register-task-definition",
        "RegisterTaskDefinition",
        &definition(ours),
    )
    .expect("allowed");
    let answer = ecs(
        &mut aws,
        "register-task-definition",
        "RegisterTaskDefinition",
        &definition(admin),
    );
    denied(answer, "iam:PassRole", admin);

    let registered = ecs_as_person(&mut aws, &definition(admin));
    let update = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": registered});
    denied(
        ecs(&mut aws, "update-service", "UpdateService", &update),
        "iam:PassRole",
        admin,
    );
    denied(
        ecs(&mut aws, "roll-back", "UpdateService", &update),
        "iam:PassRole",
        admin,
    );
}

/// Registers a definition as an administrator; answers its ARN.
fn ecs_as_person(aws: &mut Aws, definition: &Value) -> String {
    let registered =
        emulator::ecs::call(aws, "RegisterTaskDefinition", definition).expect("registered");
    registered["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

#[test]
fn tags_are_given_while_registering_only() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let arn = ecs_as_person(
        &mut aws,
        &json!({
            "family": "x",
            "containerDefinitions": [{"name": "x", "image": "busybox", "memory": 64}],
        }),
    );
    let tag = json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]});
    denied(
        ecs(&mut aws, "register-task-definition", "TagResource", &tag),
        "ecs:TagResource",
        &arn,
    );
}

#[test]
fn only_our_pipelines_are_started() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let answer = ask(
        &mut aws,
        "start-pipeline",
        "CodePipeline_20150709.StartPipelineExecution",
        &json!({"name": "payroll"}),
    );
    denied(
        answer,
        "codepipeline:StartPipelineExecution",
        "arn:aws:codepipeline:eu-west-1:111122223333:payroll",
    );
}

/// An account after a release whose register step read an artifact, with that step's job and the
/// artifact's path.
fn with_artifact() -> (Aws, Job, String) {
    let mut aws = deployed(1).expect("the stacks deploy");
    let chapter = CHAPTERS
        .iter()
        .find(|chapter| chapter.application == COUNTER)
        .expect("a chapter of the counter");
    aws = play(aws, chapter, Fault::None, &mut |_| {})
        .expect("the demo goes as expected")
        .aws;

    let job = aws
        .codepipeline
        .jobs
        .iter()
        .find(|job| job.action == "register-task-definition")
        .expect("a job")
        .clone();
    let execution = aws
        .codepipeline
        .execution(&job.execution)
        .expect("an execution");
    let (_, action) = execution.action(&job.action_execution).expect("an action");
    let (_, artifact) = &action.input_artifacts[0];
    let path = format!("/{}/{}", artifact.bucket, artifact.key);

    // The temporary credentials of the job are still valid for a while.
    aws.now = job.created + 60_000;
    (aws, job, path)
}

fn get(aws: &mut Aws, key: &str, path: &str) -> (u16, String) {
    let response = aws.call(&request("register-task-definition", key, "s3", path));
    (
        response.status,
        String::from_utf8_lossy(&response.body).into_owned(),
    )
}

#[test]
fn artifacts_are_read_with_the_credentials_of_the_job_only() {
    let (mut aws, job, path) = with_artifact();
    assert_eq!(get(&mut aws, &job.access_key_id, &path).0, 200);

    let (status, error) = get(&mut aws, "AKIAIOSFODNN7EXAMPLE", &path);
    assert_eq!(status, 403);
    assert!(
        error.contains("<Code>AccessDenied</Code>") && error.contains("s3:GetObject"),
        "{error}"
    );
    assert!(
        error.contains("/slipway-register-task-definition is not authorized"),
        "{error}"
    );

    let (status, error) = get(
        &mut aws,
        &job.access_key_id,
        "/page-counter-config/config.zip",
    );
    assert_eq!(status, 403);
    assert!(
        error.contains("because no session policy allows the s3:GetObject action"),
        "{error}"
    );
}

#[test]
fn temporary_credentials_expire() {
    let (mut aws, job, path) = with_artifact();
    aws.now = job.created + 3_600_000;
    let (status, error) = get(&mut aws, &job.access_key_id, &path);

    assert_eq!(status, 400);
    assert!(
        error.contains(
            "<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>"
        ),
        "{error}"
    );
}

#[test]
fn a_push_that_may_not_invoke_its_function_is_reported() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let function = format!("{FUNCTIONS_STACK}-start-pipeline");
    aws.lambda
        .functions
        .get_mut(&function)
        .expect("a function")
        .permissions
        .clear();

    let error = play(aws, &CHAPTERS[0], Fault::None, &mut |_| {})
        .expect_err("the push cannot be delivered");
    assert!(
        error.contains("rule/slipway-web-push is not authorized to perform: lambda:InvokeFunction"),
        "{error}"
    );
    assert!(error.contains("function:slipway-start-pipeline"), "{error}");
}
