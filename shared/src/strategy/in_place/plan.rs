//! Whether a rollout can finish: with its percentages, and with the instances for tasks that hold
//! static host ports.
//!
//! Only what can never work is refused. What may change by itself, such as the number of instances
//! of a cluster that grows, is a warning.

use std::fmt::{self, Display, Formatter};

use super::percentages::{Bound, Shape, Strategy};
use crate::observed::instances::PortInstances;
use crate::observed::percentages::Percentages;

/// What limits a rollout beside its percentages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The count that the service will have.
    pub desired: u32,
    /// The count that it has. Without tasks nothing has to be stopped before a new one starts.
    pub live: u32,
    /// The instances of the cluster, when the tasks hold static host ports: such an instance takes
    /// one task of the service.
    pub static_ports: Option<PortInstances>,
    /// Whether the tasks that run now hold one of the same ports.
    pub port_is_taken: bool,
    /// Tasks of the service that run or start, of both services of a pair.
    pub own_tasks: u32,
}

impl Room {
    /// The room of a service that has `live` tasks and will have `desired`, without a look at
    /// instances.
    #[must_use]
    pub fn of_counts(live: u32, desired: u32) -> Self {
        Self {
            desired,
            live,
            static_ports: None,
            port_is_taken: false,
            own_tasks: 0,
        }
    }

    /// Whether new tasks need the ports of old ones.
    fn shares_ports(self) -> bool {
        self.live > 0 && self.port_is_taken
    }

    /// Instances on which a task that is not the service's holds a port, at least: the service may
    /// have tasks on others too.
    fn held_by_others(self, instances: PortInstances) -> u32 {
        let own = if self.port_is_taken {
            self.own_tasks
        } else {
            0
        };
        instances.taken.saturating_sub(own)
    }
}

/// Tasks that do not fit on the instances that there are now.
struct InstanceShortage {
    /// What it delays: the rollout, or the fill of a pair.
    change: &'static str,
    what: String,
    remedy: &'static str,
    /// The condition on which it may pass, if it may.
    may_pass: Option<String>,
}

/// The ACTIVE instances that are counted on.
#[derive(Clone, Copy)]
struct Usable {
    found: PortInstances,
    /// Those that are left out because others' tasks hold a port there, which may end.
    held: u32,
}

impl Usable {
    fn count(self) -> u32 {
        let left_out = self.found.reserved + self.held;
        self.found.active.saturating_sub(left_out)
    }

    /// The condition on which a shortage may pass, if it may: instances that are added, what
    /// becomes of those that drain, as they do while they are replaced one by one, or tasks of
    /// others that end.
    fn may_pass(self, drained: &str) -> Option<String> {
        let may_pass = may_pass(self.found, drained);
        if self.held == 0 {
            return may_pass;
        }

        let freed = "other tasks release the port";
        Some(may_pass.map_or_else(|| freed.to_owned(), |other| format!("{other}, or {freed}")))
    }
}

impl Display for Usable {
    /// `2 instances besides 1 on which another task holds the port`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} instances", self.count())?;
        let reserved = (self.found.reserved, "whose agent reserves the port");
        let held = (self.held, "on which another task holds the port");
        let left_out = [reserved, held].into_iter().filter(|(count, _)| *count > 0);

        for (at, (count, why)) in left_out.enumerate() {
            let link = if at == 0 { "besides" } else { "and" };
            write!(f, " {link} {count} {why}")?;
        }
        Ok(())
    }
}

const STATIC_PORT: &str = "the tasks hold a static host port, so an instance takes one of them";

/// Old tasks on instances that drain leave others free.
const HAVE_OR_REPLACED: &str = "have old tasks or are replaced";

const MORE_ROOM: &str = "add instances, lower the count, or use host port 0";

impl Strategy {
    /// Refuses a rollout that can never finish, with the arithmetic.
    ///
    /// # Errors
    /// A message with the arithmetic and the remedy.
    pub fn plan(&self, room: Room) -> Result<Percentages, String> {
        let desired = room.desired;
        self.check_task_numbers(room)?;

        let percentages = self.percentages(desired);
        let (floor, ceiling) = (percentages.floor(desired), percentages.ceiling(desired));
        // Tasks of a service without any start at once, within the ceiling.
        if room.live > 0 && desired > 0 && floor >= desired && ceiling <= desired {
            return Err(format!(
                "the rollout could never finish: {}, so no task can be stopped first and none \
                 started first; {}",
                bounds(percentages, desired),
                self.remedy(desired)
            ));
        }

        match self.shortage(room, percentages) {
            Some(InstanceShortage {
                change,
                what,
                remedy,
                may_pass: None,
            }) => Err(format!("{change} could never finish: {what}; {remedy}")),
            _ => Ok(percentages),
        }
    }

