// The host half of the protocol, as a real host has it. `ask` comes from the test: it notes what the gallery asks
// for and forwards it to a real MCP client.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

let bridge;

window.host = {
  async open({ source, allow, capabilities, context, input, result }) {
    const frame = document.createElement("iframe");
    frame.title = "Gallery";
    frame.setAttribute("sandbox", "allow-scripts");
    frame.setAttribute("allow", allow);
    document.body.append(frame);
    bridge = new AppBridge(null, { name: "A host", version: "1" }, capabilities, { hostContext: context });
    // A capability that was not announced has no handler either: asking for it all the same is answered with an error.
    if (capabilities.serverTools) bridge.oncalltool = (params) => ask("tools/call", params);
    if (capabilities.serverResources) bridge.onreadresource = (params) => ask("resources/read", params);
    if (capabilities.openLinks) bridge.onopenlink = (params) => ask("ui/open-link", params);
    if (capabilities.message) bridge.onmessage = (params) => ask("ui/message", params);
    if (capabilities.updateModelContext) bridge.onupdatemodelcontext = (params) => ask("ui/update-model-context", params);
    bridge.addEventListener("sizechange", ({ height }) => {
      if (height !== undefined) frame.style.height = `${height}px`;
    });
    const initialized = new Promise((done) => bridge.addEventListener("initialized", done));
    await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
    dress(context);
    frame.src = source;
    await initialized;
    await bridge.sendToolInput({ arguments: input });
    if (result) await bridge.sendToolResult(result);
    return bridge.getAppVersion();
  },
  tell(result) {
    return bridge.sendToolResult(result);
  },
  cancel() {
    return bridge.sendToolCancelled({ reason: "the person stopped it" });
  },
  change(context) {
    dress(context);
    bridge.setHostContext(context);
  },
  close() {
    return bridge.teardownResource({});
  },
};

function dress(context) {
  document.documentElement.classList.toggle("dark", context.theme === "dark");
}
