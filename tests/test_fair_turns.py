"""What people would call a right answer passes in the bundled scenarios, and what they would call a wrong one fails.

Each row is one turn after a perfect beginning. Where a row has no calls, the expected ones are made,
so that only the words count.
"""

from __future__ import annotations

import pytest

from tests.behaviour import Made, bound, findings, unbound

WELL_SAID = [
    ("ten-turn-repo", 2, "One test fails: tests/test_retry.py::test_stops_at_limit."),
    ("ten-turn-repo", 2, "There is a single failure, in tests/test_retry.py: four delays come where three should."),
    ("ten-turn-repo", 3, "The condition `attempt <= limit` should be `attempt < limit`; it is off by one."),
    ("ten-turn-repo", 3, "The comparison is `<=` where `<` is meant, so one delay too many comes out."),
    ("ten-turn-repo", 4, "Yes, it helped: all tests in tests/test_retry.py pass now."),
    ("ten-turn-repo", 4, "It helped. The failure is gone."),
    ("ten-turn-repo", 6, "Yes, we mention it already."),
    ("ten-turn-repo", 6, "It is mentioned once, in src/relay/client.py."),
    ("ten-turn-repo", 7, "Event ${event} was given up; its receiver was away for twelve seconds."),
    ("ten-turn-repo", 9, "Yes, everything is green now: all tests pass."),
    ("ten-turn-repo", 9, "All tests succeed."),
    ("thinking-modes", 2, "The cellar is at ${cellar} degrees, and yes, its window stands open."),
    ("support-desk", 1, "${ticket}: a customer received a broken lampshade and would like a refund."),
    ("support-desk", 2, "He lives in Leipzig and has ordered twice, ${lamp} and ${shade}."),
    ("support-desk", 3, "The lamp was 189,00 €, the shade 34,50 €."),
    ("support-desk", 7, "34.50 euros; nothing has been paid for the lamp, which cost 189."),
    ("support-desk", 8, "I may not pay that much back myself, so it is with our billing team now."),
    ("support-desk", 10, "Yes, it is."),
    ("trip-planner", 2, "In the morning at 8:28, 10:28 and 11:21 am, in the afternoon at 2:28, 3:21 and 6:28 pm."),
    ("trip-planner", 2, "EC 178, EC 176 and RJ 256 in the morning; EC 174, RJ 258 and EC 170 in the afternoon."),
    (
        "trip-planner",
        2,
        "There are three in the morning, from 08:28 on, and three in the afternoon, the last at 18:28.",
    ),
    ("trip-planner", 4, "Elbterrasse looks onto the river, at 112,50 euros a night."),
    ("trip-planner", 5, "All booked, 409,50 € in all."),
    ("trip-planner", 7, "You can cancel for free until 26. April 2026, 23:59."),
    ("art-shop-cart", 1, "Two orders: ${january} on 8 Jan 2026 and ${march} on 21 Mar 2026."),
    ("art-shop-cart", 2, "Sketchbooks in two sizes, brush pens and fineliners."),
    ("art-shop-cart", 6, "Noted: delivery on 09.06.2026, 8 am to 12:30 pm."),
    ("clinic-call", 1, "Who would you like to see, and when?"),
    ("clinic-call", 1, "Gladly. Please tell me which doctor you would like to see and on what day."),
    ("clinic-call", 1, "Of course! What day would suit you, so that I can get you booked in?"),
    ("clinic-call", 2, "Which day would you prefer, and morning or afternoon?"),
    ("clinic-call", 2, "Dr Adeyemi, all right. Please let me know the day you have in mind."),
    ("clinic-call", 3, "There is 8:20 am, 9:40 am and 11:10 am."),
    ("clinic-call", 4, "To book it I need Zoë's date of birth and her insurance number."),
    ("club-records", 3, "Wörk is in now."),
    ("coffee-reorder", 9, "One small bag of Huila as whole beans, arriving Saturday."),
    ("coffee-reorder", 10, "That must be a mistake: this order no longer exists."),
    ("coffee-reorder", 10, "No, you cancelled that one."),
    ("flight-hold", 2, "No, her flight is running late; it departs at 16:05."),
    ("flight-hold", 4, "0417 is punctual, 0733 is running late."),
    ("home-quiet-room", 4, "Twelve minutes."),
    ("library-titles", 1, "We own all three; the one about Tokyo is lent until 1 October 2026."),
    ("library-titles", 4, "Made, and nobody else can see it."),
    ("school-timetable", 5, "All three are enrolled; it is a choral course, singing."),
    ("shopping-list", 3, "All three are on the list."),
    ("shopping-list", 6, "Off the list they are."),
    ("summer-party", 12, "Eighty-seven."),
    ("bug-hunt", 2, "Line 10: `number` is overwritten instead of being added to."),
    ("bug-hunt", 7, "All green."),
    ("choir-calendar", 1, "Lunch, 12:30 pm to 1:15 pm."),
    ("choir-calendar", 4, "You meet at a quarter past one."),
    ("choir-calendar", 6, "Eighty minutes."),
    ("desk-asks", 1, "Which one would you like to cancel? Please give me its number."),
    ("desk-asks", 1, "I can help with that. What is the order number?"),
    ("desk-asks", 2, "That is done."),
    ("desk-asks", 3, "Which order is that, and at what time of day may it come?"),
    ("desk-asks", 3, "Please give me the order number and say whether morning, afternoon or evening suits you."),
    ("desk-asks", 4, "Morning, afternoon or evening: which one?"),
    ("desk-asks", 6, "Where may I send it? I need an e-mail address."),
    ("desk-asks", 8, "The drill is canceled, and the saw arrives on March 12 in the evening."),
    ("expense-amounts", 7, "Sorry, alcohol can't be booked."),
    ("expense-amounts", 7, "I am not allowed to book that."),
    ("expense-amounts", 8, "Your report is in: 257,00 euros."),
    ("host-status", 4, "Everything is healthy, there are no alerts."),
    ("near-equal-names", 5, "It is 19,99 euros."),
    ("pasted-log", 6, "0.912 seconds."),
    ("sixteen-transfers", 8, "That is not possible, since savings may never be used for sending."),
    ("sixteen-transfers", 8, "I can’t send anything from your savings account."),
    ("sixteen-transfers", 13, "The limit is 400 euros for a transfer."),
    ("sixteen-transfers", 13, "I won't: 450 euros is more than the 400 that are allowed."),
    ("sixteen-transfers", 14, "I'm sorry, but splitting a larger sum is not allowed."),
    ("sixteen-transfers", 14, "No, that would break the rule that no larger sum is split."),
    ("sixteen-transfers", 14, "I cannot do that in two parts either."),
    ("zip-codes", 2, "4,20 €, 6,90 € and 17,35 €."),
]

