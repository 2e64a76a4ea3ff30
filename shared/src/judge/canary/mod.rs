//! The sequential judge: looks at a canary every minute, and every look is valid.
//!
//! Requests are spread over both sides by weight, so given that a bad event happened, it is the
//! canary's with a known chance θ. Only that split is evidence: what happens to both sides alike
//! cancels. Nothing here reads a clock, draws numbers or performs I/O, and no data is never a pass.
//!
//! The flow: [`hour`] is measured before the bake and gives [`hour_before`], which stays as it is.
//! [`arrival`] decides for each minute whether it is taken in. [`harm`], [`final_test`] and
//! [`health`] are what one metric has shown, [`values`] what series of values have, and
//! [`sequential`] what follows. [`expected_time`] is how long a healthy canary needs.
//!
//! Sources of the formulas: \[LM\] Lindon, Malek, Anytime-Valid Inference for Multinomial Count
//! Data (NeurIPS 2022, arXiv 2011.03567); \[LSS\] Lindon, Sanden, Shirikian, Rapid Regression
//! Detection in Software Deployments through Sequential Testing (KDD 2022, arXiv 2205.14762);
//! \[WR\] Waudby-Smith, Ramdas, Estimating means of bounded random variables by betting (JRSS B
//! 2024, arXiv 2010.09686); \[H56\] Hoeffding 1956 (Ann. Math. Stat. 27); \[V\] Ville 1939;
//! \[MN\] McCullagh, Nelder, Generalized Linear Models 1989, section 4.5.

pub mod answers;
pub mod arrival;
pub mod config;
pub mod counts;
pub mod dispersion;
pub mod expected_time;
pub mod final_test;
pub mod harm;
pub mod health;
pub mod hour;
pub mod hour_before;
pub mod metric;
pub mod offline;
pub mod progress;
pub mod scenario;
pub mod sentence;
pub mod sequential;
mod tracked;
pub mod values;
pub mod verdict;

pub use config::JudgeConfig;
pub use progress::Progress;
pub use sequential::{Judge, Setup};
pub use verdict::{Decision, Reason, Verdict};
