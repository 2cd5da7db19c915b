// One image on the page: its thumbnail, what the service says about it, and where the model looked.

import { currentLanguage, fault, percent, text, translate } from "./texts.js";
import { Refused } from "./requests.js";

const HEADS = ["style", "category"];
const PREVIEW_SIDE = 640;
const AGAIN = new Set([0, 401, 408, 503, 504]);

let groups = 0;

export class Result {
  // `host` has `requests`, and is told by `changed(result)`, `say(text)` and `remove(result)`.
  constructor(file, host) {
    this.file = file;
    this.host = host;
    this.answer = null;
    this.refused = null;
    this.maps = new Map();
    this.mapRefused = null;
    this.leave = new AbortController();
    this.node = document.getElementById("result").content.firstElementChild.cloneNode(true);
    this.part(".name").textContent = file.name;
    this.part(".image").alt = file.name;
    this.listen();
    this.translate();
  }

  get done() {
    return this.answer !== null || this.refused !== null;
  }

  part(selector) {
    return this.node.querySelector(selector);
  }

  listen() {
    this.part(".remove").addEventListener("click", () => this.host.remove(this));
    this.part(".again").addEventListener("click", () => {
      this.part(".name").tabIndex = -1;
      this.part(".name").focus();
      this.classify();
    });
    this.part(".copy").addEventListener("click", () => this.copy());
    this.part(".opacity input").addEventListener("input", () => this.applyOpacity());
    groups += 1;
    for (const radio of this.node.querySelectorAll(".choice input")) {
      radio.name = `map-${groups}`;
      radio.addEventListener("change", () => this.showMap());
    }
  }

