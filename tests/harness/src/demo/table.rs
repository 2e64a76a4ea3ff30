//! What `cargo sandbox --pipeline NAME` plays, and how `--list` explains it: one row a name.

use emulator::Aws;
use emulator::ecr::Behaviour;
use slipway::release::Outcome;

use super::stacks::{SHOP, change};
use super::{
    CHAPTERS, Chapter, Image, canary, custom_actions, deployed, dns, freeze, migration, promotion,
};

/// Tries what AWS refuses; its words.
pub type Refuse = fn(&Aws) -> Result<String, String>;

/// A demo: an account, and what is played on it.
pub struct Demo {
    pub name: &'static str,
    /// A line for `--list`.
    pub about: &'static str,
    /// What is deployed first.
    pub deploys: &'static str,
    open: fn(u64) -> Result<Aws, String>,
    scenes: fn() -> Vec<Scene>,
    /// What is refused at the end, in a line that states it.
    pub refused: Option<Refuse>,
}

/// One chapter with what happens before it.
pub struct Scene {
    pub chapter: Chapter,
    prepare: Prepare,
}

/// What happens to the account before a chapter.
type Prepare = Box<dyn Fn(Aws) -> Result<Aws, String>>;

impl Demo {
    /// The account before the first chapter.
    ///
    /// # Errors
    /// What a template refused, or what did not become steady.
    pub fn open(&self, seed: u64) -> Result<Aws, String> {
        (self.open)(seed)
    }

    /// What is played, in order.
    #[must_use]
    pub fn scenes(&self) -> Vec<Scene> {
        (self.scenes)()
    }

    /// The demo of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        DEMOS.iter().find(|demo| demo.name == name)
    }
}

impl Scene {
    fn of(chapter: Chapter) -> Self {
        Self::after(chapter, Ok)
    }

    fn after(chapter: Chapter, prepare: impl Fn(Aws) -> Result<Aws, String> + 'static) -> Self {
        Self {
            chapter,
            prepare: Box::new(prepare),
        }
    }

    /// The account as the chapter begins.
    ///
    /// # Errors
    /// What could not be prepared.
    pub fn prepared(&self, aws: Aws) -> Result<Aws, String> {
        (self.prepare)(aws)
    }
}

