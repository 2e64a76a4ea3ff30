//! The user parameters of the project's own pipelines, where each parameter of the template is as
//! long as it may be.

use super::own_pairs::actions;
use super::own_templates::{ROLES, account, deploy_functions, given, root};
use super::*;

const IN_PLACE: &str = "in-place.yaml";
const OF_PAIRS: [&str; 2] = ["blue-green.yaml", "canary.yaml"];

/// The greatest lengths of what is a name or a path, in a pipeline in place.
const LENGTHS_IN_PLACE: [(&str, usize); 5] = [
    ("PipelineName", 56),
    ("Cluster", 80),
    ("Service", 80),
    ("ContainerName", 80),
    ("Repository", 150),
];

/// The same in a pipeline of a pair.
const LENGTHS_OF_PAIRS: [(&str, usize); 7] = [
    ("PipelineName", 40),
    ("Cluster", 64),
    ("Service", 30),
    ("BlueService", 64),
    ("GreenService", 64),
    ("ContainerName", 32),
    ("Repository", 150),
];

/// Numbers of pipelines in place, and of pairs. Percentages have longer names than numbers of
/// tasks, and exclude them.
const NUMBERS_IN_PLACE: [(&str, &str); 5] = [
    ("MinimumHealthyPercent", "100"),
    ("MaximumPercent", "200"),
    ("DesiredCount", "9999"),
    ("InitialCount", "9999"),
    ("DeadlineMinutes", "1380"),
];
const NUMBERS_OF_PAIRS: [(&str, &str); 5] = [
    ("MinimumHealthyPercent", "100"),
    ("InitialCount", "9999"),
    ("DeadlineMinutes", "1380"),
    ("BakeMinutes", "1380"),
    ("DrainMinutes", "1380"),
];

fn longest(chars: usize) -> String {
    "a".repeat(chars)
}

/// A name that no other parameter has: the colours of a pair differ.
fn name(parameter: &str, chars: usize) -> String {
    let first = if parameter == "GreenService" {
        "g"
    } else {
        "a"
    };
    format!("{first}{}", longest(chars - 1))
}

fn url(chars: usize) -> String {
    format!("https://{}", longest(chars - "https://".len()))
}

fn role_path() -> String {
    format!("/{}/", longest(34))
}

fn role() -> String {
    format!("arn:aws-us-gov:iam::111122223333:role/{}", longest(64))
}

fn rule() -> String {
    let hex = "0123456789abcdef";
    format!(
        "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:listener-rule/app/{}\
         /{hex}/{hex}/{hex}",
        longest(32)
    )
}

/// The longest word that `Strategy` takes in a pipeline in place.
fn longest_strategy() -> String {
    let text = std::fs::read_to_string(root().join("infra/pipelines").join(IN_PLACE)).unwrap();
    let (_, declared) = text.split_once("\n  Strategy:\n").unwrap();
    let (_, words) = declared.split_once("AllowedValues: [").unwrap();
    let (words, _) = words.split_once(']').unwrap();
    let longest = words.split(", ").max_by_key(|word| word.len());
    longest.unwrap().to_owned()
}

/// The longest parameters of a template, with a task definition file or with another role, or with
/// both.
fn longest_parameters(
    template: &str,
    file: Option<usize>,
    other_role: bool,
) -> BTreeMap<String, String> {
    let (names, numbers) = if template == IN_PLACE {
        (&LENGTHS_IN_PLACE[..], &NUMBERS_IN_PLACE[..])
    } else {
        (&LENGTHS_OF_PAIRS[..], &NUMBERS_OF_PAIRS[..])
    };
    let mut all = given(numbers);
    all.extend(longest_of_freeze());
    let names = names
        .iter()
        .map(|&(key, chars)| (key.to_owned(), name(key, chars)));
    all.extend(names);
    all.extend(given(&[("TaskRoleArns", ROLES)]));

    if template == IN_PLACE {
        all.extend(given(&[("Strategy", longest_strategy().as_str())]));
        all.extend(longest_of_migration());
    } else {
        let by_rule = [("Rule", rule()), ("CheckUrl", url(200))];
        all.extend(by_rule.map(|(key, value)| (key.to_owned(), value)));
    }
    if template == "blue-green.yaml" {
        let steps = format!("{}100", "10,".repeat(19));
        all.extend(given(&[
            ("Shift", "listed"),
            ("Steps", steps.as_str()),
            ("StepMinutes", "1380"),
            ("Alarms", longest_alarms().as_str()),
        ]));
    }
    if template == "canary.yaml" {
        all.extend(longest_of_judge());
    }
    match file {
        Some(chars) => all.extend(given(&[
            ("ConfigBucket", "config"),
            ("TaskDefinitionFile", longest(chars).as_str()),
        ])),
        None => all.extend(given(&[("Base", "newest")])),
    }
    if other_role {
        all.extend(given(&[("DeployRoleArn", role().as_str())]));
    }
    all
}

