// The same once more: as it was, with another seed, another prompt, or from one of its pictures.

const countOf = (roll) => (roll.generation.count === 1 ? "1 new picture" : `${roll.generation.count} new pictures`);
const isFree = (roll) => PROVIDERS[roll.generation.provider]?.free === true;

/** What the same would cost once more, in a few words. */
function price(roll) {
  if (isFree(roll)) return "free";
  return roll.generation.cost ? `about ${roll.generation.cost}` : "costs credits";
}

/** A button that makes pictures with these changes, and spends only on its second press. `what`: what it does, for the model. */
function spending(roll, { note, change = () => ({}), what, ...words }) {
  const service = titleOf(roll.generation.provider);
  const spent = roll.generation.cost ? `about ${roll.generation.cost}` : "credits";
  const [twice, pictures] = [isLost(roll.generation), countOf(roll)];
  const ask = isFree(roll) ? undefined : `Spend ${spent} on ${pictures}?${twice ? " The first may have been paid for." : ""}`;
  return careful({
    ...words, note, ask, asked: `${ask} Press again to confirm; ${service} charges for it`,
    warning: `This costs ${spent} at ${service}. Press again to make ${pictures}.`,
    act: () => make(roll, change(), what),
  });
}

function variation(roll, index, note) {
  const service = titleOf(roll.generation.provider);
  const how = PROVIDERS[roll.generation.provider]?.seed ? "same prompt, new seed" : `the same request again, since ${service} takes no seed`;
  return spending(roll, {
    picture: "again", label: "Variation", name: `Make a variation of picture ${index}`, note, what: "a variation",
    title: `${countOf(roll)}: ${how}. ${isFree(roll) ? "Free." : `Costs credits at ${service}.`}`,
    change: () => ({ seed: undefined }),
  });
}

/** Whether the service makes pictures from pictures, with the model that made these. */
function takesPictures({ generation: { provider, model } }) {
  const models = PROVIDERS[provider]?.from;
  return Boolean(models) && (!models.length || models.includes(model));
}

function fromPicture(roll, index, note) {
  return spending(roll, {
    picture: "picture", label: "From this", name: `From this, picture ${index}, make a new one`, note, what: `one from picture ${index}`,
    title: `${countOf(roll)} from this one. ${isFree(roll) ? "Free." : `Costs credits at ${titleOf(roll.generation.provider)}.`}`,
    change: () => ({ images: [`${roll.id}/${index}`], seed: undefined }),
  });
}

/** A name that no other request has; randomUUID is missing where a host serves the page over plain http. */
const newKey = () => `gallery-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;

/** What was asked for, without the name of the one request: a variation of it is another. */
function unkeyed({ request_key: _, ...asked }) {
  return asked;
}

/** Asks for the same again but for these changes, and follows it on top of the page. The page never repeats it by itself. */
async function make(roll, change, what) {
  const kind = `${what} ${JSON.stringify(change)}`;
  // Where an answer was lost, the same call goes out again: Darkroom knows its key, and does not pay for it twice.
  const args = roll.unanswered.get(kind) || { ...(await roll.recipe()), ...change, request_key: newKey() };
  if (PROVIDERS[args.provider]?.seed) args.seed ??= crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
  roll.unanswered.set(kind, args);
  const result = await host.call("generate", args, 0).catch((error) => {
    if (error instanceof Refusal) roll.unanswered.delete(kind);
    throw error;
  });
  roll.unanswered.delete(kind);
  const generation = understood(structureOf(result));
  if (!generation.id) throw new Error(wordsOf(result) || "The answer names no generation.");
  lightbox.close();
  const made = adopt(generation.id, true);
  made.asked = unkeyed(args);
  made.show(generation, result.content);
  made.title.focus({ preventScroll: true });
  made.element.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  tellModel(`In the gallery the user started ${generation.id}, ${what} of ${roll.id || "a request that was refused"}.`);
}

/** What the model should know of, where the host takes such news. */
function tellModel(news) {
  if (!host.has("updateModelContext")) return;
  host.request("ui/update-model-context", { content: [{ type: "text", text: news }] }).catch(() => undefined);
}
