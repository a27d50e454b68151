// The lightbox: one picture over everything else.

/** One picture over everything else. */
const lightbox = {
  build() {
    this.title = el("h2", { id: "lightbox-title", tabindex: "-1" });
    this.easel = easelOf();
    this.words = el("p", { class: "text", dir: "auto" });
    this.facts = el("p", { class: "facts" });
    this.tools = el("div", { class: "tools" });
    this.noteBox = el("div", { class: "note", hidden: true });
    this.turns = [
      round("previous", "Previous picture", () => this.step(-1)),
      round("next", "Next picture", () => this.step(1)),
    ];
    this.cover = new Cover("lightbox",
      el("header", {}, this.title, round("close", "Close", () => this.close())),
      el("div", { class: "stage" }, this.turns[0], this.easel, this.turns[1]),
      el("footer", {}, this.words, this.facts, this.tools, this.noteBox));
    $("lightbox").addEventListener("keydown", (event) => this.key(event));
    this.easel.addEventListener("dblclick", (event) => event.target !== this.easel && this.pressed && this.zoom(!this.zoomed));
    this.easel.addEventListener("click", (event) => {
      if (event.detail > 1) return; // perhaps the second click of the one that opened it
      this.pressed = true;
      if (event.target === this.easel && !this.zoomed) this.close();
    });
  },

  open(frame) {
    if (!this.cover) this.build();
    this.pressed = false;
    this.cover.open();
    this.show(frame);
    this.title.focus({ preventScroll: true });
  },

  async show(frame) {
    this.frame = frame;
    const { roll, index } = frame;
    const all = shownFrames();
    this.title.textContent = `Picture ${index}${all.length > 1 ? ` (${all.indexOf(frame) + 1} of ${all.length})` : ""}`;
    this.words.textContent = roll.generation.prompt;
    this.facts.textContent = joined(roll.facts.textContent, frame.facts.textContent);
    this.cover.sheet.classList.toggle("alone", all.length < 2);
    this.turns.forEach((turn) => { turn.hidden = all.length < 2; });
    showNote(this.noteBox, "");
    const zoom = tool("find", "Zoom", "Zoom", "Shows it in its own size; drag it, or use the arrow keys.", () => this.zoom(!this.zoomed));
    this.tools.replaceChildren(zoom, ...actions(frame, this.noteBox), ...always(roll, (...said) => showNote(this.noteBox, ...said)));
    this.zoomer = zoom;
    this.zoom(false);
    this.cover.ratio = roll.ratio(index);
    this.cover.place();
    try {
      await hang(frame, this.easel, () => this.frame === frame);
    } catch (error) {
      if (this.frame === frame && host.has("serverTools")) showNote(this.noteBox, `This is the small preview. ${error.message}`);
    }
  },

  zoom(on) {
    this.zoomed = on;
    this.zoomer.setAttribute("aria-pressed", String(on));
    magnify(this.easel, on);
    if (on) this.easel.focus({ preventScroll: true });
  },

  step(by) {
    const all = shownFrames();
    if (all.length < 2) return;
    this.show(all.at((all.indexOf(this.frame) + by) % all.length));
    say(this.title.textContent);
  },

  key(event) {
    const inText = event.target instanceof HTMLInputElement || event.target === this.easel; // which arrow keys move about in
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowLeft" && !inText) this.step(-1);
    else if (event.key === "ArrowRight" && !inText) this.step(1);
    else return;
    event.preventDefault();
  },

  close() {
    if (!this.frame) return;
    this.cover.close(this.frame);
    this.frame = undefined;
  },
};
