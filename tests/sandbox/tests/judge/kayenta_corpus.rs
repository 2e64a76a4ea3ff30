//! Kayenta's judge against its own test vectors, and against the configs that users have
//! published.
//!
//! They are in the folders `canary-configs` of `SLIPWAY_CORPUS`; without it nothing here is
//! compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use slipway::judge::kayenta::{
    Analysis, Direction, EffectMeasure, NanStrategy, RankTest, classify, report,
};
use slipway::judge::rank;

use crate::kayenta_rules;

/// Kayenta searches its bounds to an absolute 1e-4, and its tests allow as much.
const KAYENTA_TOLERANCE: f64 = 1e-4;

/// The files of the corpus, by name.
fn files() -> BTreeMap<String, PathBuf> {
    let corpus = std::env::var_os("SLIPWAY_CORPUS").unwrap_or_default();
    std::env::split_paths(&corpus)
        .filter_map(|root| std::fs::read_dir(root.join("canary-configs")).ok())
        .flatten()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .collect()
}

fn json_file(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(files().get(name)?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn couple(value: &Value) -> Option<(f64, f64)> {
    Some((value.get(0)?.as_f64()?, value.get(1)?.as_f64()?))
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= KAYENTA_TOLERANCE,
        "{what}: found {found}, expected {expected}"
    );
}

fn direction(word: &str) -> Direction {
    match word.to_lowercase().as_str() {
        "increase" => Direction::Increase,
        "decrease" => Direction::Decrease,
        "either" => Direction::Either,
        other => panic!("unknown direction {other}"),
    }
}

#[test]
fn classifications_are_those_of_kayentas_own_tests() {
    let Some(vectors) = json_file("kayenta-judge-vectors.json") else {
        return;
    };
    for vector in vectors["classify"].as_array().unwrap() {
        let cles = vector["measure"] == "cles";
        let analysis = Analysis {
            direction: direction(vector["direction"].as_str().unwrap()),
            nan_strategy: if vector["nan"] == "replace" {
                NanStrategy::Replace
            } else {
                NanStrategy::Remove
            },
            critical: vector["critical"] == true,
            measure: if cles {
                EffectMeasure::CommonLanguage
            } else {
                EffectMeasure::MeanRatio
            },
            allowed: couple(&vector["allowed"]).unwrap_or((1.0, 1.0)),
            critical_effect: couple(&vector["crit"]).unwrap_or((1.0, 1.0)),
            ..Analysis::default()
        };

        let test = RankTest {
            tolerance: vector["tol"].as_f64().unwrap(),
            confidence: vector["conf"].as_f64().unwrap(),
        };
        let found = classify(
            &numbers(&vector["exp"]),
            &numbers(&vector["ctl"]),
            &analysis,
            test,
        );

        assert_eq!(
            found.label.as_str(),
            vector["expect"],
            "{}: {}",
            vector["name"],
            found.reason
        );

        if let Some(critical) = vector["expect_critical"].as_bool() {
            assert_eq!(found.critical, critical, "{}", vector["name"]);
        }
    }
}

/// The same suite copied from the Scala source, with its parameters and expectations as Scala text.
#[test]
fn classifications_are_those_of_the_scala_source() {
    let Some(vectors) = json_file("spinnaker__kayenta__classifier-vectors.json") else {
        return;
    };

    let mut others = Vec::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["test"].as_str().unwrap();
        if vector["classifier"] != "MannWhitneyClassifier" {
            others.push(name);
            continue;
        }

        let (canary, baseline) = (
            numbers(&vector["experimentData"]),
            numbers(&vector["controlData"]),
        );
        let found = classify(
            &canary,
            &baseline,
            &scala_analysis(vector),
            scala_test(vector),
        );

        for expected in vector["expected"].as_array().unwrap() {
            let expected = expected.as_str().unwrap();
            let holds = match expected {
                "result.critical" => found.critical,
                "!result.critical" => !found.critical,
                "result.deviation.isNaN" => found.ratio.is_none(),
                "result.deviation == 1.0" => found.ratio == Some(1.0),
                _ => expected == format!("result.classification == {}", found.label.as_str()),
            };

            assert!(holds, "{name}: {expected}, but {found:?}");
        }
    }

    // Kayenta's judge has never used this classifier, and no canary config can name it.
    assert_eq!(others, ["Mean Inequality Classifier Test: Low Metric"]);
}

fn scala_parameter<'a>(vector: &'a Value, name: &str) -> Option<&'a str> {
    vector["parameters"][name].as_str()
}

