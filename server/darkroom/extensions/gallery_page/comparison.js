// Two pictures side by side, of one generation or of two: chosen on the page, and what differs in words.

const isSame = (one, other) => one.roll.id === other.roll.id && one.index === other.index;
/** What is known of each picture and says nothing of it beside another. */
const NOT_COMPARED = ["Id", "Pictures", "Note"];
/** What came of a request, and was not asked for. */
const CAME_OF_IT = ["Asked", "Took", "Cost", "Size", "File"];
const LONG = 7; // words, with the spaces between them, of a value that is read word by word

const comparison = {
  chosen: undefined, // the first of the two, until the second is pressed

  choose(frame) {
    lightbox.close();
    this.chosen = frame;
    this.draw();
    say(`Picture ${frame.index} is chosen. Press the other one.`);
  },

  leave() {
    this.chosen = undefined;
    this.draw();
  },

  /** Marks the chosen one, names what a press on each picture does now, and says what is to be done. */
  draw() {
    const { chosen } = this;
    $("choosing").hidden = !chosen;
    everyFrame().forEach((frame) => frame.nameLoupe());
    if (!chosen) return;
    const words = el("p", {}, `Picture ${chosen.index} of “`, el("bdi", {}, chosen.roll.generation.prompt.slice(0, 60)), "” is chosen. Press the other picture.");
    const stop = tool("close", "Stop", "Stop comparing", "Chooses none.", () => { this.leave(); chosen.loupe.focus({ preventScroll: true }); });
    stop.className = "plain";
    $("choosing").replaceChildren(words, stop);
  },

  /** What a press on the picture does. */
  press(frame) {
    const { chosen } = this;
    if (!chosen) return lightbox.open(frame);
    this.leave();
    if (!isSame(chosen, frame)) this.open(chosen, frame);
  },

  build() {
    this.title = el("h2", { id: "comparison-title", tabindex: "-1" });
    this.zoomer = tool("find", "Zoom both", "Zoom both", "Shows both large; drag one, or use the arrow keys, and the other follows.", () => this.zoom(!this.zoomed));
    this.easels = ["A", "B"].map(() => easelOf());
    this.heads = this.easels.map(() => el("figcaption", { class: "facts" }));
    const pair = el("div", { class: "pair" }, ...this.easels.map((easel, at) => el("figure", {}, this.heads[at], easel)));
    this.table = el("table");
    this.noteBox = el("div", { class: "note", hidden: true });
    const apart = el("div", { class: "apart", role: "region", "aria-label": "What they have in common and what differs", tabindex: "0" }, this.table, this.noteBox);
    const tools = el("div", { class: "tools" }, this.zoomer);
    this.cover = new Cover("comparison", el("header", {}, this.title, tools, round("close", "Close", () => this.close())), pair, apart);
    this.cover.box.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.easels.forEach((easel, at) => {
      easel.addEventListener("scroll", () => this.zoomed && follow(this.easels[1 - at], easel));
      easel.addEventListener("dblclick", () => this.zoom(!this.zoomed));
    });
  },

  open(...frames) {
    if (!this.cover) this.build();
    this.frames = frames;
    this.cover.open();
    this.title.textContent = `A: picture ${frames[0].index}, B: picture ${frames[1].index}`;
    const wide = Math.max(...frames.map(({ roll, index }) => roll.ratio(index)));
    this.cover.ratio = window.innerWidth > 640 ? wide : wide / 2;
    this.cover.place();
    this.title.focus({ preventScroll: true });
    showNote(this.noteBox, "");
    this.zoom(false);
    this.tell();
    const isWanted = () => this.frames === frames;
    frames.forEach((frame, at) => {
      const { roll, facts } = frame;
      this.heads[at].textContent = joined("AB"[at], titleOf(roll.generation.provider), facts.textContent);
      hang(frame, this.easels[at], isWanted).catch((error) => {
        if (isWanted() && host.has("serverTools")) showNote(this.noteBox, `${"AB"[at]} is the small preview. ${error.message}`);
      });
      roll.learn().then(() => isWanted() && this.tell());
    });
  },

  /** A table of what differs, and below it what both have. */
  tell() {
    const [a, b] = this.frames.map(factsOf);
    const rows = [...new Set([...a.keys(), ...b.keys()])].map((name) => [name, a.get(name) || "", b.get(name) || ""]);
    const differing = rows.filter(([, one, other]) => one !== other);
    const alike = rows.filter(([, one, other]) => one && one === other);
    const names = differing.map(([name]) => name).filter((name) => !CAME_OF_IT.includes(name)).map((name) => name.toLowerCase());
    const said = names.length ? `They differ in ${new Intl.ListFormat("en").format(names)}.` : "They were made in the same way.";
    const head = el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col" }, "A"), el("th", { scope: "col" }, "B")));
    const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells);
    const apart = differing.map(([name, one, other]) => row(name, ...marked(one, other)));
    const both = alike.map(([name, value]) => row(name, el("td", { colspan: "2", dir: "auto" }, value)));
    this.table.replaceChildren(el("caption", {}, said), head, el("tbody", {}, ...apart), el("tbody", { class: "both" }, ...both));
  },

  zoom(on) {
    this.zoomed = on;
    this.zoomer.setAttribute("aria-pressed", String(on));
    this.easels.forEach((easel) => magnify(easel, on));
    if (on) this.easels[0].focus({ preventScroll: true });
  },

  close() {
    if (!this.frames) return;
    this.cover.close(this.frames[1]);
    this.frames = undefined;
  },
};

/** What is known of a picture, by names for people. */
function factsOf({ roll, image: { size, type, bytes } }) {
  const settings = settingsOf(roll).map(([name, value]) => [name, value]);
  const facts = [...settings, ["Size", size], ["File", joined(type.replace("image/", "").toUpperCase(), bytes && weight(bytes))]];
  return new Map(facts.filter(([name]) => !NOT_COMPARED.includes(name)));
}

/** Two cells. Where both are long and have most of their words in common, those of one alone are marked. */
function marked(...values) {
  const words = values.map((value) => value.split(/(\s+)/));
  const sets = words.map((each) => new Set(each));
  const common = words[0].filter((word) => sets[1].has(word)).length;
  const lengths = words.map((each) => each.length);
  const similar = Math.min(...lengths) >= LONG && common * 2 > Math.max(...lengths);
  const drawn = (word, other) => (similar && word.trim() && !other.has(word) ? el("mark", {}, word) : word);
  return words.map((each, at) => el("td", { dir: "auto" }, ...(values[at] ? each.map((word) => drawn(word, sets[1 - at])) : ["none"])));
}

/** The other easel shows the same part of its picture. */
function follow(easel, { scrollLeft, scrollTop, scrollWidth, scrollHeight, clientWidth, clientHeight }) {
  const share = (at, whole, seen) => at / Math.max(1, whole - seen);
  const left = share(scrollLeft, scrollWidth, clientWidth) * (easel.scrollWidth - easel.clientWidth);
  const top = share(scrollTop, scrollHeight, clientHeight) * (easel.scrollHeight - easel.clientHeight);
  // What it was moved to by the other comes back as an event of its own, rounded.
  if (Math.abs(easel.scrollLeft - left) > 2 || Math.abs(easel.scrollTop - top) > 2) easel.scrollTo(left, top);
}
