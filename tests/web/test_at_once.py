"""Many requests at once on one event loop, as the server has them: none waits for what another one holds."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import own_loop
from sqlalchemy import text


def test_more_requests_than_threads_and_connections(site: Any) -> None:
    session = site.as_("office").cookies

    async def all_of_them() -> list[int]:
        transport = httpx2.ASGITransport(app=site.app)
        async with httpx2.AsyncClient(transport=transport, base_url=site.settings.url, cookies=session) as client:
            answers = await asyncio.gather(*(client.get("/batches") for _ in range(60)))
        return [answer.status_code for answer in answers]

    # Each request is slow enough that all of them are there together.
    with site.engine.connect() as connection:
        lock = connection.begin()
        connection.execute(text("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"))

        async def meanwhile() -> list[int]:
            asked = asyncio.create_task(all_of_them())
            await asyncio.sleep(1.0)
            await asyncio.to_thread(lock.rollback)
            return await asyncio.wait_for(asked, 25)

        assert set(own_loop.run(meanwhile())) == {200}
