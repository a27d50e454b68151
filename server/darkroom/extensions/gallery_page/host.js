// The host: JSON-RPC with the window that holds this page, its theme and its size.

/** What Darkroom itself answered, as against an answer that never came. */
class Refusal extends Error {
  constructor(said) {
    super(refusal(said));
    this.code = said.split(":", 1)[0];
  }
}

/** JSON-RPC with the window that holds this page; everything that the page knows comes through here. */
const host = {
  capabilities: {},
  context: {},
  ended: false,
  waiting: new Map(),
  lastId: 0,

  send(message) {
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  },

  /** The answer, or an Error in words. `seconds` 0: for as long as it takes, since a person may be asked first. */
  request(method, params, seconds = 60) {
    if (this.ended) return Promise.reject(new Error("The host has closed this page."));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = seconds && setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error("The host did not answer."));
      }, seconds * 1000);
      this.waiting.set(id, { resolve, reject, timer });
      this.send({ id, method, params });
    });
  },

  receive(event) {
    const message = object(event.data);
    if (event.source !== window.parent || message.jsonrpc !== "2.0") return;
    if (typeof message.method === "string") this.asked(message);
    else this.answered(message);
  },

  answered({ id, result, error }) {
    const one = this.waiting.get(id);
    if (!one) return;
    this.waiting.delete(id);
    clearTimeout(one.timer);
    if (error) one.reject(new Error(`The host refused: ${text(error.message, 300) || "it gave no reason"}`));
    else one.resolve(object(result));
  },

  asked({ id, method, params }) {
    const heard = HEARD[method];
    if (heard) heard(object(params));
    if (id === undefined) return;
    if (heard) this.send({ id, result: {} });
    else this.send({ id, error: { code: -32601, message: "This page does not know that." } });
  },

  /** Whether a request of this kind is worth making. */
  has(capability) {
    return !this.ended && capability in this.capabilities;
  },

  /** A tool's result. What the tool refuses is a Refusal in the tool's words. */
  async call(name, args, seconds) {
    const result = await this.request("tools/call", { name, arguments: args }, seconds);
    if (result.isError) throw new Refusal(wordsOf(result));
    return result;
  },

  async read(uri) {
    return object(list((await this.request("resources/read", { uri })).contents)[0]);
  },

  async record(id) {
    return object(JSON.parse((await this.read(`darkroom://generations/${id}`)).text));
  },
};

const HEARD = {
  "ping": () => undefined,
  "ui/notifications/tool-input": (params) => asking(object(params.arguments), true),
  "ui/notifications/tool-input-partial": (params) => asking(object(params.arguments), false),
  "ui/notifications/tool-result": (result) => answered(result),
  "ui/notifications/tool-cancelled": () => givenUp(),
  "ui/notifications/host-context-changed": (change) => dress(change),
  "ui/resource-teardown": () => {
    host.ended = true;
    clearInterval(heart);
  },
};

const blocksOf = (content, type) => list(content).map(object).filter((block) => block.type === type);
/** The structured half, which Darkroom lays in `_meta` where the model is not to be given it. */
const structureOf = (result) => object(result.structuredContent ?? object(result._meta)[STRUCTURED]);
const wordsOf = (result) => blocksOf(result.content, "text").map((block) => text(block.text)).join("\n");

/** "code: what happened. Charged: no. What to do." as a person would say it. */
function refusal(said) {
  return said.replace(/^[a-z_]+: /, "").replace(/ Charged: no\./, "") || "It was refused without a reason.";
}

/** Takes on the host's theme, variables and margins. */
function dress(change) {
  Object.assign(host.context, change);
  const root = document.documentElement;
  const { theme, styles, safeAreaInsets } = host.context;
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  for (const [name, value] of Object.entries(object(object(styles).variables))) {
    if (name.startsWith("--") && typeof value === "string") root.style.setProperty(name, value);
  }
  const insets = object(safeAreaInsets);
  document.body.style.padding = ["top", "right", "bottom", "left"].map((side) => `${number(insets[side]) || 0}px`).join(" ");
  covering?.place();
}

/** Tells the host how tall the page is. */
function measure() {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  const width = Math.ceil(window.innerWidth);
  if (height === measure.height && width === measure.width) return;
  Object.assign(measure, { height, width });
  host.send({ method: "ui/notifications/size-changed", params: { width, height } });
}
