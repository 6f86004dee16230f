//! What repositories are seen to do, so that nobody asks them in vain again and again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::checksum::Algorithm;
use super::coordinate::Text;
use super::repository::Remote;

/// Times that a kind of checksum may be missing before it is asked for last.
const PATIENCE: usize = 8;

/// How often something was there, and how often it was not.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    there: usize,
    missing: usize,
}

impl Tally {
    fn note(&mut self, is_there: bool) {
        *(if is_there { &mut self.there } else { &mut self.missing }) += 1;
    }
}

/// Habits of one repository.
#[derive(Debug, Default)]
struct Habit {
    files: Tally,
    sums: HashMap<Algorithm, Tally>,
}

impl Habit {
    fn sum(&self, algorithm: Algorithm) -> Tally {
        self.sums.get(&algorithm).copied().unwrap_or_default()
    }

    fn is_worth_asking(&self, algorithm: Algorithm) -> bool {
        let Tally { there, missing } = self.sum(algorithm);
        there > 0 || missing < PATIENCE
    }
}

/// Habits of all repositories.
#[derive(Debug, Default)]
pub(super) struct Habits(Mutex<HashMap<Text, Habit>>);

impl Habits {
    fn with<T>(&self, remote: &Remote, act: impl FnOnce(&mut Habit) -> T) -> T {
        let mut habits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(habits.entry(remote.shown.as_str().into()).or_default())
    }

    /// A file was asked for.
    pub(super) fn file(&self, remote: &Remote, is_there: bool) {
        self.with(remote, |habit| habit.files.note(is_there));
    }

    /// A checksum was asked for.
    pub(super) fn sum(&self, remote: &Remote, algorithm: Algorithm, is_there: bool) {
        self.with(remote, |habit| habit.sums.entry(algorithm).or_default().note(is_there));
    }

    /// All kinds of checksum, the best first, but those that never were there last.
    pub(super) fn in_order(&self, remote: &Remote) -> Vec<Algorithm> {
        self.with(remote, |habit| {
            let (first, last): (Vec<_>, Vec<_>) =
                Algorithm::ALL.into_iter().partition(|algorithm| habit.is_worth_asking(*algorithm));
            [first, last].concat()
        })
    }

    /// The best kind that may be there, if it was there before and the repository has most of what it is asked for.
    pub(super) fn usual(&self, remote: &Remote) -> Option<Algorithm> {
        self.with(remote, |habit| {
            let best = Algorithm::ALL.into_iter().find(|algorithm| habit.is_worth_asking(*algorithm))?;
            let is_usual = habit.sum(best).there > 0 && habit.files.there >= habit.files.missing;
            is_usual.then_some(best)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maven::repository::Closed;

    fn remote(shown: &str) -> Remote {
        Remote {
            id: shown.into(),
            url: Err(Closed::Blocked),
            shown: shown.to_owned(),
            releases: true,
            snapshots: true,
            insecure: false,
            named: true,
            identity: crate::fetch::Identity::default(),
        }
    }

    #[test]
    fn what_never_was_there_is_soon_asked_for_last() {
        let (habits, remote, other) = (Habits::default(), remote("a"), remote("b"));
        for _ in 0..PATIENCE {
            assert_eq!(habits.in_order(&remote), Algorithm::ALL);
            habits.sum(&remote, Algorithm::Sha512, false);
        }
        let [sha512, rest @ ..] = Algorithm::ALL;
        assert_eq!(habits.in_order(&remote), [rest.as_slice(), &[sha512]].concat());
        assert_eq!(habits.in_order(&other), Algorithm::ALL, "each repository has its own habits");
        habits.sum(&remote, Algorithm::Sha512, true);
        assert_eq!(habits.in_order(&remote), Algorithm::ALL, "it was there after all");
    }

    #[test]
    fn only_what_is_known_to_be_there_is_asked_for_early() {
        let (habits, remote) = (Habits::default(), remote("a"));
        assert_eq!(habits.usual(&remote), None);
        habits.file(&remote, true);
        habits.sum(&remote, Algorithm::Sha1, true);
        assert_eq!(habits.usual(&remote), None, "a better one may be there");
        for better in [Algorithm::Sha512, Algorithm::Sha256] {
            (0..PATIENCE).for_each(|_| habits.sum(&remote, better, false));
        }
        assert_eq!(habits.usual(&remote), Some(Algorithm::Sha1));
        (0..2).for_each(|_| habits.file(&remote, false));
        assert_eq!(habits.usual(&remote), None, "it has nearly nothing");
    }
}
