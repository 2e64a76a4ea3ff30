//! What is found of a live service, or of a pair: the services, the rule, the scalable targets, and
//! the container whose image a release replaces.

use std::collections::BTreeSet;

use slipway::aws::{Balancers, ObservedService, Rules, Scaling, Services, TaskDefinitions};
use slipway::observed::colour::PerColour;
use slipway::observed::listener_rule::OtherRule;
use slipway::observed::service::short_name;
use slipway::task_definition::TaskDefinition;

use super::source::Source;
use super::{Init, ReleaseStrategy, ServiceName};
use crate::{Failed, Session};

pub(super) struct Found {
    /// The name of the service or of the pair, by which its leases are known.
    pub(super) name: String,
    pub(super) strategy: ReleaseStrategy,
    /// One, or blue and green.
    pub(super) services: Vec<ObservedService>,
    /// Of a pair.
    pub(super) rule: Option<FoundRule>,
    pub(super) scalable_targets: Vec<String>,
    /// What a release replaces, or why that is not known.
    pub(super) source: Result<Source, Failed>,
}

pub(super) struct FoundRule {
    pub(super) arn: String,
    /// The user pool with which it authenticates clients.
    pub(super) user_pool: Option<String>,
}

impl Found {
    /// # Errors
    /// If there is no such service, or no rule of the pair, or a call fails.
    pub(super) async fn look(session: &Session, init: &Init) -> Result<Self, Failed> {
        let cluster = &init.from_service.cluster;
        let (name, services) = services(session, init).await?;
        let rule = match services.as_slice() {
            [blue, green] => Some(rule(session, init, [blue, green]).await?),
            _ => None,
        };
        let names: Vec<&str> = services.iter().map(|it| short_name(it.name().1)).collect();
        let scalable_targets = Scaling::new(&session.sdk).arns(cluster, &names).await?;

        let live = live(&services)?;
        let definition = definition(session, live).await?;
        let is_pair = rule.is_some();
        let strategy = init
            .strategy
            .unwrap_or_else(|| fitting(is_pair, definition.as_ref()));
        let source = match &definition {
            Some(definition) => Source::of(init, live, definition),
            None => Err(Failed::Refused(format!(
                "service `{}` has no deployment; expected one that ECS deploys",
                live.name().1
            ))),
        };
        Ok(Self {
            name,
            strategy,
            services,
            rule,
            scalable_targets,
            source,
        })
    }
}

/// The colour that most tasks run, or the one service.
fn live(services: &[ObservedService]) -> Result<&ObservedService, Failed> {
    let most = services.iter().max_by_key(|it| it.view.running);
    most.ok_or_else(|| Failed::Unknown("no service was described".to_owned()))
}

async fn definition(
    session: &Session,
    live: &ObservedService,
) -> Result<Option<TaskDefinition>, Failed> {
    let Some(primary) = live.view.primary() else {
        return Ok(None);
    };
    let definitions = TaskDefinitions::new(&session.sdk);
    let found = definitions.describe(&primary.task_definition).await?;
    Ok(found.map(|(_, definition)| definition))
}

/// The strategy that fits what is found: tasks with a fixed port of their instances have no room
/// beside each other.
fn fitting(is_pair: bool, definition: Option<&TaskDefinition>) -> ReleaseStrategy {
    let has_fixed_ports = definition.is_some_and(|it| !it.static_host_ports().is_empty());
    match (is_pair, has_fixed_ports) {
        (true, _) => ReleaseStrategy::BlueGreen,
        (false, true) => ReleaseStrategy::MakeRoom,
        (false, false) => ReleaseStrategy::Rolling,
    }
}

/// The name and the services that are meant: a pair by its own name or that of one colour, unless a
/// strategy in place is requested.
async fn services(
    session: &Session,
    init: &Init,
) -> Result<(String, Vec<ObservedService>), Failed> {
    let ServiceName { cluster, service } = &init.from_service;
    let services = Services::new(&session.sdk);
    let is_single = init.strategy.is_some_and(|it| !it.is_of_pair());
    let wants_pair = init.strategy.is_some_and(ReleaseStrategy::is_of_pair);

    if let Some(green) = &init.green {
        if is_single {
            let why = "--green is given with a strategy in place; expected blue-green or canary";
            return Err(Failed::Refused(why.to_owned()));
        }
        let [first, second] = services.describe_each(cluster, [service, green]).await?;
        let first = first.ok_or_else(|| missing(cluster, service))?;
        let second = second.ok_or_else(|| missing(cluster, green))?;
        return Ok((service.clone(), vec![first, second]));
    }

    let pair = pair_of(service);
    let PerColour { blue, green } = PerColour::services(None, pair);
    let is_colour = pair != service.as_str();
    let (own, both) = if is_colour {
        let [first, second] = services.describe_each(cluster, [&blue, &green]).await?;
        let own = if *service == blue { &first } else { &second };
        (own.clone(), first.zip(second))
    } else {
        let all = [service.as_str(), blue.as_str(), green.as_str()];
        let [own, first, second] = services.describe_each(cluster, all).await?;
        (own, first.zip(second))
    };

    let takes_pair = !is_single && (is_colour || wants_pair || own.is_none());
    match (own, both) {
        (_, Some((first, second))) if takes_pair => Ok((pair.to_owned(), vec![first, second])),
        (Some(_), _) if wants_pair => Err(Failed::Refused(format!(
            "service `{service}` is a single one; expected the services `{blue}` and `{green}`, or \
             the second one of a pair in --green: one service is not turned into a pair"
        ))),
        (Some(own), _) => Ok((service.clone(), vec![own])),
        (None, _) => Err(missing(cluster, service)),
    }
}

