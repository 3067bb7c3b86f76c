//! argon2id, on threads of its own behind a bounded queue: hashing never stands in the way of other requests.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use crate::error::{Code, Error, Refusal, Result};

/// OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// How many passwords may wait; one more is answered 503.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&Argon2<'static>) + Send>;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher {
    queue: SyncSender<Job>,
    /// Verified where there is no user, so that an unknown address takes as long as a known one.
    nobody: Arc<str>,
}

impl Hasher {
    /// Starts `threads` threads.
    pub fn start(threads: usize) -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, None)
            .map_err(|e| Error::internal("setting argon2 up")(e.to_string()))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.max(1) {
            let (argon, jobs) = (argon.clone(), jobs.clone());
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || while next(&jobs).map(|job| job(&argon)).is_some() {})
                .map_err(Error::internal("starting a thread"))?;
        }
        let nobody = hash(&argon, &crate::secrets::random_token("")?)?;
        Ok(Self {
            queue,
            nobody: nobody.into(),
        })
    }

    /// The PHC string of `password`.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        self.run(move |argon| hash(argon, &password)).await?
    }

    /// Whether `password` is that of `stored`; without a stored hash it takes as long, and is false.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let matches = self
            .run(move |argon| verify(argon, &password, &stored))
            .await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |argon| {
            // Nobody waits any more when the caller has hung up.
            let _ = answer.send(work(argon));
        });
        self.queue
            .try_send(job)
            .map_err(|_| Refusal::from(Code::Overloaded).retry_after(2))?;
        wait.await.map_err(Error::internal("hashing a password"))
    }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

fn hash(argon: &Argon2<'static>, password: &SecretString) -> Result<String> {
    let hashed = argon.hash_password(password.expose_secret().as_bytes());
    hashed
        .map(|hash| hash.to_string())
        .map_err(|e| Error::internal("hashing a password")(e.to_string()))
}

fn verify(argon: &Argon2<'static>, password: &SecretString, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| {
        argon
            .verify_password(password.expose_secret().as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_told_to_come_back() {
        let hasher = Hasher::start(1).unwrap();
        let many = (0..QUEUE + 8).map(|_| hasher.verify("wrong".into(), None));
        let answers = join_all(many).await;
        let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert!((6..=8).contains(&refused.len()), "{}", refused.len());
        for error in refused {
            let Error::Refused(refusal) = error else {
                panic!("{error}")
            };
            assert_eq!(
                (refusal.code, refusal.retry_after),
                (Code::Overloaded, Some(2))
            );
        }
        assert!(!hasher.verify("wrong".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let hasher = Hasher::start(1).unwrap();
        let stored = hasher.hash("correct horse battery".into()).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(
            hasher
                .verify("correct horse battery".into(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify("correct horse batterz".into(), Some(stored))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify("correct horse battery".into(), None)
                .await
                .unwrap()
        );
    }
}
