//! Sealing what has to be stored but not read from the database: mails on their way, codes, answers to keys.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{derived, hex, is_made_up, random};
use crate::error::{Error, Result};

/// How many bytes a key has.
const KEY: usize = 32;
/// How many bytes of what is derived from a key name it.
const ID: usize = 6;

/// Seals with keys of its own, and makes fingerprints with them.
#[derive(Clone)]
pub struct Sealer {
    /// The first seals; all open, so that keys can rotate.
    keys: Arc<Vec<Key>>,
    earlier: EarlierKeys,
    fingerprints: hmac::Key,
}

struct Key {
    /// Stands before what it sealed.
    id: String,
    cipher: RandomizedNonceKey,
}

/// Keys derived from the signing keys: they open what names no key, since it was sealed before sealing had keys of its own.
#[derive(Clone)]
pub struct EarlierKeys(Arc<Vec<RandomizedNonceKey>>);

impl EarlierKeys {
    /// Those of private signing keys.
    pub fn derive(private_keys: &[&[u8]]) -> Result<Self> {
        let keys = private_keys
            .iter()
            .map(|private| cipher(&derived(private, b"sealing v1")?));
        Ok(Self(Arc::new(keys.collect::<Result<_>>()?)))
    }
}

fn cipher(key: &[u8; KEY]) -> Result<RandomizedNonceKey> {
    RandomizedNonceKey::new(&AES_256_GCM, key)
        .map_err(|_| Error::internal("setting a sealing key up")("the cipher refuses it"))
}

impl Key {
    fn of(key: &[u8; KEY]) -> Result<Self> {
        let id = derived(key, b"key id v1")?;
        Ok(Self {
            id: hex(id.get(..ID).unwrap_or_default()),
            cipher: cipher(&derived(key, b"sealing v2")?)?,
        })
    }
}

