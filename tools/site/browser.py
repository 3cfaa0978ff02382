"""A headless Chromium, driven by its DevTools protocol over two pipes: no port, no other package.

  with browser.Chromium() as chromium:
      tab = chromium.open("http://127.0.0.1:8080/")
      tab.wait('document.querySelector("h1")')
      tab.press("Tab")
      tab.screenshot("page.png")
      assert not tab.troubles
"""

import base64
import collections
import fcntl
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading

PROGRAMS = ["chromium", "chromium-browser", "google-chrome"]
SECONDS = 60  # within which the browser must have answered

# The name of a key -> its code, its number, and what it writes.
KEYS = {
    "Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""),
    " ": ("Space", 32, " "), "ArrowUp": ("ArrowUp", 38, ""), "ArrowDown": ("ArrowDown", 40, ""),
    "/": ("Slash", 191, "/"),
}

# Resolves with the value of an expression once that is neither false nor empty, nor throws.
WAIT = """new Promise((done, failed) => {
  const end = performance.now() + %d;
  const look = () => {
    let found = null, thrown = "nothing came";
    try {
      found = (%s);
    } catch (error) {
      thrown = error;
    }
    if (found) done(found);
    else if (performance.now() > end) failed(new Error(thrown));
    else setTimeout(look, 20);
  };
  look();
})"""


def chromium_program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """A browser with a profile of its own, which goes with it. It reaches the loopback only."""

    def __init__(self):
        self.program = chromium_program()
        if self.program is None:
            raise LookupError("no Chromium found (tools/setup docs)")
        self.last_id, self.answers, self.tabs = 0, {}, {}
        self.lock = threading.Lock()

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()
        # Chromium reads from 3 and writes to 4.
        to_read, to_write = high(to_read), high(to_write)
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write} {to_read}<&- {to_write}>&-',
             "bash", self.program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             f"--user-data-dir={self.profile.name}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(to_read, to_write), start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself
        self.process.wait()
        self.reader.join(SECONDS)
        os.close(self.to)
        os.close(self.back)
        self.profile.cleanup()

    def read(self):
        rest = b""
        while some := os.read(self.back, 1 << 16):
            *messages, rest = (rest + some).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers.pop(message["id"]).put(message)
                elif tab := self.tabs.get(message.get("sessionId")):
                    tab.happened(message["method"], message["params"])
        for answer in list(self.answers.values()):
            answer.put({"error": {"message": "the browser has ended"}})

    def send(self, method, session=None, **params):
        """The result of a method of the DevTools protocol."""
        answer = queue.Queue()
        with self.lock:
            self.last_id += 1
            number = self.last_id
            self.answers[number] = answer
            message = {"id": number, "method": method, "params": params}
            if session is not None:
                message["sessionId"] = session
            rest = json.dumps(message).encode() + b"\0"
            while rest:
                rest = rest[os.write(self.to, rest):]
        try:
            answered = answer.get(timeout=SECONDS)
        except queue.Empty:
            raise RuntimeError(f"the browser does not answer {method}") from None
        if "error" in answered:
            raise RuntimeError(f"{method}: {answered['error']['message']}")
        return answered["result"]

    def open(self, address, size=(1280, 900), dark=False, still=False):
        """A new tab with this page. `still`: its user prefers reduced motion."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self.tabs[session] = Tab(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        tab.resize(*size)
        tab.prefer(dark, still)
        tab.go(address)
        return tab


def high(descriptor):
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return moved


class Tab:
    """A page in the browser. `troubles`: its errors, one sentence each, the newest last."""

    def __init__(self, chromium, session, target):
        self.chromium, self.session, self.target = chromium, session, target
        self.troubles = collections.deque(maxlen=100)

    def happened(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            thrown = details.get("exception", {})
            self.troubles.append(thrown.get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.troubles.append(" ".join(str(each.get("value", each.get("description")))
                                          for each in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            entry = params["entry"]
            self.troubles.append(f"{entry['text']} {entry.get('url', '')}".strip())

    def send(self, method, **params):
        return self.chromium.send(method, self.session, **params)

    def close(self):
        self.chromium.send("Target.closeTarget", targetId=self.target)
        del self.chromium.tabs[self.session]

    def go(self, address):
        failed = self.send("Page.navigate", url=address).get("errorText")
        if failed:
            raise RuntimeError(f"{address}: {failed}")

    def resize(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, dark=False, still=False):
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])

    def value(self, expression):
        """The value of a JavaScript expression; of the promise, if it is one."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            raise RuntimeError(f"{text}: {expression}")
        return answer["result"].get("value")

    def wait(self, expression, seconds=10):
        """The value of an expression once it is neither false nor empty."""
        try:
            return self.value(WAIT % (seconds * 1000, expression))
        except RuntimeError as e:
            if "context was destroyed" in str(e) or "navigated" in str(e):
                return self.wait(expression, seconds)  # the page has only just come
            raise

    def press(self, key, shift=False):
        code, number, text = KEYS.get(key) or (f"Key{key.upper()}", ord(key.upper()), key)
        held = 8 if shift else 0
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": held}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text,
                  **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def write(self, text):
        self.send("Input.insertText", text=text)

    def click(self, selector):
        """Presses the mouse in the middle of the first such element."""
        x, y = self.value("""((element) => {
          element.scrollIntoView({block: "center"});
          const box = element.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        })(document.querySelector(%s))""" % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=1)

    def screenshot(self, file, whole=False):
        """A PNG of what is seen, or of the whole page."""
        area = {}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            area = {"clip": {**size, "scale": 1}, "captureBeyondViewport": True}
        data = self.send("Page.captureScreenshot", format="png", **area)["data"]
        pathlib.Path(file).write_bytes(base64.b64decode(data))
