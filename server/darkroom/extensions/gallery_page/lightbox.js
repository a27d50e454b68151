// The lightbox: one picture over everything else.

/** One picture over everything else. */
const lightbox = {
  build() {
    const round = (picture, name, onclick) =>
      el("button", { type: "button", class: "round", "aria-label": name, title: name, onclick }, icon(picture));
    this.title = el("h2", { id: "lightbox-title", tabindex: "-1" });
    this.easel = el("div", { class: "easel" });
    this.words = el("p", { class: "text", dir: "auto" });
    this.facts = el("p", { class: "facts" });
    this.tools = el("div", { class: "tools" });
    this.noteBox = el("div", { class: "note", hidden: true });
    this.turns = [
      round("previous", "Previous picture", () => this.step(-1)),
      round("next", "Next picture", () => this.step(1)),
    ];
    this.sheet = el("div", { class: "sheet" },
      el("header", {}, this.title, round("close", "Close", () => this.close())),
      el("div", { class: "stage" }, this.turns[0], this.easel, this.turns[1]),
      el("footer", {}, this.words, this.facts, this.tools, this.noteBox));
    $("lightbox").append(this.sheet);
    $("lightbox").addEventListener("keydown", (event) => this.key(event));
    this.easel.addEventListener("click", (event) => event.target === this.easel && !this.zoomed && this.close());
    this.easel.addEventListener("pointermove", (event) => this.zoomed && event.buttons === 1 && this.easel.scrollBy(-event.movementX, -event.movementY));
  },

  async open(frame) {
    if (!this.sheet) this.build();
    $("gallery").inert = true;
    $("lightbox").hidden = false;
    this.show(frame);
    this.title.focus({ preventScroll: true });
    const { availableDisplayModes, displayMode } = host.context;
    if (!list(availableDisplayModes).includes("fullscreen") || displayMode === "fullscreen") return;
    try {
      this.widened = (await host.request("ui/request-display-mode", { mode: "fullscreen" }, 10)).mode === "fullscreen";
    } catch { /* then it is enlarged where it is */ }
  },

  async show(frame) {
    this.frame = frame;
    const { roll, index, image, name, canvas: small } = frame;
    const all = shownFrames();
    this.title.textContent = `Picture ${index}${all.length > 1 ? ` (${all.indexOf(frame) + 1} of ${all.length})` : ""}`;
    this.words.textContent = roll.generation.prompt;
    this.facts.textContent = joined(roll.facts.textContent, frame.facts.textContent);
    this.sheet.classList.toggle("alone", all.length < 2);
    this.turns.forEach((turn) => { turn.hidden = all.length < 2; });
    showNote(this.noteBox, "");
    const zoom = tool("find", "Zoom", "Zoom", "Shows it in its own size; drag it, or use the arrow keys.", () => this.zoom(!this.zoomed));
    this.tools.replaceChildren(zoom, ...actions(frame, this.noteBox));
    this.zoomer = zoom;
    this.zoom(false);
    const canvas = el("canvas", { role: "img", "aria-label": name, width: small.width, height: small.height });
    canvas.getContext("2d").drawImage(small, 0, 0);
    this.easel.style.setProperty("--ratio", roll.ratio(index));
    this.easel.style.setProperty("--natural", `${image.width || 1600}px`);
    this.easel.replaceChildren(canvas);
    this.place();
    try {
      const picture = await large(roll.id, index, true);
      if (this.frame === frame) await draw(canvas, picture, 4000);
    } catch (error) {
      if (this.frame === frame && host.has("serverTools")) showNote(this.noteBox, `This is the small preview. ${error.message}`);
    }
  },

  /** Stands where the host's reader looks, on a page that is made tall enough for it. */
  place() {
    if (!this.frame) return;
    const wanted = Math.min(window.innerWidth / this.frame.roll.ratio(this.frame.index) + 190, (screen.availHeight || 800) * 0.8);
    const fixed = host.context.displayMode === "fullscreen";
    document.body.style.minHeight = fixed ? "" : `${Math.round(Math.max(wanted, 320))}px`;
    const watcher = new IntersectionObserver(([{ intersectionRect: part }]) => {
      watcher.disconnect();
      const fits = part.height >= 280;
      this.sheet.style.setProperty("--top", fits ? `${part.top}px` : "0px");
      this.sheet.style.setProperty("--height", fits ? `${part.height}px` : "100%");
    });
    watcher.observe($("lightbox"));
  },

  /** In its own size, at least twice as large as it fits, to be moved about; or as it fits. */
  zoom(on) {
    this.zoomed = on;
    this.easel.classList.toggle("zoomed", on);
    this.zoomer.setAttribute("aria-pressed", String(on));
    if (on) this.easel.setAttribute("tabindex", "0");
    else this.easel.removeAttribute("tabindex");
    if (on) this.easel.focus({ preventScroll: true });
    this.easel.scrollTo((this.easel.scrollWidth - this.easel.clientWidth) / 2, (this.easel.scrollHeight - this.easel.clientHeight) / 2);
  },

  step(by) {
    const all = shownFrames();
    if (all.length < 2) return;
    this.show(all.at((all.indexOf(this.frame) + by) % all.length));
    say(this.title.textContent);
  },

  key(event) {
    const inText = event.target instanceof HTMLInputElement || event.target === this.easel; // which arrow keys move about in
    if (event.key === "Tab") return this.keepIn(event);
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowLeft" && !inText) this.step(-1);
    else if (event.key === "ArrowRight" && !inText) this.step(1);
    else return;
    event.preventDefault();
  },

  keepIn(event) {
    const stops = [...this.sheet.querySelectorAll("button:not([hidden]), input, [tabindex='0']")];
    const at = stops.indexOf(document.activeElement);
    const next = event.shiftKey ? (at > 0 ? at - 1 : stops.length - 1) : (at + 1) % stops.length;
    stops[next].focus();
    event.preventDefault();
  },

  close() {
    if (!this.frame) return;
    $("lightbox").hidden = true;
    $("gallery").inert = false;
    document.body.style.minHeight = "";
    this.frame.loupe.focus({ preventScroll: true });
    this.frame = undefined;
    if (this.widened) host.request("ui/request-display-mode", { mode: "inline" }, 10).catch(() => undefined);
    this.widened = false;
  },
};
