from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

class CommandParser(ArgumentParser): ...

class BaseCommand:
    help: str
    requires_system_checks: Sequence[str] | str
    def add_arguments(self, parser: CommandParser) -> None: ...
    def handle(self, *args: Any, **options: Any) -> str | None: ...
