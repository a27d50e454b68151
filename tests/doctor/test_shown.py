"""`doctor` as a person sees it, and the same sentences for agents of a server that could not open."""

import re

from tests.cli.test_terminal import on_a_terminal
from tests.doctor.reports import SECRET, noise, pictures_are_a_file
from tests.hosts import Home, connected, darkroom, on_both_databases, refused
from tests.services.betterwaifu import BetterWaifu


@on_both_databases
def test_where_nothing_is_wrong_it_says_so_and_leaves_nothing_behind(home: Home, betterwaifu: BetterWaifu) -> None:
    user = home.with_(betterwaifu)
    done = darkroom(user, "doctor")
    assert (done.status, done.err, done.out.splitlines()[-1]) == (0, "", "Nothing is wrong."), done.out
    assert "the key was tried and is taken; credits left" in done.out
    assert "A picture was saved" in done.out
    assert betterwaifu.key not in done.out
    assert not home.pictures.exists()
    assert betterwaifu.posts == []


def test_on_a_terminal_it_has_colour_and_fits_and_without_colour_says_the_same(home: Home) -> None:
    said: list[str] = []
    for extra in ({"NO_COLOR": "1"}, {}):
        with on_a_terminal(home, "doctor", FATTHUMB_API_KEY="${KEY}", COLUMNS="60", **extra) as terminal:
            status, seen = terminal.end()
        said.append(re.sub(r"\x1b\[[0-9;]*m", "", seen))
        assert status == 1
        assert max(map(len, said[-1].splitlines())) <= 60
        assert ("\x1b[1;31m" in seen) is not bool(extra)
    assert "failure  FATTHUMB_API_KEY counts as not set" in said[0]
    assert [line.split() for line in said[0].splitlines()][:4] == [line.split() for line in said[1].splitlines()][:4]


async def test_a_server_that_could_not_open_tells_an_agent_all_that_is_wrong_here(home: Home) -> None:
    noise(home)
    pictures_are_a_file(home)
    async with connected(Home(home.path, {"FATTHUMB_API_KEY": f'"{SECRET}"'})) as client:
        text = await refused(client, "list_generations")
    assert "Move that file away" in text
    assert "Pictures cannot be saved under" in text
    assert "FATTHUMB_API_KEY counts as not set" in text
    assert "darkroom-mcp doctor" in text
    assert SECRET not in text
