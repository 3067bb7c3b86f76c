//! How a job ends that does not go well: cut off at its limit, broken off, or with an error; and the class that staff see of it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot::error::RecvError;

use crate::domain::job::JobError;
use crate::error::{Error, Result};
use crate::integrations::mail;
use crate::repository::jobs::Failure;

/// Does `work`, for `limit` at most. What it panics with is a failure of the job and ends nothing else.
pub async fn guarded(
    work: impl Future<Output = Result<()>>,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    let caught = AssertUnwindSafe(work).catch_unwind();
    let ended = match limit {
        Some(limit) => match tokio::time::timeout(limit, caught).await {
            Ok(ended) => ended,
            Err(_) => {
                return Err(Failure {
                    class: JobError::Timeout,
                    cause: format!("it took longer than {} s", limit.as_secs_f32()),
                });
            }
        },
        None => caught.await,
    };
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure {
            class: class(&error),
            cause: error.to_string(),
        }),
        Err(_) => Err(crashed("it panicked")),
    }
}

/// The failure of a job that broke off.
pub fn crashed(cause: &str) -> Failure {
    Failure {
        class: JobError::Crashed,
        cause: cause.to_owned(),
    }
}

fn class(error: &Error) -> JobError {
    match error {
        Error::Refused(_) => JobError::Refused,
        Error::Contended | Error::LeaseLost => JobError::Contended,
        Error::Busy | Error::Broken(_) | Error::StorageFull(_) => JobError::Unavailable,
        // A thread of the database that panics never answers.
        Error::Internal { cause, .. } if cause.is::<RecvError>() => JobError::Crashed,
        Error::Internal { cause, .. } => {
            mail::failure_class(cause.as_ref()).unwrap_or(JobError::Internal)
        }
        Error::Database(_) => JobError::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    async fn class_of(work: impl Future<Output = Result<()>>) -> JobError {
        let limit = Some(Duration::from_millis(20));
        guarded(work, limit).await.unwrap_err().class
    }

    #[tokio::test]
    async fn a_job_that_hangs_is_cut_off() {
        assert_eq!(class_of(std::future::pending()).await, JobError::Timeout);
    }

    #[tokio::test]
    async fn a_job_that_panics_has_failed_and_nobody_else_has() {
        let panics = async {
            assert_eq!("what it found", "what it looked for");
            Ok(())
        };
        assert_eq!(class_of(panics).await, JobError::Crashed);
        guarded(async { Ok(()) }, None).await.unwrap();
    }

    #[tokio::test]
    async fn an_error_has_the_class_of_its_cause() {
        for (error, class) in [
            (Error::from(Code::AlreadyMember), JobError::Refused),
            (Error::Contended, JobError::Contended),
            (Error::Broken("away".to_owned()), JobError::Unavailable),
            (Error::internal("doing it")("why"), JobError::Internal),
        ] {
            assert_eq!(class_of(async { Err(error) }).await, class);
        }
    }
}
