"""Every endpoint, asked for by everybody: own row, foreign row, no right, nobody. An endpoint missing here fails."""

from __future__ import annotations

import pytest

from tests.conftest import PEOPLE

pytestmark = pytest.mark.matrix

# What each may do on each screen: R look, C make, U change, D put in the trash, X export. Written down here by hand, apart
# from the product's own table, so that a slip there shows. "-": nothing.
RIGHTS = {
    #                    admin  office    leader  secretary principal counsellor
    "school":           ("R"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "township":         ("R"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "term":             ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "code":             ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "holiday":          ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "workday":          ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "census_round":     ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "staff":            ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "child":            ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "parent":           ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "parent_status":    ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "carer":            ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "enrolment":        ("-"  , "RX"    , "RX" , "RX"    , "R"  , "R"   ),
    "responsibility":   ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "contact_card":     ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "agreement":        ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "child_category":   ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "transfer":         ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "R"   ),
    "care_record":      ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "state_note":       ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "flag":             ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "help_plan":        ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "letter":           ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "pairing":          ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "evaluation":       ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "holiday_handover": ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "dropout_case":     ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "dropout_step":     ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "subsidy":          ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "RCU" ),
    "counselling":      ("-"  , "-"     , "-"  , "R"     , "R"  , "RCUD"),
    "mandatory_report": ("-"  , "RCU"   , "-"  , "RCU"   , "RCU", "-"   ),
    "opinion":          ("-"  , "RCU"   , "-"  , "RCU"   , "RCU", "-"   ),
    "activity":         ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "training_session": ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "facility":         ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "post":             ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "paper":            ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "evening_slot":     ("-"  , "RCUDX" , "RX" , "RCUDX" , "R"  , "-"   ),
    "census_return":    ("-"  , "RCUDX" , "RX" , "RX"    , "R"  , "-"   ),
    "batch":            ("-"  , "RX"    , "RX" , "RX"    , "R"  , "-"   ),
    "notice":           ("-"  , "RCUDX" , "RX" , "R"     , "R"  , "R"   ),
    "assessment_round": ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "scheme":           ("-"  , "RCUX"  , "RX" , "R"     , "R"  , "R"   ),
    "indicator":        ("-"  , "RX"    , "RX" , "R"     , "R"  , "R"   ),
    "adjustment":       ("-"  , "RCUDX" , "RX" , "RX"    , "RX" , "-"   ),
    "inspection":       ("-"  , "RCUDX" , "RX" , "RX"    , "RX" , "-"   ),
    "evidence":         ("-"  , "RX"    , "RX" , "RCUDX" , "RX" , "-"   ),
    "appeal":           ("-"  , "RX"    , "RX" , "RCUDX" , "RX" , "-"   ),
    "user_account":     ("RCU", "-"     , "-"  , "-"     , "-"  , "-"   ),
    "audit_entry":      ("R"  , "R"     , "-"  , "-"     , "-"  , "-"   ),
}  # fmt: skip
NO_FORM = {"enrolment", "audit_entry", "batch", "indicator"}
NEVER_DELETED = {"term", "code", "holiday", "workday", "census_round", "assessment_round", "scheme", "indicator"}
"""The office may take an indicator out of a draft, in the editor; at these screens there is no trash to put a row in."""
SHARED = {"school", "township", "term", "code", "holiday", "workday", "census_round", "notice", "assessment_round", "scheme", "indicator",
          "user_account", "audit_entry"}  # fmt: skip
"""No owner school: whoever may look sees every row."""
FILE_OF_A = {"scheme": "draft_scheme", "school": "a", "assessment_round": "round", "notice": "notice"}

