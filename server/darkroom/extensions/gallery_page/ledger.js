// The history: everything that the ledger has, to search, narrow and page through.

const past = new Map(); // its rolls; those of results stand above it, and may be the same generations

const ledger = {
  asked: 0,

  plain(picture, label, title, act) {
    const button = tool(picture, label, label, title, act);
    button.className = "plain";
    return button;
  },

  build() {
    this.toggle = this.plain("queued", "History", "All past generations.", () => (this.shown ? this.close() : this.open()));
    this.toggle.setAttribute("aria-expanded", "false");
    this.body = el("div", { class: "ledger", hidden: true });
    $("history").replaceChildren(this.toggle, this.body);
    $("history").hidden = !host.has("serverTools");
  },

  /** What is below the button, made when it is first wanted. */
  fill() {
    const states = Object.entries(STATES).filter(([status]) => !["unknown", "deleted"].includes(status));
    const seek = () => this.load();
    this.words = el("input", {
      type: "search", dir: "auto", maxlength: "200", "aria-label": "Words of the prompt", placeholder: "Words of the prompt",
      onkeydown: (event) => event.key === "Enter" && !event.isComposing && seek(),
    });
    this.status = el("select", { "aria-label": "State", onchange: seek }, el("option", { value: "" }, "All states"),
      ...states.map(([value, label]) => el("option", { value }, label)));
    this.provider = el("select", { "aria-label": "Service", onchange: seek });
    this.offer([]);
    this.liked = this.plain("star", "Favourites", "Only those with a picture that you marked.", () => { this.like(!this.likes); seek(); });
    this.like(false);
    this.list = el("div", { class: "past many" });
    this.told = el("p", { class: "message" });
    this.older = this.plain("next", "Older", "Goes on with older ones.", () => this.load(true));
    const find = this.plain("find", "Search", "Finds prompts with all of these words.", seek);
    const controls = el("div", { class: "seek", role: "search", hidden: !host.has("serverTools") },
      this.words, this.status, this.provider, this.liked, find);
    this.all = this.plain("queued", "Show all", "Searches for nothing, in all states and of all services.", () => this.widen());
    this.body.append(controls, this.told, this.all, this.list, this.older);
  },

  like(on) {
    this.likes = on;
    this.liked.setAttribute("aria-pressed", String(on));
  },

  /** Lets one of these providers be chosen, or the one that is chosen already; where there is but one, there is no choice. */
  offer(names, chosen = this.provider.value) {
    const all = [...new Set([...names, chosen])].filter((name) => text(name, 60));
    this.provider.replaceChildren(...["", ...all].map((name) => el("option", { value: name }, name ? titleOf(name) : "All services")));
    this.provider.value = chosen;
    this.provider.hidden = all.length < 2 && !chosen;
  },

  widen() {
    this.want({});
    this.words.focus({ preventScroll: true });
    this.load();
  },

  unfold(open) {
    if (!this.body) this.build();
    if (!this.words) this.fill();
    this.shown = open;
    this.body.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
  },

  open() {
    this.unfold(true);
    this.words.focus({ preventScroll: true });
    this.load();
  },

  close() {
    this.asked += 1; // what is still to come is not shown
    this.unfold(false);
    this.clear();
  },

  clear() {
    for (const roll of past.values()) roll.frames.forEach((frame) => frame.remove());
    past.clear();
    this.list.replaceChildren();
    this.day = "";
  },

  /** The assistant has asked for it with these words: they stand in the fields. */
  want({ search, status, provider, favourites }) {
    this.unfold(true);
    this.searched = false;
    this.words.value = text(search, 200);
    this.status.value = status in STATES ? status : "";
    this.offer([], text(provider, 60));
    this.like(favourites === true);
  },

  /** What the assistant was answered, unless the person has searched for something else meanwhile. */
  take(page) {
    this.unfold(true);
    $("history").hidden = false;
    $("empty").hidden = true;
    if (this.searched) return;
    this.show(page);
  },

  async load(older = false) {
    const asked = ++this.asked;
    this.searched = true;
    const cursor = older ? this.cursor : undefined;
    this.told.textContent = "Looking…";
    try {
      const narrowed = { status: this.status.value || undefined, provider: this.provider.value || undefined, favourites: this.likes || undefined };
      const wish = { action: "history", search: this.words.value.trim(), ...narrowed, cursor };
      const result = await host.call("gallery", wish);
      if (asked === this.asked) this.show(structureOf(result), older);
    } catch (error) {
      if (asked === this.asked) this.tell(error.message);
    }
  },

  tell(words) {
    this.told.textContent = words;
    say(words);
  },

  show(page, older = false) {
    const held = older && document.activeElement === this.older;
    if (!older) this.clear();
    let first;
    for (const generation of list(page.generations).map(understood)) {
      if (!generation.id || past.has(generation.id)) continue;
      const roll = new Roll(generation.id);
      first ??= roll;
      roll.past = true;
      past.set(generation.id, roll);
      const day = dayOf(generation.created);
      if (day !== this.day) this.list.append(el("h2", { class: "day" }, day));
      this.day = day;
      this.list.append(roll.element);
      roll.show(generation);
    }
    if (page.providers) this.offer(list(page.providers));
    this.cursor = text(page.next_cursor, 100);
    this.older.hidden = !this.cursor || !host.has("serverTools");
    this.all.hidden = past.size > 0 || !host.has("serverTools") || !(this.words.value || this.status.value || this.provider.value || this.likes);
    const there = past.size ? `${past.size} shown` : "None like that";
    this.tell(this.cursor ? `${there}${past.size ? "" : " so far"}; there are older ones.` : `${there}.`);
    if (held && first) first.title.focus({ preventScroll: true });
  },
};
