// Requests to the service: a few at a time, again when it is busy, with the key when it asks for one.

const AT_ONCE = 4;
const TRIES = 6;
const KEPT = "vitrine-key";

export class Refused extends Error {
  // A request that was not answered; status 0 when there was no response at all.
  constructor(status, words = "") {
    super(words);
    this.status = status;
  }
}

export class Requests {
  // `askForKey` shows the person a question and gives the key, or "" when there is none to have.
  constructor(askForKey) {
    this.askForKey = askForKey;
    this.key = keptKey();
    this.declined = false;
    this.asking = null;
    this.running = 0;
    this.queue = [];
  }

  async model() {
    return (await this.send("model", {}, new AbortController().signal)).json();
  }

  async classify(file, signal) {
    return (await this.inTurn(() => this.send("classify", form(file), signal))).json();
  }

  async heatMap(file, head, label, signal) {
    const query = new URLSearchParams({ head, label });
    return (await this.inTurn(() => this.send(`explain?${query}`, form(file), signal))).blob();
  }

  async inTurn(work) {
    if (this.running >= AT_ONCE) {
      await new Promise((go) => this.queue.push(go));
    } else {
      this.running += 1;
    }
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, without a moment in which another could take it.
      const next = this.queue.shift();
      if (next) {
        next();
      } else {
        this.running -= 1;
      }
    }
  }

  async send(path, options, signal) {
    for (let tries = 1; ; tries += 1) {
      signal.throwIfAborted();
      const { key } = this;
      const response = await this.fetch(path, { ...options, signal }, key);
      if (response.ok) {
        return response;
      }
      if (response.status === 401 && (await this.hasOtherKey(key))) {
        continue;
      }
      if (response.status === 503 && tries < TRIES) {
        await pause(Number(response.headers.get("Retry-After")) || 1);
        continue;
      }
      throw new Refused(response.status, await words(response));
    }
  }

  async fetch(path, options, key) {
    try {
      return await fetch(path, { ...options, headers: key ? { "X-Api-Key": key } : {} });
    } catch {
      options.signal.throwIfAborted();
      throw new Refused(0);
    }
  }

  // All that wait for a key share one question.
  async hasOtherKey(refused) {
    if (this.key === refused && !this.declined) {
      this.asking ??= this.askForKey(refused).finally(() => {
        this.asking = null;
      });
      this.useKey(await this.asking);
    }
    return this.key !== refused && this.key !== "";
  }

  useKey(key) {
    this.key = key;
    this.declined = key === "";
    try {
      sessionStorage.setItem(KEPT, key);
    } catch {
      // Kept for this page only.
    }
  }
}

function keptKey() {
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

function form(file) {
  const body = new FormData();
  body.append("image", file, file.name);
  return { method: "POST", body };
}

async function words(response) {
  try {
    return (await response.json()).error ?? "";
  } catch {
    return "";
  }
}

function pause(seconds) {
  return new Promise((go) => setTimeout(go, seconds * 1000));
}
