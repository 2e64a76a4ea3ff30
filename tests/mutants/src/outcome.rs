//! The outcome of each mutation, and the table of all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::mutation::Mutation;

/// What became of one mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first check that failed.
    Caught { by: String, after: Duration },
    /// This many checks reach it, and all of them pass.
    Survived { checks: usize },
}

/// One line of the table.
#[must_use]
pub fn line(mutation: &Mutation, outcome: &Outcome) -> String {
    let Mutation { area, name, .. } = mutation;
    match (outcome, &mutation.survives) {
        (Outcome::Caught { by, after }, None) => {
            format!(
                "caught    {area:<12} {name:<44} {:>6.1} s  {by}",
                after.as_secs_f64()
            )
        }
        (Outcome::Caught { by, .. }, Some(_)) => {
            format!(
                "caught    {area:<12} {name:<44} by {by}, although it is declared to survive: \
                remove `survives`"
            )
        }
        (Outcome::Survived { .. }, Some(why)) => format!("explained {area:<12} {name:<44} {why}"),
        (Outcome::Survived { checks: 0 }, None) => {
            format!(
                "SURVIVED  {area:<12} {name:<44} no test reaches it: {}",
                mutation.removes
            )
        }
        (Outcome::Survived { checks }, None) => {
            format!(
                "SURVIVED  {area:<12} {name:<44} {checks} checks reach it and pass: {}",
                mutation.removes
            )
        }
    }
}

/// The score by area and in all.
#[must_use]
pub fn summary(outcomes: &[(&Mutation, Outcome)]) -> String {
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (mutation, outcome) in outcomes {
        let (caught, all) = areas.entry(&mutation.area).or_default();
        *caught += usize::from(matches!(outcome, Outcome::Caught { .. }));
        *all += 1;
    }

    let mut text = String::new();
    for (area, (caught, all)) in &areas {
        let _ = writeln!(text, "{area:<12} {caught:>4} of {all:>4} caught");
    }

    let (caught, all) = areas.values().fold((0, 0), |(caught, all), (more, of)| {
        (caught + more, all + of)
    });
    let share = 100.0 * caught as f64 / all.max(1) as f64;
    let _ = writeln!(
        text,
        "score        {caught:>4} of {all:>4} caught, {share:.1}%"
    );
    text
}

/// Whether everything is as declared in the data: caught, or known to survive.
#[must_use]
pub fn is_as_expected(outcomes: &[(&Mutation, Outcome)]) -> bool {
    outcomes.iter().all(|(mutation, outcome)| {
        matches!(outcome, Outcome::Caught { .. }) == mutation.survives.is_none()
    })
}
