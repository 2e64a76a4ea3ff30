//! What is measured of the two sides of a canary: which series to ask for, and how their points are read.

pub mod queries;
pub mod readings;
pub mod values;
