# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A bad way to a ClickHouse: proxy.py HOW PORT DIRECTORY [CERTIFICATE] listens on 127.0.0.1, with TLS where
there is a certificate with its key, and passes on to port 8123 what it is asked.

  lossy    loses the answer of every third insertion, that of the second first, and cuts every fifth in
           the middle
  refusing answers that it is overloaded, to the first insertion and, without a word, to the third
  silent   never answers
  plain    does nothing else

Each insertion that was passed on whole is a file of the directory then: its query on the first line,
and what came with it, uncompressed.
"""
import gzip
import http.server
import itertools
import pathlib
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

how, port = sys.argv[1], int(sys.argv[2])
kept = pathlib.Path(sys.argv[3])
numbers = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        insertion = urllib.parse.parse_qs(self.path.partition("?")[2]).get("query")
        number = next(numbers) if insertion else 0
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if how == "silent":
            time.sleep(3600)
        if how == "refusing" and number in (1, 3):
            self.send_response(503)
            self.end_headers()
            if number == 1:
                self.wfile.write(b"Code: 202, e.displayText() = DB::Exception: Too many simultaneous queries\n")
            return
        cut = how == "lossy" and number % 5 == 4
        status, text = self.passed_on(body[: len(body) // 2] if cut else body, insertion)
        if cut or (how == "lossy" and number % 3 == 2):
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def passed_on(self, body, insertion):
        names = {"Content-Encoding", "X-ClickHouse-User", "X-ClickHouse-Key"}
        headers = {name: value for name, value in self.headers.items() if name in names}
        request = urllib.request.Request("http://127.0.0.1:8123" + self.path, body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                if insertion:
                    (kept / str(time.time_ns())).write_bytes(
                        insertion[0].encode() + b"\n" + gzip.decompress(body))
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 502, str(error).encode()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
