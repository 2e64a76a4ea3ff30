//! The real functions, by the name of their binary, as Lambda would run them.

use std::pin::Pin;

use schemars::{Schema, schema_for};
use serde_json::Value;
use slipway::aws::{Retry, Sdk};
use slipway::step::{Runner, Step};

/// Declares every function once: the steps, which handle the jobs of a pipeline, those that handle
/// other events of releases, those that fetch the jobs of custom actions or announce releases, and
/// those that stacks invoke, of which no release knows.
macro_rules! functions {
    (
        steps { $($step:literal => $step_crate:ident::$Step:ident,)* }
        others { $($other:literal => $other_crate:ident::$Other:ident,)* }
        workers { $($worker:literal => $worker_crate:ident::$Worker:ident,)* }
        of_stacks { $($of_stack:literal => $of_stack_crate:ident::$OfStack:ident,)* }
    ) => {
        /// The functions that handle the jobs of a pipeline.
        pub const STEPS: &[&str] = &[$($step,)*];

        /// Every function that releases invoke.
        pub const ALL: &[&str] = &[$($step,)* $($other,)*];

        /// A function, wired as its `main.rs` wires it. Lambda keeps it between invocations.
        #[derive(Debug)]
        pub enum Function {
            $($Step(Box<Runner<$step_crate::$Step>>),)*
            $($Other(Box<$other_crate::$Other>),)*
            $($Worker(Box<$worker_crate::$Worker>),)*
            $($OfStack(Box<$of_stack_crate::$OfStack>),)*
        }

        impl Function {
            /// The function whose binary is `code`.
            ///
            /// # Errors
            /// That there is no such binary.
            pub fn new(code: &str, sdk: &Sdk) -> Result<Self, Retry> {
                match code {
                    $($step => {
                        let step = $step_crate::$Step::new(sdk);
                        Ok(Self::$Step(Box::new(Runner::new(step, sdk))))
                    })*
                    $($other => Ok(Self::$Other(Box::new($other_crate::$Other::new(sdk)))),)*
                    $($worker => {
                        let function = $worker_crate::$Worker::new(sdk);
                        Ok(Self::$Worker(Box::new(function)))
                    })*
                    $($of_stack => {
                        let function = $of_stack_crate::$OfStack::new(sdk);
                        Ok(Self::$OfStack(Box::new(function)))
                    })*
                    unknown => {
                        let what = format!("template.yaml refers to unknown function `{unknown}`");
                        Err(what.into())
                    }
                }
            }

            /// Runs one invocation.
            ///
            /// # Errors
            /// The function's own error.
            pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
                match self {
                    $(Self::$Step(function) => boxed(|| function.handle(event)).await,)*
                    $(Self::$Other(function) => boxed(|| function.handle(event)).await,)*
                    $(Self::$Worker(function) => boxed(|| function.handle(event)).await,)*
                    $(Self::$OfStack(function) => boxed(|| function.handle(event)).await,)*
                }
            }
        }

        /// The JSON Schema of each step's own and common parameters, by the function's name.
        #[must_use]
        pub fn schemas() -> Vec<(&'static str, Schema)> {
            vec![$(($step, schema_for!(<$step_crate::$Step as Step>::Parameters)),)*]
        }
    };
}

functions! {
    steps {
        "begin-release" => begin_release::BeginRelease,
        "register-task-definition" => register_task_definition::RegisterTaskDefinition,
        "update-service" => update_service::UpdateService,
        "run-checks" => run_checks::RunChecks,
        "swap-target-groups" => swap_target_groups::SwapTargetGroups,
        "swap-records" => swap_records::SwapRecords,
        "evaluate-canary" => evaluate_canary::EvaluateCanary,
        "finish-release" => finish_release::FinishRelease,
    }
    others {
        "roll-back" => roll_back::RollBack,
        "start-pipeline" => start_pipeline::StartPipeline,
    }
    workers {
        "announce-releases" => announce_releases::AnnounceReleases,
        "poll-jobs" => poll_jobs::PollJobs,
    }
    of_stacks {
        "find-task-roles" => find_task_roles::FindTaskRoles,
    }
}

/// Boxes a future outside of the caller's frame, which would otherwise reserve space for that of
/// each function.
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// Runs one invocation of the function whose binary is `code`, in a container of its own.
///
/// # Errors
/// The function's own error, or that there is no such binary.
pub async fn invoke(code: &str, sdk: &Sdk, event: Value) -> Result<Value, Retry> {
    Function::new(code, sdk)?.handle(event).await
}
