//! Which colour of a pair is live when a release begins: by the weights, and where they are
//! ambiguous or a stack update has reset them, by what the last release left.
//!
//! Never takes an empty colour for the live one while the other one has tasks.

use slipway::job::Failure;
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::route::Route;
use slipway::observed::service::ServiceView;
use slipway::observed::weights::Weights;
use slipway::release::LastKnownRouting;
use slipway::strategy::blue_green::reset::is_reset;

/// The parts of a colour's state that show whether it serves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tasks {
    /// Whether it has tasks, or should have some.
    pub(crate) any: bool,
    /// Healthy targets that its traffic can use; 0 when they were not read.
    pub(crate) healthy: u32,
}

impl Tasks {
    pub(crate) fn from_view(view: &ServiceView, (route, group): (&Route, &str)) -> Self {
        Self {
            any: view.desired > 0 || view.running > 0,
            healthy: route.healthy(view, group),
        }
    }
}

/// Whether all of the traffic goes to the colour that the last release did not leave live. Then the
/// health of both decides.
pub(crate) fn has_drifted(seen: Weights, known: &LastKnownRouting) -> bool {
    seen.live() == Some(known.live.other())
}

/// The live colour and the weights that count as recorded: those of the rule, or those that the
/// last release left.
pub(crate) fn live(
    seen: Weights,
    last_known: Option<&LastKnownRouting>,
    tasks: PerColour<Tasks>,
) -> Result<(Colour, Weights), Failure> {
    let live = match (seen.live(), last_known) {
        (Some(live), _) => live,
        (None, Some(known)) => {
            let other = known.live.other();
            if !tasks.of(known.live).any && tasks.of(other).any {
                return Err(empty(seen, known.live, false));
            }
            return Ok((known.live, known.weights));
        }
        (None, None) => return Err(ambiguous(seen)),
    };

    let drifted = last_known.filter(|known| has_drifted(seen, known));
    let healthy = PerColour::from_fn(|colour| tasks.of(colour).healthy);
    if let Some(known) = drifted.filter(|known| is_reset(known, seen, healthy)) {
        return Ok((known.live, known.weights));
    }

    let serves = if drifted.is_some() {
        tasks.of(live).healthy > 0
    } else {
        tasks.of(live).any
    };
    if !serves && tasks.of(live.other()).any {
        return Err(empty(seen, live, drifted.is_some()));
    }
    Ok((live, seen))
}

fn ambiguous(seen: Weights) -> Failure {
    Failure::configuration(format!(
        "the weights are {seen} and no earlier release recorded which colour is live; set the \
         weight of the other one to 0, then retry the release"
    ))
}

fn empty(seen: Weights, live: Colour, drifted: bool) -> Failure {
    let other = live.other();
    let found = if drifted {
        format!(
            "but {live} has no healthy target, and {other}, which the last release left live, has \
             tasks and no healthy target either"
        )
    } else {
        format!("but {live} has no tasks, and {other} has some")
    };
    Failure::configuration(format!(
        "the weights are {seen}, {found}; expected all of the traffic on the colour that serves; \
         set the weights by hand, then retry the release"
    ))
}

#[cfg(test)]
mod tests {
    use slipway::observed::service::TargetGroupView;

    use super::*;
    use crate::target::tests::service;

    /// Blue was left live.
    fn known() -> LastKnownRouting {
        LastKnownRouting {
            live: Colour::Blue,
            weights: Weights { blue: 90, green: 0 },
            scaling_to_restore: PerColour::default(),
            stickiness: None,
            rule: None,
        }
    }

    /// Whether each colour has tasks, and its healthy targets.
    type Colours = [(bool, u32); 2];

    const BOTH_SERVE: Colours = [(true, 2), (true, 2)];

    fn found(
        weights: [u32; 2],
        known: Option<&LastKnownRouting>,
        colours: Colours,
    ) -> Result<(Colour, Weights), String> {
        let [blue, green] = colours.map(|(any, healthy)| Tasks { any, healthy });
        let seen = Weights {
            blue: weights[0],
            green: weights[1],
        };
        live(seen, known, PerColour { blue, green }).map_err(|why| why.message)
    }

