//! Unconfirmed AWS behaviours, each drawn both ways from the seed and counted, so that a simulation
//! can report whether it met both.
//!
//! Behaviours are drawn here only, and no service keeps what was drawn: [`Aws::reseed`] is then the
//! one reset, after which every behaviour can come out the other way.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Aws, elb};

/// A behaviour that no document confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// CodePipeline: an update of a pipeline abandons the actions that are in progress.
    AbandonsActions,
    /// Route 53: the server that is queried has a change that is PENDING.
    AnswersBeforeSync,
    /// Application Auto Scaling: a registration moves the count between its bounds although scaling
    /// in that direction is suspended.
    BoundsWhileSuspended,
    /// ECS: the circuit breaker of a service behind a Classic Load Balancer trips.
    BreaksBehindClassic,
    /// CodePipeline: a literal value of a custom action must be of the type that its property has.
    ChecksPropertyTypes,
    /// ECS: a deployment whose rollout is COMPLETED counts as one that has not ended while it has
    /// tasks or is PRIMARY.
    CountsCompletedDeployments,
    /// ECR: an image that is named is described whatever its status.
    DescribesNamedOfAnyStatus,
    /// CloudFormation: the deletion of a record set names the values of the template, and fails if
    /// they are not the current ones.
    DeletesTemplateValues,
    /// ELB: draining takes the whole deregistration delay, not only until open requests have ended.
    DrainsWholeDelay,
    /// ECS: an essential container that exits soon after its start counts as a failed start.
    EarlyExitIsFailure,
    /// Route 53: a balancer with a target group without targets is unhealthy although each other
    /// group has a healthy target.
    EmptyGroupIsUnhealthy,
    /// ECR: the event of an untagged image has an empty tag, not none.
    EmptyImageTag,
    /// CodePipeline: events have 1.0 where 1 is meant.
    FractionalNumbers,
    /// CloudWatch: targets are counted in minutes without a request to the load balancer.
    HostsWithoutRequests,
    /// DNS: some resolvers keep an answer longer than its TTL.
    IgnoresTtl,
    /// CloudWatch: targets in their first health checks count as unhealthy.
    InitialIsUnhealthy,
    /// Clients: some keep their connections to the balancer that they had, as long as it lets them.
    KeepsConnections,
    /// ECS: UpdateService keeps what a member of the deployment configuration has and the same
    /// member of the request has not.
    KeepsInnerMembers,
    /// CodePipeline: the hour that a custom action may take is for each of its jobs, not for all of
    /// them together.
    LimitsJobsOfCustomActions,
    /// CloudWatch: a page has entries, without values, for queries that it has not reached.
    ListsUnreachedQueries,
    /// ECS: to rebalance, it moves as many tasks at once as there is room for.
    MovesTasksTogether,
    /// CloudWatch: a count of samples within bounds has no data point if it is 0.
    NoZeroCounts,
    /// ECS: a service revision has the number of the deployment that deploys it first.
    NumbersRevisionsAsDeployments,
    /// CodePipeline: the details of a Lambda function's job have neither the ARN of the pipeline
    /// nor the id of the execution.
    OmitsPipelineArn,
    /// ECS: a new service that does not state whether it is rebalanced is, although its
    /// maximumPercent excludes it.
    RebalancesByDefault,
    /// IAM: RegisterTaskDefinition is authorized on the ARN of its family, not on `*`.
    RegistersOnFamily,
    /// ECR: a request that names images may not filter them.
    RefusesFilterOfNamed,
    /// CodePipeline: a poll makes the nonces invalid that earlier polls had for the same jobs.
    RenewsNonces,
    /// ECS: an old task that ends during a rollout is replaced by one of its own revision.
    ReplacesOldTasks,
    /// ECS: the circuit breaker makes the deployment that it returns to PRIMARY again, under its
    /// own id, and begins none.
    ReusesDeployment,
    /// Any eventually consistent read: this one does not see a recent change.
    StaleRead,
    /// ECS: old tasks stop (down to the floor) even while new ones could start beside them.
    StopsBeforeStarting,
    /// Application Auto Scaling: the caller that registers a target must be allowed to scale the
    /// service.
    ValidatesScalingCaller,
    /// ELB: a forward with weight 0 counts as use of its target group.
    WeightZeroIsUse,
}

/// How long one draw holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Until the account is reseeded.
    ForTheAccount,
    /// For the one occurrence for which it is drawn.
    Once,
}

