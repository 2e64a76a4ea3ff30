//! The stickiness of a rule, set beside its weights.

use std::time::Duration;

use super::load_balancing::{forward, group, rule_with};
use super::script::{Script, run, xml};
use crate::aws::Rules;

#[test]
fn a_change_of_the_weights_can_also_set_for_how_long_clients_are_bound() {
    let actions = forward(&group("blue", Some(100)), "");
    for (duration, enabled, secs) in [(None, "false", None), (Some(600), "true", Some("600"))] {
        let script = Script::new([rule_with(&actions), xml("ModifyRule", "")]);
        let rules = Rules::new(&script.sdk());
        let rule = run(rules.observe("arn:listener-rule/a"));
        let rule = rule.expect("understood").expect("there");
        let rule = rule.with_stickiness(duration.map(Duration::from_secs));
        run(rules.apply(&rule, &[("blue", 5)])).expect("applied");

        let sent = script.sent()[1].form();
        let of_forward = |name: &str| {
            let member = format!("Actions.member.1.ForwardConfig.{name}");
            sent.get(&member).map(String::as_str)
        };
        let of_stickiness = |name| of_forward(&format!("TargetGroupStickinessConfig.{name}"));
        assert_eq!(of_stickiness("Enabled"), Some(enabled));
        assert_eq!(of_stickiness("DurationSeconds"), secs);
        assert_eq!(of_forward("TargetGroups.member.1.Weight"), Some("5"));
    }
}
