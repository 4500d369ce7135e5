//! AWS Signature Version 4, checked: who signed a request with which secret, when, and over which bytes.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html> (read 2026-11-23)

use ::http::StatusCode;
use ::http::request::Parts;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use crate::error::AwsError;
use crate::http::{Call, encode_percent, form_fields, header};
use crate::lambda::{FUNCTION_ACCESS_KEY_ID, FUNCTION_SECRET_ACCESS_KEY};
use crate::routing::Service;
use crate::world::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far the client's clock may be from this one. S3 takes a quarter of an hour.
const SKEW_MILLIS: u64 = 5 * 60 * 1000;
const SKEW_MILLIS_S3: u64 = 15 * 60 * 1000;

/// What is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    /// Something is missing from it.
    Incomplete(&'static str),
    /// It was made at another time.
    Time { signed: String, now: String },
    /// It is not that of this request with this secret.
    Signature,
    /// The body is not the one whose digest was signed.
    Payload,
}

/// What a request says of its signature.
#[derive(Debug)]
struct Claim {
    access_key_id: String,
    /// `20261123`.
    date: String,
    region: String,
    service: String,
    signed_headers: Vec<String>,
    signature: String,
    /// `20261123T030000Z`.
    time: String,
    /// Of a presigned URL: how many seconds it is good for.
    expires: Option<u64>,
}

/// Checks a request that carries a signature. `secret` is that of every access key which this cloud did not give out itself.
///
/// # Errors
///
/// The signature is not that of the request, or of another time: in the words of the service.
pub(crate) fn check(
    service: Service,
    call: &Call,
    secret: &str,
    now_millis: u64,
) -> Result<(), AwsError> {
    verify(service, call, secret, now_millis).map_err(|wrong| refusal(service, &wrong))
}

/// The secret of a session that STS gave out, which is made of its access key: so nothing has to be kept.
pub(crate) fn session_secret(access_key_id: &str) -> String {
    let digest = hex(&Sha256::digest(format!("dayspring/{access_key_id}")));
    digest[..40].to_owned()
}

fn verify(service: Service, call: &Call, secret: &str, now_millis: u64) -> Result<(), Wrong> {
    let claim = Claim::read(&call.parts)?;
    check_time(service, &claim, now_millis)?;
    let digest = payload(&claim, call)?;
    let canonical = canonical_request(service, &claim, &call.parts, &digest)?;
    let scope = format!(
        "{}/{}/{}/aws4_request",
        claim.date, claim.region, claim.service
    );
    let text = format!(
        "{ALGORITHM}\n{}\n{scope}\n{}",
        claim.time,
        hex(&Sha256::digest(canonical))
    );
    let own;
    let secret = match claim.access_key_id.as_str() {
        FUNCTION_ACCESS_KEY_ID => FUNCTION_SECRET_ACCESS_KEY,
        key if key.starts_with("ASIA") => {
            own = session_secret(key);
            &own
        }
        _ => secret,
    };
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), claim.date.as_bytes());
    for part in [claim.region.as_str(), &claim.service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    if hex(&hmac(&key, text.as_bytes())) == claim.signature {
        Ok(())
    } else {
        Err(Wrong::Signature)
    }
}

impl Claim {
    fn read(parts: &Parts) -> Result<Self, Wrong> {
        let Some(authorization) = header(parts, "authorization") else {
            return Self::presigned(parts);
        };
        let fields = authorization.strip_prefix(ALGORITHM).unwrap_or_default();
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let time = header(parts, "x-amz-date").ok_or(Wrong::Incomplete("X-Amz-Date"))?;
        Self::of(
            field("Credential"),
            field("SignedHeaders"),
            field("Signature"),
            Some(time),
            None,
        )
    }

