//! Money that came, with where each cent of it went. Placing it is in `settlement`, giving it back in `refunds`.

use std::collections::HashMap;

use crate::domain::invoice::PaymentId;
use crate::error::Result;
use crate::repository::allocations::Allocation;
use crate::repository::payments::Payment;
use crate::repository::refunds::Refund;
use crate::repository::{DbConn, allocations, refunds};

/// A payment with all that was placed of it, each with the number of its invoice, and all that went back.
#[derive(Debug, Clone)]
pub struct Traced {
    pub payment: Payment,
    pub allocations: Vec<(Allocation, String)>,
    pub refunds: Vec<Refund>,
}

/// These payments, each with where it went; two statements for all.
pub fn trace(conn: &mut DbConn, payments: Vec<Payment>) -> Result<Vec<Traced>> {
    let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    let mut placed: HashMap<PaymentId, Vec<(Allocation, String)>> = HashMap::new();
    for (allocation, number) in allocations::of_payments(conn, &ids)? {
        if let Some(payment) = allocation.payment_id {
            let of = placed.entry(payment).or_default();
            of.push((allocation, number));
        }
    }
    let mut back: HashMap<PaymentId, Vec<Refund>> = HashMap::new();
    for refund in refunds::of_payments(conn, &ids)? {
        back.entry(refund.payment_id).or_default().push(refund);
    }
    let traced = payments.into_iter().map(|payment| Traced {
        allocations: placed.remove(&payment.id).unwrap_or_default(),
        refunds: back.remove(&payment.id).unwrap_or_default(),
        payment,
    });
    Ok(traced.collect())
}
