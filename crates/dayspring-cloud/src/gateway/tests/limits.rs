//! URLs and headers at the limits and above them.

use super::*;

#[tokio::test]
async fn a_url_and_headers_above_the_limits_are_refused() {
    let api = api(&["OPTIONS /a mock"], &[]).await;
    let url = "/prod/a?".len();
    let longest = "x".repeat(10_240 - url);
    let at_limit = api.text(&format!("OPTIONS /prod/a?{longest}")).await;
    assert_eq!(at_limit, "204 - ");
    let above = api.text(&format!("OPTIONS /prod/a?{longest}x")).await;
    assert_eq!(
        above,
        "414 RequestTooLargeException An HTTP line is larger than 10240 bytes."
    );
    let piped = api.text("OPTIONS /prod/a?x=a|b").await;
    assert!(piped.starts_with("400 BadRequestException "), "{piped}");
    assert_eq!(api.text("OPTIONS /prod/a?x=a%7Cb").await, "204 - ");
    // The host's header counts too, and names, colons, spaces and line ends.
    let others = "host: 127.0.0.1:3000\r\n".len() + "x-a: \r\n".len();
    let longest = "x".repeat(10_240 - others);
    let send = async |value: String| {
        let answer = api.send("OPTIONS /prod/a", &[("x-a", &value)], "").await;
        let status = answer.status().as_u16();
        format!("{status} {}", text_of(answer.into_body()).await)
    };
    assert_eq!(send(longest.clone()).await, "204 ");
    assert_eq!(
        send(longest + "x").await,
        "431 HTTP header is larger than 10240 bytes."
    );
    api.lambda.lambda.shut_down().await;
}
