//! Lists the services: one for each module of `src/services/mod.rs`. Rust cannot list modules, and
//! a macro that declares them would hide their files from rustfmt.

use std::path::Path;
use std::{env, fs};

const MODULES: &str = "src/services/mod.rs";

fn main() {
    println!("cargo::rerun-if-changed={MODULES}");
    let text = fs::read_to_string(MODULES).expect("src/services/mod.rs is readable");
    let services: String = text
        .lines()
        .filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'))
        .map(|module| format!("&{module}::SERVICE, "))
        .collect();

    let out = env::var_os("OUT_DIR").expect("cargo names the folder");
    fs::write(
        Path::new(&out).join("services.rs"),
        format!("&[{services}]"),
    )
    .expect("the folder of the build is writable");
}
