from dashboards.blocks.states import empty, failed, loading, no_data
from tests.dashboards.reading import text


def test_no_data_says_what_to_do():
    shown = text(no_data("No data has arrived yet."))
    assert "No data has arrived yet." in shown
    assert "dynoscope agent run --url" in shown


def test_an_error_is_its_sentence():
    assert text(failed("The time 'x' is not understood.")) == (
        "This could not be answered The time 'x' is not understood."
    )


def test_empty_without_a_hint_is_its_title():
    assert text(empty("Nothing.")) == "Nothing."


def test_loading_is_said_aloud():
    assert "Loading" in text(loading(100))
