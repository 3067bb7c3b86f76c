//! Which addresses, origins and proxies may be ours.

use super::*;

const REFUSED_ADDRESSES: [&str; 32] = [
    "http://cps.dk",
    "ftp://cps.dk",
    "cps.dk",
    "https://",
    "https:///cps.dk",
    "https:/cps.dk",
    "https:\\\\cps.dk",
    "https://user@cps.dk",
    "https://user:password@cps.dk",
    "https://@cps.dk",
    "https://cps.dk?x=1",
    "https://cps.dk?",
    "https://cps.dk/#",
    "https://cps.dk//",
    "https://cps.dk/../x",
    "https://cps.dk/%2e%2e/x",
    "https://cps.dk/a//b",
    "https://cps.dk:0",
    "https://cps.dk:port",
    "https://cps.dk.",
    "https://*.cps.dk",
    "https://cps dk",
    "https://localhost",
    "https://api.localhost",
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://[::1]",
    "https://0.0.0.0",
    "https://cps.invalid",
    " https://cps.dk",
    "https://cps.dk\n",
];

#[test]
fn our_own_addresses_are_public_and_written_plainly() {
    for name in ["CPS_PUBLIC_URL", "CPS_FRONTEND_URL"] {
        refused(name, &REFUSED_ADDRESSES);
    }
    refused("CPS_PUBLIC_URL", &["https://api.cps.dk/v1"]);
    let read_as = |value| live("CPS_PUBLIC_URL", value).unwrap().public_url.unwrap();
    for same in [
        "https://api.cps.dk/",
        "HTTPS://API.cps.dk",
        "https://api.cps.dk:443",
    ] {
        assert_eq!(read_as(same), "https://api.cps.dk");
    }
    taken(
        "CPS_FRONTEND_URL",
        &[
            "https://cps.dk/app",
            "https://cps.dk/app/",
            "https://cps.dk:8443",
        ],
    );
    let example = live("CPS_PUBLIC_URL", "https://api.cps.example").unwrap();
    assert!(
        example
            .warnings
            .iter()
            .any(|line| line.starts_with("CPS_PUBLIC_URL"))
    );
}

#[test]
fn an_origin_is_one_exactly() {
    refused(
        "CPS_CORS_ORIGINS",
        &[
            "*",
            "null",
            "https://*.cps.dk",
            "https://cps.dk/app",
            "https://cps.dk//",
            "https://cps.dk, *",
            "https://cps.dk?",
            "https://u@cps.dk",
            "cps.dk",
            "file://",
            "http://cps.dk",
            "https://cps.dk/..",
        ],
    );
    let origins =
        "HTTPS://CPS.dk:443, https://cps.dk:8443/,https://københavn.dk, http://localhost:5173";
    let read = live("CPS_CORS_ORIGINS", origins)
        .unwrap()
        .cors_origins
        .unwrap();
    assert_eq!(
        read,
        [
            "https://cps.dk",
            "https://cps.dk:8443",
            "https://xn--kbenhavn-54a.dk",
            "http://localhost:5173"
        ]
    );
}

#[test]
fn not_everybody_is_a_proxy_of_ours() {
    refused(
        "CPS_TRUSTED_PROXIES",
        &[
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1,128.0.0.0/1",
            "0.0.0.0/4",
            "2000::/3",
            "::ffff:0:0/96",
            "::ffff:0:0/100",
            "::/64",
            "10.0.0.0/8,0.0.0.0/0",
            "10.0.0.0/33",
            "1.2.3",
        ],
    );
    let whole: Vec<String> = (0..=255).map(|n| format!("{n}.0.0.0/8")).collect();
    refused("CPS_TRUSTED_PROXIES", &[&whole.join(",")]);
    taken(
        "CPS_TRUSTED_PROXIES",
        &[
            "10.0.0.0/8, 172.16.0.0/12,192.168.1.7",
            "fc00::/7,fe80::/10,2001:db8::/32,::ffff:10.0.0.0/104",
            "::1",
        ],
    );
}
