//! The limits of the functions' roles and of the deploy roles, tested by direct calls: what a role
//! may do at all, but not to this or not in this way.

mod policies;

use behaviour::account;
use emulator::codepipeline::Job;
use emulator::{Aws, Request, Response};
use harness::demo::{CHAPTERS, CLUSTER, COUNTER, WEB, play};
use harness::driver::Fault;
use harness::functions::STEPS;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

/// Who signs a request: a function under its own role, or under one that it assumed.
struct Signer {
    function: &'static str,
    key: String,
    token: Option<String>,
}

/// A function under its own role.
fn own(function: &'static str) -> Signer {
    Signer {
        function,
        key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        token: None,
    }
}

/// A request of a function that is signed with an access key id.
fn request(signer: &Signer, service: &str, path: &str) -> Request {
    let scope = format!("{}/20260105/eu-west-1/{service}/aws4_request", signer.key);
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let token = signer.token.iter();
    let token = token.map(|token| ("x-amz-security-token".to_owned(), token.clone()));

    Request {
        caller: format!("{FUNCTIONS_STACK}-{}", signer.function),
        method: "GET".to_owned(),
        host: format!("{service}.eu-west-1.amazonaws.com"),
        path_and_query: path.to_owned(),
        headers: token
            .chain([("authorization".to_owned(), signature)])
            .collect(),
        body: Vec::new(),
    }
}

/// The ARN of the deploy role of a pipeline's stack.
fn role_of(aws: &Aws, stack: &str) -> String {
    let role = aws.cloudformation.export(&format!("{stack}-DeployRoleArn"));
    role.expect("the stack exports it").to_owned()
}

/// Assumes a deploy role for a pipeline; the error is the response of STS.
fn assume(
    aws: &mut Aws,
    function: &'static str,
    role: &str,
    pipeline: &str,
) -> Result<Signer, String> {
    let external_id = aws.arn("codepipeline", pipeline);
    let encoded = |text: &str| text.replace(':', "%3A").replace('/', "%2F");
    let mut request = request(&own(function), "sts", "/");
    "POST".clone_into(&mut request.method);
    request.body = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=slipway-{function}&RoleArn={}\
         &ExternalId={}",
        encoded(role),
        encoded(&external_id)
    )
    .into_bytes();

    let Response { status, body, .. } = aws.call(&request);
    let text = String::from_utf8(body).expect("XML");
    let member = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once('<')?;
        Some(value.to_owned())
    };
    match (status, member("AccessKeyId"), member("SessionToken")) {
        (200, Some(key), token) => Ok(Signer {
            function,
            key,
            token,
        }),
        _ => Err(text),
    }
}

/// A function under the deploy role of web's pipeline.
fn for_web(aws: &mut Aws, function: &'static str) -> Signer {
    let role = role_of(aws, "web-pipeline");
    assume(aws, function, &role, "slipway-web").expect("the function may assume it")
}

