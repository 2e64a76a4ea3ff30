//! `cargo sandbox serve`: the in-memory AWS over HTTP on loopback, for the AWS CLI, boto3 and other
//! clients of AWS.

mod console;
mod guide;
mod http;

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use clap::Args;
use emulator::Aws;
use harness::demo::deployed_to;
use harness::driver::{Driver, run_live};
use tokio::net::TcpListener;

use self::console::Console;

/// The options of `cargo sandbox serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// How many times as fast as the machine's clock time passes in there.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: u32,
    /// What chance is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The id of the account.
    #[arg(long, default_value = "111122223333", value_parser = account)]
    account: String,
    /// The id of a second account, empty at first: credentials whose access key id is this id act
    /// in it.
    #[arg(long, value_parser = account)]
    second_account: Option<String>,
    /// The region.
    #[arg(long, default_value = "eu-west-1", value_parser = region)]
    region: String,
    /// Begin with an empty account instead of the stacks of the demo.
    #[arg(long)]
    empty: bool,
}

const EXAMPLES: &str = "\
Any credentials are accepted, and nothing leaves this machine. In another terminal:

  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=eu-west-1
  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  aws codepipeline list-pipelines

When it has started it prints commands to try; `curl http://127.0.0.1:4566` prints them again.
Every request is a line on this console, and so is every requested operation that is not served.
Ctrl-C ends it, and everything in it is gone.

Exit codes: 0 ended by Ctrl-C; 1 it could not start; 2 wrong arguments.";

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected 12 digits".to_owned())
    }
}

fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.split_last() {
        Some((number, words))
            if words.len() >= 2 && words.iter().all(is_word) && is_number(number) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("expected a region such as eu-west-1".to_owned()),
    }
}

/// Serves until Ctrl-C.
///
/// # Errors
/// What a template refused, or why the port cannot be listened on.
pub(crate) fn serve(arguments: &Serve) -> Result<(), String> {
    let mut aws = Aws::new(arguments.seed);
    aws.account.clone_from(&arguments.account);
    aws.region.clone_from(&arguments.region);
    if !arguments.empty {
        aws = deployed_to(aws)?;
    }
    if let Some(second) = &arguments.second_account {
        if *second == arguments.account {
            return Err(format!(
                "--second-account is {second}; expected another id than that of --account"
            ));
        }
        aws.add_account(second);
    }

    run_live(aws, arguments.speed, async |driver| {
        until_interrupted(driver, arguments).await
    })
    .map_err(|error| format!("failed to start: {error}"))?
}

async fn until_interrupted(driver: Driver, arguments: &Serve) -> Result<(), String> {
    let address = (Ipv4Addr::LOCALHOST, arguments.port);
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| {
        format!(
            "failed to listen on 127.0.0.1:{}: {error}; choose another port with --port",
            arguments.port
        )
    })?;
    let port = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .port();
    let guide = guide::guide(&driver.world.aws(), port, arguments.speed);

    println!("{guide}");
    let console = Rc::new(RefCell::new(Console::starting_at(&driver.world.aws())));
    let watch = |aws: &Aws| console.borrow_mut().watch(aws);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(|error| format!("failed to wait for Ctrl-C: {error}"))?;
        }
        () = driver.forever(watch) => {}
        () = http::accept(listener, driver.world.clone(), console.clone(), guide.into()) => {}
    }
    println!("\n{}", console.borrow().summary());

    Ok(())
}
