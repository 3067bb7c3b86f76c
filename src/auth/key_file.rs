//! The text of a key file: one or two Ed25519 private keys that nobody can guess. What is done with them is in `tokens`.

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::Ed25519KeyPair;

use crate::secrets::{hex, is_made_up};

/// The seeds of keys that are printed: RFC 8032, section 7.1 (the first is that of RFC 8037 too), and RFC 8410, section 10.3.
const PRINTED: [&str; 4] = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f83bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7d",
    "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
];

/// The keys (PKCS #8) of a PEM text, or why they cannot be used.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let blocks = ::pem::parse_many(text).map_err(|e| e.to_string())?;
    if blocks.len() != text.matches("-----BEGIN").count() {
        return Err("a key in it is not whole".to_owned());
    }
    if !(1..=2).contains(&blocks.len()) {
        return Err(format!(
            "one or two Ed25519 keys are needed, {} are there",
            blocks.len()
        ));
    }
    let mut seeds = Vec::new();
    for block in &blocks {
        let seed = match block.tag() {
            "PRIVATE KEY" => seed(block.contents())?,
            "ENCRYPTED PRIVATE KEY" => return Err("a key in it is encrypted".to_owned()),
            _ => return Err("it holds something other than a PRIVATE KEY".to_owned()),
        };
        if seeds.contains(&seed) {
            return Err("the same key is in it twice".to_owned());
        }
        seeds.push(seed);
    }
    if seeds.iter().any(|seed| is_guessable(seed)) {
        return Err("a key in it can be guessed".to_owned());
    }
    Ok(blocks.into_iter().map(::pem::Pem::into_contents).collect())
}

fn seed(der: &[u8]) -> Result<Vec<u8>, String> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
        .map_err(|e| format!("a key in it is not an Ed25519 key: {e}"))?;
    let seed = pair.seed().and_then(|seed| seed.as_be_bytes());
    let seed = seed.map_err(|_| "a key in it has no seed".to_owned())?;
    Ok(seed.as_ref().to_vec())
}

/// Whether a seed was made up, or is one that is printed.
fn is_guessable(seed: &[u8]) -> bool {
    is_made_up(seed) || PRINTED.contains(&hex(seed).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tokens::SigningKeys;

    /// A key with this seed, as PEM text.
    fn pem(seed: &[u8]) -> String {
        let head = [
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        ::pem::encode(&::pem::Pem::new("PRIVATE KEY", [&head[..], seed].concat()))
    }

    fn fault(text: &str) -> String {
        read(text).expect_err(text)
    }

    #[test]
    fn drawn_keys_are_taken_once_each() {
        let [one, two, three] = [(); 3].map(|()| SigningKeys::generate().unwrap());
        assert_eq!(read(&one).unwrap().len(), 1);
        assert_eq!(read(&format!("{one}\n{two}")).unwrap().len(), 2);
        assert!(fault(&format!("{one}\n{one}")).contains("twice"));
        assert!(fault(&format!("{one}{two}{three}")).contains("3 are there"));
        assert!(fault("").contains("0 are there"));
    }

    #[test]
    fn the_same_key_in_another_coding_is_the_same_key() {
        // With its public half, and without.
        let with_public = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
        let bare = pem(&seed(with_public.as_ref()).unwrap());
        let one = ::pem::encode(&::pem::Pem::new("PRIVATE KEY", with_public.as_ref()));
        assert!(one.len() > bare.len());
        assert!(fault(&format!("{one}\n{bare}")).contains("twice"));
    }

    #[test]
    fn a_seed_that_nobody_drew_is_refused() {
        let steps: Vec<u8> = (1..=32).collect();
        let words: Vec<u8> = b"secret".iter().copied().cycle().take(32).collect();
        for seed in [vec![0; 32], vec![255; 32], vec![7; 32], steps, words] {
            assert!(fault(&pem(&seed)).contains("guessed"), "{seed:?}");
        }
        let known = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        assert!(fault(known).contains("guessed"));
    }

    #[test]
    fn what_is_no_private_key_of_ed25519_is_named() {
        let good = SigningKeys::generate().unwrap();
        for tag in [
            "PUBLIC KEY",
            "RSA PRIVATE KEY",
            "CERTIFICATE",
            "OPENSSH PRIVATE KEY",
        ] {
            assert!(
                fault(&good.replace("PRIVATE KEY", tag)).contains("something other"),
                "{tag}"
            );
        }
        assert!(fault(&good.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")).contains("encrypted"));
        assert!(fault(&pem(&[1; 31])).contains("Ed25519"));
        assert!(fault(&format!("{good}\n-----BEGIN PRIVATE KEY-----\nMC4C")).contains("not whole"));
    }
}
