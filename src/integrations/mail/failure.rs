//! What a mail server's failure comes to, for whoever looks at the job that met it.

use std::error::Error;

use lettre::transport::smtp;

use crate::domain::job::JobError;

/// The class of a failure of the mail server; none where it is something else.
pub fn failure_class(cause: &(dyn Error + Send + Sync + 'static)) -> Option<JobError> {
    let error = cause.downcast_ref::<smtp::Error>()?;
    Some(if error.is_timeout() {
        JobError::Timeout
    } else if error.is_transient() || error.is_permanent() {
        JobError::Refused
    } else {
        JobError::Unavailable
    })
}
