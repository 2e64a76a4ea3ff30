//! Stacks: their descriptions, and how they are refused.

use super::*;

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Holds("AWS::SNS::Topic"), TOPICS),
    (Sign::Holds("Topic1Name"), TOPICS),
    (Sign::Holds("AWS::SSM::Parameter"), SSM_PARAMETERS),
    (Sign::Holds("\"Dummy\""), SSM_PARAMETERS),
    (
        Sign::Holds("AWS::ApiGateway::RestApi"),
        Lack::Resource("AWS::ApiGateway::RestApi"),
    ),
    (
        Sign::Holds("\"EnableTerminationProtection\":true"),
        stacks("UpdateTerminationProtection"),
    ),
    (Sign::Operation, stacks("CreateStack")),
    CREATED,
    (Sign::Entry("created_stack_desc"), stacks("CreateStack")),
    (Sign::Holds("DELETE_SKIPPED"), stacks("CreateStack")),
    (
        Sign::Holds("CausingEntity"),
        Lack::Other("the details of changes of properties"),
    ),
    (
        Sign::Member("StackResourceDetail"),
        stacks("DescribeStackResource"),
    ),
    (
        Sign::Holds("NonExistentResource"),
        stacks("DescribeStackResource"),
    ),
];

/// The only stack of an account, by its name or id.
fn described(aws: &mut Aws, stack: &str) -> Result<Value, ApiError> {
    let answer = call(aws, "DescribeStacks", &[("StackName", stack)])?;
    Ok(answer["Stacks"][0].clone())
}

/// Makes the stack `own`, or updates it.
fn deployed(
    aws: &mut Aws,
    kind: &str,
    body: &str,
    more: &[(&str, &str)],
) -> Result<Value, ApiError> {
    let created = id(&change_set(aws, "own", kind, body, more));
    call(aws, "ExecuteChangeSet", &[("ChangeSetName", &created)])?;
    described(aws, "own")
}

fn descriptions(answers: &mut Returned) {
    let body = format!("Description: 'test <env>.test.net'{TEMPLATE}");
    let answer = deployed(&mut Aws::new(1), "CREATE", &body, &CAPABILITIES);
    answers.add(
        "test_stack_description_special_chars",
        "describe_stack",
        answer,
    );

    let tag = [("Tags.member.1.Key", "foo"), ("Tags.member.1.Value", "bar")];
    let tests: [(_, &[_]); 2] = [
        ("test_stack_description_lifecycle[no-tags]", &[]),
        ("test_stack_description_lifecycle[with-tags]", &tag),
    ];
    for (test, tags) in tests {
        let aws = &mut Aws::new(1);
        let created = id(&change_set(aws, "own", "CREATE", &body, tags));
        answers.add(test, "stack-pre-execute", described(aws, "own"));
        call(aws, "ExecuteChangeSet", &[("ChangeSetName", &created)]).unwrap();
        answers.add(test, "stack-post-execute", described(aws, "own"));
    }
}

fn updates(answers: &mut Returned) {
    let same = [("StackName", "own"), ("TemplateBody", TEMPLATE)];
    answers.add(
        "test_update_stack_with_same_template_withoutchange",
        "no_change_exception",
        call(&mut account(&[]), "UpdateStack", &same),
    );
}

/// A stack that is updated without capabilities. The values of its parameter are those of the test.
fn incapable(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let test = "test_stack_update_resources";
    let needs = format!("Parameters: {{ApiName: {{Type: String}}}}{TEMPLATE}");
    let given = |name| {
        let key = ("Parameters.member.1.ParameterKey", "ApiName");
        [key, ("Parameters.member.1.ParameterValue", name)]
    };
    let capable = [&CAPABILITIES[..], &given("test_12395eb4")].concat();
    let stack = deployed(aws, "CREATE", &needs, &capable);
    answers.add(test, "stack_created", stack);

    aws.now += 1000;
    let changed = format!("{needs}# changed");
    let stack = deployed(aws, "UPDATE", &changed, &given("test_5a3df175"));
    answers.add(test, "stack_updated", stack);
}

/// A list of identifiers that a parameter takes, joined.
fn subnets(answers: &mut Returned) {
    let body = format!(
        "Parameters: {{Ids: {{Type: 'List<AWS::EC2::Subnet::Id>'}}}}{TEMPLATE}\
         Outputs: {{ParamValue: {{Value: !Join ['|', !Ref Ids]}}}}"
    );
    let given = [
        ("Parameters.member.1.ParameterKey", "Ids"),
        (
            "Parameters.member.1.ParameterValue",
            "subnet-id-1,subnet-id-2",
        ),
    ];
    let stack = deployed(&mut Aws::new(1), "CREATE", &body, &given).unwrap();
    let value = &stack["Outputs"][0]["OutputValue"];
    let outputs = json!({ "ParamValue": value });
    answers.add("test_subnet_id_parameter_type", "outputs", Ok(outputs));
}

