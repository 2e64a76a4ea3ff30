//! Images set by container name and by placeholder, and the files that list them.

use serde_json::{Value, json};

use super::super::{
    TaskDefinition, check_images, container_images, parse_image_definitions, parse_image_detail,
    set_images, with_images,
};
use super::{counter, definition, images};

#[test]
fn only_images_change_and_unknown_fields_survive() {
    let base = definition(counter());

    for key in ["frontend", "<IMAGE1_NAME>"] {
        let changed = set_images(&base, &images(&[(key, "example/frontend:2")])).expect("fits");
        let mut expected = counter();
        expected["containerDefinitions"][0]["image"] = json!("example/frontend:2");

        assert_eq!(
            serde_json::from_str::<Value>(&changed.text()).expect("JSON"),
            expected
        );
    }
}

#[test]
fn the_fields_of_a_placeholder_are_removed_with_it() {
    let mut base = counter();
    base["containerDefinitions"][0]["command"] = json!(["httpd"]);
    base["containerDefinitions"][0]["dockerLabels"] = json!({"slipway.placeholder": "command"});
    base["containerDefinitions"][1]["command"] = json!(["serve"]);

    let changed = set_images(
        &definition(base),
        &images(&[("frontend", "a"), ("api", "b")]),
    )
    .expect("fits");
    let containers: Vec<_> = changed.containers().collect();

    assert_eq!(
        (
            containers[0].get("command"),
            containers[0].get("dockerLabels")
        ),
        (None, None)
    );
    assert_eq!(containers[1]["command"], json!(["serve"]));
}

#[test]
fn an_unknown_container_and_an_unfilled_placeholder_are_named() {
    let base = definition(counter());
    let wrong = set_images(&base, &images(&[("frontend", "a"), ("fronted", "b")]))
        .expect_err("no such container");

    assert!(
        wrong.contains("`fronted`") && wrong.contains("expected one of: frontend, api"),
        "{wrong}"
    );

    let unfilled = set_images(&base, &images(&[("api", "a")])).expect_err("placeholder left");

    assert!(unfilled.contains("<IMAGE1_NAME>"), "{unfilled}");

    let mut template = counter();
    template["containerDefinitions"][1]["image"] =
        json!("12345678.dkr.ecr.<region>.amazonaws.com/api:1");

    let mut signed = counter();
    signed["containerDefinitions"][1]["image"] = json!("https://a.b/api?X-Amz-Signature=hush");
    let refusal =
        set_images(&definition(signed), &images(&[("frontend", "a")])).expect_err("an address");
    assert!(
        refusal.contains("the image `https://a.b/api?***`;"),
        "{refusal}"
    );

    let left = set_images(&definition(template), &images(&[("frontend", "a")]))
        .expect_err("template left");

    assert!(
        left.contains("`api` has the image") && left.contains("<region>"),
        "{left}"
    );
}

#[test]
fn an_image_that_is_too_long_with_its_digest_is_refused() {
    let base = definition(counter());
    let digest = format!("sha256:{}", "0a".repeat(32));
    let set = |repository: &str| {
        let image = format!("{repository}@{digest}");
        with_images(&base, &images(&[("frontend", image.as_str())]), false)
    };

    assert!(set(&"a".repeat(183)).is_ok());
    assert_eq!(
        set(&"a".repeat(184)).expect_err("256 characters"),
        "the image of container `frontend` has 256 characters; expected at most 255, with the \
         digest that takes the place of a tag; give its repository a shorter name"
    );
}

