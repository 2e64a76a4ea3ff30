use super::*;

const QUEUE: &str = "
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
";

/// A template with every function, in its conditions and outputs.
const FUNCTIONS: &str = "
Parameters:
  Count: {Type: Number, Default: 2}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
Mappings: {Sizes: {eu-west-1: {cpu: 512}}}
Conditions:
  Two: !Equals [!Ref Count, 2]
  Both: !And [!Condition Two, !Not [!Condition None]]
  None: !Or [!Equals [a, b], !Equals [!Ref AWS::Region, us-east-1]]
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
Outputs:
  If:
    Value: !If
      - Both
      - !Sub ['${AWS::StackName}-${Queue.Arn}-${!Kept}-${X}', {X: !Ref Count}]
      - !GetAtt Queue.Nothing
  Join:
    Value: !Join
      - '/'
      - - !Select [1, !Ref Names]
        - !FindInMap [Sizes, !Ref AWS::Region, cpu]
        - !Select [0, !Split ['-', x-y]]
  Ref: {Value: !Ref Queue}
  Base: {Value: {Fn::Base64: 'hello'}}
  Zone: {Value: !Select [0, !GetAZs '']}
  Not: {Condition: None, Value: x}
";

#[test]
fn functions_give_what_aws_gives() {
    let outputs = outputs("functions", FUNCTIONS);
    let expected = [
        ("Base", "aGVsbG8="),
        (
            "If",
            "app-arn:aws:sqs:eu-west-1:111122223333:dead-${Kept}-2",
        ),
        ("Join", "b/512/x"),
        (
            "Ref",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/dead",
        ),
        ("Zone", "eu-west-1a"),
    ];

    assert_eq!(
        outputs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
}

/// Templates with a section, a type, an attribute or a transform that is not known.
const UNKNOWN_ELEMENTS: [(&str, &str); 5] = [
    (
        "Resources: {Q: {Type: AWS::SQS::Qeue}}",
        "Resources.Q.Type: unknown resource type AWS::SQS::Qeue",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Propertis: {}}}",
        "Resources.Q.Propertis: unknown resource attribute",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue}}\nResorces: {}",
        "Resorces: unknown section",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue}}\nRules: {R: {Assertion: []}}",
        "Rules.R.Assertion: unknown attribute; known are RuleCondition, Assertions",
    ),
    (
        "Globals: {}\nResources: {Q: {Type: AWS::SQS::Queue}}\nTransform: AWS::Include",
        "Transform: unknown transform",
    ),
];

/// Templates with a property, a function, a value or a reference that is not known.
const UNKNOWN_IN_VALUES: [(&str, &str); 6] = [
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {Name: x}}}",
        "Resources.Q.Properties.Name: unknown property",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref X}}}",
        "Properties.QueueName.Ref: unresolved reference X",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !If [X, a, b]}}}",
        "Fn::If: unknown condition X",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Cidr [a, b]}}}",
        "unknown tag !Cidr",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: soon}}}",
        "Properties.DelaySeconds: takes a whole number, found \"soon\"",
    ),
    (
        "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {O: {Value: !GetAtt Q.Url}}",
        "Outputs.O.Value.Fn::GetAtt: AWS::SQS::Queue Q has no attribute Url",
    ),
];

#[test]
fn what_is_not_known_is_refused_with_its_place() {
    let cases = UNKNOWN_ELEMENTS.into_iter().chain(UNKNOWN_IN_VALUES);
    for (at, (text, expected)) in cases.enumerate() {
        let message = refused(&format!("unknown-{at}"), text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn parameters_that_break_a_rule_are_refused_before_anything_is_made() {
    let text = |rule: &str| {
        format!(
            "Parameters: {{P: {{Type: String, Default: a}}}}\nRules: {{R: {{{rule}}}}}\n\
             Resources: {{Q: {{Type: AWS::SQS::Queue}}}}\nOutputs: {{P: {{Value: !Ref P}}}}"
        )
    };
    let must = "Assertions: [{Assert: !Equals [!Ref P, b], AssertDescription: P must be b}]";

    assert_eq!(
        refused("rule", &text(must)),
        "Rules.R.Assertions.0: P must be b"
    );
    assert_eq!(
        outputs(
            "rule-off",
            &text(&format!("RuleCondition: !Equals [!Ref P, b], {must}"))
        )["P"],
        "a"
    );

    let circle = "Assertions: [{Assert: !Condition C}]";
    assert!(
        refused("rule-condition", &text(circle)).contains("unknown condition C"),
        "rules see no conditions"
    );
}

#[test]
fn a_circle_is_refused() {
    let text = "
Resources:
  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.QueueName}}
  B: {Type: AWS::SQS::Queue, DependsOn: A}
";
    assert!(refused("circle", text).contains("Circular dependency between resources: [A, B]"));
}

#[test]
fn a_reference_to_what_is_not_made_is_refused() {
    let text = |more: &str| {
        format!(
            "Conditions: {{Never: !Equals [a, b]}}\nResources:\n  A: {{Type: AWS::SQS::Queue, \
             Condition: Never}}\n  B: {{Type: AWS::SQS::Queue, {more}}}"
        )
    };
    assert!(
        refused(
            "absent",
            &text("Properties: {QueueName: !GetAtt A.QueueName}")
        )
        .contains("unresolved resource dependencies [A]")
    );
    assert!(
        refused("absent-depends", &text("DependsOn: A"))
            .contains("unresolved resource dependencies [A]")
    );
    assert!(
        outputs(
            "absent-branch",
            &text("Properties: {QueueName: !If [Never, !GetAtt A.QueueName, b]}")
        )
        .is_empty(),
        "only the branch that is taken counts"
    );
}

#[test]
fn dependencies_are_made_first_whatever_the_order_and_the_seed() {
    let text = "
Resources:
  A:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Z]
      PolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 'sqs:*'}}
  M: {Type: AWS::SQS::Queue, DependsOn: Z, Metadata: {After: !Ref A}}
  Z: {Type: AWS::SQS::Queue}
