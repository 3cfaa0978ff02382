"""Proves that the site can be read: every internal link leads somewhere, and a browser shows it."""

import functools
import html.parser
import http.server
import os
import pathlib
import sys
import threading
import urllib.parse

import browser


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


class Handler(http.server.SimpleHTTPRequestHandler):
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
        self.chromium = browser.Chromium()
        self.server = Server(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.chromium.__enter__()
        return self

    def __exit__(self, *failure):
        self.chromium.__exit__(*failure)
        self.server.shutdown()
        self.server.server_close()

    def value(self, page, expression):
        """The value of a JavaScript expression about a page, once it is not empty."""
        tab = self.chromium.open(self.address + page)
        try:
            return tab.wait(f'document.readyState === "complete" && (({expression}) || null)',
                            browser.SECONDS)
        except RuntimeError as e:
            raise RuntimeError(f"a browser finds nothing in {page}: {e}") from None
        finally:
            tab.close()

    def heading(self, page):
        """What the browser shows as the first heading."""
        return self.value(page, 'document.querySelector("h1")?.firstChild?.textContent.trim()')

    def found(self, words):
        """The titles that the site's search gives for these words."""
        return self.value("index.html?q=" + urllib.parse.quote(words),
                          '((titles) => titles.length && titles)('
                          'Array.from(document.querySelectorAll(".md-search-result__title"), '
                          "title => title.textContent.trim()))")

    def screenshot(self, page, file, size=(1280, 1400)):
        tab = self.chromium.open(self.address + page, size)
        tab.wait('document.readyState === "complete"')
        tab.screenshot(file)
        tab.close()
        if pathlib.Path(file).stat().st_size < 10_000:
            raise RuntimeError(f"the browser took no picture of {page}")
