//! What CloudWatch has of an alarm, as far as it can stop a release.

use crate::job::Failure;
use crate::limits::ALARMS;

/// An alarm that is in ALARM, or does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    Active { name: String, reason: String },
    Missing { name: String },
}

impl Alarm {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Active { name, .. } | Self::Missing { name } => name,
        }
    }

    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// Refuses more alarms than an action may name, and names that are empty.
///
/// # Errors
/// A ConfigurationError that names `alarms`.
pub fn check_names(alarms: &[String]) -> Result<(), Failure> {
    if alarms.len() > ALARMS || alarms.iter().any(|alarm| alarm.trim().is_empty()) {
        return Err(Failure::configuration(format!(
            "`alarms` has {} names; expected up to {ALARMS}, none of them empty",
            alarms.len()
        )));
    }
    Ok(())
}

/// Why traffic must go back, if one of the alarms that were read is in ALARM.
///
/// # Errors
/// A ConfigurationError for an alarm that does not exist: it would never stop anything.
pub fn active(alarms: &[Alarm]) -> Result<Option<String>, Failure> {
    let missing = alarms
        .iter()
        .find(|alarm| matches!(alarm, Alarm::Missing { .. }));
    if let Some(Alarm::Missing { name }) = missing {
        return Err(Failure::configuration(format!(
            "`alarms` names `{name}`, which does not exist; expected names of metric or composite \
             alarms of this account and region"
        )));
    }

    Ok(alarms.first().and_then(|alarm| match alarm {
        Alarm::Active { name, reason } => Some(format!("alarm {name} is in ALARM: {reason}")),
        Alarm::Missing { .. } => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::FailureType;

    fn alarm(name: &str) -> Alarm {
        Alarm::Active {
            name: name.to_owned(),
            reason: "5 errors".to_owned(),
        }
    }

    #[test]
    fn the_first_alarm_that_is_in_alarm_is_the_reason() {
        assert_eq!(active(&[]), Ok(None));
        let reason = "alarm a is in ALARM: 5 errors".to_owned();
        assert_eq!(active(&[alarm("a"), alarm("b")]), Ok(Some(reason)));
    }

    #[test]
    fn an_alarm_that_does_not_exist_is_refused_by_its_name() {
        let missing = Alarm::Missing {
            name: "b".to_owned(),
        };
        let refused = active(&[alarm("a"), missing]).expect_err("refused");
        assert_eq!(refused.kind, FailureType::ConfigurationError);
        assert!(
            refused
                .message
                .starts_with("`alarms` names `b`, which does not exist; expected names of")
        );
    }

    #[test]
    fn up_to_ten_names_are_accepted_and_none_of_them_empty() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            check_names(&names).map_err(|refused| refused.message)
        };
        assert_eq!(names(&[]), Ok(()));
        assert_eq!(names(&["a"; 10]), Ok(()));
        let text =
            |count| format!("`alarms` has {count} names; expected up to 10, none of them empty");
        assert_eq!(names(&["a"; 11]), Err(text(11)));
        assert_eq!(names(&["a", " "]), Err(text(2)));
    }
}
