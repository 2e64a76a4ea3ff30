//! The production rule of a pair: its weights observed, and set without changing anything else that
//! the rule does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Rule, RuleCondition, TargetGroupStickinessConfig, TargetGroupTuple,
};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::limits::TAGGED_RESOURCES;
use crate::observed::listener_rule::{OtherRule, RuleView};

/// Conditions of rules that take some requests to a host and a path only
/// (docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html).
const SELECTIVE: [&str; 3] = ["http-header", "query-string", "source-ip"];

#[derive(Clone, Debug)]
pub struct Rules {
    clients: Arc<Clients>,
}

/// A rule as observed, with what must be sent back when it is changed.
#[derive(Clone, Debug)]
pub struct ObservedRule {
    pub view: RuleView,
    arn: String,
    actions: Vec<Action>,
}

impl ObservedRule {
    /// The Amazon Cognito user pools with which the rule authenticates clients, by their ARNs.
    #[must_use]
    pub fn user_pools(&self) -> Vec<&str> {
        let actions = self.actions.iter();
        actions
            .filter_map(|action| action.authenticate_cognito_config())
            .filter_map(|cognito| cognito.user_pool_arn())
            .collect()
    }

    /// The same rule, so that a change of its weights also binds clients for this long, or no
    /// longer binds them.
    pub(super) fn with_stickiness(&self, duration: Option<Duration>) -> Self {
        let mut rule = self.clone();
        rule.view.sticky = duration;
        let forwards = rule.actions.iter_mut();
        for config in forwards.filter_map(|action| action.forward_config.as_mut()) {
            let sticky = TargetGroupStickinessConfig::builder().enabled(duration.is_some());
            let secs = duration.and_then(|duration| i32::try_from(duration.as_secs()).ok());
            let sticky = sticky.set_duration_seconds(secs);
            config.target_group_stickiness_config = Some(sticky.build());
        }
        rule
    }
}

impl Rules {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The rule of that ARN, or a listener's default action; `None` when it does not exist.
    ///
    /// # Errors
    /// When the call fails or the response cannot be understood.
    pub async fn observe(&self, arn: &str) -> Result<Option<ObservedRule>, AwsError> {
        let found = if is_rule(arn) {
            self.rule(arn).await
        } else {
            self.listener(arn).await
        };

        match found {
            Ok(Some((operation, actions))) => {
                let view = view(&actions)
                    .map_err(|lack| AwsError::unexpected(operation, format!("{arn}: {lack}")))?;
                Ok(Some(ObservedRule {
                    view,
                    arn: arn.to_owned(),
                    actions,
                }))
            }
            Ok(None) => Ok(None),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The CloudFormation stack that made a rule or listener, by the tag that CloudFormation sets
    /// (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stack(&self, arn: &str) -> Result<Option<String>, AwsError> {
        let arns = [arn.to_owned()];
        let mut stacks = self.tags("aws:cloudformation:stack-name", &arns).await?;
        Ok(stacks.remove(arn))
    }

    /// The values of a tag, by the ARNs of those rules and listeners that have it.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn tags(
        &self,
        key: &str,
        arns: &[String],
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let mut values = BTreeMap::new();
        for some in arns.chunks(TAGGED_RESOURCES) {
            let request = self.clients.elb().describe_tags();
            let answer = request
                .set_resource_arns(Some(some.to_vec()))
                .send()
                .await
                .map_err(AwsError::from_sdk("elasticloadbalancing:DescribeTags"))?;

            for described in answer.tag_descriptions() {
                let mut tags = described.tags().iter();
                let tag = tags.find(|tag| tag.key() == Some(key));
                if let (Some(arn), Some(tag)) = (described.resource_arn(), tag) {
                    values.insert(arn.to_owned(), tag.value().unwrap_or_default().to_owned());
                }
            }
        }
        Ok(values)
    }

    /// The other rules of the load balancer of a rule or listener, default actions included. A
    /// target group belongs to one load balancer only
    /// (docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
    ///
    /// # Errors
    /// When a call fails, a response cannot be understood, or there are too many rules.
    pub async fn beside(&self, arn: &str) -> Result<Vec<OtherRule>, AwsError> {
        const OPERATION: &str = "elasticloadbalancing:DescribeRules";

        let mut others = Vec::new();
        for listener in self.listeners_of(&load_balancer(arn)).await? {
            for rule in self.rules_of(&listener).await? {
                let is_default = rule.is_default() == Some(true);
                let found = if is_default {
                    listener.as_str()
                } else {
                    rule.rule_arn().unwrap_or_default()
                };
                if found == arn {
                    continue;
                }

                let view = view(rule.actions())
                    .map_err(|lack| AwsError::unexpected(OPERATION, format!("{found}: {lack}")))?;
                others.push(OtherRule {
                    arn: found.to_owned(),
                    weights: view.weights,
                    is_selective: is_selective(rule.conditions()),
                });
            }
        }
        Ok(others)
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "elasticloadbalancing:DescribeListeners";

        let mut arns = Vec::new();
        let mut pages = Pages::new(OPERATION);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .elb()
                .describe_listeners()
                .load_balancer_arn(load_balancer)
                .set_marker(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            let listed = page.listeners().iter();
            arns.extend(listed.filter_map(|listener| listener.listener_arn.clone()));
            pages.go_on(page.next_marker);
        }
        Ok(arns)
    }

    /// The rules of a listener; none of one that was deleted after it was listed.
    async fn rules_of(&self, listener: &str) -> Result<Vec<Rule>, AwsError> {
        const OPERATION: &str = "elasticloadbalancing:DescribeRules";

        let mut rules = Vec::new();
        let mut pages = Pages::new(OPERATION);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .elb()
                .describe_rules()
                .listener_arn(listener)
                .set_marker(start);
            let page = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
                Err(error) if is_gone(&error) => return Ok(Vec::new()),
                page => page?,
            };

