// The start, and what the window itself says.

const everyFrame = () => [...document.querySelectorAll(".frame")].map((element) => element.frame);
const shownFrames = () => everyFrame().filter((frame) => frame.loupe?.isConnected);

async function start() {
  if (window.parent === window) {
    $("empty").textContent = "This page shows pictures inside a host of MCP Apps.";
    return;
  }
  try {
    const result = await host.request("ui/initialize", {
      protocolVersion: "2026-01-26",
      appInfo: { name: "darkroom-gallery", title: "Darkroom gallery", version: VERSION },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    });
    host.capabilities = object(result.hostCapabilities);
    dress(object(result.hostContext));
    ledger.build();
  } catch (error) {
    $("empty").textContent = `${error.message} What it sends is shown nevertheless.`;
  }
  host.send({ method: "ui/notifications/initialized" });
  new ResizeObserver(measure).observe(document.body);
}

window.addEventListener("message", (event) => host.receive(event));
window.addEventListener("resize", () => {
  covering?.place();
  clearTimeout(start.settling);
  start.settling = setTimeout(() => everyFrame().forEach((frame) => frame.isSeen && frame.develop()), 300);
});
document.addEventListener("pointerdown", (event) => armed && !armed.button.contains(event.target) && armed.disarm());
document.addEventListener("focusout", (event) => armed?.button === event.target && armed.disarm());
document.addEventListener("keydown", ({ key }) => key === "Escape" && !armed && !covering && comparison.leave());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !armed) return;
  armed.disarm();
  event.stopPropagation();
}, true);
document.addEventListener("visibilitychange", beat);
const heart = setInterval(beat, 1000);
start();
