//! A relay of HTTP requests that looks at them on their way, and may change or delay them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What is done to a request before it goes on, by its first line and its body.
type Hook = dyn Fn(&str, &mut Vec<u8>) + Send + Sync;

/// A relay that serves until the process ends.
pub(crate) struct Relay {
    pub(crate) url: String,
}

impl Relay {
    pub(crate) fn before(
        server: SocketAddr,
        hook: impl Fn(&str, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hook: Arc<Hook> = Arc::new(hook);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let hook = Arc::clone(&hook);
                std::thread::spawn(move || drop(relay(&client, server, &*hook)));
            }
        });
        Self { url }
    }
}

/// Relays one request, on a connection that is closed after it.
fn relay(client: &TcpStream, server: SocketAddr, hook: &Hook) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "connection" | "expect" => {}
            _ if line.trim().is_empty() => break,
            _ => head.push(line),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    hook(head.first().map_or("", String::as_str), &mut body);
    let mut upstream = TcpStream::connect(server)?;
    let head = head.concat();
    write!(
        upstream,
        "{head}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let mut client = client;
    client.write_all(&answer)
}
