//! argon2id, on threads of its own behind a bounded queue: hashing never stands in the way of other requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version, password_hash};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::password::prepare;
use crate::error::{Code, Error, Refusal, Result};

/// OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// How many passwords may wait; one more is answered 503.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher {
    queue: Sender<Job>,
    /// Those that wait and those that are worked on.
    places: Arc<Semaphore>,
    argon: Argon2<'static>,
    /// Verified where there is no user, so that an unknown address takes as long as a known one.
    nobody: Arc<str>,
}

impl Hasher {
    /// Starts `threads` threads.
    pub fn start(threads: usize) -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, None)
            .map_err(|e| Error::internal("setting argon2 up")(e.to_string()))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let (queue, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.max(1) {
            let jobs = jobs.clone();
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || while next(&jobs).map(guarded).is_some() {})
                .map_err(Error::internal("starting a thread"))?;
        }
        let nobody = hash(&argon, &crate::secrets::random_token("")?)?;
        Ok(Self {
            queue,
            places: Arc::new(Semaphore::new(QUEUE + threads.max(1))),
            argon,
            nobody: nobody.into(),
        })
    }

    /// A place for one password, before anything is done about it; a refusal where too many wait.
    pub fn reserve(&self) -> Result<Place> {
        let permit = self.places.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Refusal::from(Code::Overloaded).retry_after(2))?;
        Ok(Place(permit))
    }

    /// The PHC string of `password`.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        let (argon, place) = (self.argon.clone(), self.reserve()?);
        let password = prepared(&password);
        self.run(place, move || hash(&argon, &password)).await?
    }

    /// Whether `password` is that of `stored`; without a stored hash it takes as long, and is false.
    pub async fn verify(
        &self,
        place: Place,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool> {
        let (known, password) = (stored.is_some(), prepared(&password));
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let matches = self.run(place, move || verify(&password, &stored)).await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move || {
            let done = work();
            drop(place);
            // Nobody waits any more when the caller has hung up.
            let _ = answer.send(done);
        });
        let failed = "hashing a password";
        self.queue
            .send(job)
            .map_err(|_| Error::internal(failed)("nobody works"))?;
        wait.await.map_err(Error::internal(failed))
    }
}

/// What is hashed and compared of a password, whoever sends it.
fn prepared(password: &SecretString) -> SecretString {
    prepare(password.expose_secret()).into()
}

/// A place among the passwords that wait.
pub struct Place(
    #[allow(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

/// Does one job. One that panics answers nobody, and the thread goes on.
fn guarded(job: Job) {
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        tracing::error!("a password's job broke off");
    }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

fn hash(argon: &Argon2<'static>, password: &SecretString) -> Result<String> {
    let salt = crate::secrets::random::<16>()?;
    let hashed = output(argon, password, &salt).and_then(|output| {
        Ok(PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon.params())?,
            salt: Some(Salt::new(&salt)?),
            hash: Some(output),
        })
    });
    hashed
        .map(|hash| hash.to_string())
        .map_err(|e| Error::internal("hashing a password")(e.to_string()))
}

fn verify(password: &SecretString, stored: &str) -> bool {
    let matches = || {
        let stored = PasswordHash::new(stored).ok()?;
        let (algorithm, version) = (stored.algorithm.as_str(), stored.version?);
        let argon = Argon2::new(
            Algorithm::try_from(algorithm).ok()?,
            Version::try_from(version).ok()?,
            Params::try_from(&stored).ok()?,
        );
        let output = output(&argon, password, stored.salt.as_ref()?).ok()?;
        // Compares in constant time.
        Some(output == stored.hash?)
    };
    matches().unwrap_or(false)
}

/// What argon2 makes of a password. The C library keeps freed memory of up to 32 MiB for later, on each thread; a larger piece goes
/// back to the system at once, and what is only reserved takes none.
fn output(
    argon: &Argon2<'_>,
    password: &SecretString,
    salt: &[u8],
) -> password_hash::Result<Output> {
    const RESERVED: usize = 33 * 1024 * 1024 / Block::SIZE;
    let blocks = argon.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(RESERVED));
    memory.resize(blocks, Block::new());
    let length = argon.params().output_len();
    let mut output = vec![0; length.unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    let password = password.expose_secret().as_bytes();
    argon.hash_password_into_with_memory(password, salt, &mut output, &mut memory)?;
    Ok(Output::new(&output)?)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    async fn try_one(hasher: &Hasher, password: &str, stored: Option<String>) -> Result<bool> {
        let place = hasher.reserve()?;
        hasher.verify(place, password.into(), stored).await
    }

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_told_to_come_back() {
        let hasher = Hasher::start(1).unwrap();
        let many = (0..QUEUE + 8).map(|_| try_one(&hasher, "wrong", None));
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
        assert!(!try_one(&hasher, "wrong", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_job_that_panics_takes_no_thread_and_no_place_with_it() {
        let hasher = Hasher::start(1).unwrap();
        let places = hasher.places.available_permits();
        for _ in 0..3 {
            let place = hasher.reserve().unwrap();
            let broken = hasher.run(place, || panic!("on purpose")).await;
            assert!(broken.is_err());
        }
        assert!(!try_one(&hasher, "wrong", None).await.unwrap());
        assert_eq!(hasher.places.available_permits(), places);
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
            try_one(&hasher, "correct horse battery", Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !try_one(&hasher, "correct horse batterz", Some(stored))
                .await
                .unwrap()
        );
        assert!(
            !try_one(&hasher, "correct horse battery", None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_a_keyboard_makes_its_letters() {
        let hasher = Hasher::start(1).unwrap();
        let stored = hasher.hash("blåbær på æblegrød".into()).await.unwrap();
        let typed = "bla\u{30a}bær pa\u{30a}\u{a0}æblegrød";
        assert!(try_one(&hasher, typed, Some(stored)).await.unwrap());
    }

    /// The example of argon2's own command line, with more memory than ours takes.
    #[tokio::test]
    async fn a_hash_of_another_maker_is_verified_and_what_is_none_is_not() {
        let made = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let matches = |stored: &str| verify(&"password".into(), stored);
        assert!(matches(made));
        for broken in [
            made.replace("argon2id", "argon2i"),
            made.replace("t=2", "t=3"),
            made.replace("m=65536", "m=1"),
            made.replace("$CTF", "$DTF"),
            made.replace("v=19$", ""),
            String::new(),
        ] {
            assert!(!matches(&broken), "{broken}");
        }
    }
}
