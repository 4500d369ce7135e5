//! Telling Lambda that a start failed, so that the invocation's answer says why.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;

use crate::Error;
use crate::http::{Http, host_header};

/// Posts to the Runtime API's `init/error`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>, read 2026-11-22). It may
/// fail without more ado: the process ends with an error right after it, and the log has the reason too.
pub(super) async fn report(error: &Error) {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let Ok(origin) = format!("http://{address}").parse::<Uri>() else {
        return;
    };
    let body = serde_json::json!({
        "errorType": "Dayspring.UnknownHandler",
        "errorMessage": error.to_string(),
        "stackTrace": [],
    });
    let request = Request::post("/2018-06-01/runtime/init/error")
        .header("host", host_header(&origin))
        .header("content-type", "application/json")
        .header(
            "lambda-runtime-function-error-type",
            "Dayspring.UnknownHandler",
        )
        .body(Full::new(Bytes::from(body.to_string())));
    if let Ok(request) = request
        && let Err(error) = Http::new(origin)
            .send(request, Duration::from_secs(2))
            .await
    {
        tracing::error!(?error, "Lambda did not take the error of the start");
    }
}
