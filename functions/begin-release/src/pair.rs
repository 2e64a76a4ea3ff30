//! A blue/green pair when its release begins: what both colours return to, and weights of its route
//! that an interrupted release left or a stack update reset.

use slipway::aws::{AwsError, ObservedService};
use slipway::job::{Checks, Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::route::Route;
use slipway::observed::service::{revision, short_name};
use slipway::observed::weights::Weights;
use slipway::release::{LastKnownRouting, Lease, PairTarget, PriorColour, PriorPair, PriorService};

use crate::check_groups::{PRIOR, RECORD, RULE};
use crate::live::{Tasks, has_drifted, live};
use crate::route::{ForwardGroup, FoundRoute};
use crate::target::{FoundTarget, group_of};
use crate::{BeginRelease, Parameters, no_deployment};

impl BeginRelease {
    pub(crate) async fn observe_pair(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<Option<FoundTarget>, StepError> {
        let names = job.parameters.services(&job.release.service);
        let kind = if job.parameters.record.is_some() {
            RECORD
        } else {
            RULE
        };
        let route = self.observe_route(job).await;
        let route = checks.take((kind, "exists"), route, FoundRoute::name)?;
        if let Some(route) = route.as_ref().filter(|_| checks.is_dry_run()) {
            self.check_rule(checks, route);
        }
        let found = self.observe_colours(checks, job, &names).await?;
        let (Some(found_route), Some(found)) = (route, found) else {
            return Ok(None);
        };

        let groups = found_route.groups(&names, &found);
        let named = |groups: &PerColour<ForwardGroup>| {
            format!("{} and {}", groups.blue.arn, groups.green.arn)
        };
        let Some(groups) = checks.take((kind, "target-groups"), groups, named)? else {
            return Ok(None);
        };
        self.check_balancers(checks, &names, (&found_route, &found))
            .await?;
        let route = found_route.route();
        let service = &job.release.service;
        let last_known = last_known.filter(|known| known.is_of(&names, service, &route));
        let live = self.live(job, (&found, &groups), &route, last_known).await;
        let shown = |(live, weights): &(Colour, Weights)| described(&groups, *live, *weights);
        let Some((live, weights)) = checks.take((kind, "weights"), live, shown)? else {
            return Ok(None);
        };

        let prior = self
            .prior_pair(job, last_known, (route, live, weights), (&found, &groups))
            .await;
        let prior = checks.take((PRIOR, "pair"), prior, |_| "observed".to_owned())?;
        if let Some(prior) = &prior {
            check_scaling(checks, job, prior)?;
        }
        Ok(prior.map(|prior| FoundTarget::of_pair(found, prior)))
    }

    /// What the pair returns to.
    async fn prior_pair(
        &self,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
        (route, live, weights): (Route, Colour, Weights),
        (found, groups): (&PerColour<ObservedService>, &PerColour<ForwardGroup>),
    ) -> Result<PriorPair, StepError> {
        let names = job.parameters.services(&job.release.service);
        let scaling = self.pairs.scaling(&job.release.cluster, &names).await?;
        let colours = PerColour::try_from_fn(|colour| {
            let prior = PriorService::from_view(&found.of(colour).view)
                .ok_or_else(|| no_deployment(names.of(colour)))?;
            // A suspension that the last release did not undo is not the state to return to.
            let to_restore = last_known.and_then(|known| *known.scaling_to_restore.of(colour));
            let scaling = scaling
                .of(colour)
                .map(|seen| to_restore.map_or(seen, |owed| owed.over(seen)));

            Ok::<_, Failure>(PriorColour {
                target_group: groups.of(colour).arn.clone(),
                weight: *weights.of(colour),
                task_definition: prior.task_definition,
                desired_count: prior.desired_count,
                percentages: prior.percentages,
                found: prior.found,
                suspended: scaling.map(|scaling| scaling.scale_in_suspended),
                schedule_suspended: scaling.map(|scaling| scaling.schedule_suspended),
            })
        })?;
        Ok(PriorPair {
            route,
            live,
            given_services: job.parameters.given_services(),
            colours,
        })
    }

    /// The services of both colours, after a check that each can be released.
    async fn observe_colours(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        names: &PerColour<String>,
    ) -> Result<Option<PerColour<ObservedService>>, StepError> {
        let found = self
            .services
            .describe_each(&job.release.cluster, [&names.blue, &names.green])
            .await;
        let [blue, green] = match found {
            Ok(found) => found.map(Ok),
            Err(error) => [Err(error.clone()), Err(error)],
        };

        let mut valid = |found: Result<Option<ObservedService>, AwsError>, name: &str| {
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
        (found, groups): (&PerColour<ObservedService>, &PerColour<ForwardGroup>),
        route: &Route,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<(Colour, Weights), StepError> {
        let seen = weights_of(groups);
        let tasks = |found: &PerColour<ObservedService>| {
            PerColour::from_fn(|colour| {
                let group = groups.of(colour).arn.as_str();
                Tasks::from_view(&found.of(colour).view, (route, group))
            })
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

    /// Ends the step. Weights that differ from those to return to are restored first.
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

/// Refuses services that scale automatically if the deploy role may not suspend their scale-in.
/// Otherwise it is not known until that is suspended.
fn check_scaling(
    checks: &mut Checks,
    job: &Job<Parameters>,
    prior: &PriorPair,
) -> Result<(), StepError> {
    let names = job.parameters.services(&job.release.service);
    for colour in [Colour::Blue, Colour::Green] {
        let group = group_of(names.of(colour));
        let at = (group.as_str(), "scaling");
        match (prior.of(colour).suspended, job.parameters.scales) {
            (None, _) => checks.ok(at, "no scalable target"),
            (Some(_), Some(false)) => {
                let refusal = without_targets(&job.release.cluster, &names, colour);
                checks.take(at, Err::<(), _>(refusal), |()| String::new())?;
            }
            (Some(_), _) => checks.skip(
                at,
                "it scales automatically; whether its scale-in may be suspended is not known until \
                 `fill` does that; `ScalableTargetArns` of the pipeline's stack has the scalable \
                 targets of which it may be",
            ),
        }
    }
    Ok(())
}

fn without_targets(cluster: &str, names: &PerColour<String>, colour: Colour) -> Failure {
    let [blue, green] = [&names.blue, &names.green]
        .map(|name| format!("service/{}/{}", short_name(cluster), short_name(name)));
    Failure::configuration(format!(
        "service `{}` scales automatically, and the deploy role may not suspend its scale-in; \
         expected the scalable targets of both services in `ScalableTargetArns` of the pipeline's \
         stack, which are printed by: aws application-autoscaling describe-scalable-targets \
         --service-namespace ecs --resource-ids {blue} {green} --output text --query \"join(',', \
         ScalableTargets[].ScalableTargetARN)\"",
        names.of(colour)
    ))
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

/// The weights of both colours in the route.
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
