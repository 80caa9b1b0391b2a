"""Parts that live in the browser: progress that stops by itself, charts under the strict policy."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from playwright.sync_api import Route, expect

from tests import make

from .conftest import CheckPage, PageOf

pytestmark = [pytest.mark.django_db(transaction=True)]
PROGRESS = Template(
    "{% load ui %}{% progress url='/probe' step=step number=n total=3 share=share done=done %}"
)
CHART = Template("{% load ui %}{% chart id='pr' data=data label='Precision against recall' %}")
DATA = {
    "kind": "line",
    "x": {"name": "recall", "format": "percent", "min": 0, "max": 1},
    "y": {"name": "precision", "format": "percent", "min": 0, "max": 1},
    "series": [
        {"name": "alone", "points": [[i / 20, 1 - i / 30] for i in range(21)]},
        {"name": "consortium", "points": [[i / 20, 1 - i / 50] for i in range(21)]},
    ],
    "marks": [{"x": 0.5, "name": "threshold"}],
}


def put_into(page, markup: str) -> None:
    page.evaluate(
        "markup => { const main = document.querySelector('main .container-xl');"
        " main.innerHTML = '<h1>Probe</h1>' + markup; htmx.process(main); }",
        markup,
    )


def test_progress_is_polled_until_it_is_done_and_no_longer(page_of: PageOf, check_page: CheckPage):
    make.person("haru")
    page = page_of("haru")
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.headers.get("hx-request"))
        done = len(asked) == 2
        step = "Finished" if done else "Learning"
        body = PROGRESS.render(Context({"step": step, "n": 2, "share": 0.5, "done": done}))
        route.fulfill(status=200, content_type="text/html", body=body)

    page.route("**/probe", answer)
    page.goto("/profile/")
    put_into(page, PROGRESS.render(Context({"step": "Waiting", "n": 1, "share": None})))
    expect(page.get_by_role("status").filter(has_text="Waiting")).to_be_visible()
    page.locator("#progress-work").evaluate("element => { element.dataset.probe = 'same'; }")
    expect(page.get_by_text("Finished")).to_be_visible(timeout=15_000)
    page.wait_for_timeout(5_000)
    assert asked == ["true", "true"]
    check_page(page, "component-progress")


def test_a_chart_is_drawn_under_the_policy(page_of: PageOf, check_page: CheckPage) -> None:
    make.person("haru")
    for scheme in ("light", "dark"):
        page = page_of("haru", scheme=scheme)
        page.goto("/profile/")
        put_into(page, CHART.render(Context({"data": DATA})))
        for script in ("vendor/echarts/echarts.common.min.js", "js/charts.js"):
            page.add_script_tag(url=f"/static/{script}")
        expect(page.locator("#pr svg")).to_be_visible()
        page.locator("#pr").hover()
        check_page(page, f"component-chart-{scheme}")
        page.locator("summary", has_text="The same as a table").click()
        expect(page.get_by_role("cell", name="consortium").first).to_be_visible()
        changed = {**DATA, "series": DATA["series"][:1]}
        page.evaluate("data => charts.update('pr', data)", changed)
        expect(page.locator("#pr svg text", has_text="consortium")).to_have_count(0)