    fn presigned(parts: &Parts) -> Result<Self, Wrong> {
        let fields = form_fields(parts.uri.query().unwrap_or_default());
        let field = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.as_str())
        };
        let expires = field("X-Amz-Expires").and_then(|seconds| seconds.parse().ok());
        Self::of(
            field("X-Amz-Credential"),
            field("X-Amz-SignedHeaders"),
            field("X-Amz-Signature"),
            field("X-Amz-Date"),
            expires,
        )
    }

    fn of(
        credential: Option<&str>,
        signed_headers: Option<&str>,
        signature: Option<&str>,
        time: Option<&str>,
        expires: Option<u64>,
    ) -> Result<Self, Wrong> {
        let credential = credential.ok_or(Wrong::Incomplete("Credential"))?;
        let mut scope = credential.rsplitn(5, '/').skip(1).map(str::to_owned);
        let mut next = || scope.next().ok_or(Wrong::Incomplete("Credential"));
        let (service, region, date, access_key_id) = (next()?, next()?, next()?, next()?);
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            signed_headers: signed_headers
                .ok_or(Wrong::Incomplete("SignedHeaders"))?
                .split(';')
                .map(str::to_owned)
                .collect(),
            signature: signature.ok_or(Wrong::Incomplete("Signature"))?.to_owned(),
            time: time.ok_or(Wrong::Incomplete("X-Amz-Date"))?.to_owned(),
            expires,
        })
    }
}

fn check_time(service: Service, claim: &Claim, now_millis: u64) -> Result<(), Wrong> {
    let signed = millis(&claim.time).ok_or(Wrong::Incomplete("X-Amz-Date"))?;
    let skew = match (claim.expires, service) {
        (Some(seconds), _) => seconds.saturating_mul(1000),
        (None, Service::S3) => SKEW_MILLIS_S3,
        (None, _) => SKEW_MILLIS,
    };
    let ahead = if claim.expires.is_some() {
        SKEW_MILLIS_S3
    } else {
        skew
    };
    if signed.saturating_add(skew) < now_millis || signed > now_millis + ahead {
        return Err(Wrong::Time {
            signed: claim.time.clone(),
            now: basic(now_millis),
        });
    }
    Ok(())
}

/// The digest that stands for the body in what is signed.
fn payload(claim: &Claim, call: &Call) -> Result<String, Wrong> {
    let actual = || hex(&Sha256::digest(&call.body));
    match header(&call.parts, "x-amz-content-sha256") {
        Some(said) if said == "UNSIGNED-PAYLOAD" || said.starts_with("STREAMING-") => {
            Ok(said.to_owned())
        }
        Some(said) if said == actual() => Ok(said.to_owned()),
        Some(_) => Err(Wrong::Payload),
        None if claim.expires.is_some() => Ok("UNSIGNED-PAYLOAD".to_owned()),
        None => Ok(actual()),
    }
}

fn canonical_request(
    service: Service,
    claim: &Claim,
    parts: &Parts,
    digest: &str,
) -> Result<String, Wrong> {
    let mut headers = String::new();
    for name in &claim.signed_headers {
        let values: Vec<String> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        if values.is_empty() {
            return Err(Wrong::Incomplete("SignedHeaders"));
        }
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let mut query: Vec<(String, String)> = form_fields(parts.uri.query().unwrap_or_default())
        .into_iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode_percent(&name), encode_percent(&value)))
        .collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{digest}",
        parts.method,
        canonical_path(service, parts.uri.path()),
        query.join("&"),
        claim.signed_headers.join(";")
    ))
}

/// S3 signs a path as it is encoded once; the other services encode what was sent once more.
fn canonical_path(service: Service, path: &str) -> String {
    let encode = |segment: &str| match service {
        Service::S3 => encode_percent(&percent_decode_str(segment).decode_utf8_lossy()),
        _ => encode_percent(segment),
    };
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// RFC 2104.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner.finalize())
        .finalize()
        .into()
}

