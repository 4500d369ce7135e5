//! Rows of every service.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "iam",
        service: "All services",
        here: "any access key is taken; roles, policies and permissions are recorded and never asked",
        aws: "every call is authorised by IAM; a missing permission is AccessDenied",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    },
    Row {
        id: "signature",
        service: "All services",
        here: "a request has to be signed; the signature is checked with --verify-signatures alone, by one secret for all keys, without SigV4A, the signatures of chunks and session tokens",
        aws: "a wrong signature is refused",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html",
    },
    Row {
        id: "tls",
        service: "All services",
        here: "plain HTTP on the loopback",
        aws: "HTTPS only",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/general/latest/gr/rande.html",
    },
    Row {
        id: "quotas",
        service: "All services",
        here: "rate limits of the control plane are not kept",
        aws: "calls beyond a rate are throttled",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html",
    },
    Row {
        id: "one-region",
        service: "All services",
        here: "one account and one region, whatever a request names",
        aws: "resources belong to the region and account of the request",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/general/latest/gr/rande.html",
    },
    Row {
        id: "operations",
        service: "All services",
        here: "each service answers what deploying, running and looking at a project need; any other operation, and any other service, is refused by its name",
        aws: "all operations and services",
        warned: Warned::Refused,
        source: "https://docs.aws.amazon.com/general/latest/gr/aws-general.html",
    },
    Row {
        id: "connections",
        service: "All services",
        here: "a connection is closed after 310 s without a request, 30 s for a head, and 30 s without progress in a body or an answer",
        aws: "limits of each service's own",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html",
    },
    Row {
        id: "web-pages",
        service: "All services",
        here: "what a browser sends for a page of another site is refused with 403 AccessDenied on the port of AWS's APIs",
        aws: "the signature decides",
        warned: Warned::Refused,
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html",
    },
];