";
    let folder = Folder::new("order", &[("t.yaml", text)]);

    for seed in 0..20 {
        let mut aws = Aws::new(seed);
        folder.deploy(&mut aws, "t.yaml").unwrap();
        let order: Vec<_> = aws
            .cloudformation
            .stack("app")
            .unwrap()
            .resources
            .iter()
            .map(|made| made.logical_id.clone())
            .collect();

        assert_eq!(order, ["Z", "A", "M"]);
    }
}

#[test]
fn an_update_leaves_alone_what_did_not_change_and_removes_what_is_gone() {
    let folder = Folder::new(
        "update",
        &[(
            "t.yaml",
            "Resources:\n  A: {Type: AWS::SQS::Queue}\n  B: {Type: AWS::SQS::Queue}\n  C: {Type: \
             AWS::SQS::Queue, DeletionPolicy: Retain}",
        )],
    );
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let before = physical_id(&aws, "app", "A");
    folder.write("t.yaml", "Resources:\n  A: {Type: AWS::SQS::Queue}");
    folder.deploy(&mut aws, "t.yaml").unwrap();

    assert_eq!(
        physical_id(&aws, "app", "A"),
        before,
        "a name that was made up stays"
    );
    assert_eq!(
        aws.cloudformation.names.len(),
        2,
        "B is gone, C is retained"
    );

    folder.write(
        "t.yaml",
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: other}}",
    );
    let error = folder.deploy(&mut aws, "t.yaml").unwrap_err();
    assert!(
        error
            .problem
            .contains("a change of QueueName would replace"),
        "{error}"
    );
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_is_left() {
    let folder = Folder::new("taken", &[("t.yaml", QUEUE)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let error = deploy(
        &mut aws,
        "other",
        &folder.0.join("t.yaml"),
        &BTreeMap::new(),
    )
    .unwrap_err();

    assert!(error.problem.contains("already exists"), "{error}");
    assert!(aws.cloudformation.stack("other").is_none());

    delete(&mut aws, "app").unwrap();
    deploy(
        &mut aws,
        "other",
        &folder.0.join("t.yaml"),
        &BTreeMap::new(),
    )
    .unwrap();
}

/// A template with an export.
const EXPORTER: &str = "
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
Outputs: {Name: {Value: !GetAtt Queue.QueueName, Export: {Name: dead-name}}}
";

/// A template that uses the export.
const USER: &str = "
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub ['${X}-2', {X: !ImportValue dead-name}]}
";

#[test]
fn exports_are_unique_and_last_as_long_as_they_are_used() {
    let folder = Folder::new(
        "exports",
        &[
            ("exporter.yaml", EXPORTER),
            ("user.yaml", USER),
            ("bare.yaml", QUEUE),
        ],
    );
    let mut aws = Aws::new(1);
    let with = |aws: &mut Aws, name: &str, file: &str| {
        deploy(aws, name, &folder.0.join(file), &BTreeMap::new()).map_err(|error| error.problem)
    };

    assert_eq!(
        with(&mut aws, "user", "user.yaml"),
        Err("No export named dead-name found".to_owned())
    );

    with(&mut aws, "exporter", "exporter.yaml").unwrap();
    with(&mut aws, "user", "user.yaml").unwrap();
    assert_eq!(aws.cloudformation.export("dead-name"), Some("dead"));
    assert!(physical_id(&aws, "user", "Q").ends_with("/dead-2"));

    assert_eq!(
        with(&mut aws, "exporter", "bare.yaml"),
        Err("Export dead-name cannot be deleted as it is in use by user".to_owned())
    );
    assert!(
        delete(&mut aws, "exporter")
            .unwrap_err()
            .problem
            .contains("in use by user")
    );

    folder.write(
        "exporter.yaml",
        &EXPORTER.replace("QueueName: dead", "QueueName: dead2"),
    );
    assert!(
        with(&mut aws, "third", "exporter.yaml")
            .unwrap_err()
            .contains("already exported by stack exporter")
    );

    delete(&mut aws, "user").unwrap();
    with(&mut aws, "exporter", "bare.yaml").unwrap();
    assert_eq!(aws.cloudformation.export("dead-name"), None);
}
