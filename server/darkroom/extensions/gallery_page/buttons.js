// Buttons: those that act at once, those that act on the second press, and what they copy.

// A key that is held down repeats by itself: only a new press of it presses a button.
addEventListener("keydown", (event) => {
  if (event.repeat && ["Enter", " "].includes(event.key) && event.target.closest("button")) event.preventDefault();
}, true);

/** A button. A double click presses it once, and so does one press after another while what it does is under way. */
function tool(picture, label, name, title, act) {
  let busy = false;
  const press = async ({ detail }) => {
    if (busy || detail > 1) return;
    busy = true;
    try {
      await act();
    } finally {
      busy = false;
    }
  };
  return el("button", { type: "button", class: "tool", "aria-label": name, title, onclick: press }, icon(picture), el("span", {}, label));
}

let armed;

/**
 * A button for what costs something: its first press says what, and its second one does it; without `ask` the first one does.
 * `ask`: its label in between; `asked`: its name then; `warning`: what a screen reader says then. `look`: its class.
 */
function careful({ picture, label: usual, name, title, ask, asked, warning, busy = "Asking…", look = "tool", note, act }) {
  const button = tool(picture, usual, name, title, () => press());
  button.className = look;
  const label = button.querySelector("span");

  const arm = (on) => {
    armed = on ? { button, since: performance.now(), disarm: () => arm(false) } : undefined;
    button.toggleAttribute("data-armed", on);
    label.textContent = on ? ask : usual;
    button.setAttribute("aria-label", on ? asked : name);
    if (on) say(warning);
  };

  const press = async () => {
    if (button.getAttribute("aria-disabled")) return;
    const confirmed = armed?.button === button;
    if (ask && !confirmed) return arm(true);
    if (confirmed && performance.now() - armed.since < 400) return; // a double click is no confirmation
    arm(false);
    button.setAttribute("aria-disabled", "true");
    label.textContent = busy;
    try {
      note("");
      await act();
    } catch (error) {
      note(error.message);
    }
    button.removeAttribute("aria-disabled");
    label.textContent = usual;
  };
  return button;
}

/** Copies on a press. `value`: the text, perhaps still to be learned; `what`: its name for a screen reader. */
function copying(label, name, title, value, what, note) {
  const button = tool("copy", label, name, title, async () => {
    const found = await value();
    if (!(await copied(found))) return note(`Press Ctrl+C or ⌘C to copy the ${what}.`, found);
    const shown = button.querySelector("span");
    shown.textContent = "Copied";
    setTimeout(() => { shown.textContent = label; }, 1800);
    say(`${name.replace("Copy ", "").replace(/^./, (first) => first.toUpperCase())} copied.`);
  });
  return button;
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
