"""The rooms of the house: imports run downward only."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "coaching"

# From the ground up. Rooms on one line do not know each other.
FLOORS = (
    ("errors", "locale"),
    ("domain",),
    ("models",),
    ("queries", "notifications"),
    ("services",),
    ("tasks", "engine"),
    ("web", "templatetags", "api", "admin", "management", "checks", "apps"),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# Told apart although they stand on one floor.
KNOWS = {
    ("apps", "checks"),
    ("notifications", "queries"),
    ("web", "templatetags"),
    ("templatetags", "web"),
}


def imports_of(path: Path) -> set[str]:
    """The rooms of `coaching` that a file imports, at its top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "coaching" and len(parts) > 1:
                rooms.add(parts[1])
    return rooms


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def files() -> list[Path]:
    return [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if "migrations" not in path.parts and path != ROOT / "__init__.py"
    ]


def test_every_file_stands_in_a_known_room():
    assert {room_of(path) for path in files()} <= LEVEL.keys()


def test_imports_run_downward_only():
    wrong = []
    for path in files():
        room = room_of(path)
        for other in imports_of(path) - {room}:
            below = LEVEL[other] < LEVEL[room]
            if not below and (room, other) not in KNOWS:
                wrong.append(f"{path.relative_to(ROOT)} ({room}) imports {other}")
    assert not wrong, "\n".join(wrong)


def test_the_domain_knows_no_framework_and_no_clock():
    wrong = []
    for path in (ROOT / "domain").rglob("*.py"):
        source = path.read_text()
        if "django" in source or ".now(" in source or ".today(" in source:
            wrong.append(str(path))
    assert not wrong


def test_services_never_call_tasks():
    assert not [path for path in (ROOT / "services").rglob("*.py") if ".delay" in path.read_text()]
