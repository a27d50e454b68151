"""`completion SHELL`: a script by which a shell completes the words of the command line, made of the parser's own."""

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "darkroom-mcp"


class _Place(NamedTuple):
    """A command, or the place before any: its words on the command line, its parser, and what may come next."""

    path: tuple[str, ...]
    parser: argparse.ArgumentParser

    @property
    def below(self) -> dict[str, argparse.ArgumentParser]:
        """The commands that may come next, by name."""
        return {name: each for action in _actions(self.parser) for name, each in _parsers(action.choices)}

    @property
    def options(self) -> list[str]:
        """Its options in their long forms."""
        return [word for action in _actions(self.parser) for word in action.option_strings if word.startswith("--")]

    @property
    def values(self) -> dict[str, str]:
        """The words that an option takes, of those that take no others."""
        found = (action for action in _actions(self.parser) if action.choices is not None and action.option_strings)
        return {action.option_strings[-1]: " ".join(_plain(action.choices)) for action in found}

    @property
    def free(self) -> list[str]:
        """The words that may come next without an option before them."""
        free = (action.choices for action in _actions(self.parser) if not action.option_strings)
        return [word for choices in free for word in _plain(choices or ())]

    @property
    def takes(self) -> list[str]:
        """Its options that take a value."""
        return [
            action.option_strings[-1] for action in _actions(self.parser) if action.option_strings and action.nargs != 0
        ]

    @property
    def name(self) -> str:
        """Its words, with spaces between them."""
        return " ".join(self.path)


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for this shell, one of `SHELLS`."""
    places = list(_places((), parser))
    return _fish(places) if shell == "fish" else _bash(places, zsh=shell == "zsh")


def _places(path: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[_Place]:
    place = _Place(path, parser)
    yield place
    for name, below in place.below.items():
        yield from _places((*path, name), below)


def _actions(parser: argparse.ArgumentParser) -> Iterable[Any]:
    # argparse has no public way to its own words.
    return parser._actions  # pyright: ignore[reportPrivateUsage]


def _parsers(choices: Any) -> Iterable[tuple[str, argparse.ArgumentParser]]:
    return cast("dict[str, argparse.ArgumentParser]", choices).items() if isinstance(choices, dict) else ()


def _plain(words: Iterable[object]) -> list[str]:
    """Those in which no shell sees anything else: a provider's name may come from a file."""
    return [str(word) for word in words if re.fullmatch(r"[\w.-]+", str(word))]


def _bash(places: list[_Place], *, zsh: bool) -> str:
    """For bash, which zsh runs as well."""
    taken = [{**dict.fromkeys(place.takes, ""), **place.values} for place in places]
    values = [
        _case(f"{place.name} {option}", words)
        for place, found in zip(places, taken, strict=True)
        for option, words in found.items()
    ]
    words = [_case(place.name, " ".join([*place.free, *place.options])) for place in places]
    return _BASH.format(
        start=_ZSH if zsh else "", paths="|".join(_paths(places)), values="\n".join(values), words="\n".join(words)
    )


_ZSH = """(( $+functions[compdef] )) || { autoload -U compinit && compinit -i; }
autoload -U +X bashcompinit && bashcompinit
"""

_BASH = f"""{{start}}_darkroom_mcp() {{{{
  local at='' next i words='' word=${{{{COMP_WORDS[COMP_CWORD]}}}} before=${{{{COMP_WORDS[COMP_CWORD - 1]}}}}
  if [ "$word" = = ]; then
    word=''
  elif [ "$before" = = ]; then
    before=${{{{COMP_WORDS[COMP_CWORD - 2]}}}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=${{{{at:+$at }}}}${{{{COMP_WORDS[i]}}}}
    case $next in {{paths}}) at=$next ;; esac
  done
  case "$at $before" in
{{values}}
  *) case $at in
{{words}}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}}}
complete -o default -F _darkroom_mcp {PROGRAM}
"""


def _case(pattern: str, words: str) -> str:
    return f"    {shlex.quote(pattern)}) words={shlex.quote(words)} ;;"


def _paths(places: Iterable[_Place]) -> Iterator[str]:
    return (shlex.quote(place.name) for place in places if place.path)


def _fish(places: list[_Place]) -> str:
    lines = [line for place in places for line in _fish_lines(place)]
    return _FISH.format(paths=" ".join(_paths(places)), lines="\n".join(lines))


_FISH = """function __darkroom_mcp_at
  set -l at
  for word in (commandline -opc)[2..]
    contains -- (string join -- ' ' $at $word) {paths}
    and set -a at $word
  end
  test "$at" = "$argv"
end
{lines}
"""


def _fish_lines(place: _Place) -> Iterator[str]:
    here = f"complete -c {PROGRAM} -n {shlex.quote(f'__darkroom_mcp_at {place.name}'.strip())}"
    if place.free:
        yield f"{here} -f -a {shlex.quote(' '.join(place.free))}"
    for option in place.options:
        given = f" -x -a {shlex.quote(place.values[option])}" if option in place.values else ""
        yield f"{here} -l {option[2:]}{given or (' -r' if option in place.takes else '')}"
