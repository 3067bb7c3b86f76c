//! A registered product: what makes it complete, what it may say, and whose a serial is.

use crate::types::{id, text_enum};

id!(
    /// The identity of a registered product.
    ProductId, "prd_"
);

text_enum! {
    /// Where a registration stands.
    pub enum ProductStatus {
        /// A mandatory field is missing, or the serial belongs to somebody else.
        Incomplete = "incomplete",
        /// The green tick.
        Complete = "complete",
        /// Held until staff have looked.
        Disputed = "disputed",
        /// A dealer offers it, the customer has not answered.
        Offered = "offered",
        /// Sold, scrapped, stolen or a mistake.
        Ended = "ended",
    }
}

text_enum! {
    /// Why a registration ended.
    #[allow(missing_docs)]
    pub enum EndReason {
        Sold = "sold",
        Scrapped = "scrapped",
        Stolen = "stolen",
        Mistake = "mistake",
    }
}

text_enum! {
    /// A mandatory field of a product; also a name in `missing[]` and `estimated[]`.
    #[allow(missing_docs)]
    pub enum ProductField {
        SerialNumber = "serial_number",
        PurchaseDate = "purchase_date",
        PurchaseCountry = "purchase_country",
        Dealer = "dealer",
    }
}
