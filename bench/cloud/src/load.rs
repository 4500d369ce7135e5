//! The load: a thread for each connection, one request after the other, every latency kept.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Whatever answers one request after the other.
pub trait Caller: Send {
    fn call(&mut self) -> Result<()>;
}

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    Elapsed(Duration),
    /// Requests in all.
    Requests(u64),
}

#[derive(Debug, Clone)]
pub struct Measured {
    pub requests: u64,
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// Runs all callers at once.
pub fn run(callers: Vec<Box<dyn Caller>>, until: Until) -> Result<Measured> {
    let share = callers.len() as u64;
    let begun = Instant::now();
    let threads: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            std::thread::spawn(move || -> Result<Vec<u32>> {
                let mut micros = Vec::new();
                loop {
                    let done = match until {
                        Until::Elapsed(duration) => begun.elapsed() >= duration,
                        Until::Requests(requests) => micros.len() as u64 >= requests / share,
                    };
                    if done {
                        return Ok(micros);
                    }
                    let sent = Instant::now();
                    caller.call()?;
                    micros.push(sent.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
                }
            })
        })
        .collect();
    let mut micros = Vec::new();
    for thread in threads {
        micros.extend(
            thread
                .join()
                .map_err(|_| anyhow::anyhow!("a thread of the load panicked"))??,
        );
    }
    let elapsed = begun.elapsed();
    micros.sort_unstable();
    let at = |part: f64| {
        let index = ((micros.len() as f64 * part) as usize).min(micros.len().saturating_sub(1));
        Duration::from_micros(micros.get(index).copied().unwrap_or_default().into())
    };
    Ok(Measured {
        requests: micros.len() as u64,
        per_second: micros.len() as f64 / elapsed.as_secs_f64(),
        p50: at(0.50),
        p99: at(0.99),
    })
}

/// A keep-alive connection that sends the same request.
#[derive(Debug)]
pub struct Http {
    to: SocketAddr,
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Http {
    pub fn get(to: SocketAddr, path: &str) -> Result<Self> {
        Self::new(
            to,
            format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nAccept: */*\r\n\r\n").into_bytes(),
        )
    }

    pub fn post(to: SocketAddr, path: &str, headers: &str, body: &[u8]) -> Result<Self> {
        Self::send("POST", to, path, headers, body)
    }

    pub fn send(
        method: &str,
        to: SocketAddr,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Result<Self> {
        let length = body.len();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {to}\r\nContent-Length: {length}\r\n{headers}\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        Self::new(to, request)
    }

    fn new(to: SocketAddr, request: Vec<u8>) -> Result<Self> {
        let stream = TcpStream::connect(to).with_context(|| format!("nothing answers at {to}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            to,
            stream,
            request,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Status and body.
    pub fn exchange(&mut self) -> Result<(u16, Vec<u8>)> {
        self.stream.write_all(&self.request)?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill()?;
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.get(9..12).context("no status")?.parse()?;
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once(": "))
                .find_map(|(known, value)| {
                    known
                        .eq_ignore_ascii_case(name)
                        .then(|| value.trim().to_owned())
                })
        };
        let length: Option<usize> = field("content-length").and_then(|length| length.parse().ok());
        let chunked = field("transfer-encoding").is_some();
        match length {
            Some(length) => {
                while self.buffer.len() < head + length {
                    self.fill()?;
                }
            }
            None if chunked => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.fill()?;
                }
            }
            None if status == 204 => {}
            None => bail!("an answer without a length:\n{text}"),
        }
        Ok((status, self.buffer[head..].to_vec()))
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        if count == 0 {
            bail!("the connection was closed");
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

impl Caller for Http {
    fn call(&mut self) -> Result<()> {
        let (status, body) = match self.exchange() {
            Ok(answer) => answer,
            // Some servers close a connection after so many requests, or when they are late.
            Err(_) => {
                // It knows no peer any more.
                *self = Self::new(self.to, std::mem::take(&mut self.request))?;
                self.exchange()?
            }
        };
        if status != 200 {
            bail!("{status} {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}

/// A statement over the MySQL protocol.
pub struct Plain {
    pub connection: mysql::Conn,
    pub statement: &'static str,
    /// Prepared once and then run, as the Data API has it; else sent as text.
    pub prepared: bool,
}

impl Caller for Plain {
    fn call(&mut self) -> Result<()> {
        use mysql::prelude::Queryable as _;
        let rows: Vec<mysql::Row> = if self.prepared {
            self.connection.exec(self.statement, ())?
        } else {
            self.connection.query(self.statement)?
        };
        if rows.is_empty() {
            bail!("no rows");
        }
        Ok(())
    }
}
