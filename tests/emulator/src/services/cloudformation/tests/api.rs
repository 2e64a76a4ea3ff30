use serde_json::{Value, json};

use crate::cloudformation::api::call;
use crate::{ApiError, Aws};

const TEMPLATE: &str = "
Parameters: {Name: {Type: String}, Zones: {Type: CommaDelimitedList, Default: 'a, b'}}
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: !Ref Name}}}
Outputs: {Uri: {Value: !GetAtt Repository.RepositoryUri, Export: {Name: own-uri}}}
";

const ROLE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
            Action: sts:AssumeRole
";

fn request(aws: &mut Aws, action: &str, members: &[(&str, &str)]) -> Result<Value, ApiError> {
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    call(aws, action, &members.collect())
}

/// Creates a change set of the stack `own` and executes it.
fn deployed(aws: &mut Aws, members: &[(&str, &str)]) -> Result<(), ApiError> {
    let own = [("ChangeSetName", "c"), ("StackName", "own")];
    let created = request(aws, "CreateChangeSet", &[&own[..], members].concat())?;
    let id = created["Id"].as_str().unwrap();
    request(aws, "ExecuteChangeSet", &[("ChangeSetName", id)]).map(drop)
}

const CREATE: (&str, &str) = ("ChangeSetType", "CREATE");
const BODY: (&str, &str) = ("TemplateBody", TEMPLATE);
const NAME: (&str, &str) = ("Parameters.member.1.ParameterKey", "Name");
const VALUE: (&str, &str) = ("Parameters.member.1.ParameterValue", "web");
const KEEP: (&str, &str) = ("Parameters.member.1.UsePreviousValue", "true");

fn made() -> Aws {
    let mut aws = Aws::new(1);
    deployed(&mut aws, &[CREATE, BODY, NAME, VALUE]).unwrap();
    aws
}

#[test]
fn a_stack_is_described_with_parameters_outputs_and_exports() {
    let mut aws = made();
    let stack =
        request(&mut aws, "DescribeStacks", &[("StackName", "own")]).unwrap()["Stacks"][0].clone();
    assert_eq!(
        (&stack["StackStatus"], &stack["CreationTime"]),
        (&json!("CREATE_COMPLETE"), &json!("2026-01-05T09:00:00Z"))
    );
    assert_eq!(
        stack["Parameters"][1],
        json!({"ParameterKey": "Zones", "ParameterValue": "a,b"})
    );
    assert_eq!(stack["Outputs"][0]["ExportName"], "own-uri");

    let id = stack["StackId"].as_str().unwrap();
    let by_id = request(&mut aws, "DescribeStacks", &[("StackName", id)]).unwrap();
    assert_eq!(by_id["Stacks"][0], stack);
    assert_eq!(
        request(&mut aws, "DescribeStacks", &[("StackName", "none")])
            .unwrap_err()
            .to_string(),
        "ValidationError: Stack with id none does not exist"
    );
}

#[test]
fn resources_are_described_by_stack_and_logical_id() {
    let mut aws = made();
    for (logical, physical) in [("Repository", json!("web")), ("None", Value::Null)] {
        let members = [("StackName", "own"), ("LogicalResourceId", logical)];
        let found = request(&mut aws, "DescribeStackResources", &members).unwrap();
        assert_eq!(found["StackResources"][0]["PhysicalResourceId"], physical);
    }
}

#[test]
fn resources_are_described_by_the_physical_id_of_one_of_them() {
    let mut aws = made();
    let described = |aws: &mut Aws, members: &[(&str, &str)]| {
        let found = request(aws, "DescribeStackResources", members);
        found.map_err(|error| error.to_string())
    };
    let found = described(&mut aws, &[("PhysicalResourceId", "web")]).unwrap();
    let by_name = described(&mut aws, &[("StackName", "own")]).unwrap();
    assert_eq!(found, by_name);

    let both = [("StackName", "own"), ("PhysicalResourceId", "web")];
    for (members, message) in [
        (
            &[("PhysicalResourceId", "none")][..],
            "ValidationError: Stack for none does not exist",
        ),
        (
            &both[..],
            "ValidationError: StackName and PhysicalResourceId cannot both be specified",
        ),
    ] {
        assert_eq!(described(&mut aws, members).unwrap_err(), message);
    }
}

