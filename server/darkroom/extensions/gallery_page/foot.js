// The foot of a roll: what can be done with all of it, each way on with its cost, and its settings.

/** Draws the buttons again where others are offered now. */
function drawButtons(roll) {
  const { running, fetchable, buttons, generation: { status, images, error, cost } } = roll;
  const saved = images.find((image) => isHere(image) && image.path);
  const offered = [status, images.filter(isHere).length, fetchable, error?.code, cost, Boolean(roll.id), roll.generation.provider, roll.generation.count].join();
  if (offered === roll.offered) return;
  roll.offered = offered;
  const made = [...(running ? whileRunning(roll) : whenOver(roll, saved)), ...always(roll)];
  const held = buttons.contains(document.activeElement) && document.activeElement.dataset.what;
  if (armed && buttons.contains(armed.button)) armed.disarm();
  made.forEach((button) => { button.className = "plain"; });
  buttons.replaceChildren(...made);
  // The focus stays with its button, or goes to the title where that is gone: it would fall to the page's top.
  if (held) (made.find((button) => button.dataset.what === held) || roll.title).focus({ preventScroll: true });
  buttons.hidden = !made.length;
}

const noting = (roll) => (message, value) => roll.note(message, value);

function named(what, button) {
  button.dataset.what = what;
  return button;
}

function whileRunning(roll) {
  if (!roll.id || !host.has("serverTools")) return [];
  const waits = roll.generation.status === "queued";
  const risk = waits ? "free while it still waits here" : "it may be charged";
  const ask = `Cancel it? ${waits ? "Free while it still waits here" : "It may be charged"}`;
  return [named("cancel", careful({
    picture: "stop", label: "Cancel", name: "Cancel", title: `Takes it back, or asks the service to stop it: ${risk}.`, note: noting(roll),
    ask, asked: `${ask}. Press again to confirm`,
    warning: `Press again to cancel it; ${risk}.`, busy: "Cancelling…", act: () => cancel(roll),
  }))];
}

/** Shows what came of the wish, which the first line of the answer says. */
async function cancel(roll) {
  const result = await host.call("cancel", { generation_id: roll.id });
  roll.show(understood(structureOf(result)), result.content);
  const [said] = wordsOf(result).split("\n");
  if (roll.generation.status !== "cancelled") roll.note(said); // else the message says it
}

function whenOver(roll, saved) {
  const { status, images } = roll.generation;
  const made = [];
  if (!host.has("serverTools")) return made;
  const free = "Free: asks the provider again for what did not come.";
  if (roll.fetchable) made.push(named("fetch", tool("fetch", "Fetch what is missing (free)", "Fetch what is missing (free)", free, () => roll.fetchAgain())));
  if (roll.id && (status === "unknown" || isLost(roll.generation))) {
    made.push(named("look", tool("again", "Look again (free)", "Look again (free)", "Free: asks what became of it.", () => roll.lookAgain())));
  }
  if (roll.generation.prompt && ["failed", "partial", "cancelled"].includes(status)) {
    const label = `Try again (${price(roll)})`;
    made.push(named("again", spending(roll, {
      picture: "again", label, name: label, title: `${countOf(roll)}: the same request once more.`, note: noting(roll), what: "another try",
    })));
  }
  if (saved) made.push(named("folder", tool("folder", "Open folder", "Open folder", saved.path, () => roll.openFolder(saved.index))));
  if (roll.generation.prompt && !["unknown", "deleted"].includes(status)) {
    made.push(named("edit", tool("edit", "Edit prompt", "Edit prompt", "Runs it again with other words.", () => openEditor(roll))));
  }
  if (roll.id && !["unknown", "deleted"].includes(status) && images.filter(isHere).length !== 1) made.push(named("delete", deleting(roll, undefined, noting(roll))));
  return made;
}

function always(roll, note = noting(roll)) {
  if (!roll.generation.prompt) return [];
  const whole = () => roll.learn().then(() => roll.generation.prompt);
  return [named("copy", copying("Copy prompt", "Copy prompt", "Copies all of it.", whole, "prompt", note))];
}

/** Another prompt for the same settings, in a form below the buttons. */
async function openEditor(roll) {
  await roll.learn();
  const words = el("textarea", { rows: "4", dir: "auto", maxlength: "20000", "aria-label": "The prompt to run" });
  words.value = roll.generation.prompt;
  const close = () => {
    roll.editor.hidden = true;
    (roll.buttons.querySelector("[data-what=edit]") || roll.title).focus({ preventScroll: true });
  };
  const change = () => {
    if (!words.value.trim()) throw new Error("The prompt is empty.");
    return { prompt: words.value };
  };
  const label = `Run (${price(roll)})`;
  const run = spending(roll, {
    picture: "again", label, name: label, title: `${countOf(roll)} with this prompt.`, note: noting(roll), change, look: "plain",
    what: "the same with another prompt",
  });
  const leave = tool("close", "Leave it", "Leave it", "Closes this without running anything.", close);
  leave.className = "plain";
  words.addEventListener("keydown", (event) => event.key === "Escape" && close());
  roll.editor.replaceChildren(words, el("div", { class: "buttons" }, run, leave));
  roll.editor.hidden = false;
  words.focus();
}

/** Everything that was asked for, and what is known of it: names, values as text ("" where unknown), and their looks. */
function settingsOf(roll) {
  const { generation, request, asked } = roll;
  const wish = object(request || asked);
  const options = Object.entries(object(wish.options)).slice(0, 12).map(([name, value]) => [name.replaceAll("_", " "), String(value)]);
  return [
    ["Prompt", generation.prompt], ["Leave out", text(wish.negative_prompt)],
    ["Provider", titleOf(generation.provider)], ["Model", generation.model],
    ["Aspect ratio", text(wish.aspect_ratio, 40)], ["Pictures", String(generation.count)],
    ["Seed", generation.seed === undefined ? "" : String(generation.seed), "mono"], ...options,
    ["Asked", when(generation.created)],
    ["Took", roll.running || generation.status === "unknown" ? "" : lasting(generation.elapsed)],
    ["Cost", generation.cost], ["Note", (generation.images.some(isHere) && PROVIDERS[generation.provider]?.note) || ""], ["Id", generation.id, "mono"],
  ];
}

function drawSettings(roll) {
  const rows = settingsOf(roll);
  if (String(rows) === roll.listed) return; // nobody's selection is taken from under them
  roll.listed = String(rows);
  const said = rows.filter((row) => row[1]);
  roll.settings.replaceChildren(...said.flatMap(([name, value, look]) => [el("dt", {}, name), el("dd", { class: look, dir: "auto" }, value)]));
}
