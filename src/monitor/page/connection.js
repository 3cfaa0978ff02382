// The stream of events, read by fetch: an EventSource could not send a token. Begins again by
// itself, for as long as the page is open.

const PAUSE = 1000;         // ms between attempts
const TOKEN_PAUSE = 10_000;  // the same with a token that was refused
const PATIENCE = 4000;      // ms without any byte, or 4 intervals of the server

export class Connection {
  // on.status(status), on.state("connecting" | "live" | "lost" | "token", since)
  constructor(on) {
    this.on = on;
    this.state = "connecting";
    this.patience = PATIENCE;
    this.reason = "";  // of the loss, as the server has told it
    this.token = given() || stored();
  }

  // Never ends.
  async run() {
    for (;;) {
      try {
        await this.listen();
        this.become("lost");
      } catch (failure) {
        this.reason = failure.name === "Error" ? failure.message : "";
        this.become(failure instanceof Refused ? "token" : "lost");
      }
      await Promise.race([pause(this.state === "token" ? TOKEN_PAUSE : PAUSE), this.asked()]);
    }
  }

  // Uses another token, at once.
  identify(token) {
    this.token = token;
    store(token);
    this.again?.();
  }

  // Sends an action; resolves with what the server answers, or with {failure}, a sentence.
  async post(path, body) {
    try {
      const answer = await fetch(path, {
        method: "POST", body: JSON.stringify(body),
        headers: {...this.headers(), "Content-Type": "application/json"},
      });
      return answer.ok ? await answer.json() : {failure: await reasonOf(answer)};
    } catch {
      return {failure: "the server does not answer"};
    }
  }

  headers() {
    return this.token ? {Authorization: `Bearer ${this.token}`} : {};
  }

  asked() {
    return new Promise((done) => { this.again = done; });
  }

  become(state) {
    if (state === this.state && state !== "token") return;
    this.state = state;
    this.on.state(state, Date.now());
  }

  async listen() {
    const end = new AbortController();
    let timer = setTimeout(() => end.abort(), this.patience);
    try {
      const answer = await fetch("events", {
        headers: {...this.headers(), Accept: "text/event-stream"}, cache: "no-store",
        signal: end.signal,
      });
      if (answer.status === 401) throw new Refused();
      if (!answer.ok) throw new Error(await reasonOf(answer));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const {done, value} = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => end.abort(), this.patience);
        const events = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
        rest = events.pop();
        for (const event of events) this.received(event);
      }
    } finally {
      clearTimeout(timer);
      end.abort();
    }
  }

  received(event) {
    const lines = event.split("\n").filter((line) => line.startsWith("data:"));
    if (!lines.length) return;  // a comment, which keeps the connection alive
    const status = JSON.parse(lines.map((line) => line.slice(5).trimStart()).join("\n"));
    this.patience = Math.max(PATIENCE, 4000 * status.interval);
    this.become("live");
    try {
      this.on.status(status);
    } catch (failure) {
      reportError(failure);  // of the page, not of the connection
    }
  }
}

class Refused extends Error {
  name = "Refused";
}

async function reasonOf(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `the server answers ${answer.status}`;
  }
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// In the page's address, #token=..., from where it goes at once: addresses are shown and shared.
function given() {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return "";
  history.replaceState(null, "", location.pathname + location.search);
  const token = decodeURIComponent(found[1]);
  store(token);
  return token;
}

// For this tab only. A browser may refuse to keep anything.
function stored() {
  try {
    return sessionStorage.getItem("msgbus token") ?? "";
  } catch {
    return "";
  }
}

function store(token) {
  try {
    sessionStorage.setItem("msgbus token", token);
  } catch {
    return;  // then it is asked for again when the page is loaded again
  }
}
