//! Task definitions as opaque JSON: only images are changed, and only what RegisterTaskDefinition
//! does not accept is removed.
//!
//! Never drops or rewrites a field that this code does not know: a definition may use features that
//! are newer than this version. Messages and `Debug` never quote values, which can be secrets.

mod compare;
mod definition;
mod images;
mod refused;

pub use compare::equivalent;
pub use definition::TaskDefinition;
pub use images::{container_images, parse_image_definitions, parse_image_detail, set_images};

#[cfg(test)]
mod tests;
