//! The rules of Peppol that only Danish and Dutch sellers meet, by their names; the common ones are held by a library, EN 16931 by CEN's own rules.

use roxmltree::{Document, Node};

/// The text of the first element that a path of names leads to, from anywhere below `from`.
fn text<'a>(from: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    element(from, path).and_then(|node| node.text())
}

fn element<'a, 'i>(from: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    let Some((name, rest)) = path.split_first() else {
        return Some(from);
    };
    let mut below = from
        .descendants()
        .filter(|node| node.tag_name().name() == *name);
    below.find_map(|node| element(node, rest))
}

/// The rules that a document breaks.
pub fn faults(xml: &str) -> Vec<&'static str> {
    let document = Document::parse(xml).unwrap();
    let root = document.root_element();
    let seller = element(root, &["AccountingSupplierParty"]).unwrap();
    let buyer = element(root, &["AccountingCustomerParty"]).unwrap();
    let country = |party| text(party, &["PostalAddress", "Country", "IdentificationCode"]);
    let mut faults = Vec::new();
    if (country(seller), country(buyer)) == (Some("DK"), Some("DK")) {
        faults.extend(danish(root, seller, buyer));
    }
    if country(seller) == Some("NL") {
        faults.extend(dutch(root, seller, buyer, country(buyer) == Some("NL")));
    }
    faults
}

/// The scheme of a party's number in a register.
fn scheme<'a>(party: Node<'a, '_>) -> Option<&'a str> {
    element(party, &["PartyLegalEntity", "CompanyID"])?.attribute("schemeID")
}

fn is_credit_note(root: Node<'_, '_>) -> bool {
    root.tag_name().name() == "CreditNote"
}

fn broken(rules: impl IntoIterator<Item = (&'static str, bool)>) -> Vec<&'static str> {
    let broken = rules.into_iter().filter(|(_, holds)| !holds);
    broken.map(|(rule, _)| rule).collect()
}

fn danish(root: Node<'_, '_>, seller: Node<'_, '_>, buyer: Node<'_, '_>) -> Vec<&'static str> {
    let means = element(root, &["PaymentMeans"]).unwrap();
    let code = text(means, &["PaymentMeansCode"]).unwrap_or_default();
    let account = text(means, &["PayeeFinancialAccount", "ID"]).unwrap_or_default();
    let branch = ["PayeeFinancialAccount", "FinancialInstitutionBranch", "ID"];
    let payment = text(means, &["PaymentID"]).unwrap_or_default();
    let digits = payment.strip_prefix("71#").unwrap_or_default();
    let is_negative = |node: Node<'_, '_>| {
        node.attribute("currencyID").is_some()
            && node.text().is_some_and(|text| text.starts_with('-'))
    };
    let codes = [
        "1", "10", "31", "42", "48", "49", "50", "58", "59", "93", "97",
    ];
    broken([
        ("DK-R-002", scheme(seller).is_some()),
        ("DK-R-005", codes.contains(&code)),
        (
            "DK-R-006",
            !["31", "42"].contains(&code)
                || (!account.is_empty() && text(means, &branch).is_some()),
        ),
        (
            "DK-R-010",
            code != "93" || (digits.len() == 15 && digits.bytes().all(|b| b.is_ascii_digit())),
        ),
        ("DK-R-011", code != "93" || account.len() == 8),
        ("DK-R-014", scheme(seller) == Some("0184")),
        (
            "DK-R-016",
            !is_credit_note(root) || !root.descendants().any(is_negative),
        ),
        ("DK-R-017", scheme(buyer) == Some("0184")),
    ])
}

fn dutch(
    root: Node<'_, '_>,
    seller: Node<'_, '_>,
    buyer: Node<'_, '_>,
    is_at_home: bool,
) -> Vec<&'static str> {
    let has_address = |party| {
        let names = ["StreetName", "CityName", "PostalZone"];
        names
            .iter()
            .all(|name| text(party, &["PostalAddress", name]).is_some())
    };
    let registers = [Some("0106"), Some("0190")];
    let code = text(root, &["PaymentMeans", "PaymentMeansCode"]);
    let codes = ["30", "48", "49", "57", "58", "59"].map(Some);
    let corrected = ["BillingReference", "InvoiceDocumentReference", "ID"];
    broken([
        (
            "NL-R-001",
            !is_credit_note(root) || text(root, &corrected).is_some(),
        ),
        ("NL-R-002", has_address(seller)),
        ("NL-R-003", registers.contains(&scheme(seller))),
        ("NL-R-004", !is_at_home || has_address(buyer)),
        (
            "NL-R-005",
            !is_at_home || registers.contains(&scheme(buyer)),
        ),
        ("NL-R-007", code.is_some()),
        ("NL-R-008", !is_at_home || codes.contains(&code)),
    ])
}

/// Parties and means of a document.
fn document(root: &str, seller: [&str; 2], buyer: [&str; 2], means: &str) -> String {
    let party = |[country, scheme]: [&str; 2]| {
        format!(
            "<Party><PostalAddress><StreetName>s</StreetName><CityName>c</CityName><PostalZone>1</PostalZone><Country><IdentificationCode>{country}\
             </IdentificationCode></Country></PostalAddress><PartyLegalEntity><CompanyID schemeID=\"{scheme}\">1</CompanyID></PartyLegalEntity></Party>"
        )
    };
    format!(
        "<{root}><AccountingSupplierParty>{}</AccountingSupplierParty><AccountingCustomerParty>{}</AccountingCustomerParty>\
         <PaymentMeans>{means}</PaymentMeans><Amount currencyID=\"DKK\">-1.00</Amount></{root}>",
        party(seller),
        party(buyer)
    )
}

#[test]
fn what_breaks_a_rule_is_told_by_its_name() {
    let code = |code: &str| format!("<PaymentMeansCode>{code}</PaymentMeansCode>");
    let (dk, nl) = (["DK", "0184"], ["NL", "0106"]);
    let form = code("93") + "<PaymentID>71#1</PaymentID>";
    let check = |root, parties: [[&str; 2]; 2], means: &str, broken: &[&str]| {
        let [seller, buyer] = parties;
        let document = document(root, seller, buyer, means);
        assert_eq!(faults(&document), broken, "{document}");
    };
    check("Invoice", [dk, dk], &code("48"), &[]);
    let unnamed = [["DK", "0088"], ["DK", ""]];
    let broken = ["DK-R-005", "DK-R-014", "DK-R-017"];
    check("Invoice", unnamed, &code("30"), &broken);
    let broken = ["DK-R-010", "DK-R-011", "DK-R-016"];
    check("CreditNote", [dk, dk], &form, &broken);
    check("Invoice", [dk, dk], &code("42"), &["DK-R-006"]);
    let broken = ["NL-R-001", "NL-R-003", "NL-R-007", "NL-R-008"];
    check("CreditNote", [["NL", "9944"], nl], "", &broken);
    let broken = ["NL-R-005", "NL-R-008"];
    check("Invoice", [nl, ["NL", ""]], &code("42"), &broken);
}
