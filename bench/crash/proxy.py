"""A TCP proxy in front of a MySQL server that kills its client at one statement.

It knows as much of the protocol as that takes (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html):
a packet is three bytes of length, one of sequence, and the payload; a command of the client has sequence 0; COM_QUERY and
COM_STMT_EXECUTE are the commands that run a statement; the server's greeting says the connection's id.

The tool is killed at the n-th statement that writes, either

- before: the statement does not reach the server, or
- after: the server has run the statement to its end, and not a byte of its answer reaches the tool.

Statements that only read are not counted. A kill at one of them leaves the database as the kill after the write before it.
"""

import re
import socket
import threading
import time

COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE = 0x03, 0x16, 0x17, 0xFA
LONGEST_PACKET = 0xFFFFFF

# What leaves nothing behind in the database when the connection then ends. A ROLLBACK is among them: a connection that ends
# rolls back by itself.
READS = {"SELECT", "SHOW", "SET", "USE", "DESCRIBE", "DESC", "EXPLAIN", "BEGIN", "START", "ROLLBACK", "DO", "KILL", ""}


def is_read(text):
    """Whether all of a packet's statements only read."""
    return all(first_word(part) in READS for part in text.split(";"))


def first_word(text):
    found = re.match(r"[A-Za-z]*", strip_comments(text))
    return found.group().upper()


def strip_comments(text):
    """Removes comments, but not what is in `/*! */`, from text without a comment sign inside a string."""
    text = re.sub(r"/\*[^!].*?\*/", " ", text, flags=re.S)
    text = re.sub(r"(?m)(--[ \t].*|--|#.*)$", "", text)
    return text.strip()


class Proxy:
    """Listens on `port` of 127.0.0.1 and forwards to the server's socket."""

    def __init__(self, server, reads):
        self.server, self.reads = server, reads
        self.control = server.connect()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.RLock()
        self.pairs = []
        self.disarm()
        threading.Thread(target=self.accept, daemon=True).start()

    def disarm(self):
        """Forwards everything and notes the statements that write."""
        self.arm(None, None, None)

    def arm(self, number, side, kill):
        """Calls `kill` at the write `number` (from 1), on the `side` before or after."""
        with self.lock:
            self.number, self.side, self.kill = number, side, kill
            self.writes = []
            self.dead = False
            self.hit = None

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self.server.socket)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(self, client, upstream)
            with self.lock:
                self.pairs.append(pair)
            for target in (pair.upwards, pair.downwards):
                threading.Thread(target=target, daemon=True).start()

    def settle(self):
        """Ends every connection, and returns when the server has ended them too, with what they left rolled back."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            pair.close()
        ids = {pair.id for pair in pairs if pair.id}
        while ids & self.commands().keys():
            time.sleep(0.01)

    def wait_until_idle(self, connection_id):
        """Waits until a connection that has begun to answer has done all that its packet asked for."""
        while self.commands().get(connection_id, "Sleep") != "Sleep":
            time.sleep(0.005)

    def commands(self):
        """What each connection of the server does, by its id."""
        schema = self.server.program.process_list_schema
        return dict(self.control.query(f"SELECT id, command FROM {schema}.processlist"))


class Pair:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy, client, upstream):
        self.proxy, self.client, self.upstream = proxy, client, upstream
        self.id = None
        self.prepared = {}
        self.preparing = None
        self.held = False

    def close(self):
        for end in (self.client, self.upstream):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def upwards(self):
        for sequence, payload, packet in packets(self.client):
            if sequence == 0 and payload and not self.forwards(payload):
                return
            try:
                self.upstream.sendall(packet)
            except OSError:
                return
        self.close()

    def forwards(self, payload):
        """Whether a command may go to the server; it may not where the client was killed."""
        proxy = self.proxy
        with proxy.lock:
            if proxy.dead:
                return False
            if payload[0] == COM_STMT_PREPARE:
                self.preparing = payload[1:].decode("utf-8", "replace")
                return True
            text = self.statement(payload)
            if text is None or (is_read(text) and not proxy.reads):
                return True
            proxy.writes.append(text)
            if len(proxy.writes) != proxy.number:
                return True
            proxy.hit = text
            if proxy.side == "before":
                proxy.dead = True
                proxy.kill()
                return False
            self.held = True
            return True

    def statement(self, payload):
        if payload[0] == COM_QUERY:
            return payload[1:].decode("utf-8", "replace")
        if payload[0] in (COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE):
            return self.prepared.get(int.from_bytes(payload[1:5], "little"), "UNKNOWN")
        return None

    def downwards(self):
        for _, payload, packet in packets(self.upstream):
            if self.id is None:
                self.id = greeting_id(payload)
            if self.preparing is not None:
                if payload[0] == 0:
                    self.prepared[int.from_bytes(payload[1:5], "little")] = self.preparing
                self.preparing = None
            if self.held:
                with self.proxy.lock:
                    if not self.proxy.dead:
                        self.proxy.dead = True
                        self.proxy.wait_until_idle(self.id)
                        self.proxy.kill()
                continue
            if self.proxy.dead:
                continue
            try:
                self.client.sendall(packet)
            except OSError:
                break
        self.close()


def greeting_id(payload):
    """The connection's id, after one byte of protocol version and the server's version with a zero byte at its end."""
    end = payload.index(0, 1)
    return int.from_bytes(payload[end + 1 : end + 5], "little")


def packets(end):
    """Yields (sequence, payload, packet) until the connection ends."""
    continued = False
    while True:
        head = read(end, 4)
        if head is None:
            return
        length = int.from_bytes(head[:3], "little")
        payload = read(end, length) if length else b""
        if payload is None:
            return
        yield (1 if continued else head[3]), payload, head + payload
        continued = length == LONGEST_PACKET


def read(end, length):
    data = b""
    while len(data) < length:
        try:
            piece = end.recv(length - len(data))
        except OSError:
            return None
        if not piece:
            return None
        data += piece
    return data