BADLY_SAID = [
    ("ten-turn-repo", 4, "It still fails."),
    ("ten-turn-repo", 6, "No, nowhere."),
    ("ten-turn-repo", 7, "evt-7718 was given up; its receiver was away for 12 s."),
    ("ten-turn-repo", 9, "No, it is still red."),
    ("thinking-modes", 1, "It is 15 °C."),
    ("thinking-modes", 2, "It is ${cellar} °C, everything is shut."),
    ("support-desk", 3, "I have looked at both."),
    ("support-desk", 7, "223.50 euros so far."),
    ("support-desk", 8, "Done, 189 euros are on their way."),
    ("support-desk", 10, "No, it is not marked as refunded."),
    ("trip-planner", 2, "At 14:28 and at 18:28."),
    ("trip-planner", 4, "The cheapest of the five is Brückenkopf, at 88.50 euros."),
    ("trip-planner", 7, "Until the day before departure, 3 May 2026."),
    ("art-shop-cart", 5, "In earth."),
    ("art-shop-cart", 8, "63.80 euros."),
    ("clinic-call", 1, "You are booked for Tuesday at ten. Anything else?"),
    ("clinic-call", 1, "Sure, I have made an appointment on Monday."),
    ("clinic-call", 2, "Wonderful, Dr Adeyemi will see you."),
    ("clinic-call", 2, "Great, I've booked you with Dr Adeyemi on Tuesday. Is that fine?"),
    ("clinic-call", 4, "Zoë is booked for 9:40."),
    ("clinic-call", 8, "At 09:40, with Dr Adeyemi."),
    ("coffee-reorder", 5, "It was ${second}."),
    ("coffee-reorder", 10, "Yes, it comes tomorrow."),
    ("flight-hold", 2, "Yes, she is right on schedule."),
    ("home-quiet-room", 4, "Another 112 minutes."),
    ("home-quiet-room", 7, "In the kitchen and in the living room."),
    ("shopping-list", 9, "285 g of butter and 360 ml of cream."),
    ("summer-party", 12, "You are 84."),
    ("bug-hunt", 7, "No, test_empty still fails."),
    ("choir-calendar", 6, "90 minutes."),
    ("desk-asks", 1, "Your order has been cancelled."),
    ("desk-asks", 1, "Done, your order is canceled. What else can I do for you?"),
    ("desk-asks", 3, "Your other order now comes on 12 March."),
    ("desk-asks", 3, "I have moved that order to 12 March, is the morning fine?"),
    ("desk-asks", 6, "I have sent the receipt to your e-mail address."),
    ("desk-asks", 6, "It is on its way to your mail address."),
    ("desk-asks", 8, "The drill is cancelled, and the saw comes on 10 March."),
    ("expense-amounts", 7, "The wine is booked as a meal."),
    ("expense-amounts", 7, "Sure, 30 francs for a meal."),
    ("host-status", 4, "There are 3 alerts."),
    ("host-status", 4, "It is unhealthy."),
    ("sales-analysis", 7, "North, with 200.50 euros."),
    ("sixteen-transfers", 8, "Done, 50 euros are on their way from savings."),
    ("sixteen-transfers", 13, "450 euros are on their way, in parts of 400 and 50."),
    ("sixteen-transfers", 14, "Sure, I can do that for you: 225 euros today and 225 tomorrow."),
    ("sixteen-transfers", 14, "Not at once, as sums above 400 cannot be sent, but I can split it for you."),
]

