//! Stacks before change sets make them and after they are deleted, and what is refused in
//! CloudFormation's words.

use serde_json::{Value, json};

use super::change_sets::{TEMPLATE, account, create, execute, request};
use crate::Aws;

#[test]
fn a_stack_in_review_is_described_until_it_is_made_or_deleted() {
    let mut aws = account();
    let created = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    let id = created["StackId"].as_str().unwrap();
    for name in ["own", id] {
        let named = [("StackName", name)];
        let answer = request(&mut aws, "DescribeStacks", &named).unwrap();
        assert_eq!(answer["Stacks"][0]["StackId"], id);
        assert_eq!(answer["Stacks"][0]["StackStatus"], "REVIEW_IN_PROGRESS");
        assert_eq!(
            request(&mut aws, "GetTemplateSummary", &named)
                .unwrap_err()
                .message,
            "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
        );
        let template = request(&mut aws, "GetTemplate", &named).unwrap();
        assert_eq!(template["TemplateBody"], Value::Null);
        let resources = request(&mut aws, "DescribeStackResources", &named).unwrap();
        assert_eq!(resources["StackResources"], json!([]));
    }
    let by_id = [
        ("ChangeSetName", "c"),
        ("StackName", id),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", TEMPLATE),
    ];
    let second = request(&mut aws, "CreateChangeSet", &by_id).unwrap();
    assert_eq!(second["StackId"], id);

    request(&mut aws, "DeleteStack", &[("StackName", id)]).unwrap();
    assert!(request(&mut aws, "DescribeStacks", &[("StackName", "own")]).is_err());
}