/// The response of a service that speaks JSON: the output, or the error's message.
fn ask(aws: &mut Aws, signer: &Signer, target: &str, input: &Value) -> Result<Value, String> {
    let service = if target.starts_with("CodePipeline") {
        "codepipeline"
    } else {
        "ecs"
    };
    let mut request = request(signer, service, "/");
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

fn ecs(aws: &mut Aws, signer: &Signer, operation: &str, input: &Value) -> Result<Value, String> {
    ask(
        aws,
        signer,
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

/// The ARN of a service of the demo.
fn arn_of(aws: &Aws, service: &str) -> String {
    let found = aws.ecs.service_named(CLUSTER, service);
    found.expect("a service").arn.clone()
}

#[test]
fn a_service_is_changed_only_under_the_deploy_role_of_its_pipeline() {
    let mut aws = account();
    let keep = |service: &str| json!({"cluster": CLUSTER, "service": service, "desiredCount": 2});
    let [web, counter] = [WEB, COUNTER].map(|service| arn_of(&aws, service));

    for function in ["update-service", "roll-back"] {
        let signer = for_web(&mut aws, function);
        ecs(&mut aws, &signer, "UpdateService", &keep(WEB)).expect("allowed");
        denied(
            ecs(&mut aws, &signer, "UpdateService", &keep(COUNTER)),
            "ecs:UpdateService",
            &counter,
        );
        denied(
            ecs(&mut aws, &own(function), "UpdateService", &keep(WEB)),
            "ecs:UpdateService",
            &web,
        );
    }
}

#[test]
fn a_deploy_role_is_assumed_for_its_own_pipeline_by_the_functions_only() {
    let mut aws = account();
    let web = role_of(&aws, "web-pipeline");
    for function in STEPS.iter().copied().chain(["start-pipeline", "roll-back"]) {
        assume(&mut aws, function, &web, "slipway-web").expect("the trust policy names it");
    }

    let mut refused = |role: &str, pipeline: &str| {
        let error = assume(&mut aws, "update-service", role, pipeline);
        let error = error.map(|signer| signer.key).expect_err("refused");
        assert!(error.contains("AccessDenied"), "{error}");
        assert!(
            error.contains("is not authorized to perform: sts:AssumeRole on resource: "),
            "{error}"
        );
    };
    refused(&web, "slipway-page-counter");
    refused("arn:aws:iam::111122223333:role/Admin", "slipway-web");

    // A function of another installation has a role under another path.
    let function = format!("{FUNCTIONS_STACK}-update-service");
    let role = aws.lambda.functions[&function].role.clone();
    let name = role.rsplit('/').next().expect("a name");
    let other = format!("arn:aws:iam::111122223333:role/slipway/other/{name}");
    let known = aws.cloudformation.iam.role_mut(name).expect("a role");
    known.arn.clone_from(&other);
    aws.lambda
        .functions
        .get_mut(&function)
        .expect("a function")
        .role = other;
    assert!(assume(&mut aws, "update-service", &web, "slipway-web").is_err());
}

#[test]
fn only_the_given_roles_are_handed_to_tasks() {
    let mut aws = account();
    let definition = |role: &str| {
        json!({
            "family": WEB,
            "taskRoleArn": role,
            "containerDefinitions": [{"name": "web", "image": "busybox", "memory": 64}],
        })
    };
    let roles = aws.cloudformation.export("web-TaskRoleArn");
    let ours = roles.expect("the stack exports it").to_owned();
    let admin = "arn:aws:iam::111122223333:role/slipway/Admin";

    let signer = for_web(&mut aws, "register-task-definition");
    let (given, other) = (definition(&ours), definition(admin));
    ecs(&mut aws, &signer, "RegisterTaskDefinition", &given).expect("allowed");
    let answer = ecs(&mut aws, &signer, "RegisterTaskDefinition", &other);
    denied(answer, "iam:PassRole", admin);

    let registered = ecs_as_operator(&mut aws, &other);
    let update = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": registered});
    denied(
        ecs(&mut aws, &signer, "UpdateService", &update),
        "iam:PassRole",
        admin,
    );
}

/// Registers a definition as an administrator; returns its ARN.
fn ecs_as_operator(aws: &mut Aws, definition: &Value) -> String {
    let registered =
        emulator::ecs::call(aws, "RegisterTaskDefinition", definition).expect("registered");
    registered["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

#[test]
fn tags_are_given_while_registering_only() {
    let mut aws = account();
    let arn = ecs_as_operator(
        &mut aws,
        &json!({
            "family": "x",
            "containerDefinitions": [{"name": "x", "image": "busybox", "memory": 64}],
        }),
    );
    let tag = json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]});
    let signer = for_web(&mut aws, "register-task-definition");
    denied(
        ecs(&mut aws, &signer, "TagResource", &tag),
        "ecs:TagResource",
        &arn,
    );
}

#[test]
fn a_deploy_role_starts_its_own_pipeline_only() {
    let mut aws = account();
    let signer = for_web(&mut aws, "start-pipeline");
    let answer = ask(
        &mut aws,
        &signer,
        "CodePipeline_20150709.StartPipelineExecution",
        &json!({"name": "slipway-page-counter"}),
    );
    denied(
        answer,
        "codepipeline:StartPipelineExecution",
        "arn:aws:codepipeline:eu-west-1:111122223333:slipway-page-counter",
    );
}

/// An account after a release whose register step read an artifact, with that step's job and the
/// artifact's path.
fn with_artifact() -> (Aws, Job, String) {
    let mut aws = account();
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
    let signer = Signer {
        key: key.to_owned(),
        ..own("register-task-definition")
    };
    let response = aws.call(&request(&signer, "s3", path));
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
    let mut aws = account();
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
        error.contains(
            "rule/slipway-slipway-web is not authorized to perform: lambda:InvokeFunction"
        ),
        "{error}"
    );
    assert!(error.contains("function:slipway-start-pipeline"), "{error}");
}
