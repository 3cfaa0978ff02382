"""Proves that the site can be read: every internal link leads somewhere, and a browser shows it."""

import functools
import html.parser
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
SECONDS = 60  # within which a browser must have shown a page


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("id"):
            self.anchors.add(attributes["id"])
        if tag == "a" and attributes.get("name"):
            self.anchors.add(attributes["name"])
        for key in ("href", "src"):
            if attributes.get(key):
                self.links.append(attributes[key])


def dead_links(site):
    """(number of internal links, [sentence about each that leads nowhere])."""
    site = pathlib.Path(site).resolve()
    pages = {}
    for file in sorted(site.rglob("*.html")):
        pages[str(file)] = Links()
        pages[str(file)].feed(file.read_text(encoding="utf-8"))
    count, dead = 0, []
    files = {str(file) for file in site.rglob("*") if file.is_file()}
    for name, page in pages.items():
        file = pathlib.Path(name)
        if file.name == "404.html":
            continue  # its links begin at the root of a server
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = str(file)
            if parts.path:
                target = os.path.normpath(f"{file.parent}/{urllib.parse.unquote(parts.path)}")
            if target not in files:
                target += "/index.html"
            anchor = urllib.parse.unquote(parts.fragment)
            other = pages.get(target)
            if target not in files:
                dead.append(f"{file.relative_to(site)}: {link} leads nowhere")
            elif anchor and other and anchor not in other.anchors:
                dead.append(f"{file.relative_to(site)}: {link} has no such anchor")
    return count, sorted(set(dead))


# Shows a page of the site in a frame until the expression has a value, and sends that here.
PROBE = """<!doctype html>
<iframe src="%s" width="1280" height="900"></iframe>
<script>
const frame = document.querySelector("iframe");
const value = (page) => %s;
const timer = setInterval(() => {
  const found = frame.contentDocument?.readyState === "complete" && value(frame.contentDocument);
  if (!found?.length) return;
  clearInterval(timer);
  fetch("/probe/answer", {method: "POST", body: JSON.stringify(found)});
}, 50);
</script>
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site, and the probe that is under way."""

    def do_GET(self):
        if self.path != "/probe/":
            super().do_GET()
            return
        body = self.server.probe.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.answers.put(json.loads(body))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """A browser that is ended may break a connection, which is no news."""

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


class Browser:
    """A headless Chromium, and the site on a free port of the loopback."""

    def __init__(self, site):
        self.program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if self.program is None:
            raise LookupError("no Chromium found (tools/setup docs)")
        self.server = Server(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
        self.server.answers = queue.Queue()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def command(self, profile, page, *options):
        return [self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"--user-data-dir={profile}", *options, self.address + page]

    def value(self, page, expression):
        """The value of a JavaScript expression about `page`, a document, once it is not empty."""
        self.server.probe = PROBE % (f"/{page}", expression)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = subprocess.Popen(
                self.command(profile, "probe/", "--remote-debugging-port=0"),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            try:
                return self.server.answers.get(timeout=SECONDS)
            except queue.Empty:
                raise RuntimeError(f"a browser finds nothing in {page}: {expression}") from None
            finally:
                os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()

    def heading(self, page):
        """What the browser shows as the first heading."""
        return self.value(page, 'page.querySelector("h1")?.firstChild?.textContent.trim()')

    def found(self, words):
        """The titles that the site's search gives for these words."""
        return self.value("index.html?q=" + urllib.parse.quote(words),
                          'Array.from(page.querySelectorAll(".md-search-result__title"), '
                          "title => title.textContent.trim())")

    def screenshot(self, page, file, size="1280,1400"):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            subprocess.run(
                self.command(profile, page, f"--screenshot={file}", f"--window-size={size}",
                             "--virtual-time-budget=5000"),
                capture_output=True, timeout=SECONDS, check=True)
        if not pathlib.Path(file).is_file() or pathlib.Path(file).stat().st_size < 10_000:
            raise RuntimeError(f"the browser took no picture of {page}")