/// What holds releases back in every pipeline. The shortest windows have the most commas.
fn longest_of_freeze() -> BTreeMap<String, String> {
    let windows = format!("{}{}", "00:00/12:00,".repeat(5), longest(20));
    given(&[
        ("FreezeWindows", windows.as_str()),
        ("FreezeZone", longest(32).as_str()),
        ("StopLine", "yes"),
    ])
}

/// The URL at which each colour of a pair behind records is requested.
fn longest_urls() -> [(String, String); 2] {
    ["BlueCheckUrl", "GreenCheckUrl"].map(|key| (key.to_owned(), url(160)))
}

/// What only a pipeline in place has. Words of one letter take the most room.
fn longest_of_migration() -> BTreeMap<String, String> {
    let words = format!("{}aa", "a,".repeat(99));
    given(&[
        ("MigrationCommand", words.as_str()),
        ("MigrationFamily", longest(255).as_str()),
        ("MigrationMinutes", "1380"),
    ])
}

/// Ten names: each comma becomes three characters.
fn longest_alarms() -> String {
    format!("{}{}", "a,".repeat(9), longest(102))
}

/// What only a canary pipeline has.
fn longest_of_judge() -> BTreeMap<String, String> {
    given(&[
        ("FirstPercent", "98"),
        ("LastPercent", "99"),
        ("JudgeMinutes", "1380"),
        ("MinMinutes", "1380"),
        ("WarmUpMinutes", "1380"),
        ("HoldMinutes", "1380"),
        ("Alarms", longest_alarms().as_str()),
    ])
}

/// User parameters with the longest values of the variables in them.
fn with_longest_variables(user_parameters: &str) -> String {
    let digest = format!("sha256:{}", longest(64));
    let image = format!(
        "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com/{}@{digest}",
        longest(150)
    );

    // A family may have 255 characters.
    let revision = format!(
        "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:task-definition/{}:1234567",
        longest(255)
    );
    user_parameters
        .replace(
            "#{codepipeline.PipelineExecutionId}",
            "01234567-89ab-cdef-0123-456789abcdef",
        )
        .replace("#{Image.ImageDigest}", &digest)
        .replace("#{Image.ImageURI}", &image)
        .replace("#{Register.TaskDefinitionArn}", &revision)
        .replace("#{Begin.IdleColour}", "green")
}

fn deployed(template: &str, parameters: &BTreeMap<String, String>) -> Result<Aws, StackError> {
    let mut aws = account(1);
    deploy_functions(&mut aws);
    let path = root().join("infra/pipelines").join(template);
    deploy(&mut aws, "web-pipeline", &path, parameters)?;
    Ok(aws)
}

/// Checks that the user parameters of each action are short enough with the longest path of a role
/// too.
fn assert_fitting(template: &str, parameters: &BTreeMap<String, String>) {
    let mut parameters = parameters.clone();
    parameters.extend(given(&[("RolePath", role_path().as_str())]));
    assert_short(template, &parameters);
}

/// Checks that the user parameters of each action are short enough.
fn assert_short(template: &str, parameters: &BTreeMap<String, String>) {
    let aws = deployed(template, parameters).unwrap_or_else(|e| panic!("{template}: {e}"));
    let own_role = &aws.cloudformation.stack("web-pipeline").unwrap().outputs["DeployRoleArn"];
    let (_, own_name) = own_role.rsplit_once('/').expect("a path and a name");

    for action in actions(&aws) {
        let Some(put) = action["Configuration"]["UserParameters"].as_str() else {
            continue;
        };
        let put = with_longest_variables(put)
            .replace("arn:aws:iam", "arn:aws-us-gov:iam")
            .replace(own_name, &longest(64));
        assert!(
            put.len() <= 1000 && !put.contains("#{"),
            "{template}: {} has {} characters",
            action["Name"],
            put.len()
        );
    }
}

#[test]
fn user_parameters_of_the_longest_names_fit() {
    for (file, other_role) in [(Some(80), false), (Some(80), true), (None, true)] {
        assert_fitting(IN_PLACE, &longest_parameters(IN_PLACE, file, other_role));
    }
    for template in OF_PAIRS {
        for (file, other_role) in [(Some(64), false), (None, true)] {
            assert_fitting(template, &longest_parameters(template, file, other_role));
        }
    }

    let mut elsewhere = longest_parameters(IN_PLACE, None, true);
    elsewhere.extend(given(&[("ServiceRegion", "us-gov-central-1")]));
    assert_fitting(IN_PLACE, &elsewhere);

    let mut judge_file = longest_parameters("canary.yaml", None, true);
    judge_file.extend(given(&[
        ("ConfigBucket", "config"),
        ("JudgeFile", longest(100).as_str()),
    ]));
    assert_fitting("canary.yaml", &judge_file);
}

