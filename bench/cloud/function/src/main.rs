//! Answers every request with `{"message":"hello"}`.

use lambda_http::{Body, Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_: Request| -> Result<_, Error> {
        Ok(Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(r#"{"message":"hello"}"#))?)
    }))
    .await
}
