//! A pair before a release changed it: what a rollback restores.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Before, FoundDeployment};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::pair::{IncompletePair, PairView};
use crate::observed::percentages::Percentages;
use crate::observed::route::{Route, RouteView};
use crate::observed::scaling::{RecordedScaling, ScalingView};
use crate::observed::service::{family, revision};
use crate::observed::weights::Weights;

/// A pair before a release changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorPair {
    #[serde(flatten)]
    pub route: Route,
    pub live: Colour,
    /// The names of its services, if the pipeline gives them; see [`Self::services`].
    #[serde(default, rename = "services", skip_serializing_if = "Option::is_none")]
    pub given_services: Option<PerColour<String>>,
    #[serde(flatten)]
    pub colours: PerColour<PriorColour>,
}

/// One colour before the release.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorColour {
    /// ARN of the colour's group in the production rule; with records, of its first group.
    pub target_group: String,
    pub weight: u32,
    pub task_definition: String,
    pub desired_count: u32,
    pub percentages: Percentages,
    /// The PRIMARY deployment as it was seen, which may be a failed one. None in leases that were
    /// written before it was recorded.
    pub found: Option<FoundDeployment>,
    /// Whether dynamic scale-in was suspended; none without automatic scaling.
    pub suspended: Option<bool>,
    /// Whether scheduled scaling was suspended; none without automatic scaling, and in leases that
    /// were written before it was recorded.
    pub schedule_suspended: Option<bool>,
}

impl PriorColour {
    /// The deployment that was PRIMARY before the release.
    #[must_use]
    pub fn found(&self) -> Before<'_> {
        Before::new(self.found.as_ref(), &self.task_definition)
    }

    /// What was suspended of automatic scaling; none without it.
    #[must_use]
    pub fn scaling(&self) -> Option<RecordedScaling> {
        self.suspended.map(|scale_in_suspended| RecordedScaling {
            scale_in_suspended,
            schedule_suspended: self.schedule_suspended,
        })
    }
}

impl PriorPair {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &PriorColour {
        self.colours.of(colour)
    }

    /// The names of its services, where `pair` is the name or the ARN in its lease.
    #[must_use]
    pub fn services(&self, pair: &str) -> PerColour<String> {
        PerColour::services(self.given_services.as_ref(), pair)
    }

    #[must_use]
    pub fn idle(&self) -> Colour {
        self.live.other()
    }

    /// The family of the idle colour, in which a release registers its revision. Each colour has a
    /// family of its own, so that a stack update deploys the newest revision of the family that its
    /// colour runs.
    #[must_use]
    pub fn idle_family(&self) -> &str {
        family(&self.of(self.idle()).task_definition)
    }

    pub(crate) fn idle_mut(&mut self) -> &mut PriorColour {
        match self.idle() {
            Colour::Blue => &mut self.colours.blue,
            Colour::Green => &mut self.colours.green,
        }
    }

    #[must_use]
    pub fn weights(&self) -> Weights {
        PerColour::from_fn(|colour| self.of(colour).weight)
    }

    /// The recorded target group of each colour.
    #[must_use]
    pub fn groups(&self) -> PerColour<&str> {
        PerColour {
            blue: &self.colours.blue.target_group,
            green: &self.colours.green.target_group,
        }
    }

    /// The weights of both colours in the route as it was seen.
    ///
    /// # Errors
    /// When the route no longer leads to both colours as recorded.
    pub(crate) fn weights_in(&self, route: RouteView<'_>) -> Result<Weights, IncompletePair> {
        self.route.weights_in(route, self.groups())
    }

    /// How many of the targets that a colour's traffic can use were seen healthy.
    #[must_use]
    pub fn healthy(&self, view: &PairView, colour: Colour) -> u32 {
        let group = &self.of(colour).target_group;
        self.route.healthy(view.of(colour), group)
    }

    /// Why a step has nothing to do, when the live colour already runs the revision.
    #[must_use]
    pub fn already_live(&self, task_definition: &str) -> Option<String> {
        let live = self.live;
        if self.of(live).task_definition != task_definition {
            return None;
        }

        Some(format!(
            "nothing to do: live colour {live} already runs {}",
            revision(task_definition)
        ))
    }

    /// What scale-in and scheduled scaling of each colour are set to while the release has them
    /// `suspended`, and when they are restored: suspended, or as recorded. None for a colour
    /// without automatic scaling.
    #[must_use]
    pub(crate) fn wanted_scale_in(&self, suspended: bool) -> PerColour<Option<RecordedScaling>> {
        PerColour::from_fn(|colour| {
            let recorded = self.of(colour).scaling()?;
            Some(if suspended {
                recorded.suspended()
            } else {
                recorded
            })
        })
    }

    /// Whether scale-in or scheduled scaling of a colour is not as it was recorded. Without
    /// automatic scaling, then or now, there is nothing to restore.
    #[must_use]
    pub fn scale_in_differs(&self, seen: PerColour<Option<ScalingView>>) -> bool {
        differs(self.wanted_scale_in(false), seen)
    }

    /// Whether scale-in or scheduled scaling of a colour is not suspended as the release has it.
    #[must_use]
    pub fn may_scale_in(&self, seen: PerColour<Option<ScalingView>>) -> bool {
        differs(self.wanted_scale_in(true), seen)
    }
}

