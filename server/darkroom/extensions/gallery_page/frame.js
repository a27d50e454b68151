// A frame: one picture on the film.

const seen = new IntersectionObserver((entries) => {
  for (const { target: { frame }, isIntersecting } of entries) {
    frame.isSeen = isIntersecting;
    if (!isIntersecting) continue;
    frame.develop();
    if (!frame.roll.past) frame.roll.learn();
  }
}, { rootMargin: "300px" });

/** The frame of one picture on the film. */
class Frame {
  state = "";
  sharpness = 0;

  constructor(roll, index) {
    Object.assign(this, { roll, index });
    this.facts = el("span", { class: "facts" });
    this.star = el("span", { class: "star", hidden: true }, icon("star"), el("span", { class: "away" }, "Favourite"));
    const unseen = { "aria-hidden": "true" };
    this.blank = el("div", { class: "blank", ...unseen });
    this.window = el("div", { class: "window" }, el("div", { class: "tray", ...unseen }), this.blank);
    this.tools = el("div", { class: "tools" });
    this.noteBox = el("div", { class: "note", hidden: true });
    const edge = el("figcaption", { class: "edge" }, el("span", { class: "number" }, String(index)), this.facts, this.star);
    this.element = el("li", { class: "frame" }, el("figure", {}, this.window, edge, this.tools, this.noteBox));
    this.element.frame = this;
    seen.observe(this.element);
  }

  get image() {
    return this.roll.image(this.index);
  }

  get name() {
    return `Picture ${this.index}: ${this.roll.generation.prompt.slice(0, 300)}`;
  }

  remove() {
    seen.unobserve(this.element);
    this.element.remove();
  }

  /** Brings what is shown in line with what is known. */
  update() {
    const waiting = this.roll.generation.status === "queued" ? "waiting" : "developing";
    const state = { succeeded: "shown", failed: "failed" }[this.image.status] || waiting;
    this.window.style.setProperty("--ratio", this.roll.ratio(this.index));
    this.canvas?.setAttribute("aria-label", this.name);
    this.star.hidden = !this.image.favourite;
    this.tools.querySelector(".favouring")?.setAttribute("aria-pressed", String(this.image.favourite));
    if (state === this.state && state !== "failed") return;
    this.live = this.state === "developing" || this.state === "waiting";
    this.state = state;
    if (state !== "shown" || !this.live) this.element.dataset.state = state;
    this.window.querySelectorAll(":scope > :not(.tray, .blank)").forEach((child) => child.remove());
    if (state === "shown") this.reveal();
    else if (state === "failed") this.explain();
    else this.facts.textContent = state === "waiting" ? "Waiting" : "Developing";
    const pending = { shown: "picture", waiting: "queued" }[state];
    this.blank.hidden = !pending || this.sharpness > 0;
    this.blank.replaceChildren(...(pending ? [icon(pending)] : []));
  }

  reveal() {
    const { size, type, bytes, watermarked } = this.image;
    this.canvas = el("canvas", { role: "img", "aria-label": this.name });
    this.loupe = el("button", { type: "button", class: "loupe", onclick: () => comparison.press(this) });
    this.nameLoupe();
    this.window.append(this.canvas, this.loupe);
    this.facts.textContent = joined(size, type.replace("image/", "").toUpperCase(), bytes && weight(bytes), watermarked && "watermarked");
    this.tools.replaceChildren(...actions(this, this.noteBox));
    if (this.isSeen) this.develop();
  }

  /** Names what a press on the picture does. */
  nameLoupe() {
    const { chosen } = comparison;
    const isChosen = Boolean(chosen) && isSame(chosen, this);
    const does = isChosen ? "Stop comparing" : chosen ? "Compare with" : "Enlarge";
    this.element.toggleAttribute("data-chosen", isChosen);
    this.loupe?.setAttribute("aria-label", `${does} picture ${this.index}`);
    this.loupe?.replaceChildren(icon(isChosen ? "close" : chosen ? "compare" : "enlarge"));
  }

  explain() {
    const { error, hidden } = this.image;
    const gone = error?.code === "deleted";
    this.facts.textContent = gone ? "deleted" : hidden ? "taken down" : "not here";
    this.tools.replaceChildren();
    const next = isFetchable(this.image) && host.has("serverTools") ? "" : error?.next;
    const more = el("span", {}, `${(!gone && error?.charged) || ""} ${next || ""}`);
    this.window.append(el("p", { class: "why", dir: "auto" }, icon(gone ? "bin" : "failed"), error?.message || "This picture did not come.", more));
  }

  /** Draws the picture once it is in sight: the preview at once, then a sharper one where the frame needs it. */
  async develop() {
    if (this.state !== "shown" || this.developing) return;
    this.developing = true;
    const { canvas, roll, index } = this;
    const width = this.window.clientWidth;
    const needed = 0.8 * Math.min(width * (window.devicePixelRatio || 1), this.image.width || 1600, 1600);
    const preview = roll.previews.get(index);
    try {
      if (!this.sharpness && preview) await this.expose(preview, width);
      if (this.sharpness < needed) await this.expose(await large(roll.id, index, false, needed < SMALL), width);
    } catch (error) {
      if (!this.sharpness) this.fail(canvas, error);
    } finally {
      this.developing = false;
    }
  }

  async expose(picture, width) {
    await draw(this.canvas, picture, width);
    if (!this.sharpness) {
      this.element.dataset.state = this.live && !calm.matches ? "arriving" : "shown";
      this.blank.hidden = true;
      setTimeout(() => { this.element.dataset.state = this.state; }, 2000);
    }
    this.sharpness = this.canvas.width;
  }

  fail(canvas, error) {
    this.element.dataset.state = "failed";
    this.loupe.remove();
    this.blank.hidden = true;
    const gone = ["deleted", "not_found"].includes(error.code);
    const words = gone ? [error.message] : ["The picture is saved, but cannot be shown here.", el("span", {}, error.message)];
    canvas.replaceWith(el("p", { class: "why" }, icon(gone ? "bin" : "failed"), ...words));
    if (gone) this.tools.replaceChildren();
  }
}
