"""The JSON API under /api/v1: one module an area, each with its `router`."""

from __future__ import annotations

from fastapi import APIRouter


def all_routers() -> tuple[APIRouter, ...]:
    return ()
