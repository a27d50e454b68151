// What stands over the whole page: one picture enlarged, or two side by side.

let covering; // the one that is open

/** A dialog over everything else. `ratio`, width by height of what it shows, says how tall the page has to be for it. */
class Cover {
  ratio = 1;

  constructor(id, ...parts) {
    this.box = $(id);
    this.sheet = el("div", { class: "sheet" }, ...parts);
    this.box.append(this.sheet);
    this.box.addEventListener("keydown", (event) => event.key === "Tab" && this.keepIn(event));
  }

  /** Opens it, in the whole window where the host has that. */
  async open() {
    covering = this;
    $("gallery").inert = true;
    this.box.hidden = false;
    const { availableDisplayModes, displayMode } = host.context;
    if (!list(availableDisplayModes).includes("fullscreen") || displayMode === "fullscreen") return;
    try {
      this.widened = (await host.request("ui/request-display-mode", { mode: "fullscreen" }, 10)).mode === "fullscreen";
    } catch { /* then it is enlarged where it is */ }
  }

  /** Stands where the host's reader looks, on a page that is made tall enough for it. */
  place() {
    const wanted = Math.min(window.innerWidth / this.ratio + 190, (screen.availHeight || 800) * 0.8);
    const fixed = host.context.displayMode === "fullscreen";
    document.body.style.minHeight = fixed ? "" : `${Math.round(Math.max(wanted, 320))}px`;
    const watcher = new IntersectionObserver(([{ intersectionRect: part }]) => {
      watcher.disconnect();
      const fits = part.height >= 280;
      this.sheet.style.setProperty("--top", fits ? `${part.top}px` : "0px");
      this.sheet.style.setProperty("--height", fits ? `${part.height}px` : "100%");
    });
    watcher.observe(this.box);
  }

  keepIn(event) {
    const stops = [...this.sheet.querySelectorAll("button:not([hidden]), input, [tabindex='0']")];
    const at = stops.indexOf(document.activeElement);
    const next = event.shiftKey ? (at > 0 ? at - 1 : stops.length - 1) : (at + 1) % stops.length;
    stops[next].focus();
    event.preventDefault();
  }

  /** Closes it, and gives the focus back to the picture that it was opened from. */
  close(frame) {
    covering = undefined;
    this.box.hidden = true;
    $("gallery").inert = false;
    document.body.style.minHeight = "";
    (frame.loupe?.isConnected ? frame.loupe : ledger.toggle).focus({ preventScroll: true });
    if (this.widened) host.request("ui/request-display-mode", { mode: "inline" }, 10).catch(() => undefined);
    this.widened = false;
  }
}

const round = (picture, name, onclick) =>
  el("button", { type: "button", class: "round", "aria-label": name, title: name, onclick }, icon(picture));

/** An easel, on which what is zoomed is dragged about. */
function easelOf() {
  const easel = el("div", { class: "easel" });
  const drag = ({ buttons, movementX, movementY }) => {
    if (easel.classList.contains("zoomed") && buttons === 1) easel.scrollBy(-movementX, -movementY);
  };
  easel.addEventListener("pointermove", drag);
  return easel;
}

/** The picture on the easel: the small one at once, the large one when it has come and `isWanted` still. */
async function hang({ roll, index, image, name, canvas: small }, easel, isWanted) {
  const canvas = el("canvas", { role: "img", "aria-label": name, width: small.width, height: small.height });
  canvas.getContext("2d").drawImage(small, 0, 0);
  easel.style.setProperty("--ratio", roll.ratio(index));
  easel.style.setProperty("--natural", `${image.width || 1600}px`);
  easel.replaceChildren(canvas);
  const picture = await large(roll.id, index, true);
  if (isWanted()) await draw(canvas, picture, 4000);
}

/** In its own size, at least twice as large as it fits, to be moved about; or as it fits. */
function magnify(easel, on) {
  easel.classList.toggle("zoomed", on);
  if (on) easel.setAttribute("tabindex", "0");
  else easel.removeAttribute("tabindex");
  easel.scrollTo((easel.scrollWidth - easel.clientWidth) / 2, (easel.scrollHeight - easel.clientHeight) / 2);
}
