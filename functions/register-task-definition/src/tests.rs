use serde_json::json;

use super::*;

fn spec(more: Value) -> Spec {
    let mut all =
        json!({"pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web"});
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    serde_json::from_value(all).expect("legal parameters")
}

#[test]
fn one_base_at_most_and_one_image_at_least_are_given() {
    let image = json!({"web": "example/web:1"});
    for more in [
        json!({"images": image}),
        json!({"imagedefinitions": "Build::imagedefinitions.json"}),
        json!({"images": image, "taskdef": "Config::taskdef.json"}),
        json!({"images": image, "family": "web"}),
    ] {
        assert_eq!(spec(more.clone()).check(), Ok(()), "{more}");
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
        let refusal = spec(more).check().expect_err("refused");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    let named = spec(json!({}));
    let name = named.name();
    assert_eq!(
        (name.pipeline, name.execution, name.cluster, name.service),
        ("slipway-web", "e-1", "apps", "web")
    );
}

#[test]
fn a_report_has_the_revision_the_prior_one_and_the_image_of_each_container() {
    let definition = json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "example/web:1"}, {"name": "log", "image": "example/log:2"},
    ]});
    let definition = TaskDefinition::from_value(definition).expect("a task definition");
    let (new, old) = (
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2",
        "arn:aws:ecs:…:task-definition/web:1",
    );
    let expected = Report::done(
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
