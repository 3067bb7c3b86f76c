//! Memberships: levels, fees and numbers. The days of a term are in `term` and `renewal`, what is owed in `standing`.

pub mod renewal;
mod standing;
mod term;

use serde::Deserialize;

use super::language::Language;
pub use super::member_number::{BadMemberNumber, MemberNumber};
use super::money::Amount;
use crate::error::Code;
use crate::types::{id, text_enum};
pub use standing::{EndedReason, MembershipStatus, MembershipStep, Standing};
pub use term::{anniversary, days_left, ends_date, rest_cents, term_days, upgrade_cents};

id!(
    /// The identity of a membership.
    MembershipId, "mem_"
);

text_enum! {
    /// Where a membership stands.
    pub enum MembershipState {
        /// It runs.
        Active = "active",
        /// Its term is over, or it was ended unpaid.
        Ended = "ended",
    }
}

text_enum! {
    /// The two ways of membership.
    pub enum Track {
        /// Silver, gold, platinum.
        Individual = "individual",
        /// Corporate.
        Corporate = "corporate",
    }
}

text_enum! {
    /// The switch that chooses which track is offered.
    #[allow(missing_docs)]
    pub enum CorporateSwitch {
        Off = "off",
        On = "on",
    }
}

/// The benefits of a level in both languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benefits {
    /// In Danish.
    pub da: Vec<String>,
    /// In English.
    pub en: Vec<String>,
}

/// A yearly fee for up to so many complete products; without an upper end for the last tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// The most complete products of this tier.
    pub up_to_products: Option<u64>,
    /// Without VAT, in the seller's currency.
    pub fee: Amount,
}

/// A level, an entry of `[[levels]]` of the programme; [`Level::check`] says whether it holds together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its word in the contract.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// The way it belongs to.
    pub track: Track,
    /// Up and down within its track.
    pub rank: i64,
    /// It opens with at least so many points.
    pub at_least: Option<i64>,
    /// Or with more than so many.
    pub above: Option<i64>,
    /// One yearly fee, without VAT, in the seller's currency.
    pub fee: Option<Amount>,
    /// Or one by the complete products at joining.
    #[serde(default)]
    pub fees: Vec<FeeTier>,
    /// Whether fee and benefits are made up.
    #[serde(default)]
    pub example: bool,
    /// What it gives.
    pub benefits: Benefits,
}

impl Level {
    /// The points that the level's rule names.
    pub fn opens_at(&self) -> i64 {
        self.at_least.or(self.above).unwrap_or(i64::MAX)
    }

    /// The fewest points that open it.
    fn first_open(&self) -> i64 {
        let above = self.above.map(|points| points.saturating_add(1));
        self.at_least.or(above).unwrap_or(i64::MAX)
    }

    /// Whether `points` open it.
    pub fn is_open(&self, points: i64) -> bool {
        points >= self.first_open()
    }

    /// How many points are missing; 0 where it is open.
    pub fn points_missing(&self, points: i64) -> i64 {
        self.first_open().saturating_sub(points).max(0)
    }

    /// The yearly fee of an account with so many complete products, without VAT, in cents of the seller's currency.
    pub fn fee_cents(&self, complete_products: u64) -> i64 {
        let within = |tier: &&FeeTier| {
            tier.up_to_products
                .is_none_or(|most| complete_products <= most)
        };
        let tier = || self.fees.iter().find(within).map(|tier| tier.fee);
        self.fee.or_else(tier).map_or(0, |fee| fee.0)
    }

    /// What it gives, in one language.
    pub fn benefits_in(&self, language: Language) -> &[String] {
        match language {
            Language::Da => &self.benefits.da,
            Language::En => &self.benefits.en,
        }
    }

    /// What is wrong with the level as the programme writes it.
    pub fn check(&self) -> Result<(), String> {
        let fault = if self.at_least.is_some() == self.above.is_some() {
            "needs either at_least or above"
        } else if self.fee.is_some() != self.fees.is_empty() {
            "needs either fee or fees"
        } else if !self.fees.is_empty()
            && !self.fees.is_sorted_by(|a, b| {
                a.up_to_products
                    .is_some_and(|most| b.up_to_products.is_none_or(|next| most < next))
            })
        {
            "has fees that do not rise"
        } else if self
            .fees
            .last()
            .is_some_and(|tier| tier.up_to_products.is_some())
        {
            "has a last fee with an upper end"
        } else if self
            .fee
            .iter()
            .chain(self.fees.iter().map(|tier| &tier.fee))
            .any(|fee| fee.0 < 0)
        {
            "has a negative fee"
        } else {
            return Ok(());
        };
        Err(format!("level {} {fault}", self.code))
    }
}