#[test]
fn user_parameters_of_the_longest_names_of_records_fit() {
    const LENGTHS: [(&str, usize); 9] = [
        ("PipelineName", 40),
        ("Cluster", 64),
        ("Service", 30),
        ("BlueService", 50),
        ("GreenService", 50),
        ("ContainerName", 32),
        ("Repository", 150),
        ("BlueRecord", 20),
        ("GreenRecord", 20),
    ];
    let steps = format!("{}100", "10,".repeat(19));
    let mut all = given(&[
        ("TaskRoleArns", ROLES),
        ("HostedZoneId", longest(32).to_ascii_uppercase().as_str()),
        ("RecordName", format!("a.{}", longest(62)).as_str()),
        ("RecordType", "CNAME"),
        ("InitialCount", "9999"),
        ("DeadlineMinutes", "1380"),
        ("Shift", "listed"),
        ("Steps", steps.as_str()),
        ("StepMinutes", "1380"),
        ("BakeMinutes", "1380"),
        ("MinimumHealthyPercent", "100"),
        ("DrainMinutes", "1380"),
        ("Alarms", longest_alarms().as_str()),
    ]);
    all.extend(LENGTHS.map(|(key, chars)| (key.to_owned(), name(key, chars))));
    all.extend(longest_of_freeze().into_iter().chain(longest_urls()));
    let of_file = given(&[
        ("ConfigBucket", "config"),
        ("TaskDefinitionFile", longest(64).as_str()),
    ]);
    let of_role = given(&[("DeployRoleArn", role().as_str()), ("Base", "newest")]);
    for more in [of_file, of_role] {
        let mut all = all.clone();
        all.extend(more);
        assert_fitting("dns.yaml", &all);
    }

    let longer_names = LENGTHS.map(|(key, chars)| (key, name(key, chars + 1)));
    let longer_record = ("RecordName", format!("a.{}", longest(63)));
    for (key, value) in longer_names.into_iter().chain([longer_record]) {
        let mut longer = all.clone();
        longer.insert(key.to_owned(), value);
        let refusal = deployed("dns.yaml", &longer).unwrap_err().to_string();
        assert!(refusal.contains(key), "{refusal}");
    }
}

#[test]
fn a_pipeline_of_a_pair_has_a_task_definition_file_or_another_role() {
    for template in OF_PAIRS {
        let both = longest_parameters(template, Some(12), true);
        let refusal = deployed(template, &both).unwrap_err().problem;
        let start = "TaskDefinitionFile and DeployRoleArn together";
        assert!(refusal.starts_with(start), "{refusal}");
    }
}

#[test]
fn a_service_in_another_region_has_another_role_and_no_task_definition_file() {
    for (file, other_role, start) in [
        (
            None,
            false,
            "ServiceRegion is given, so DeployRoleArn must be",
        ),
        (
            Some(12),
            true,
            "TaskDefinitionFile and ServiceRegion together",
        ),
    ] {
        let mut parameters = longest_parameters(IN_PLACE, file, other_role);
        parameters.extend(given(&[("ServiceRegion", "eu-central-1")]));
        let refusal = deployed(IN_PLACE, &parameters).unwrap_err().problem;
        assert!(refusal.starts_with(start), "{refusal}");
    }
}

#[test]
fn a_bound_in_place_is_a_percentage_or_a_number_of_tasks() {
    for (percentage, tasks) in [
        ("MinimumHealthyPercent", "MinimumHealthyTasks"),
        ("MaximumPercent", "MaximumTasks"),
    ] {
        let mut both = longest_parameters(IN_PLACE, None, false);
        both.insert(tasks.to_owned(), "2".to_owned());
        let refusal = deployed(IN_PLACE, &both).unwrap_err().problem;
        assert_eq!(
            refusal,
            format!("{percentage} and {tasks} are both given; expected one of them.")
        );
    }
}

#[test]
fn a_longer_name_is_refused() {
    let in_place = LENGTHS_IN_PLACE.map(|(name, chars)| (IN_PLACE, name, chars));
    let of_pairs = LENGTHS_OF_PAIRS.map(|(name, chars)| ("canary.yaml", name, chars));
    for (template, parameter, chars) in in_place.into_iter().chain(of_pairs) {
        let mut parameters = longest_parameters(template, None, true);
        parameters.insert(parameter.to_owned(), longest(chars + 1));
        let refusal = deployed(template, &parameters).unwrap_err().to_string();
        assert!(refusal.contains(parameter), "{refusal}");
    }
}
