//! What the functions send to AWS, call by call and value by value, beside what they sent when the
//! files in `tests/golden/calls/` were written. Each file is one scene: releases from the shipped
//! templates, played on the in-memory AWS.

mod blue_green;
mod canary;
mod dns;
mod golden;
mod in_place;
mod items;
mod layout;
mod names;
mod start_pipeline;
mod transcript;
mod wire;
