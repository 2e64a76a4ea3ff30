//! What ECS refuses of an update.

use super::*;

#[test]
fn a_refused_task_definition_is_named_and_other_errors_stay_as_they_are() {
    let error = |kind, message: &str| AwsError {
        operation: "ecs:UpdateService",
        kind,
        code: "ClientException".to_owned(),
        message: message.to_owned(),
    };
    let StepError::Failed(failure) = refused(
        error(ErrorKind::Rejected, "TaskDefinition is inactive"),
        NEW,
        Some("looked for again".to_owned()),
    ) else {
        panic!("it is a failure");
    };

    assert_eq!(failure, Failure::configuration(failure.message.clone()));
    assert!(
        failure.message.contains(NEW) && failure.message.contains("TaskDefinition is inactive"),
        "{failure}"
    );

    let StepError::Refused(failure) = refused(
        error(ErrorKind::Rejected, "The service is draining"),
        NEW,
        None,
    ) else {
        panic!("it is a failure");
    };
    assert!(!failure.message.contains(NEW), "{failure}");
    assert!(matches!(
        refused(error(ErrorKind::Busy, "TaskDefinition"), NEW, None),
        StepError::Busy(_)
    ));

    let missing = || error(ErrorKind::Rejected, "TaskDefinition not found.");
    let again = refused(missing(), NEW, Some("looked for again".to_owned()));
    assert_eq!(again, StepError::Busy("looked for again".to_owned()));
    assert!(matches!(
        refused(missing(), NEW, None),
        StepError::Failed(_)
    ));
}
