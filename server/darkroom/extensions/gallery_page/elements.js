// Small tools: what came from outside made safe to use, elements, words, times.

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const text = (value, most = 20000) => (typeof value === "string" ? value.slice(0, most) : "");
const number = (value) => (Number.isFinite(value) ? value : undefined);
const list = (value) => (Array.isArray(value) ? value : []);
const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
const joined = (...parts) => parts.filter(Boolean).join(" · ");

/** An element. What tools say is only ever given as text or as an attribute's value, never as markup. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function svg(name, shape, attributes) {
  const [outer, inner] = ["svg", shape].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [key, value] of Object.entries(attributes)) inner.setAttribute(key, value);
  outer.setAttribute("class", name);
  outer.setAttribute("aria-hidden", "true");
  outer.append(inner);
  return outer;
}

const PATHS = {
  again: "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2v3h-3",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  link: "M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11.5 9.5v4h-9v-9h4",
  folder: "M1.8 12.8v-9h4l1.5 1.7h6.9v7.3z",
  enlarge: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
  fetch: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  find: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.3 10.3 14 14",
  next: "M6 3 11 8 6 13",
  previous: "M10 3 5 8 10 13",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  compare: "M2 3h5v10H2zM9 3h5v10H9z",
  edit: "M2.5 13.5l.8-3.2 7.6-7.6 2.4 2.4-7.6 7.6zM9.4 4.2l2.4 2.4",
  stop: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M6 6h4v4H6z",
  say: "M2 3h12v8H8l-3.5 2.8V11H2z",
  star: "M8 1.9l1.9 3.9 4.2.6-3 3 .7 4.2L8 11.6l-3.8 2 .7-4.2-3-3 4.2-.6z",
  bin: "M2.5 4.2h11M6.2 4V2.4h3.6V4M4 4.4l.6 9h6.8l.6-9M6.8 7v4M9.2 7v4",
  picture: "M2 3h12v10H2zM2 11l3.5-3.5L8 10l2.5-2.5L14 11M10.8 5.6h.1",
  queued: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M8 5v3.2l2.2 1.4",
  processing: "M8 2.2a5.8 5.8 0 0 1 5.8 5.8M12.4 11.8a5.8 5.8 0 0 1-8.8 0M2.2 8a5.8 5.8 0 0 1 1.2-3.5",
  succeeded: "M2.8 8.6l3.4 3.4 7-8",
  partial: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M8 2.2v11.6M8 5h4.9M8 8h5.8M8 11h4.9",
  failed: "M8 2.2l6.2 11.2H1.8zM8 6.4v3.2M8 11.5v.2",
  cancelled: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M4 4l8 8",
  unknown: "M5.4 6a2.6 2.6 0 1 1 3.8 2.4C8.4 8.8 8 9.2 8 10.2M8 12.8v.2",
};
PATHS.deleted = PATHS.bin;

function icon(name) {
  const made = svg("icon", "path", { d: PATHS[name] });
  made.setAttribute("viewBox", "0 0 16 16");
  return made;
}

const holes = () => svg("holes", "rect", { width: "100%", height: "100%" });

/** Says it to a screen reader; the same words twice are said twice. */
function say(words) {
  $("live").textContent = "";
  setTimeout(() => { $("live").textContent = words; }, 60);
}

/** A few words in a box, with a value to be copied by hand where there is one. */
function showNote(box, message, value) {
  box.hidden = !message;
  box.replaceChildren(message || "");
  if (message) say(message);
  if (!value) return;
  const input = el("input", { readonly: true, "aria-label": "To be copied" });
  input.value = value;
  box.append(input);
  input.focus({ preventScroll: true });
  input.select();
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

const lasting = (seconds) => (seconds < 100 ? `${Math.round(seconds)} s` : clock(seconds));
const weight = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

function when(iso) {
  const { locale, timeZone } = host.context;
  try {
    return iso && new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone }).format(new Date(iso));
  } catch {
    return iso;
  }
}

/** The day as people say it, on the host's calendar; "" where it is not known. */
function dayOf(iso) {
  const { locale, timeZone } = host.context;
  try {
    const format = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeZone });
    const [day, today, yesterday] = [new Date(iso), new Date(), new Date(Date.now() - 864e5)].map((date) => format.format(date));
    return { [yesterday]: "Yesterday", [today]: "Today" }[day] || day;
  } catch {
    return iso.slice(0, 10);
  }
}

/** At most `most` of the given tasks at a time, in order but for those that come `first`. */
function lane(most) {
  const waiting = [];
  let busy = 0;
  const next = () => {
    if (busy >= most || !waiting.length) return;
    busy += 1;
    waiting.shift()().finally(() => { busy -= 1; next(); });
    next();
  };
  return (task, first = false) => new Promise((resolve, reject) => {
    waiting.splice(first ? 0 : waiting.length, 0, () => task().then(resolve, reject));
    next();
  });
}
