use serde_json::{Value, json};
use slipway::job::parse_parameters;

use super::*;

const PINNED: &str =
    "example/web@sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678";

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
        json!({"images": image, "base": "newest"}),
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
        {"name": "web", "image": PINNED}, {"name": "log", "image": "example/log:2"},
        {"name": "proxy", "image": "example/proxy"},
    ]});
    let definition = TaskDefinition::from_value(definition).expect("a task definition");
    let new = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";
    let old = "arn:aws:ecs:…:task-definition/web:1";
    let expected = JobReport::done(
        format!(
            "web:2: registered; web={PINNED}, log=example/log:2, proxy=example/proxy; not pinned \
             by digest: log, proxy"
        ),
        [
            ("TaskDefinitionArn", new.to_owned()),
            ("PriorTaskDefinitionArn", old.to_owned()),
            (
                "ImageURIs",
                format!("web={PINNED},log=example/log:2,proxy=example/proxy"),
            ),
        ],
    );

    assert_eq!(report(new, old, &definition, "registered"), expected);
}

#[test]
fn a_report_of_pinned_images_names_no_unpinned_one() {
    let definition = json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": PINNED},
    ]});
    let definition = TaskDefinition::from_value(definition).expect("a task definition");
    let JobReport::Done { summary, .. } = report("web:2", "web:1", &definition, "registered")
    else {
        panic!("a report of the end");
    };
    assert_eq!(summary, format!("web:2: registered; web={PINNED}"));
}

#[test]
fn images_that_cannot_be_pulled_are_refused_in_a_file_and_kept_if_they_run() {
    let image = "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com/proxy:1";
    let base = TaskDefinition::from_value(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "<IMAGE>"}, {"name": "proxy", "image": image},
    ]}));
    let base = base.expect("a task definition");
    let images = BTreeMap::from([("web".to_owned(), PINNED.to_owned())]);
    let of = |more: Value| wanted(&parameters(more), &base, &images);

    let kept = of(json!({"images": {"web": PINNED}})).expect("it runs");
    assert_eq!(
        container_images(&kept)[1],
        ("proxy".to_owned(), image.to_owned())
    );

    let file = json!({"images": {"web": PINNED}, "taskdef": "Config::taskdef.json"});
    assert_eq!(
        of(file),
        Err(Failure::configuration(format!(
            "container `proxy` has the image `{image}`, which cannot be pulled: the registry of \
             image `{image}` has account `ACCOUNT` and region `eu-west-1`; expected an account of \
             12 digits and a region such as eu-west-1; correct the task definition, or set `proxy` \
             in `images`"
        )))
    );
}
