//! Placing money: which cents of payments and credit notes go to which invoice, and which come back. That no cent is placed twice is held by the database.

use super::invoice::InvoiceStatus;

/// So many cents of something: open to be placed or to be paid, or placed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<K> {
    pub of: K,
    pub cents: i64,
}

/// How `cents` are spread over what is open, in the order given: as much as fits, each part at least a cent.
pub fn place<K: Copy>(cents: i64, open: &[Part<K>]) -> Vec<Part<K>> {
    let mut left = cents.max(0);
    let mut placed = Vec::new();
    for part in open {
        let cents = left.min(part.cents);
        if cents > 0 {
            left -= cents;
            placed.push(Part { of: part.of, cents });
        }
    }
    placed
}

/// An allocation that is taken back whole, and how much of it is placed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freed<K> {
    pub allocation: Part<K>,
    /// Cents that stay where they were.
    pub again: i64,
}

/// Which allocations are taken back, in the order given, so that `cents` come free: as many as it takes, of the last one no more than is needed.
pub fn free<K: Copy>(cents: i64, allocated: &[Part<K>]) -> Vec<Freed<K>> {
    let taken = place(cents, allocated);
    let whole = allocated.iter().filter(|part| part.cents > 0);
    let pairs = whole.zip(taken);
    let freed = pairs.map(|(whole, taken)| Freed {
        allocation: *whole,
        again: whole.cents - taken.cents,
    });
    freed.collect()
}

/// Where an invoice stands with so much open, of which credit notes settled so much: credited where they alone did.
pub fn status(gross: i64, open: i64, credited: i64) -> InvoiceStatus {
    match open {
        1.. => InvoiceStatus::Open,
        _ if credited >= gross => InvoiceStatus::Credited,
        _ => InvoiceStatus::Paid,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::money::Amount;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap()
    }

    fn cents(value: &Value) -> i64 {
        value.as_str().unwrap().parse::<Amount>().unwrap().0
    }

    fn sum<K>(parts: &[Part<K>]) -> i64 {
        parts.iter().map(|part| part.cents).sum()
    }

    #[test]
    fn a_story_of_payments_adds_up_after_each_step() {
        let story = &vectors()["allocation_story"];
        let gross = cents(&story["gross"]);
        let (mut open, mut credited, mut allocated) = (gross, 0, 0);
        let mut unplaced = 0;
        for step in story["steps"].as_array().unwrap() {
            let event = step["event"].as_str().unwrap();
            let due = [Part {
                of: (),
                cents: open,
            }];
            let came = match event {
                "invoice issued" => 0,
                "transfer of 200.00 matched" => 20000,
                "card charged for the rest" => open,
                "dispute of the card lost" => -22350,
                "credit note of 100.00" => 10000,
                "transfer of 130.00: 123.50 placed" => 13000,
                other => panic!("{other}"),
            };
            let placed = if came < 0 {
                came
            } else {
                sum(&place(came, &due))
            };
            if event.starts_with("credit note") {
                credited += placed;
            }
            unplaced += came - placed;
            open -= placed;
            allocated += placed;
            assert_eq!(placed, cents(&step["allocated"]), "{step}");
            assert_eq!(open, cents(&step["open"]), "{step}");
            assert_eq!(
                status(gross, open, credited).as_str(),
                step["status"],
                "{step}"
            );
        }
        assert_eq!(unplaced, cents(&story["unplaced_at_the_end"]));
        assert_eq!(allocated, cents(&story["sum_of_allocations"]));
    }

    #[test]
    fn credit_beyond_what_is_open_frees_the_payment() {
        for case in vectors()["credit_for_the_rest"].as_array().unwrap() {
            let (gross, paid) = (cents(&case["gross"]), cents(&case["paid_before"]));
            let credit = cents(&case["credit_gross"]);
            let open = gross - paid;
            let placed = sum(&place(
                credit,
                &[Part {
                    of: (),
                    cents: open,
                }],
            ));
            let freed = free(
                credit - placed,
                &[Part {
                    of: (),
                    cents: paid,
                }],
            );
            let back: i64 = freed
                .iter()
                .map(|one| one.allocation.cents - one.again)
                .sum();
            assert_eq!(open - placed, cents(&case["still_owed"]), "{case}");
            assert_eq!(back, cents(&case["to_pay_back"]), "{case}");
        }
    }

    #[test]
    fn an_invoice_is_credited_where_credit_notes_alone_settled_it() {
        assert_eq!(status(100, 1, 99), InvoiceStatus::Open);
        assert_eq!(status(100, 0, 99), InvoiceStatus::Paid);
        assert_eq!(status(100, 0, 100), InvoiceStatus::Credited);
    }

    fn parts() -> impl Strategy<Value = Vec<Part<usize>>> {
        let parts = proptest::collection::vec(0i64..1_000_000, 0..10);
        parts.prop_map(|parts| {
            let parts = parts.into_iter().enumerate();
            parts
                .map(|(of, cents)| Part { of, cents })
                .collect::<Vec<_>>()
        })
    }

    proptest! {
        #[test]
        fn nothing_is_negative_and_nothing_lost(cents in -10i64..5_000_000, open in parts()) {
            let placed = place(cents, &open);
            prop_assert_eq!(sum(&placed), cents.max(0).min(sum(&open)));
            for part in &placed {
                prop_assert!(part.cents > 0 && part.cents <= open[part.of].cents);
            }
            prop_assert!(placed.windows(2).all(|two| two[0].of < two[1].of));
        }

        #[test]
        fn what_comes_free_is_what_was_asked_for(cents in -10i64..5_000_000, allocated in parts()) {
            let freed = free(cents, &allocated);
            let back: i64 = freed.iter().map(|one| one.allocation.cents - one.again).sum();
            prop_assert_eq!(back, cents.max(0).min(sum(&allocated)));
            let mut all_but_last = freed.iter().rev().skip(1);
            prop_assert!(all_but_last.all(|one| one.again == 0));
            prop_assert!(freed.iter().all(|one| one.again >= 0 && one.again < one.allocation.cents));
        }
    }
}
