"""Every endpoint, asked for by everybody: own row, foreign row, no right, nobody. An endpoint missing here fails."""

from __future__ import annotations

import pytest

from tests.conftest import PEOPLE

pytestmark = pytest.mark.matrix

# What each may do on each screen: R look, C make, U change, D put in the trash, X export. Written down here by hand, apart
# from the product's own table, so that a slip there shows. "-": nothing.
RIGHTS = {
    #                    admin  office    leader  secretary
    "school":           ("R",   "RCUX",   "RX",   "R"),
    "township":         ("R",   "RCUX",   "RX",   "R"),
    "term":             ("-",   "RCUX",   "RX",   "R"),
    "code":             ("-",   "RCUX",   "RX",   "R"),
    "staff":            ("-",   "RCUDX",  "RX",   "RCUDX"),
    "child":            ("-",   "RCUDX",  "RX",   "RCUDX"),
    "parent":           ("-",   "RCUDX",  "RX",   "RCUDX"),
    "parent_status":    ("-",   "RCUDX",  "RX",   "RCUDX"),
    "carer":            ("-",   "RCUDX",  "RX",   "RCUDX"),
    "enrolment":        ("-",   "RX",     "RX",   "RX"),
    "responsibility":   ("-",   "RCUDX",  "RX",   "RCUDX"),
    "contact_card":     ("-",   "RCUDX",  "RX",   "RCUDX"),
    "care_record":      ("-",   "RCUDX",  "RX",   "RCUDX"),
    "state_note":       ("-",   "RCUDX",  "RX",   "RCUDX"),
    "activity":         ("-",   "RCUDX",  "RX",   "RCUDX"),
    "training_session": ("-",   "RCUDX",  "RX",   "RCUDX"),
    "assessment_round": ("-",   "RCUX",   "RX",   "R"),
    "scheme":           ("-",   "RCUX",   "RX",   "R"),
    "indicator":        ("-",   "RCUX",   "RX",   "R"),
    "adjustment":       ("-",   "RCUDX",  "RX",   "RX"),
    "user_account":     ("RCU", "-",      "-",    "-"),
    "audit_entry":      ("R",   "R",      "-",    "-"),
}  # fmt: skip
NO_FORM = {"enrolment", "audit_entry"}
SHARED = {"school", "township", "term", "code", "assessment_round", "scheme", "indicator", "user_account", "audit_entry"}
"""No owner school: whoever may look sees every row."""
FILE_OF_A = {"school": "a", "assessment_round": "round"}

# Pages of their own: (method, address, data) -> what admin, office, leader, secretary of A and of B get; A's rows are asked for.
PAGES = {
    "admin.index": ("GET", "/", {}, (200, 200, 200, 200, 200)),
    "sign_in.password": ("GET", "/password", {}, (200, 200, 200, 200, 200)),
    "sign_in.language": ("POST", "/language", {"locale": "en"}, (302, 302, 302, 302, 302)),
    "sign_in.logout": ("POST", "/logout", {}, (302, 302, 302, 302, 302)),
    "child.reveal": ("POST", "/child/reveal/", {"id": "{child_a}", "reason": "核对"}, (403, 200, 403, 200, 404)),
    "child.confirm": ("POST", "/child/confirm/", {"id": "{child_a}"}, (403, 302, 403, 302, 404)),
    "activity.roster": ("GET", "/activity/roster/?id={activity_a}", {}, (403, 200, 403, 200, 404)),
    "training_session.sign_in": ("GET", "/training_session/sign-in/?id={training_session_a}", {}, (403, 200, 403, 200, 404)),
    "user_account.reset": ("POST", "/user_account/reset/", {"id": "{user_secretary_b}"}, (302, 403, 403, 403, 403)),
    "imports.index": ("GET", "/imports/", {}, (403, 200, 403, 200, 200)),
    "imports.template": ("GET", "/imports/template/", {}, (403, 200, 403, 200, 200)),
    "imports.preview": ("GET", "/imports/preview/?id=999", {}, (403, 404, 403, 404, 404)),
    "imports.save": ("POST", "/imports/save/", {"id": "{import_batch_a}", "drop": "1"}, (403, 302, 403, 302, 404)),
    "assessment.index": ("GET", "/assessment/", {}, (403, 200, 200, 302, 302)),
    "assessment.sheet": ("GET", "/assessment/sheet/?sheet={sheet_a}", {}, (403, 200, 200, 200, 404)),
    "assessment.item": ("GET", "/assessment/item/?sheet={sheet_a}&indicator={indicator}", {}, (403, 200, 200, 200, 404)),
    "assessment.judge": ("POST", "/assessment/judge/", {"sheet": "{sheet_a}"}, (403, 302, 403, 403, 403)),
    "assessment.freeze": ("POST", "/assessment/freeze/", {"round": "{round}"}, (403, 302, 403, 403, 403)),
    "assessment.publish": ("POST", "/assessment/publish/", {"round": "{round}"}, (403, 302, 403, 403, 403)),
    "assessment.export_summary": ("GET", "/assessment/export/", {}, (403, 200, 200, 403, 403)),
    "assessment.export_sheet": ("GET", "/assessment/export-sheet/?sheet={sheet_a}", {}, (403, 200, 200, 200, 404)),
}
OPEN = {"sign_in.login", "status.healthz", "status.readyz", "static"}


