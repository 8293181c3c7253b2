from dashboards.blocks import frame
from dashboards.pages import hosts
from tests.dashboards import seeds
from tests.dashboards.reading import answer, text


def test_hosts_are_those_of_the_read_api(pages):
    values = {frame.QUERY: pages.query("/hosts", start="-1h")}
    seen = text(answer(pages.app, pages.client, hosts.TABLE, **values)[f"{hosts.TABLE}.children"])
    asked = pages.client.get(f"/v1/hosts?service={seeds.SERVICE}&from=-1h").get_json()["data"]
    assert [row["host"] for row in asked] == list(seeds.HOSTS)
    for row in asked:
        assert f"{row['host']} " in seen
        assert f"{row['requests']:,}" in seen
        assert f"{row['samples']:,}" in seen