/// Whether the observed scaling of a colour differs from what it is set to.
fn differs(
    wanted: PerColour<Option<RecordedScaling>>,
    seen: PerColour<Option<ScalingView>>,
) -> bool {
    let differs = |colour: Colour| {
        let known = (*wanted.of(colour)).zip(*seen.of(colour));
        known.is_some_and(|(wanted, seen)| wanted.over(seen) != seen)
    };

    differs(Colour::Blue) || differs(Colour::Green)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::fixtures::{NEW, OLD};
    use crate::observed::service::TargetGroupView;
    use crate::strategy::blue_green::fixtures::{pair, view};

    #[test]
    fn the_recorded_weights_and_the_idle_colour_follow_from_the_live_one() {
        let green_live = PriorPair {
            live: Colour::Green,
            ..pair()
        };
        assert_eq!(green_live.idle(), Colour::Blue);
        assert_eq!(
            pair().weights(),
            Weights {
                blue: 100,
                green: 0
            }
        );
    }

    #[test]
    fn a_step_has_nothing_to_do_when_the_live_colour_runs_the_revision() {
        let text = "nothing to do: live colour blue already runs web:1";
        assert_eq!(pair().already_live(OLD), Some(text.to_owned()));
        assert_eq!(pair().already_live(NEW), None);
    }

    #[test]
    fn scale_in_differs_where_it_is_not_as_it_was_recorded() {
        let mut recorded = pair();
        let mut differs = |was: [Option<bool>; 2], is: [Option<bool>; 2]| {
            let colours = &mut recorded.colours;
            colours.blue.suspended = was[0];
            colours.green.suspended = was[1];
            let [blue, green] = is.map(|is| {
                is.map(|scale_in_suspended| ScalingView {
                    scale_in_suspended,
                    schedule_suspended: false,
                    max_capacity: 9,
                })
            });
            recorded.scale_in_differs(PerColour { blue, green })
        };

        let (on, off) = (Some(false), Some(true));
        assert!(
            !differs([on, on], [on, on])
                && !differs([off, off], [off, off])
                && !differs([on, off], [on, off])
        );
        assert!(
            differs([on, on], [off, on])
                && differs([on, on], [on, off])
                && differs([off, on], [on, on])
        );
        // Without automatic scaling, then or now, there is nothing to restore.
        assert!(
            !differs([None, None], [off, off])
                && !differs([on, on], [None, None])
                && !differs([None, on], [off, on])
        );
    }

    #[test]
    fn scheduled_scaling_is_recorded_suspended_and_restored_like_scale_in() {
        for [scale_in, schedule] in [[false, false], [true, false], [false, true], [true, true]] {
            let mut recorded = pair();
            recorded.colours.blue.suspended = Some(scale_in);
            recorded.colours.blue.schedule_suspended = Some(schedule);
            recorded.colours.green.suspended = None;
            let was = ScalingView {
                scale_in_suspended: scale_in,
                schedule_suspended: schedule,
                max_capacity: 9,
            };
            let wanted = |blue: ScalingView| PerColour {
                blue: Some(blue.into()),
                green: None,
            };
            let seen_as = |blue: ScalingView| PerColour {
                blue: Some(blue),
                green: None,
            };

            assert_eq!(
                recorded.wanted_scale_in(true),
                wanted(ScalingView {
                    scale_in_suspended: true,
                    schedule_suspended: true,
                    ..was
                })
            );
            assert_eq!(recorded.wanted_scale_in(false), wanted(was));
            assert!(!recorded.scale_in_differs(seen_as(was)));
            assert_eq!(recorded.may_scale_in(seen_as(was)), !(scale_in && schedule));
            for seen in [
                ScalingView {
                    scale_in_suspended: !scale_in,
                    ..was
                },
                ScalingView {
                    schedule_suspended: !schedule,
                    ..was
                },
            ] {
                assert!(recorded.scale_in_differs(seen_as(seen)), "{seen:?}");
            }
        }
    }

    #[test]
    fn scheduled_scaling_that_a_lease_does_not_have_is_left_as_it_is() {
        let mut recorded = pair();
        recorded.colours.blue.schedule_suspended = None;
        recorded.colours.green.suspended = None;
        for suspended in [false, true] {
            let expected = RecordedScaling {
                scale_in_suspended: suspended,
                schedule_suspended: None,
            };
            let wanted = recorded.wanted_scale_in(suspended);
            assert_eq!(wanted.blue, Some(expected));
        }

        for schedule_suspended in [false, true] {
            let seen = |scale_in_suspended| PerColour {
                blue: Some(ScalingView {
                    scale_in_suspended,
                    schedule_suspended,
                    max_capacity: 9,
                }),
                green: None,
            };
            assert!(!recorded.scale_in_differs(seen(false)) && recorded.may_scale_in(seen(false)));
            assert!(recorded.scale_in_differs(seen(true)) && !recorded.may_scale_in(seen(true)));
        }
    }

    #[test]
    fn healthy_targets_are_those_of_the_group_of_the_colour_in_the_rule() {
        let mut seen = view(pair().weights());
        let other = TargetGroupView {
            arn: "arn:…:targetgroup/internal/1".to_owned(),
            healthy: 9,
            ..seen.services.blue.target_groups[0].clone()
        };
        seen.services.blue.target_groups.insert(0, other.clone());
        seen.services.green.target_groups = vec![other];

        assert_eq!(
            (
                pair().healthy(&seen, Colour::Blue),
                pair().healthy(&seen, Colour::Green)
            ),
            (2, 0)
        );
    }
}
