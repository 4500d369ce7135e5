//! What every answer has, and what is refused before a service sees it.

use crate::client::{Running, send, signed_for};

#[test]
fn every_answer_has_one_date_and_a_request_id() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let signed = signed_for("sts");
    let answers = [
        send(cloud.aws, "GET", "/_dayspring/health", &[], b""),
        send(
            cloud.aws,
            "POST",
            "/",
            &[("Authorization", &signed)],
            b"Action=GetCallerIdentity",
        ),
        send(cloud.aws, "GET", "/nothing", &[], b""),
    ];
    assert_eq!(
        answers.each_ref().map(|answer| answer.status),
        [200, 200, 403]
    );
    for answer in answers {
        let head = answer.head.to_lowercase();
        assert_eq!(head.matches("\r\ndate: ").count(), 1, "{head}");
        assert_eq!(head.matches("\r\nx-amzn-requestid: ").count(), 1, "{head}");
    }
    cloud.stop();
}

#[test]
fn an_unsigned_request_is_refused_in_the_words_of_its_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let query = send(
        cloud.aws,
        "POST",
        "/",
        &[form],
        b"Action=DescribeStacks&Version=2010-05-15",
    );
    assert_eq!(query.status, 403);
    assert!(
        query
            .body
            .contains("<Code>MissingAuthenticationToken</Code>"),
        "{}",
        query.body
    );
    let json = send(
        cloud.aws,
        "POST",
        "/",
        &[("X-Amz-Target", "AmazonSSM.GetParameter")],
        b"{}",
    );
    assert_eq!(json.status, 400);
    assert!(
        json.body.contains("MissingAuthenticationTokenException"),
        "{}",
        json.body
    );
    let s3 = send(cloud.aws, "GET", "/bucket/key", &[], b"");
    assert_eq!(s3.status, 403);
    assert!(s3.body.contains("<Code>AccessDenied</Code>"), "{}", s3.body);
    cloud.stop();
}

#[test]
fn a_web_page_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let status = |origin: &str, service: &str| {
        let path = format!("/?X-Amz-Credential=a/20260101/us-east-1/{service}/aws4_request");
        let headers = [("Origin", origin), ("Content-Type", "text/plain")];
        send(
            cloud.aws,
            "POST",
            &path,
            &headers,
            b"Action=GetCallerIdentity&Version=2011-06-15",
        )
        .status
    };
    assert_eq!(status("http://localhost:5173", "sts"), 200);
    for service in ["sts", "lambda", "rds-data", "s3", "secretsmanager"] {
        assert_eq!(status("https://evil.example", service), 403, "{service}");
    }
    cloud.stop();
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let answer = send(
        cloud.aws,
        "POST",
        "/",
        &[("Authorization", &signed_for("ec2"))],
        b"Action=DescribeVpcs",
    );
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("does not have the service `ec2`"),
        "{}",
        answer.body
    );
    cloud.stop();
}

#[test]
fn a_custom_resource_response_that_nobody_waits_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let path = "/cloudformation-custom-resource-response-useast1/x?X-Amz-Signature=00";
    let answer = send(cloud.aws, "PUT", path, &[], b"{}");
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("Request has expired"),
        "{}",
        answer.body
    );
    cloud.stop();
}
