"""The agents' side of the brain: sessions over WebSocket or requests."""

from .gateway import UVICORN, AgentView, Gateway, open_gateway

__all__ = ["UVICORN", "AgentView", "Gateway", "open_gateway"]
