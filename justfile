# Recipes for daily work.

# Lists the recipes.
default:
    @just --list

# Runs all tests.
test *args:
    cargo test {{args}}

# Checks the format and the lints, as CI does.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Runs the demo against the in-memory AWS.
sandbox *args:
    cargo sandbox {{args}}

# Measures the judge against its goals and simpler judges; takes the number of runs per kind of deployment.
judge-power *runs:
    cargo run --package sandbox --example judge_power -- {{runs}}

# Simulates services, releases, operators and faults from seeds.
simulate *args:
    cargo sandbox simulate {{args}}

# Removes one promise at a time from a copy, and shows which test or simulation fails; by name or `--area`.
mutants *args:
    cargo run --quiet --package mutants -- {{args}}

# Makes the pictures in docs/images from the program. Needs Python 3, and Chromium for the report.
pictures:
    cargo build --quiet --package sandbox
    python3 docs/images/demo.py docs/images/demo.svg cargo sandbox
    cargo sandbox judge --report target/report.html < tests/sandbox/examples/judge/cases/rolled-back-by-errors.json
    chromium --headless --no-sandbox --hide-scrollbars --window-size=900,960 --screenshot=docs/images/report.png target/report.html

# Checks the templates with sam, cfn-lint and checkov, which are installed below target/.
templates:
    .ci/run templates

# Checks advisories, licences and sources of the dependencies.
deny:
    cargo deny check

# Runs everything that CI runs.
ci:
    .ci/run
