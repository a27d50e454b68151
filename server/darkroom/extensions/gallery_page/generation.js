// A generation as this page needs it, whatever came.

const USUAL_RATIO = { betterwaifu: 832 / 1216 };
const STATES = {
  queued: "In the queue", processing: "Developing", succeeded: "Done",
  partial: "Partly done", failed: "Failed", cancelled: "Cancelled", deleted: "Deleted", unknown: "Not known",
};
const CHARGED = { no: "It was not charged.", yes: "It was charged.", maybe: "It may have been charged." };

/** A generation as this page needs it, whatever came. */
function understood(raw) {
  const it = object(raw);
  const progress = object(it.progress);
  return {
    id: text(it.id, 100), provider: text(it.provider, 60), model: text(it.model, 120), prompt: text(it.prompt),
    count: Math.min(Math.max(number(it.count) || 1, 1), 16), seed: number(it.seed),
    status: it.status in STATES ? it.status : "processing",
    message: messageOf(progress, text(it.provider, 60)), position: number(progress.queue_position),
    elapsed: number(progress.elapsed_s) || 0, expected: number(progress.expected_s),
    images: list(it.images).map(object).filter((image) => Number.isInteger(image.index)).slice(0, 16).map(understoodImage),
    error: it.error && understoodError(it.error), created: text(it.created_at, 40), cost: costOf(object(it.cost)),
  };
}

/** What it cost, or will by the price list; "" where that is not known. */
function costOf({ amount, unit }) {
  return amount >= 0 && text(unit) ? `${Number(amount.toPrecision(6))} ${text(unit, 30)}` : "";
}

/** The sentence without the times and the place that the page shows itself. */
function messageOf(progress, provider) {
  const short = Object.hasOwn(IN_SHORT, text(progress.state)) && IN_SHORT[progress.state].replace("{title}", titleOf(provider));
  return short ? `${short}. ${text(progress.trouble, 400)}`.trim() : text(progress.message, 600);
}

function understoodImage(it) {
  const known = it.width > 0 && it.height > 0;
  return {
    index: it.index, status: text(it.status) || "processing", path: text(it.path, 4000), uri: text(it.uri, 4000), url: text(it.url, 4000),
    type: text(it.mime_type, 40), width: known ? it.width : undefined, ratio: known ? it.width / it.height : undefined,
    size: known ? `${it.width} × ${it.height}` : "", bytes: number(it.bytes),
    watermarked: it.watermarked === true, hidden: it.hidden === true, favourite: it.favourite === true, error: it.error && understoodError(it.error),
  };
}

function understoodError(it) {
  return { code: text(it.code, 60), message: text(it.message, 600), charged: CHARGED[it.charged] || "", next: text(it.next_step, 400) };
}

const isLost = ({ error }) => error?.code === "outcome_unknown";
/** Its state in a few words. Where the answer of the service was lost, "failed" would claim to know what came of it. */
const stateOf = (generation) => (isLost(generation) ? "Outcome unknown" : STATES[generation.status]);
const isHere = (image) => image.status === "succeeded";
const isFetchable = (image) => image.status === "failed" && !image.hidden && WORTH_ANOTHER_TRY.includes(image.error?.code);
const titleOf = (provider) => PROVIDERS[provider]?.title || provider || "the provider";

function ratioOf(aspect) {
  const found = /^(\d{1,4}):(\d{1,4})$/.exec(text(aspect));
  return found && found[1] / found[2];
}
