//! The payment provider: what a card's token stands for. Charging comes with a real provider.

use chrono::{Datelike, Months, TimeDelta};

use crate::config::Mode;
use crate::domain::card::Card;
use crate::error::{Fault, FaultCode, Refusal};
use crate::types::Instant;

/// A token that the sandbox takes for a card.
pub struct SandboxToken {
    pub token: &'static str,
    brand: &'static str,
    last4: &'static str,
    /// What joining with it answers, or what charging it will do.
    pub effect: &'static str,
}

const fn sandbox_token(
    token: &'static str,
    brand: &'static str,
    last4: &'static str,
    effect: &'static str,
) -> SandboxToken {
    SandboxToken {
        token,
        brand,
        last4,
        effect,
    }
}

/// The token of a card that ends before its invoice is due.
const EXPIRES_SOON: &str = "tok_expires_soon";

/// Every token of the sandbox; any other is `card_token_invalid`.
pub const SANDBOX_TOKENS: [SandboxToken; 5] = [
    sandbox_token("tok_visa", "visa", "4242", "accepted"),
    sandbox_token("tok_mastercard", "mastercard", "4444", "accepted"),
    sandbox_token(EXPIRES_SOON, "visa", "0069", "card_expires_too_early"),
    sandbox_token(
        "tok_soft_decline",
        "visa",
        "9995",
        "accepted; declined when it is charged, and may be charged again",
    ),
    sandbox_token(
        "tok_hard_decline",
        "visa",
        "0002",
        "accepted; declined for good when it is charged",
    ),
];

/// Who keeps the cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cards {
    /// The sandbox makes them up.
    Sandbox,
    /// No provider is set up: no token is known.
    Absent,
}

impl Cards {
    /// The keeper of the cards in `mode`.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Sandbox => Self::Sandbox,
            Mode::Live => Self::Absent,
        }
    }

    /// The card behind a token; `card_token_invalid` where nobody knows it.
    pub async fn resolve(&self, token: &str, now: Instant) -> Result<Card, Refusal> {
        let known = match self {
            Self::Sandbox => SANDBOX_TOKENS.iter().find(|known| known.token == token),
            Self::Absent => None,
        };
        let known = known.ok_or_else(|| Fault::new("#/card_token", FaultCode::CardTokenInvalid))?;
        let today = now.utc().date_naive();
        // A month before the earliest that an invoice of today falls due.
        let expires = match known.token {
            EXPIRES_SOON => (today + TimeDelta::days(30)).checked_sub_months(Months::new(1)),
            _ => today.checked_add_months(Months::new(36)),
        };
        let expires = expires.unwrap_or(today);
        Ok(Card {
            provider_token: known.token.to_owned(),
            brand: known.brand.to_owned(),
            last4: known.last4.to_owned(),
            expires_year: expires.year(),
            expires_month: expires.month(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invoice::due_date;

    #[tokio::test]
    async fn every_token_of_the_sandbox_does_what_its_card_says_on_any_day() {
        for day in 1..=31 {
            let now: Instant = format!("2026-01-{day:02}T12:00:00Z").parse().unwrap();
            let due = due_date(now.utc().date_naive(), 30);
            for known in &SANDBOX_TOKENS {
                let card = Cards::Sandbox.resolve(known.token, now).await.unwrap();
                let lives = card.check_lives_until(due).is_ok();
                assert_eq!(lives, known.token != EXPIRES_SOON, "{} {now}", known.token);
            }
        }
    }

    #[tokio::test]
    async fn without_a_provider_no_token_is_known() {
        let now: Instant = "2026-06-01T12:00:00Z".parse().unwrap();
        assert!(Cards::Absent.resolve("tok_visa", now).await.is_err());
        assert!(Cards::Sandbox.resolve("tok_unknown", now).await.is_err());
    }
}
