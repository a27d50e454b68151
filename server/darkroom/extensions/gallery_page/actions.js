// What can be done with a picture.

/** What can be done with a picture: under its frame, and again under the enlarged one. */
function actions(frame, noteBox) {
  const { roll, index, image: { path, url } } = frame;
  const note = (message, value) => showNote(noteBox, message, value);
  const made = [];
  if (host.has("message")) made.push(tool("say", "Use", `Use picture ${index}`, "Tells the assistant to go on with this picture.", () => use(roll, index, note)));
  if (host.has("serverTools")) made.push(variation(roll, index, note));
  if (host.has("serverTools") && takesPictures(roll)) made.push(fromPicture(roll, index, note));
  if (host.has("serverTools")) made.push(favouring(frame, note));
  if (host.has("serverTools") || roll.generation.count > 1) {
    made.push(tool("compare", "Compare", `Compare picture ${index}`, "Shows it beside another one.", () => comparison.choose(frame)));
  }
  if (path) made.push(copying("Copy path", `Copy path of picture ${index}`, path, async () => path, "path", note));
  if (host.has("downloadFile") && host.has("serverResources")) {
    made.push(tool("fetch", "Save", `Save picture ${index}`, "Saves the original where the host keeps downloads.", () => save(roll, frame.image, note)));
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
  if (host.has("serverTools")) made.push(deleting(roll, index, note));
  return made;
}

/** Gives the host the original, to be saved by its own means. */
async function save(roll, { index, path, type }, note) {
  note("Saving…");
  try {
    const uri = `darkroom://generations/${roll.id}/images/${index}`;
    const { blob, mimeType } = await host.read(uri);
    const name = path.split(/[\\/]/).pop() || `${roll.id}-${index}.${type.replace("image/", "")}`;
    const resource = { uri: `file:///${encodeURIComponent(name)}`, mimeType: text(mimeType) || type, blob };
    const result = await host.request("ui/download-file", { contents: [{ type: "resource", resource }] }, 0);
    if (result.isError) throw new Error("The host did not save it.");
    note("The host has it.");
  } catch (error) {
    note(error.message);
  }
}

/** Says to the assistant, as the person's own words, which picture was chosen. */
async function use(roll, index, note) {
  const words = `Use picture ${index} of ${roll.id}.`;
  try {
    const said = await host.request("ui/message", { role: "user", content: [{ type: "text", text: words }] }, 0);
    if (said.isError) throw new Error("The host did not pass it on.");
    note(`The assistant was told: “${words}”`);
  } catch (error) {
    note(`${error.message} Tell the assistant:`, words);
  }
}
