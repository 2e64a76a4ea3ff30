//! What the actions of the project's own pipelines are given, in which order they run, and what
//! starts them.

use serde_json::Value;

use super::own_choices::properties;
use super::own_pairs::{actions, own_parameters, user_parameters};
use super::own_records::RECORDS;
use super::own_roles::{PIPELINES, with_pipeline};
use super::own_templates::deploy_pipeline;
use super::*;

const IN_PLACE: &str = "in-place.yaml";
const CANARY: &str = "canary.yaml";
const BY_RECORDS: &str = "dns.yaml";

/// How an update in place replaces tasks, in both steps that are given it.
const OF_UPDATES: [&str; 7] = [
    "strategy",
    "minimum_healthy_percent",
    "minimum_healthy_tasks",
    "maximum_percent",
    "maximum_tasks",
    "desired_count",
    "initial_count",
];

/// Those of the user parameters of an action that have one of these names.
fn named(actions: &[Value], action: &str, names: &[&str]) -> Value {
    let mut all = user_parameters(actions, action);
    all.retain(|name, _| names.contains(&name.as_str()));
    Value::Object(all)
}

#[test]
fn an_update_in_place_has_the_chosen_bounds_and_counts_in_both_steps() {
    for (choices, expected) in [
        (&[][..], json!({"strategy": "rolling"})),
        (
            &[
                ("MinimumHealthyPercent", "50"),
                ("MaximumPercent", "150"),
                ("DesiredCount", "4"),
                ("InitialCount", "2"),
            ][..],
            json!({
                "strategy": "rolling", "minimum_healthy_percent": 50, "maximum_percent": 150,
                "desired_count": 4, "initial_count": 2,
            }),
        ),
        (
            &[
                ("Strategy", "make-room"),
                ("MinimumHealthyTasks", "1"),
                ("MaximumTasks", "3"),
            ][..],
            json!({"strategy": "make-room", "minimum_healthy_tasks": 1, "maximum_tasks": 3}),
        ),
    ] {
        let actions = actions(&with_pipeline(IN_PLACE, choices));
        for step in ["begin-release", "update-service"] {
            assert_eq!(named(&actions, step, &OF_UPDATES), expected, "{step}");
        }
    }
}

#[test]
fn a_rollout_has_the_chosen_deadline_and_a_pair_its_first_count() {
    for template in PIPELINES {
        let is_pair = template != IN_PLACE;
        let update = if is_pair { "fill" } else { "update-service" };
        let deadline =
            |aws: &Aws| user_parameters(&actions(aws), update)["deadline_minutes"].clone();
        assert_eq!(deadline(&with_pipeline(template, &[])), 30, "{template}");

        let choices = [("DeadlineMinutes", "45"), ("InitialCount", "3")];
        let aws = with_pipeline(template, &choices);
        assert_eq!(deadline(&aws), 45, "{template}");
        for step in ["begin-release", update] {
            let given = user_parameters(&actions(&aws), step);
            assert_eq!(given["initial_count"], 3, "{template}: {step}");
        }
    }
}

#[test]
fn each_revision_is_made_from_what_is_chosen_in_both_steps() {
    let file = [
        ("ConfigBucket", "config"),
        ("TaskDefinitionFile", "taskdef.json"),
    ];
    for template in PIPELINES {
        for (choices, expected) in [
            (&[][..], json!({})),
            (&[("Base", "newest")][..], json!({"base": "newest"})),
            (&file[..], json!({"taskdef": "Config::taskdef.json"})),
        ] {
            let actions = actions(&with_pipeline(template, choices));
            let has_file = expected.get("taskdef").is_some();
            for step in ["begin-release", "register-task-definition"] {
                let found = named(&actions, step, &["base", "taskdef"]);
                assert_eq!(found, expected, "{template}: {step}");

                let mut all = actions.iter();
                let action = all.find(|action| action["Name"] == step).unwrap();
                let checks_image = template == IN_PLACE && step == "begin-release";
                let artifacts = [("Image", checks_image), ("Config", has_file)];
                let artifacts = artifacts.into_iter().filter(|(_, is_input)| *is_input);
                let expected: Vec<Value> =
                    artifacts.map(|(name, _)| json!({ "Name": name })).collect();
                let found = items(&action["InputArtifacts"]);
                assert_eq!(found, expected, "{template}: {step}");
            }
        }
    }
}

#[test]
fn a_freeze_and_the_line_are_given_to_the_step_that_registers() {
    let chosen = [
        ("FreezeWindows", "Fri 16:00/Mon 06:00,22:00/06:00"),
        ("FreezeZone", "Europe/Berlin"),
        ("StopLine", "yes"),
    ];
    let freeze = json!({
        "zone": "Europe/Berlin", "windows": ["Fri 16:00/Mon 06:00", "22:00/06:00"],
    });
    for template in PIPELINES {
        for (choices, expected) in [
            (&[][..], json!({})),
            (&chosen[..2], json!({ "freeze": freeze })),
            (&chosen[2..], json!({"line": {"stage": "Release"}})),
        ] {
            let actions = actions(&with_pipeline(template, choices));
            let found = named(&actions, "register-task-definition", &["freeze", "line"]);
            assert_eq!(found, expected, "{template}");
        }
    }
}

