//! Parameters that are refused.

use super::StrategyName::{BlueGreen, Doubling, MakeRoom, Rolling};
use super::*;

#[test]
fn contradictions_are_refused() {
    let doubled = Strategy {
        rules: StrategyName::Doubling.rules(),
        maximum_percent: Some(Percent(150)),
        ..BARE
    };
    let both = Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        minimum_healthy_tasks: Some(1),
        ..BARE
    };

    assert!(
        doubled.check_bounds().is_err()
            && both.check_bounds().is_err()
            && BARE.check_bounds().is_ok()
    );
    assert!(
        serde_json::from_str::<Percent<0, 100>>("140")
            .expect_err("too large")
            .to_string()
            .contains("from 0 to 100")
    );
}

fn minimum(name: StrategyName) -> Strategy {
    Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        ..with_name(name)
    }
}

fn minimum_tasks(name: StrategyName) -> Strategy {
    Strategy {
        minimum_healthy_tasks: Some(1),
        ..with_name(name)
    }
}

fn maximum(name: StrategyName) -> Strategy {
    Strategy {
        maximum_percent: Some(Percent(150)),
        ..with_name(name)
    }
}

fn maximum_tasks(name: StrategyName) -> Strategy {
    Strategy {
        maximum_tasks: Some(3),
        ..with_name(name)
    }
}

#[test]
fn parameters_that_a_strategy_takes_are_accepted() {
    for strategy in [
        minimum(Rolling),
        minimum_tasks(Rolling),
        maximum(Rolling),
        maximum_tasks(Rolling),
        MAKE_ROOM,
        DOUBLING,
        BLUE_GREEN,
        minimum(MakeRoom),
        minimum_tasks(MakeRoom),
    ] {
        assert_eq!(strategy.check_bounds(), Ok(()));
    }
}

#[test]
fn parameters_that_a_strategy_does_not_take_are_refused_by_name() {
    for (strategy, word) in [
        (maximum(MakeRoom), "`make-room`"),
        (maximum_tasks(MakeRoom), "`make-room`"),
        (minimum(Doubling), "`doubling`"),
        (minimum_tasks(Doubling), "`doubling`"),
        (maximum(Doubling), "`doubling`"),
        (maximum_tasks(Doubling), "`doubling`"),
        (minimum(BlueGreen), "`blue-green`"),
        (minimum_tasks(BlueGreen), "`blue-green`"),
        (maximum(BlueGreen), "`blue-green`"),
        (maximum_tasks(BlueGreen), "`blue-green`"),
    ] {
        let refusal = strategy.check_bounds().expect_err("not a parameter of it");
        assert!(refusal.contains(word), "{refusal}");
    }
}

#[test]
fn a_bound_is_given_as_a_percentage_or_as_a_number_of_tasks() {
    let both_minima = Strategy {
        minimum_healthy_tasks: Some(1),
        ..minimum(Rolling)
    };
    let refusal = both_minima.check_bounds().expect_err("contradicts itself");
    assert!(
        refusal.contains("`minimum_healthy_percent` and `minimum_healthy_tasks` are both given"),
        "{refusal}"
    );

    let both_maxima = Strategy {
        maximum_tasks: Some(3),
        ..maximum(Rolling)
    };
    let refusal = both_maxima.check_bounds().expect_err("contradicts itself");
    assert!(
        refusal.contains("`maximum_percent` and `maximum_tasks` are both given"),
        "{refusal}"
    );
}

#[test]
fn percentages_outside_their_bounds_are_refused_with_the_bounds() {
    let healthy = |text: &str| {
        serde_json::from_str::<Percent<0, 100>>(text)
            .map(Percent::get)
            .map_err(|e| e.to_string())
    };

    assert_eq!((healthy("0"), healthy("100")), (Ok(0), Ok(100)));

    for text in ["-1", "101", "4294967297"] {
        let refusal = healthy(text).expect_err("out of range");
        assert!(
            refusal.contains(&format!("{text} is out of range"))
                && refusal.contains("from 0 to 100"),
            "{refusal}"
        );
    }

    let most = |text: &str| {
        serde_json::from_str::<Percent<100, 200>>(text)
            .map(Percent::get)
            .ok()
    };

    assert_eq!(
        [most("99"), most("100"), most("200"), most("201")],
        [None, Some(100), Some(200), None]
    );
}

#[test]
fn a_count_of_0_is_refused_by_field() {
    for (counts, field) in [
        ((Some(0), None), "`desired_count` is 0"),
        ((None, Some(0)), "`initial_count` is 0"),
    ] {
        let refusal = check_counts(counts.0, counts.1).expect_err("no tasks");
        assert!(refusal.contains(field), "{refusal}");
    }

    assert_eq!(
        (check_counts(None, None), check_counts(Some(1), Some(1))),
        (Ok(()), Ok(()))
    );
}

#[test]
fn the_schema_of_a_percentage_has_its_bounds() {
    let schema = schemars::schema_for!(Percent<100, 200>);
    let schema = schema.as_value();
    let found = ["type", "minimum", "maximum"].map(|name| schema[name].clone());

    assert_eq!(
        serde_json::json!(found),
        serde_json::json!(["integer", 100, 200])
    );
}
