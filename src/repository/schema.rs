//! The tables, as `migrations/` makes them; a test holds this against both databases.

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    accounts (id) {
        id -> SqlId,
        account_number -> Text,
        status -> Text,
        version -> BigInt,
        company_name -> Text,
        company_key -> Text,
        country -> Text,
        vat_registered -> Bool,
        vat_number -> Nullable<Text>,
        street -> Text,
        postal_code -> Text,
        city -> Text,
        contact_name -> Text,
        contact_email -> Text,
        contact_email_key -> Text,
        contact_phone -> Nullable<Text>,
        legacy_cps_email -> Nullable<Text>,
        language -> Text,
        source -> Nullable<Text>,
        authority_declared_at -> SqlInstant,
        authority_declared_from -> Text,
        terms_version -> Text,
        terms_accepted_at -> SqlInstant,
        applicant_token_hash -> Nullable<Text>,
        created_at -> SqlInstant,
        updated_at -> SqlInstant,
        approved_at -> Nullable<SqlInstant>,
        ended_at -> Nullable<SqlInstant>,
        suspended_from -> Nullable<Text>,
        mailbox_used_at -> Nullable<SqlInstant>,
        contact_email_proposed -> Nullable<Text>,
        contact_email_proposed_by -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    applicant_tokens (token_hash) {
        token_hash -> Text,
        account_id -> SqlId,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    reviews (account_id) {
        account_id -> SqlId,
        version -> BigInt,
        submitted_at -> SqlInstant,
        due_at -> SqlInstant,
        asked_at -> Nullable<SqlInstant>,
        asked_note -> Nullable<Text>,
        claimed_by -> Nullable<SqlId>,
        claimed_until -> Nullable<SqlInstant>,
        decision -> Nullable<Text>,
        decision_codes -> SqlJson,
        decision_note -> Nullable<Text>,
        decided_by -> Nullable<SqlId>,
        decided_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    documents (id) {
        id -> SqlId,
        account_id -> SqlId,
        version -> BigInt,
        kind -> Text,
        status -> Text,
        codes -> SqlJson,
        media_type -> Text,
        size -> BigInt,
        sha256 -> Text,
        file_name -> Text,
        issued_date -> Nullable<Date>,
        file_key -> Nullable<Text>,
        decided_by -> Nullable<SqlId>,
        decided_at -> Nullable<SqlInstant>,
        created_at -> SqlInstant,
        removed_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    files (key) {
        key -> Text,
        account_id -> SqlId,
        state -> Text,
        created_at -> SqlInstant,
        changed_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    users (id) {
        id -> SqlId,
        version -> BigInt,
        account_id -> Nullable<SqlId>,
        email -> Text,
        email_key -> Text,
        name -> Text,
        roles -> SqlJson,
        language -> Text,
        password_hash -> Nullable<Text>,
        session_version -> BigInt,
        created_at -> SqlInstant,
        removed_at -> Nullable<SqlInstant>,
        invited_until -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    one_time_tokens (token_hash) {
        token_hash -> Text,
        user_id -> SqlId,
        purpose -> Text,
        created_at -> SqlInstant,
        expires_at -> SqlInstant,
        ended_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    sessions (id) {
        id -> SqlId,
        user_id -> SqlId,
        created_at -> SqlInstant,
        ended_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    refresh_tokens (token_hash) {
        token_hash -> Text,
        session_id -> SqlId,
        created_at -> SqlInstant,
        expires_at -> SqlInstant,
        used_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    devices (token_hash) {
        token_hash -> Text,
        user_id -> SqlId,
        created_at -> SqlInstant,
        expires_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlInstant};

    sign_in_failures (counted_hash) {
        counted_hash -> Text,
        failures -> BigInt,
        last_at -> SqlInstant,
        blocked_until -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    request_counts (policy, caller_hash, day) {
        policy -> Text,
        caller_hash -> Text,
        day -> Date,
        requests -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    jobs (id) {
        id -> SqlId,
        kind -> Text,
        key -> Text,
        payload -> SqlJson,
        state -> Text,
        run_at -> SqlInstant,
        attempts -> BigInt,
        lease -> Nullable<Text>,
        leased_until -> Nullable<SqlInstant>,
        last_error -> Nullable<Text>,
        created_at -> SqlInstant,
        finished_at -> Nullable<SqlInstant>,
        queue -> Text,
        error_class -> Nullable<Text>,
        tried_since -> Nullable<SqlInstant>,
        seller_key -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    mails (id) {
        id -> SqlId,
        to_address -> Text,
        to_key -> Text,
        template -> Text,
        language -> Text,
        sealed -> Nullable<Text>,
        created_at -> SqlInstant,
        sent_at -> Nullable<SqlInstant>,
        expires_at -> Nullable<SqlInstant>,
        stranger_waits -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    work_items (id) {
        id -> SqlId,
        kind -> Text,
        subject_id -> Text,
        account_id -> Nullable<SqlId>,
        partner_id -> Nullable<SqlId>,
        details -> Nullable<SqlJson>,
        due_at -> SqlInstant,
        claimed_by -> Nullable<SqlId>,
        claimed_until -> Nullable<SqlInstant>,
        opened_at -> SqlInstant,
        closed_at -> Nullable<SqlInstant>,
        closed_by -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlInstant, SqlJson};

    idempotency_keys (scope) {
        scope -> Text,
        request_hash -> Text,
        answer -> SqlJson,
        sealed -> Nullable<Text>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    event_inbox (number) {
        number -> BigInt,
        id -> SqlId,
        stream -> Text,
        resource -> Text,
        r#type -> Text,
        version -> BigInt,
        data -> Text,
        actor -> Text,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    events (position) {
        position -> BigInt,
        id -> SqlId,
        stream -> Text,
        stream_seq -> BigInt,
        resource -> Text,
        resource_seq -> BigInt,
        r#type -> Text,
        version -> BigInt,
        data -> Text,
        actor -> Text,
        reason_hash -> Nullable<Text>,
        request_id -> Nullable<Text>,
        created_at -> SqlInstant,
        hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    event_counters (name) {
        name -> Text,
        last -> BigInt,
        hash -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::SqlId;

    event_reasons (event_id) {
        event_id -> SqlId,
        salt -> Text,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    models (id) {
        id -> SqlId,
        name -> Text,
        name_key -> Text,
        category -> Text,
        launched_date -> Nullable<Date>,
        serial_pattern -> Nullable<Text>,
        example -> Bool,
        created_at -> SqlInstant,
        manufacturer_code -> Nullable<Text>,
        changed_in -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId};

    model_points (model_id, valid_from) {
        model_id -> SqlId,
        valid_from -> Date,
        points -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    products (id) {
        id -> SqlId,
        account_id -> SqlId,
        model_id -> SqlId,
        version -> BigInt,
        status -> Text,
        serial_number -> Nullable<Text>,
        serial_key -> Nullable<Text>,
        serial_since -> Nullable<SqlInstant>,
        purchase_date -> Nullable<Date>,
        purchase_country -> Nullable<Text>,
        dealer -> Nullable<Text>,
        estimated -> Text,
        checked_at -> Nullable<SqlInstant>,
        end_reason -> Nullable<Text>,
        legacy_reference -> Nullable<Text>,
        created_at -> SqlInstant,
        updated_at -> SqlInstant,
        ended_at -> Nullable<SqlInstant>,
        holds_serial -> Bool,
        evidence -> Text,
        recovered_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    legacy_accounts (id) {
        id -> SqlId,
        email -> Text,
        email_key -> Text,
        member_number -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId};

    legacy_products (id) {
        id -> SqlId,
        legacy_account_id -> SqlId,
        legacy_reference -> Text,
        model -> Text,
        serial_number -> Nullable<Text>,
        purchase_date -> Nullable<Date>,
        purchase_country -> Nullable<Text>,
        dealer -> Nullable<Text>,
        result -> Nullable<Text>,
        product_id -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    legacy_takeovers (legacy_account_id) {
        legacy_account_id -> SqlId,
        account_id -> SqlId,
        attached_by -> Nullable<SqlId>,
        reason -> Nullable<Text>,
        created_at -> SqlInstant,
        migrated_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    legacy_proofs (account_id) {
        account_id -> SqlId,
        email_key -> Text,
        sealed_code -> Nullable<Text>,
        expires_at -> SqlInstant,
        tries -> BigInt,
        mails -> BigInt,
        mails_since -> SqlInstant,
        proven_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    points_accounts (account_id) {
        account_id -> SqlId,
        balance -> BigInt,
        held -> BigInt,
        seq -> BigInt,
        invited_at -> Nullable<SqlInstant>,
        below_since -> Nullable<SqlInstant>,
        last_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    points_entries (id) {
        id -> SqlId,
        account_id -> SqlId,
        seq -> BigInt,
        kind -> Text,
        amount -> BigInt,
        balance -> BigInt,
        held -> BigInt,
        product_id -> Nullable<SqlId>,
        reverses -> Nullable<SqlId>,
        value_valid_from -> Nullable<Date>,
        reason -> Text,
        actor -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    cards (id) {
        id -> SqlId,
        account_id -> SqlId,
        provider_token -> Text,
        brand -> Text,
        last4 -> Text,
        expires_year -> BigInt,
        expires_month -> BigInt,
        created_at -> SqlInstant,
        provider -> Text,
        fingerprint -> Nullable<Text>,
        state -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    memberships (id) {
        id -> SqlId,
        account_id -> SqlId,
        version -> BigInt,
        member_number -> Text,
        level -> Text,
        status -> Text,
        starts_date -> Date,
        ends_date -> Date,
        payment_method -> Text,
        card_id -> Nullable<SqlId>,
        fee_cents -> BigInt,
        currency -> Text,
        points_at_joining -> BigInt,
        terms_version -> Text,
        created_at -> SqlInstant,
        ended_at -> Nullable<SqlInstant>,
        seller_key -> Nullable<Text>,
        standing -> Nullable<Text>,
        suspended_at -> Nullable<SqlInstant>,
        ended_reason -> Nullable<Text>,
        cancelled_at -> Nullable<SqlInstant>,
        seller_terms_id -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    member_numbers (number) {
        number -> Text,
        account_id -> Nullable<SqlId>,
        membership_id -> Nullable<SqlId>,
        legacy_account_id -> Nullable<SqlId>,
        created_at -> SqlInstant,
        number_key -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    invoice_counters (seller, year) {
        seller -> Text,
        year -> BigInt,
        last -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    invoices (id) {
        id -> SqlId,
        account_id -> SqlId,
        membership_id -> SqlId,
        purchase_id -> Nullable<SqlId>,
        seller_terms_id -> Nullable<SqlId>,
        version -> BigInt,
        kind -> Text,
        issue_no -> BigInt,
        corrects_id -> Nullable<SqlId>,
        replaces_id -> Nullable<SqlId>,
        number -> Text,
        seller_key -> Text,
        year -> BigInt,
        seq -> BigInt,
        status -> Text,
        issued_at -> SqlInstant,
        issued_date -> Date,
        due_date -> Nullable<Date>,
        collect_from -> Nullable<Date>,
        paused_until -> Nullable<Date>,
        currency -> Text,
        net_cents -> BigInt,
        vat_cents -> BigInt,
        gross_cents -> BigInt,
        open_cents -> BigInt,
        payment_method -> Text,
        payment_reference -> Nullable<Text>,
        reason -> Nullable<Text>,
        content_version -> BigInt,
        content -> SqlJson,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    seller_terms (id) {
        id -> SqlId,
        seller_key -> Text,
        sha256 -> Text,
        content -> SqlJson,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    purchases (id) {
        id -> SqlId,
        account_id -> SqlId,
        version -> BigInt,
        kind -> Text,
        state -> Text,
        membership_id -> Nullable<SqlId>,
        from_membership_id -> Nullable<SqlId>,
        level -> Text,
        level_name -> Text,
        from_level -> Nullable<Text>,
        fee_cents -> BigInt,
        from_fee_cents -> Nullable<BigInt>,
        net_cents -> BigInt,
        currency -> Text,
        starts_date -> Date,
        ends_date -> Date,
        term_days -> BigInt,
        days_left -> BigInt,
        products -> BigInt,
        points -> BigInt,
        seller_terms_id -> SqlId,
        payment_method -> Text,
        terms_version -> Text,
        actor -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    mandates (id) {
        id -> SqlId,
        account_id -> SqlId,
        version -> BigInt,
        card_id -> Nullable<SqlId>,
        provider -> Text,
        provider_setup_id -> Text,
        state -> Text,
        text_version -> Text,
        text_language -> Text,
        text_sha256 -> Text,
        agreed_by -> Text,
        agreed_from -> Text,
        agreed_at -> SqlInstant,
        ended_reason -> Nullable<Text>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    billing_profiles (account_id) {
        account_id -> SqlId,
        version -> BigInt,
        payment_method -> Text,
        mandate_id -> Nullable<SqlId>,
        provider_customer_id -> Nullable<Text>,
        company_number -> Nullable<Text>,
        your_reference -> Nullable<Text>,
        electronic_address -> Nullable<Text>,
        invoice_email -> Nullable<Text>,
        invoice_email_used_at -> Nullable<SqlInstant>,
        invoice_email_waiting -> Nullable<Text>,
        invoice_email_token_hash -> Nullable<Text>,
        invoice_email_token_ends_at -> Nullable<SqlInstant>,
        invoice_email_asked_by -> Nullable<SqlId>,
        automatic_renewal -> Bool,
        created_at -> SqlInstant,
        updated_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    charges (id) {
        id -> SqlId,
        invoice_id -> SqlId,
        version -> BigInt,
        attempt -> BigInt,
        initiator -> Text,
        card_id -> Nullable<SqlId>,
        mandate_id -> Nullable<SqlId>,
        amount_cents -> BigInt,
        currency -> Text,
        due_date -> Date,
        charge_date -> Date,
        provider -> Text,
        provider_id -> Nullable<Text>,
        idempotency_key -> Text,
        state -> Text,
        decline_code -> Nullable<Text>,
        decline_class -> Nullable<Text>,
        asked -> BigInt,
        sent_at -> SqlInstant,
        sent_at_machine -> SqlInstant,
        resolved_at -> Nullable<SqlInstant>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    bank_statements (id) {
        id -> SqlId,
        version -> BigInt,
        file_sha256 -> Text,
        format -> Text,
        message_id -> Text,
        statement_ref -> Text,
        sequence -> Text,
        page -> BigInt,
        last_page -> Bool,
        account -> Text,
        currency -> Text,
        from_date -> Text,
        to_date -> Text,
        opening -> Text,
        closing -> Text,
        state -> Text,
        why -> Nullable<Text>,
        reversals_inverted -> Bool,
        booked_sum -> Text,
        reversed_sum -> Text,
        lines_new -> BigInt,
        lines_seen -> BigInt,
        lines_pending -> BigInt,
        imported_by -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    bank_transactions (id) {
        id -> SqlId,
        statement_id -> SqlId,
        version -> BigInt,
        position -> BigInt,
        account -> Text,
        state -> Text,
        amount_cents -> Nullable<BigInt>,
        amount_text -> Text,
        currency -> Text,
        booking_date -> Nullable<Date>,
        value_date -> Nullable<Date>,
        bank_reference -> Nullable<Text>,
        end_to_end_id -> Nullable<Text>,
        reference -> Nullable<Text>,
        texts -> SqlJson,
        payer_name -> Nullable<Text>,
        payer_account -> Nullable<Text>,
        is_reversal -> Bool,
        has_charges -> Bool,
        is_batch -> Bool,
        fingerprint -> Text,
        ordinal -> BigInt,
        evidence -> SqlJson,
        reason -> Nullable<Text>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    payments (id) {
        id -> SqlId,
        account_id -> SqlId,
        charge_id -> Nullable<SqlId>,
        bank_transaction_id -> Nullable<SqlId>,
        amount_cents -> BigInt,
        open_cents -> BigInt,
        currency -> Text,
        received_date -> Date,
        disputed_at -> Nullable<SqlInstant>,
        taken_back_at -> Nullable<SqlInstant>,
        actor -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    allocations (id) {
        id -> SqlId,
        invoice_id -> SqlId,
        payment_id -> Nullable<SqlId>,
        credit_note_id -> Nullable<SqlId>,
        written_off -> Bool,
        amount_cents -> BigInt,
        reverses_id -> Nullable<SqlId>,
        reason -> Nullable<Text>,
        actor -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    refunds (id) {
        id -> SqlId,
        payment_id -> SqlId,
        version -> BigInt,
        kind -> Text,
        amount_cents -> BigInt,
        currency -> Text,
        state -> Text,
        reason -> Text,
        credit_note_id -> Nullable<SqlId>,
        provider_id -> Nullable<Text>,
        idempotency_key -> Text,
        payee_name -> Nullable<Text>,
        payee_account -> Nullable<Text>,
        paid_date -> Nullable<Date>,
        bank_transaction_id -> Nullable<SqlId>,
        actor -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::SqlInstant;

    provider_events (provider, event_id) {
        provider -> Text,
        event_id -> Text,
        r#type -> Text,
        object_id -> Text,
        body -> Nullable<Text>,
        applied_at -> Nullable<SqlInstant>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    reminders (id) {
        id -> SqlId,
        invoice_id -> SqlId,
        round -> BigInt,
        step -> BigInt,
        outcome -> Text,
        sent_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    invoice_files (invoice_id, kind) {
        invoice_id -> SqlId,
        kind -> Text,
        renderer -> Text,
        sha256 -> Text,
        bytes -> BigInt,
        file_key -> Text,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    partners (id) {
        id -> SqlId,
        version -> BigInt,
        name -> Text,
        country -> Text,
        contact_email -> Text,
        status -> Text,
        lines_per_day -> Nullable<BigInt>,
        created_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    credentials (id) {
        id -> SqlId,
        partner_id -> SqlId,
        version -> BigInt,
        name -> Text,
        secret_hash -> Text,
        previous_hash -> Nullable<Text>,
        previous_until -> Nullable<SqlInstant>,
        scopes -> SqlJson,
        networks -> SqlJson,
        created_at -> SqlInstant,
        last_used_at -> Nullable<SqlInstant>,
        revoked_at -> Nullable<SqlInstant>,
        token_version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::SqlId;

    partner_days (partner_id, day) {
        partner_id -> SqlId,
        day -> Date,
        lines -> BigInt,
        dry_run_lines -> BigInt,
        unmatched -> BigInt,
        silent_matches -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant};

    trusted_partners (account_id, partner_id) {
        account_id -> SqlId,
        partner_id -> SqlId,
        since -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    registrations (id) {
        id -> SqlId,
        partner_id -> SqlId,
        external_id -> Text,
        verb -> Text,
        of_id -> Nullable<SqlId>,
        body_hash -> Text,
        status -> Text,
        code -> Nullable<Text>,
        reason -> Nullable<Text>,
        account_id -> SqlId,
        product_id -> Nullable<SqlId>,
        model_id -> Nullable<SqlId>,
        serial_key -> Nullable<Text>,
        reported -> Nullable<SqlJson>,
        offer_expires_at -> Nullable<SqlInstant>,
        batch_id -> Nullable<SqlId>,
        version -> BigInt,
        created_at -> SqlInstant,
        changed_at -> SqlInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlInstant, SqlJson};

    registration_batches (id) {
        id -> SqlId,
        partner_id -> SqlId,
        credential_id -> SqlId,
        version -> BigInt,
        status -> Text,
        dry_run -> Bool,
        header -> Nullable<SqlJson>,
        lines -> BigInt,
        done -> BigInt,
        counts -> SqlJson,
        request_id -> Nullable<Text>,
        created_at -> SqlInstant,
        queued_at -> Nullable<SqlInstant>,
        completed_at -> Nullable<SqlInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{SqlId, SqlJson};

    registration_lines (batch_id, line) {
        batch_id -> SqlId,
        line -> BigInt,
        external_id -> Nullable<Text>,
        body -> Nullable<Text>,
        status -> Text,
        code -> Nullable<Text>,
        errors -> Nullable<SqlJson>,
        registration_id -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::SqlId;

    model_gtins (gtin) {
        gtin -> Text,
        model_id -> SqlId,
    }
}

diesel::joinable!(applicant_tokens -> accounts (account_id));
diesel::joinable!(reviews -> accounts (account_id));
diesel::joinable!(documents -> accounts (account_id));
diesel::joinable!(files -> accounts (account_id));
diesel::joinable!(users -> accounts (account_id));
diesel::joinable!(one_time_tokens -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(devices -> users (user_id));
diesel::joinable!(model_points -> models (model_id));
diesel::joinable!(products -> models (model_id));
diesel::joinable!(products -> accounts (account_id));
diesel::joinable!(legacy_products -> legacy_accounts (legacy_account_id));
diesel::joinable!(legacy_takeovers -> legacy_accounts (legacy_account_id));
diesel::joinable!(member_numbers -> legacy_accounts (legacy_account_id));
diesel::joinable!(points_accounts -> accounts (account_id));
diesel::joinable!(points_entries -> products (product_id));
diesel::joinable!(memberships -> accounts (account_id));
diesel::joinable!(invoices -> accounts (account_id));
diesel::joinable!(invoices -> memberships (membership_id));
diesel::joinable!(purchases -> accounts (account_id));
diesel::joinable!(charges -> invoices (invoice_id));
diesel::joinable!(bank_transactions -> bank_statements (statement_id));
diesel::joinable!(payments -> accounts (account_id));
diesel::joinable!(payments -> bank_transactions (bank_transaction_id));
diesel::joinable!(allocations -> payments (payment_id));
diesel::joinable!(refunds -> payments (payment_id));
diesel::joinable!(reminders -> invoices (invoice_id));
diesel::joinable!(invoice_files -> invoices (invoice_id));
diesel::joinable!(credentials -> partners (partner_id));
diesel::joinable!(trusted_partners -> partners (partner_id));
diesel::joinable!(registrations -> partners (partner_id));
diesel::joinable!(registrations -> products (product_id));
diesel::joinable!(registration_batches -> partners (partner_id));
diesel::joinable!(registration_lines -> registration_batches (batch_id));
diesel::joinable!(model_gtins -> models (model_id));

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    products::status,
    products::model_id,
    points_entries::amount,
);

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    applicant_tokens,
    reviews,
    documents,
    files,
    users,
    one_time_tokens,
    sessions,
    refresh_tokens,
    devices,
    sign_in_failures,
    settings,
    jobs,
    mails,
    work_items,
    idempotency_keys,
    event_inbox,
    events,
    event_counters,
    event_reasons,
    models,
    model_points,
    products,
    legacy_accounts,
    legacy_products,
    legacy_takeovers,
    legacy_proofs,
    points_accounts,
    points_entries,
    cards,
    memberships,
    member_numbers,
    invoice_counters,
    invoices,
    seller_terms,
    purchases,
    mandates,
    billing_profiles,
    charges,
    bank_statements,
    bank_transactions,
    payments,
    allocations,
    refunds,
    provider_events,
    reminders,
    invoice_files,
    partners,
    credentials,
    partner_days,
    trusted_partners,
    registrations,
    registration_batches,
    registration_lines,
    model_gtins,
);