/// A pipeline of a pair registers the revision before its approval, and checks the image then.
#[test]
fn the_image_of_a_service_is_checked_before_an_approval() {
    let actions = actions(&with_pipeline(IN_PLACE, &[("Approval", "yes")]));
    assert_eq!(
        named(&actions, "begin-release", &["digest", "image"]),
        json!({"digest": "#{Image.ImageDigest}", "image": "Image::imageDetail.json"})
    );
}

#[test]
fn a_config_artifact_starts_no_release() {
    let choices = [("ConfigBucket", "config"), ("ConfigKey", "shop/config.zip")];
    for template in PIPELINES {
        let aws = with_pipeline(template, &choices);
        let pipeline = properties(&aws, "web-pipeline", "Pipeline");
        let sources = items(&pipeline["Stages"][0]["Actions"]);
        let mut sources = sources.iter();
        let config = sources.find(|source| source["Name"] == "Config").unwrap();
        assert_eq!(
            config["Configuration"],
            json!({
                "S3Bucket": "config", "S3ObjectKey": "shop/config.zip",
                "PollForSourceChanges": "false",
            }),
            "{template}"
        );
    }
}

#[test]
fn a_migration_has_its_container_its_words_and_its_time() {
    let choices = [
        ("MigrationCommand", "bin/rails,db:migrate"),
        ("MigrationFamily", "web"),
        ("MigrationMinutes", "5"),
    ];
    let aws = with_pipeline(IN_PLACE, &choices);
    assert_eq!(
        own_parameters(&actions(&aws), "migrate"),
        json!({
            "task": "migrate", "container": "web", "command": ["bin/rails", "db:migrate"],
            "timeout_minutes": 5,
        })
    );
}

/// The judgement of a canary, and the moves of traffic before and after it.
fn judged(choices: &[(&str, &str)]) -> [Value; 3] {
    let actions = actions(&with_pipeline(CANARY, choices));
    ["shift-first", "judge", "shift-all"].map(|action| own_parameters(&actions, action))
}

#[test]
fn the_judgement_of_a_canary_has_the_chosen_share_times_alarms_and_file() {
    let judge = json!({
        "last_percent": 60, "bake_minutes": 40, "warm_up_minutes": 4, "min_minutes": 7,
        "inconclusive": "hold", "hold_minutes": 90, "alarms": ["a", "b"],
        "config": "Config::judge.json", "minimum_healthy_percent": 50,
    });
    let first = json!({
        "shift": "listed", "steps": [10], "bake_minutes": 0, "alarms": ["a", "b"],
        "minimum_healthy_percent": 50,
    });
    let all = json!({
        "shift": "all-at-once", "bake_minutes": 15, "alarms": ["a", "b"],
        "minimum_healthy_percent": 50,
    });
    let chosen = [
        ("FirstPercent", "10"),
        ("LastPercent", "60"),
        ("JudgeMinutes", "40"),
        ("WarmUpMinutes", "4"),
        ("MinMinutes", "7"),
        ("HoldMinutes", "90"),
        ("Alarms", "a,b"),
        ("ConfigBucket", "config"),
        ("JudgeFile", "judge.json"),
        ("BakeMinutes", "15"),
        ("MinimumHealthyPercent", "50"),
    ];
    assert_eq!(judged(&chosen), [first, judge, all]);

    let actions = actions(&with_pipeline(CANARY, &chosen));
    let retire = user_parameters(&actions, "retire");
    assert_eq!(retire["alarms"], json!(["a", "b"]));
}

#[test]
fn the_last_share_of_a_canary_is_not_the_first() {
    let mut aws = with_pipeline(CANARY, &[]);
    let stack = aws.cloudformation.stack("web").unwrap();
    let rule = stack.outputs.get("ProductionRuleArn").unwrap().clone();
    let mut with_last = |last| {
        let shares = [
            ("Rule", rule.as_str()),
            ("FirstPercent", "20"),
            ("LastPercent", last),
        ];
        deploy_pipeline(&mut aws, CANARY, &shares).map_err(|refused| refused.problem)
    };
    let refused = "LastPercent must be more than FirstPercent, or 0.";
    assert_eq!(with_last("20"), Err(refused.to_owned()));
    assert_eq!([with_last("21"), with_last("0")], [Ok(()), Ok(())]);
}

#[test]
fn a_canary_holds_where_nothing_is_chosen_and_for_no_time_where_it_promotes() {
    let [_, holding, _] = judged(&[]);
    assert_eq!(
        holding,
        json!({
            "last_percent": 0, "bake_minutes": 60, "warm_up_minutes": 3, "inconclusive": "hold",
            "hold_minutes": 120, "minimum_healthy_percent": 75,
        })
    );
    let [_, promoting, _] = judged(&[("Inconclusive", "promote")]);
    assert_eq!(
        promoting,
        json!({
            "last_percent": 0, "bake_minutes": 60, "warm_up_minutes": 3,
            "inconclusive": "promote", "minimum_healthy_percent": 75,
        })
    );
}

