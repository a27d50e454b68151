// Pictures that a person likes best, and those that a person is done with.

/** A switch that marks the picture, wherever it is shown. */
function favouring({ roll, index, image }, note) {
  const title = "Marks it, to be found again among the favourites; prune spares it.";
  const made = tool("star", "Favourite", `Favourite, picture ${index}`, title, async () => {
    const on = made.getAttribute("aria-pressed") !== "true";
    try {
      await host.call("gallery", { generation_id: roll.id, index, action: on ? "favourite" : "no_favourite" });
    } catch (error) {
      return note(error.message);
    }
    note("");
    const same = everyFrame().filter((frame) => frame.roll.id === roll.id && frame.index === index);
    for (const frame of same) {
      frame.image.favourite = on;
      frame.update();
    }
    made.setAttribute("aria-pressed", String(on));
  });
  made.classList.add("favouring");
  made.setAttribute("aria-pressed", String(image.favourite));
  return made;
}

/** Deletes on the second press: this picture, or where it is the only one, or none is named, all of the generation. */
function deleting(roll, index, note) {
  const saved = () => roll.generation.images.filter(isHere).length;
  const number = saved();
  const what = index ? `picture ${index}` : number ? `all ${number} pictures` : "this generation";
  const ask = number && !index ? `Move ${what} to the trash?` : "Delete it?"; // as long as its label: the button stays under the pointer
  const name = index ? `Delete picture ${index}` : "Delete";
  const title = `${number ? `Moves ${what} to the trash of the machine` : "Takes it out of the history"}; asks once more first.`;
  return careful({
    picture: "bin", label: "Delete", name, title, note, ask, asked: `${ask} ${index ? "It goes to the trash. " : ""}Press again to confirm`,
    warning: `Press again to delete ${what}.`, busy: "Deleting…", act: () => discard(roll, saved() > 1 ? index : undefined),
  });
}

/** What the server does only for who has seen what it told this page, and no model. */
async function discard(roll, index) {
  const wish = { picture: index ? `${roll.id}/${index}` : roll.id };
  const token = text(object((await host.call("gallery_delete", wish))._meta)[ASKED_BY_PAGE], 100);
  const { done, generation } = structureOf(await host.call("gallery_delete", { ...wish, token }));
  const said = text(done, 600);
  lightbox.close();
  const left = generation && understood(generation);
  const same = [rolls.get(roll.id), past.get(roll.id), roll].filter(Boolean);
  for (const each of new Set(same)) {
    if (left) each.show(left);
    else each.gone(said);
  }
  if (left) roll.note(said);
  roll.title.focus({ preventScroll: true });
  tellModel(`In the gallery the user deleted ${index ? `picture ${index} of ${roll.id}` : roll.id}: it is in the trash.`);
}
