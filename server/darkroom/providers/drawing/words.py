"""Words of a prompt, and what single English words among them ask to see."""

import re
from dataclasses import dataclass, replace

_READ_AT_MOST = 2_000


@dataclass(frozen=True)
class Idea:
    """The things that were found in a prompt, or that a single word means; a field without one is empty."""

    place: str = ""
    """One or several, of which any will do."""
    light: str = ""
    weather: str = ""
    figure: str = ""
    """A motif's name, or the character of the symbol font that shows it."""
    manner: str = ""
    """The manner in which the figure is there: it stands, flies, swims, sails or lies on a table."""
    home: str = ""
    """The place where it is shown unless the prompt has one."""


_SETTINGS = """
place sea: sea ocean beach coast shore island harbour harbor bay wave lagoon port pier sailing surf
place city: city town street skyline skyscraper downtown urban tokyo york london paris neon cyberpunk rooftop office
place forest: forest wood woodland jungle tree pine grove fairytale
place hills: mountain hill valley alps peak cliff volcano landscape summit countryside canyon
place desert: desert dune sahara oasis sand egypt pyramid mars
place space: space planet galaxy universe cosmos cosmic nebula orbit astronaut saturn alien asteroid comet
place garden: garden flower meadow blossom bloom rose tulip daisy sunflower poppy bouquet field orchard park
place table: table kitchen food meal breakfast lunch dinner desk bakery cafe restaurant room interior
place road: road highway motorway street journey route traffic
place lake: lake river pond aurora northern fjord reflection waterfall
place deep: underwater reef coral aquarium seabed diver
place portrait: portrait headshot face selfie avatar character
home portrait: woman man girl boy lady person queen king hero wizard warrior princess prince knight soldier singer
home desert: cactus cowboy
light night: night midnight moon moonlit moonlight star starry dark aurora lamplight nocturnal neon
light sunset: sunset dusk dawn sunrise warm golden twilight evening fire
light storm: storm stormy rain rainy thunder lightning fog foggy mist misty gloomy cloudy
light winter: winter snow snowy ice icy frost frozen christmas cold arctic blizzard snowfall
light autumn: autumn fall harvest october leaf leaves maple halloween
light spring: spring blossom pastel cherry easter april
light day: day noon summer sunny bright morning sunlight sunshine daylight
weather rain: rain rainy storm stormy thunder lightning thunderstorm downpour drizzle
weather snow: snow snowy snowfall blizzard christmas
weather fog: fog foggy mist misty haze hazy
"""
_FIGURES = """
stands, sea: lighthouse = lighthouse beacon; 🐧 = penguin; 🦀 = crab; 🐢 = turtle tortoise; 🦆 = duck goose
stands, hills lake: house = house home cottage cabin hut barn farm farmhouse; 🐎 = horse pony stallion mare; 🐄 = cow
stands, hills lake: 🐑 = sheep lamb; 🐐 = goat; 🏰 = castle palace fortress; 🏯 = pagoda samurai; 🐂 = bull ox
stands, hills lake: ⛩ = shrine torii temple; ⛪ = church chapel; 🚲 = bicycle bike cyclist; 🚂 = train locomotive
stands, forest hills: fox = fox vixen wolf coyote; 🐕 = dog puppy hound; 🦉 = owl; 🐇 = rabbit bunny hare
stands, forest hills: 🐿 = squirrel chipmunk; 🍄 = mushroom; 🐌 = snail; 🐉 = dragon; 🐖 = pig boar; 🐁 = mouse
stands, city: cat = cat kitten kitty; 🤖 = robot android; 🎡 = ferris carnival; 🎸 = guitar
stands, desert: 🐪 = camel caravan; 🐘 = elephant; 🐅 = tiger; 🐆 = leopard cheetah; 🐍 = snake; 🌴 = palm; 🐒 = monkey
stands, road: 🚗 = car automobile taxi; 🚌 = bus; 🏍 = motorcycle motorbike; 🚜 = tractor
flies, hills lake sea: 🐦 = bird sparrow robin finch; 🦅 = eagle hawk raven crow; balloon = balloon; 🚁 = helicopter
flies, garden: 🦋 = butterfly moth; 🐝 = bee bumblebee; 🐞 = ladybug ladybird
flies, space: 🚀 = rocket spaceship spacecraft starship; 🛸 = ufo saucer
flies, forest: 🦇 = bat vampire
sails, sea: boat = boat sailboat yacht sail; 🚢 = ship steamer ferry
swims, deep: 🐟 = fish tuna salmon; 🐠 = goldfish; 🐋 = whale orca; 🐬 = dolphin; 🦈 = shark; 🐙 = octopus squid
lies, table: 🍎 = apple fruit; 🎂 = cake birthday; 🍔 = burger; 🍕 = pizza; 🍰 = pie pastry dessert; 🍷 = wine
lies, table: 📚 = book library; 🎻 = violin; 🎁 = gift present; 💀 = skull; 👑 = crown; 🕯 = candle
"""


def _known() -> dict[str, Idea]:
    rows: list[tuple[dict[str, str], str]] = []
    for row in _SETTINGS.strip().splitlines():
        field, value, words = re.split(":? ", row, maxsplit=2)
        rows.append(({field: value}, words))
    for row in _FIGURES.strip().splitlines():
        manner, home, entries = re.split("[,:] ", row, maxsplit=2)
        for figure, words in (entry.split(" = ") for entry in entries.split("; ")):
            rows.append(({"figure": figure, "manner": manner, "home": home}, words))
    known: dict[str, Idea] = {}
    for meaning, words in rows:
        known |= {word: replace(known.get(word, Idea()), **meaning) for word in words.split()}
    return known


KNOWN = _known()
"""The meaning of each word by itself."""


def understood(prompt: str) -> Idea:
    """The idea that a prompt's words give, the earlier of two that contradict each other."""
    ideas: list[Idea] = []
    for word in re.findall("[a-z]+", prompt[:_READ_AT_MOST].casefold()):
        forms = (word, word.removesuffix("s"), word.removesuffix("es"))
        ideas += [KNOWN[form] for form in forms if form in KNOWN][:1]

    def first(field: str) -> str:
        return next((value for idea in ideas if (value := getattr(idea, field))), "")

    figure = next((idea for idea in ideas if idea.figure), Idea(home=first("home")))
    place = first("place") or figure.home
    # Snow at night is dark: a word that is only about the light knows it better than a word for the weather.
    light = next((idea.light for idea in ideas if idea.light and not idea.weather), first("light"))
    return Idea(place, light, first("weather"), figure.figure, figure.manner)
