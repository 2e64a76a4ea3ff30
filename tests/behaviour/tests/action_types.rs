//! The custom action types in infra/action-types.yaml are those of the rows in the code, with the
//! parameters of the steps as properties.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use harness::functions::STEPS;
use slipway::job::{ACTION_TYPES, ActionType, Property};

/// What is before the resources, and is written by hand, ends with this line.
const GENERATED: &str = "\nResources:\n";

/// Properties that name what an action works on.
const KEYS: [&str; 2] = ["cluster", "service"];

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/action-types.yaml")
}

/// `update-service` as `UpdateService`.
fn logical(step: &str) -> String {
    step.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

/// The links of an action, each with the page of the console that it leads to: all reports and that
/// of the judgement by its key, or the services of the cluster.
fn links(step: &str) -> [(&'static str, &'static str); 2] {
    let pages = match step {
        "evaluate-canary" => [
            "https://${AWS::Region}.${Domain}/s3/buckets/${Reports}",
            "https://${AWS::Region}.${Domain}/s3/object/${Reports}\
             ?region=${AWS::Region}&prefix={ExternalExecutionId}.html",
        ],
        _ => ["https://${AWS::Region}.${Domain}/ecs/v2/clusters/{Config:cluster}/services"; 2],
    };
    [
        ("EntityUrlTemplate", pages[0]),
        ("ExecutionUrlTemplate", pages[1]),
    ]
}

fn resource(of_type: &ActionType) -> String {
    let ActionType {
        step,
        category,
        version,
        ..
    } = of_type;
    let mut text = format!(
        "  {}V{version}:
    Type: AWS::CodePipeline::CustomActionType
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      Category: {category}
      Provider: slipway-{step}
      Version: '{version}'
      InputArtifactDetails: {{ MinimumCount: 0, MaximumCount: 5 }}
      OutputArtifactDetails: {{ MinimumCount: 0, MaximumCount: 0 }}
      Settings:
",
        logical(step)
    );
    let reports = match *step {
        "evaluate-canary" => {
            "
            Reports:
              Fn::ImportValue: !Sub '${FunctionsStack}-ReportsBucketName'"
        }
        _ => "",
    };
    for (name, page) in links(step) {
        write!(
            text,
            "        {name}: !Sub
          - '{page}'
          - Domain: !FindInMap [Console, !Ref AWS::Partition, Domain]{reports}
"
        )
        .expect("a text takes what is written");
    }

    text.push_str("      ConfigurationProperties:\n");
    for property in of_type.properties() {
        text.push_str(&written(&property));
    }
    text
}

fn written(property: &Property) -> String {
    let Property {
        name,
        is_required,
        kind,
        description,
    } = property;
    let (is_key, described) = (
        KEYS.contains(&name.as_str()),
        description.replace('\'', "''"),
    );
    format!(
        "        - Name: {name}
          Description: '{described}'
          Type: {kind}
          Required: {is_required}
          Key: {is_key}
          Secret: false
"
    )
}

#[test]
fn the_template_has_the_type_of_each_row_with_its_properties() {
    let found = std::fs::read_to_string(path()).expect("a template");
    let (head, _) = found.split_once(GENERATED).expect("it has resources");
    let resources: String = ACTION_TYPES.iter().map(resource).collect();
    let wanted = format!("{head}{GENERATED}{resources}");

    if std::env::var_os("SLIPWAY_WRITE_SCHEMAS").is_some() {
        std::fs::write(path(), &wanted).expect("infra/ can be written");
    }
    assert_eq!(
        found, wanted,
        "infra/action-types.yaml differs from the rows; write it: SLIPWAY_WRITE_SCHEMAS=1 cargo \
         test -p behaviour --test action_types"
    );
}

#[test]
fn each_type_is_of_another_step() {
    let mut steps = BTreeSet::new();
    for of_type in ACTION_TYPES {
        let step = of_type.step;
        assert!(STEPS.contains(&step), "`{step}` is not a step");
        assert!(steps.insert(step), "`{step}` has two types");
    }
}
