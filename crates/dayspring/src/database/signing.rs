//! AWS Signature Version 4 of a request: the headers to add.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html> (read 2026-11-22)

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

/// Who signs, and for which service of which region.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) service: &'static str,
}

impl Signer {
    /// The headers that sign a request: `x-amz-date`, `authorization` and, for temporary credentials,
    /// `x-amz-security-token`. The host that is signed is the URI's.
    pub(crate) fn headers(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: SystemTime,
    ) -> Result<Vec<(String, String)>, String> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let request = SignableRequest::new(
            method,
            uri,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _signature) = sign(request, &parameters)
            .map_err(|error| error.to_string())?
            .into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// AWS's published vectors: `aws-signing-test-suite/v4` (credentials, service and time are the same in all).
    #[track_caller]
    fn check(method: &str, token: Option<&str>, authorization: &str) {
        let signer = Signer {
            credentials: Credentials::new(
                "AKIDEXAMPLE",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                token.map(str::to_owned),
                None,
                "test",
            ),
            region: "us-east-1".to_owned(),
            service: "service",
        };
        // 2015-08-30T12:36:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let headers = signer
            .headers(method, "https://example.amazonaws.com/", &[], b"", now)
            .unwrap();
        let found = headers.iter().find(|(name, _)| name == "authorization");
        assert_eq!(found.map(|(_, value)| value.as_str()), Some(authorization));
        assert!(headers.contains(&("x-amz-date".to_owned(), "20150830T123600Z".to_owned())));
        assert_eq!(
            headers
                .iter()
                .any(|(name, _)| name == "x-amz-security-token"),
            token.is_some()
        );
    }

    #[test]
    fn signs_the_published_vector_post_vanilla() {
        check(
            "POST",
            None,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        );
    }

    #[test]
    fn signs_the_published_vector_get_vanilla_with_session_token() {
        check(
            "GET",
            Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-security-token, \
             Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        );
    }
}
