//! The load balancers before target groups, by the names that clients resolve.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::observed::balancers::BalancerNames;

const GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";
const BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";

#[derive(Clone, Debug)]
pub struct Balancers {
    clients: Arc<Clients>,
}

impl Balancers {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The DNS names, in small letters, of the load balancers whose listeners use each of these
    /// target groups. One call reads all groups and one all load balancers: DescribeLoadBalancers
    /// takes 20 ARNs (docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/), and the two
    /// services of a pair have at most 10 groups.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn names_of(&self, groups: &BTreeSet<&str>) -> Result<BalancerNames, AwsError> {
        let used = self.used_by(groups).await?;
        let balancers: BTreeSet<&String> = used.values().flatten().collect();
        if balancers.is_empty() {
            return Ok(BTreeMap::new());
        }

        let names = self.names(balancers.into_iter().cloned().collect()).await?;
        let named = used.into_iter().map(|(group, arns)| {
            let known = arns.iter().filter_map(|arn| names.get(arn));
            (group, known.cloned().collect())
        });
        Ok(named.collect())
    }

    /// The Availability Zones of a load balancer.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn zones(&self, balancer: &str) -> Result<Vec<String>, AwsError> {
        let request = self
            .clients
            .elb()
            .describe_load_balancers()
            .load_balancer_arns(balancer);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(BALANCERS))?;
        let balancers = answer.load_balancers.unwrap_or_default().into_iter();
        let zones = balancers.flat_map(|balancer| balancer.availability_zones.unwrap_or_default());
        Ok(zones.filter_map(|zone| zone.zone_name).collect())
    }

    /// Whether a target group speaks gRPC, which answers 200 whether a call fails or not.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn speaks_grpc(&self, group: &str) -> Result<bool, AwsError> {
        let request = self
            .clients
            .elb()
            .describe_target_groups()
            .target_group_arns(group);
        let answer = request.send().await.map_err(AwsError::from_sdk(GROUPS))?;
        let groups = answer.target_groups.unwrap_or_default();
        let mut versions = groups.iter().filter_map(|group| group.protocol_version());
        Ok(versions.any(|version| version == "GRPC"))
    }

    /// The load balancers of each group, by their ARNs.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn used_by(
        &self,
        groups: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Vec<String>>, AwsError> {
        let wanted: Vec<String> = groups.iter().map(|arn| (*arn).to_owned()).collect();
        let mut used = BTreeMap::new();
        let mut pages = Pages::new(GROUPS);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .elb()
                .describe_target_groups()
                .set_target_group_arns(Some(wanted.clone()))
                .set_marker(start);
            let page = request.send().await.map_err(AwsError::from_sdk(GROUPS))?;

            for group in page.target_groups.unwrap_or_default() {
                let balancers = group.load_balancer_arns.unwrap_or_default();
                used.extend(group.target_group_arn.map(|arn| (arn, balancers)));
            }
            pages.go_on(page.next_marker);
        }
        Ok(used)
    }

    /// The names of load balancers by their ARNs.
    async fn names(&self, balancers: Vec<String>) -> Result<BTreeMap<String, String>, AwsError> {
        let mut names = BTreeMap::new();
        let mut pages = Pages::new(BALANCERS);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .elb()
                .describe_load_balancers()
                .set_load_balancer_arns(Some(balancers.clone()))
                .set_marker(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(BALANCERS))?;

            for balancer in page.load_balancers.unwrap_or_default() {
                let name = balancer.dns_name.map(|name| name.to_ascii_lowercase());
                names.extend(balancer.load_balancer_arn.zip(name));
            }
            pages.go_on(page.next_marker);
        }
        Ok(names)
    }
}