def rights(screen, who):
    return RIGHTS[screen][("admin", "office", "leader", "secretary").index(who.split("_")[0])]


def expected(screen, endpoint, who):
    """The answer for A's row of a record screen."""
    mine = rights(screen, who)
    if who == "anonymous":
        return 302
    if "R" not in mine:
        return 403
    foreign = who == "secretary_b" and screen not in SHARED
    match endpoint:
        case "index_view":
            return 200
        case "details_view":
            return 404 if foreign else 200
        case "create_view":
            return (
                403
                if "C" not in mine and screen not in NO_FORM
                else 404
                if screen in NO_FORM and right_to_make(screen, who)
                else 403
                if screen in NO_FORM
                else 200
            )
        case "edit_view":
            return 404 if foreign or screen in NO_FORM else 200 if "U" in mine else 302
        case "edit_view POST":
            return 404 if foreign or screen in NO_FORM else 200 if "U" in mine else 403
        case "delete_view":
            if not right_to_trash(screen, who):
                return 403
            return 404 if foreign or screen in NO_FORM else 302
        case "export":
            return 200 if "X" in mine else 403
        case _:
            return 404


def right_to_make(screen, who):
    """The enrolment has no form, but its resource may be made: the address is simply not there."""
    return screen == "enrolment" and who in ("office", "secretary_a", "secretary_b")


def right_to_trash(screen, who):
    return "D" in rights(screen, who) or (screen == "enrolment" and who in ("office", "secretary_a", "secretary_b"))


def row_of(screen, ids):
    return getattr(ids, FILE_OF_A.get(screen, ""), None) or getattr(ids, f"{screen}_a", 1)


def record_requests(screen, ids):
    row, at = row_of(screen, ids), f"/{screen}"
    return {
        "index_view": ("GET", f"{at}/", {}),
        "details_view": ("GET", f"{at}/details/?id={row}", {}),
        "create_view": ("GET", f"{at}/new/", {}),
        "edit_view": ("GET", f"{at}/edit/?id={row}", {}),
        "edit_view POST": ("POST", f"{at}/edit/?id={row}", {}),
        "delete_view": ("POST", f"{at}/delete/", {"id": row}),
        "action_view": ("POST", f"{at}/action/", {"action": "delete", "rowid": row}),
        "ajax_update": ("POST", f"{at}/ajax/update/", {"list_form_pk": row}),
        "ajax_lookup": ("GET", f"{at}/ajax/lookup/?name=nothing&query=x", {}),
        "export": ("GET", f"{at}/export/xlsx/", {}),
    }


def test_every_endpoint_is_in_the_matrix(app, ids):
    known = OPEN | set(PAGES) | {f"{s}.{name.split()[0]}" for s in RIGHTS for name in record_requests(s, ids)}
    static = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.endswith(".static")}
    assert {rule.endpoint for rule in app.url_map.iter_rules()} - static == known


@pytest.mark.parametrize("who", [*PEOPLE, "anonymous"])
@pytest.mark.parametrize("screen", RIGHTS)
def test_a_record_screen_answers_each_person_as_agreed(screen, who, ids, person):
    browser = person(who)
    got, wanted = {}, {}
    for endpoint, (method, path, data) in record_requests(screen, ids).items():
        answer = browser.get(path) if method == "GET" else browser.post(path, data)
        got[endpoint] = answer.status_code
        wanted[endpoint] = 302 if who == "anonymous" else expected(screen, endpoint, who)
        if who == "anonymous":
            got[endpoint] = answer.status_code if answer.status_code == 302 and answer.location == "/login" else -1
        if answer.status_code in (403, 404):
            assert "丁不漏" not in answer.text and "甲小雨" not in answer.text
    assert got == wanted


@pytest.mark.parametrize("endpoint", PAGES)
def test_a_page_of_its_own_answers_each_person_as_agreed(endpoint, app, ids, person, base):
    method, path, data, wanted = PAGES[endpoint]
    names = vars(ids) | {"indicator": 3}
    path, data = path.format(**names), {k: v.format(**names) for k, v in data.items()}
    got = []
    for who in PEOPLE:
        browser = person(who)
        answer = browser.get(path) if method == "GET" else browser.post(path, data)
        got.append(answer.status_code)
        if method == "POST" and answer.status_code in (200, 302):
            restart(app, base)
    assert tuple(got) == wanted
    nobody = person("anonymous")
    answer = nobody.get(path) if method == "GET" else nobody.post(path, data)
    assert (answer.status_code, answer.location) == (302, "/login")


def restart(app, base):
    from admin_app.db import db

    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    base.template.restore()


@pytest.mark.parametrize("who", ["admin", "office", "leader", "secretary_a"])
def test_a_post_without_its_token_changes_nothing(who, ids, person):
    browser = person(who)
    for screen in RIGHTS:
        for method, path, data in record_requests(screen, ids).values():
            if method == "POST":
                assert browser.client.post(path, data=data).status_code in (400, 403)
