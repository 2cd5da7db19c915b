// The page as a whole: images come in, results are listed, the model says what it is.

import { Refused, Requests } from "./requests.js";
import { Result, element } from "./result.js";
import { chooseLanguage, currentLanguage, fault, locale, moment, text, translate } from "./texts.js";

const MOST = 50;
const NEWS = 8;
const TAXONOMY = { tellsStyles: "styles", tellsCategories: "categories" };

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.results = [];
    this.card = null;
    this.cardFault = null;
    this.previews = Promise.resolve();
    this.requests = new Requests((refused) => this.askForKey(refused));
    this.listen();
    this.translate();
    this.loadCard();
  }

  get maxBytes() {
    return this.card?.image.max_bytes ?? Infinity;
  }

  listen() {
    part("pick").addEventListener("click", () => part("files").click());
    part("files").addEventListener("change", ({ target }) => {
      this.take([...target.files]);
      target.value = "";
    });
    part("clear").addEventListener("click", () => this.clear());
    part("key").addEventListener("click", () => this.enterKey());
    for (const button of part("languages").querySelectorAll("button")) {
      button.addEventListener("click", () => {
        chooseLanguage(button.value);
        this.translate();
      });
    }
    this.listenForDrops();
    document.addEventListener("paste", (event) => {
      if (event.target instanceof HTMLInputElement) {
        return;
      }
      const files = [...event.clipboardData.files];
      this.take(files);
      if (files.length === 0) {
        this.notice(text("nothingPasted"));
      }
    });
  }

  listenForDrops() {
    const isOver = (over) => document.body.classList.toggle("dragged", over);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      isOver(event.dataTransfer.types.includes("Files"));
    });
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) {
        isOver(false);
      }
    });
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      isOver(false);
      this.take([...event.dataTransfer.files]);
    });
  }

  take(files) {
    const room = MOST - this.results.length;
    const added = files.slice(0, room).map((file) => new Result(file, this));
    this.results.push(...added);
    part("results").append(...added.map((result) => result.node));
    for (const result of added) {
      result.classify();
      // One after the other: each takes the memory of the whole photograph.
      this.previews = this.previews.then(() => result.preview());
    }
    this.showProgress();
    this.notice(files.length > room ? text("tooMany", MOST, files.length - room) : "");
  }

  remove(result) {
    const place = this.results.indexOf(result);
    this.results.splice(place, 1);
    result.close();
    const next = this.results[place] ?? this.results.at(-1);
    (next ? next.part(".remove") : part("pick")).focus();
    this.showProgress();
  }

  clear() {
    for (const result of this.results.splice(0)) {
      result.close();
    }
    part("pick").focus();
    this.showProgress();
    this.notice(text("cleared"));
  }

  changed(result) {
    this.showProgress();
    // The service changes its model while it runs.
    if (result.answer && this.card && result.answer.model.bundle_digest !== this.card.bundle_digest) {
      this.loadCard();
    }
  }

  showProgress() {
    const done = this.results.filter((result) => result.done).length;
    const all = this.results.length;
    part("progress").textContent = all ? text("progress", done, all) : "";
    part("clear").hidden = all === 0;
  }

  notice(words) {
    part("notice").textContent = words;
  }

  // Read out by screen readers, one after the other; seen by nobody.
  say(words) {
    part("news").append(element("p", {}, words));
    while (part("news").children.length > NEWS) {
      part("news").firstElementChild.remove();
    }
  }

  translate() {
    document.documentElement.lang = locale();
    translate(document, { hint: [MOST] });
    for (const button of part("languages").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === currentLanguage()));
    }
    for (const result of this.results) {
      result.translate();
    }
    this.notice("");
    part("news").replaceChildren();
    this.showProgress();
    this.showCard();
  }

  async loadCard() {
    try {
      this.card = await this.requests.model();
      this.cardFault = null;
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      this.cardFault = error;
    }
    this.showCard();
  }

  showCard() {
    const { card, cardFault } = this;
    part("model-fault").hidden = cardFault === null;
    part("model-fault").textContent = cardFault ? fault(cardFault.status) : "";
    part("knows").replaceChildren();
    part("lineage").replaceChildren();
    if (card === null) {
      return;
    }
    // The picture is laid out as the network sees it, so that the heat map lies on it.
    const { width, height, fit, background } = card.image;
    const look = document.documentElement;
    look.dataset.fit = fit;
    look.style.setProperty("--stage", width / height);
    look.style.setProperty("--ground", `rgb(${background.join(" ")})`);
    for (const [title, field] of Object.entries(TAXONOMY)) {
      part("knows").append(...labelNodes(text(title), card.taxonomy[field]));
    }
    const { lineage } = card;
    part("lineage").append(
      ...fact("version", `${card.name} ${card.version}`),
      ...fact("created", moment(lineage.created)),
      ...fact("digest", card.bundle_digest, "code"),
      ...fact("data", lineage.data_digest, "code"),
      ...fact("commit", lineage.git_commit, "code"),
      ...fact("run", lineage.run_id, "code"),
    );
  }

  async enterKey() {
    const key = await this.askForKey("");
    if (key === "") {
      return;
    }
    this.requests.useKey(key);
    this.loadCard();
    for (const result of this.results) {
      if (result.refused?.status === 401) {
        result.classify();
      }
    }
  }

  // Resolves to what the person entered, or "" when they would not.
  askForKey(refused) {
    part("key").hidden = false;
    part("ask-why").hidden = refused === "";
    part("ask-why").textContent = refused ? text("keyWrong") : "";
    part("secret").value = "";
    part("ask").showModal();
    return new Promise((resolve) => {
      let entered = "";
      part("refuse").onclick = () => part("ask").close();
      part("ask").querySelector("form").onsubmit = () => {
        entered = part("secret").value;
      };
      part("ask").onclose = () => {
        part("secret").value = "";
        resolve(entered);
      };
    });
  }
}

function labelNodes(title, labels) {
  if (labels.length === 0) {
    return [];
  }
  const items = labels.map(({ name, display }) => element("li", {}, display[currentLanguage()] ?? name));
  return [element("h3", {}, title), element("ul", {}, ...items)];
}

function fact(name, value, tag = "span") {
  return [element("dt", {}, text(name)), element("dd", {}, element(tag, {}, value))];
}

new Page();