  // Small, so that fifty photographs do not fill the memory.
  async preview() {
    if (this.leave.signal.aborted) {
      return;
    }
    try {
      const whole = await createImageBitmap(this.file);
      const scale = Math.min(1, PREVIEW_SIDE / Math.max(whole.width, whole.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(whole.width * scale));
      canvas.height = Math.max(1, Math.round(whole.height * scale));
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(whole, 0, 0, canvas.width, canvas.height);
      whole.close();
      const blob = await new Promise((give) => canvas.toBlob(give, "image/webp", 0.9));
      setPicture(this.part(".image"), blob);
    } catch {
      this.part(".no-preview").hidden = false;
    }
  }

  async classify() {
    this.answer = null;
    this.refused = null;
    this.render();
    try {
      if (this.file.size > this.host.maxBytes) {
        throw new Refused(413);
      }
      this.answer = await this.host.requests.classify(this.file, this.leave.signal);
    } catch (error) {
      if (this.leave.signal.aborted) {
        return;
      }
      this.refused = asRefused(error);
    }
    this.render();
    this.host.say(this.summary());
    this.host.changed(this);
  }

  summary() {
    const said = this.answer
      ? this.heads().map((head) => this.sentence(head))
      : faultWords(this.refused).filter(Boolean);
    return text("said", this.file.name, said);
  }

  sentence(head) {
    const { top, unsure } = this.answer[head];
    const parts = [text(head), display(top[0]), percent(top[0].probability)];
    return [...parts, ...(unsure ? [text("unsure")] : [])].join(" ");
  }

  heads() {
    return HEADS.filter((head) => this.answer[head] !== null);
  }

  translate() {
    translate(this.node);
    this.part(".remove").setAttribute("aria-label", text("removes", this.file.name));
    this.render();
    this.renderMap();
  }

  render() {
    const { answer, refused } = this;
    this.node.setAttribute("aria-busy", String(!this.done));
    this.node.classList.toggle("refused", refused !== null);
    this.part(".waits").hidden = this.done;
    this.part(".fault").hidden = refused === null;
    this.part(".again").hidden = !(refused && AGAIN.has(refused.status));
    this.part(".choice").hidden = answer === null;
    this.part("details").hidden = answer === null;
    // Only there where the page came over https or from this machine.
    this.part(".copy").hidden = answer === null || !navigator.clipboard;
    this.part(".heads").replaceChildren();
    if (refused) {
      const [headline, details] = faultWords(refused);
      this.part(".fault strong").textContent = headline;
      this.part(".fault span").textContent = details;
    }
    if (answer) {
      this.part(".heads").append(...this.heads().map((head) => headNode(head, answer[head])));
      this.part("pre").textContent = JSON.stringify(answer, null, 2);
      for (const head of HEADS) {
        this.part(`.choice input[value=${head}]`).parentElement.hidden = answer[head] === null;
      }
    }
  }

  async copy() {
    const button = this.part(".copy");
    try {
      await navigator.clipboard.writeText(JSON.stringify(this.answer, null, 2));
    } catch {
      // The browser does not let the page: shown, it can be copied by hand.
      this.part("details").open = true;
      return;
    }
    button.textContent = text("copied");
    this.host.say(text("copied"));
    setTimeout(() => {
      button.textContent = text("copy");
    }, 2000);
  }

  get mapHead() {
    return this.part(".choice input:checked").value;
  }

  // Each map is drawn once, when it is first looked at.
  async showMap() {
    const head = this.mapHead;
    this.mapRefused = null;
    this.renderMap();
    if (head === "" || this.maps.has(head)) {
      return;
    }
    try {
      const { label } = this.answer[head];
      const blob = await this.host.requests.heatMap(this.file, head, label, this.leave.signal);
      this.maps.set(head, blob);
    } catch (error) {
      if (this.leave.signal.aborted) {
        return;
      }
      if (this.mapHead === head) {
        this.mapRefused = asRefused(error);
      }
    }
    this.renderMap();
  }

  renderMap() {
    const head = this.mapHead;
    const blob = this.maps.get(head);
    const map = this.part(".map");
    this.part(".opacity").hidden = !blob;
    this.part(".map-said").textContent = this.mapWords(head);
    if (blob) {
      map.alt = this.mapWords(head);
      setPicture(map, blob);
      this.applyOpacity();
    } else {
      map.hidden = true;
    }
  }

  mapWords(head) {
    if (head === "") {
      return "";
    }
    if (this.mapRefused) {
      return faultWords(this.mapRefused).filter(Boolean).join(" ");
    }
    if (!this.maps.has(head)) {
      return text("mapWaits");
    }
    return text("mapShows", text(head), display(this.answer[head].top[0]));
  }

  applyOpacity() {
    const slider = this.part(".opacity input");
    this.part(".map").style.opacity = slider.value / 100;
    slider.setAttribute("aria-valuetext", percent(slider.value / 100));
  }

  close() {
    this.leave.abort();
    for (const picture of this.node.querySelectorAll("img")) {
      URL.revokeObjectURL(picture.src);
    }
    this.node.remove();
  }
}

function headNode(head, answer) {
  const top = answer.top[0];
  const title = element("h3", {}, text(head));
  const label = element("span", { className: "label" }, display(top));
  const share = element("span", { className: "share" }, percent(top.probability));
  const line = element("p", { className: "answer" }, label, share);
  if (answer.unsure) {
    line.append(element("span", { className: "badge", title: text("unsureMeans") }, text("unsure")));
  }
  const words = answer.top.map((one) => `${display(one)} ${percent(one.probability)}`);
  const bars = element("div", { className: "bars", role: "img" }, ...answer.top.map(barNode));
  bars.setAttribute("aria-label", `${text(head)}: ${text("bars", words)}`);
  return element("section", { className: "head" }, title, line, bars);
}

function barNode(one) {
  const fill = element("span", { className: "fill" });
  fill.style.width = `${100 * one.probability}%`;
  return element(
    "div",
    { className: "bar" },
    element("span", { className: "bar-name" }, display(one)),
    element("span", { className: "track" }, fill),
    element("span", { className: "bar-share" }, percent(one.probability)),
  );
}

// A headline and details. The service explains itself in English only, and then needs no headline.
function faultWords({ status, message }) {
  if (message && currentLanguage() === "en") {
    return [message[0].toUpperCase() + message.slice(1), ""];
  }
  return [fault(status), message];
}

function display(one) {
  return one.name[currentLanguage()] ?? one.label;
}

export function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function setPicture(picture, blob) {
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
  picture.hidden = false;
}

function asRefused(error) {
  if (error instanceof Refused) {
    return error;
  }
  throw error;
}
