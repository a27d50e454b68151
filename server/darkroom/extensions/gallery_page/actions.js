// What can be done with a picture.

/** What can be done with a picture: under its frame, and again under the enlarged one. */
function actions(frame, noteBox) {
  const { roll, index, image: { path, url } } = frame;
  const note = (message, value) => showNote(noteBox, message, value);
  const made = [];
  if (host.has("serverTools")) made.push(variation(roll, index, note));
  if (path) {
    const copying = tool("copy", "Copy path", `Copy path of picture ${index}`, path, async () => {
      if (!(await copied(path))) return note("Press Ctrl+C or ⌘C to copy the path.", path);
      const label = copying.querySelector("span");
      label.textContent = "Copied";
      setTimeout(() => { label.textContent = "Copy path"; }, 1800);
      say(`Path of picture ${index} copied.`);
    });
    made.push(copying);
  }
  if (url.startsWith("https://")) {
    made.push(tool("link", "Open link", `Open link of picture ${index}`, url, async () => {
      try {
        if ((await host.request("ui/open-link", { url }, 0)).isError) throw new Error("The host did not open it.");
      } catch (error) {
        note(error.message, url);
      }
    }));
  }
  return made;
}

function tool(picture, label, name, title, act) {
  return el("button", { type: "button", class: "tool", "aria-label": name, title, onclick: act }, icon(picture), el("span", {}, label));
}

/** Copies the way that the host allows; a forbidden one is not even tried, since browsers complain of it aloud. */
async function copied(value) {
  if (navigator.clipboard && (document.featurePolicy?.allowsFeature("clipboard-write") ?? true)) {
    try {
      await navigator.clipboard.writeText(value);
      return true;
    } catch { /* the older way may still be open */ }
  }
  const focused = document.activeElement;
  const area = el("textarea", { class: "away", tabindex: "-1" });
  area.value = value;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused.focus({ preventScroll: true });
  return done;
}

let armed;

/** A button that is pressed once where that is free, and a second time to confirm where it spends. */
function variation(roll, index, note) {
  const { provider, count } = roll.generation;
  const [free, service] = [PROVIDERS[provider]?.free, titleOf(provider)];
  const pictures = count === 1 ? "1 new picture" : `${count} new pictures`;
  const how = PROVIDERS[provider]?.seed ? "same prompt, new seed" : `the same request again, since ${service} takes no seed`;
  const name = `Make a variation of picture ${index}`;
  const button = tool("again", "Variation", name, `${pictures}: ${how}. ${free ? "Free." : `Costs credits at ${service}.`}`, () => press());
  const label = button.querySelector("span");
  // A key that is held down repeats by itself: only a new press may spend.
  button.addEventListener("keydown", (event) => event.repeat && ["Enter", " "].includes(event.key) && event.preventDefault());

  const arm = (on) => {
    armed = on ? { button, since: performance.now(), disarm: () => arm(false) } : undefined;
    button.toggleAttribute("data-armed", on);
    label.textContent = on ? `Spend credits on ${pictures}?` : "Variation";
    button.setAttribute("aria-label", on ? `Spend credits on ${pictures}? Press again to confirm; ${service} charges for it` : name);
    if (on) say(`This costs credits at ${service}. Press again to make ${pictures}.`);
  };

  const press = async () => {
    if (button.getAttribute("aria-disabled")) return;
    const confirmed = armed?.button === button;
    if (!free && !confirmed) return arm(true);
    if (confirmed && performance.now() - armed.since < 400) return; // a double click is no confirmation
    arm(false);
    button.setAttribute("aria-disabled", "true");
    label.textContent = "Asking…";
    try {
      note("");
      await vary(roll);
    } catch (error) {
      note(error.message);
    }
    button.removeAttribute("aria-disabled");
    label.textContent = "Variation";
  };
  return button;
}

/** A name that no other request has; randomUUID is missing where a host serves the page over plain http. */
const newKey = () => `gallery-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;

/** What was asked for, without the name of the one request: a variation of it is another. */
function unkeyed({ request_key: _, ...asked }) {
  return asked;
}

/** Asks for the same again with another seed, and follows it on top of the page. The page never repeats it by itself. */
async function vary(roll) {
  // Where an answer was lost, the same call goes out again: Darkroom knows its key, and does not pay for it twice.
  const args = roll.unanswered || { ...(await roll.recipe()), seed: undefined, request_key: newKey() };
  if (PROVIDERS[args.provider]?.seed) args.seed ??= crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
  roll.unanswered = args;
  const result = await host.call("generate", args, 0).catch((error) => {
    if (error instanceof Refusal) roll.unanswered = undefined;
    throw error;
  });
  roll.unanswered = undefined;
  const generation = understood(structureOf(result));
  if (!generation.id) throw new Error(wordsOf(result) || "The answer names no generation.");
  lightbox.close();
  const made = adopt(generation.id, true);
  made.asked = unkeyed(args);
  made.show(generation, result.content);
  made.title.focus({ preventScroll: true });
  made.element.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  if (!host.has("updateModelContext")) return;
  const news = `In the gallery the user started ${generation.id}, a variation of ${roll.id}.`;
  host.request("ui/update-model-context", { content: [{ type: "text", text: news }] }).catch(() => undefined);
}