    fn seen(colour: Colour, blue: u32, green: u32) -> Result<(Colour, Weights), String> {
        Ok((colour, Weights { blue, green }))
    }

    #[test]
    fn the_rule_decides_which_colour_is_live_before_the_last_release() {
        let known = known();
        for last in [None, Some(&known)] {
            assert_eq!(found([0, 7], last, BOTH_SERVE), seen(Colour::Green, 0, 7));
            assert_eq!(
                found([999, 0], last, BOTH_SERVE),
                seen(Colour::Blue, 999, 0)
            );
        }

        for weights in [[50, 50], [1, 999], [0, 0]] {
            assert_eq!(
                found(weights, Some(&known), BOTH_SERVE),
                seen(Colour::Blue, 90, 0)
            );

            let why = found(weights, None, BOTH_SERVE).expect_err("unknown");
            let [blue, green] = weights;
            let start = format!(
                "the weights are blue {blue} / green {green} and no earlier release recorded"
            );
            assert!(why.starts_with(&start), "{why}");
        }
    }

    #[test]
    fn weights_that_were_reset_to_an_empty_colour_are_those_that_the_last_release_left() {
        let known = known();
        for green in [(false, 0), (true, 0)] {
            assert_eq!(
                found([0, 100], Some(&known), [(true, 1), green]),
                seen(Colour::Blue, 90, 0)
            );
        }
        // Without tasks of the one that was left live, the weights stay as they are.
        assert_eq!(
            found([0, 100], Some(&known), [(false, 0), (true, 0)]),
            seen(Colour::Green, 0, 100)
        );
    }

    #[test]
    fn an_empty_colour_is_not_live_while_the_other_one_has_tasks() {
        let known = known();
        let refused = |weights, last, colours, why: &str| {
            let refusal = found(weights, last, colours).expect_err(why);
            assert!(refusal.contains(why), "{refusal}");
        };

        let green_is_empty = "green has no tasks, and blue has some";
        refused([0, 100], None, [(true, 2), (false, 0)], green_is_empty);
        let blue_is_empty = "blue has no tasks, and green has some";
        refused(
            [100, 0],
            Some(&known),
            [(false, 0), (true, 2)],
            blue_is_empty,
        );
        for weights in [[50, 50], [0, 0]] {
            refused(
                weights,
                Some(&known),
                [(false, 0), (true, 2)],
                blue_is_empty,
            );
        }
        for green in [(false, 0), (true, 0)] {
            refused(
                [0, 100],
                Some(&known),
                [(true, 0), green],
                "blue, which the last release left live, has tasks and no healthy target either",
            );
        }

        // A colour that fails stays live, and so does one of a pair without any task.
        for colours in [[(true, 0), (true, 2)], [(false, 0), (false, 0)]] {
            for last in [None, Some(&known)] {
                assert_eq!(found([9, 0], last, colours), seen(Colour::Blue, 9, 0));
            }
        }
    }

    #[test]
    fn a_colour_has_tasks_while_some_run_or_are_to_run() {
        let group = |healthy| TargetGroupView {
            arn: "blue".to_owned(),
            healthy,
            registered: 2,
            unreachable: 0,
            healthy_newcomers: 0,
        };
        let rule = Route::Rule("rule".to_owned());
        let tasks = |desired, running| {
            let view = ServiceView {
                desired,
                running,
                target_groups: vec![group(2)],
                ..service()
            };
            [
                Tasks::from_view(&view, (&rule, "blue")),
                Tasks::from_view(&view, (&rule, "other")),
            ]
            .map(|tasks| (tasks.any, tasks.healthy))
        };

        assert_eq!(tasks(0, 0), [(false, 2), (false, 0)]);
        assert_eq!(tasks(1, 0), [(true, 2), (true, 0)]);
        assert_eq!(tasks(0, 1), [(true, 2), (true, 0)]);
    }
}
