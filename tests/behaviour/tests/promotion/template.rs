//! The template: what its stages have in common, and what it refuses.

use std::collections::BTreeMap;

use emulator::cloudformation::deploy;
use harness::demo::promotion::own_parameters;
use harness::demo::root;

use super::*;

/// Stages with the beginnings of their parameters and namespaces.
const NAMED: [(&str, &str); 4] = [
    ("Dev", "Dev"),
    ("CI", "Ci"),
    ("UAT", "Uat"),
    ("Production", "Prod"),
];

fn text() -> String {
    let path = root().join("infra/pipelines/promotion.yaml");
    std::fs::read_to_string(path).expect("a template")
}

/// The lines of a stage, with its names replaced.
fn stage(template: &str, (name, prefix): (&str, &str)) -> Vec<String> {
    let start = format!("        - Name: {name}\n");
    let (_, rest) = template.split_once(&start).expect("a stage");
    let is_of_stage = |line: &&str| line.starts_with("          ");
    let value = format!("\"value\":\"{name}\"");
    let at = STAGES.iter().position(|stage| *stage == name);
    let next = at.and_then(|at| STAGES.get(at + 1));
    let next = next.map(|next| format!(",\"next\":\"{next}\""));
    let line = format!(
        "\"line\":{{\"stage\":\"{name}\"{}}}",
        next.unwrap_or_default()
    );
    let lines = rest.lines().take_while(is_of_stage);
    lines
        .map(|text| text.replace(&value, "<name>").replace(&line, "<line>"))
        .map(|text| text.replace(prefix, "<Env>"))
        .collect()
}

#[test]
fn the_stages_differ_in_names_soak_approval_and_freeze_only() {
    let template = text();
    let [dev, ci, uat, production] = NAMED.map(|named| stage(&template, named));
    assert!(dev.len() > 40, "{dev:?}");
    assert_eq!(ci, dev);
    assert_eq!(uat, dev);

    let approval = production
        .iter()
        .position(|line| line.contains("# Before the revision"));
    let end = production
        .iter()
        .position(|line| line.trim() == "- Name: register-task-definition");
    let (from, to) = (approval.expect("a comment"), end.expect("an action"));
    let (frozen, without): (Vec<String>, Vec<String>) = [&production[..from], &production[to..]]
        .concat()
        .into_iter()
        .partition(|line| line.contains("Freeze: "));
    assert_eq!(frozen.len(), 1, "{frozen:?}");
    let without: Vec<String> = without
        .iter()
        .map(|line| line.replace("${Freeze}", ""))
        .map(|line| line.replace("    Line: ", "  - Line: "))
        .collect();
    let soak = ",\"soak_minutes\":${SoakMinutes}";
    let dev: Vec<String> = dev.iter().map(|line| line.replace(soak, "")).collect();
    assert_eq!(without, dev);
    let approved = production[from..to].join("\n");
    assert!(approved.contains("Provider: Manual"), "{approved}");
}

/// Parameters of the template with the longest names, beginning with a letter of the environment.
pub(super) fn longest() -> BTreeMap<String, String> {
    let mut parameters = own_parameters();
    let role = format!("arn:aws-us-gov:iam::111122223333:role/{}", "r".repeat(64));
    for (letter, (_, prefix)) in ["a", "b", "c", "d"].into_iter().zip(NAMED) {
        let name = format!("{letter}{}", "n".repeat(79));
        let url = format!("https://{}", "u".repeat(192));
        let own = [
            ("Cluster", &name),
            ("Service", &name),
            ("DeployRoleArn", &role),
            ("Url", &url),
        ];
        parameters.extend(own.map(|(key, value)| (format!("{prefix}{key}"), value.clone())));
    }
    let own = [
        ("PipelineName", "p".repeat(56)),
        ("ContainerName", "c".repeat(80)),
        ("Repository", "r".repeat(150)),
        ("RolePath", format!("/{}/", "p".repeat(34))),
        ("Strategy", "make-room".to_owned()),
        ("DeadlineMinutes", "1380".to_owned()),
        ("SoakMinutes", "1320".to_owned()),
        // The shortest windows have the most commas.
        (
            "FreezeWindows",
            format!("{}{}", "00:00/12:00,".repeat(5), "w".repeat(20)),
        ),
        ("FreezeZone", "z".repeat(32)),
        ("StopLine", "yes".to_owned()),
    ];
    parameters.extend(own.map(|(key, value)| (key.to_owned(), value)));
    parameters
}

pub(super) fn deployed(parameters: &BTreeMap<String, String>) -> Result<Aws, String> {
    let mut aws = behaviour::account();
    let template = root().join("infra/pipelines/promotion.yaml");
    deploy(&mut aws, "orders-pipeline", &template, parameters).map_err(|e| e.to_string())?;
    Ok(aws)
}

/// User parameters with the longest values of the variables in them.
fn with_longest_variables(given: &str) -> String {
    let digest = format!("sha256:{}", "d".repeat(64));
    let host = "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com";
    let mut text = given
        .replace("#{codepipeline.PipelineExecutionId}", &"e".repeat(36))
        .replace("#{Build.IMAGE_DIGEST}", &digest)
        .replace(
            "#{Build.IMAGE_URI}",
            &format!("{host}/{}@{digest}", "r".repeat(150)),
        );
    let revision = format!(
        "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:task-definition/{}:1234567",
        "f".repeat(255)
    );
    for (_, prefix) in NAMED {
        let variable = format!("#{{Register{prefix}.TaskDefinitionArn}}");
        text = text.replace(&variable, &revision);
    }
    text
}

#[test]
fn user_parameters_of_the_longest_names_fit() {
    let aws = deployed(&longest()).expect("it deploys");
    let pipeline = &aws.codepipeline.pipelines[&"p".repeat(56)];
    let stages = pipeline.declaration.stages.iter();
    let given = stages
        .flat_map(|stage| &stage.actions)
        .flat_map(|action| ["UserParameters", "EnvironmentVariables"].map(|key| (action, key)))
        .filter_map(|(action, key)| Some((&action.name, action.configuration.get(key)?)));
    let mut checked = 0;
    for (action, given) in given {
        let put = with_longest_variables(given);
        // The name of the role of this stack may be longer.
        let length = put.len() + 64;
        assert!(
            length <= 1000 && !put.contains("#{"),
            "{action} has {length} characters"
        );
        checked += 1;
    }
    assert_eq!(checked, 24, "five steps and tests in each of four stages");
}

#[test]
fn two_environments_have_no_service_in_common() {
    let mut parameters = longest();
    for key in ["Cluster", "Service"] {
        let of_dev = parameters[&format!("Dev{key}")].clone();
        parameters.insert(format!("Uat{key}"), of_dev);
    }
    let refused = deployed(&parameters).expect_err("two are the same");
    let why = "DevCluster and UatCluster, or DevService and UatService, must differ.";
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn the_pipeline_takes_what_the_build_spec_exports() {
    let spec = root().join("infra/buildspec.yml");
    let spec = std::fs::read_to_string(spec).expect("a build spec");
    let (_, exported) = spec.split_once("exported-variables: [").expect("a list");
    let (exported, _) = exported.split_once(']').expect("its end");
    let exported: Vec<&str> = exported.split(", ").collect();

    let template = text();
    let mut taken: Vec<&str> = template
        .split("#{Build.")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken, ["IMAGE_DIGEST", "IMAGE_URI"]);
    assert!(
        taken.iter().all(|name| exported.contains(name)),
        "{exported:?}"
    );
    assert!(!spec.contains(":latest") && !template.contains("latest"));
}
