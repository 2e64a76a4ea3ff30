//! What is recorded of the new colour's health.

use super::*;

#[test]
fn the_health_that_was_seen_last_replaces_what_was_seen_before() {
    let regained = SeenHealth {
        most: 9,
        loss: None,
    };
    let expected = with_pair(open_pair(), |pair| pair.health = Some(regained));
    let seen = apply(&open_pair(), Event::HealthSeen(regained), after(9));
    assert_eq!(seen, Ok(later(expected)));
}
