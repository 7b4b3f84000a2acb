"""ClickHouse's HTTP interface, as much of it as an INSERT and a SELECT need, over ClickHouse's own engine (chdb).

    python3 serve-chdb.py TABLE.sql    makes the table, prints the port, serves until its input ends

Every parameter of the address but `query` is a setting of the statement, as in ClickHouse.
"""

import gzip
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

engine = session.Session()
engine.query("CREATE DATABASE IF NOT EXISTS test ENGINE = Atomic")
engine.query("USE test")
engine.query(open(sys.argv[1], encoding="utf-8").read())

# Of ClickHouse's exceptionCodeToHTTPStatus.
STATUS = {6: 400, 27: 400, 41: 400, 62: 400, 117: 400, 60: 404, 81: 404, 115: 404, 497: 403}
one_at_a_time = threading.Lock()
ONLY_HTTP = {"wait_end_of_query"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        query = parameters.pop("query", "")
        settings = ", ".join(f"{name} = '{value}'" for name, value in parameters.items() if name not in ONLY_HTTP)
        if query.startswith("INSERT"):
            head, form = query.rsplit(" FORMAT ", 1)
            query = f"{head} SETTINGS {settings} FORMAT {form}\n{body.decode('utf-8')}"
        try:
            with one_at_a_time:
                result = engine.query(query, "JSONEachRow").bytes()
            self.answer(200, result)
        except Exception as error:  # chdb has no narrower one
            text = str(error)
            code = int((re.search(r"Code: (\d+)", text) or [0, 0])[1])
            self.answer(STATUS.get(code, 500), text.encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
engine.close()