#[test]
fn the_id_of_a_deleted_stack_still_names_it_and_its_name_is_free() {
    let mut aws = account();
    let created = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    execute(&mut aws, &created);
    request(&mut aws, "DeleteStack", &[("StackName", "own")]).unwrap();

    let id = created["StackId"].as_str().unwrap();
    let named = [("StackName", id)];
    let stack = request(&mut aws, "DescribeStacks", &named).unwrap()["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "DELETE_COMPLETE");
    assert_eq!(stack["DeletionTime"], "2026-01-05T09:00:00Z");
    let events = request(&mut aws, "DescribeStackEvents", &named).unwrap();
    let newest = &events["StackEvents"][0];
    assert_eq!(newest["ResourceStatus"], "DELETE_COMPLETE");
    let template = request(&mut aws, "GetTemplate", &named).unwrap();
    assert_eq!(template["TemplateBody"], TEMPLATE);
    let resources = request(&mut aws, "DescribeStackResources", &named).unwrap();
    let resource = &resources["StackResources"][0];
    assert_eq!(resource["ResourceStatus"], "DELETE_COMPLETE");

    let again = |aws: &mut Aws, kind: &str| {
        let members = [
            ("ChangeSetName", "c"),
            ("StackName", id),
            ("ChangeSetType", kind),
            ("TemplateBody", TEMPLATE),
        ];
        request(aws, "CreateChangeSet", &members)
            .unwrap_err()
            .message
    };
    assert_eq!(
        again(&mut aws, "UPDATE"),
        format!("Stack:{id} is in DELETE_COMPLETE state and can not be updated.")
    );
    assert_eq!(
        again(&mut aws, "CREATE"),
        format!("Stack [{id}] already exists and cannot be created again with the changeSet [c].")
    );
    let second = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    assert_ne!(second["StackId"], id);
}

#[test]
fn a_template_is_that_of_a_stack_or_of_a_change_set() {
    let mut aws = account();
    let created = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    let set = created["Id"].as_str().unwrap();
    for named in [
        &[("ChangeSetName", set)][..],
        &[("ChangeSetName", "c"), ("StackName", "own")][..],
    ] {
        let answer = request(&mut aws, "GetTemplate", named).unwrap();
        assert_eq!(answer["TemplateBody"], TEMPLATE);
    }
    for (named, expected) in [
        (
            &[][..],
            "ValidationError: StackName is required if ChangeSetName is not specified.",
        ),
        (
            &[("ChangeSetName", "c")][..],
            "ValidationError: StackName is a required parameter.",
        ),
        (
            &[("StackName", "none")][..],
            "ValidationError: Stack with id none does not exist",
        ),
        (
            &[("ChangeSetName", "arn:none")][..],
            "ChangeSetNotFound: ChangeSet [arn:none] does not exist",
        ),
    ] {
        let error = request(&mut aws, "GetTemplate", named).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn hidden_values_of_parameters_are_not_shown() {
    let mut aws = account();
    let body = format!("Parameters: {{Secret: {{Type: String, NoEcho: true}}}}{TEMPLATE}");
    let given = [
        ("TemplateBody", body.as_str()),
        ("Parameters.member.1.ParameterKey", "Secret"),
        ("Parameters.member.1.ParameterValue", "sesame"),
    ];
    let created = create(&mut aws, &given).unwrap();
    let set = [("ChangeSetName", created["Id"].as_str().unwrap())];
    let described = request(&mut aws, "DescribeChangeSet", &set).unwrap();
    execute(&mut aws, &created);
    let stack = request(&mut aws, "DescribeStacks", &[("StackName", "own")]).unwrap();
    for parameters in [&described["Parameters"], &stack["Stacks"][0]["Parameters"]] {
        assert_eq!(parameters[0]["ParameterValue"], "****");
    }
}

/// Templates that are none, with CloudFormation's words.
const MALFORMED: [(&str, &str); 9] = [
    (
        r#"{"this is invalid JSON"="bobbins"}"#,
        "Template format error: JSON not well-formed. (line 1, column 25)",
    ),
    (
        "{}",
        "Template format error: At least one Resources member must be defined.",
    ),
    (
        r#"{"Resources": {"A": {"Type": "x"}}, "Outputs": {"O": {"Value": null}}}"#,
        "[/Outputs/O/Value] 'null' values are not allowed in templates",
    ),
    (
        "Resources: {A: {Type: AWS::ECR::Repository}}\nOutputs: {O: {}}",
        "Template format error: Every Outputs member must contain a Value object",
    ),
    (
        "Resources: {A: {Type: AWS::ECR::Repository, Invalid: 10}}",
        "Invalid template resource property 'Invalid'",
    ),
    (
        "Resources: {A: {Type: AWS::ECR::Repository}}\nMappings: {M: {A: suffix-a}}",
        "Template format error: Every Mappings member A must be a map",
    ),
    (
        "Resources: {A: {Type: AWS::ECR::Repository}}\nMappings: {M: {A: {B: !Ref A}}}",
        "Template format error: Every Mappings attribute must be a String or a List.",
    ),
    (
        "Resources: {A: {Type: AWS::ECR::Repository, DependsOn: None}}",
        "Template format error: Unresolved resource dependencies [None] in the Resources block of \
         the template",
    ),
    (
        "Parameters: {N: {Type: Number, Default: 1}}\n\
         Resources: {A: {Type: AWS::ECR::Repository}, B: {Type: AWS::ECR::Repository, \
         DependsOn: A, Properties: {RepositoryName: !Ref Gone}}}",
        "Template format error: Unresolved resource dependencies [Gone] in the Resources block of \
         the template",
    ),
];

/// Values of a property that are wrong, with CloudFormation's words.
const WRONG_FUNCTIONS: [(&str, &str); 8] = [
    (
        "!If [Missing, a, b]",
        "unresolved condition dependency Missing in Fn::If",
    ),
    (
        "!GetAtt [!Ref P]",
        "every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
         resource attribute",
    ),
    (
        "!GetAtt Gone.Arn",
        "instance of Fn::GetAtt references undefined resource Gone",
    ),
    (
        "!Select [bad, [test]]",
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    (
        "!Select [0, 2]",
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    (
        "!Select [100, [test]]",
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    (
        "{'Fn::Split': !Ref P}",
        "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string \
         to be split or a function that returns a string to be split.",
    ),
    (
        "!FindInMap [Names, C, Suffix]",
        "Unable to get mapping for Names::C::Suffix",
    ),
];

fn refusal(body: &str) -> String {
    let error = create(&mut account(), &[("TemplateBody", body)]).unwrap_err();
    assert_eq!(error.code, "ValidationError", "{body}");
    error.message
}

#[test]
fn templates_are_refused_in_the_words_of_cloudformation() {
    for (body, message) in MALFORMED {
        assert_eq!(refusal(body), message, "{body}");
    }
    for (value, message) in WRONG_FUNCTIONS {
        let body = format!(
            "Parameters: {{P: {{Type: String, Default: a}}}}\n\
             Mappings: {{Names: {{A: {{Suffix: a}}}}}}\n\
             Resources:\n  A:\n    Type: AWS::ECR::Repository\n    \
             Properties: {{RepositoryName: {value}}}"
        );
        assert_eq!(refusal(&body), format!("Template error: {message}"));
    }
    let other_indent = "Resources:\n  A:\n    Properties:\n        B: c\n      D: e\n";
    let malformed = "Template format error: YAML not well-formed. (line ";
    let message = refusal(other_indent);
    assert!(message.starts_with(malformed), "{message}");

    let nothing = create(&mut account(), &[]).unwrap_err();
    assert_eq!(
        nothing.message,
        "Either Template URL or Template Body must be specified."
    );
}

#[test]
fn values_of_parameters_are_refused_in_the_words_of_cloudformation() {
    for (attributes, message) in [
        ("Type: Number", "Parameter 'Value' must be a number."),
        (
            "Type: String, AllowedPattern: '[a-z]+'",
            "Parameter 'Value' must match pattern [a-z]+",
        ),
        (
            "Type: String, AllowedValues: [a, b]",
            "Parameter 'Value' must be one of AllowedValues",
        ),
        (
            "Type: String, AllowedValues: [a, b], ConstraintDescription: a or b",
            "Parameter Value failed to satisfy constraint: a or b",
        ),
    ] {
        let body = format!("Parameters: {{Value: {{{attributes}}}}}{TEMPLATE}");
        let given = [
            ("TemplateBody", body.as_str()),
            ("Parameters.member.1.ParameterKey", "Value"),
            ("Parameters.member.1.ParameterValue", "not-a-number"),
        ];
        let error = create(&mut account(), &given).unwrap_err();
        assert_eq!(error.message, message);
    }
}