/// The demos by name.
pub static DEMOS: [Demo; 12] = [
    Demo {
        name: "in-place",
        about: "the releases in place of the demo without a name: web doubles, the counter makes \
            room",
        deploys: "infra/pipelines/in-place.yaml for two services",
        open: deployed,
        scenes: || all_of(&CHAPTERS[..6]),
        refused: None,
    },
    Demo {
        name: "rolling",
        about: "the tasks of a service are replaced one after the other, within a floor and a \
            ceiling; a broken image is rolled back",
        deploys: "infra/pipelines/in-place.yaml with a ceiling of 150 %",
        open: |seed| {
            let bounds = [
                ("Strategy", "rolling"),
                ("MinimumHealthyPercent", "100"),
                ("MaximumPercent", "150"),
            ];
            of_web(seed, &bounds)
        },
        scenes: of_one_service,
        refused: None,
    },
    Demo {
        name: "doubling",
        about: "a complete second set of tasks starts before the first stops; a broken image is \
            rolled back",
        deploys: "infra/pipelines/in-place.yaml with the strategy doubling",
        open: |seed| of_web(seed, &[("Strategy", "doubling")]),
        scenes: of_one_service,
        refused: None,
    },
    Demo {
        name: "make-room",
        about: "on full instances a task stops before its replacement starts",
        deploys: "infra/pipelines/in-place.yaml for a service with a static host port",
        open: deployed,
        scenes: || all_of(&CHAPTERS[3..5]),
        refused: None,
    },
    Demo {
        name: "blue-green",
        about: "a second colour is filled and gets all traffic at once; a bad image and an \
            operator's stop bring the first one back",
        deploys: "infra/pipelines/blue-green.yaml with one step",
        open: |seed| {
            let mut aws = deployed(seed)?;
            change(&mut aws, "shop-pipeline", &[("Shift", "all-at-once")])?;
            Ok(aws)
        },
        scenes: || all_of(&[CHAPTERS[6], AT_ONCE, CHAPTERS[8], CHAPTERS[9]]),
        refused: None,
    },
    Demo {
        name: "linear",
        about: "the second colour gets the traffic in steps of 20 %; one that fails in its bake \
            gives it back",
        deploys: "infra/pipelines/blue-green.yaml with equal steps",
        open: deployed,
        scenes: || all_of(&CHAPTERS[6..9]),
        refused: None,
    },
    Demo {
        name: "canary",
        about: "the second colour is judged by metrics at a small share of the traffic: images \
            that respond well, badly, slowly and not at all",
        deploys: "infra/pipelines/canary.yaml; an hour of requests passes",
        open: |seed| canary::opened(seed, &[]),
        scenes: || {
            let judged = canary::CASES.into_iter().map(|case| {
                Scene::after(case.chapter(), move |mut aws| {
                    case.prepare(&mut aws)?;
                    Ok(aws)
                })
            });
            judged.collect()
        },
        refused: None,
    },
    Demo {
        name: "dns",
        about: "the traffic goes to a second colour by two weighted records of Route 53",
        deploys: "infra/service.yaml twice, two weighted records and infra/pipelines/dns.yaml",
        open: |seed| dns::opened(seed, &[], &[]),
        scenes: || {
            let chapters = dns::CHAPTERS.into_iter();
            chapters
                .map(|chapter| Scene::after(chapter, dns::all_follow))
                .collect()
        },
        refused: None,
    },
    Demo {
        name: "promotion",
        about: "a commit is built once; its image goes from Dev by way of CI and UAT to \
            production, and stops where a test fails",
        deploys: "four services with their deploy roles, and infra/pipelines/promotion.yaml",
        open: |seed| promotion::opened(seed, &[]),
        scenes: || all_of(&promotion::CHAPTERS),
        refused: None,
    },
    Demo {
        name: "migration",
        about: "a command runs once before each update; one that fails leaves the service alone",
        deploys: "infra/pipelines/in-place.yaml with a command",
        open: migration::opened,
        scenes: || {
            let chapters = migration::CHAPTERS.into_iter();
            let of = |(chapter, exit_code)| {
                Scene::after(chapter, move |mut aws| {
                    migration::exits_with(&mut aws, exit_code);
                    Ok(aws)
                })
            };
            chapters.map(of).collect()
        },
        refused: None,
    },
    Demo {
        name: "freeze",
        about: "releases are held back: by a window that begins in mid-shift, by one of 62 hours, \
            and by a line that a failed one stops until an operator lets it go on",
        deploys: "infra/pipelines/blue-green.yaml; the shop is released once",
        open: freeze::opened,
        scenes: || {
            let cases = freeze::CASES.into_iter().map(|case| {
                Scene::after(case.chapter, move |mut aws| {
                    case.prepare(&mut aws)?;
                    Ok(aws)
                })
            });
            cases.collect()
        },
        refused: None,
    },
    Demo {
        name: "custom-actions",
        about: "a service and a pair whose pipelines are of custom actions with named properties",
        deploys: "infra/action-types.yaml, and infra/pipelines/custom-actions.yaml twice",
        open: custom_actions::opened,
        scenes: || all_of(&custom_actions::CHAPTERS),
        refused: Some(|aws| {
            let refused = custom_actions::misspelt(aws)?;
            Ok(format!("a misspelt property is refused: {refused}"))
        }),
    },
];

/// The second release of the shop where all traffic moves at once.
const AT_ONCE: Chapter = Chapter {
    title: "a new version, all at once",
    application: SHOP,
    tag: "1.1.0",
    image: Image::New(Behaviour::Healthy),
    operator: super::Operator::Watches,
    outcome: Outcome::Deployed,
    reason: "it ran shop-green:",
};

fn all_of(chapters: &[Chapter]) -> Vec<Scene> {
    chapters.iter().copied().map(Scene::of).collect()
}

/// The first release of web, a new version, and a broken image.
fn of_one_service() -> Vec<Scene> {
    all_of(&[CHAPTERS[0], CHAPTERS[1], CHAPTERS[5]])
}

/// The demo's account with other parameters of web's pipeline.
fn of_web(seed: u64, changes: &[(&str, &str)]) -> Result<Aws, String> {
    let mut aws = deployed(seed)?;
    change(&mut aws, "web-pipeline", changes)?;
    Ok(aws)
}