fn lifecycle(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let test = "test_stack_lifecycle";
    let needs = format!("Parameters: {{ApiName: {{Type: String}}}}{TEMPLATE}");
    let given = |name| {
        let key = ("Parameters.member.1.ParameterKey", "ApiName");
        let value = ("Parameters.member.1.ParameterValue", name);
        [&CAPABILITIES[..], &[key, value]].concat()
    };
    let stack = deployed(aws, "CREATE", &needs, &given("web"));
    let stack_id = stack.as_ref().unwrap()["StackId"].clone();
    let unprotected = stack.clone().map(|stack| json!({ "Stacks": [stack] }));
    let protection = "test_update_termination_protection";
    answers.add(protection, "describe-stack-2", unprotected);
    answers.add(test, "creation", stack);
    aws.now += 1000;
    let changed = format!("{needs}# changed");
    let stack = deployed(aws, "UPDATE", &changed, &given("shop"));
    answers.add(test, "update", stack);

    let own = [("StackName", "own")];
    call(aws, "DeleteStack", &own).unwrap();
    let stack = described(aws, stack_id.as_str().unwrap());
    answers.add(test, "deleted", stack);
    answers.add(test, "describe_deleted_by_name_exc", described(aws, "own"));
    answers.add(
        "test_name_conflicts",
        "deleted_stack_not_found_exc",
        described(aws, "own"),
    );
    answers.add(
        "test_name_conflicts",
        "deleted_stack_events_not_found_by_name",
        call(aws, "DescribeStackEvents", &own),
    );
}

/// Parameters whose values are not shown, and an output that shows one of them.
const SECRETS: &str = "
Parameters:
  NormalParameter: {Type: String, Default: Some default value here}
  SecretParameter: {Type: String, NoEcho: true}
  SecretParameterWithDefault: {Type: String, NoEcho: true, Default: Default secret value here}
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: web}}}
Outputs: {SecretValue: {Description: Secret value from parameter, Value: !Ref SecretParameter}}
";

fn secrets(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let given = |value| {
        let key = ("Parameters.member.1.ParameterKey", "SecretParameter");
        [key, ("Parameters.member.1.ParameterValue", value)]
    };
    let capable = [&CAPABILITIES[..], &given("SecretValue")].concat();
    let stack = deployed(aws, "CREATE", SECRETS, &capable).unwrap();
    let test = "test_no_echo_parameter";
    answers.add(test, "describe_stacks", Ok(json!({ "Stacks": [stack] })));

    let changed = format!("{SECRETS}# changed");
    let update = change_set(aws, "own", "UPDATE", &changed, &given("NewSecretValue1"));
    let set = id(&update);
    let set = [("ChangeSetName", set.as_str())];
    let shown = call(aws, "DescribeChangeSet", &set).unwrap()["Parameters"].clone();
    let hidden = |index: usize| shown[index]["ParameterValue"] == "****";
    assert_eq!([0, 1, 2].map(hidden), [false, true, true], "{shown}");
    let stack = described(aws, "own").unwrap();
    let entry = "describe_stack_on_create_complete";
    answers.add(test, entry, Ok(json!({ "Stacks": [stack] })));

    // From here on the stack is not described by a change set.
    let own = [("StackName", "own"), ("TemplateBody", SECRETS)];
    let new = [&own[..], &CAPABILITIES, &given("NewSecretValue1")].concat();
    call(aws, "UpdateStack", &new).unwrap();
    for entry in [
        "describe_updated_stacks",
        "describe_updated_stacks_change_set",
        "describe_updated_stacks_no_echo_true",
        "describe_updated_stacks_no_echo_false",
    ] {
        let stack = described(aws, "own").unwrap();
        answers.add(test, entry, Ok(json!({ "Stacks": [stack] })));
    }
}

/// A stack that is made, updated and deleted; of its resources nothing is compared.
fn deletion(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let test = "test_stack_deletion_order[*]";
    let changed = format!("{TEMPLATE}# changed");
    for (number, kind, body) in [("1", "CREATE", TEMPLATE), ("2", "UPDATE", changed.as_str())] {
        aws.now += 1000;
        let created = change_set(aws, "own", kind, body, &[]);
        let set = id(&created);
        answers.add(test, &format!("create-change-set-{number}"), created);
        let executed = call(aws, "ExecuteChangeSet", &[("ChangeSetName", &set)]);
        answers.add(test, &format!("execute-change-set-{number}"), executed);
        let stack = described(aws, "own");
        answers.add(test, &format!("post-create-{number}-describe"), stack);
    }
    let stack = described(aws, "own").unwrap();
    call(aws, "DeleteStack", &[("StackName", "own")]).unwrap();
    let deleted = described(aws, stack["StackId"].as_str().unwrap());
    answers.add(test, "delete-describe", deleted);
}

#[test]
fn stacks_are_as_recorded() {
    let mut answers = Returned::default();
    let none = [("StackName", "does-not-exist")];
    answers.add(
        "test_describe_stack_events_errors",
        "describe_stack_events_stack_not_found",
        call(&mut Aws::new(1), "DescribeStackEvents", &none),
    );
    let missing = described(&mut Aws::new(1), "gone");
    answers.add("test_non_existing_stack_message", "Error", missing);
    let refused =
        |stack: &str, body: &str| change_set(&mut Aws::new(1), stack, "CREATE", body, &[]);
    let not_object = refused("new", "Resources: {Description: text}");
    answers.add("test_linting_error_during_creation", "error", not_object);
    let needs = format!("Parameters: {{Input: {{Type: String}}}}{TEMPLATE}");
    answers.add(
        "test_no_parameters_given",
        "deploy-error",
        refused("new", &needs),
    );
    answers.add(
        "test_stack_name_creation",
        "stack_response",
        refused("*@da591fa3_$", TEMPLATE),
    );
    let unstructured = refused("new", "https://example.com/template");
    answers.add(
        "test_create_stack_url_as_template",
        "stack_create_ec2",
        unstructured,
    );

    descriptions(&mut answers);
    updates(&mut answers);
    lifecycle(&mut answers);
    deletion(&mut answers);
    secrets(&mut answers);
    incapable(&mut answers);
    subnets(&mut answers);
    judge(
        "cloudformation/test_stacks.snapshot.json",
        &answers,
        LEFT_OUT,
    );
}