    /// What a plan that is not refused may have to wait for.
    #[must_use]
    pub fn warning(&self, room: Room) -> Option<String> {
        let shortage = self.shortage(room, self.percentages(room.desired))?;
        let condition = shortage.may_pass?;
        Some(format!(
            "warning: {}; {} can finish only if {condition}",
            shortage.what, shortage.change
        ))
    }

    /// A static host port admits one task of the service an instance, so instances limit a rollout
    /// like percentages. Those on which others' tasks hold a port are missing only as long as these
    /// run, so a shortage is certain only if it does not depend on them.
    fn shortage(&self, room: Room, percentages: Percentages) -> Option<InstanceShortage> {
        let found = room.static_ports?;
        let held = room.held_by_others(found);
        let on = |held| self.shortage_on(Usable { found, held }, room, percentages);
        on(0).or_else(|| on(held))
    }

    /// The shortage on these instances.
    fn shortage_on(
        &self,
        usable: Usable,
        room: Room,
        percentages: Percentages,
    ) -> Option<InstanceShortage> {
        let (desired, active) = (room.desired, usable.count());
        let floor = percentages.floor(desired);

        if self.rules.shape == Shape::Pair && room.shares_ports() && active < desired * 2 {
            return Some(InstanceShortage {
                change: "the fill",
                what: format!(
                    "{STATIC_PORT}, and {desired} tasks of each colour do not fit on {usable}"
                ),
                remedy: MORE_ROOM,
                may_pass: usable.may_pass(HAVE_OR_REPLACED),
            });
        }
        if active < desired {
            return Some(InstanceShortage {
                change: "the rollout",
                what: format!("{STATIC_PORT}, and {desired} tasks do not fit on {usable}"),
                remedy: MORE_ROOM,
                may_pass: usable.may_pass("are replaced"),
            });
        }

        (room.shares_ports() && floor >= desired && active <= desired).then(|| InstanceShortage {
            change: "the rollout",
            what: format!(
                "{}, and {STATIC_PORT}, so a new task needs an instance without an old one, but \
                 {usable} run {desired} tasks",
                bounds(percentages, desired)
            ),
            remedy: "choose `make-room`, add an instance, or use host port 0",
            may_pass: usable.may_pass(HAVE_OR_REPLACED),
        })
    }

    /// Refuses task numbers that the desired count cannot keep. A service without tasks has none to
    /// keep healthy.
    fn check_task_numbers(&self, room: Room) -> Result<(), String> {
        let desired = room.desired;
        let above = self.minimum_healthy_tasks.filter(|tasks| *tasks > desired);
        if let Some(tasks) = above.filter(|_| room.live > 0) {
            return Err(format!(
                "`minimum_healthy_tasks` is {tasks}, but the service has {desired} tasks; \
                 expected 0 to {desired}"
            ));
        }

        if let Some(tasks) = self.maximum_tasks.filter(|tasks| *tasks < desired) {
            return Err(format!(
                "`maximum_tasks` is {tasks}, but the service has {desired} tasks; \
                 expected {desired} or more"
            ));
        }

        Ok(())
    }

    fn remedy(&self, desired: u32) -> &'static str {
        let is_fixed = |bound: Bound| matches!(bound, Bound::Fixed(_));
        let fixed = [self.rules.minimum, self.rules.maximum].map(is_fixed);
        match (fixed, desired) {
            ([true, true], _) => "choose `rolling` or `doubling`",
            ([true, false], _) => "raise `maximum_percent` so that one more task may run",
            ([false, true], 1) => {
                "run 2 tasks or more, choose `rolling` or `doubling`, \
                 or accept an outage with `minimum_healthy_tasks` 0"
            }
            ([false, true], _) => {
                "lower `minimum_healthy_percent` or `minimum_healthy_tasks`, \
                 or choose `rolling` or `doubling`"
            }
            ([false, false], _) => {
                "lower `minimum_healthy_percent` or raise `maximum_percent` \
                 so that one more task may run"
            }
        }
    }
}

/// The condition on which a shortage may pass that depends on no task of others.
fn may_pass(instances: PortInstances, drained: &str) -> Option<String> {
    if instances.can_grow {
        return Some("the capacity provider adds instances".to_owned());
    }

    let draining = instances.draining;
    (draining > 0).then(|| format!("the {draining} instances that are DRAINING {drained}"))
}

/// Floor and ceiling, with their arithmetic.
fn bounds(percentages: Percentages, desired: u32) -> String {
    format!(
        "of {desired} tasks at least {} must stay healthy (ceil({desired} × {} %)) and at most {} \
         may run (floor({desired} × {} %))",
        percentages.floor(desired),
        percentages.minimum_healthy,
        percentages.ceiling(desired),
        percentages.maximum
    )
}

#[cfg(test)]
mod tests;