#[test]
fn image_files_are_parsed_or_refused() {
    let read = parse_image_definitions(
        br#"[{"name":"web","imageUri":"a"},{"name":"api","imageUri":"b"}]"#,
    )
    .expect("legal");

    assert_eq!(read, images(&[("web", "a"), ("api", "b")]));

    for text in [
        "[]",
        "{}",
        r#"[{"name":"a"}]"#,
        r#"[{"name":"a","imageUri":"b"},{"name":"a","imageUri":"c"}]"#,
    ] {
        assert!(
            parse_image_definitions(text.as_bytes()).is_err(),
            "{text} was accepted"
        );
    }

    assert_eq!(
        parse_image_detail(br#"{"ImageSizeInBytes":"7","ImageURI":"a@b"}"#).as_deref(),
        Ok("a@b")
    );
    assert!(parse_image_detail(b"{}").is_err());
}

#[test]
fn a_name_takes_precedence_over_a_placeholder() {
    let base = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "one", "image": "<IMAGE>"},
        {"name": "two", "image": "<IMAGE>"},
        {"name": "three", "image": "c:1"},
    ]}));
    let set = |pairs: &[(&str, &str)]| {
        set_images(&base, &images(pairs)).map(|changed| container_images(&changed))
    };

    let found = |one: &str, two: &str, three: &str| {
        Ok([("one", one), ("two", two), ("three", three)]
            .map(|(name, image)| (name.to_owned(), image.to_owned()))
            .to_vec())
    };

    assert_eq!(set(&[("<IMAGE>", "a:2")]), found("a:2", "a:2", "c:1"));
    assert_eq!(
        set(&[("<IMAGE>", "a:2"), ("one", "b:2"), ("three", "c:2")]),
        found("b:2", "a:2", "c:2")
    );

    let refusal = set(&[("one", "b:2")]).expect_err("two is still a placeholder");
    let whole =
        "container `two` has the placeholder <IMAGE>; expected `two` or `<IMAGE>` in `images`";

    assert_eq!(refusal, whole);
}

#[test]
fn only_the_labelled_fields_of_a_placeholder_are_removed() {
    let base = |labels: Value| {
        definition(json!({"family": "a", "containerDefinitions": [{
            "name": "web", "image": "httpd", "command": ["x"], "healthCheck": {"retries": 3},
            "user": "1", "dockerLabels": labels,
        }]}))
    };

    let released = |labels: Value| {
        let changed = set_images(&base(labels), &images(&[("web", "b")])).expect("fits");
        changed.containers().next().expect("a container").clone()
    };

    let labelled = json!({"slipway.placeholder": "command, healthCheck", "team": "web"});
    let expected =
        json!({"name": "web", "image": "b", "user": "1", "dockerLabels": {"team": "web"}});

    assert_eq!(released(labelled), expected);

    let own = json!({"team": "web"});
    let expected = json!({
        "name": "web", "image": "b", "command": ["x"], "healthCheck": {"retries": 3},
        "user": "1", "dockerLabels": own,
    });

    assert_eq!(released(own), expected);
}

#[test]
fn a_container_without_a_new_image_keeps_its_fields() {
    let base = definition(json!({"family": "a", "containerDefinitions": [
        {
            "name": "one", "image": "httpd", "command": ["x"],
            "dockerLabels": {"slipway.placeholder": "command"},
        },
        {"name": "two", "image": "b"},
    ]}));
    let changed = set_images(&base, &images(&[("two", "c")])).expect("fits");

    assert_eq!(changed.containers().next(), base.containers().next());
}

