//! Task definitions from what `docker inspect` prints of containers and images
//! (docs.docker.com/reference/api/engine: ContainerInspect, ImageInspect; the targets are those of
//! docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
//!
//! Never drops a setting silently: each member has a counterpart, is what Docker has without it, or
//! is listed. The result depends on the file and the running definition alone, and neither ids nor
//! times of Docker are in it.

mod binds;
mod convert;
mod draft;
mod fields;
mod health;
mod item;
mod kernel;
mod left_out;
mod logs;
mod memory;
mod merge;
mod mount;
mod mounts;
mod network;
mod own;
mod peers;
mod place;
mod port;
mod ports;
mod process;
mod reasons;
mod references;
mod resources;
mod size;
mod volumes;

pub(super) use convert::from_inspect;
pub(super) use item::is_inspect;
pub use left_out::LeftOut;

#[cfg(test)]
mod tests;
