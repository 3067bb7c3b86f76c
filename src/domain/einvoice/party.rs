//! Seller and buyer of an electronic invoice.

use super::xml::Xml;
use super::{ElectronicAddress, Missing, address};
use crate::domain::invoice::VatTreatment;
use crate::domain::invoice::v2::{Buyer, Content, Seller};
use crate::domain::values::Country;

/// A party with all that its element says.
#[derive(Debug, Clone)]
pub struct Party<'a> {
    name: &'a str,
    street: &'a str,
    city: &'a str,
    postal_code: &'a str,
    country: Country,
    endpoint: ElectronicAddress,
    /// With its country in front; none outside the scope of VAT (BR-O-02).
    vat_number: Option<String>,
    /// Its number in a register, behind the scheme where one is named.
    company: Option<(Option<&'a str>, String)>,
}

/// Seller and buyer; what has to be filled in first where one of them cannot be written.
pub fn parties(content: &Content) -> Result<(Party<'_>, Party<'_>), Vec<Missing>> {
    let treatment = content.vat.first().map(|share| share.category);
    let shows_vat = treatment != Some(VatTreatment::OutsideScope);
    let seller = seller(&content.seller, shows_vat);
    let buyer = buyer(&content.buyer, content.seller.country, treatment);
    match (seller, buyer) {
        (Ok(seller), Ok(buyer)) => Ok((seller, buyer)),
        (seller, buyer) => {
            let missing = [seller.err(), buyer.err()].into_iter().flatten();
            Err(missing.collect())
        }
    }
}

/// A VAT number as an electronic invoice has it (BR-CO-09).
fn with_country(country: Country, number: &str) -> String {
    format!("{country}{number}")
}

/// The schemes of ISO 6523 by which a company of a country names its number (DK-R-014, NL-R-003); empty where any will do.
pub fn registers(country: Country) -> &'static [&'static str] {
    match country.as_str() {
        "DK" => &["0184"],
        "NL" => &["0106", "0190"],
        _ => &[],
    }
}

fn seller(seller: &Seller, shows_vat: bool) -> Result<Party<'_>, Missing> {
    let vat = seller.vat_number.as_str();
    let company = seller.company_number.as_deref();
    // Without a VAT number its register is all that tells who it is (BR-CO-26); the Dutch and the Danes are always asked for it (NL-R-003, DK-R-002).
    let registers = registers(seller.country);
    if company.is_none() && (!shows_vat || !registers.is_empty()) {
        return Err(Missing::SELLER_COMPANY_NUMBER);
    }
    let scheme = seller.company_scheme.as_deref();
    if !registers.is_empty() && !scheme.is_some_and(|one| registers.contains(&one)) {
        return Err(Missing::SELLER_COMPANY_SCHEME);
    }
    let own = seller.electronic_address.as_deref();
    let endpoint = address(own, seller.country, Some(vat), company);
    Ok(Party {
        name: &seller.name,
        street: &seller.street,
        city: &seller.city,
        postal_code: &seller.postal_code,
        country: seller.country,
        endpoint: endpoint.ok_or(Missing::SELLER_ADDRESS)?,
        vat_number: shows_vat.then(|| with_country(seller.country, vat)),
        company: company.map(|number| (scheme, number.to_owned())),
    })
}

fn buyer(
    buyer: &Buyer,
    seller: Country,
    treatment: Option<VatTreatment>,
) -> Result<Party<'_>, Missing> {
    let (vat, company) = (buyer.vat_number.as_deref(), buyer.company_number.as_deref());
    let registered = registered(buyer.country, vat, company);
    // Whoever accounts for the VAT is told by a number (BR-AE-02); the Danes and the Dutch ask for it at home (DK-R-017, NL-R-005).
    let is_asked = match treatment {
        Some(VatTreatment::ReverseCharge) => vat.is_none(),
        _ => seller == buyer.country && !registers(seller).is_empty(),
    };
    if is_asked && registered.is_none() {
        return Err(Missing::BUYER_COMPANY_NUMBER);
    }
    let own = buyer.electronic_address.as_deref();
    let endpoint = address(own, buyer.country, vat, company);
    let helps = match has_register(buyer.country) {
        true => Missing::BUYER_COMPANY_NUMBER,
        false => Missing::BUYER_ADDRESS,
    };
    let shown = vat.filter(|_| treatment != Some(VatTreatment::OutsideScope));
    Ok(Party {
        name: &buyer.company_name,
        street: &buyer.street,
        city: &buyer.city,
        postal_code: &buyer.postal_code,
        country: buyer.country,
        endpoint: endpoint.ok_or(helps)?,
        vat_number: shown.map(|number| with_country(buyer.country, number)),
        company: registered,
    })
}

/// Whether an address is made of a number of the country's register.
fn has_register(country: Country) -> bool {
    ["BE", "DK", "FI", "NL", "NO", "SE"].contains(&country.as_str())
}

/// The number of a buyer in its country's register, which its VAT number may be made of; not that of the Dutch.
fn registered(
    country: Country,
    vat: Option<&str>,
    company: Option<&str>,
) -> Option<(Option<&'static str>, String)> {
    let of_vat = vat.filter(|_| country.as_str() != "NL");
    let number = company.or(of_vat)?;
    Some(match country.as_str() {
        "DK" => (Some("0184"), number.to_owned()),
        "NL" => (Some("0106"), number.to_owned()),
        "NO" => (None, number.trim_end_matches("MVA").to_owned()),
        _ => (None, number.to_owned()),
    })
}

impl Party<'_> {
    /// Writes the party into its role.
    pub fn write(&self, xml: &mut Xml, role: &str) {
        xml.element(role, |xml| xml.element("cac:Party", |xml| self.inside(xml)));
    }

    fn inside(&self, xml: &mut Xml) {
        let scheme = [("schemeID", self.endpoint.scheme())];
        xml.text_with("cbc:EndpointID", &scheme, self.endpoint.number());
        xml.element("cac:PartyName", |xml| xml.text("cbc:Name", self.name));
        xml.element("cac:PostalAddress", |xml| {
            xml.text("cbc:StreetName", self.street);
            xml.text("cbc:CityName", self.city);
            xml.text("cbc:PostalZone", self.postal_code);
            xml.element("cac:Country", |xml| {
                xml.text("cbc:IdentificationCode", self.country.as_str());
            });
        });
        if let Some(number) = &self.vat_number {
            xml.element("cac:PartyTaxScheme", |xml| {
                xml.text("cbc:CompanyID", number);
                xml.element("cac:TaxScheme", |xml| xml.text("cbc:ID", "VAT"));
            });
        }
        xml.element("cac:PartyLegalEntity", |xml| {
            xml.text("cbc:RegistrationName", self.name);
            if let Some((scheme, number)) = &self.company {
                let scheme = scheme.map(|scheme| ("schemeID", scheme));
                xml.text_with("cbc:CompanyID", scheme.as_slice(), number);
            }
        });
    }
}