/// The keys of a file's text, one or two lines of 64 hex digits, or why they cannot be used.
fn keys_of(text: &str) -> Result<Vec<[u8; KEY]>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys = lines
        .map(|line| bytes_of(line).ok_or("a line in it is not 64 hex digits".to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    match keys.as_slice() {
        [one, two] if one == two => Err("the same key is in it twice".to_owned()),
        keys if !(1..=2).contains(&keys.len()) => Err(format!(
            "one or two keys are needed, {} are there",
            keys.len()
        )),
        keys if keys.iter().any(|key| is_made_up(key)) => {
            Err("a key in it can be guessed".to_owned())
        }
        _ => Ok(keys),
    }
}

fn bytes_of(line: &str) -> Option<[u8; KEY]> {
    let digits: Option<Vec<u8>> = line
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then_some(())?;
    bytes.try_into().ok()
}

impl Sealer {
    /// A sealer with the keys of a file's text: one or two lines of 64 hex digits, the newest first.
    pub fn read(text: &str, earlier: EarlierKeys) -> Result<Self> {
        let keys = keys_of(text).map_err(Error::internal("reading the sealing keys"))?;
        let newest = keys.first().copied().unwrap_or_default();
        let fingerprints = derived(&newest, b"fingerprints v1")?;
        Ok(Self {
            keys: Arc::new(keys.iter().map(Key::of).collect::<Result<_>>()?),
            earlier,
            fingerprints: hmac::Key::new(hmac::HMAC_SHA256, &fingerprints),
        })
    }

    /// Why the text of a file of keys cannot be used.
    pub fn check(text: &str) -> Result<(), String> {
        keys_of(text).map(drop)
    }

    /// A new key, as a file has it.
    pub fn generate() -> Result<String> {
        Ok(hex(&random::<KEY>()?))
    }

    /// What stands for `text` where it has to be recognised but not read: the same on every instance, in lower-case hex.
    pub fn fingerprint(&self, text: &str) -> String {
        hex(hmac::sign(&self.fingerprints, text.as_bytes()).as_ref())
    }

    /// `plain`, sealed, as text that names its key.
    pub fn seal(&self, plain: &[u8]) -> Result<String> {
        let failed = "sealing";
        let key = self
            .keys
            .first()
            .ok_or_else(|| Error::internal(failed)("there is no key"))?;
        let mut sealed = plain.to_vec();
        let nonce = key
            .cipher
            .seal_in_place_append_tag(Aad::empty(), &mut sealed)
            .map_err(|_| Error::internal(failed)("the cipher failed"))?;
        let mut whole = nonce.as_ref().to_vec();
        whole.extend(sealed);
        Ok(format!("{}.{}", key.id, URL_SAFE_NO_PAD.encode(whole)))
    }

    /// What `seal` sealed; none where the key that it names is gone, an error where it is not what that key sealed.
    pub fn open(&self, sealed: &str) -> Result<Option<Vec<u8>>> {
        let Some((id, body)) = sealed.split_once('.') else {
            let mut opened = self.earlier.0.iter().map(|cipher| opened(cipher, sealed));
            return Ok(opened.find_map(|plain| plain));
        };
        let Some(key) = self.keys.iter().find(|key| key.id == id) else {
            return Ok(None);
        };
        let plain = opened(&key.cipher, body);
        let not_sealed = || Error::internal("opening what was sealed")("its key did not seal it");
        plain.map(Some).ok_or_else(not_sealed)
    }
}

fn opened(cipher: &RandomizedNonceKey, body: &str) -> Option<Vec<u8>> {
    let whole = URL_SAFE_NO_PAD.decode(body).ok()?;
    let (nonce, body) = whole.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = body.to_vec();
    let plain = cipher.open_in_place(nonce, Aad::empty(), &mut body).ok()?;
    Some(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(keys: &[&str]) -> Sealer {
        Sealer::read(&keys.join("\n"), EarlierKeys(Arc::default())).unwrap()
    }

    fn drawn() -> String {
        Sealer::generate().unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_key_before_too_and_never_twice_the_same() {
        let (old, new) = (drawn(), drawn());
        let sealed = sealer(&[&old]).seal(b"a link").unwrap();
        let rotated = sealer(&[&new, &old]);
        assert_eq!(rotated.open(&sealed).unwrap().unwrap(), b"a link");
        assert_ne!(sealer(&[&old]).seal(b"a link").unwrap(), sealed);
        let again = rotated.seal(b"a link").unwrap();
        assert_eq!(sealer(&[&new]).open(&again).unwrap().unwrap(), b"a link");
    }

    #[test]
    fn a_key_that_is_gone_is_told_from_what_it_did_not_seal() {
        let (old, new) = (drawn(), drawn());
        let sealed = sealer(&[&old]).seal(b"a link").unwrap();
        assert_eq!(sealer(&[&new]).open(&sealed).unwrap(), None);
        for broken in [format!("{sealed}A"), sealed[..sealed.len() - 4].to_owned()] {
            assert!(sealer(&[&old]).open(&broken).is_err(), "{broken}");
        }
        let (id, _) = sealed.split_once('.').unwrap();
        let (_, other) = sealer(&[&new])
            .seal(b"a link")
            .unwrap()
            .split_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(sealer(&[&old]).open(&format!("{id}.{other}")).is_err());
    }

    #[test]
    fn what_names_no_key_opens_with_those_of_before() {
        let earlier = EarlierKeys::derive(&[b"a signing key"]).unwrap();
        let mut body = b"a link".to_vec();
        let nonce = earlier.0[0].seal_in_place_append_tag(Aad::empty(), &mut body);
        let whole = [&nonce.unwrap().as_ref()[..], &body].concat();
        let sealed = URL_SAFE_NO_PAD.encode(whole);
        let with = Sealer::read(&drawn(), earlier).unwrap();
        assert_eq!(with.open(&sealed).unwrap().unwrap(), b"a link");
        assert_eq!(sealer(&[&drawn()]).open(&sealed).unwrap(), None);
    }

    #[test]
    fn a_fingerprint_is_the_same_on_every_instance_and_needs_the_key() {
        let (key, other) = (drawn(), drawn());
        let of = |key: &str, text| sealer(&[key]).fingerprint(text);
        assert_eq!(of(&key, "192.0.2.1"), of(&key, "192.0.2.1"));
        assert_ne!(of(&key, "192.0.2.1"), of(&other, "192.0.2.1"));
        assert_ne!(of(&key, "192.0.2.1"), of(&key, "192.0.2.2"));
    }

    #[test]
    fn a_file_has_one_or_two_keys_that_nobody_can_guess() {
        let (one, two) = (drawn(), drawn());
        for good in [
            one.clone(),
            format!("{one}\n"),
            format!("{one}\r\n\n{}\n", two.to_uppercase()),
        ] {
            assert_eq!(Sealer::check(&good), Ok(()), "{good:?}");
        }
        let steps: String = (1..=32).map(|n| format!("{n:02x}")).collect();
        for (text, told) in [
            (String::new(), "0 are there"),
            (format!("{one}\n{two}\n{}", drawn()), "3 are there"),
            (format!("{one}\n{}", one.to_uppercase()), "twice"),
            (one[..62].to_owned(), "64 hex digits"),
            (format!("{one}00"), "64 hex digits"),
            (format!("{}æ", &one[..62]), "64 hex digits"),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), "64 hex digits"),
            ("0".repeat(64), "guessed"),
            ("deadbeef".repeat(8), "guessed"),
            (steps, "guessed"),
        ] {
            let fault = Sealer::check(&text).unwrap_err();
            assert!(fault.contains(told), "{text:?}: {fault}");
        }
    }
}
