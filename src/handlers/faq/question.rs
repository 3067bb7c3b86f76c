//! Which questions there are. What they say is in `texts/{da,en}/faq.toml`.

use crate::types::text_enum;

text_enum! {
    /// A question of those who sign up, in the order in which they come up.
    pub enum Question {
        Documents = "documents",
        AnswerTime = "answer_time",
        PasswordMail = "password_mail",
        NoMigrateButton = "no_migrate_button",
        UnknownDetails = "unknown_details",
        NoGreenTick = "no_green_tick",
        HowManyPoints = "how_many_points",
        WhenInvited = "when_invited",
        NoLevel = "no_level",
        CorporateSwitch = "corporate_switch",
        PaymentMethods = "payment_methods",
        InvoiceWhen = "invoice_when",
        NewMemberNumber = "new_member_number",
        OldMemberNumber = "old_member_number",
        SecondHand = "second_hand",
        SellingProducts = "selling_products",
    }
}
