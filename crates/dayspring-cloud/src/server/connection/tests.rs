//! What clients send, and what they are answered, over real sockets.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::server::connections::Connections;

/// Answers with what it got; takes ten bytes, or a hundred and cuts where the path is `/cut`.
#[derive(Debug)]
struct Echo;

impl Handler for Echo {
    fn limit(&self, parts: &Parts) -> BodyLimit {
        let (bytes_max, beyond) = match parts.uri.path() {
            "/cut" => (100, Beyond::Cut),
            "/big" => (100_000_000, Beyond::Refuse),
            _ => (10, Beyond::Refuse),
        };
        BodyLimit { bytes_max, beyond }
    }

    fn too_long(&self, _: Parts) -> Answer {
        crate::http::answer(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too long")
    }

    async fn answer(&self, call: Call) -> Answer {
        let text = String::from_utf8_lossy(&call.body);
        let body = match call.parts.uri.path() {
            "/big" => format!("{} {}", call.parts.method, text.len()),
            "/much" => "x".repeat(50_000_000),
            _ => format!("{} {} {text}", call.parts.method, call.parts.uri),
        };
        crate::http::answer(StatusCode::OK, "text/plain", body)
    }
}

const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(60),
    head: Duration::from_secs(60),
    stall: Duration::from_secs(60),
    linger: Duration::from_secs(60),
};

struct Client {
    stream: TcpStream,
    served: JoinHandle<()>,
    end: mpsc::Sender<oneshot::Sender<()>>,
}

async fn client(patience: Patience) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, peer) = listener.accept().await.unwrap();
    let (end, mut ending) = mpsc::channel::<oneshot::Sender<()>>(1);
    let served = tokio::spawn(async move {
        let mut connections = Connections::new(patience);
        connections.add(|life| converse(server, peer, &Echo, life));
        while !connections.is_empty() {
            tokio::select! {
                () = connections.tend() => {}
                Some(ended) = ending.recv() => {
                    connections.end();
                    ended.send(()).unwrap();
                }
            }
        }
    });
    Client {
        stream,
        served,
        end,
    }
}

impl Client {
    /// No exchange begins any more.
    async fn end(&self) {
        let (ended, end) = oneshot::channel();
        self.end.send(ended).await.unwrap();
        end.await.unwrap();
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until so much text is there, and gives it without the dates.
    async fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let byte = self.stream.read_u8().await;
            text.push(char::from(
                byte.unwrap_or_else(|error| panic!("{error} after {text}")),
            ));
        }
        text
    }

    /// Everything until the server closes.
    async fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).await.unwrap();
        drop(self.stream);
        self.served.await.unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

/// What a client that sends this and then stays silent gets before the connection is closed: status lines and bodies.
async fn talk(text: &str) -> String {
    let mut client = client(PATIENCE).await;
    client.send(text).await;
    client.stream.shutdown().await.unwrap();
    let all = client.rest().await;
    all.split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| {
            let status = answer.get(..3).unwrap();
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            format!("{status} {body}")
        })
        .collect::<Vec<_>>()
        .join(" | ")
}

#[tokio::test]
async fn requests_that_were_sent_ahead_are_answered_in_their_order() {
    let requests = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: h\r\n\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\nHEAD /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(
        talk(requests).await,
        "200 POST /1 ab | 200 GET /2  | 200 POST /3 cd | 200 "
    );
}

#[tokio::test]
async fn where_a_request_ends_is_never_in_doubt() {
    let refused = "Content-Length and Transfer-Encoding exclude each other";
    let smuggled = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /inner HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(
        talk(smuggled).await,
        format!("400 {{\"message\":\"{refused}\"}}")
    );
    let bad_chunk = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabGET /inner HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(
        talk(bad_chunk).await,
        "400 {\"message\":\"the chunks of the body are malformed\"}"
    );
    assert_eq!(
        talk("\u{16}\u{3}\u{1}").await,
        "400 {\"message\":\"this is not HTTP/1.1\"}"
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_sent() {
    let mut client = client(PATIENCE).await;
    client
        .send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\n")
        .await;
    assert!(client.until("too long").await.starts_with("HTTP/1.1 413 "));
    drop(client.stream);
    client.served.await.unwrap();

    let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n";
    assert_eq!(talk(chunked).await, "413 too long");
    let cut = format!(
        "PUT /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n{}",
        "x".repeat(200)
    );
    assert_eq!(
        talk(&cut).await,
        format!("200 PUT /cut {}", "x".repeat(100))
    );
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on_or_refused() {
    let mut asked = client(PATIENCE).await;
    asked
        .send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await;
    assert_eq!(
        asked.until("\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    asked.send("ab").await;
    assert!(
        asked
            .until("POST / ab")
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );

    let mut refused = client(PATIENCE).await;
    refused
        .send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n")
        .await;
    assert!(refused.until("too long").await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_large_body_goes_in_and_out_whole() {
    let mut client = client(PATIENCE).await;
    let head = "POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n";
    client.send(head).await;
    client.send(&"x".repeat(30_000_000)).await;
    client.until("POST 30000000").await;
    client
        .send("GET /much HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;
    let answer = client.rest().await;
    assert!(
        answer.ends_with(&"x".repeat(50_000_000)),
        "{}",
        answer.len()
    );
}

/// Ten thousand of them cost a few MiB.
#[tokio::test]
async fn an_idle_connection_has_room_for_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (server, _client) = tokio::join!(listener.accept(), client);
    let (stream, peer) = server.unwrap();
    let mut connections = Connections::new(PATIENCE);
    connections.add(|life| {
        let serve = converse(stream, peer, &Echo, life);
        let bytes = size_of_val(&serve);
        assert!(bytes <= 256, "{bytes}");
        serve
    });
}

#[tokio::test]
async fn clients_that_make_no_progress_are_given_up() {
    let short = Duration::from_millis(20);
    let begun = client(Patience {
        head: short,
        ..PATIENCE
    })
    .await;
    let mut slow = begun;
    slow.send("GET / HT").await;
    assert!(slow.until("}").await.starts_with("HTTP/1.1 408 "));

    let mut body = client(Patience {
        stall: short,
        ..PATIENCE
    })
    .await;
    body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
        .await;
    assert!(body.rest().await.starts_with("HTTP/1.1 408 "));

    let idle = client(Patience {
        idle: short,
        ..PATIENCE
    })
    .await;
    assert_eq!(idle.rest().await, "");

    // An answer that nobody takes: the kernel's buffers are full long before its end.
    let mut deaf = client(Patience {
        stall: short,
        ..PATIENCE
    })
    .await;
    deaf.send("GET /much HTTP/1.1\r\nHost: h\r\n\r\n").await;
    deaf.served.await.unwrap();
}

#[tokio::test]
async fn the_end_closes_what_is_idle_and_the_current_exchange_is_the_last() {
    let idle = client(PATIENCE).await;
    idle.end().await;
    let (stream, served) = (idle.stream, idle.served);
    served.await.unwrap();
    drop(stream);

    let mut busy = client(PATIENCE).await;
    busy.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        .await;
    busy.until("Continue\r\n\r\n").await;
    busy.end().await;
    busy.send("a").await;
    let all = busy.rest().await;
    assert!(all.contains("\r\nConnection: close\r\n"), "{all}");
}
