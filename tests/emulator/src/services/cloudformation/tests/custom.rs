use serde_json::Value;

use super::*;
use crate::cloudformation::api::call;
use crate::lambda::{Attempt, Function, create_function};
use crate::{Request, Response};

const TEMPLATE: &str = "
Resources:
  Thing:
    Type: Custom::Thing
    Properties:
      ServiceToken: arn:aws:lambda:eu-west-1:111122223333:function:maker
      ServiceTimeout: 60
      Size: 3
      Parts: [a, !Ref AWS::Region]
  Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: !GetAtt Thing.Name}}
Outputs: {Id: {Value: !Ref Thing}}
";

fn account() -> Aws {
    let mut aws = Aws::new(1);
    let maker = Function {
        name: "maker".to_owned(),
        ..Function::default()
    };
    create_function(&mut aws, maker).unwrap();
    aws
}

fn deployed(aws: &mut Aws, text: &str) {
    deploy_text(aws, "app", Path::new("t.yaml"), text, &BTreeMap::new()).unwrap();
}

fn after(aws: &mut Aws, secs: i64) -> Option<Attempt> {
    aws.now += secs * 1000;
    aws.run_due();
    aws.lambda.take_ready()
}

/// What the function is invoked with.
pub(super) fn requested(aws: &mut Aws) -> Value {
    after(aws, 1).expect("the function is invoked").payload
}

/// Puts a response to the URL of a request, as the function that was not permitted anything.
fn put(aws: &mut Aws, url: &str, response: &str) -> Response {
    let rest = url.strip_prefix("https://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    aws.call(&Request {
        caller: "maker".to_owned(),
        method: "PUT".to_owned(),
        host: host.to_owned(),
        path_and_query: format!("/{path}"),
        headers: Vec::new(),
        body: response.as_bytes().to_vec(),
    })
}

/// Responds to a request with members beside its ids, and lets CloudFormation take note of it.
pub(super) fn respond(aws: &mut Aws, request: &Value, members: Value) {
    let mut response = json!({"PhysicalResourceId": "thing-1"});
    for id in ["StackId", "RequestId", "LogicalResourceId"] {
        response[id] = request[id].clone();
    }
    for (name, value) in members.as_object().unwrap() {
        response[name] = value.clone();
    }

    let url = request["ResponseURL"].as_str().unwrap();
    assert_eq!(put(aws, url, &response.to_string()).status, 200);
    let next = after(aws, 2).map(|attempt| attempt.function);
    // The sweep of the functions' stack may be due at the same time.
    let is_known = next
        .as_deref()
        .is_none_or(|name| name == "slipway-roll-back");
    assert!(is_known, "{next:?}");
}

fn succeed(aws: &mut Aws, request: &Value) {
    let made = json!({"Status": "SUCCESS", "Data": {"Name": "web"}});
    respond(aws, request, made);
}

fn fail(aws: &mut Aws, request: &Value) {
    let failed = json!({"Status": "FAILED", "Reason": "there is no web"});
    respond(aws, request, failed);
}

/// The message of a failure.
fn failed(request: &Value) -> String {
    format!(
        "Received response status [FAILED] from custom resource. Message returned: there is no \
         web (RequestId: {})",
        request["RequestId"].as_str().unwrap()
    )
}

fn status(aws: &Aws) -> &'static str {
    describe::status(aws.cloudformation.stack("app").unwrap())
}

fn why(aws: &Aws) -> Option<&str> {
    aws.cloudformation.stack("app").unwrap().why_failed()
}

fn has_repository(aws: &Aws) -> bool {
    let names = json!({"repositoryNames": ["web"]});
    crate::ecr::call(&mut aws.clone(), "DescribeRepositories", &names).is_ok()
}

/// An account with the stack.
fn made() -> Aws {
    let mut aws = account();
    deployed(&mut aws, TEMPLATE);
    let request = requested(&mut aws);
    succeed(&mut aws, &request);
    assert_eq!(status(&aws), "CREATE_COMPLETE");
    aws
}

