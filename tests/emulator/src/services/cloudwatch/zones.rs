//! The same metrics by Availability Zone: how the requests of a minute are spread over the zones of
//! a load balancer.
//!
//! Every request goes through one zone, by a draw of its own or of its burst, so the zones add up
//! to the whole.
//! Source:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>

use rand::RngExt;

use super::draw;
use super::minute::{HalfMinute, Series};
use super::samples::Cell;
use crate::{Aws, Millis, elb};

/// The place of a zone among those of a balancer (`app/<name>/<16 hex>`), and how many those are.
pub(super) fn place_of(aws: &Aws, balancer: &str, zone: &str) -> Option<(usize, usize)> {
    let mut balancers = aws.elb.load_balancers.values();
    let balancer = balancers.find(|known| known.arn.ends_with(balancer))?;
    let zones = elb::zones(&aws.region, balancer);
    let place = zones.iter().position(|known| known == zone)?;
    Some((place, zones.len()))
}

/// What of a part of a minute happened in one zone.
pub(super) fn in_zone(
    seed: u64,
    series: &Series,
    (minute, half): (Millis, usize),
    whole: &HalfMinute,
    (place, zones): (usize, usize),
) -> HalfMinute {
    let group = series.group.as_deref().unwrap_or("no group");
    let name = format!("zones {} {group} {minute} {half}", series.balancer);
    let mut rng = draw::chance(seed, &name);
    let mut share = |count: u64| {
        let mut left = count;
        let mut found = 0;
        for zone in 0..zones {
            let here = draw::binomial(&mut rng, left, 1.0 / (zones - zone) as f64);
            left -= here;
            if zone == place {
                found = here;
            }
        }
        found
    };

    let in_bursts: u64 = whole.bursts.iter().sum();
    let mut part = HalfMinute {
        good: share(whole.good),
        client_errors: share(whole.client_errors),
        server_errors: share(whole.server_errors - in_bursts),
        refused: share(whole.refused),
        unserved: share(whole.unserved),
        ..HalfMinute::default()
    };
    for cell in whole.response_times.cells() {
        let count = share(cell.count as u64) as f64;
        part.response_times.add(Cell { count, ..*cell });
    }
    part.reset = share(whole.reset);
    part.unanswered = share(whole.unanswered);
    part.sockets = share(whole.sockets);

    let mut rng = draw::chance(seed, &format!("bursts in {name}"));
    for burst in &whole.bursts {
        if rng.random_range(0..zones) == place {
            part.server_errors += burst;
        }
    }
    part
}