#[test]
fn refused_image_files_state_the_problem() {
    let refusal = |text: &str| parse_image_definitions(text.as_bytes()).expect_err("refused");

    assert!(refusal("[]").contains("expected one entry or more"));

    let twice = r#"[{"name":"a","imageUri":"b"},{"name":"a","imageUri":"c"}]"#;

    assert!(refusal(twice).contains("a container is named twice"));
    assert!(refusal("{}").contains(r#"[{"name": <container>, "imageUri": <image>}, …]"#));

    assert!(refusal(r#"{"ImageURI":"a"}"#).contains("such a file is given in `images`"));

    for (text, why) in [
        ("{}", "the file is not a list; expected [{"),
        (
            r#"["hush"]"#,
            "`[0].name` is missing or not a string; expected [{",
        ),
        (
            r#"[{"name":"a","imageUri":"b"},{"name":"c","ImageUri":"hush"}]"#,
            "`[1].imageUri` is missing or not a string; expected [{",
        ),
        (
            r#"[{"name":"a","imageUri":7}]"#,
            "`[0].imageUri` is missing or not a string; expected [{",
        ),
    ] {
        let refusal = refusal(text);
        assert!(
            refusal.starts_with(why) && !refusal.contains("hush"),
            "{refusal}"
        );
    }

    let one = parse_image_definitions(br#"[{"name":"web","imageUri":"a","extra":1}]"#);

    assert_eq!(one, Ok(images(&[("web", "a")])));

    for text in ["{}", r#"{"ImageURI": 7}"#, r#"{"imageUri": "a"}"#] {
        assert!(
            parse_image_detail(text.as_bytes())
                .expect_err("refused")
                .contains("`ImageURI` is missing"),
            "{text}"
        );
    }
}

#[test]
fn a_list_in_place_of_one_image_is_refused_with_the_parameter_that_takes_it() {
    let refusal = "the file is a list; expected {\"ImageURI\": <image>}; a list of containers and \
                   images is given as `imagedefinitions`";
    assert_eq!(
        parse_image_detail(br#"[{"name":"web","imageUri":"hush:1"}]"#),
        Err(refusal.to_owned())
    );
}

#[test]
fn an_address_among_the_images_of_a_file_is_refused_without_its_signature() {
    let base = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "web", "image": "https://a.b/web?X-Amz-Signature=hush"},
    ]}));
    let refusal = check_images(&base).expect_err("an address");
    let start = "container `web` has the image `https://a.b/web?***`, which cannot be pulled: ";
    assert!(refusal.starts_with(start), "{refusal}");
    assert!(!refusal.contains("hush"), "{refusal}");
}

#[test]
fn what_only_looks_like_json_is_refused_by_every_reader_without_values() {
    let nested = "[".repeat(200);
    for text in [
        "",
        "\n",
        r#"{"ImageURI": "hush:1",}"#,
        r#"[{"name": "web", "imageUri": "hush:1"},]"#,
        "// the image\n{\"ImageURI\": \"hush:1\"}",
        r##"{"ImageURI": "hush:1"} # the image"##,
        r#"{"ImageURI": "hush:1"}{}"#,
        "{'ImageURI': 'hush:1'}",
        "ImageURI: hush:1",
        "- name: web\n  imageUri: hush:1",
        "<html>hush:1</html>",
        &nested,
    ] {
        let bytes = text.as_bytes();
        for (refusal, expected) in [
            (
                parse_image_definitions(bytes).expect_err(text),
                "; expected [{\"name\": <container>, \"imageUri\": <image>}, …]",
            ),
            (
                parse_image_detail(bytes).expect_err(text),
                "; expected {\"ImageURI\": <image>}",
            ),
            (
                TaskDefinition::parse(bytes).expect_err(text),
                "; expected a JSON object without comments",
            ),
        ] {
            let is_plain = refusal.starts_with("not JSON: ") && refusal.ends_with(expected);
            assert!(is_plain && !refusal.contains("hush"), "{text}: {refusal}");
        }
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused_with_its_place_and_without_values() {
    let once = "expected each key of an object once";

    assert_eq!(
        parse_image_definitions(br#"[{"name":"a","imageUri":"hush","imageUri":"hush"}]"#),
        Err(format!(
            "the key `imageUri` occurs twice at line 1 column 41; {once}"
        ))
    );
    assert_eq!(
        parse_image_detail(br#"{"ImageURI":"hush","ImageURI":"hush"}"#),
        Err(format!(
            "the key `ImageURI` occurs twice at line 1 column 29; {once}"
        ))
    );
}
