// All rolls: who asks for one, who answers, and what is looked at when.

const rolls = new Map();
const MANY = 4;
let pending; // what is being asked for and has no id yet

/** The roll of this generation, made where it is missing; `first`: above the others. */
function adopt(id, first = false) {
  if (rolls.has(id)) return rolls.get(id);
  const roll = new Roll(id);
  if (id) rolls.set(id, roll);
  $("empty").hidden = true;
  roll.element.classList.toggle("fresh", first);
  $("gallery").classList.toggle("many", rolls.size > MANY);
  $("gallery").insertBefore(roll.element, (first && $("gallery").querySelector(":scope > .roll")) || $("history"));
  return roll;
}

/** The tool is being called: shows what is asked for before there is an answer. */
function asking(args, whole) {
  if (args.action !== undefined) return whole && ledger.want(args);
  if (typeof args.prompt === "string") {
    pending ??= adopt("", true);
    pending.asked = unkeyed(args);
    pending.show(understood({ ...args, status: "queued", progress: { message: "Being asked for." } }));
  } else if (whole) {
    const ids = list(args.generation_ids).filter((id) => typeof id === "string" && !rolls.has(id));
    for (const id of ids.slice(0, 50)) adopt(id).show(understood({ id }));
    beat();
  }
}

/** The tool has answered: one generation, several, or words. */
function answered(result) {
  const answer = structureOf(result);
  if (answer.done !== undefined) return answer.generations && ledger.take(answer);
  const found = (answer.generations ? list(answer.generations) : [answer]).map(understood).filter((one) => one.id);
  // A host that drops the structured half still says which generations there are.
  const named = found.length || result.isError ? [] : wordsOf(result).match(/\bgen_[a-z2-7]{26}\b/g) || [];
  const all = found.length ? found : [...new Set(named)].map((id) => understood({ id }));
  if (!all.length) {
    // Where nothing but this refusal tells of a roll, there may be nothing to follow.
    if (result.isError) rolls.forEach((roll) => roll.generation.provider || roll.end("", "unknown"));
    return refused(result.isError ? refusal(wordsOf(result)) : wordsOf(result) || "The answer is empty.");
  }
  if (pending && !rolls.has(all[0].id)) {
    pending.id = all[0].id;
    rolls.set(pending.id, pending);
  }
  pending = undefined;
  for (const generation of all.slice(0, 50)) {
    const roll = adopt(generation.id);
    const over = roll.generation.id && !roll.running && roll.generation.status !== "unknown";
    const older = over && (generation.status === "queued" || generation.status === "processing");
    if (!older) roll.show(found.length ? generation : { ...generation, prompt: roll.generation.prompt }, result.content);
  }
  beat();
}

function refused(message) {
  if (pending) return pending.end(message);
  $("empty").hidden = false;
  $("empty").textContent = message;
  say(message);
}

function givenUp() {
  pending?.end("The call was cancelled before its answer came. What was started goes on: ask the assistant to list the generations.");
}

/** Once a second: clocks move on, and what is due is looked at. Nothing while nobody can see the page. */
function beat() {
  if (host.ended || document.visibilityState === "hidden") return;
  const running = [...rolls.values(), ...past.values()].filter((roll) => roll.running);
  running.forEach((roll) => roll.tick());
  if (!host.has("serverTools") && !host.has("serverResources")) return;
  const due = running.filter((roll) => !roll.looking && roll.nextLook <= performance.now()).sort((a, b) => a.nextLook - b.nextLook);
  due.slice(0, 3 - Math.min(3, running.filter((roll) => roll.looking).length)).forEach((roll) => roll.look());
}