/// Section `[membership]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipRules {
    /// Years of a term.
    pub term_years: u32,
    /// Days before the end from which on a renewal is possible.
    pub renewal_opens_days: u32,
    /// Days before the end on which a member is told the next level.
    pub notice_days: Vec<u32>,
    /// Days before the end on which a term is renewed by itself where that was asked for.
    pub automatic_days: u32,
    /// Days after the end for which a membership is taken up again with its number.
    pub reinstate_days: u32,
}

/// The level with that code.
pub fn find_level<'a>(levels: &'a [Level], code: &str) -> Option<&'a Level> {
    levels.iter().find(|level| level.code == code)
}

/// Whether `points` are enough for the switch to the corporate track.
pub fn corporate_available(points: i64, levels: &[Level]) -> bool {
    of_track(levels, Track::Corporate)
        .iter()
        .any(|level| level.is_open(points))
}

/// The levels of the track that the switch chooses, by rank, open or not; `corporate_not_available` where the points do not
/// allow it (rules, section 8).
pub fn offered_levels(
    points: i64,
    corporate: CorporateSwitch,
    levels: &[Level],
) -> Result<Vec<&Level>, Code> {
    match corporate {
        CorporateSwitch::Off => Ok(of_track(levels, Track::Individual)),
        CorporateSwitch::On if corporate_available(points, levels) => {
            Ok(of_track(levels, Track::Corporate))
        }
        CorporateSwitch::On => Err(Code::CorporateNotAvailable),
    }
}

/// Of the offered levels, those that `points` open, lower ones too.
pub fn open_levels(
    points: i64,
    corporate: CorporateSwitch,
    levels: &[Level],
) -> Result<Vec<&Level>, Code> {
    let mut offered = offered_levels(points, corporate, levels)?;
    offered.retain(|level| level.is_open(points));
    Ok(offered)
}

/// What is still ahead: the individual levels that are not open, by points, and the corporate ones once all those are.
pub fn next_thresholds(points: i64, levels: &[Level]) -> Vec<&Level> {
    let ahead = |track| {
        let mut levels = of_track(levels, track);
        levels.retain(|level| !level.is_open(points));
        levels.sort_by_key(|level| level.first_open());
        levels
    };
    let individual = ahead(Track::Individual);
    if individual.is_empty() {
        ahead(Track::Corporate)
    } else {
        individual
    }
}

fn of_track(levels: &[Level], track: Track) -> Vec<&Level> {
    let mut levels: Vec<_> = levels.iter().filter(|level| level.track == track).collect();
    levels.sort_by_key(|level| level.rank);
    levels
}

/// What joining depends on, read inside its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinFacts {
    /// Points that count.
    pub points: i64,
    /// The account has a membership that runs.
    pub is_member: bool,
    /// Its last membership ended unpaid, and it still owes.
    pub owes: bool,
}

