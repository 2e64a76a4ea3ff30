//! What is beside the settings of a user's metrics: further sources, and fields of the file.

use super::*;

#[test]
fn a_metric_has_no_name_and_no_weight_of_a_further_source() {
    let taken = Taken {
        names: ["dead-letters".to_owned()].into(),
        most_weight: 0.75,
    };
    let validated = |field: &str, value: Value| {
        let mut metric = orders();
        metric[field] = value;
        let file: CustomFile = serde_json::from_value(metric).expect("a metric");
        file.validated(3, &taken).map(|metric| metric.name)
    };

    assert_eq!(
        validated("name", json!("dead-letters")),
        Err(
            "metrics[3].name: found \"dead-letters\"; expected up to 60 characters, and not the \
             name of a built-in metric"
                .to_owned()
        )
    );
    assert_eq!(
        validated("weight", json!(0.8)),
        Err("metrics[3].weight: found 0.8; expected 0.000001 to 0.75".to_owned())
    );
    assert_eq!(
        validated("name", json!("letters")),
        Ok("letters".to_owned())
    );
    assert!(Settings::default().taken().names.contains("errors"));
}

#[test]
fn an_unknown_field_and_what_is_no_object_are_refused_with_what_is_expected() {
    let refused = |file: Value| read(file).expect_err("refused");

    let unknown = refused(json!({"judge": {}, "metric": []}));
    let expected = "`Config::canary.json`: unknown field `metric`, expected one of `judge`, \
        `metrics`";
    assert!(unknown.starts_with(expected), "{unknown}");
    assert_eq!(
        refused(json!([])),
        "`Config::canary.json`: found an array; expected a JSON object"
    );
}
