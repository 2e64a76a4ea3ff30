use serde_json::{Value, json};
use slipway::job::parse_parameters;

use super::*;

fn parameters(more: Value) -> Parameters {
    let mut all =
        json!({"pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web"});
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    parse_parameters(Some(&all.to_string())).expect("valid").1
}

#[test]
fn at_most_one_base_and_at_least_one_image_are_given() {
    let image = json!({"web": "example/web:1"});
    for more in [
        json!({"images": image}),
        json!({"imagedefinitions": "Build::imagedefinitions.json"}),
        json!({"images": image, "taskdef": "Config::taskdef.json"}),
        json!({"images": image, "family": "web"}),
    ] {
        assert_eq!(parameters(more.clone()).validate(), Ok(()), "{more}");
    }

    let cases = [
        (
            json!({"images": image, "taskdef": "Config::taskdef.json", "family": "web"}),
            "`taskdef` and `family` are both given",
        ),
        (json!({}), "no image is given"),
        (
            json!({"taskdef": "Config::taskdef.json"}),
            "no image is given",
        ),
    ];

    for (more, why) in cases {
        let refusal = parameters(more).validate().expect_err("refused");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
}

#[test]
fn a_report_has_the_revision_the_prior_one_and_the_image_of_each_container() {
    let definition = json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "example/web:1"}, {"name": "log", "image": "example/log:2"},
    ]});
    let definition = TaskDefinition::from_value(definition).expect("a task definition");
    let new = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";
    let old = "arn:aws:ecs:…:task-definition/web:1";
    let expected = JobReport::done(
        "web:2: registered; web=example/web:1, log=example/log:2",
        [
            ("TaskDefinitionArn", new.to_owned()),
            ("PriorTaskDefinitionArn", old.to_owned()),
            (
                "ImageURIs",
                "web=example/web:1,log=example/log:2".to_owned(),
            ),
        ],
    );

    assert_eq!(report(new, old, &definition, "registered"), expected);
}
