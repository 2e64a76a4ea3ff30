use serde_json::{Value, json};

use crate::cloudformation::call;
use crate::{ApiError, Aws};

const TEMPLATE: &str = "
Parameters: {Name: {Type: String}, Zones: {Type: CommaDelimitedList, Default: 'a, b'}}
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: !Ref Name}}}
Outputs: {Uri: {Value: !GetAtt Repository.RepositoryUri, Export: {Name: own-uri}}}
";

const USER: &str = "
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: user}}}
Outputs: {Uri: {Value: !ImportValue own-uri}}
";

const ROLE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
";

fn ask(aws: &mut Aws, action: &str, members: &[(&str, &str)]) -> Result<Value, ApiError> {
    call(
        aws,
        action,
        &members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

const NAME: (&str, &str) = ("Parameters.member.1.ParameterKey", "Name");

fn made() -> Aws {
    let mut aws = Aws::new(1);
    let value = ("Parameters.member.1.ParameterValue", "web");
    ask(
        &mut aws,
        "CreateStack",
        &[
            ("StackName", "own"),
            ("TemplateBody", TEMPLATE),
            NAME,
            value,
        ],
    )
    .unwrap();
    aws
}

#[test]
fn a_stack_is_described_with_parameters_outputs_and_exports() {
    let mut aws = made();
    let stack =
        ask(&mut aws, "DescribeStacks", &[("StackName", "own")]).unwrap()["Stacks"][0].clone();
    assert_eq!(
        (&stack["StackStatus"], &stack["CreationTime"]),
        (&json!("CREATE_COMPLETE"), &json!("2026-01-05T09:00:00Z"))
    );
    assert_eq!(
        stack["Parameters"][1],
        json!({"ParameterKey": "Zones", "ParameterValue": "a,b"})
    );
    assert_eq!(stack["Outputs"][0]["ExportName"], "own-uri");
    let by_id = ask(
        &mut aws,
        "DescribeStacks",
        &[("StackName", stack["StackId"].as_str().unwrap())],
    )
    .unwrap();
    assert_eq!(by_id["Stacks"][0], stack);
    assert_eq!(
        ask(&mut aws, "DescribeStacks", &[("StackName", "none")])
            .unwrap_err()
            .to_string(),
        "ValidationError: Stack with id none does not exist"
    );
}

#[test]
fn resources_and_the_template_are_answered() {
    let mut aws = made();
    let listed = ask(&mut aws, "ListStackResources", &[("StackName", "own")]).unwrap();
    assert_eq!(
        listed["StackResourceSummaries"][0]["PhysicalResourceId"],
        "web"
    );
    let found = ask(
        &mut aws,
        "DescribeStackResources",
        &[("PhysicalResourceId", "web")],
    )
    .unwrap();
    assert_eq!(found["StackResources"][0]["StackName"], "own");
    let missing = [("StackName", "own"), ("LogicalResourceId", "None")];
    assert!(
        ask(&mut aws, "DescribeStackResource", &missing)
            .unwrap_err()
            .message
            .contains("does not exist for stack")
    );
    assert_eq!(
        ask(&mut aws, "GetTemplate", &[("StackName", "own")]).unwrap()["TemplateBody"],
        TEMPLATE
    );
    let events = ask(&mut aws, "DescribeStackEvents", &[("StackName", "own")]).unwrap();
    assert_eq!(events["StackEvents"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_update_needs_a_change() {
    let mut aws = made();
    let keep = ("Parameters.member.1.UsePreviousValue", "true");
    let same = [("StackName", "own"), ("TemplateBody", TEMPLATE), NAME, keep];
    assert_eq!(
        ask(&mut aws, "UpdateStack", &same).unwrap_err().message,
        "No updates are to be performed."
    );
    let more = TEMPLATE.replace("Outputs: {", "Outputs: {Name: {Value: !Ref Name}, ");
    ask(
        &mut aws,
        "UpdateStack",
        &[("StackName", "own"), ("TemplateBody", &more), NAME, keep],
    )
    .unwrap();
    let updated = ask(
        &mut aws,
        "ListStacks",
        &[("StackStatusFilter.member.1", "UPDATE_COMPLETE")],
    )
    .unwrap();
    assert_eq!(updated["StackSummaries"][0]["StackName"], "own");
    let twice = [("StackName", "own"), ("TemplateBody", TEMPLATE), NAME, keep];
    assert_eq!(
        ask(&mut aws, "CreateStack", &twice).unwrap_err().code,
        "ValidationError"
    );
}

#[test]
fn an_export_in_use_keeps_its_stack() {
    let mut aws = made();
    assert!(
        ask(&mut aws, "ListImports", &[("ExportName", "own-uri")])
            .unwrap_err()
            .message
            .contains("not imported")
    );
    ask(
        &mut aws,
        "CreateStack",
        &[("StackName", "user"), ("TemplateBody", USER)],
    )
    .unwrap();
    assert_eq!(
        ask(&mut aws, "ListImports", &[("ExportName", "own-uri")]).unwrap()["Imports"],
        json!(["user"])
    );
    assert!(
        ask(&mut aws, "DeleteStack", &[("StackName", "own")])
            .unwrap_err()
            .message
            .contains("in use by user")
    );
    ask(&mut aws, "DeleteStack", &[("StackName", "user")]).unwrap();
    ask(&mut aws, "DeleteStack", &[("StackName", "own")]).unwrap();
    assert_eq!(
        ask(&mut aws, "ListExports", &[]).unwrap()["Exports"],
        json!([])
    );
    ask(&mut aws, "DeleteStack", &[("StackName", "own")]).unwrap();
}

#[test]
fn a_stack_with_roles_needs_a_capability() {
    let mut aws = Aws::new(1);
    let role = [("StackName", "role"), ("TemplateBody", ROLE)];
    assert_eq!(
        ask(&mut aws, "CreateStack", &role).unwrap_err().code,
        "InsufficientCapabilitiesException"
    );
    let capable = [
        role[0],
        role[1],
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    ask(&mut aws, "CreateStack", &capable).unwrap();
    assert_eq!(
        ask(&mut aws, "CreateStack", &capable).unwrap_err().code,
        "AlreadyExistsException"
    );
}

#[test]
fn a_change_set_does_nothing_until_it_is_executed() {
    let mut aws = Aws::new(1);
    let value = ("Parameters.member.1.ParameterValue", "web");
    let asked = |kind| {
        [
            ("ChangeSetName", "c"),
            ("ChangeSetType", kind),
            ("StackName", "own"),
            ("TemplateBody", TEMPLATE),
            NAME,
            value,
        ]
    };
    let id = ask(&mut aws, "CreateChangeSet", &asked("CREATE")).unwrap()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_id = [("ChangeSetName", id.as_str())];
    let set = ask(&mut aws, "DescribeChangeSet", &by_id).unwrap();
    assert_eq!(
        (
            &set["Status"],
            &set["Changes"][0]["ResourceChange"]["Action"]
        ),
        (&json!("CREATE_COMPLETE"), &json!("Add"))
    );
    assert!(aws.cloudformation.stack("own").is_none());
    ask(&mut aws, "ExecuteChangeSet", &by_id).unwrap();
    assert!(aws.cloudformation.stack("own").is_some());
    assert_eq!(
        ask(&mut aws, "ExecuteChangeSet", &by_id).unwrap_err().code,
        "InvalidChangeSetStatus"
    );
    aws.now += 1000;
    ask(&mut aws, "CreateChangeSet", &asked("UPDATE")).unwrap();
    let by_name = [("ChangeSetName", "c"), ("StackName", "own")];
    let set = ask(&mut aws, "DescribeChangeSet", &by_name).unwrap();
    assert_eq!(set["Status"], "FAILED");
    assert!(
        set["StatusReason"]
            .as_str()
            .unwrap()
            .contains("didn't contain changes")
    );
    ask(&mut aws, "DeleteChangeSet", &by_name).unwrap();
    assert_eq!(
        ask(&mut aws, "DescribeChangeSet", &[("ChangeSetName", "none")])
            .unwrap_err()
            .code,
        "ChangeSetNotFound"
    );
}

#[test]
fn a_template_is_summed_up_or_refused() {
    let mut aws = made();
    let summary = ask(&mut aws, "GetTemplateSummary", &[("StackName", "own")]).unwrap();
    assert_eq!(summary["ResourceTypes"], json!(["AWS::ECR::Repository"]));
    assert_eq!(
        (
            &summary["Parameters"][1]["ParameterKey"],
            &summary["Parameters"][1]["DefaultValue"]
        ),
        (&json!("Zones"), &json!("a, b"))
    );
    let refused = ask(
        &mut aws,
        "ValidateTemplate",
        &[("TemplateBody", "Resources: {}")],
    )
    .unwrap_err();
    assert!(
        refused.code == "ValidationError" && refused.message.starts_with("Template format error"),
        "{refused}"
    );
}
