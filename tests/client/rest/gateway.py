"""A thin HTTP server before fhir.rest, for tests only: gateway.py PORT_FILE

Each request is one SELECT in autocommit. The base of all links is what the client has asked for: X-Forwarded-Proto and
X-Forwarded-Host, or else Host, and then /fhir. Every answer is read again by rules.py when it is out; what the rules found is
printed at the end, which comes with SIGTERM or when the process that started the server is gone.
"""

import json
import os
import pathlib
import queue
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
from psycopg.types.string import TextLoader

import rules

CONNECTIONS = 12
OWN = '{"Content-Type": "application/fhir+json"}'
ASK = "SELECT * FROM fhir.rest(%s, %s, %s, %s)"


class Pool:
    """At most so many connections; each opened when first needed, and given to the one who waits."""

    def __init__(self, size):
        self.free = queue.LifoQueue()
        for _ in range(size):
            self.free.put(None)

    def ask(self, *values):
        connection = self.free.get()
        try:
            if connection is None or connection.closed:
                connection = connect()
            return connection.execute(ASK, values, prepare=True).fetchone()
        finally:
            self.free.put(connection)


def connect():
    connection = psycopg.connect(autocommit=True)
    # The answer goes out as the server wrote it: no number is read and written again.
    connection.adapters.register_loader("jsonb", TextLoader)
    return connection


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def version_string(self):
        return "gateway"

    def base(self):
        scheme = self.headers.get("X-Forwarded-Proto", "http")
        host = self.headers.get("X-Forwarded-Host") or self.headers.get("Host") or "{}:{}".format(*self.server.server_address)
        return f"{scheme}://{host}"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        asked = dict(self.headers.items())
        url = self.base() + self.path
        text = None
        try:
            text = body.decode() if length else None
        except UnicodeDecodeError:
            status, headers, answer = 400, OWN, refusal("the body is not in UTF-8")
        else:
            try:
                status, headers, answer = self.server.pool.ask(self.command, url, json.dumps(asked), text)
            except psycopg.Error as error:
                status, headers, answer = 500, OWN, refusal(f"{error.sqlstate} {error}")
        headers = json.loads(headers)
        sent = b"" if answer is None else answer.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304) and self.command != "HEAD":
            self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)
        self.server.answers.put(rules.Exchange(self.command, url, asked, text, status, headers, answer))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer


def refusal(diagnostics):
    issue = {"severity": "error", "code": "exception", "diagnostics": diagnostics}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # a client that hangs up is no error of the server's
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def watch(parent, stop):
    while not stop.wait(1):
        if os.getppid() != parent:
            stop.set()


def main(port_file):
    stop = threading.Event()
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = Server(("127.0.0.1", 0), Handler)
    server.pool, server.answers = Pool(CONNECTIONS), queue.Queue()
    judge = rules.Judge(connect())
    judging = threading.Thread(target=judge.run, args=(server.answers,))
    judging.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=watch, args=(parent, stop), daemon=True).start()
    part = pathlib.Path(f"{port_file}.part")
    part.write_text(str(server.server_address[1]))
    part.rename(port_file)
    while not stop.wait(1):
        pass
    server.shutdown()
    server.answers.put(None)
    judging.join()
    judge.tell()


main(sys.argv[1])