impl Quirk {
    /// Every behaviour that is drawn.
    pub const ALL: [Self; 34] = [
        Self::AbandonsActions,
        Self::AnswersBeforeSync,
        Self::BoundsWhileSuspended,
        Self::BreaksBehindClassic,
        Self::ChecksPropertyTypes,
        Self::CountsCompletedDeployments,
        Self::DeletesTemplateValues,
        Self::DescribesNamedOfAnyStatus,
        Self::DrainsWholeDelay,
        Self::EarlyExitIsFailure,
        Self::EmptyGroupIsUnhealthy,
        Self::EmptyImageTag,
        Self::FractionalNumbers,
        Self::HostsWithoutRequests,
        Self::IgnoresTtl,
        Self::InitialIsUnhealthy,
        Self::KeepsConnections,
        Self::KeepsInnerMembers,
        Self::LimitsJobsOfCustomActions,
        Self::ListsUnreachedQueries,
        Self::MovesTasksTogether,
        Self::NoZeroCounts,
        Self::NumbersRevisionsAsDeployments,
        Self::OmitsPipelineArn,
        Self::RebalancesByDefault,
        Self::RefusesFilterOfNamed,
        Self::RegistersOnFamily,
        Self::RenewsNonces,
        Self::ReplacesOldTasks,
        Self::ReusesDeployment,
        Self::StaleRead,
        Self::StopsBeforeStarting,
        Self::ValidatesScalingCaller,
        Self::WeightZeroIsUse,
    ];

    /// The rule that applies when the behaviour is drawn.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::AbandonsActions => "an updated pipeline abandons the actions in progress",
            Self::AnswersBeforeSync => "a DNS server has a change that is PENDING",
            Self::BoundsWhileSuspended => "bounds hold while scaling is suspended",
            Self::BreaksBehindClassic => "the circuit breaker trips behind a Classic Load Balancer",
            Self::ChecksPropertyTypes => "values are of the types of their properties",
            Self::CountsCompletedDeployments => "completed deployments with tasks count as open",
            Self::DeletesTemplateValues => "a record set is deleted with the template's values",
            Self::DescribesNamedOfAnyStatus => "a named image is described whatever its status",
            Self::DrainsWholeDelay => "draining takes the whole deregistration delay",
            Self::EarlyExitIsFailure => "an early exit counts towards the circuit breaker",
            Self::EmptyGroupIsUnhealthy => "an empty target group fails its balancer",
            Self::EmptyImageTag => "an untagged image has an empty tag",
            Self::FractionalNumbers => "events write whole numbers with a fraction",
            Self::HostsWithoutRequests => "targets are counted in minutes without requests",
            Self::IgnoresTtl => "resolvers keep answers longer than their TTL",
            Self::InitialIsUnhealthy => "targets in their first checks count as unhealthy",
            Self::KeepsConnections => "clients keep their connections to a balancer",
            Self::KeepsInnerMembers => "an update keeps inner members",
            Self::LimitsJobsOfCustomActions => "each job of a custom action has an hour",
            Self::ListsUnreachedQueries => "a page lists queries that it has not reached",
            Self::MovesTasksTogether => "several tasks move to another zone at once",
            Self::NoZeroCounts => "a count of 0 has no data point",
            Self::NumbersRevisionsAsDeployments => "service revisions are numbered as deployments",
            Self::OmitsPipelineArn => "a job's details have no pipeline ARN",
            Self::RebalancesByDefault => "services are rebalanced by default",
            Self::RefusesFilterOfNamed => "named images cannot be filtered",
            Self::RenewsNonces => "a poll renews the nonces of jobs",
            Self::RegistersOnFamily => "RegisterTaskDefinition is authorized on the family",
            Self::ReplacesOldTasks => "an old task is replaced by its own revision",
            Self::ReusesDeployment => "a rollback reuses the old deployment",
            Self::StaleRead => "a read lags behind a change",
            Self::StopsBeforeStarting => "old tasks stop before new ones start",
            Self::ValidatesScalingCaller => "scaling checks its caller",
            Self::WeightZeroIsUse => "weight 0 uses a target group",
        }
    }

    /// Whether the behaviour holds for an account with this seed, whatever was drawn before.
    fn holds_for(self, seed: u64) -> bool {
        Sha256::digest(format!("{seed} {self:?}"))[0] % 2 == 1
    }

    /// For how long a draw counts.
    fn holds(self) -> Holds {
        match self {
            Self::AbandonsActions
            | Self::AnswersBeforeSync
            | Self::DrainsWholeDelay
            | Self::EmptyImageTag
            | Self::FractionalNumbers
            | Self::StaleRead => Holds::Once,
            _ => Holds::ForTheAccount,
        }
    }
}

/// What was drawn since the account was seeded.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    /// The behaviours that hold, or do not hold, for the account.
    of_the_account: BTreeMap<Quirk, bool>,
    counts: QuirkCounts,
}

