"""Serves the files of the page and scripted documents, as msgbus::monitor does; for tests.

  tests/page/fake_monitor.py [PORT]     a made-up shop, until Ctrl-C
"""

import http.server
import json
import pathlib
import socket
import sys
import threading
import time

import scenario

PAGE = pathlib.Path(__file__).resolve().parents[2] / "src" / "monitor" / "page"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript",
         ".svg": "image/svg+xml"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, code, kind, body):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write(body)

    def refused(self):
        token = self.server.monitor.token
        if not token or self.headers.get("Authorization") == f"Bearer {token}":
            return False
        self.send(401, "application/json", b'{"error": "a token is needed"}')
        return True

    def do_GET(self):
        monitor = self.server.monitor
        path = self.path.split("?")[0]
        if path in ("/status.json", "/events"):
            if self.refused():
                return
            monitor.asked.append(path)
            if monitor.code != 200:
                self.send(monitor.code, monitor.kind, b'{"error": "too many streams"}')
                return
            if path == "/status.json":
                self.send(200, monitor.kind, monitor.body())
            else:
                self.events(monitor)
            return
        file = PAGE / (path[1:] or "index.html")
        if file.parent == PAGE and file.is_file():
            self.send(200, TYPES[file.suffix], file.read_bytes())
        else:
            self.send(404, "text/plain", b"there is no such page\n")

    def events(self, monitor):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        seen = 0
        while True:
            with monitor.changed:
                monitor.changed.wait_for(lambda: monitor.ended or len(monitor.sent) > seen)
                if monitor.ended:
                    return
                documents, seen = monitor.sent[seen:], len(monitor.sent)
            for document in documents:
                self.wfile.write(b"data: " + document + b"\n\n")
            self.wfile.flush()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.refused():
            monitor = self.server.monitor
            monitor.posted.append((self.path, json.loads(body)))
            self.send(monitor.answer[0], "application/json", monitor.answer[1])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def process_request(self, request, address):
        self.monitor.connections.append(request)
        super().process_request(request, address)

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


def reserved_port():
    """A socket whose port Linux gives to nobody else, until it is closed. Servers that set
    SO_REUSEADDR may listen there, one after the other."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class Monitor:
    """A monitor that is told what to say. Whoever connects gets all documents since its start."""

    def __init__(self, token="", port=0):
        self.token, self.port = token, port
        self.code, self.kind, self.answer = 200, "application/json", (202, b'{"accepted": 1}')
        self.sent, self.posted, self.asked, self.connections = [], [], [], []
        self.changed, self.ended = threading.Condition(), False
        self.text = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        """Also again, on the same port, and with no document."""
        self.sent, self.ended, self.connections = [], False, []
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.monitor = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self):
        """As a process that ends: every connection is cut."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended before
            connection.close()

    def say(self, *documents):
        with self.changed:
            self.sent += [json.dumps(each).encode() for each in documents]
            self.changed.notify_all()

    def body(self):
        if self.text is not None:
            return self.text
        return self.sent[-1] if self.sent else b"{}"


def main():
    with Monitor(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as monitor:
        print(monitor.address, flush=True)
        second = 300
        monitor.say(*(scenario.shop(each) for each in range(second - 300, second)))
        while True:
            monitor.say(scenario.shop(second, stuck=second > 330))
            second += 1
            time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