#[test]
fn a_stack_is_in_progress_until_its_custom_resource_has_responded() {
    let mut aws = account();
    deployed(&mut aws, TEMPLATE);
    assert_eq!(status(&aws), "CREATE_IN_PROGRESS");
    assert!(!has_repository(&aws));

    let mut request = requested(&mut aws);
    let stack = aws.cloudformation.stack("app").unwrap().clone();
    let whole = request.clone();
    for drawn in ["ResponseURL", "RequestId"] {
        assert!(request[drawn].take().is_string());
    }
    let token = "arn:aws:lambda:eu-west-1:111122223333:function:maker";
    let expected = json!({
        "RequestType": "Create", "ServiceToken": token, "ResponseURL": null,
        "StackId": stack.id, "RequestId": null, "LogicalResourceId": "Thing",
        "ResourceType": "Custom::Thing",
        "ResourceProperties": {
            "ServiceToken": token, "ServiceTimeout": "60", "Size": "3", "Parts": ["a", "eu-west-1"],
        },
    });
    assert_eq!(request, expected);

    succeed(&mut aws, &whole);
    let made = aws.cloudformation.stack("app").unwrap();
    assert_eq!(status(&aws), "CREATE_COMPLETE");
    assert_eq!((&made.id, made.created), (&stack.id, stack.created));
    assert_eq!(made.outputs["Id"], "thing-1");
    assert!(has_repository(&aws));

    // Another response is taken and has no effect.
    fail(&mut aws, &whole);
    assert_eq!(status(&aws), "CREATE_COMPLETE");
    assert!(after(&mut aws, 3600).is_none());
    assert_eq!(status(&aws), "CREATE_COMPLETE");
}

#[test]
fn a_creation_that_fails_is_rolled_back_with_the_reason_of_the_response() {
    let mut aws = account();
    deployed(&mut aws, TEMPLATE);
    let request = requested(&mut aws);
    fail(&mut aws, &request);

    assert_eq!(status(&aws), "ROLLBACK_COMPLETE");
    assert_eq!(why(&aws), Some(failed(&request).as_str()));
    assert!(!has_repository(&aws));
    delete(&mut aws, "app").unwrap();
}

#[test]
fn a_custom_resource_that_does_not_respond_fails_after_its_time_out() {
    let mut aws = account();
    deployed(&mut aws, TEMPLATE);
    let request = requested(&mut aws);
    after(&mut aws, 58);
    assert_eq!(status(&aws), "CREATE_IN_PROGRESS");

    after(&mut aws, 1);
    after(&mut aws, 1);
    assert_eq!(status(&aws), "ROLLBACK_COMPLETE");
    let id = request["RequestId"].as_str().unwrap();
    let reason = why(&aws).unwrap();
    let start = "CloudFormation did not receive a response from your Custom Resource. Please check \
                 your logs for requestId";
    assert!(reason.starts_with(&format!("{start} [{id}].")), "{reason}");
}

#[test]
fn a_function_that_is_not_there_fails_the_stack() {
    let mut aws = account();
    deployed(
        &mut aws,
        &TEMPLATE.replace("function:maker", "function:gone"),
    );
    after(&mut aws, 2);
    assert_eq!(status(&aws), "ROLLBACK_COMPLETE");
    assert!(why(&aws).unwrap().starts_with("Function not found: "));
}

#[test]
fn an_update_sends_old_and_new_properties_and_one_that_fails_changes_nothing() {
    let mut aws = made();
    let larger = TEMPLATE.replace("Size: 3", "Size: 4");
    for fails in [true, false] {
        deployed(&mut aws, &larger);
        assert_eq!(status(&aws), "UPDATE_IN_PROGRESS");
        let request = requested(&mut aws);
        assert_eq!(
            (
                &request["RequestType"],
                &request["PhysicalResourceId"],
                &request["ResourceProperties"]["Size"],
                &request["OldResourceProperties"]["Size"],
            ),
            (
                &json!("Update"),
                &json!("thing-1"),
                &json!("4"),
                &json!("3")
            )
        );
        if fails {
            fail(&mut aws, &request);
            assert_eq!(status(&aws), "UPDATE_ROLLBACK_COMPLETE");
            assert_eq!(why(&aws), Some(failed(&request).as_str()));
        } else {
            succeed(&mut aws, &request);
            assert_eq!((status(&aws), why(&aws)), ("UPDATE_COMPLETE", None));
        }
        assert!(has_repository(&aws));
    }

    // Nothing is requested for what did not change.
    deployed(&mut aws, &larger.replace("{Id:", "{Kind: {Value: a}, Id:"));
    assert_eq!(status(&aws), "UPDATE_COMPLETE");
    assert!(after(&mut aws, 2).is_none());
}

