"""All rules by name."""

from __future__ import annotations

from tests.architecture import floors, monopolies
from tests.architecture.modules import Rule

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        floors.every_module_has_a_room,
        floors.imports_go_down,
        floors.a_room_has_no_import_cycle,
        floors.own_imports_stand_at_the_top,
        monopolies.only_clock_reads_time_or_sleeps,
        monopolies.only_client_and_server_open_sockets,
        monopolies.only_store_writes_files,
        monopolies.only_cli_speaks_and_exits,
        monopolies.randomness_has_a_seed,
        monopolies.only_canonical_hashes,
        monopolies.async_stays_in_its_rooms,
        monopolies.nobody_leaves_by_a_back_door,
        floors.no_drawer_for_everything,
    )
}