#[test]
fn a_release_by_dns_has_both_records_and_the_chosen_shift() {
    let record = |blue: &str, green: &str| {
        let [(_, zone), (_, name), (_, kind)] = RECORDS;
        json!({"zone": zone, "name": name, "type": kind, "blue": blue, "green": green})
    };
    let shift = |percent: u32, minutes: u32| {
        json!({
            "shift": "linear", "step_percent": percent, "step_minutes": minutes,
            "bake_minutes": 10, "minimum_healthy_percent": 75,
        })
    };
    let chosen = [
        ("BlueRecord", "a"),
        ("GreenRecord", "b"),
        ("StepPercent", "25"),
        ("StepMinutes", "3"),
        ("Alarms", "a,b"),
    ];
    let mut watched = shift(25, 3);
    watched["alarms"] = json!(["a", "b"]);
    for (choices, record, shift) in [
        (&[][..], record("blue", "green"), shift(10, 2)),
        (&chosen[..], record("a", "b"), watched),
    ] {
        let actions = actions(&with_pipeline(BY_RECORDS, choices));
        assert_eq!(user_parameters(&actions, "begin-release")["record"], record);
        assert_eq!(own_parameters(&actions, "swap-records"), shift);
        let retire = user_parameters(&actions, "retire");
        assert_eq!(retire.get("alarms"), shift.get("alarms"));
    }
}

/// The actions of the stage Release in the order in which they run, one after the other.
fn order(actions: &[Value]) -> Vec<&str> {
    let numbers = actions
        .iter()
        .map(|action| action["RunOrder"].as_i64().unwrap());
    assert!(numbers.is_sorted_by(|one, next| one < next), "{actions:?}");
    let names = actions
        .iter()
        .map(|action| action["Name"].as_str().unwrap());
    names.collect()
}

#[test]
fn an_approval_comes_before_the_revision_of_a_service_and_before_the_traffic_of_a_pair() {
    const APPROVAL: (&str, &str) = ("Approval", "yes");
    let in_place = [
        APPROVAL,
        ("MigrationCommand", "migrate"),
        ("MigrationFamily", "web"),
    ];
    let of_pair = [APPROVAL];
    let ends = "retire finish-release";
    let begins = "begin-release register-task-definition fill approve";
    for (template, choices, expected) in [
        (
            IN_PLACE,
            &in_place[..],
            "begin-release approve register-task-definition migrate update-service finish-release"
                .to_owned(),
        ),
        (
            "blue-green.yaml",
            &of_pair[..],
            format!("{begins} swap-target-groups {ends}"),
        ),
        (
            CANARY,
            &of_pair[..],
            format!("{begins} shift-first judge shift-all {ends}"),
        ),
        (
            BY_RECORDS,
            &of_pair[..],
            format!("{begins} swap-records {ends}"),
        ),
    ] {
        let actions = actions(&with_pipeline(template, choices));
        // Further actions may run between them.
        let mut order = order(&actions);
        order.retain(|name| expected.split(' ').any(|named| named == *name));
        assert_eq!(order.join(" "), expected, "{template}");

        let mut all = actions.iter();
        let approve = all.find(|action| action["Name"] == "approve").unwrap();
        let question = approve["Configuration"]["CustomData"].as_str().unwrap();
        for named in ["web", "main", "#{Image.ImageURI}"] {
            assert!(question.contains(named), "{template}: {question}");
        }
    }
}

#[test]
fn a_pipeline_takes_the_newest_push_unless_each_is_chosen() {
    for template in PIPELINES {
        for (choices, mode) in [
            (&[][..], "SUPERSEDED"),
            (&[("ExecutionMode", "QUEUED")][..], "QUEUED"),
        ] {
            let aws = with_pipeline(template, choices);
            let pipeline = properties(&aws, "web-pipeline", "Pipeline");
            let found = (&pipeline["ExecutionMode"], &pipeline["PipelineType"]);
            assert_eq!(found, (&json!(mode), &json!("V2")), "{template}");
        }
    }
}

#[test]
fn a_push_or_a_replica_of_a_chosen_tag_starts_a_pipeline_or_is_a_dead_letter() {
    for template in PIPELINES {
        let aws = with_pipeline(template, &[("TagPattern", "v*")]);
        let rule = properties(&aws, "web-pipeline", "PushRule");
        assert_eq!(rule["State"], "ENABLED");
        assert_eq!(rule["ScheduleExpression"], "rate(1 hour)", "{template}");
        assert_eq!(
            rule["EventPattern"],
            json!({
                "source": ["aws.ecr"], "account": ["111122223333"], "region": ["eu-west-1"],
                "detail-type": ["ECR Image Action", "ECR Replication Action"],
                "detail": {
                    "action-type": ["PUSH", "REPLICATE"], "result": ["SUCCESS"],
                    "repository-name": ["web"], "image-tag": [{"exists": true}],
                },
            }),
            "{template}"
        );
        let queue = "arn:aws:sqs:eu-west-1:111122223333:slipway-dead-letters";
        let target = &items(&rule["Targets"])[0];
        assert_eq!(target["DeadLetterConfig"], json!({ "Arn": queue }));
    }
}
