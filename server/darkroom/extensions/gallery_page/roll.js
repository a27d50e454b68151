// A roll: one generation, its notes and its film.

const LOOK_EVERY_S = 2.5;

/** One generation: its notes, its film, and how it is followed. */
class Roll {
  generation = understood({});
  previews = new Map();
  frames = new Map();
  unanswered = new Map();
  failures = 0;
  nextLook = 0;

  constructor(id) {
    this.id = id;
    const heading = `prompt-${++Roll.made}`;
    const box = (name, ...children) => el("div", { class: name }, ...children);
    this.state = el("span");
    this.title = el("h2", { class: "prompt", id: heading, tabindex: "-1", dir: "auto" });
    this.clock = el("span", { class: "clock" });
    this.usual = el("span");
    this.timer = box("timer", this.clock, this.usual);
    this.fill = el("span");
    this.bar = box("bar", this.fill);
    const meter = { role: "progressbar", "aria-labelledby": heading, "aria-valuemin": "0", "aria-valuemax": "100" };
    for (const [name, value] of Object.entries(meter)) this.bar.setAttribute(name, value);
    this.message = el("p", { class: "message", dir: "auto" });
    this.facts = el("p", { class: "facts" });
    this.alarm = box("alarm");
    this.strip = el("ol", { class: "frames", role: "list" });
    this.film = box("film", holes(), this.strip, holes());
    this.buttons = box("buttons");
    this.noteBox = el("div", { class: "note", hidden: true });
    this.settings = el("dl");
    this.editor = el("div", { class: "editor", hidden: true });
    this.details = el("details", { ontoggle: () => this.learn() }, el("summary", {}, icon("next"), "Settings"), this.settings);
    this.foot = box("foot", this.buttons, this.editor, this.noteBox, this.details);
    this.bulb = el("span", { class: "bulb" });
    const state = el("p", { class: "state" }, this.bulb, this.state);
    const head = box("head", state, this.title, this.timer, this.bar, this.message, this.facts, this.alarm);
    this.element = el("article", { class: "roll", "aria-labelledby": heading }, head, this.film, this.foot);
  }

  get running() {
    return this.generation.status === "queued" || this.generation.status === "processing";
  }

  get fetchable() {
    return !this.running && host.has("serverTools") && this.generation.images.some(isFetchable);
  }

  image(index) {
    return this.generation.images.find((image) => image.index === index) || understoodImage({ index });
  }

  /** Width by height: of the picture, of its siblings, of what was asked for. */
  ratio(index) {
    const wish = object(this.request || this.asked);
    const { width, height } = object(wish.options);
    const found = this.image(index).ratio || this.generation.images.find((image) => image.ratio)?.ratio ||
      (width > 0 && height > 0 && width / height) || ratioOf(wish.aspect_ratio) || USUAL_RATIO[this.generation.provider] || 16 / 9;
    return Math.min(Math.max(found, 0.4), 3);
  }

  note(message, value) {
    showNote(this.noteBox, message, value);
  }

  /** Takes in a newer state; `content` may hold previews. */
  show(generation, content) {
    const before = this.generation;
    const cut = before.prompt.startsWith(generation.prompt.slice(0, -1)); // as wait does with long ones
    if (cut && before.prompt) generation.prompt = before.prompt;
    this.generation = generation;
    this.asOf = performance.now();
    const previews = previewsIn(content);
    for (const image of generation.images) {
      if (previews.has(image.uri)) this.previews.set(image.index, previews.get(image.uri));
    }
    this.draw();
    const news = `${stateOf(generation)}, ${generation.images.filter(isHere).length}`;
    const first = this.past && this.news === undefined;
    if (news !== this.news && !first) say(`${stateOf(generation)}. ${generation.message}`);
    this.news = news;
  }

  draw() {
    const { generation, element } = this;
    const { status, provider, model, seed, elapsed } = generation;
    if (element.dataset.status !== status) this.bulb.replaceChildren(icon(isLost(generation) ? "unknown" : status));
    element.dataset.status = status;
    element.classList.toggle("running", this.running);
    const took = status === "succeeded" && elapsed >= 1 ? ` in ${lasting(elapsed)}` : "";
    this.state.textContent = this.id || !this.running ? stateOf(generation) + took : "Asking";
    this.title.textContent = generation.prompt || "A generation";
    this.message.textContent = generation.message;
    this.message.hidden = !generation.message || generation.error?.message === generation.message;
    this.facts.textContent = joined(provider && titleOf(provider), model !== provider && model, seed !== undefined && `seed ${seed}`);
    this.alarm.hidden = !generation.error;
    if (generation.error) {
      const { message, charged, next } = generation.error;
      this.alarm.replaceChildren(el("p", { dir: "auto" }, message), el("p", { dir: "auto" }, `${charged} ${next}`));
    }
    this.drawFilm();
    this.drawFoot();
    this.tick();
  }