fn scala_analysis(vector: &Value) -> Analysis {
    let pair = |name: &str| scala_parameter(vector, name).map_or((1.0, 1.0), scala_pair);
    let arguments: Vec<&str> = vector["classifyArguments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap())
        .collect();
    let cles = scala_parameter(vector, "effectSizeMeasure") == Some("\"cles\"");

    Analysis {
        direction: direction(arguments[0]),
        nan_strategy: if arguments.contains(&"Replace") {
            NanStrategy::Replace
        } else {
            NanStrategy::Remove
        },
        critical: arguments.contains(&"isCriticalMetric = true"),
        measure: if cles {
            EffectMeasure::CommonLanguage
        } else {
            EffectMeasure::MeanRatio
        },
        allowed: pair("effectSizeThresholds"),
        critical_effect: pair("criticalThresholds"),
        ..Analysis::default()
    }
}

fn scala_test(vector: &Value) -> RankTest {
    let number = |name: &str| scala_parameter(vector, name).unwrap().parse().unwrap();
    RankTest {
        tolerance: number("tolerance"),
        confidence: number("confLevel"),
    }
}

/// Such as `(0.8, 1.2)`.
fn scala_pair(text: &str) -> (f64, f64) {
    let (low, high) = text.trim_matches(['(', ')']).split_once(", ").unwrap();
    (low.parse().unwrap(), high.parse().unwrap())
}

#[test]
fn intervals_are_those_of_kayentas_own_tests() {
    let Some(vectors) = json_file("kayenta-judge-vectors.json") else {
        return;
    };
    for vector in vectors["mann_whitney"].as_array().unwrap() {
        let confidence = vector["conf"].as_f64().unwrap();
        let shift = rank::shift(
            &numbers(&vector["exp"]),
            &numbers(&vector["ctl"]),
            confidence,
        )
        .unwrap();

        for (found, field) in [
            (shift.low, "low"),
            (shift.high, "high"),
            (shift.estimate, "est"),
        ] {
            close(
                found,
                vector[field].as_f64().unwrap(),
                &format!("{} {field}", vector["name"]),
            );
        }
    }
}

/// What lies between: the statistic at given shifts, and both ends of the search for the bounds.
/// The two intervals of the file are in the other one as well.
#[test]
fn scores_between_are_those_of_the_scala_source() {
    let Some(vectors) = json_file("spinnaker__kayenta__mannwhitney-vectors.json") else {
        return;
    };
    let vector = &vectors["vectors"][0];
    let (x, y) = (numbers(&vector["x"]), numbers(&vector["y"]));
    close(rank::z_score(&x, &y, 0.0), -1.229416, "z at 0");
    close(rank::z_score(&x, &y, 5.0), -35.80606, "z at 5");

    let vector = &vectors["vectors"][3];
    let (x, y) = (numbers(&vector["x"]), numbers(&vector["y"]));
    let constant = |name: &str| vector["constants"][name].as_f64().unwrap();
    let ends = [
        ("rMumin", "rFlower1", "rFlower2"),
        ("rMumax", "rFupper1", "rFupper2"),
    ];
    for (end, at_low, at_high) in ends {
        let z = rank::z_score(&x, &y, constant(end));
        close(z - constant("rZqLower"), constant(at_low), at_low);
        close(z - constant("rZqUpper"), constant(at_high), at_high);
    }
    let shift = rank::shift(&x, &y, vector["confidenceLevel"].as_f64().unwrap()).unwrap();
    close(shift.low, constant("rCil"), "rCil");
    close(shift.high, constant("rCiu"), "rCiu");
    close(shift.estimate, constant("rEst"), "rEst");
}

#[test]
fn every_published_config_is_read_or_refused_by_field() {
    for (name, path) in files() {
        let config = std::fs::read_to_string(path).unwrap();
        let read = report(&config, "[]").map_err(|error| error.to_string());
        let refusal = "failed to read the canary config: ";

        match (kayenta_rules::refused_field(&config), read) {
            (Some(field), read) => {
                let error = read.expect_err(&name);
                let expected = format!("{refusal}{field}: found ");
                assert!(error.starts_with(&expected), "{name}: {error}");
            }
            (None, read) if kayenta_rules::is_plain(&config) => {
                assert!(read.is_ok(), "{name}: {read:?}");
            }
            // A file with metrics is a config; what it has besides is refused by its field.
            (None, Ok(_)) => assert!(config.contains("\"metrics\""), "{name} was read"),
            (None, Err(error)) => assert!(
                error.starts_with(refusal) && error.contains(": found"),
                "{name}: {error}"
            ),
        }
    }
}