# Pages of their own: (method, address, data) -> what admin, office, leader, secretaries of A and B, principal and counsellor of A
# get; A's rows are asked for.
PAGES = {
    "admin.index": ("GET", "/", {}, (200, 200, 200, 200, 200, 200, 200)),
    "sign_in.password": ("GET", "/password", {}, (200, 200, 200, 200, 200, 200, 200)),
    "sign_in.one_time_code": ("GET", "/one-time-code", {}, (200, 200, 200, 200, 200, 200, 200)),
    "sign_in.language": ("POST", "/language", {"locale": "en"}, (302, 302, 302, 302, 302, 302, 302)),
    "sign_in.logout": ("POST", "/logout", {}, (302, 302, 302, 302, 302, 302, 302)),
    "child.reveal": ("POST", "/child/reveal/", {"id": "{child_a}", "reason": "核对"}, (403, 200, 403, 200, 404, 403, 403)),
    "child.ledger": ("GET", "/child/ledger/", {}, (403, 200, 200, 200, 200, 403, 403)),
    "child.paper": ("GET", "/child/paper/?id={child_a}", {}, (403, 200, 200, 200, 404, 200, 200)),
    "child.papers": ("GET", "/child/papers/", {}, (403, 200, 200, 200, 200, 403, 403)),
    "agreement.paper": ("GET", "/agreement/paper/?id={agreement_a}", {}, (403, 200, 200, 200, 404, 200, 200)),
    "activity.sheet": ("GET", "/activity/sheet/?id={activity_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "training_session.sheet": ("GET", "/training_session/sheet/?id={training_session_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "child.keep_ledger": ("POST", "/child/ledger/keep/", {}, (403, 302, 403, 302, 302, 403, 403)),
    "child.confirm": ("POST", "/child/confirm/", {"id": "{child_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "activity.roster": ("GET", "/activity/roster/?id={activity_a}", {}, (403, 200, 403, 200, 404, 403, 403)),
    "training_session.sign_in": (
        "GET",
        "/training_session/sign-in/?id={training_session_a}",
        {},
        (403, 200, 403, 200, 404, 403, 403),
    ),
    "user_account.reset": ("POST", "/user_account/reset/", {"id": "{user_secretary_b}"}, (302, 403, 403, 403, 403, 403, 403)),
    "user_account.unlock": ("POST", "/user_account/unlock/", {"id": "{user_secretary_b}"}, (302, 403, 403, 403, 403, 403, 403)),
    "user_account.remove_codes": (
        "POST",
        "/user_account/remove-codes/",
        {"id": "{user_secretary_b}"},
        (302, 403, 403, 403, 403, 403, 403),
    ),
    "imports.index": ("GET", "/imports/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "imports.template": ("GET", "/imports/template/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "imports.offline": ("GET", "/imports/offline/?school={a}", {}, (403, 200, 403, 200, 404, 403, 403)),
    "imports.term": ("GET", "/imports/term/?school={a}&term=1", {}, (403, 200, 403, 200, 404, 403, 403)),
    "imports.done": ("GET", "/imports/done/?id=999", {}, (403, 404, 403, 404, 404, 403, 403)),
    "imports.preview": ("GET", "/imports/preview/?id=999", {}, (403, 404, 403, 404, 404, 403, 403)),
    "imports.columns": ("GET", "/imports/columns/?id=999", {}, (403, 404, 403, 404, 404, 403, 403)),
    "imports.marked": ("GET", "/imports/marked/?id=999", {}, (403, 404, 403, 404, 404, 403, 403)),
    "imports.save": ("POST", "/imports/save/", {"id": "{import_batch_a}", "drop": "1"}, (403, 302, 403, 302, 404, 403, 403)),
    "assessment.index": ("GET", "/assessment/", {}, (403, 200, 200, 302, 302, 302, 403)),
    "assessment.sheet": ("GET", "/assessment/sheet/?sheet={sheet_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "assessment.item": ("GET", "/assessment/item/?sheet={sheet_a}&indicator={indicator}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "assessment.judge": ("POST", "/assessment/judge/", {"sheet": "{sheet_a}"}, (403, 302, 403, 403, 403, 403, 403)),
    "assessment.move": ("POST", "/assessment/move/", {"round": "{round}", "to": "check"}, (403, 200, 403, 403, 403, 403, 403)),
    "assessment.settle": ("POST", "/assessment/settle/", {"round": "{round}"}, (403, 403, 200, 403, 403, 403, 403)),
    "assessment.veto": (
        "POST",
        "/assessment/veto/",
        {"round": "{round}", "id": "{adjustment_a}"},
        (403, 403, 200, 403, 403, 403, 403),
    ),
    "assessment.result": ("GET", "/assessment/result/?round={shown_round}", {}, (403, 200, 200, 200, 200, 200, 403)),
    "assessment.differences": ("GET", "/assessment/differences/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "assessment.assess_self": ("POST", "/assessment/self/", {"sheet": "{sheet_a}"}, (403, 403, 403, 302, 404, 403, 403)),
    "assessment.confirm": ("POST", "/assessment/confirm/", {"sheet": "{sheet_a}"}, (403, 403, 403, 403, 403, 302, 403)),
    "assessment.send_back": ("POST", "/assessment/send-back/", {"sheet": "{sheet_a}"}, (403, 302, 403, 403, 403, 403, 403)),
    "inspection.draw": ("POST", "/inspection/draw/", {"id": "{inspection_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "inspection.findings": ("POST", "/inspection/findings/", {"id": "{inspection_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "inspection.paper": ("GET", "/inspection/paper/?id={inspection_a}", {}, (403, 200, 403, 403, 403, 403, 403)),
    "appeal.answer": ("POST", "/appeal/answer/", {"id": "{appeal_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "report.standings": ("GET", "/report/standings/?kind=dropouts", {}, (403, 200, 200, 200, 200, 200, 403)),
    "report.index": ("GET", "/report/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "report.show": ("GET", "/report/show/?kind=county", {}, (403, 200, 200, 200, 200, 200, 403)),
    "report.names": ("GET", "/report/names/?kind=county&row=total&column=children", {}, (403, 200, 200, 200, 200, 200, 403)),
    "report.export": ("GET", "/report/export/?kind=civil_affairs", {}, (403, 200, 200, 200, 200, 403, 403)),
    "report.keep": ("POST", "/report/keep/", {"kind": "county"}, (403, 302, 403, 302, 302, 403, 403)),
    "report.kept": ("GET", "/report/kept/?id={report_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "report.hand_in": ("POST", "/report/hand-in/", {"id": "{report_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "matching.index": ("GET", "/matching/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "matching.compare": ("POST", "/matching/compare/", {"on": "2026-01-01"}, (403, 302, 403, 403, 403, 403, 403)),
    "matching.show": ("GET", "/matching/show/?id=999", {}, (403, 404, 404, 403, 403, 403, 403)),
    "matching.explain": ("POST", "/matching/explain/", {"id": "999"}, (403, 404, 403, 403, 403, 403, 403)),
    "matching.export": ("GET", "/matching/export/?id=999", {}, (403, 404, 404, 403, 403, 403, 403)),
    "full_export.index": ("GET", "/full_export/", {}, (403, 200, 200, 200, 200, 403, 403)),
    "full_export.ask": ("GET", "/full_export/ask/?address=/child/ledger/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "full_export.decide": ("POST", "/full_export/decide/", {"id": "999"}, (403, 403, 404, 403, 403, 403, 403)),
    "session.index": ("GET", "/session/", {}, (200, 200, 200, 200, 200, 200, 200)),
    "session.permissions": ("GET", "/session/permissions/", {}, (200, 200, 200, 200, 200, 200, 200)),
    "privacy.index": ("GET", "/privacy/", {}, (200, 200, 200, 200, 200, 200, 200)),
    "privacy.inventory": ("GET", "/privacy/inventory/", {}, (200, 200, 200, 200, 200, 200, 200)),
    "session.end": ("POST", "/session/end/", {"id": "99999"}, (404, 404, 404, 404, 404, 404, 404)),
    "snapshot.index": ("GET", "/snapshot/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "snapshot.take": ("POST", "/snapshot/take/", {}, (403, 302, 403, 403, 403, 403, 403)),
    "assessment.anomalies": ("GET", "/assessment/anomalies/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "assessment.export_summary": ("GET", "/assessment/export/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "assessment.export_sheet": ("GET", "/assessment/export-sheet/?sheet={sheet_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "scheme.editor": ("GET", "/scheme/editor/?id={draft_scheme}", {}, (403, 200, 302, 302, 302, 302, 302)),
    "scheme.compare": ("GET", "/scheme/compare/?id={draft_scheme}&old=1", {}, (403, 200, 200, 200, 200, 200, 200)),
    "scheme.remove": ("POST", "/scheme/remove/", {"id": "1"}, (403, 403, 403, 403, 403, 403, 403)),
    "scheme.clone": ("POST", "/scheme/clone/", {"id": "1"}, (403, 302, 403, 403, 403, 403, 403)),
    "scheme.submit": ("POST", "/scheme/submit/", {"id": "{draft_scheme}"}, (403, 302, 403, 403, 403, 403, 403)),
    "scheme.take_back": ("POST", "/scheme/take-back/", {"id": "{draft_scheme}"}, (403, 302, 403, 403, 403, 403, 403)),
    "scheme.lock": ("POST", "/scheme/lock/", {"id": "{draft_scheme}"}, (403, 302, 403, 403, 403, 403, 403)),
    "scheme.decide": ("POST", "/scheme/decide/", {"id": "{draft_scheme}"}, (403, 403, 302, 403, 403, 403, 403)),
    "assessment.export_all": ("GET", "/assessment/export-all/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "assessment.export_publicity": ("GET", "/assessment/export-publicity/", {}, (403, 200, 200, 403, 403, 403, 403)),
    "assessment.export_self_form": (
        "GET",
        "/assessment/export-self-form/?sheet={sheet_a}",
        {},
        (403, 200, 200, 200, 404, 200, 403),
    ),
    "gaps.index": ("GET", "/gaps/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "evening_slot.night": ("GET", "/evening_slot/night/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "notice.send": ("POST", "/notice/send/", {"id": "{notice}"}, (403, 302, 403, 403, 403, 403, 403)),
    "notice.chase": ("POST", "/notice/chase/", {}, (403, 302, 403, 403, 403, 403, 403)),
    "staff_handover.index": ("GET", "/staff_handover/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "staff_handover.of": ("GET", "/staff_handover/of/?staff={staff_a}", {}, (403, 200, 200, 200, 302, 200, 403)),
    "staff_handover.save": ("POST", "/staff_handover/save/", {"staff": "{staff_a}"}, (403, 302, 403, 302, 403, 403, 403)),
    "staff_handover.paper": ("GET", "/staff_handover/paper/?staff={staff_a}", {}, (403, 200, 200, 200, 302, 200, 403)),
    "cards.index": ("GET", "/cards/?child={child_a}", {}, (403, 200, 403, 200, 200, 403, 403)),
    "cards.issue": ("POST", "/cards/issue/", {"id": "{child_a}"}, (403, 302, 403, 302, 302, 403, 403)),
    "transfer.accept": ("POST", "/transfer/accept/", {"id": "{transfer_b}"}, (403, 302, 403, 302, 403, 403, 403)),
    "transfer.send_back": ("POST", "/transfer/back/", {"id": "{transfer_b}"}, (403, 302, 403, 302, 403, 403, 403)),
    "transfer.release": ("POST", "/transfer/release/", {"id": "{transfer_b}"}, (403, 403, 403, 403, 403, 403, 403)),
    "transfer.leave_county": ("POST", "/transfer/leave-county/", {"id": "{transfer_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "transfer.paper": ("GET", "/transfer/paper/?id={transfer_a}", {}, (403, 200, 200, 200, 404, 200, 200)),
    "transfer.ask": ("GET", "/transfer/ask/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "transfer.school_class": ("GET", "/transfer/class/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "rollover.index": ("GET", "/rollover/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "rollover.roll": ("POST", "/rollover/roll/", {}, (403, 403, 403, 302, 302, 403, 403)),
    "rollover.leave": ("POST", "/rollover/leave/", {"id": "{child_a}", "reason": "suspended"}, (403, 302, 403, 302, 404, 403, 403)),
    "rollover.come_back": ("POST", "/rollover/come-back/", {"id": "{child_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "handover.index": ("GET", "/handover/", {}, (403, 200, 200, 200, 200, 200, 200)),
    "handover.save": ("POST", "/handover/save/", {}, (403, 200, 403, 200, 200, 403, 200)),
    "handover.villages": ("GET", "/handover/villages/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "post.duties": ("GET", "/post/duties/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "paper.submit": ("POST", "/paper/submit/", {"id": "{paper_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "paper.answer": ("POST", "/paper/answer/", {"id": "{paper_a}"}, (403, 302, 403, 403, 404, 403, 403)),
    "paper.reconfirm": ("POST", "/paper/reconfirm/", {"id": "{paper_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "help_plan.effects": ("GET", "/help_plan/effects/", {}, (403, 200, 200, 200, 200, 200, 200)),
    "facility.beds": ("GET", "/facility/beds/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "census.index": ("GET", "/census/", {}, (403, 200, 200, 200, 200, 200, 403)),
    "census.hand_in": ("POST", "/census/hand-in/", {"school": "{a}"}, (403, 302, 403, 302, 302, 403, 403)),
    "county.index": ("GET", "/county/", {}, (403, 200, 200, 200, 200, 200, 200)),
    "county.save": ("POST", "/county/save/", {"talks_a_month": "2"}, (403, 302, 403, 403, 403, 403, 403)),
    "trash.index": ("GET", "/trash/", {}, (403, 200, 403, 403, 403, 403, 403)),
    "retention.index": ("GET", "/retention/?child={child_a}", {}, (403, 200, 200, 403, 403, 403, 403)),
    "retention.archive": ("POST", "/retention/archive/", {"child": "{child_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "retention.take_back": ("POST", "/retention/take-back/", {"child": "{child_a}"}, (403, 302, 403, 403, 403, 403, 403)),
    "retention.erase": ("POST", "/retention/erase/", {"child": "{child_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "retention.purge": ("POST", "/retention/purge/", {}, (403, 302, 403, 403, 403, 403, 403)),
    "retention.held": ("POST", "/retention/held/", {"id": "{child_a}"}, (403, 200, 403, 403, 403, 403, 403)),
    "compliance.index": ("GET", "/compliance/", {}, (200, 200, 403, 403, 403, 403, 403)),
    "compliance.export": ("GET", "/compliance/export/", {}, (200, 200, 403, 403, 403, 403, 403)),
    "child.notice": ("GET", "/child/notice/", {}, (403, 200, 200, 200, 200, 200, 200)),
    "trash.restore": ("POST", "/trash/restore/", {}, (403, 404, 403, 403, 403, 403, 403)),
    "quick.index": ("GET", "/quick/", {}, (403, 302, 403, 302, 302, 403, 302)),
    "quick.talks": ("GET", "/quick/talks/", {}, (403, 200, 403, 200, 200, 403, 200)),
    "quick.confirm": ("GET", "/quick/confirm/", {}, (403, 200, 403, 200, 200, 403, 403)),
    "quick.paste": ("GET", "/quick/paste/?what=talks", {}, (403, 200, 403, 200, 200, 403, 200)),
    "attachments.index": ("GET", "/attachments/", {}, (403, 404, 404, 404, 404, 404, 404)),
    "attachments.add": ("POST", "/attachments/add/", {"table": "paper", "id": "{paper_a}"}, (403, 302, 403, 302, 404, 403, 403)),
    "attachments.get": ("GET", "/attachments/get/?id={attachment_a}", {}, (403, 200, 200, 200, 404, 200, 403)),
    "attachments.remove": (
        "POST",
        "/attachments/remove/",
        {"id": "{attachment_a}", "reason": "错"},
        (403, 302, 403, 302, 404, 403, 403),
    ),
    "drafts.index": ("GET", "/drafts/?id=999", {}, (404, 404, 404, 404, 404, 404, 404)),
    "drafts.drop": ("POST", "/drafts/drop/", {"id": "999"}, (404, 404, 404, 404, 404, 404, 404)),
    "batch.undo": ("POST", "/batch/undo/", {"id": "{batch_a}"}, (403, 302, 403, 302, 404, 403, 403)),
}
OPEN = {"sign_in.login", "sign_in.code", "status.healthz", "status.readyz", "static"}


def rights(screen, who):
    return RIGHTS[screen][("admin", "office", "leader", "secretary", "principal", "counsellor").index(who.split("_")[0])]


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
        case "index_view POST":  # asks for the list that holds what was typed
            return 302
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
                # the office alone corrects what was handed in; a stranger's is not there to begin with
                return 404 if screen == "census_return" and foreign else 403
            return 404 if screen in NEVER_DELETED or foreign or screen in NO_FORM else 302
        case "export":
            return 200 if "X" in mine else 403
        case _:
            return 404


def right_to_make(screen, who):
    """The enrolment and the batch have no form, but their resource may be made: the address is simply not there."""
    if screen == "indicator":
        return who == "office"
    return screen in ("enrolment", "batch") and who in ("office", "secretary_a", "secretary_b")


def right_to_trash(screen, who):
    if screen in NEVER_DELETED:
        return who == "office"
    return "D" in rights(screen, who) or (screen in ("enrolment", "batch") and who in ("office", "secretary_a", "secretary_b"))


def row_of(screen, ids):
    return getattr(ids, FILE_OF_A.get(screen, ""), None) or getattr(ids, f"{screen}_a", 1)


def record_requests(screen, ids):
    row, at = row_of(screen, ids), f"/{screen}"
    return {
        "index_view": ("GET", f"{at}/", {}),
        "index_view POST": ("POST", f"{at}/", {"search": "1"}),
        "details_view": ("GET", f"{at}/details/?id={row}", {}),
        "create_view": ("GET", f"{at}/new/", {}),
        "edit_view": ("GET", f"{at}/edit/?id={row}", {}),
        "edit_view POST": ("POST", f"{at}/edit/?id={row}", {}),
        "delete_view": ("POST", f"{at}/delete/", {"id": row}),
        "action_view": ("POST", f"{at}/action/", {"action": "delete", "rowid": row}),
        "ajax_update": ("POST", f"{at}/ajax/update/", {"list_form_pk": row}),
        "ajax_lookup": ("POST", f"{at}/ajax/lookup/", {"name": "nothing", "query": "x"}),
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
        answer.close()  # a file that is sent is closed by who reads it
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
    browser, names = person(who), vars(ids) | {"indicator": 3}
    pages = [(path.format(**names), data) for method, path, data, _codes in PAGES.values() if method == "POST"]
    screens = [each for screen in RIGHTS for each in record_requests(screen, ids).values()]
    posts = pages + [(path, data) for method, path, data in screens if method == "POST"]
    assert len(posts) > 150
    for path, data in posts:
        assert browser.client.post(path, data=data).status_code == 400, path
