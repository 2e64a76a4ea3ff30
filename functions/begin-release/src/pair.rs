//! A blue/green pair when its release begins: what both colours return to, and weights of the
//! listener rule that an interrupted release left or a stack update reset.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::listener_rule::RuleView;
use slipway::observed::service::{ServiceView, revision};
use slipway::observed::weights::Weights;
use slipway::release::{LastKnownRouting, Lease, PairTarget, PriorColour, PriorPair, PriorService};

use crate::live::{Tasks, has_drifted, live};
use crate::preflight::{PRIOR, RULE};
use crate::target::FoundTarget;
use crate::{BeginRelease, Parameters, no_deployment};

/// The target group of one colour, as the listener rule forwards to it.
#[derive(Debug, PartialEq, Eq)]
struct ForwardGroup {
    arn: String,
    weight: u32,
}

impl BeginRelease {
    pub(crate) async fn observe_pair(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<Option<FoundTarget>, StepError> {
        let names = job.parameters.services(&job.release.service);
        let last_known = last_known.filter(|known| known.is_of(&names, &job.release.service));
        let rule = self.observe_rule(job).await;
        let rule = checks.take((RULE, "exists"), rule, |_| rule_arn(job).to_owned())?;
        let found = self.observe_colours(checks, job, &names).await?;
        let (Some(rule), Some(found)) = (rule, found) else {
            return Ok(None);
        };

        let groups = forward_groups(&names, &found, &rule);
        let named = |groups: &PerColour<ForwardGroup>| {
            format!("{} and {}", groups.blue.arn, groups.green.arn)
        };
        let Some(groups) = checks.take((RULE, "target-groups"), groups, named)? else {
            return Ok(None);
        };
        let live = self.live(job, &found, &groups, last_known).await;
        let shown = |(live, weights): &(Colour, Weights)| described(&groups, *live, *weights);
        let Some((live, weights)) = checks.take((RULE, "weights"), live, shown)? else {
            return Ok(None);
        };

        let prior = self
            .prior_pair(job, last_known, (live, weights), (&found, &groups))
            .await;
        let prior = checks.take((PRIOR, "pair"), prior, |_| "observed".to_owned())?;
        Ok(prior.map(|prior| FoundTarget::of_pair(found, prior)))
    }

    /// What the pair returns to.
    async fn prior_pair(
        &self,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
        (live, weights): (Colour, Weights),
        (found, groups): (&PerColour<ObservedService>, &PerColour<ForwardGroup>),
    ) -> Result<PriorPair, StepError> {
        let names = job.parameters.services(&job.release.service);
        let scaling = self.pairs.scaling(&job.release.cluster, &names).await?;
        let colours = PerColour::try_from_fn(|colour| {
            let prior = PriorService::from_view(&found.of(colour).view)
                .ok_or_else(|| no_deployment(names.of(colour)))?;
            // A suspension that the last release did not undo is not the state to return to.
            let to_restore = last_known.and_then(|known| *known.scale_in_to_restore.of(colour));
            let suspended = scaling
                .of(colour)
                .map(|scaling| to_restore.unwrap_or(scaling.scale_in_suspended));

            Ok::<_, Failure>(PriorColour {
                target_group: groups.of(colour).arn.clone(),
                weight: *weights.of(colour),
                task_definition: prior.task_definition,
                desired_count: prior.desired_count,
                percentages: prior.percentages,
                found: prior.found,
                suspended,
            })
        })?;
        Ok(PriorPair {
            rule: rule_arn(job).to_owned(),
            live,
            given_services: job.parameters.given_services(),
            colours,
        })
    }

    async fn observe_rule(&self, job: &Job<Parameters>) -> Result<RuleView, StepError> {
        let arn = rule_arn(job);
        let rule = self.rules.observe(arn).await?.ok_or_else(|| {
            Failure::configuration(format!(
                "`rule` is `{arn}`, which does not exist; expected an existing listener rule or \
                 listener"
            ))
        })?;
        Ok(rule.view)
    }

    /// The services of both colours, each one that can be released.
    async fn observe_colours(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        names: &PerColour<String>,
    ) -> Result<Option<PerColour<ObservedService>>, StepError> {
        let [blue, green] = self
            .services
            .describe_each(&job.release.cluster, [&names.blue, &names.green])
            .await?;

        let mut valid = |found: Option<ObservedService>, name: &str| {
            self.check_service(checks, (&job.release.cluster, name), found)
        };
        let blue = valid(blue, &names.blue)?;
        let green = valid(green, &names.green)?;
        Ok(blue
            .zip(green)
            .map(|(blue, green)| PerColour { blue, green }))
    }

    /// The live colour, and the weights to return to. Target health is read only where it decides.
    async fn live(
        &self,
        job: &Job<Parameters>,
        found: &PerColour<ObservedService>,
        groups: &PerColour<ForwardGroup>,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<(Colour, Weights), StepError> {
        let seen = weights_of(groups);
        let tasks = |found: &PerColour<ObservedService>| {
            PerColour::from_fn(|colour| Tasks::of(&found.of(colour).view, &groups.of(colour).arn))
        };

        let tasks = if last_known.is_some_and(|known| has_drifted(seen, known)) {
            let names = job.parameters.services(&job.release.service);
            let both = [Colour::Blue, Colour::Green];
            let seen = self
                .pairs
                .observe_services(&job.release.cluster, &names, &both);
            tasks(&seen.await?)
        } else {
            tasks(found)
        };
        Ok(live(seen, last_known, tasks)?)
    }

    /// Ends the step. Weights that are not those to return to are set back first.
    pub(crate) async fn repair_weights(&self, lease: &Lease, target: &PairTarget) -> StepResult {
        let pair = &target.prior;
        let live = pair.live;
        let seen = self.pairs.observe(lease, pair, &[live]).await?;
        let recorded = pair.weights();

        // A late duplicate delivery sees its own release in progress; its weights need no repair.
        let has_gone_on = target.change.is_some();
        if seen.view.weights != recorded && !has_gone_on {
            if pair.healthy(&seen.view, live) == 0 {
                return Err(Failure::configuration(format!(
                    "the weights are {} and the last release left them at {recorded}, but {live} \
                     has no healthy target for the traffic; set the weights by hand, then retry \
                     the release",
                    seen.view.weights
                ))
                .into());
            }

            self.traffic.route(lease, pair, &seen, recorded).await?;
            let summary = format!(
                "repaired the weights: were {}, restored to {recorded} as the last release left \
                 them",
                seen.view.weights
            );
            return Ok(JobReport::in_progress(summary, 50));
        }

        let release = lease.release.as_ref();
        Ok(begun(pair, release.and_then(|release| release.repaired)))
    }
}

fn begun(pair: &PriorPair, repaired: Option<Weights>) -> JobReport {
    let prior = pair.of(pair.live);
    let live = pair.live;
    let idle = pair.idle();

    let repaired = repaired.map_or_else(String::new, |found| {
        format!("; the weights were {found} and were repaired")
    });
    let summary = format!(
        "{live} is live as {} with {} tasks (weights {}); {idle} is filled next{repaired}",
        revision(&prior.task_definition),
        prior.desired_count,
        pair.weights()
    );
    let outputs = [
        ("PriorTaskDefinitionArn", prior.task_definition.clone()),
        ("LiveColour", live.to_string()),
        ("IdleColour", idle.to_string()),
    ];
    JobReport::done(summary, outputs)
}

/// The production rule, or the listener whose default action serves.
fn rule_arn(job: &Job<Parameters>) -> &str {
    job.parameters.rule.as_deref().unwrap_or_default()
}

/// The weights of both colours in the rule.
fn weights_of(groups: &PerColour<ForwardGroup>) -> Weights {
    PerColour::from_fn(|colour| groups.of(colour).weight)
}

/// Which colour is live, for a dry run; and weights that a release would repair.
fn described(groups: &PerColour<ForwardGroup>, live: Colour, weights: Weights) -> String {
    let seen = weights_of(groups);
    let repair = if seen == weights {
        String::new()
    } else {
        format!(", and a release sets {weights} back first")
    };
    format!("{seen}: {live} is live{repair}")
}

/// The group of each colour: without one of its own, no traffic could be moved between them.
fn forward_groups(
    names: &PerColour<String>,
    found: &PerColour<ObservedService>,
    rule: &RuleView,
) -> Result<PerColour<ForwardGroup>, Failure> {
    let groups = PerColour::try_from_fn(|colour| {
        forward_group(names.of(colour), &found.of(colour).view, rule)
    })?;

    if groups.blue.arn == groups.green.arn {
        return Err(Failure::configuration(format!(
            "both colours register with {}; expected a separate target group for each",
            groups.blue.arn
        )));
    }

    Ok(groups)
}

/// The colour's group in the rule, and its weight there.
fn forward_group(
    service: &str,
    view: &ServiceView,
    rule: &RuleView,
) -> Result<ForwardGroup, Failure> {
    let registered = |arn: &String| view.target_groups.iter().any(|group| group.arn == *arn);
    let mut found = rule.weights.iter().filter(|(arn, _)| registered(arn));

    match (found.next(), found.next()) {
        (Some((arn, weight)), None) => Ok(ForwardGroup {
            arn: arn.clone(),
            weight: *weight,
        }),
        (None, _) => Err(Failure::configuration(format!(
            "the rule forwards to no target group of service `{service}`; expected a forward \
             action that names the groups of both colours, at any weights; add the group to the \
             rule"
        ))),
        (Some(_), Some(_)) => Err(Failure::configuration(format!(
            "the rule forwards to several target groups of service `{service}`; expected one for \
             each colour; remove the others from the rule"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use slipway::observed::service::TargetGroupView;

    use super::*;
    use crate::target::tests::service;

    fn registered(groups: &[&str]) -> ServiceView {
        let group = |arn: &&str| TargetGroupView {
            arn: (*arn).to_owned(),
            healthy: 0,
            registered: 0,
            unreachable: 0,
        };
        ServiceView {
            target_groups: groups.iter().map(group).collect(),
            ..service()
        }
    }

    #[test]
    fn a_colour_s_group_is_the_one_that_rule_and_service_share() {
        let weights = [("blue", 30), ("green", 70), ("third", 5)];
        let rule = RuleView {
            weights: weights
                .map(|(arn, weight)| (arn.to_owned(), weight))
                .to_vec(),
            sticky: None,
        };
        let found = |groups: &[&str]| {
            forward_group("shop-green", &registered(groups), &rule).map_err(|why| why.message)
        };

        let green = || ForwardGroup {
            arn: "green".to_owned(),
            weight: 70,
        };

        assert_eq!(found(&["green"]), Ok(green()));
        assert_eq!(found(&["internal", "green"]), Ok(green()));

        for none in [&["internal"][..], &[]] {
            let why = found(none).expect_err("not in the rule");
            assert!(
                why.starts_with("the rule forwards to no target group of service `shop-green`"),
                "{why}"
            );
        }

        let why = found(&["green", "third"]).expect_err("two in the rule");
        assert!(
            why.starts_with("the rule forwards to several target groups of service `shop-green`"),
            "{why}"
        );
    }
}
