// Pictures: small ones out of results, large ones asked for, both drawn on canvases.

const fetching = lane(2);
const KEPT = 12;
const SMALL = 360; // pixels of a canvas for which a thumbnail is sharp enough
const kept = new Map();

/** Draws on the canvas, no larger than it is shown; from bytes, since many hosts forbid image URLs of any kind. */
async function draw(canvas, { data, type }, width) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type }));
  const scale = Math.min(1, (width * (window.devicePixelRatio || 1)) / bitmap.width);
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}

/** The picture large, or `small`; the last few are kept. */
function large(id, index, first, small = false) {
  const key = `${id} ${index} ${small}`;
  if (!kept.has(key)) {
    const coming = fetching(() => fetchLarge(id, index, small), first);
    coming.catch(() => kept.delete(key));
    kept.set(key, coming);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(key);
}

/** By the tool that makes it small enough for any host, else as the original. */
async function fetchLarge(id, index, small) {
  let why = new Error("This host does not let the gallery fetch pictures.");
  if (host.has("serverTools")) {
    try {
      const [found] = picturesIn((await host.call("gallery", { generation_id: id, index, action: small ? "thumbnail" : "view" })).content);
      if (found) return found;
    } catch (error) {
      why = error;
    }
  }
  if (!host.has("serverResources")) throw why;
  try {
    const { blob, mimeType } = await host.read(`darkroom://generations/${id}/images/${index}`);
    return { data: blob, type: text(mimeType) };
  } catch (error) {
    throw host.has("serverTools") ? why : error;
  }
}

const pictureOf = (block) => ({ data: text(block.data, Infinity), type: text(block.mimeType) });
const picturesIn = (content) => blocksOf(content, "image").map(pictureOf);

/** The previews in a result, by the link that each stands behind. One preview behind several links is of none of them. */
function previewsIn(content) {
  const blocks = list(content).map(object);
  const images = blocksOf(content, "image").length;
  if (images === 1 && blocksOf(content, "resource_link").length > 1) return new Map();
  const previews = new Map();
  blocks.forEach((block, at) => {
    const before = object(blocks[at - 1]);
    if (block.type === "image" && before.type === "resource_link") previews.set(before.uri, pictureOf(block));
  });
  return previews;
}