/// Whether an account may join at `level` (rules, section 9): `already_member`, `payment_due`, `level_not_open`.
pub fn check_join(level: &Level, facts: JoinFacts) -> Result<(), Code> {
    if facts.is_member {
        Err(Code::AlreadyMember)
    } else if facts.owes {
        Err(Code::PaymentDue)
    } else if level.is_open(facts.points) {
        Ok(())
    } else {
        Err(Code::LevelNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn level(code: &str, track: &str, rank: i64, opens: (&str, i64), fee: Value) -> Level {
        let mut text = json!({
            "code": code, "name": code, "track": track, "rank": rank,
            "benefits": {"da": ["Hjælp"], "en": ["Help"]},
        });
        text[opens.0] = opens.1.into();
        let name = if fee.is_array() { "fees" } else { "fee" };
        text[name] = fee;
        let level: Level = serde_json::from_value(text).unwrap();
        level.check().unwrap();
        level
    }

    fn levels() -> Vec<Level> {
        let tiers = json!([
            {"up_to_products": 50, "fee": "1000.00"},
            {"up_to_products": 100, "fee": "2500.00"},
            {"fee": "5000.00"},
        ]);
        vec![
            level("corporate", "corporate", 1, ("above", 2500), tiers),
            level(
                "platinum",
                "individual",
                3,
                ("at_least", 1600),
                json!("350.00"),
            ),
            level(
                "silver",
                "individual",
                1,
                ("at_least", 500),
                json!("100.00"),
            ),
            level("gold", "individual", 2, ("at_least", 1000), json!("200.00")),
        ]
    }

    fn codes(levels: &[&Level]) -> Vec<String> {
        levels.iter().map(|level| level.code.clone()).collect()
    }

    #[test]
    fn points_open_levels() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/levels.json")).unwrap();
        let levels = levels();
        for case in vectors["cases"].as_array().unwrap() {
            let points = case["points"].as_i64().unwrap();
            let switch = case["corporate"].as_str().unwrap().parse().unwrap();
            let invited = find_level(&levels, "silver").unwrap().is_open(points);
            assert_eq!(invited, case["invited"].as_bool().unwrap(), "{case}");
            match open_levels(points, switch, &levels) {
                Ok(open) => assert_eq!(json!(codes(&open)), case["open"], "{case}"),
                Err(code) => assert_eq!(code.as_str(), case["refused"], "{case}"),
            }
        }
    }

    #[test]
    fn the_corporate_fee_goes_by_complete_products() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/corporate_fee.json")).unwrap();
        let levels = levels();
        let corporate = find_level(&levels, "corporate").unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let fee = Amount(corporate.fee_cents(case["products"].as_u64().unwrap()));
            assert_eq!(fee.to_string(), case["fee"].as_str().unwrap(), "{case}");
        }
        assert_eq!(find_level(&levels, "gold").unwrap().fee_cents(999), 20000);
    }

    #[test]
    fn a_member_sees_what_is_still_ahead() {
        let levels = levels();
        let ahead = next_thresholds(1250, &levels);
        assert_eq!(codes(&ahead), ["platinum"]);
        assert_eq!(
            (ahead[0].opens_at(), ahead[0].points_missing(1250)),
            (1600, 350)
        );
        assert_eq!(
            codes(&next_thresholds(-5, &levels)),
            ["silver", "gold", "platinum"]
        );
        let corporate = next_thresholds(2500, &levels);
        assert_eq!(codes(&corporate), ["corporate"]);
        assert_eq!(
            (corporate[0].opens_at(), corporate[0].points_missing(2500)),
            (2500, 1)
        );
        assert!(next_thresholds(2501, &levels).is_empty());
    }

    #[test]
    fn joining_asks_for_an_open_level_and_a_clean_slate() {
        let levels = levels();
        let gold = find_level(&levels, "gold").unwrap();
        let facts = JoinFacts {
            points: 1000,
            is_member: false,
            owes: false,
        };
        assert_eq!(check_join(gold, facts), Ok(()));
        let few = JoinFacts {
            points: 999,
            ..facts
        };
        assert_eq!(check_join(gold, few), Err(Code::LevelNotOpen));
        let owes = JoinFacts { owes: true, ..few };
        assert_eq!(check_join(gold, owes), Err(Code::PaymentDue));
        let member = JoinFacts {
            is_member: true,
            ..owes
        };
        assert_eq!(check_join(gold, member), Err(Code::AlreadyMember));
        let corporate = find_level(&levels, "corporate").unwrap();
        let at = JoinFacts {
            points: 2500,
            ..facts
        };
        assert_eq!(check_join(corporate, at), Err(Code::LevelNotOpen));
    }

    #[test]
    fn a_level_of_the_programme_must_hold_together() {
        let broken = |change: fn(&mut Level)| {
            let mut level = levels().remove(0);
            change(&mut level);
            level.check().is_err()
        };
        assert!(broken(|level| level.at_least = Some(1)));
        assert!(broken(|level| level.above = None));
        assert!(broken(|level| level.fee = Some(Amount(1))));
        assert!(broken(|level| level.fees.clear()));
        assert!(broken(|level| level.fees.reverse()));
        assert!(broken(|level| level.fees[2].up_to_products = Some(200)));
        assert!(broken(|level| level.fees[0].fee = Amount(-1)));
    }
}
