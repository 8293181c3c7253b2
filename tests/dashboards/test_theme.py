from dashboards.theme import PALETTE, release_colours, template


def test_releases_keep_their_colours_while_few():
    colours = release_colours(["r1", "r2", "r3"])
    assert list(colours.values()) == list(PALETTE[:3])


def test_past_the_palette_the_oldest_turn_grey():
    releases = [f"r{i}" for i in range(20)]
    colours = release_colours(releases)
    assert colours["r0"] == PALETTE[-1]
    assert len({colours[release] for release in releases[-(len(PALETTE) - 1) :]}) == 7


def test_light_and_dark_differ_in_ink_and_unknown_is_light():
    light, dark = template("light"), template("dark")
    assert light.layout.font.color != dark.layout.font.color
    assert template("sepia").layout.font.color == light.layout.font.color
