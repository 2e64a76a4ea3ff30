//! What was seen of services and pairs, with the questions one may ask of it.

pub mod service;
