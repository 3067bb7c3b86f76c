//! Secrets at rest and in hand: random tokens, their hashes, marks, sealed texts. Passwords and signatures are in `auth`.

mod sealing;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};

pub use sealing::{EarlierKeys, Sealer};

/// `N` bytes that nobody can guess.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| Error::internal("drawing random bytes")("the system's generator failed"))?;
    Ok(bytes)
}

/// An opaque token of 256 random bits behind `prefix`.
pub fn random_token(prefix: &str) -> Result<SecretString> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?)).into())
}

/// Whether a text has the shape of what `random_token` makes.
pub fn is_random_token(prefix: &str, text: &str) -> bool {
    let random = text.strip_prefix(prefix).unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    random.len() == 43 && random.bytes().all(is_digit)
}

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// The SHA-256 of `bytes`, in lower-case hex. For tokens of full entropy this is all that is stored.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Whether two texts are the same; how far they are alike does not show in the time.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// The SHA-256 of bytes that come one after the other.
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// That of all of them, in lower-case hex.
    pub fn hex(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    text
}

struct Bits256;

impl KeyType for Bits256 {
    fn len(&self) -> usize {
        32
    }
}

/// A key of 256 bits for `purpose` out of a private one.
fn derived(private: &[u8], purpose: &'static [u8]) -> Result<[u8; 32]> {
    let failed = |_| Error::internal("deriving a key")("no key came out");
    let secret = Salt::new(HKDF_SHA256, b"cps-api").extract(private);
    let mut key = [0; 32];
    let info = [purpose];
    let output = secret.expand(&info, Bits256).map_err(failed)?;
    output.fill(&mut key).map_err(failed)?;
    Ok(key)
}

/// A drawn key of 32 bytes has some 30 different ones; with fewer than this it was made up.
const LEAST_DIFFERENT: usize = 16;

/// Whether the bytes of a key were made up rather than drawn: the same few, or even steps.
pub fn is_made_up(key: &[u8]) -> bool {
    let different = |bytes: &mut dyn Iterator<Item = u8>| {
        bytes.collect::<BTreeSet<u8>>().len() < LEAST_DIFFERENT
    };
    let mut steps = key
        .iter()
        .zip(key.iter().skip(1))
        .map(|(one, next)| next.wrapping_sub(*one));
    different(&mut key.iter().copied()) || different(&mut steps)
}

/// How many bytes of an HMAC-SHA-256 a mark has.
const MARK: usize = 16;

/// Marks what callers hold for us, so that only what we gave them is taken back. Whoever holds it can read it.
#[derive(Clone)]
pub struct Marker {
    /// The first marks; all recognise, so that signing keys can rotate.
    keys: Arc<Vec<hmac::Key>>,
}

impl Marker {
    /// A marker whose keys are derived from the private signing keys, the newest first.
    pub fn derive(private_keys: &[&[u8]]) -> Result<Self> {
        let derived = private_keys.iter().map(|private| {
            let key = derived(private, b"marking v1")?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
        });
        Ok(Self {
            keys: Arc::new(derived.collect::<Result<_>>()?),
        })
    }

    /// `plain`, marked for `place` alone, as text.
    pub fn mark(&self, place: &str, plain: &[u8]) -> Option<String> {
        let mut whole = mark_of(self.keys.first()?, place, plain)?;
        whole.extend(plain);
        Some(URL_SAFE_NO_PAD.encode(whole))
    }

    /// What `mark` marked for this very place; none where no key of ours did.
    pub fn recognise(&self, place: &str, marked: &str) -> Option<Vec<u8>> {
        let whole = URL_SAFE_NO_PAD.decode(marked).ok()?;
        let (mark, plain) = whole.split_at_checked(MARK)?;
        let is_ours = |key: &hmac::Key| {
            mark_of(key, place, plain).is_some_and(|own| bool::from(own.ct_eq(mark)))
        };
        self.keys.iter().any(is_ours).then(|| plain.to_vec())
    }
}

fn mark_of(key: &hmac::Key, place: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let mut context = hmac::Context::with_key(key);
    // With its length before it, no place runs over into what stands behind it.
    context.update(&u64::try_from(place.len()).ok()?.to_be_bytes());
    context.update(place.as_bytes());
    context.update(plain);
    context.sign().as_ref().get(..MARK).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_has_a_shape() {
        let token = random_token("cpa_").unwrap();
        let token = token.expose_secret();
        assert!(is_random_token("cpa_", token) && !is_random_token("cpr_", token));
        for other in [
            &token[1..],
            &format!("{token}A"),
            "cpa_",
            "",
            &token.replace('_', "/"),
        ] {
            assert!(!is_random_token("cpa_", other), "{other}");
        }
    }

    #[test]
    fn what_is_marked_is_recognised_at_its_place_alone_and_with_the_old_key_too() {
        let old = Marker::derive(&[b"old"]).unwrap();
        let marked = old.mark("/v1/models", b"eos").unwrap();
        let rotated = Marker::derive(&[b"new", b"old"]).unwrap();
        assert_eq!(rotated.recognise("/v1/models", &marked).unwrap(), b"eos");
        assert_eq!(old.recognise("/v1/model", &marked), None);
        assert_eq!(
            Marker::derive(&[b"new"])
                .unwrap()
                .recognise("/v1/models", &marked),
            None
        );
        assert_eq!(old.recognise("/v1/models", ""), None);
        for at in 0..marked.len() {
            let mut other = marked.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(old.recognise("/v1/models", &other), None, "{at}");
        }
    }
}
