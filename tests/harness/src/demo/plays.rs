//! Plays a chapter, from its push on or from any moment at which its account was at rest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emulator::{Aws, Millis};
use invariants::Invariants;

use super::{
    CHAPTER_LIMIT, Chapter, Operator, PROMISES, Release, approval, approve, check_end,
    check_instant, check_outcome, enable, is_at_transition, is_baking, is_settled, push, recorded,
    stop,
};
use crate::driver::{Driver, Fault, Ran, Watch, run};

/// How long the account is watched after a release whose event is delivered twice.
const LATE_DELIVERY: Duration = Duration::from_secs(1_200);

/// How long an execution waits for an operator who enables its transition.
const HOUR: Millis = 3_600_000;

/// What a chapter left behind.
#[derive(Debug)]
pub struct Played {
    pub release: Release,
    pub aws: Aws,
    /// The attempts of functions, in order, for tests that break one of them.
    pub ran: Vec<Ran>,
}

/// A chapter at rest: no attempt of a function runs, and the next is about to start.
///
/// What goes wrong later in the chapter is played from here, without all that was before. Functions
/// get new containers, so that the first attempt of each assumes its deploy role.
#[derive(Clone, Debug)]
pub struct Rest {
    aws: Aws,
    invariants: Invariants,
    pushed: Pushed,
    has_operated: bool,
    /// How many attempts had started.
    pub started: usize,
}

#[derive(Clone, Debug)]
struct Pushed {
    digest: String,
    at: Millis,
}

impl Rest {
    /// The account at rest.
    #[must_use]
    pub fn account(&self) -> &Aws {
        &self.aws
    }
}

/// A chapter that is being played.
struct Play<'a> {
    chapter: &'a Chapter,
    driver: Driver,
    invariants: Arc<Mutex<Invariants>>,
    pushed: Pushed,
    /// Whether the operator has done what the chapter has for one.
    has_operated: Rc<Cell<bool>>,
}

/// Plays one chapter on an account, with a fault, showing every instant to `watch`.
///
/// # Errors
/// An invariant that did not hold, or an ending other than the chapter's.
pub fn play(
    aws: Aws,
    chapter: &Chapter,
    fault: Fault,
    watch: &mut dyn FnMut(&Aws),
) -> Result<Played, String> {
    let invariants = Invariants::new(&PROMISES).resumed(&aws);
    run(aws, fault, async |driver| {
        let play = Play::begin(driver, chapter, invariants)?;
        play.finish(fault, watch).await
    })
}

/// Plays one chapter without a fault, and keeps every moment of rest.
///
/// # Errors
/// As [`play`].
pub fn play_with_rests(aws: Aws, chapter: &Chapter) -> Result<(Played, Vec<Rest>), String> {
    let invariants = Invariants::new(&PROMISES).resumed(&aws);
    run(aws, Fault::None, async |driver| {
        let play = Play::begin(driver, chapter, invariants)?;
        let rests = play.rests();
        let played = play.finish(Fault::None, &mut |_| {}).await?;
        Ok((played, rests.take()))
    })
}

/// Plays a chapter from a moment of rest on. The attempts of the fault are counted from there.
///
/// # Errors
/// As [`play`].
pub fn play_from(rest: &Rest, chapter: &Chapter, fault: Fault) -> Result<Played, String> {
    run(rest.aws.clone(), fault, async |driver| {
        let play = Play {
            chapter,
            driver,
            invariants: Arc::new(Mutex::new(rest.invariants.clone())),
            pushed: rest.pushed.clone(),
            has_operated: Rc::new(Cell::new(rest.has_operated)),
        };
        play.finish(fault, &mut |_| {}).await
    })
}

impl<'a> Play<'a> {
    fn begin(driver: Driver, chapter: &'a Chapter, invariants: Invariants) -> Result<Self, String> {
        let at = driver.world.clock.now();
        let digest = push(&mut driver.world.aws(), chapter)?;
        Ok(Self {
            chapter,
            driver,
            invariants: Arc::new(Mutex::new(invariants)),
            pushed: Pushed { digest, at },
            has_operated: Rc::default(),
        })
    }

    /// The moments of rest from now on, as they come.
    fn rests(&self) -> Rc<RefCell<Vec<Rest>>> {
        let rests = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&rests);
        let (invariants, has_operated) =
            (Arc::clone(&self.invariants), Rc::clone(&self.has_operated));
        let pushed = self.pushed.clone();

        self.driver.at_rest(move |aws, started| {
            let invariants = invariants.lock().unwrap_or_else(PoisonError::into_inner);
            kept.borrow_mut().push(Rest {
                aws: aws.clone(),
                invariants: invariants.clone(),
                pushed: pushed.clone(),
                has_operated: has_operated.get(),
                started,
            });
        });
        rests
    }

    /// Lets the operator of the chapter act when the time has come.
    async fn operate(&self, check: Watch<'_>) -> Result<(), String> {
        let Self {
            chapter, driver, ..
        } = self;
        let Pushed { digest, at } = &self.pushed;
        match chapter.operator {
            Operator::Watches => return Ok(()),
            Operator::StopsInBake => {
                let baking = |aws: &Aws| is_baking(aws, chapter, digest, *at);
                driver.until(CHAPTER_LIMIT, check, baking).await?;
                stop(&mut driver.world.aws(), chapter, digest, *at)?;
            }
            Operator::Approves => {
                let waits = |aws: &Aws| approval(aws, chapter, digest, *at).is_some();
                driver.until(CHAPTER_LIMIT, check, waits).await?;
                approve(&mut driver.world.aws(), chapter, digest, *at)?;
            }
            Operator::EnablesTransition => {
                let waiting = |aws: &Aws| is_at_transition(aws, chapter, digest, *at);
                driver.until(CHAPTER_LIMIT, &mut *check, waiting).await?;
                let then = driver.world.clock.now() + HOUR;
                let over = |aws: &Aws| aws.now >= then;
                driver.until(CHAPTER_LIMIT, check, over).await?;
                enable(&mut driver.world.aws(), chapter)?;
            }
        }
        driver.world.touch();
        Ok(())
    }

    async fn finish(self, fault: Fault, watch: &mut dyn FnMut(&Aws)) -> Result<Played, String> {
        let Self {
            chapter, driver, ..
        } = &self;
        let Pushed { digest, at } = &self.pushed;
        let broken = Invariants::witness(&self.invariants, &driver.world);

        let mut check = |aws: &Aws| {
            watch(aws);
            check_instant(&self.invariants, &broken, aws)
        };
        if !self.has_operated.get() {
            self.operate(&mut check).await?;
            self.has_operated.set(true);
        }

        let over = |aws: &Aws| is_settled(aws, chapter, digest, *at);
        driver.until(CHAPTER_LIMIT, &mut check, over).await?;

        if matches!(fault, Fault::Duplicate { .. }) {
            // The late delivery may still be on its way: it must find nothing to change.
            let late = driver.world.clock.now() + LATE_DELIVERY.as_millis() as Millis;
            let over = |aws: &Aws| aws.now >= late;
            driver.until(CHAPTER_LIMIT, &mut check, over).await?;
        }

        let costs = driver.cost_by_execution();
        let aws = driver.world.take();
        check_end(&self.invariants, driver, &aws)?;
        let release = recorded(&costs, &aws, chapter, digest, *at)?;
        check_outcome(chapter, &release)?;

        Ok(Played {
            release,
            aws,
            ran: driver.ran(),
        })
    }
}