/// The name of a pair, by the name of one of its services.
fn pair_of(service: &str) -> &str {
    let stripped = service.strip_suffix("-blue");
    let stripped = stripped.or_else(|| service.strip_suffix("-green"));
    stripped.filter(|name| !name.is_empty()).unwrap_or(service)
}

fn missing(cluster: &str, service: &str) -> Failed {
    Failed::Refused(format!(
        "service `{service}` is not in cluster `{cluster}`; expected an existing service, or a \
         pair of `{service}-blue` and `{service}-green`"
    ))
}

/// The rule that forwards to both services.
async fn rule(
    session: &Session,
    init: &Init,
    services: [&ObservedService; 2],
) -> Result<FoundRule, Failed> {
    let rules = Rules::new(&session.sdk);
    let arn = match &init.rule {
        Some(arn) => arn.clone(),
        None => only_rule(session, &rules, services).await?,
    };
    let seen = rules.observe(&arn).await?;
    let seen = seen.ok_or_else(|| {
        Failed::Refused(format!(
            "--rule is `{arn}`, which does not exist; expected a listener rule or a listener"
        ))
    })?;
    let user_pool = seen.user_pools().first().map(|pool| (*pool).to_owned());
    Ok(FoundRule { arn, user_pool })
}

/// The only rule of the load balancers of both services that forwards to both.
async fn only_rule(
    session: &Session,
    rules: &Rules,
    services: [&ObservedService; 2],
) -> Result<String, Failed> {
    let groups = services.iter().flat_map(|it| &it.view.target_groups);
    let groups: BTreeSet<&str> = groups.map(|group| group.arn.as_str()).collect();
    let mut found = Vec::new();
    if !groups.is_empty() {
        let used = Balancers::new(&session.sdk).used_by(&groups).await?;
        let balancers: BTreeSet<&String> = used.values().flatten().collect();
        for balancer in balancers {
            let all = rules.beside(balancer).await?;
            let both = all.into_iter().filter(|it| forwards_to(it, services));
            found.extend(both.map(|rule| rule.arn));
        }
    }

    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failed::Refused(
            "no listener rule forwards to target groups of both services; expected one whose \
             weights move the traffic between them, and for weighted records of Route 53 \
             infra/pipelines/dns.yaml"
                .to_owned(),
        )),
        several => Err(Failed::Refused(format!(
            "several listener rules forward to both services; expected one in --rule: {}",
            several.join(", ")
        ))),
    }
}

fn forwards_to(rule: &OtherRule, services: [&ObservedService; 2]) -> bool {
    services.iter().all(|service| {
        let mut groups = service.view.target_groups.iter();
        groups.any(|group| rule.weights.iter().any(|(arn, _)| *arn == group.arn))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_strategy_fits_what_the_service_runs() {
        let definition = |network: &str| {
            let value = json!({"family": "web", "networkMode": network, "containerDefinitions": [{
                "name": "web", "image": "web:1",
                "portMappings": [{"containerPort": 80, "hostPort": 80}],
            }]});
            TaskDefinition::from_value(value).expect("a definition")
        };
        let [awsvpc, bridge] = [definition("awsvpc"), definition("bridge")];
        assert_eq!(fitting(false, Some(&awsvpc)), ReleaseStrategy::Rolling);
        assert_eq!(fitting(false, None), ReleaseStrategy::Rolling);
        assert_eq!(fitting(false, Some(&bridge)), ReleaseStrategy::MakeRoom);
        assert_eq!(fitting(true, Some(&bridge)), ReleaseStrategy::BlueGreen);
    }

    #[test]
    fn a_pair_is_named_by_itself_or_by_one_of_its_services() {
        let named = ["shop", "shop-blue", "shop-green", "-blue"].map(pair_of);
        assert_eq!(named, ["shop", "shop", "shop", "-blue"]);
    }
}