/// `20261123T030405Z` to milliseconds since 1970.
fn millis(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('Z')?;
    if digits.len() != 15 || digits.as_bytes()[8] != b'T' || !digits.is_ascii() {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    // Howard Hinnant, "chrono-compatible low-level date algorithms": the year begins in March.
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    let days = (year / 400 * 146_097 + day_of_era).checked_sub(719_468)?;
    let seconds = number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?;
    Some((days * 86_400 + seconds) * 1000)
}

/// Milliseconds since 1970 to `20261123T030405Z`.
fn basic(millis: u64) -> String {
    super::time::iso8601(millis)
        .split('.')
        .next()
        .unwrap_or_default()
        .replace(['-', ':'], "")
        + "Z"
}

fn refusal(service: Service, wrong: &Wrong) -> AwsError {
    let (mismatch, status) = match service {
        Service::S3 | Service::CloudFormation | Service::Sts => {
            ("SignatureDoesNotMatch", StatusCode::FORBIDDEN)
        }
        Service::Lambda | Service::RdsData | Service::ApiGateway => {
            ("InvalidSignatureException", StatusCode::FORBIDDEN)
        }
        Service::Ssm | Service::Secrets | Service::Logs => {
            ("InvalidSignatureException", StatusCode::BAD_REQUEST)
        }
    };
    match (wrong, service) {
        (Wrong::Signature, Service::S3) => AwsError::new(
            status,
            mismatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
        (Wrong::Signature, _) => AwsError::new(
            status,
            mismatch,
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
             signing method. Consult the service documentation for details.",
        ),
        (Wrong::Payload, Service::S3) => AwsError::bad_request(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        (Wrong::Payload, _) => AwsError::new(
            status,
            mismatch,
            "The value of the 'X-Amz-Content-SHA256' header does not match the calculated value.",
        ),
        (Wrong::Time { .. }, Service::S3) => AwsError::new(
            status,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        (Wrong::Time { signed, now }, _) if signed < now => AwsError::new(
            status,
            mismatch,
            format!("Signature expired: {signed} is now earlier than {now} - 5 min."),
        ),
        (Wrong::Time { signed, now }, _) => AwsError::new(
            status,
            mismatch,
            format!("Signature not yet current: {signed} is still later than {now} + 5 min."),
        ),
        (Wrong::Incomplete(what), Service::S3) => AwsError::bad_request(
            "AuthorizationHeaderMalformed",
            format!("The authorization header is malformed; {what} is missing."),
        ),
        (Wrong::Incomplete(what), _) => AwsError::new(
            status,
            "IncompleteSignature",
            format!("Authorization header requires '{what}' parameter."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn call(authorization: &str, more: &[(&str, &str)]) -> Call {
        let mut request = ::http::Request::get("/")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", authorization);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Call {
            parts,
            body: bytes::Bytes::new(),
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        }
    }

    /// `get-vanilla` of AWS's signing test suite.
    const VANILLA: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
        SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    /// 2015-08-30T12:36:00Z.
    const THEN: u64 = 1_440_938_160_000;

    #[test]
    fn aws_s_own_example_is_signed_rightly() {
        assert_eq!(
            verify(Service::RdsData, &call(VANILLA, &[]), SECRET, THEN),
            Ok(())
        );
        assert_eq!(
            verify(Service::RdsData, &call(VANILLA, &[]), "other", THEN),
            Err(Wrong::Signature)
        );
    }

    #[test]
    fn a_signature_is_good_for_five_minutes() {
        let message = |now| {
            let refused = check(Service::RdsData, &call(VANILLA, &[]), SECRET, now);
            refused.map_err(|error| format!("{} {error}", error.status))
        };
        assert_eq!(message(THEN + 299_000), Ok(()));
        assert_eq!(message(THEN - 299_000), Ok(()));
        insta::assert_snapshot!(message(THEN + 301_000).unwrap_err(), @"403 Forbidden InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T124101Z - 5 min.");
        insta::assert_snapshot!(message(THEN - 301_000).unwrap_err(), @"403 Forbidden InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than 20150830T123059Z + 5 min.");
    }

    #[test]
    fn a_body_of_another_digest_and_a_header_that_is_not_there_are_refused() {
        let other = [("x-amz-content-sha256", "00")];
        assert_eq!(
            verify(Service::S3, &call(VANILLA, &other), SECRET, THEN),
            Err(Wrong::Payload)
        );
        let more = VANILLA.replace("host;", "host;x-amz-target;");
        assert_eq!(
            verify(Service::S3, &call(&more, &[]), SECRET, THEN),
            Err(Wrong::Incomplete("SignedHeaders"))
        );
    }
}