  drawFilm() {
    const { generation, frames, film, strip } = this;
    const indexes = new Set(generation.images.map((image) => image.index));
    for (let index = 1; this.running && index <= generation.count; index += 1) indexes.add(index);
    for (const [index, frame] of frames) {
      if (indexes.has(index)) continue;
      frame.remove();
      frames.delete(index);
    }
    for (const index of [...indexes].sort((a, b) => a - b)) {
      if (!frames.has(index)) frames.set(index, new Frame(this, index));
      const frame = frames.get(index);
      if (!frame.element.parentNode) strip.append(frame.element);
      frame.update();
    }
    const ratio = this.ratio(Math.min(...indexes));
    Object.assign(film.dataset, { count: indexes.size, shape: ratio < 0.95 ? "tall" : "wide" });
    film.style.setProperty("--ratio", ratio);
    // Where nothing came, the film is no taller than its words, and not there at all if those are said above already.
    const nothing = !this.running && !generation.images.some(isHere);
    film.classList.toggle("bare", nothing);
    const said = generation.images.every(({ error }) => !error || error.message === generation.error?.message);
    film.hidden = !indexes.size || (nothing && said);
  }

  drawFoot() {
    this.foot.hidden = !this.id && !(this.generation.prompt && !this.running);
    this.details.hidden = !this.id;
    drawButtons(this);
    drawSettings(this);
  }

  /** Moves the clock and the bar on. */
  tick() {
    const { elapsed, expected, position, images, count } = this.generation;
    const now = elapsed + (performance.now() - (this.asOf || performance.now())) / 1000;
    const known = this.running && expected > 0;
    this.timer.hidden = !this.running || !this.id;
    this.clock.textContent = clock(now);
    const place = position && `position ${position}`;
    this.usual.textContent = joined(place, known && (now < expected ? `about ${lasting(expected)} in all` : `${lasting(expected)} is usual`));
    this.bar.hidden = !known;
    if (!known) return;
    const done = images.filter((image) => image.status !== "processing").length / count;
    const share = Math.min(Math.max(now / expected, done), 0.96);
    this.fill.style.transform = `scaleX(${share.toFixed(3)})`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  }

  /** Asks how far it is. Answers whether that could be learned. */
  async look() {
    this.looking = true;
    try {
      if (host.has("serverTools")) {
        const result = await host.call("get_status", { generation_id: this.id });
        this.show(understood(structureOf(result)), result.content);
      } else {
        this.show(understood(await host.record(this.id)));
      }
      if (this.failures > 1) this.note("");
      this.failures = 0;
      return true;
    } catch (error) {
      this.failures += 1;
      if (!this.running) return false;
      if (error.code === "not_found") this.end(error.message, "unknown");
      else if (this.failures === 2) {
        // Of work that was never seen, nothing is promised.
        const goesOn = this.generation.provider ? "The work goes on, and the page" : "The page";
        this.note(`How far it is cannot be seen at the moment. ${error.message} ${goesOn} keeps trying.`);
      }
      return false;
    } finally {
      this.looking = false;
      const busy = [...rolls.values()].filter((roll) => roll.running).length;
      this.nextLook = performance.now() + 1000 * Math.max(Math.min(LOOK_EVERY_S * 2 ** this.failures, 60), busy * 0.6);
    }
  }

  async fetchAgain() {
    this.note("Fetching…");
    const looked = await this.look();
    if (!looked || this.fetchable) this.note(looked ? "It still did not come." : "It could not be asked for at the moment.");
    else this.note("");
  }

  async lookAgain() {
    this.note("Looking…");
    const before = JSON.stringify(this.generation.error);
    const looked = await this.look();
    const { error } = this.generation;
    const same = looked && JSON.stringify(error) === before;
    this.note(looked ? same && "Nothing new is known of it." : "It could not be asked for at the moment.");
    if (looked && !same && error) say(error.next);
  }

  async openFolder(index) {
    try {
      const result = await host.call("gallery", { generation_id: this.id, index, action: "open_folder" });
      this.note(text(object(result.structuredContent).done, 600) || "Opened.");
    } catch (error) {
      this.note(error.message);
    }
  }

  /** Reads once what exactly was asked for, for the settings and for a variation. Pages that cannot simply know less. */
  learn() {
    if (!this.id || !host.has("serverResources")) return Promise.resolve();
    this.learning ??= fetching(() => host.record(this.id)).then((record) => {
      this.request = object(record.request);
      this.generation.prompt = text(record.prompt) || this.generation.prompt;
      if (!this.running) this.generation.images = understood(record).images; // a conversation shows what was there then
      this.draw();
    }).catch((error) => {
      this.learning = undefined;
      if (error.message.includes("it was deleted since")) this.gone("It was deleted.");
    });
    return this.learning;
  }

  /** The arguments that would make it again, from the record, else as the host gave them. */
  async recipe() {
    await this.learn();
    const known = this.request || this.asked;
    const unknown = "Its settings cannot be read here, so a variation might be something else. Ask the assistant for one.";
    if (!known?.prompt) throw new Error(unknown);
    const { provider, model } = this.generation;
    return { ...known, provider, model };
  }

  gone(message) {
    this.show({ ...this.generation, status: "deleted", images: [], error: undefined, message });
  }

  end(message, status = "failed") {
    this.note("");
    this.show({ ...this.generation, status, message });
  }
}
Roll.made = 0;