#[test]
fn a_custom_resource_is_deleted_with_its_stack_unless_it_fails() {
    let mut aws = made();
    let name = BTreeMap::from([("StackName".to_owned(), "app".to_owned())]);
    for fails in [true, false] {
        call(&mut aws, "DeleteStack", &name).unwrap();
        assert_eq!(status(&aws), "DELETE_IN_PROGRESS");
        assert!(call(&mut aws, "DeleteStack", &name).is_err());

        let request = requested(&mut aws);
        assert_eq!(request["RequestType"], "Delete");
        assert_eq!(request["PhysicalResourceId"], "thing-1");
        if fails {
            fail(&mut aws, &request);
            assert_eq!(status(&aws), "DELETE_FAILED");
            assert_eq!(why(&aws), Some(failed(&request).as_str()));
        } else {
            succeed(&mut aws, &request);
        }
    }
    assert!(aws.cloudformation.stack("app").is_none());
    assert!(!has_repository(&aws));
}

#[test]
fn a_custom_resource_that_leaves_its_template_is_deleted() {
    let mut aws = made();
    let without = TEMPLATE.replace("!GetAtt Thing.Name", "web");
    let from = without.find("  Thing:").unwrap();
    let to = without.find("  Repository:").unwrap();
    let without = format!("{}{}", &without[..from], &without[to..]);
    deployed(&mut aws, &without.replace("!Ref Thing", "none"));
    assert_eq!(status(&aws), "UPDATE_IN_PROGRESS");

    let request = requested(&mut aws);
    assert_eq!(request["RequestType"], "Delete");
    succeed(&mut aws, &request);
    assert_eq!(status(&aws), "UPDATE_COMPLETE");
    let stack = aws.cloudformation.stack("app").unwrap();
    assert!(stack.resource("Thing").is_none());
}

#[test]
fn a_response_needs_the_signature_and_the_ids_of_the_request() {
    let wrong = [
        (json!({"RequestId": "other"}), "RequestId of the response"),
        (
            json!({"PhysicalResourceId": ""}),
            "Invalid PhysicalResourceId",
        ),
        (
            json!({"Data": {"Name": "a".repeat(4096)}}),
            "Response object is too long.",
        ),
    ];
    for (members, reason) in wrong {
        let mut aws = account();
        deployed(&mut aws, TEMPLATE);
        let request = requested(&mut aws);

        let url = request["ResponseURL"].as_str().unwrap();
        let unsigned = url.replace("X-Amz-Signature=", "X-Amz-Signature=0");
        assert_eq!(put(&mut aws, &unsigned, "{}").status, 403);

        let mut all = json!({"Status": "SUCCESS"});
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        respond(&mut aws, &request, all);
        assert_eq!(status(&aws), "ROLLBACK_COMPLETE");
        assert!(why(&aws).unwrap().starts_with(reason), "{:?}", why(&aws));
    }
}

#[test]
fn a_change_set_requests_nothing_until_it_is_executed() {
    let mut aws = account();
    let members = |members: &[(&str, &str)]| {
        let members = members.iter();
        let owned = members.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<BTreeMap<String, String>>()
    };
    let body = TEMPLATE.replace("!GetAtt Thing.Name", "web");
    let create = members(&[
        ("StackName", "app"),
        ("ChangeSetName", "c"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", body.as_str()),
    ]);
    let created = call(&mut aws, "CreateChangeSet", &create).unwrap();
    assert!(after(&mut aws, 2).is_none());

    let set = members(&[("ChangeSetName", created["Id"].as_str().unwrap())]);
    call(&mut aws, "ExecuteChangeSet", &set).unwrap();
    let name = members(&[("StackName", "app")]);
    let described = call(&mut aws, "DescribeStacks", &name).unwrap();
    let stack = described["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "CREATE_IN_PROGRESS");
    assert_eq!(stack["StackId"], created["StackId"]);

    let request = requested(&mut aws);
    assert_eq!(request["StackId"], created["StackId"]);
    succeed(&mut aws, &request);
    assert_eq!(status(&aws), "CREATE_COMPLETE");
    assert!(has_repository(&aws));
}