#[test]
fn an_update_needs_a_change() {
    let mut aws = made();
    assert_eq!(
        deployed(&mut aws, &[BODY, NAME, KEEP]).unwrap_err().code,
        "InvalidChangeSetStatus"
    );

    let more = TEMPLATE.replace("Outputs: {", "Outputs: {Name: {Value: !Ref Name}, ");
    deployed(&mut aws, &[("TemplateBody", &more), NAME, KEEP]).unwrap();
    let stack = request(&mut aws, "DescribeStacks", &[("StackName", "own")]).unwrap();
    assert_eq!(stack["Stacks"][0]["StackStatus"], "UPDATE_COMPLETE");
}

#[test]
fn a_stack_with_roles_needs_a_capability() {
    let mut aws = Aws::new(1);
    let role = [CREATE, ("TemplateBody", ROLE)];
    assert_eq!(
        deployed(&mut aws, &role).unwrap_err().code,
        "InsufficientCapabilitiesException"
    );

    let capable = [
        role[0],
        role[1],
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    let body = ROLE.replace("Properties:", "Properties:\n      RoleName: named");
    let named = [CREATE, ("TemplateBody", body.as_str()), capable[2]];
    assert_eq!(
        deployed(&mut aws, &named).unwrap_err().message,
        "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    );
    deployed(&mut aws, &capable).unwrap();
    assert_eq!(
        deployed(&mut aws, &capable).unwrap_err().message,
        "Stack [own] already exists and cannot be created again with the changeSet [c]."
    );
}

/// The members of a request for a change set of the stack `own`.
fn change_set(kind: &str) -> [(&str, &str); 6] {
    [
        ("ChangeSetName", "c"),
        ("ChangeSetType", kind),
        ("StackName", "own"),
        BODY,
        NAME,
        VALUE,
    ]
}

#[test]
fn a_change_set_does_nothing_until_it_is_executed() {
    let mut aws = Aws::new(1);
    let created = request(&mut aws, "CreateChangeSet", &change_set("CREATE")).unwrap();
    let by_id = [("ChangeSetName", created["Id"].as_str().unwrap())];
    let set = request(&mut aws, "DescribeChangeSet", &by_id).unwrap();
    assert_eq!(
        (
            &set["Status"],
            &set["Changes"][0]["ResourceChange"]["Action"]
        ),
        (&json!("CREATE_COMPLETE"), &json!("Add"))
    );
    assert!(aws.cloudformation.stack("own").is_none());

    request(&mut aws, "ExecuteChangeSet", &by_id).unwrap();
    assert!(aws.cloudformation.stack("own").is_some());
    assert_eq!(
        request(&mut aws, "ExecuteChangeSet", &by_id)
            .unwrap_err()
            .code,
        "InvalidChangeSetStatus"
    );

    aws.now += 1000;
    request(&mut aws, "CreateChangeSet", &change_set("UPDATE")).unwrap();
    let by_name = [("ChangeSetName", "c"), ("StackName", "own")];
    let set = request(&mut aws, "DescribeChangeSet", &by_name).unwrap();
    assert_eq!(set["Status"], "FAILED");
    assert!(
        set["StatusReason"]
            .as_str()
            .unwrap()
            .contains("didn't contain changes")
    );
    assert_eq!(
        request(&mut aws, "DescribeChangeSet", &[("ChangeSetName", "none")])
            .unwrap_err()
            .code,
        "ChangeSetNotFound"
    );
}

#[test]
fn a_template_is_summed_up_or_refused() {
    let mut aws = made();
    let summary = request(&mut aws, "GetTemplateSummary", &[("StackName", "own")]).unwrap();
    assert_eq!(summary["ResourceTypes"], json!(["AWS::ECR::Repository"]));
    assert_eq!(
        (
            &summary["Parameters"][1]["ParameterKey"],
            &summary["Parameters"][1]["DefaultValue"]
        ),
        (&json!("Zones"), &json!("a, b"))
    );

    let empty = [("TemplateBody", "Resources: {}")];
    let refused = request(&mut aws, "GetTemplateSummary", &empty).unwrap_err();
    assert!(
        refused.code == "ValidationError" && refused.message.starts_with("Template format error"),
        "{refused}"
    );
}