            rules.extend(page.rules.unwrap_or_default());
            pages.go_on(page.next_marker);
        }
        Ok(rules)
    }

    async fn rule(&self, arn: &str) -> Result<Option<(&'static str, Vec<Action>)>, AwsError> {
        const OPERATION: &str = "elasticloadbalancing:DescribeRules";

        let answer = self
            .clients
            .elb()
            .describe_rules()
            .rule_arns(arn)
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        Ok(answer
            .rules
            .unwrap_or_default()
            .into_iter()
            .next()
            .map(|rule| (OPERATION, rule.actions.unwrap_or_default())))
    }

    async fn listener(&self, arn: &str) -> Result<Option<(&'static str, Vec<Action>)>, AwsError> {
        const OPERATION: &str = "elasticloadbalancing:DescribeListeners";

        let answer = self
            .clients
            .elb()
            .describe_listeners()
            .listener_arns(arn)
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        let listener = answer.listeners.unwrap_or_default().into_iter().next();

        Ok(listener.map(|listener| (OPERATION, listener.default_actions.unwrap_or_default())))
    }

    /// Sets the weights of the groups that are named. Other groups, stickiness and other actions
    /// are sent back as they were seen, because a change replaces the whole list.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn apply(
        &self,
        seen: &ObservedRule,
        weights: &[(&str, u32)],
    ) -> Result<(), AwsError> {
        let actions: Vec<Action> = seen
            .actions
            .iter()
            .cloned()
            .map(|action| weighted(action, weights))
            .collect();

        if is_rule(&seen.arn) {
            let request = self
                .clients
                .elb()
                .modify_rule()
                .rule_arn(&seen.arn)
                .set_actions(Some(actions));
            return request
                .send()
                .await
                .map(drop)
                .map_err(AwsError::from_sdk("elasticloadbalancing:ModifyRule"));
        }

        let request = self
            .clients
            .elb()
            .modify_listener()
            .listener_arn(&seen.arn)
            .set_default_actions(Some(actions));
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("elasticloadbalancing:ModifyListener"))
    }
}

fn is_selective(conditions: &[RuleCondition]) -> bool {
    let mut fields = conditions.iter().filter_map(|condition| condition.field());
    fields.any(|field| SELECTIVE.contains(&field))
}

/// Whether there is no such rule or listener (Elastic Load Balancing API: DescribeRules).
fn is_gone(error: &AwsError) -> bool {
    ["RuleNotFound", "ListenerNotFound"].contains(&error.code.as_str())
}

fn is_rule(arn: &str) -> bool {
    arn.contains(":listener-rule/")
}

/// The ARN of the load balancer of a rule or listener, `…:loadbalancer/app/<name>/<id>`: the ARNs
/// of both begin with it, except for the resource type.
fn load_balancer(arn: &str) -> String {
    let (place, path) = arn.rsplit_once(':').unwrap_or(("", arn));
    let parts: Vec<&str> = path.split('/').skip(1).take(3).collect();
    format!("{place}:loadbalancer/{}", parts.join("/"))
}

fn view(actions: &[Action]) -> Result<RuleView, String> {
    let Some(forward) = actions
        .iter()
        .find(|action| action.r#type() == Some(&ActionTypeEnum::Forward))
    else {
        return Ok(RuleView {
            weights: Vec::new(),
            sticky: None,
        });
    };

    let config = forward.forward_config();
    let mut weights = Vec::new();
    for group in config
        .map(|config| config.target_groups())
        .unwrap_or_default()
    {
        let arn = group
            .target_group_arn()
            .ok_or("a target group without ARN")?;
        let weight = group.weight().unwrap_or(1);
        let weight = u32::try_from(weight).map_err(|_| format!("the weight {weight}"))?;
        weights.push((arn.to_owned(), weight));
    }
    // ELB shows a forward to a single group without weights.
    if let (true, Some(arn)) = (weights.is_empty(), forward.target_group_arn()) {
        weights.push((arn.to_owned(), 1));
    }

    let sticky = config.and_then(|config| config.target_group_stickiness_config());
    let sticky = sticky
        .filter(|sticky| sticky.enabled() == Some(true))
        .and_then(|sticky| sticky.duration_seconds());
    Ok(RuleView {
        weights,
        sticky: sticky
            .and_then(|secs| u64::try_from(secs).ok())
            .map(Duration::from_secs),
    })
}

/// The same action with the named groups' weights. The secret of an OIDC client, which a
/// description never contains, is kept.
fn weighted(mut action: Action, weights: &[(&str, u32)]) -> Action {
    if let Some(oidc) = &mut action.authenticate_oidc_config {
        oidc.use_existing_client_secret = Some(true);
    }

    let Some(config) = &mut action.forward_config else {
        return action;
    };

    let groups = config.target_groups.get_or_insert_default();
    for group in groups.iter_mut() {
        *group = reweighted(group, weights);
    }

    // With a list of groups, the single group that a description repeats would contradict it.
    if groups.len() > 1 {
        action.target_group_arn = None;
    }

    action
}

fn reweighted(group: &TargetGroupTuple, weights: &[(&str, u32)]) -> TargetGroupTuple {
    let wanted = weights
        .iter()
        .find(|(arn, _)| group.target_group_arn() == Some(arn));
    let weight = wanted
        .and_then(|(_, weight)| i32::try_from(*weight).ok())
        .or(group.weight());

    TargetGroupTuple::builder()
        .set_target_group_arn(group.target_group_arn.clone())
        .set_weight(weight)
        .build()
}
