"""/admin: accounts, recommending units, rounds, the record of events, the system. For administrators."""

from __future__ import annotations

from fastapi import APIRouter

from service.web.pages import admin_events, admin_programme, admin_system, admin_users

router = APIRouter(prefix="/admin")
for module in (admin_users, admin_programme, admin_events, admin_system):
    router.include_router(module.router)
