// A host for the gallery: passes on what the page asks for, and opens with the history.
"use strict";
const frame = document.querySelector("iframe");
const dark = matchMedia("(prefers-color-scheme: dark)");
const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
const context = () => ({ theme: dark.matches ? "dark" : "light", displayMode: "fullscreen", locale: navigator.language, platform: "web" });

/** Where the person must be asked before anything is paid for, their yes counts for the words that they saw alone. */
async function ask(method, params, agreed) {
  let response;
  try {
    response = await fetch("/call", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ method, params, agreed }),
    });
  } catch {
    throw new Error("darkroom-mcp gallery does not run any more. Start it again");
  }
  const said = await response.json();
  if (!response.ok) throw new Error(said.error.message);
  if (said.question === undefined) return said;
  if (!confirm(said.question)) throw new Error("you said no, so nothing was sent");
  return ask(method, params, said.question);
}

const ANSWERS = {
  "ui/initialize": ({ protocolVersion }) => ({
    protocolVersion, hostInfo: { name: "darkroom-mcp", version: "1" }, hostContext: context(),
    hostCapabilities: { serverTools: {}, serverResources: {}, openLinks: {}, downloadFile: {} },
  }),
  "ui/open-link": ({ url }) => {
    if (!String(url).startsWith("https://")) throw new Error("it opens https links only");
    window.open(url, "_blank", "noopener,noreferrer");
    return {};
  },
  "ui/download-file": async ({ contents }) => {
    for (const { resource } of contents) {
      const bytes = Uint8Array.from(atob(resource.blob), (character) => character.charCodeAt(0));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
      link.download = decodeURIComponent(resource.uri.split("/").pop());
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    }
    return {};
  },
  "tools/call": (params) => ask("tools/call", params),
  "resources/read": (params) => ask("resources/read", params),
};

async function begin() {
  send({ method: "ui/notifications/tool-input", params: { arguments: { action: "history" } } });
  const result = await ask("tools/call", { name: "gallery", arguments: { action: "history" } });
  send({ method: "ui/notifications/tool-result", params: result });
}

addEventListener("message", async ({ source, data }) => {
  if (source !== frame.contentWindow || data?.jsonrpc !== "2.0" || typeof data.method !== "string") return;
  const { id, method, params } = data;
  if (method === "ui/notifications/initialized") begin();
  if (id === undefined) return;
  try {
    if (!Object.hasOwn(ANSWERS, method)) throw new Error("this host does not know that");
    send({ id, result: await ANSWERS[method](params ?? {}) });
  } catch (error) {
    send({ id, error: { code: -32603, message: error.message } });
  }
});
dark.addEventListener("change", () => send({ method: "ui/notifications/host-context-changed", params: context() }));
history.replaceState(null, "", "/"); // the token has been used
frame.src = "/page";