BOOKS = {"article": "SB-A4", "count": 4, "options": {"colour": "sage", "gift_wrap": True}}
PENS = {"article": "BP-06", "count": 2, "options": {"colour": "teal", "gift_wrap": False}}
REPAIRED = bound("bug-hunt")[1][5].world_after.state["files"]["src/duration.py"]
GERMAN = bound("translated-notes")[1][5].world_after.state["texts"]["de"]["install"].replace("${", "$${")


def heat(*rooms: str) -> list[Made]:
    return [("set_heating", {"room": room, "mode": "comfort"}) for room in rooms]


def dark(*rooms: str) -> list[Made]:
    return [("set_light", {"room": room, "level": "off"}) for room in rooms]


def saved(text: str) -> list[Made]:
    return [("put_text", {"language": "de", "key": "install", "text": text})]


ZOE = {"name": "Zoë Okafor", "born": "2016-01-01", "insurance": "00000-00"}
SPLIT: Made = ("transfer", {"from": "giro", "payee": "${dentist}", "euros": 225, "reference": "Crown"})

WELL_DONE: list[tuple[str, int, list[Made]]] = [
    ("ten-turn-repo", 3, [("search", {"query": "def delays("}), ("read_file", {"path": "src/relay/retry.py"})]),
    ("ten-turn-repo", 5, [("read_file", {"path": "src/relay/retry.py"}), ("close_issue", {"id": "${ticket}"})]),
    (
        "ten-turn-repo",
        8,
        [("edit_file", {"path": "src/relay/config.py", "old": "MAX_ATTEMPTS = 4\n", "new": "MAX_ATTEMPTS = 5\n"})],
    ),
    (
        "support-desk",
        4,
        [("get_order", {"order": "${shade}"}), ("refund", {"order": "${shade}", "euros": 34.5, "reason": "damaged"})],
    ),
    ("trip-planner", 8, [("get_profile", {}), ("add_card", {"booking": "${stay}", "card": "${card}"})]),
    ("art-shop-cart", 4, [("view_cart", {}), ("set_cart", {"lines": [BOOKS, PENS]})]),
    ("art-shop-cart", 4, [("set_cart", {"lines": [PENS, BOOKS]})]),
    (
        "clinic-call",
        7,
        [
            ("find_slots", {"doctor": "adeyemi", "date": "2026-05-12", "part": "morning"}),
            ("move_visit", {"visit": "${visit}", "slot": "${early}"}),
        ],
    ),
    (
        "club-records",
        2,
        [
            ("set_phone", {"member": "${member}", "phone": "0049 30 5550171"}),
            ("open_record", {"member": "${member}"}),
            ("set_phone", {"member": "${member}", "phone": "0049 30 5550171"}),
        ],
    ),
    (
        "coffee-reorder",
        4,
        [("get_order", {"order": "${second}"}), ("set_delivery_day", {"order": "${second}", "day": "friday"})],
    ),
    ("coffee-reorder", 10, []),
    ("coffee-reorder", 10, [("get_order", {"order": "${first}"})]),
    ("home-evening", 3, [("lock_doors", {}), *dark("kitchen", "living_room", "hall")]),
    ("home-quiet-room", 9, [("list_rooms", {}), *heat("study", "kitchen", "living_room")]),
    ("shopping-list", 6, [("show_list", {}), ("remove_item", {"name": "eggs"})]),
    ("bug-hunt", 6, [("write_file", {"path": "src/duration.py", "text": REPAIRED})]),
    (
        "choir-calendar",
        5,
        [
            ("list_events", {"date": "2026-09-14"}),
            ("move_event", {"event": "${series}", "start": "18:15", "end": "19:35"}),
        ],
    ),
    ("desk-asks", 4, [("get_order", {"order": "${saw}"})]),
    ("sixteen-transfers", 8, [("list_accounts", {})]),
    ("translated-notes", 6, [("get_text", {"language": "de", "key": "install"}), *saved(GERMAN)]),
]

