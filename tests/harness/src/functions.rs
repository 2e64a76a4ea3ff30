//! The real functions, by the name of their binary, as Lambda would run them.

use std::pin::Pin;

use schemars::{Schema, schema_for};
use serde_json::Value;
use slipway::aws::{Retry, Sdk};
use slipway::step::{Runner, Step};

/// Declares every function once: the steps, which handle the jobs of a pipeline, and those that
/// handle other events.
macro_rules! functions {
    (
        steps { $($step:literal => $step_crate:ident::$Step:ident,)* }
        others { $($other:literal => $other_crate:ident::$Other:ident,)* }
    ) => {
        /// The functions that handle the jobs of a pipeline.
        pub const STEPS: &[&str] = &[$($step,)*];

        /// Every function.
        pub const ALL: &[&str] = &[$($step,)* $($other,)*];

        /// A function, wired as its `main.rs` wires it. Lambda keeps it between invocations.
        #[derive(Debug)]
        pub enum Function {
            $($Step(Box<Runner<$step_crate::$Step>>),)*
            $($Other(Box<$other_crate::$Other>),)*
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
            pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
                match self {
                    $(Self::$Step(function) => boxed(|| function.handle(event)).await,)*
                    $(Self::$Other(function) => boxed(|| function.handle(event)).await,)*
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
        "swap-target-groups" => swap_target_groups::SwapTargetGroups,
        "evaluate-canary" => evaluate_canary::EvaluateCanary,
        "finish-release" => finish_release::FinishRelease,
    }
    others {
        "roll-back" => roll_back::RollBack,
        "start-pipeline" => start_pipeline::StartPipeline,
    }
}

/// Boxes a future outside of the caller's frame, which else has room for that of each function.
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// Runs one invocation of the function whose binary is `code`, in a container of its own.
///
/// # Errors
/// The function's own error, or that there is no such binary.
pub async fn answer(code: &str, sdk: &Sdk, event: Value) -> Result<Value, Retry> {
    Function::new(code, sdk)?.answer(event).await
}