impl Quirks {
    /// How often each behaviour was drawn.
    #[must_use]
    pub fn counts(&self) -> &QuirkCounts {
        &self.counts
    }
}

/// How often each behaviour was drawn: without and with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuirkCounts(BTreeMap<Quirk, [u32; 2]>);

impl QuirkCounts {
    /// Without and with the behaviour, for each that was drawn.
    pub fn iter(&self) -> impl Iterator<Item = (Quirk, [u32; 2])> {
        self.0.iter().map(|(quirk, counts)| (*quirk, *counts))
    }

    /// How often the behaviour was drawn to hold.
    #[must_use]
    pub fn held(&self, quirk: Quirk) -> u32 {
        self.0.get(&quirk).map_or(0, |[_, held]| *held)
    }

    /// Adds what another account drew.
    pub fn add(&mut self, other: &Self) {
        for (quirk, [without, with]) in other.iter() {
            let known = self.0.entry(quirk).or_default();
            known[0] += without;
            known[1] += with;
        }
    }

    fn note(&mut self, quirk: Quirk, holds: bool) {
        self.0.entry(quirk).or_default()[usize::from(holds)] += 1;
    }
}

impl Aws {
    /// Whether an unconfirmed behaviour holds, drawn from the seed when it is first needed.
    pub(crate) fn draw_quirk(&mut self, quirk: Quirk) -> bool {
        if let Some(holds) = self.quirks.of_the_account.get(&quirk) {
            return *holds;
        }

        let lasts = quirk.holds();
        let holds = match lasts {
            Holds::ForTheAccount => quirk.holds_for(self.seed),
            Holds::Once => self.rng.bool(),
        };

        self.quirks.counts.note(quirk, holds);
        if lasts == Holds::ForTheAccount {
            self.quirks.of_the_account.insert(quirk, holds);
        }
        holds
    }

    /// Decides a behaviour of the account for a test that depends on it.
    pub fn settle_quirk(&mut self, quirk: Quirk, holds: bool) {
        self.quirks.of_the_account.insert(quirk, holds);
    }

    /// The same account with another future: chance is drawn from `seed` from now on, and every
    /// unconfirmed behaviour is drawn again.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.rng = fastrand::Rng::with_seed(seed);
        self.quirks = Quirks::default();
        // Which target groups are in use was derived from the earlier draw.
        elb::note_use(self);
        let others: Vec<_> = self.others.keys().cloned().collect();
        for place in others {
            self.in_place(place, elb::note_use);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(aws: &mut Aws, seed: u64) -> BTreeMap<Quirk, bool> {
        aws.reseed(seed);
        let mut draw = |quirk| (quirk, aws.draw_quirk(quirk));
        Quirk::ALL.into_iter().map(&mut draw).collect()
    }

    #[test]
    fn an_account_that_is_reseeded_meets_both_ways_of_every_rule() {
        let mut aws = Aws::new(1);
        drawn(&mut aws, 1);
        let by_seed: Vec<BTreeMap<Quirk, bool>> =
            (0..32).map(|seed| drawn(&mut aws, seed)).collect();

        for quirk in Quirk::ALL {
            let held = by_seed.iter().filter(|drawn| drawn[&quirk]).count();
            assert!(
                (1..32).contains(&held),
                "{quirk:?} held for {held} of 32 seeds"
            );
        }
    }

    #[test]
    fn a_seed_decides_every_draw_and_both_ways_are_counted() {
        let mut aws = Aws::new(1);
        let first = drawn(&mut aws, 3);
        assert_eq!(drawn(&mut aws, 3), first);

        (0..63).for_each(|_| _ = aws.draw_quirk(Quirk::StaleRead));
        let counts: BTreeMap<Quirk, [u32; 2]> = aws.quirks.counts().iter().collect();
        let [without, with] = counts[&Quirk::StaleRead];
        assert!(
            without > 0 && with > 0 && without + with == 64,
            "{without} + {with}"
        );
        assert_eq!(aws.quirks.counts().held(Quirk::StaleRead), with);
    }

    #[test]
    fn a_behaviour_of_the_account_is_drawn_once_until_it_is_reseeded() {
        let mut aws = Aws::new(1);
        let first = aws.draw_quirk(Quirk::WeightZeroIsUse);
        assert!((0..32).all(|_| aws.draw_quirk(Quirk::WeightZeroIsUse) == first));

        let drawn: u32 = aws
            .quirks
            .counts()
            .iter()
            .flat_map(|(_, counts)| counts)
            .sum();
        assert_eq!(drawn, 1);
    }
}