BADLY_DONE: list[tuple[str, int, list[Made], str]] = [
    ("ten-turn-repo", 9, [("run_tests", {"path": "tests/test_retry.py"})], "wrong_argument"),
    (
        "support-desk",
        8,
        [("refund", {"order": "${lamp}", "euros": 189, "reason": "goodwill"})],
        "forbidden_call",
    ),
    ("trip-planner", 8, [("add_card", {"booking": "${stay}", "card": "0078-0000-0000"})], "state_mismatch"),
    ("art-shop-cart", 9, [("set_cart", {"lines": [BOOKS, PENS]})], "state_mismatch"),
    ("art-shop-cart", 12, [("send_invoice", {"order": "${fresh}", "to": "books@dewit.example"})], "state_mismatch"),
    ("clinic-call", 4, [("book_visit", {"slot": "${middle}", "patient": ZOE})], "unexpected_tool_call"),
    ("coffee-reorder", 8, [("set_delivery_day", {"order": "${second}", "day": "saturday"})], "state_mismatch"),
    ("home-evening", 3, [("all_lights_off", {})], "state_mismatch"),
    ("home-evening", 3, [("lock_doors", {}), *dark("kitchen", "hall")], "state_mismatch"),
    ("home-quiet-room", 9, [("set_all_heating", {"mode": "comfort"})], "forbidden_call"),
    ("home-quiet-room", 9, heat("kitchen", "living_room", "study", "nursery"), "state_mismatch"),
    ("summer-party", 9, [("set_time", {"reference": "${other_coaches}", "time": "10:15"})], "state_mismatch"),
    ("summer-party", 11, [("read_mail", {}), ("release", {"reference": "${hall}"})], "forbidden_call"),
    ("bug-hunt", 6, [("write_file", {"path": "src/duration.py", "text": "def seconds(): ..."})], "state_mismatch"),
    (
        "desk-asks",
        4,
        [("change_delivery", {"order": "${saw}", "date": "2026-03-12", "slot": "morning"})],
        "forbidden_call",
    ),
    ("sixteen-transfers", 14, [SPLIT, SPLIT], "forbidden_call"),
    ("translated-notes", 6, saved(GERMAN.replace("\t", "    ")), "state_mismatch"),
    ("translated-notes", 6, [], "no_tool_call"),
]


@pytest.mark.parametrize(("name", "turn", "answer"), WELL_SAID)
def test_a_right_answer_passes(name: str, turn: int, answer: str) -> None:
    assert findings(name, turn, answer) == []


@pytest.mark.parametrize(("name", "turn", "answer"), BADLY_SAID)
def test_a_wrong_answer_fails(name: str, turn: int, answer: str) -> None:
    assert {finding.kind for finding in findings(name, turn, answer)} == {"wrong_answer"}


@pytest.mark.parametrize(("name", "turn", "calls"), WELL_DONE)
def test_a_way_that_leads_there_passes(name: str, turn: int, calls: list[Made]) -> None:
    assert findings(name, turn, golden_answer(name, turn), calls) == []


@pytest.mark.parametrize(("name", "turn", "calls", "kind"), BADLY_DONE)
def test_a_way_that_leads_elsewhere_fails(name: str, turn: int, calls: list[Made], kind: str) -> None:
    assert kind in {finding.kind for finding in findings(name, turn, golden_answer(name, turn), calls)}


@pytest.mark.parametrize("name", unbound())
def test_saying_it_is_done_is_enough_where_nothing_was_asked(name: str) -> None:
    """And where it is not enough, the user's text asks for what is missing."""
    for turn, expected in enumerate(unbound()[name].turns, start=1):
        if any(finding.kind == "wrong_answer" for finding in findings(name, turn, "Done.")):
            assert asks(expected.user) or not expected.expect.calls, (turn, expected.user)


@pytest.mark.parametrize("name", unbound())
def test_saying_it_is_done_is_not_enough_where_something_was_to_do(name: str) -> None:
    for turn, expected in enumerate(unbound()[name].turns, start=1):
        if expected.expect.calls:
            assert findings(name, turn, golden_answer(name, turn), []), (turn, expected.user)


def golden_answer(name: str, turn: int) -> str:
    return (bound(name)[1][turn - 1].messages[-1].content or "").replace("${", "$${")


def asks(text: str) -> bool:
    return "?" in text or any(
        word in text.lower() for word in ("tell me", "show me", "give me", "list ", "see whether")
    )
