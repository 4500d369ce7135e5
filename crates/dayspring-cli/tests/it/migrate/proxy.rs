//! Between a client and the server: TCP on the client's side, the socket on the server's. It can cut a connection at a
//! chosen command, hold an answer back, and say that the server has no encryption.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// What befalls a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ends before the command reaches the server.
    CutBefore,
    /// The command is carried out, and the connection ends before its answer arrives.
    CutAfter,
    /// The command reaches the server and the client hears nothing.
    Hold,
    /// The command is carried out, the client's connection ends, and the server is never told.
    Vanish,
}

/// Which command a fault befalls.
#[derive(Debug, Clone)]
pub(super) enum At {
    /// The n-th of all connections together, from 1.
    Number(usize),
    /// The first whose text holds this.
    Text(&'static str),
}

#[derive(Debug, Default)]
struct State {
    fault: Option<(At, Fault)>,
    commands: usize,
    hides_encryption: bool,
}

pub(super) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
    struck: Receiver<()>,
}

impl Proxy {
    pub(super) fn start(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, struck) = channel();
        let (shared, socket) = (Arc::clone(&state), socket.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let way = Way {
                    state: Arc::clone(&shared),
                    struck: sender.clone(),
                    socket: socket.clone(),
                };
                thread::spawn(move || way.carry(client));
            }
        });
        Self {
            port,
            state,
            struck,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// A fault strikes once.
    pub(super) fn strike(&self, at: At, fault: Fault) {
        self.state.lock().unwrap().fault = Some((at, fault));
    }

    pub(super) fn hide_encryption(&self) {
        self.state.lock().unwrap().hides_encryption = true;
    }

    /// Commands so far.
    pub(super) fn commands(&self) -> usize {
        self.state.lock().unwrap().commands
    }

    /// Waits until the fault has struck.
    pub(super) fn wait(&self) {
        self.struck.recv().unwrap();
    }
}

struct Way {
    state: Arc<Mutex<State>>,
    struck: Sender<()>,
    socket: PathBuf,
}

impl Way {
    fn carry(self, mut client: TcpStream) {
        client.set_nodelay(true).unwrap();
        let Ok(mut server) = UnixStream::connect(&self.socket) else {
            return;
        };
        let Some(mut greeting) = read_packet(&mut server) else {
            return;
        };
        if self.state.lock().unwrap().hides_encryption {
            hide_encryption(&mut greeting);
        }
        if client.write_all(&greeting).is_err() {
            return;
        }
        let silent = Arc::new(Mutex::new(None));
        let back = {
            let (server, client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let silent = Arc::clone(&silent);
            thread::spawn(move || bring_back(server, client, &silent))
        };
        while let Some(packet) = read_packet(&mut client) {
            if asks_for_encryption(&packet) {
                drop(server.write_all(&packet));
                drop(std::io::copy(&mut client, &mut server));
                break;
            }
            let fault = self.fault_of(&packet);
            if fault == Some(Fault::CutBefore) {
                break;
            }
            silent.lock().unwrap().clone_from(&fault);
            if server.write_all(&packet).is_err() {
                break;
            }
            if fault == Some(Fault::Vanish) {
                drop(client.shutdown(Shutdown::Both));
                drop(back.join());
                return;
            }
            // Nobody listens where the test waits for the client's end.
            if fault.is_some() && self.struck.send(()).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
        drop(back.join());
    }

    /// A command is a packet that begins a sequence; those of the greeting continue one.
    fn fault_of(&self, packet: &[u8]) -> Option<Fault> {
        const SEQUENCE: usize = 3;
        if packet[SEQUENCE] != 0 {
            return None;
        }
        let mut state = self.state.lock().unwrap();
        state.commands += 1;
        let strikes = match &state.fault {
            Some((At::Number(number), _)) => state.commands == *number,
            Some((At::Text(text), _)) => String::from_utf8_lossy(packet).contains(text),
            None => false,
        };
        if !strikes {
            return None;
        }
        state.fault.take().map(|(_, fault)| fault)
    }
}

/// Brings answers back, unless one is not to arrive.
fn bring_back(mut server: UnixStream, mut client: TcpStream, silent: &Mutex<Option<Fault>>) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        let silent = *silent.lock().unwrap();
        match silent {
            Some(Fault::Hold | Fault::Vanish) => {}
            Some(Fault::CutAfter | Fault::CutBefore) => break,
            None if client.write_all(&bytes[..count]).is_err() => break,
            None => {}
        }
    }
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
}

/// A packet with its header: three bytes of length, one of sequence.
fn read_packet(from: &mut impl std::io::Read) -> Option<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet).ok()?;
    let length =
        usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    packet.resize(4 + length, 0);
    from.read_exact(&mut packet[4..]).ok()?;
    Some(packet)
}

/// The client's first packet, when it ends before the user's name; what follows is no longer for the proxy to read.
fn asks_for_encryption(packet: &[u8]) -> bool {
    packet[3] == 1 && packet.len() == 4 + 32
}

/// Clears CLIENT_SSL in the server's greeting: after the header come a version number, the version's name with its NUL, a
/// thread's number, eight bytes of salt and a filler; then the lower half of the capabilities.
fn hide_encryption(greeting: &mut [u8]) {
    const SSL_IN_SECOND_BYTE: u8 = 0x08;
    let name = greeting[5..].iter().position(|&byte| byte == 0).unwrap();
    let capabilities = 5 + name + 1 + 4 + 8 + 1;
    greeting[capabilities + 1] &= !SSL_IN_SECOND_BYTE;
}
