//! The states of a target, from its registration until it is gone.

use std::time::Duration;

use crate::{ApiError, Aws, Millis, Quirk, traffic};

use super::{RegisteredTarget, TargetGroup, operations};

/// What DescribeTargetHealth calls the state of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
}

impl TargetState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unused => "unused",
            Self::Draining => "draining",
        }
    }
}

/// Registers a target whose application answers its health checks. A draining target comes back as
/// a new one.
pub fn register(aws: &mut Aws, target_group: &str, id: &str, port: u16) -> Result<(), ApiError> {
    traffic::note(aws);
    let now = aws.now;
    let group = aws
        .elb
        .target_groups
        .get_mut(target_group)
        .ok_or_else(operations::target_group_not_found)?;
    forget_drained(group, now);

    let fresh = RegisteredTarget {
        before: TargetState::Initial,
        since: now,
        answers: true,
        draining_until: None,
        in_enabled_zone: true,
    };
    let target = group
        .targets
        .entry((id.to_owned(), port))
        .or_insert_with(|| fresh.clone());

    if target.draining_until.is_some() {
        *target = fresh;
    }
    Ok(())
}

/// Sets whether the application of a target answers its health checks from now on.
pub fn set_answering(aws: &mut Aws, target_group: &str, id: &str, port: u16, answers: bool) {
    traffic::note(aws);
    let now = aws.now;
    let Some(group) = aws.elb.target_groups.get_mut(target_group) else {
        return;
    };
    let key = (id.to_owned(), port);
    let Some(before) = group
        .targets
        .get(&key)
        .and_then(|target| state_of(group, target, now))
    else {
        return;
    };
    let Some(target) = group
        .targets
        .get_mut(&key)
        .filter(|target| target.answers != answers)
    else {
        return;
    };
    target.before = before;
    target.since = now;
    target.answers = answers;
}

/// A target is in an Availability Zone that its load balancer does not have: no request reaches it.
/// Returns whether it is registered.
pub fn leave_zones(aws: &mut Aws, target_group: &str, id: &str, port: u16) -> bool {
    traffic::note(aws);
    let group = aws.elb.target_groups.get_mut(target_group);
    let target = group.and_then(|group| group.targets.get_mut(&(id.to_owned(), port)));
    target
        .map(|target| target.in_enabled_zone = false)
        .is_some()
}

/// Takes a target out: no new requests from now on. Returns how long its open requests take to end,
/// which is the whole deregistration delay or less: the load balancer finishes early when nothing
/// is in flight.
pub fn deregister(aws: &mut Aws, target_group: &str, id: &str, port: u16) -> Duration {
    traffic::note(aws);
    let now = aws.now;
    let Some(group) = aws.elb.target_groups.get_mut(target_group) else {
        return Duration::ZERO;
    };

    forget_drained(group, now);
    let delay = group
        .attribute("deregistration_delay.timeout_seconds")
        .and_then(|delay| delay.parse().ok())
        .unwrap_or(300);
    let key = (id.to_owned(), port);
    let Some(state) = group
        .targets
        .get(&key)
        .and_then(|target| state_of(group, target, now))
    else {
        return Duration::ZERO;
    };
    if state == TargetState::Unused || delay == 0 {
        group.targets.remove(&key);
        return Duration::ZERO;
    }

    if let Some(target) = group.targets.get_mut(&key) {
        target.draining_until.get_or_insert(now + delay * 1000);
    }

    let whole = Duration::from_secs(delay.unsigned_abs());
    if aws.draw_quirk(Quirk::DrainsWholeDelay) {
        whole
    } else {
        Duration::from_secs(aws.rng.u64(0..=delay.unsigned_abs()))
    }
}

/// The state of a target now; nothing when it is not registered.
pub fn state(aws: &Aws, target_group: &str, id: &str, port: u16) -> Option<TargetState> {
    let group = aws.elb.target_groups.get(target_group)?;
    state_of(group, group.targets.get(&(id.to_owned(), port))?, aws.now)
}

/// When the state of a target will change by itself, if it will.
pub fn next_change(aws: &Aws, target_group: &str, id: &str, port: u16) -> Option<Millis> {
    let group = aws.elb.target_groups.get(target_group)?;
    let target = group.targets.get(&(id.to_owned(), port))?;
    let at = target
        .draining_until
        .or_else(|| Some(settled_at(group, target, group.used_since?)))?;
    (at > aws.now).then_some(at)
}

pub(crate) fn state_of(
    group: &TargetGroup,
    target: &RegisteredTarget,
    now: Millis,
) -> Option<TargetState> {
    if let Some(until) = target.draining_until {
        return (now < until).then_some(TargetState::Draining);
    }
    let Some(used_since) = group.used_since.filter(|_| target.in_enabled_zone) else {
        return Some(TargetState::Unused);
    };

    if now >= settled_at(group, target, used_since) {
        return Some(if target.answers {
            TargetState::Healthy
        } else {
            TargetState::Unhealthy
        });
    }

    // A group that came into use later than the target checks it again.
    let still = used_since <= target.since && target.before != TargetState::Unused;
    Some(if still {
        target.before
    } else {
        TargetState::Initial
    })
}

/// When the state of a target changes by itself, whether that is past or still to come.
pub(crate) fn changes(
    group: &TargetGroup,
    target: &RegisteredTarget,
) -> impl Iterator<Item = Millis> + use<> {
    let settled = group
        .used_since
        .map(|used_since| settled_at(group, target, used_since));
    settled.into_iter().chain(target.draining_until)
}

/// When enough checks in a row have had the same result.
fn settled_at(group: &TargetGroup, target: &RegisteredTarget, used_since: Millis) -> Millis {
    let threshold = if target.answers {
        group.number("HealthyThresholdCount", 5)
    } else {
        group.number("UnhealthyThresholdCount", 2)
    };
    target.since.max(used_since) + group.number("HealthCheckIntervalSeconds", 30) * threshold * 1000
}

fn forget_drained(group: &mut TargetGroup, now: Millis) {
    group
        .targets
        .retain(|_, target| target.draining_until.is_none_or(|until| now < until));
}
