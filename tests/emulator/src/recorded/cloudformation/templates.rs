//! Templates: how they are refused, and what their functions give.

use super::*;

const MACROS: Lack = Lack::Resource("AWS::CloudFormation::Macro");
const LISTS: Lack = Lack::Other("parameters that are lists in the parameter store");

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Holds("AWS::SNS::Topic"), TOPICS),
    (Sign::Member("TopicName"), TOPICS),
    (Sign::Holds("ResolvedValue"), TOPICS),
    (Sign::Holds("param-value"), TOPICS),
    (Sign::Holds("AWS::SSM::Parameter"), SSM_PARAMETERS),
    (Sign::Holds("ransform"), MACROS),
    (Sign::Holds("Rollback requested by user"), MACROS),
    (Sign::Holds("[CAPABILITY_AUTO_EXPAND]"), MACROS),
    (Sign::Member("FunctionValue"), MACROS),
    (Sign::Member("Event"), MACROS),
    (Sign::Holds("Macro"), MACROS),
    (Sign::Holds("ModernisationTeam"), MACROS),
    (
        Sign::Holds("ApproximateNumberOfMessages"),
        Lack::Operation("sqs", "GetQueueAttributes"),
    ),
    (Sign::Holds("ExportingStackId"), stacks("ListExports")),
    (
        Sign::Test("test_create_change_set_with_ssm_parameter_list"),
        LISTS,
    ),
];

/// Outputs of functions.
const FUNCTIONS: &str = "
Mappings: {RegionMap: {eu-west-1: {AZs: [empty]}}}
Conditions:
  Active: !Equals [true, true]
  IsEmpty: !Equals [empty, !Select [0, !FindInMap [RegionMap, eu-west-1, AZs]]]
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: web}}}
Outputs:
  JoinWithNoValue: {Value: !Join [',', [Sample, !Ref AWS::NoValue]]}
  JoinOnlyNoValue: {Value: !Join [',', [!Ref AWS::NoValue]]}
  JoinConditionalNoValue:
    Value: !Join [',', [!If [Active, !Ref AWS::NoValue, !Ref AWS::NoValue]]]
  ParameterValue: {Value: !If [IsEmpty, 'true', 'false']}
  StackId: {Value: !Ref AWS::StackId}
";

fn outputs(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let created = id(&change_set(aws, "own", "CREATE", FUNCTIONS, &[]));
    call(aws, "ExecuteChangeSet", &[("ChangeSetName", &created)]).unwrap();
    let stack = call(aws, "DescribeStacks", &[("StackName", "own")]).unwrap();
    let outputs = stack["Stacks"][0]["Outputs"].as_array();
    let value = |key: &str| {
        let mut outputs = outputs.into_iter().flatten();
        let output = outputs.find(|output| output["OutputKey"] == key);
        output.map_or(Value::Null, |output| output["OutputValue"].clone())
    };
    let values = |keys: &[&str]| -> Value {
        let keys = keys.iter().copied();
        let pairs = keys.map(|key| (key.to_owned(), value(key)));
        Value::Object(pairs.collect())
    };
    let joined = [
        "JoinWithNoValue",
        "JoinOnlyNoValue",
        "JoinConditionalNoValue",
    ];
    let test = "test_join_no_value_construct";
    answers.add(test, "join-output", Ok(values(&joined)));
    let test = "test_fn_select_has_intrinsic_function";
    let selected = values(&["ParameterValue"]);
    answers.add(test, "fn-select-fn-map-output", Ok(selected));
    answers.add("test_stack_id", "StackId", Ok(value("StackId")));
}

#[test]
fn templates_are_refused_as_recorded() {
    let mut answers = Returned::default();
    let refused = |body: &str| change_set(&mut Aws::new(1), "new", "CREATE", body, &[]);
    let no_type = refused("Resources: {Foo: {Properties: {}}}");
    answers.add("test_no_type", "error", no_type);
    let stored = "Parameters: {InputValue: {Type: 'AWS::SSM::Parameter::Value<String>'}}";
    answers.add(
        "test_resolve_ssm_missing_parameter",
        "error-response",
        refused(&format!("{stored}{TEMPLATE}")),
    );
    let long = format!("{TEMPLATE}{}", "#".repeat(51_200));
    answers.add(
        "test_to_validate_template_limit_for_macro",
        "error_response",
        refused(&long),
    );
    outputs(&mut answers);
    judge(
        "cloudformation/test_template_engine.snapshot.json",
        &answers,
        LEFT_OUT,
    );
}
