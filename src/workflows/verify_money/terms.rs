//! Whether what was sold under is what was kept: each row against its checksum.

use std::collections::HashMap;

use crate::domain::purchase::SellerTermsId;
use crate::error::Result;
use crate::programme::SellerTerms;
use crate::repository::{DbConn, money_checks::Broken, seller_terms};
use crate::secrets::sha256_hex;

const KEPT: &str = "M7: what was sold under is what was kept";

/// All terms by their id, or the first that are not what was kept.
pub(super) type Kept =
    std::result::Result<HashMap<SellerTermsId, SellerTerms>, (&'static str, Broken)>;

/// Reads all terms.
pub(super) fn kept(conn: &mut DbConn) -> Result<Kept> {
    let mut kept = HashMap::new();
    for id in seller_terms::ids(conn)? {
        let found = seller_terms::find(conn, id);
        if found.as_ref().is_err_and(|cause| cause.is_unreadable()) {
            return Ok(Err((KEPT, Broken::unreadable(id))));
        }
        let row = found?;
        let sha256 = sha256_hex(serde_json::to_string(&row.content.0)?.as_bytes());
        let Ok(terms) = row.content.decode::<SellerTerms>() else {
            return Ok(Err((KEPT, Broken::unreadable(id))));
        };
        let says = [&row.sha256, &row.seller_key];
        let comes_to = [&sha256, &terms.seller.key()];
        if let Some((says, comes_to)) = says.into_iter().zip(comes_to).find(|(a, b)| a != b) {
            let row = Broken {
                id: id.to_string(),
                says: says.clone(),
                comes_to: comes_to.clone(),
            };
            return Ok(Err((KEPT, row)));
        }
        kept.insert(id, terms);
    }
    Ok(Ok(kept))
}
