use std::cell::Cell;

use super::*;
use crate::error::Reason;

#[derive(Debug, thiserror::Error)]
#[error("the server is busy")]
struct Busy {
    transient: bool,
    after: Option<Duration>,
}

impl Diagnose for Busy {
    fn reason(&self) -> Reason {
        Reason::DownloadFailed
    }

    fn is_transient(&self) -> bool {
        self.transient
    }

    fn retry_after(&self) -> Option<Duration> {
        self.after
    }
}

const FAST: RetryPolicy =
    RetryPolicy { retries: 3, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(40) };

async fn tries(transient: bool, after: Option<Duration>, succeed_at: usize) -> (usize, bool) {
    let count = Cell::new(0);
    let result = FAST
        .run(|| async {
            count.set(count.get() + 1);
            if count.get() == succeed_at { Ok(()) } else { Err(Busy { transient, after }) }
        })
        .await;
    (count.get(), result.is_ok())
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again() {
    assert_eq!(tries(true, None, 1).await, (1, true));
    assert_eq!(tries(true, None, 3).await, (3, true));
    assert_eq!(tries(true, None, 9).await, (4, false));
    assert_eq!(tries(false, None, 3).await, (1, false));
}

#[tokio::test]
async fn the_servers_wish_is_heard_up_to_the_longest_wait() {
    let start = std::time::Instant::now();
    assert_eq!(tries(true, Some(Duration::from_hours(1)), 2).await, (2, true));
    let waited = start.elapsed();
    assert!(waited >= FAST.longest_wait && waited < Duration::from_secs(5), "{waited:?}");
}
